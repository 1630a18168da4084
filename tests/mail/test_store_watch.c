#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "apps/mail/store/store_box.h"
#include "apps/mail/store/watch.h"
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
	test_store_fini(&t);
}

Cases(store_watch, setup, clean);

struct counter {
	struct store_watch watch;
	_Atomic unsigned n;
};

static void count(struct store_watch *watch)
{
	container_of(watch, struct counter, watch)->n++;
}

static void watch(struct counter *c, uint32_t box)
{
	c->n = 0;
	c->watch.changed = count;
	watch_add(t.store, &c->watch, box);
}

Case(store_watch, tells_of_each_change_before_it_is_answered)
{
	struct counter inbox, other;
	const uint32_t uid = 1;

	cr_assert_eq(create(&t, "ann", "INBOX"), 0);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	watch(&inbox, box_number(&t, "ann", "INBOX"));
	watch(&other, box_number(&t, "ann", "a"));
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	cr_assert_eq(inbox.n, 1);
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN), 0);
	cr_assert_eq(inbox.n, 2);
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN), 0);
	cr_assert_eq(inbox.n, 2);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	cr_assert_eq(inbox.n, 3);
	cr_assert_eq(deliver(&t, "bob", "text"), 0);
	cr_assert_eq(inbox.n, 3);
	cr_assert_eq(other.n, 0);
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	cr_assert_eq(other.n, 1);
	watch_remove(t.store, &inbox.watch);
	watch_remove(t.store, &other.watch);
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	cr_assert_eq(inbox.n, 3);
}

Case(store_watch, many_watch_one_mailbox)
{
	static struct counter many[100];

	cr_assert_eq(create(&t, "ann", "INBOX"), 0);
	for (int i = 0; i < 100; i++)
		watch(&many[i], box_number(&t, "ann", "INBOX"));
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(many[i].n, 1);
		watch_remove(t.store, &many[i].watch);
	}
}

static struct store_claim claim(uint32_t box, uint32_t uid_next)
{
	struct store_op op = { .kind = STORE_CLAIM,
			       .claim = { .box = box, .uid_next = uid_next } };

	cr_assert_eq(run_op(&t, &op), 0);
	return op.claim;
}

Case(store_watch, what_is_recent_is_told_to_one)
{
	uint64_t modseq;
	uint32_t box;

	cr_assert_eq(deliver(&t, "ann", "one"), 0);
	cr_assert_eq(deliver(&t, "ann", "two"), 0);
	box = box_number(&t, "ann", "INBOX");
	modseq = box_of(&t, box).modseq;
	cr_assert_eq(claim(box, 3).uid_recent, 1);
	cr_assert_eq(claim(box, 3).uid_recent, 3);
	cr_assert_eq(claim(box, 2).uid_recent, 3);
	cr_assert_eq(box_of(&t, box).modseq, modseq);
	test_store_reopen(&t);
	cr_assert_eq(deliver(&t, "ann", "three"), 0);
	cr_assert_eq(claim(box, 4).uid_recent, 3);
}

Case(store_watch, lazy_operations_go_with_the_next_that_is_not)
{
	struct waited_op lazy[2] = { 0 };
	struct store_stats stats;
	uint32_t box;

	cr_assert_eq(deliver(&t, "ann", "one"), 0);
	box = box_number(&t, "ann", "INBOX");
	for (int i = 0; i < 2; i++) {
		lazy[i].op.kind = STORE_CLAIM;
		lazy[i].op.lazy = true;
		lazy[i].op.claim = (struct store_claim){ .box = box, .uid_next = 2 };
		waited_op_submit(&t, &lazy[i]);
	}
	cr_assert_eq(deliver(&t, "ann", "two"), 0);
	cr_assert_eq(waited_op_wait(&lazy[0]), 0);
	cr_assert_eq(waited_op_wait(&lazy[1]), 0);
	cr_assert_eq(lazy[0].op.claim.uid_recent, 1);
	cr_assert_eq(lazy[1].op.claim.uid_recent, 2);
	store_stats(t.store, &stats);
	cr_assert_eq(stats.commits, 2);
}

Case(store_watch, lazy_operations_do_not_wait_for_ever)
{
	struct waited_op lazy = { .op = { .kind = STORE_CREATE,
					  .lazy = true,
					  .create = { STR("ann"), STR("a"), 0 } } };

	waited_op_submit(&t, &lazy);
	cr_assert_eq(waited_op_wait(&lazy), 0);
	lazy.op.create.mailbox = STR("b");
	waited_op_submit(&t, &lazy);
	test_store_reopen(&t); /* nor after the end */
	cr_assert_eq(waited_op_wait(&lazy), 0);
	cr_assert_str_eq(box_names(&t, "ann"), "INBOX=- a=0 b=0");
}

static struct str summary_of(struct store_read *read, uint64_t msg)
{
	struct str bytes = { 0 };
	int rc = store_msg_summary(read, msg, &bytes);

	cr_assert(rc == 0 || rc == -ENOENT);
	return bytes;
}

Case(store_watch, summaries_stay_as_long_as_their_message)
{
	static char big[STORE_SUMMARY_MAX + 1];
	const struct store_summary notes[] = {
		{ 1, STR("first") },
		{ 2, { big, sizeof(big) } },
		{ 7, STR("of no message") },
	};
	struct store_op op = { .kind = STORE_SUMMARY, .summarize = { notes, 3 } };
	const uint32_t uid = 1;
	struct store_read *read;

	cr_assert_eq(deliver(&t, "ann", "one"), 0);
	cr_assert_eq(deliver(&t, "ann", "two"), 0);
	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert(str_eq(summary_of(read, 1), STR("first")));
	cr_assert_eq(summary_of(read, 2).len, 0);
	cr_assert_eq(summary_of(read, 7).len, 0);
	store_read_end(read);
	cr_assert_eq(count_records(&t, ENGINE_SUMMARY), 1);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	test_store_reopen(&t);
	cr_assert_eq(deliver(&t, "ann", "after the sweep"), 0);
	cr_assert_eq(count_records(&t, ENGINE_SUMMARY), 0);
}
