/* store_check() finds each fault that is planted, and nothing where there is none. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

/*
 * The store that faults are planted in:
 *
 *	mailbox 1, ann: UID 1 is message 1, UID 2 is message 2
 *	mailbox 2, bob: UID 1 is message 2
 */
static struct test_store t;

static void setup(void)
{
	static const struct str both[] = { { "ann", 3 }, { "bob", 3 } };

	test_store_init(&t, NULL, 16 << 20);
	cr_assert_eq(deliver(&t, "ann", "one"), 0);
	cr_assert_eq(deliver_many(&t, both, NULL, 2, "two", NULL), 0);
}

static void clean(void)
{
	test_store_close(&t);
	test_store_fini(&t);
}

Cases(store_check, setup, clean);

static void del_message(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 1);
	engine_del(txn, ENGINE_MSG, RECORD_STR(key));
}

static void del_entry(struct engine_txn *txn)
{
	mailbox_del_entry(txn, 1, 1);
}

static void del_box(struct engine_txn *txn)
{
	mailbox_del_entry(txn, 2, RECORD_UID_BOX);
}

static void del_name(struct engine_txn *txn)
{
	engine_del(txn, ENGINE_NAME, STR("bob\0INBOX"));
}

static void add_name(struct engine_txn *txn)
{
	engine_put(txn, ENGINE_NAME, STR("bob\0Other"), STR("\0\0\0\2"));
}

static void add_name_to_nothing(struct engine_txn *txn)
{
	engine_put(txn, ENGINE_NAME, STR("bob\0Other"), STR("\0\0\0\7"));
}

static void spoil_name(struct engine_txn *txn)
{
	engine_put(txn, ENGINE_NAME, STR("bob\0INBOX"), STR("\0\0\2"));
}

static void add_name_that_is_none(struct engine_txn *txn)
{
	engine_del(txn, ENGINE_NAME, STR("bob\0INBOX"));
	engine_put(txn, ENGINE_NAME, STR("bob"), STR("\0\0\0\2"));
}

/* A mailbox's record, with one field changed. */
static void change_box(struct engine_txn *txn,
		       void (*change)(struct store_box_info *info))
{
	struct store_box_info info;

	cr_assert_eq(mailbox_load(txn, 1, &info), 0);
	change(&info);
	mailbox_save(txn, 1, &info);
}

static void more_messages(struct store_box_info *info)
{
	info->n_messages++;
}

static void less_unseen(struct store_box_info *info)
{
	info->n_unseen--;
}

static void more_bytes(struct store_box_info *info)
{
	info->n_bytes++;
}

static void lower_uid(struct store_box_info *info)
{
	info->uid_next--;
}

static void lower_modseq(struct store_box_info *info)
{
	info->modseq--;
}

static void strange_validity(struct store_box_info *info)
{
	info->uid_validity += 2;
}

static void wrong_n_messages(struct engine_txn *txn)
{
	change_box(txn, more_messages);
}

static void wrong_n_unseen(struct engine_txn *txn)
{
	change_box(txn, less_unseen);
}

static void wrong_n_bytes(struct engine_txn *txn)
{
	change_box(txn, more_bytes);
}

static void wrong_uid_next(struct engine_txn *txn)
{
	change_box(txn, lower_uid);
}

static void wrong_modseq(struct engine_txn *txn)
{
	change_box(txn, lower_modseq);
}

static void wrong_uid_validity(struct engine_txn *txn)
{
	change_box(txn, strange_validity);
}

static void spoil_box(struct engine_txn *txn)
{
	char key[RECORD_BOX_KEY_LEN];

	record_emit_box_key(key, 1, RECORD_UID_BOX);
	engine_put(txn, ENGINE_BOX, RECORD_STR(key), STR("junk"));
}

static void spoil_entry(struct engine_txn *txn)
{
	char key[RECORD_BOX_KEY_LEN];

	record_emit_box_key(key, 1, 1);
	engine_put(txn, ENGINE_BOX, RECORD_STR(key), STR("junk"));
}

static void spoil_box_key(struct engine_txn *txn)
{
	engine_put(txn, ENGINE_BOX, STR("junk"), STR("junk"));
}

static void add_message_without_entry(struct engine_txn *txn)
{
	struct str part = STR("nobody's");

	message_put(txn, 3, &part, 1, 1);
}

static void wrong_count(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 2);
	engine_put(txn, ENGINE_REF, RECORD_STR(key), STR("\0\0\0\3"));
}

static void del_count(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 2);
	engine_del(txn, ENGINE_REF, RECORD_STR(key));
}

static void count_nothing(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 9);
	engine_put(txn, ENGINE_REF, RECORD_STR(key), STR("\0\0\0\2"));
}

static void kill_the_living(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 1);
	engine_put(txn, ENGINE_DEAD, RECORD_STR(key), (struct str){ 0 });
}

static void kill_nobody(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 9);
	engine_put(txn, ENGINE_DEAD, RECORD_STR(key), (struct str){ 0 });
}

static void wrong_size(struct engine_txn *txn)
{
	struct record_entry e;

	cr_assert_eq(mailbox_get_entry(txn, 1, 1, &e), 0);
	e.msg.size++;
	e.head = (struct str){ 0 };
	mailbox_put_entry(txn, &e);
	change_box(txn, more_bytes); /* so that the sum fits */
}

static void lower_state(struct engine_txn *txn)
{
	const struct record_state state = { .next_msg = 2,
					    .next_box = 3,
					    .last_uid_validity = UINT32_MAX };
	char value[RECORD_STATE_LEN];

	record_emit_state(value, &state);
	engine_put(txn, ENGINE_STATE, STR("state"), RECORD_STR(value));
}

static void lower_boxes(struct engine_txn *txn)
{
	const struct record_state state = { .next_msg = 3,
					    .next_box = 2,
					    .last_uid_validity = UINT32_MAX };
	char value[RECORD_STATE_LEN];

	record_emit_state(value, &state);
	engine_put(txn, ENGINE_STATE, STR("state"), RECORD_STR(value));
}

static void del_state(struct engine_txn *txn)
{
	engine_del(txn, ENGINE_STATE, STR("state"));
}

#define PLANT(name)         \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	void (*plant)(struct engine_txn *txn);
} plants[] = {
	PLANT(del_message),	 PLANT(del_entry),
	PLANT(del_box),		 PLANT(del_name),
	PLANT(add_name),	 PLANT(add_name_to_nothing),
	PLANT(spoil_name),	 PLANT(add_name_that_is_none),
	PLANT(wrong_n_messages), PLANT(wrong_n_unseen),
	PLANT(wrong_n_bytes),	 PLANT(wrong_uid_next),
	PLANT(wrong_modseq),	 PLANT(wrong_uid_validity),
	PLANT(spoil_box),	 PLANT(spoil_entry),
	PLANT(spoil_box_key),	 PLANT(add_message_without_entry),
	PLANT(wrong_count),	 PLANT(del_count),
	PLANT(count_nothing),	 PLANT(kill_the_living),
	PLANT(kill_nobody),	 PLANT(wrong_size),
	PLANT(lower_state),	 PLANT(lower_boxes),
	PLANT(del_state),
};

/* Copies every record aside, or puts them back: between plants. */
struct record {
	enum engine_table table;
	struct str key, value;
};

static struct str copy(struct str s)
{
	char *p = malloc(s.len + 1);

	if (s.len > 0)
		memcpy(p, s.p, s.len);
	return (struct str){ p, s.len };
}

static size_t save(struct engine_txn *txn, struct record *records)
{
	const struct engine_ops *ops = txn->engine->ops;
	size_t n = 0;

	for (enum engine_table table = 0; table < ENGINE_N_TABLES; table++) {
		struct engine_cursor *cursor;
		struct str key, value;

		ops->cursor_open(txn, table, (struct str){ 0 }, &cursor);
		for (; ops->cursor_next(cursor, &key, &value) == 1; n++)
			records[n] = (struct record){ table, copy(key), copy(value) };
		ops->cursor_close(cursor);
	}
	return n;
}

static void drop(struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)records[i].key.p);
		free((char *)records[i].value.p);
	}
}

static struct engine_txn *begin(bool write)
{
	struct engine *engine = t.store->engine;
	struct engine_txn *txn;

	cr_assert_eq(engine->ops->begin(engine, write, &txn), 0);
	return txn;
}

static void commit(struct engine_txn *txn)
{
	cr_assert_eq(txn->engine->ops->commit(txn), 0);
}

static void restore(const struct record *good, size_t n_good)
{
	struct engine_txn *txn = begin(true);
	struct record bad[64];
	size_t n_bad = save(txn, bad);

	for (size_t i = 0; i < n_bad; i++)
		engine_del(txn, bad[i].table, bad[i].key);
	for (size_t i = 0; i < n_good; i++)
		cr_assert_eq(engine_put(txn, good[i].table, good[i].key, good[i].value),
			     0);
	commit(txn);
	drop(bad, n_bad);
}

Case(store_check, finds_each_planted_fault)
{
	struct engine_txn *txn = begin(false);
	struct record good[64];
	size_t n = save(txn, good);

	txn->engine->ops->abort(txn);
	for (size_t i = 0; i < sizeof(plants) / sizeof(*plants); i++) {
		cr_assert_eq(test_store_faults(&t), 0);
		txn = begin(true);
		plants[i].plant(txn);
		commit(txn);
		cr_assert_gt(test_store_faults(&t), 0, "%s", plants[i].name);
		restore(good, n);
	}
	cr_assert_eq(test_store_faults(&t), 0);
	drop(good, n);
}
