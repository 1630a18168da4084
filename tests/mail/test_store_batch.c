/* The writer: what it commits together, in which order it answers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

enum { N_OPS = 20 };

static struct test_store t;
static struct gate gate;
static const struct str gate_user = { "gate", 4 }, gate_text = { "x", 1 };

static void setup(void)
{
	test_store_init(&t, NULL, 64 << 20);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_batch, setup, clean);

struct numbered_op {
	struct waited_op waited;
	unsigned number;
	unsigned *next; /* number of the answer that is due */
	bool in_order, visible;
	struct str user, part;
};

static void answer_numbered(struct store_op *op)
{
	struct waited_op *w = container_of(op, struct waited_op, op);
	struct numbered_op *n = container_of(w, struct numbered_op, waited);
	struct store_box_info info;
	struct store_read *read;

	n->in_order = (*n->next)++ == n->number;
	/* Committed before it is answered, and all of its batch with it. */
	n->visible = store_read_begin(t.store, &read) == 0;
	if (n->visible) {
		n->visible = store_box_info(read, n->user, STR("INBOX"), &info) == 0 &&
			     info.n_messages == N_OPS;
		store_read_end(read);
	}
	sem_post(&w->answered);
}

Case(store_batch, what_gathers_is_committed_together_and_answered_in_order)
{
	static struct numbered_op ops[N_OPS];
	struct store_stats before, after;
	unsigned next = 0;

	gate_close(&gate, &t);
	store_stats(t.store, &before);
	for (unsigned i = 0; i < N_OPS; i++) {
		struct numbered_op *n = &ops[i];

		*n = (struct numbered_op){ .number = i,
					   .next = &next,
					   .user = STR("ann"),
					   .part = STR("text") };
		n->waited.op = (struct store_op){
			.kind = STORE_DELIVER,
			.done = answer_numbered,
			.deliver = { .users = &n->user,
				     .n_users = 1,
				     .parts = &n->part,
				     .n_parts = 1 },
		};
		sem_init(&n->waited.answered, 0, 0);
		cr_assert(store_submit(t.store, &n->waited.op));
	}
	gate_open(&gate);
	for (unsigned i = 0; i < N_OPS; i++) {
		cr_assert_eq(waited_op_wait(&ops[i].waited), 0);
		cr_assert(ops[i].in_order);
		cr_assert(ops[i].visible);
	}
	store_stats(t.store, &after);
	cr_assert_eq(after.commits, before.commits + 1);
	cr_assert_eq(after.batch_max, N_OPS);
	cr_assert_eq(after.delivered, N_OPS + 1);
}

static void fill_queue(struct waited_op *ops, size_t n, const struct str *part)
{
	for (size_t i = 0; i < n; i++) {
		waited_op_deliver(&ops[i], &gate_user, part);
		waited_op_submit(&t, &ops[i]);
	}
}

Case(store_batch, full_queue_refuses_and_recovers)
{
	static struct waited_op ops[STORE_QUEUE_MAX];
	struct waited_op more = { .op.kind = STORE_DELIVER };
	struct store_stats stats;

	gate_close(&gate, &t);
	fill_queue(ops, STORE_QUEUE_MAX, &gate_text);
	cr_assert(!store_submit(t.store, &more.op));
	gate_open(&gate);
	for (size_t i = 0; i < STORE_QUEUE_MAX; i++)
		cr_assert_eq(waited_op_wait(&ops[i]), 0);
	store_stats(t.store, &stats);
	cr_assert_eq(stats.refused_full, 1);
	cr_assert_eq(stats.batch_max, STORE_TXN_OPS_MAX);
	cr_assert_eq(deliver(&t, "ann", "again"), 0);
}

Case(store_batch, transaction_is_bounded_in_bytes)
{
	static struct waited_op ops[6];
	struct store_stats before, after;
	size_t len = STORE_TXN_BYTES_MAX / 3;
	char *bytes = calloc(1, len);
	struct str part = { bytes, len };

	t.conf.map_len = 256 << 20;
	test_store_reopen(&t);
	gate_close(&gate, &t);
	store_stats(t.store, &before);
	fill_queue(ops, 6, &part);
	gate_open(&gate);
	for (size_t i = 0; i < 6; i++)
		cr_assert_eq(waited_op_wait(&ops[i]), 0);
	store_stats(t.store, &after);
	cr_assert_eq(after.commits, before.commits + 2);
	cr_assert_eq(after.batch_max, 3);
	free(bytes);
}

Case(store_batch, one_that_cannot_be_done_leaves_the_others_alone)
{
	static const struct str bad_user = { "", 0 };
	static struct waited_op ops[3];
	uint32_t uid = 1;

	gate_close(&gate, &t);
	fill_queue(ops, 1, &gate_text);
	ops[1] = (struct waited_op){
		.op.kind = STORE_DELIVER,
		.op.deliver = { .users = &bad_user,
				.n_users = 1,
				.parts = &gate_text,
				.n_parts = 1 },
	};
	waited_op_submit(&t, &ops[1]);
	ops[2] = (struct waited_op){
		.op.kind = STORE_EXPUNGE,
		.op.expunge = { .user = STR("gate"),
				.mailbox = STR("INBOX"),
				.uids = &uid,
				.n_uids = 1 },
	};
	waited_op_submit(&t, &ops[2]);
	gate_open(&gate);
	cr_assert_eq(waited_op_wait(&ops[0]), 0);
	cr_assert_eq(waited_op_wait(&ops[1]), -EINVAL);
	cr_assert_eq(waited_op_wait(&ops[2]), 0);
	cr_assert_eq(box_info(&t, "gate").n_messages, 1);
}

Case(store_batch, closing_commits_what_waits)
{
	static struct waited_op ops[N_OPS];

	gate_close(&gate, &t);
	fill_queue(ops, N_OPS, &gate_text);
	sem_post(&gate.opened);
	test_store_close(&t);
	for (size_t i = 0; i < N_OPS; i++)
		cr_assert_eq(waited_op_wait(&ops[i]), 0);
	test_store_open(&t);
	cr_assert_eq(box_info(&t, "gate").n_messages, N_OPS + 1);
}

enum { N_THREADS = 4, N_EACH = 200 };

static void *deliver_some(void *arg)
{
	for (int i = 0; i < N_EACH; i++)
		cr_assert_eq(deliver(&t, arg, "from a thread"), 0);
	return NULL;
}

Case(store_batch, many_threads_deliver_at_once)
{
	static char names[N_THREADS][8] = { "ann", "bob", "ann", "bob" };
	pthread_t threads[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&threads[i], NULL, deliver_some, names[i]);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(box_info(&t, "ann").n_messages, 2 * N_EACH);
	cr_assert_eq(box_info(&t, "bob").n_messages, 2 * N_EACH);
}
