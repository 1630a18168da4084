#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/store/spool.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

static struct test_store t;

static void setup(void)
{
	test_store_init(&t, NULL, 16 << 20);
}

static void clean(void)
{
	test_store_close(&t);
	test_store_fini(&t);
}

Cases(spool, setup, clean);

static int submit_spool(struct waited_op *w, struct spool_op *spool)
{
	w->op.spool = spool;
	waited_op_submit(&t, w);
	return waited_op_wait(w);
}

/* One message for @user (if any) and the items. */
static int put(const char *user, const char *text, struct spool_new *add, size_t n)
{
	const struct str part = str_of(text), to = user ? str_of(user) : STR("");
	struct spool_op spool = { .add = add, .n_add = n };
	struct waited_op w;

	waited_op_deliver(&w, &to, &part);
	w.op.deliver.n_users = user != NULL;
	return submit_spool(&w, &spool);
}

static uint64_t put_one(const char *dest, uint64_t due_ms)
{
	struct spool_new item = { .dest = str_of(dest),
				  .bytes = STR("x"),
				  .due_ms = due_ms };

	cr_assert_eq(put(NULL, "text", &item, 1), 0);
	return item.id;
}

static int change(const struct spool_change *changes, size_t n)
{
	struct spool_op spool = { .change = changes, .n_change = n };
	const struct str none = STR("");
	struct waited_op w;

	waited_op_deliver(&w, &none, &none);
	w.op.kind = STORE_SPOOL;
	return submit_spool(&w, &spool);
}

static int put_off(const char *dest, uint64_t until_ms, uint32_t fails)
{
	struct spool_op spool = { .put_off = str_of(dest),
				  .put_off_ms = until_ms,
				  .put_off_fails = fails };
	const struct str none = STR("");
	struct waited_op w;

	waited_op_deliver(&w, &none, &none);
	w.op.kind = STORE_SPOOL;
	return submit_spool(&w, &spool);
}

/* What a walk found, as text. */
struct found {
	char text[512];
	size_t len, most, n;
};

static bool add_found(struct found *f, struct str dest, uint64_t n)
{
	f->len += (size_t)snprintf(f->text + f->len, sizeof(f->text) - f->len,
				   "%.*s=%lu ", (int)dest.len, dest.p, n);
	f->n++;
	return f->most == 0 || f->n < f->most;
}

static bool found_ready(void *arg, struct str dest, uint64_t ready_ms)
{
	return add_found(arg, dest, ready_ms);
}

static bool found_due(void *arg, uint64_t due_ms, uint64_t id)
{
	(void)id;
	return add_found(arg, STR("due"), due_ms);
}

static bool found_item(void *arg, const struct spool_item *item)
{
	return add_found(arg, item->dest, item->due_ms);
}

static struct store_read *begin_read(void)
{
	struct store_read *read;

	cr_assert_eq(store_read_begin(t.store, &read), 0);
	return read;
}

static void expect_ready(const char *text)
{
	struct store_read *read = begin_read();
	struct found f = { .n = 0 };

	cr_assert_eq(spool_each_ready(read, found_ready, &f), 0);
	cr_assert_str_eq(f.text, text);
	store_read_end(read);
	cr_assert_eq(test_store_faults(&t), 0);
}

static void expect_due(const char *dest, const char *text)
{
	struct store_read *read = begin_read();
	struct found f = { .n = 0 };

	cr_assert_eq(spool_each_due(read, str_of(dest), 0, 0, found_due, &f), 0);
	cr_assert_str_eq(f.text, text);
	store_read_end(read);
}

static uint64_t count(void)
{
	struct store_read *read = begin_read();
	uint64_t n;

	cr_assert_eq(spool_count(read, &n), 0);
	store_read_end(read);
	return n;
}

Case(spool, one_commit_takes_a_message_for_users_and_for_hosts)
{
	struct spool_new items[] = {
		{ .dest = STR("b.example"), .bytes = STR("for b"), .due_ms = 7 },
		{ .dest = STR("c.example"), .bytes = STR("for c"), .due_ms = 8 },
	};
	struct store_read *read;
	struct spool_item item;
	struct store_stats stats;

	cr_assert_eq(put("ann", "hello", items, 2), 0);
	store_stats(t.store, &stats);
	cr_assert_eq(stats.commits, 1);
	cr_assert(message_reads(&t, "ann", 0, "hello"));
	cr_assert_eq(count_records(&t, ENGINE_MSG), 1);
	read = begin_read();
	cr_assert_eq(spool_get(read, items[1].id, &item), 0);
	cr_assert(str_eq(item.dest, STR("c.example")));
	cr_assert(str_eq(item.bytes, STR("for c")));
	cr_assert_eq(item.due_ms, 8);
	cr_assert_eq(spool_get(read, items[1].id + 1, &item), -ENOENT);
	store_read_end(read);
	expect_ready("b.example=7 c.example=8 ");
}

Case(spool, keeps_everything_when_it_is_opened_again)
{
	put_one("b.example", 5);
	cr_assert_eq(put_off("b.example", 9, 3), 0);
	test_store_reopen(&t);
	expect_ready("b.example=9 ");
	expect_due("b.example", "due=5 ");
}

Case(spool, a_destination_is_ready_when_its_first_item_is_due)
{
	uint64_t late = put_one("b.example", 30), early = put_one("b.example", 10);

	expect_ready("b.example=10 ");
	expect_due("b.example", "due=10 due=30 ");
	cr_assert_eq(change(&(struct spool_change){ .id = early, .due_ms = 40 }, 1), 0);
	expect_ready("b.example=30 ");
	cr_assert_eq(change(&(struct spool_change){ .id = late, .remove = true }, 1), 0);
	expect_ready("b.example=40 ");
	cr_assert_eq(change(&(struct spool_change){ .id = early, .remove = true }, 1), 0);
	expect_ready("");
	cr_assert_eq(count_records(&t, ENGINE_DEST), 0);
	cr_assert_eq(count(), 0);
}

Case(spool, a_destination_that_is_put_off_waits_for_all_its_items)
{
	uint64_t id = put_one("b.example", 10);
	struct store_read *read;
	struct spool_dest dest;

	cr_assert_eq(put_off("b.example", 50, 2), 0);
	put_one("b.example", 20);
	put_one("a.example", 15);
	expect_ready("a.example=15 b.example=50 ");
	read = begin_read();
	cr_assert_eq(spool_get_dest(read, STR("b.example"), &dest), 0);
	cr_assert_eq(dest.fails, 2);
	cr_assert_eq(dest.put_off_ms, 50);
	cr_assert_eq(spool_get_dest(read, STR("x.example"), &dest), -ENOENT);
	store_read_end(read);
	cr_assert_eq(put_off("b.example", 0, 0), 0);
	expect_ready("b.example=10 a.example=15 ");
	cr_assert_eq(change(&(struct spool_change){ .id = id, .due_ms = SPOOL_NEVER }, 1),
		     0);
	expect_ready("a.example=15 b.example=20 ");
}

Case(spool, nobody_without_items_is_put_off)
{
	cr_assert_eq(put_off("b.example", 50, 1), 0);
	expect_ready("");
}

Case(spool, names_that_begin_alike_are_different_destinations)
{
	put_one("b", 1);
	put_one("b.example", 2);
	put_one("b.ex", 3);
	expect_due("b", "due=1 ");
	expect_due("b.ex", "due=3 ");
	expect_due("none", "");
}

Case(spool, a_change_replaces_bytes_or_leaves_them)
{
	uint64_t id = put_one("b.example", 1);
	struct spool_change changes[] = {
		{ .id = id, .bytes = STR("longer than before"), .due_ms = 2 },
		{ .id = id, .due_ms = 3 },
	};
	struct store_read *read;
	struct spool_item item;

	cr_assert_eq(change(changes, 2), 0);
	read = begin_read();
	cr_assert_eq(spool_get(read, id, &item), 0);
	cr_assert(str_eq(item.bytes, STR("longer than before")));
	cr_assert_eq(item.due_ms, 3);
	store_read_end(read);
	expect_due("b.example", "due=3 ");
}

Case(spool, changes_of_items_that_are_gone_are_passed_over)
{
	uint64_t id = put_one("b.example", 1);
	const struct spool_change changes[] = {
		{ .id = id + 1000, .remove = true },
		{ .id = id, .remove = true },
		{ .id = id, .due_ms = 5 },
	};

	cr_assert_eq(change(changes, 3), 0);
	cr_assert_eq(count(), 0);
	expect_ready("");
}

Case(spool, one_commit_takes_an_item_out_and_delivers_what_is_said_of_it)
{
	uint64_t id = put_one("b.example", 1);
	const struct spool_change gone = { .id = id, .remove = true };
	struct spool_new on = { .dest = STR("c.example"),
				.bytes = STR("y"),
				.due_ms = 2 };
	struct spool_op spool = {
		.change = &gone, .n_change = 1, .add = &on, .n_add = 1
	};
	const struct str ann = STR("ann"), part = STR("bounce");
	struct store_stats before, after;
	struct waited_op w;

	store_stats(t.store, &before);
	waited_op_deliver(&w, &ann, &part);
	cr_assert_eq(submit_spool(&w, &spool), 0);
	store_stats(t.store, &after);
	/* The message that nobody names is swept in a second one. */
	cr_assert_leq(after.commits, before.commits + 2);
	cr_assert(message_reads(&t, "ann", 0, "bounce"));
	cr_assert_eq(count(), 1);
	expect_ready("c.example=2 ");
}

Case(spool, a_message_goes_with_the_last_that_names_it)
{
	struct spool_new items[] = {
		{ .dest = STR("b.example"), .bytes = STR("1"), .due_ms = 1 },
		{ .dest = STR("b.example"), .bytes = STR("2"), .due_ms = 1 },
	};
	const uint32_t uid = 1;
	struct spool_change both[2];

	cr_assert_eq(put("ann", "hello", items, 2), 0);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	both[0] = (struct spool_change){ .id = items[0].id, .remove = true };
	both[1] = (struct spool_change){ .id = items[1].id, .remove = true };
	cr_assert_eq(change(both, 1), 0);
	cr_assert_eq(test_store_faults(&t), 0);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 1);
	cr_assert_eq(change(both + 1, 1), 0);
	/* The next commit sweeps it away. */
	cr_assert_eq(deliver(&t, "bob", "another"), 0);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 1);
	cr_assert_eq(test_store_faults(&t), 0);
}

Case(spool, holds_the_bytes_of_a_message_that_is_sent_on)
{
	struct spool_new item = { .dest = STR("b.example"), .bytes = STR("1") };
	struct store_hold *hold;

	cr_assert_eq(put(NULL, "hello", &item, 1), 0);
	cr_assert_eq(spool_hold(t.store, item.id, &hold), 0);
	cr_assert_eq(hold->pieces[0].len, 0);
	cr_assert_eq(change(&(struct spool_change){ .id = item.id, .remove = true }, 1),
		     0);
	cr_assert(str_eq(hold->pieces[1], STR("hello")));
	store_release(t.store, hold);
	cr_assert_eq(spool_hold(t.store, item.id, &hold), -ENOENT);
}

Case(spool, walks_stop_where_they_are_told)
{
	struct found f = { .most = 2 };
	struct store_read *read;
	uint64_t second;

	put_one("a.example", 1);
	second = put_one("b.example", 2);
	put_one("c.example", 3);
	read = begin_read();
	cr_assert_eq(spool_each_ready(read, found_ready, &f), 0);
	cr_assert_str_eq(f.text, "a.example=1 b.example=2 ");
	f = (struct found){ .n = 0 };
	cr_assert_eq(spool_each(read, second, found_item, &f), 0);
	cr_assert_str_eq(f.text, "b.example=2 c.example=3 ");
	store_read_end(read);
}

Case(spool, refuses_what_cannot_be_stored)
{
	char *big = calloc(1, SPOOL_BYTES_MAX + 1), name[SPOOL_DEST_MAX + 1];
	struct spool_new wrong[] = {
		{ .dest = STR(""), .bytes = STR("x") },
		{ .dest = STR("a\0b"), .bytes = STR("x") },
		{ .dest = { name, sizeof(name) }, .bytes = STR("x") },
		{ .dest = STR("a"), .bytes = { big, SPOOL_BYTES_MAX + 1 } },
	};

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_assert_eq(put("ann", "x", &wrong[i], 1), -EINVAL, "case %zu", i);
	cr_assert_eq(put_off("a\0b", 1, 1), 0); /* text up to the NUL: nobody there */
	cr_assert_eq(count(), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 0);
	wrong[2].dest.len = SPOOL_DEST_MAX;
	wrong[3].bytes.len = SPOOL_BYTES_MAX;
	cr_assert_eq(put(NULL, "x", &wrong[2], 2), 0);
	cr_assert_eq(count(), 2);
	free(big);
}

Case(spool, a_delivery_to_nobody_is_refused)
{
	cr_assert_eq(put(NULL, "x", NULL, 0), -EINVAL);
}

/* A delivery to ann with a mark, at @date_s; true: it had come before. */
static bool deliver_marked(const char *mark, uint64_t date_s)
{
	struct spool_new item = { .dest = STR("b.example"), .bytes = STR("x") };
	struct spool_op spool = { .add = &item,
				  .n_add = 1,
				  .mark = (const uint8_t *)mark };
	const struct str ann = STR("ann"), part = STR("text");
	struct waited_op w;

	waited_op_deliver(&w, &ann, &part);
	w.op.deliver.date_s = date_s;
	cr_assert_eq(submit_spool(&w, &spool), 0);
	return spool.came_before;
}

Case(spool, what_came_before_is_not_stored_again)
{
	cr_assert(!deliver_marked("0123456789abcdef", 1000));
	cr_assert(deliver_marked("0123456789abcdef", 1001));
	cr_assert(!deliver_marked("0123456789abcdeF", 1002));
	test_store_reopen(&t);
	cr_assert(deliver_marked("0123456789abcdef", 1000 + SPOOL_MARK_KEEP_S - 1));
	cr_assert_eq(box_info(&t, "ann").n_messages, 2);
	cr_assert_eq(count(), 2);
	cr_assert(!deliver_marked("0123456789abcdef", 1000 + SPOOL_MARK_KEEP_S));
	cr_assert_eq(test_store_faults(&t), 0);
}

Case(spool, old_marks_go)
{
	char mark[SPOOL_MARK_LEN + 1];

	for (int i = 0; i < 20; i++) {
		snprintf(mark, sizeof(mark), "%016d", i);
		cr_assert(!deliver_marked(mark, 1000));
	}
	cr_assert_eq(count_records(&t, ENGINE_MARK), 20);
	for (int i = 20; i < 40; i++) {
		snprintf(mark, sizeof(mark), "%016d", i);
		cr_assert(!deliver_marked(mark, 1000 + SPOOL_MARK_KEEP_S));
	}
	cr_assert_eq(count_records(&t, ENGINE_MARK), 20);
	cr_assert_eq(count_records(&t, ENGINE_MARK_AGE), 20);
	cr_assert_eq(test_store_faults(&t), 0);
}

/* Faults that store_check() must find. */
static void plant(void (*spoil)(struct engine_txn *txn))
{
	struct engine *engine = t.store->engine;
	struct engine_txn *txn;

	cr_assert_eq(engine->ops->begin(engine, true, &txn), 0);
	spoil(txn);
	cr_assert_eq(engine->ops->commit(txn), 0);
}

static void del_due(struct engine_txn *txn)
{
	char key[RECORD_DUE_MAX];

	engine_del(txn, ENGINE_DUE,
		   (struct str){ key, record_emit_due(key, STR("b.example"), 5, 2) });
}

static void del_ready(struct engine_txn *txn)
{
	char key[RECORD_READY_MAX];

	engine_del(txn, ENGINE_READY,
		   (struct str){ key, record_emit_ready(key, STR("b.example"), 5) });
}

static void add_ready(struct engine_txn *txn)
{
	char key[RECORD_READY_MAX];

	engine_put(txn, ENGINE_READY,
		   (struct str){ key, record_emit_ready(key, STR("c.example"), 5) },
		   STR(""));
}

static void del_dest(struct engine_txn *txn)
{
	engine_del(txn, ENGINE_DEST, STR("b.example"));
}

static void del_item(struct engine_txn *txn)
{
	char key[RECORD_ITEM_KEY_LEN];

	record_emit_msg_key(key, 2);
	engine_del(txn, ENGINE_ITEM, RECORD_STR(key));
}

static void del_text(struct engine_txn *txn)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, 1);
	engine_del(txn, ENGINE_MSG, RECORD_STR(key));
}

TestSuite(spool_faults);

Test(spool_faults, are_found)
{
	static void (*const faults[])(struct engine_txn *) = { del_due,	  del_ready,
							       add_ready, del_dest,
							       del_item,  del_text };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		setup();
		cr_assert_eq(put_one("b.example", 5), 2);
		cr_assert_eq(test_store_faults(&t), 0);
		plant(faults[i]);
		cr_assert_gt(test_store_faults(&t), 0, "case %zu", i);
		test_store_close(&t);
		remove_folder(t.dir);
	}
}
