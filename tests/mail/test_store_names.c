#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/mail/store/store_box.h"
#include "apps/mail/store/store_impl.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

static struct test_store t;

static void setup(void)
{
	test_store_init(&t, NULL, 16 << 20);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_names, setup, clean);

#define EXPECT_NAMES(text) cr_assert_str_eq(box_names(&t, "ann"), text)

Case(store_names, creating_makes_the_levels_above)
{
	EXPECT_NAMES("INBOX=-");
	cr_assert_eq(create(&t, "ann", "b/c/d"), 0);
	EXPECT_NAMES("INBOX=- b=0 b/c=0 b/c/d=0");
	cr_assert_eq(create(&t, "ann", "b/c"), -EEXIST);
	cr_assert_eq(create(&t, "ann", "A"), 0);
	EXPECT_NAMES("A=0 INBOX=- b=0 b/c=0 b/c/d=0");
	cr_assert_eq(create(&t, "ann", "INBOX/x"), 0);
	EXPECT_NAMES("A=0 INBOX=0 INBOX/x=0 b=0 b/c=0 b/c/d=0");
	cr_assert_str_eq(box_names(&t, "bob"), "INBOX=-");
	cr_assert_str_eq(box_names(&t, "an"), "INBOX=-");
}

Case(store_names, names_that_are_none_are_refused)
{
	static const char *const none[] = { "", "/", "/a", "a/", "a//b" };
	char name[STORE_MAILBOX_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		cr_assert_eq(create(&t, "ann", none[i]), -EINVAL, "%s", none[i]);
	memset(name, 'm', sizeof(name));
	name[STORE_MAILBOX_NAME_MAX + 1] = '\0';
	cr_assert_eq(create(&t, "ann", name), -EINVAL);
	name[STORE_MAILBOX_NAME_MAX] = '\0';
	cr_assert_eq(create(&t, "ann", name), 0);
	cr_assert_eq(delete (&t, "ann", name), 0);
}

Case(store_names, a_mailbox_says_what_it_is_for)
{
	struct store_op op = { .kind = STORE_CREATE,
			       .create = { STR("ann"), STR("Sent"), STORE_USE_SENT } };

	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_eq(box_of(&t, box_number(&t, "ann", "Sent")).uses, STORE_USE_SENT);
}

Case(store_names, uidvalidity_is_never_given_again)
{
	uint32_t first;

	cr_assert_eq(create(&t, "ann", "a"), 0);
	first = box_of(&t, box_number(&t, "ann", "a")).uid_validity;
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	test_store_reopen(&t);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	cr_assert_gt(box_of(&t, box_number(&t, "ann", "a")).uid_validity, first);
}

Case(store_names, deleting_keeps_the_name_above_others)
{
	cr_assert_eq(create(&t, "ann", "a/b"), 0);
	cr_assert_eq(append(&t, "ann", "a", "one", 0), 0);
	cr_assert_eq(append(&t, "ann", "a/b", "two", 0), 0);
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	EXPECT_NAMES("INBOX=- a=- a/b=1");
	cr_assert_eq(delete (&t, "ann", "a"), -ENOTEMPTY);
	cr_assert_eq(append(&t, "ann", "a", "one", 0), -ENOENT);
	cr_assert_eq(delete (&t, "ann", "a/b"), 0);
	EXPECT_NAMES("INBOX=- a=-");
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	EXPECT_NAMES("INBOX=-");
	cr_assert_eq(delete (&t, "ann", "a"), -ENOENT);
	cr_assert_eq(delete (&t, "ann", "INBOX"), -EPERM);
}

Case(store_names, a_name_without_mailbox_becomes_one)
{
	uint32_t box;

	cr_assert_eq(create(&t, "ann", "a/b"), 0);
	box = box_number(&t, "ann", "a");
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	EXPECT_NAMES("INBOX=- a=0 a/b=0");
	cr_assert_neq(box_number(&t, "ann", "a"), box);
}

Case(store_names, deleting_leaves_nothing_behind)
{
	const struct store_keywords k = { .names = { STR("$Label") }, .n = 1 };
	const uint32_t uids[] = { 1, 2, 3 };
	struct store_op op = { .kind = STORE_FLAGS };

	for (int i = 0; i < 3; i++)
		cr_assert_eq(append(&t, "ann", "INBOX", "text", 0), 0);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	op.flags = (struct store_flags){ .box = box_number(&t, "ann", "INBOX"),
					 .uids = uids,
					 .n_uids = 3,
					 .learn = &k };
	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_eq(rename_box(&t, "ann", "INBOX", "old"), 0);
	cr_assert_eq(count_records(&t, ENGINE_VANISHED), 1);
	cr_assert_eq(delete (&t, "ann", "old"), 0);
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	test_store_reopen(&t);
	cr_assert_eq(deliver(&t, "bob", "after the sweep"), 0);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 1);
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 0);
}

Case(store_names, renaming_takes_what_is_below_along)
{
	uint32_t box;

	cr_assert_eq(create(&t, "ann", "a/b/c"), 0);
	cr_assert_eq(create(&t, "ann", "a b"), 0);
	cr_assert_eq(create(&t, "ann", "ab"), 0);
	cr_assert_eq(append(&t, "ann", "a/b/c", "text", 0), 0);
	box = box_number(&t, "ann", "a/b/c");
	cr_assert_eq(rename_box(&t, "ann", "a", "x/y"), 0);
	EXPECT_NAMES("INBOX=- a b=0 ab=0 x=0 x/y=0 x/y/b=0 x/y/b/c=1");
	cr_assert_eq(box_number(&t, "ann", "x/y/b/c"), box);
	cr_assert_eq(rename_box(&t, "ann", "x/y", "ab/z"), 0);
	EXPECT_NAMES("INBOX=- a b=0 ab=0 ab/z=0 ab/z/b=0 ab/z/b/c=1 x=0");
}

Case(store_names, renaming_has_rules)
{
	cr_assert_eq(create(&t, "ann", "a/b"), 0);
	cr_assert_eq(create(&t, "ann", "c/d"), 0);
	cr_assert_eq(delete (&t, "ann", "c"), 0);
	cr_assert_eq(rename_box(&t, "ann", "a", "c"), -EEXIST);
	cr_assert_eq(rename_box(&t, "ann", "a", "a"), -EEXIST);
	cr_assert_eq(rename_box(&t, "ann", "a", "INBOX"), -EEXIST);
	cr_assert_eq(rename_box(&t, "ann", "a", "a/x"), -EINVAL);
	cr_assert_eq(rename_box(&t, "ann", "a", "x//y"), -EINVAL);
	cr_assert_eq(rename_box(&t, "ann", "none", "x"), -ENOENT);
	EXPECT_NAMES("INBOX=- a=0 a/b=0 c=- c/d=0");
	cr_assert_eq(rename_box(&t, "ann", "c", "e"), 0);
	EXPECT_NAMES("INBOX=- a=0 a/b=0 e=- e/d=0");
}

Case(store_names, renaming_refuses_names_that_become_too_long)
{
	char name[STORE_MAILBOX_NAME_MAX + 1];

	memset(name, 'n', STORE_MAILBOX_NAME_MAX);
	memcpy(name, "a/", 2);
	name[STORE_MAILBOX_NAME_MAX] = '\0';
	cr_assert_eq(create(&t, "ann", name), 0);
	cr_assert_eq(rename_box(&t, "ann", "a", "bb"), -EINVAL);
	cr_assert_eq(box_number(&t, "ann", "bb"), 0);
	cr_assert_eq(rename_box(&t, "ann", "a", "b"), 0);
}

Case(store_names, renaming_inbox_moves_its_messages)
{
	struct store_box_info before;

	cr_assert_eq(create(&t, "ann", "INBOX/x"), 0);
	cr_assert_eq(append(&t, "ann", "INBOX", "one", STORE_SEEN), 0);
	cr_assert_eq(append(&t, "ann", "INBOX", "two", 0), 0);
	before = box_info(&t, "ann");
	cr_assert_eq(rename_box(&t, "ann", "INBOX", "old/mail"), 0);
	EXPECT_NAMES("INBOX=0 INBOX/x=0 old=0 old/mail=2");
	cr_assert_eq(box_info(&t, "ann").uid_validity, before.uid_validity);
	cr_assert_eq(box_info(&t, "ann").uid_next, 3);
	cr_assert_eq(box_of(&t, box_number(&t, "ann", "old/mail")).n_unseen, 1);
	cr_assert_eq(append(&t, "ann", "INBOX", "three", 0), 0);
	cr_assert(message_reads(&t, "ann", 0, "three"));
	cr_assert_eq(rename_box(&t, "bob", "INBOX", "empty"), 0);
	cr_assert_str_eq(box_names(&t, "bob"), "INBOX=0 empty=0");
}

Case(store_names, a_user_has_so_many_mailboxes)
{
	char name[32];

	for (int i = 0; i < STORE_MAILBOXES_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		cr_assert_eq(create(&t, "ann", name), 0);
	}
	cr_assert_eq(create(&t, "ann", "more"), -EDQUOT);
	cr_assert_eq(rename_box(&t, "ann", "m1", "more"), -EDQUOT);
	cr_assert_eq(deliver(&t, "bob", "text"), 0);
	cr_assert_eq(create(&t, "bob", "more"), 0);
	cr_assert_eq(delete (&t, "ann", "m7"), 0);
	cr_assert_eq(create(&t, "ann", "a/b"), -EDQUOT);
	cr_assert_eq(rename_box(&t, "ann", "m1", "more"), 0);
	cr_assert_eq(create(&t, "ann", "a"), 0);
}

static bool add_subscription(void *arg, struct str name)
{
	char *text = arg;

	strcat(text, *text ? " " : "");
	strncat(text, name.p, name.len);
	return true;
}

static const char *subscriptions(const char *user)
{
	static char text[4096];
	struct store_read *read;

	text[0] = '\0';
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_each_subscription(read, str_of(user), add_subscription, text),
		     0);
	store_read_end(read);
	return text;
}

Case(store_names, subscriptions_outlive_mailboxes)
{
	cr_assert_eq(create(&t, "ann", "a"), 0);
	cr_assert_eq(subscribe(&t, "ann", "a", false), 0);
	cr_assert_eq(subscribe(&t, "ann", "a", false), 0);
	cr_assert_eq(subscribe(&t, "ann", "nowhere/yet", false), 0);
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	cr_assert_str_eq(subscriptions("ann"), "a nowhere/yet");
	cr_assert_str_eq(subscriptions("bob"), "");
	cr_assert_eq(subscribe(&t, "ann", "a", true), 0);
	cr_assert_eq(subscribe(&t, "ann", "a", true), -ENOENT);
	cr_assert_eq(subscribe(&t, "ann", "a//b", false), -EINVAL);
	test_store_reopen(&t);
	cr_assert_str_eq(subscriptions("ann"), "nowhere/yet");
}

Case(store_names, a_user_has_so_many_subscriptions)
{
	char name[32];

	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		cr_assert_eq(subscribe(&t, "ann", name, false), 0);
	}
	cr_assert_eq(subscribe(&t, "ann", "more", false), -EDQUOT);
	cr_assert_eq(subscribe(&t, "ann", "m3", false), 0);
	cr_assert_eq(subscribe(&t, "ann", "m3", true), 0);
	cr_assert_eq(subscribe(&t, "ann", "more", false), 0);
}

/* The store as a version without IMAP left it: its first format, and fewer tables. */
static void make_old(void)
{
	static const char state[RECORD_STATE_LEN] = {
		1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 15, 66, 65,
	};
	static const char box[40] = {
		1, 0, 0, 0, 0, 15, 66, 65, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1,
		0, 0, 0, 0, 0, 0,  0,  0,  0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4,
	};
	struct engine *engine = t.store->engine;
	char key[RECORD_BOX_KEY_LEN];
	struct engine_txn *txn;

	record_emit_box_key(key, 1, RECORD_UID_BOX);
	cr_assert_eq(engine->ops->begin(engine, true, &txn), 0);
	cr_assert_eq(engine_put(txn, ENGINE_STATE, STR("state"), RECORD_STR(state)), 0);
	cr_assert_eq(engine_put(txn, ENGINE_BOX, RECORD_STR(key), RECORD_STR(box)), 0);
	cr_assert_eq(engine->ops->commit(txn), 0);
}

Case(store_names, stores_without_imap_are_opened_and_go_on)
{
	struct engine_txn *txn;
	struct str value;

	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	make_old();
	test_store_reopen(&t);
	cr_assert_eq(t.store->engine->ops->begin(t.store->engine, false, &txn), 0);
	cr_assert_eq(engine_get(txn, ENGINE_STATE, STR("state"), &value), 0);
	cr_assert_eq(value.p[0], 2);
	t.store->engine->ops->abort(txn);
	cr_assert_eq(box_info(&t, "ann").uid_validity, STORE_LIB_NOW_S + 1);
	cr_assert_eq(test_store_faults(&t), 0);
	cr_assert_eq(rename_box(&t, "ann", "INBOX", "old"), 0);
	cr_assert_eq(deliver(&t, "ann", "more"), 0);
	EXPECT_NAMES("INBOX=1 old=1");
}
