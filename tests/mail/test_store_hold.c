#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/rng.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

enum { BIG = 50000 };

static struct test_store t;
static char big[BIG];

static void setup(void)
{
	test_store_init(&t, NULL, 64 << 20);
	for (int i = 0; i < BIG; i++)
		big[i] = (char)(i * 31 + i / 256);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_hold, setup, clean);

static struct store_msg first_of(const char *user)
{
	struct store_msg *msgs, first;
	size_t n;

	msgs = box_list(&t, user, &n);
	cr_assert_gt(n, 0);
	first = msgs[0];
	free(msgs);
	return first;
}

static struct store_hold *hold(const struct store_msg *msg)
{
	struct store_hold *h;

	cr_assert_eq(store_hold(t.store, msg, &h), 0);
	return h;
}

/* Writes and deletes what would lie in every page that is free. */
static void churn(void)
{
	uint32_t uid = box_info(&t, "churn").uid_next;

	for (int i = 0; i < 50; i++, uid++) {
		cr_assert_eq(deliver_bytes(&t, "churn", (struct str){ big + 1, BIG - 1 }),
			     0);
		cr_assert_eq(expunge(&t, "churn", &uid, 1), 0);
	}
}

Case(store_hold, bytes_stay_after_the_message_was_expunged)
{
	static const struct str users[] = { { "ann", 3 } },
				heads[] = { { "To: a\r\n", 7 } };
	struct str part = { big, BIG };
	struct store_hold *large, *small;
	struct store_msg msg;
	uint32_t uid = 1;

	cr_assert_eq(deliver_bytes(&t, "ann", part), 0);
	msg = first_of("ann");
	large = hold(&msg);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	cr_assert_eq(deliver_many(&t, users, heads, 1, "small", NULL), 0);
	msg = first_of("ann");
	small = hold(&msg);
	uid = msg.uid;
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	churn();
	cr_assert(str_eq(large->pieces[1], part));
	cr_assert_eq(large->pieces[0].len, 0);
	cr_assert(str_eq(small->pieces[0], heads[0]));
	cr_assert(str_eq(small->pieces[1], STR("small")));
	store_release(t.store, large);
	store_release(t.store, small);
}

Case(store_hold, large_message_is_checked_in_parts)
{
	struct store_hold *h;
	struct store_msg msg;

	cr_assert_eq(deliver_bytes(&t, "ann", (struct str){ big, BIG }), 0);
	msg = first_of("ann");
	cr_assert_eq(store_hold_unread(t.store, &msg, &h), 0);
	for (int i = 0; i < BIG / 1000 - 1; i++)
		cr_assert_eq(store_hold_check(h, 1000), 0);
	cr_assert_eq(store_hold_check(h, 1000), 1);
	cr_assert_eq(store_hold_check(h, 1000), 1);
	cr_assert_eq(h->pieces[1].len, BIG);
	store_release(t.store, h);
}

Case(store_hold, expunged_message_is_removed_after_its_last_release)
{
	struct store_hold *one, *two;
	struct store_msg msg;
	uint32_t uid = 1;

	deliver_bytes(&t, "ann", (struct str){ big, BIG });
	msg = first_of("ann");
	one = hold(&msg);
	two = hold(&msg);
	expunge(&t, "ann", &uid, 1);
	deliver(&t, "bob", "a transaction");
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 1);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 2);
	store_release(t.store, one);
	deliver(&t, "bob", "a transaction");
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 1);
	cr_assert_eq(test_store_faults(&t), 0);
	store_release(t.store, two);
	deliver(&t, "bob", "a transaction");
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 0);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 3);
}

Case(store_hold, expunged_message_cannot_be_held)
{
	struct store_hold *h, *held;
	struct store_msg msg;
	uint32_t uid = 1;

	deliver(&t, "ann", "text");
	msg = first_of("ann");
	held = hold(&msg);
	expunge(&t, "ann", &uid, 1);
	cr_assert_eq(store_hold(t.store, &msg, &h), -ENOENT);
	store_release(t.store, held);
	cr_assert_eq(store_hold(t.store, &msg, &h), -ENOENT);
}

Case(store_hold, costs_the_file_nothing_while_others_come_and_go)
{
	struct store_hold *h;
	struct store_msg msg;
	char path[STORE_LIB_PATH_LEN];
	struct stat before, after;

	test_store_path(&t, path);
	deliver_bytes(&t, "ann", (struct str){ big, BIG });
	msg = first_of("ann");
	h = hold(&msg);
	churn();
	stat(path, &before);
	churn();
	churn();
	stat(path, &after);
	cr_assert_eq(before.st_size, after.st_size);
	store_release(t.store, h);
}

Case(store_hold, dead_messages_of_a_killed_process_are_removed)
{
	struct str part = STR("dead");
	char key[RECORD_MSG_KEY_LEN];
	struct engine_txn *txn;
	struct engine *engine;

	deliver(&t, "ann", "alive");
	engine = t.store->engine;
	/* As if killed between the death of message 2 and its removal. */
	cr_assert_eq(engine->ops->begin(engine, true, &txn), 0);
	cr_assert_eq(message_put(txn, 2, &part, 1, 1), 0);
	record_emit_msg_key(key, 2);
	cr_assert_eq(engine_put(txn, ENGINE_DEAD, RECORD_STR(key), (struct str){ 0 }), 0);
	cr_assert_eq(engine->ops->commit(txn), 0);
	test_store_reopen(&t);
	set_flags(&t, "ann", 1, 0, STORE_SEEN);
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 0);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 1);
}

Case(store_hold, many_deaths_are_removed_in_portions)
{
	enum { N = 3000 };
	static struct waited_op ops[N];
	static uint32_t uids[N];
	struct str user = STR("ann"), part = STR("x");

	for (uint32_t i = 0; i < N; i++) {
		waited_op_deliver(&ops[i], &user, &part);
		waited_op_submit(&t, &ops[i]);
		uids[i] = i + 1;
	}
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(waited_op_wait(&ops[i]), 0);
	cr_assert_eq(expunge(&t, "ann", uids, N), 0);
	/* Each transaction goes on with the rest, whether anything else waits or not. */
	while (count_records(&t, ENGINE_DEAD) > 0)
		cr_assert_eq(deliver(&t, "bob", "y"), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 0);
}

/* The engine, with a hold taken right before each commit, as late as one can come. */
static struct {
	struct engine_ops ops;
	const struct engine_ops *real;
	struct store_msg msg;
	struct store_hold *hold;
} late;

static void *hold_late(void *arg)
{
	(void)arg;
	if (!late.hold)
		(void)store_hold(t.store, &late.msg, &late.hold);
	return NULL;
}

static int commit_behind_a_hold(struct engine_txn *txn)
{
	pthread_t thread;

	pthread_create(&thread, NULL, hold_late, NULL);
	pthread_join(thread, NULL);
	return late.real->commit(txn);
}

Case(store_hold, taken_before_the_commit_that_expunges_stays)
{
	static const uint32_t uid = 1;
	struct str part = { big, BIG };
	struct waited_op expunge = { .op = { .kind = STORE_EXPUNGE } };
	struct gate gate;

	expunge.op.expunge.user = STR("ann");
	expunge.op.expunge.mailbox = STR("INBOX");
	expunge.op.expunge.uids = &uid;
	expunge.op.expunge.n_uids = 1;
	cr_assert_eq(deliver_bytes(&t, "ann", part), 0);
	late.msg = first_of("ann");
	late.real = t.store->engine->ops;
	late.ops = *late.real;
	late.ops.commit = commit_behind_a_hold;
	gate_close(&gate, &t);
	t.store->engine->ops = &late.ops;
	/* One transaction does both: dead messages are swept where others die. */
	store_sweep_wake(t.store);
	waited_op_submit(&t, &expunge);
	gate_open(&gate);
	cr_assert_eq(waited_op_wait(&expunge), 0);
	cr_assert_not_null(late.hold);
	churn();
	cr_assert(str_eq(late.hold->pieces[1], part));
	store_release(t.store, late.hold);
	late.hold = NULL;
	gate_close(&gate, &t);
	t.store->engine->ops = late.real;
	gate_open(&gate);
}

enum { N_READERS = 3, N_ROUNDS = 150, N_HELD = 8 };

struct reader {
	pthread_t thread;
	uint64_t seed, n_bad;
	atomic_bool *stop;
};

/* Messages of this test are one letter, many times. */
static bool is_one_letter(struct str s)
{
	for (size_t i = 1; i < s.len; i++)
		if (s.p[i] != s.p[0])
			return false;
	return s.len > 0;
}

static void let_go(struct reader *r, struct store_hold **h)
{
	if (*h) {
		r->n_bad += !is_one_letter((*h)->pieces[1]);
		store_release(t.store, *h);
	}
	*h = NULL;
}

static void *hold_some(void *arg)
{
	struct store_hold *held[N_HELD] = { NULL };
	struct reader *r = arg;
	struct rng rng;

	rng_init(&rng, r->seed);
	while (!atomic_load(r->stop)) {
		struct store_hold **h = &held[rng_below(&rng, N_HELD)];
		struct store_msg *msgs;
		size_t n;

		let_go(r, h);
		msgs = box_list(&t, "ann", &n);
		if (n > 0)
			(void)store_hold(t.store, &msgs[rng_below(&rng, (uint32_t)n)], h);
		free(msgs);
	}
	for (int i = 0; i < N_HELD; i++)
		let_go(r, &held[i]);
	return NULL;
}

Case(store_hold, threads_hold_what_others_expunge)
{
	struct reader readers[N_READERS] = { 0 };
	atomic_bool stop = false;

	for (uint64_t i = 0; i < N_READERS; i++) {
		readers[i].seed = i + 1;
		readers[i].stop = &stop;
		pthread_create(&readers[i].thread, NULL, hold_some, &readers[i]);
	}
	for (uint32_t uid = 1; uid <= N_ROUNDS; uid++) {
		uint32_t old = uid - 10;

		memset(big, 'a' + (int)uid % 26, BIG);
		cr_assert_eq(deliver_bytes(&t, "ann",
					   (struct str){ big, uid % 5 ? 9000 : BIG }),
			     0);
		if (uid > 10)
			cr_assert_eq(expunge(&t, "ann", &old, 1), 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < N_READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		cr_assert_eq(readers[i].n_bad, 0);
	}
	deliver(&t, "bob", "a transaction");
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 0);
}
