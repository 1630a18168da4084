#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/pack.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/queue/queue_impl.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"
#include "tests/mail/store_lib.h"

enum { START_MS = 1700000000 };

/* A queue on a net in memory, whose wall clock is the net's, over a real store. */
static struct test_store t;
static struct net *net;
static struct queue *queue;
static unsigned n_work, n_refuse;

static size_t find(void *arg, struct str addr, const struct mail_to **to)
{
	static struct mail_to one;
	static const struct mail_to both[] = { { .user = { "ann", 3 } },
					       { .addr = { "x@c.example", 11 } } };
	struct str domain;

	(void)arg;
	(void)str_cut(addr, '@', &domain);
	*to = both;
	if (str_eq(addr, STR("both@a.example")))
		return 2;
	one = (struct mail_to){ .addr = addr };
	if (str_eq(addr, STR("ann@a.example")))
		one.user = STR("ann");
	*to = &one;
	return one.user.len > 0 || !str_eq(domain, STR("a.example"));
}

static bool submit(void *arg, struct store_op *op)
{
	(void)arg;
	if (n_refuse > 0) {
		n_refuse--;
		return false;
	}
	return store_submit(t.store, op);
}

static uint64_t wall_ms(void *arg)
{
	(void)arg;
	return START_MS + net_now_ns(net) / NS_PER_MS;
}

static void work(void *arg)
{
	(void)arg;
	n_work++;
}

static struct queue_conf conf;

static void new_queue(void)
{
	static const struct queue_ops ops = { find, submit, wall_ms, work };

	cr_assert_eq(queue_new(net, t.store, &conf, &ops, NULL, &queue), 0);
	mem_settle(net);
}

/* Another queue, with what was changed in @conf. */
static void renew_queue(void)
{
	queue_free(queue);
	new_queue();
}

static void setup(void)
{
	test_store_init(&t, NULL, 64 << 20);
	cr_assert_eq(net_mem_new(&net), 0);
	queue_conf_init(&conf);
	conf.host = "mx.a.example";
	new_queue();
}

/* Until all commits are answered. */
static void committed(void)
{
	do {
		mem_settle(net);
		sched_yield();
	} while (queue_busy(queue));
	mem_settle(net);
}

static void clean(void)
{
	committed();
	cr_assert_eq(queue_stats(queue)->dests_open, 0);
	cr_assert_eq(queue_stats(queue)->items_taken, 0);
	queue_free(queue);
	net_free(net);
	cr_assert_eq(test_store_faults(&t), 0);
	test_store_close(&t);
	test_store_fini(&t);
}

Cases(queue, setup, clean);

static void put(const char *from, const struct str *addrs, size_t n)
{
	struct pack_rcpt rcpts[ENVELOPE_RCPTS_MAX];
	const struct str none = STR(""), text = STR("Subject: hi\r\n\r\nText.\r\n");
	struct spool_op *op;
	struct waited_op w;
	size_t len;

	cr_assert_leq(n, ENVELOPE_RCPTS_MAX);
	for (size_t i = 0; i < n; i++)
		rcpts[i] = (struct pack_rcpt){ addrs[i], str_of(from) };
	cr_assert_eq(pack_items(&(struct pack){ .id = STR("id"),
						.rcpts = rcpts,
						.n_rcpts = n,
						.now_ms = wall_ms(NULL) },
				&op, &len),
		     0);
	waited_op_deliver(&w, &none, &text);
	w.op.deliver.n_users = 0;
	w.op.spool = op;
	waited_op_submit(&t, &w);
	cr_assert_eq(waited_op_wait(&w), 0);
	queue_spooled(queue, op);
	mem_settle(net);
	free(op);
}

static void put_one(const char *from, const char *rcpt)
{
	const struct str to = str_of(rcpt);

	put(from, &to, 1);
}

static uint64_t n_items(void)
{
	struct store_read *read;
	uint64_t n;

	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(spool_count(read, &n), 0);
	store_read_end(read);
	return n;
}

/* The next run, which must be for @dest. */
static struct queue_run *run_to(const char *dest)
{
	struct queue_run *run = queue_next(queue);

	cr_assert(run, "nothing to do for %s", dest);
	cr_assert(str_eq(queue_run_dest(run), str_of(dest)), "%.*s",
		  (int)queue_run_dest(run).len, queue_run_dest(run).p);
	return run;
}

static struct queue_item *item_of(struct queue_run *run)
{
	struct queue_item *item = queue_run_item(run);

	cr_assert(item);
	return item;
}

static const struct envelope_reply ok = { 250, { 2, 0, 0 }, { "Ok", 2 } },
				   no = { 550, { 5, 1, 1 }, { "No such user", 12 } },
				   later = { 451, { 4, 3, 0 }, { "Later", 5 } };

/* All recipients get the same word, and the run ends. */
static void finish(struct queue_run *run, struct queue_item *item,
		   enum queue_result result, const struct envelope_reply *reply)
{
	for (size_t i = 0; i < item->env.n_rcpts; i++)
		queue_item_rcpt(run, i, result, reply);
	queue_item_done(run, STR("mx.b.example"), &later);
	queue_run_end(run);
	committed();
}

static void try(const char *dest, enum queue_result result,
		const struct envelope_reply *reply)
{
	struct queue_run *run = run_to(dest);

	finish(run, item_of(run), result, reply);
}

/* Ann's newest message has @text in it. */
static bool ann_reads(const char *text)
{
	size_t n;
	struct store_msg *msgs = box_list(&t, "ann", &n);
	struct store_read *read;
	struct str pieces[2];
	bool found = false;

	cr_assert_eq(store_read_begin(t.store, &read), 0);
	if (n > 0 && store_msg_bytes(read, &msgs[n - 1], pieces) == 0)
		found = memmem(pieces[1].p, pieces[1].len, text, strlen(text));
	store_read_end(read);
	free(msgs);
	return found;
}

static uint32_t n_ann(void)
{
	return box_info(&t, "ann").n_messages;
}

static void pass(uint64_t s)
{
	mem_advance(net, s * NS_PER_S);
	committed();
}

Case(queue, what_was_sent_is_gone)
{
	struct queue_run *run;
	struct queue_item *item;

	put_one("ann@a.example", "bob@b.example");
	cr_assert_gt(n_work, 0);
	run = run_to("b.example");
	item = item_of(run);
	cr_assert(str_eq(item->message, STR("Subject: hi\r\n\r\nText.\r\n")));
	cr_assert(str_eq(item->env.from, STR("ann@a.example")));
	cr_assert(str_eq(item->env.rcpts[0].addr, STR("bob@b.example")));
	finish(run, item, QUEUE_SENT, &ok);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(n_ann(), 0);
	cr_assert_eq(queue_stats(queue)->sent, 1);
	cr_assert_null(queue_next(queue));
}

Case(queue, nobody_takes_an_item_that_is_taken)
{
	struct queue_run *run;
	struct queue_item *item;

	put_one("ann@a.example", "bob@b.example");
	run = run_to("b.example");
	item = item_of(run);
	cr_assert_null(queue_next(queue));
	finish(run, item, QUEUE_SENT, &ok);
}

Case(queue, a_refusal_bounces_to_a_sender_here_and_the_rest_stays)
{
	const struct str rcpts[] = { STR("jones@b.example"), STR("green@b.example"),
				     STR("brown@b.example") };
	struct queue_run *run;

	put("ann@a.example", rcpts, 3);
	run = run_to("b.example");
	item_of(run);
	queue_item_rcpt(run, 0, QUEUE_SENT, &ok);
	queue_item_rcpt(run, 1, QUEUE_FAILED, &no);
	queue_item_done(run, STR("mx.b.example"), &later);
	queue_run_end(run);
	committed();
	cr_assert_eq(n_items(), 1);
	cr_assert_eq(n_ann(), 1);
	cr_assert(
		ann_reads("Final-Recipient: rfc822; green@b.example\r\nAction: failed\r\n"
			  "Status: 5.1.1\r\nRemote-MTA: dns; mx.b.example\r\n"));
	cr_assert(!ann_reads("Final-Recipient: rfc822; jones"));
	cr_assert(!ann_reads("Final-Recipient: rfc822; brown"));
	pass(400);
	run = run_to("b.example");
	cr_assert_eq(item_of(run)->env.n_rcpts, 1);
	queue_run_end(run);
	cr_assert_eq(queue_stats(queue)->bounces, 1);
	cr_assert_eq(queue_remove(queue, 3), -ENOENT);
}

Case(queue, a_bounce_never_bounces)
{
	put_one("", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(queue_stats(queue)->bounces, 0);
	cr_assert_eq(queue_stats(queue)->no_bounce, 1);
}

Case(queue, a_sender_of_ours_who_is_nobody_gets_no_bounce)
{
	put_one("ghost@a.example", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(queue_stats(queue)->no_bounce, 1);
}

/* Puts @dest off for long. */
static void put_off(const char *rcpt, const char *dest)
{
	struct queue_run *run;

	put_one("ann@a.example", rcpt);
	run = run_to(dest);
	queue_run_fail(run, QUEUE_LATER, STR("mx"), &later);
	queue_run_end(run);
	committed();
	cr_assert_null(queue_next(queue));
}

Case(queue, who_calls_for_its_mail_gets_it_at_once)
{
	struct queue_run *run;
	uint64_t n;

	put_off("x@b.example", "b.example");
	put_off("x@c.example", "c.example");
	cr_assert_eq(queue_call(queue, STR("d.example"), true, &n), 0);
	cr_assert_eq(n, 0);
	cr_assert_eq(queue_call(queue, STR("B.Example"), false, &n), 0);
	cr_assert_eq(n, 1);
	committed();
	run = run_to("b.example");
	cr_assert_null(queue_next(queue));
	item_of(run);
	queue_run_end(run);
}

Case(queue, a_call_for_all_below_a_domain_starts_them)
{
	struct queue_run *one, *two;
	uint64_t n;

	put_off("x@one.b.example", "one.b.example");
	put_off("x@b.example", "b.example");
	put_off("x@ab.example", "ab.example");
	cr_assert_eq(queue_call(queue, STR("b.example"), true, &n), 0);
	cr_assert_eq(n, 2);
	committed();
	one = queue_next(queue);
	two = queue_next(queue);
	cr_assert(one && two);
	cr_assert_null(queue_next(queue));
	queue_run_end(one);
	queue_run_end(two);
}

Case(queue, a_call_for_no_domain_is_refused)
{
	uint64_t n;

	cr_assert_eq(queue_call(queue, STR(""), false, &n), -ENOENT);
	cr_assert_eq(queue_call(queue, (struct str){ "a\0b", 3 }, false, &n), -ENOENT);
}

/* Somebody takes what waits for @dest. */
static struct queue_run *call(const char *dest)
{
	struct queue_run *run = NULL;

	pass(1);
	cr_assert_eq(queue_run_called(queue, str_of(dest), &run), 0, "%s", dest);
	return run;
}

Case(queue, who_takes_its_mail_himself_has_it_before_it_is_due)
{
	struct queue_run *run;

	put_off("x@b.example", "b.example");
	put_one("ann@a.example", "y@b.example");
	put_off("x@c.example", "c.example");
	run = call("B.example");
	cr_assert_str_eq(queue_run_dest(run).p, "b.example");
	for (int i = 0; i < 2; i++) {
		item_of(run);
		queue_item_rcpt(run, 0, QUEUE_SENT, &ok);
		queue_item_done(run, STR("mx"), &later);
	}
	cr_assert_null(queue_run_item(run));
	queue_run_end(run);
	committed();
	cr_assert_eq(n_items(), 1, "what is for others");
	cr_assert_eq(queue_run_called(queue, STR("b.example"), &run), -ENOENT);
}

Case(queue, nobody_else_begins_where_somebody_has_called)
{
	struct queue_run *run;

	put_one("ann@a.example", "x@b.example");
	put_one("ann@a.example", "y@b.example");
	run = call("b.example");
	cr_assert_null(queue_next(queue));
	queue_run_end(run);
	queue_run_end(run_to("b.example"));
}

Case(queue, who_takes_its_mail_himself_has_each_item_once)
{
	struct queue_run *run;

	put_off("x@b.example", "b.example");
	put_one("ann@a.example", "y@b.example");
	run = call("b.example");
	for (int i = 0; i < 2; i++) {
		item_of(run);
		queue_item_done(run, STR("mx"), &later);
		committed();
	}
	cr_assert_null(queue_run_item(run), "they were refused just now");
	put_one("ann@a.example", "z@b.example");
	finish(run, item_of(run), QUEUE_SENT, &ok);
	cr_assert_eq(n_items(), 2);
	run = call("b.example");
	item_of(run);
	queue_run_end(run);
	pass(4 * 3600);
	run = run_to("b.example");
	item_of(run);
	queue_run_end(run);
}

Case(queue, what_is_held_or_at_work_is_not_for_who_calls)
{
	char far[SPOOL_DEST_MAX + 1] = { 'x' };
	struct queue_run *run, *other;
	uint64_t id;

	put_one("ann@a.example", "x@b.example");
	run = run_to("b.example");
	id = item_of(run)->id;
	queue_run_end(run);
	cr_assert_eq(queue_hold(queue, id), 0);
	committed();
	cr_assert_eq(queue_run_called(queue, STR("b.example"), &run), -ENOENT);
	cr_assert_eq(queue_run_called(queue, STR(""), &run), -ENOENT);
	cr_assert_eq(queue_run_called(queue, (struct str){ far, sizeof(far) }, &run),
		     -ENOENT);
	put_one("ann@a.example", "z@b.example");
	run = call("b.example");
	cr_assert_eq(queue_run_called(queue, STR("b.example"), &other), -EBUSY);
	item_of(run);
	cr_assert_null((queue_item_done(run, STR("mx"), &later), queue_run_item(run)));
	queue_run_end(run);
	committed();
	put_one("ann@a.example", "z@c.example");
	run = run_to("c.example");
	queue_run_fail(run, QUEUE_LATER, STR("mx"), &later);
	cr_assert_eq(queue_run_called(queue, STR("c.example"), &other), -EBUSY);
	queue_run_end(run);
	committed();
	queue_stop(queue);
	cr_assert_eq(queue_run_called(queue, STR("c.example"), &run), -EBUSY);
}

Case(queue, a_sender_that_is_an_alias_gets_the_bounce_in_all_its_places)
{
	struct queue_run *run;

	put_one("both@a.example", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert_eq(n_ann(), 1);
	cr_assert_eq(n_items(), 1);
	run = run_to("c.example");
	cr_assert(str_eq(item_of(run)->env.rcpts[0].addr, STR("x@c.example")));
	queue_run_end(run);
	cr_assert_eq(queue_stats(queue)->bounces, 1);
}

Case(queue, a_sender_elsewhere_gets_the_bounce_through_the_queue)
{
	struct queue_run *run;
	struct queue_item *item;

	put_one("eve@c.example", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert_eq(n_items(), 1);
	run = run_to("c.example");
	item = item_of(run);
	cr_assert_eq(item->env.from.len, 0);
	cr_assert(str_eq(item->env.rcpts[0].addr, STR("eve@c.example")));
	cr_assert(memmem(item->message.p, item->message.len, "multipart/report", 16));
	finish(run, item, QUEUE_FAILED, &no);
	cr_assert_eq(n_items(), 0);
}

Case(queue, what_failed_for_now_comes_again_with_growing_intervals)
{
	uint64_t before = 0;

	put_one("ann@a.example", "bob@b.example");
	for (uint32_t n = 1; n <= 5; n++) {
		struct queue_run *run = run_to("b.example");
		struct queue_item *item = item_of(run);
		uint64_t interval = UINT64_C(300) << (n - 1);

		cr_assert_eq(item->env.n_attempts, n - 1);
		finish(run, item, QUEUE_LATER, &later);
		cr_assert_null(queue_next(queue));
		pass(interval * 3 / 4 - 1);
		cr_assert_null(queue_next(queue));
		n_work = 0;
		pass(interval / 2 + 2);
		cr_assert_gt(n_work, 0);
		cr_assert_gt(wall_ms(NULL), before);
		before = wall_ms(NULL);
	}
	try("b.example", QUEUE_SENT, &ok);
	cr_assert_eq(n_ann(), 0);
}

/* Tries and fails until @s have passed. */
static void fail_for(uint64_t s)
{
	uint64_t until = wall_ms(NULL) + s * 1000;

	while (wall_ms(NULL) < until) {
		struct queue_run *run = queue_next(queue);

		if (run)
			finish(run, item_of(run), QUEUE_LATER, &later);
		pass(60);
	}
}

Case(queue, the_sender_is_warned_once_and_told_at_the_end)
{
	put_one("ann@a.example", "bob@b.example");
	fail_for(4 * 3600 - 300);
	cr_assert_eq(n_ann(), 0);
	fail_for(600);
	cr_assert_eq(n_ann(), 1);
	cr_assert(ann_reads("Action: delayed\r\nStatus: 4.3.0\r\n"));
	fail_for(5 * 86400 - 4 * 3600 - 600);
	cr_assert_eq(n_ann(), 1);
	cr_assert_eq(n_items(), 1);
	fail_for(1200);
	cr_assert_eq(n_ann(), 2);
	cr_assert_eq(n_items(), 0);
	cr_assert(ann_reads("Action: failed\r\nStatus: 4.3.0\r\n"));
	cr_assert_eq(queue_stats(queue)->expired, 1);
	cr_assert_eq(queue_stats(queue)->warnings, 1);
}

Case(queue, a_destination_that_is_dead_is_put_off_as_a_whole_and_others_are_not)
{
	enum { N = 150 }; /* more than a batch of a walk */
	struct queue_run *run;

	for (int i = 0; i < N; i++)
		put_one("ann@a.example", "bob@dead.example");
	run = run_to("dead.example");
	item_of(run);
	queue_run_fail(run, QUEUE_LATER, STR("mx.dead.example"), &later);
	cr_assert_null(queue_run_item(run));
	queue_run_end(run);
	committed();
	cr_assert_eq(queue_stats(queue)->attempts, N);
	cr_assert_eq(queue_stats(queue)->put_off, 1);
	/* What comes now is not tried. */
	put_one("ann@a.example", "bob@dead.example");
	cr_assert_null(queue_next(queue));
	put_one("ann@a.example", "bob@b.example");
	try("b.example", QUEUE_SENT, &ok);
	cr_assert_null(queue_next(queue));
	pass(400);
	run = run_to("dead.example");
	/* One that failed has one run until one gets through. */
	cr_assert_null(queue_next(queue));
	finish(run, item_of(run), QUEUE_SENT, &ok);
	cr_assert_eq(n_items(), N);
	cr_assert_eq(queue_retry_dest(queue, STR("dead.example")), 0);
	committed();
	for (int i = 0; i < N; i++)
		try("dead.example", QUEUE_SENT, &ok);
	cr_assert_eq(n_items(), 0);
}

Case(queue, a_destination_that_takes_no_mail_bounces_everything)
{
	struct queue_run *run;

	put_one("ann@a.example", "bob@null.example");
	put_one("ann@a.example", "carl@null.example");
	run = run_to("null.example");
	queue_run_fail(run, QUEUE_FAILED, STR("null.example"),
		       &(struct envelope_reply){ 0, { 5, 1, 10 }, STR("Takes no mail") });
	queue_run_end(run);
	committed();
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(n_ann(), 2);
	cr_assert(ann_reads(
		"Status: 5.1.10\r\nDiagnostic-Code: x-packetboat; Takes no mail"));
}

Case(queue, a_run_that_fails_beside_one_that_works_fails_alone)
{
	struct queue_run *one, *two;
	struct queue_item *item;

	for (int i = 0; i < 3; i++)
		put_one("ann@a.example", "bob@b.example");
	one = run_to("b.example");
	item = item_of(one);
	two = run_to("b.example");
	item_of(two);
	for (size_t i = 0; i < item->env.n_rcpts; i++)
		queue_item_rcpt(one, i, QUEUE_SENT, &ok);
	queue_item_done(one, STR("mx.b.example"), &later);
	queue_run_fail(two, QUEUE_LATER, STR("mx.b.example"), &later);
	queue_run_end(two);
	committed();
	cr_assert_eq(queue_stats(queue)->put_off, 0);
	for (int i = 0; i < 2; i++) {
		item_of(one);
		queue_item_rcpt(one, 0, QUEUE_SENT, &ok);
		queue_item_done(one, STR("mx.b.example"), &later);
	}
	queue_run_end(one);
	committed();
	cr_assert_eq(n_items(), 0);
}

Case(queue, runs_of_a_destination_grow_with_what_gets_through)
{
	struct queue_run *runs[4];

	for (int i = 0; i < 8; i++)
		put_one("ann@a.example", "bob@b.example");
	runs[0] = run_to("b.example");
	runs[1] = run_to("b.example");
	cr_assert_null(queue_next(queue));
	item_of(runs[0]);
	queue_item_rcpt(runs[0], 0, QUEUE_SENT, &ok);
	queue_item_done(runs[0], STR(""), &later);
	runs[2] = run_to("b.example");
	cr_assert_null(queue_next(queue));
	for (int i = 0; i < 3; i++)
		queue_run_end(runs[i]);
	committed();
	cr_assert_eq(n_items(), 7);
}

Case(queue, an_item_that_goes_back_is_due_as_before)
{
	struct queue_run *run;
	uint64_t id;

	put_one("ann@a.example", "bob@b.example");
	run = run_to("b.example");
	id = item_of(run)->id;
	queue_item_back(run);
	cr_assert_eq(item_of(run)->id, id);
	queue_run_end(run);
	run = run_to("b.example");
	cr_assert_eq(item_of(run)->env.n_attempts, 0);
	queue_run_end(run);
}

Case(queue, keeps_what_it_knows_over_a_restart)
{
	struct queue_run *run;

	put_one("ann@a.example", "bob@b.example");
	try("b.example", QUEUE_LATER, &later);
	queue_free(queue);
	new_queue();
	cr_assert_null(queue_next(queue));
	pass(400);
	run = run_to("b.example");
	cr_assert_eq(item_of(run)->env.n_attempts, 1);
	queue_run_end(run);
}

Case(queue, items_can_be_held_retried_and_removed)
{
	struct queue_run *run;
	uint64_t id;

	put_one("ann@a.example", "bob@b.example");
	run = run_to("b.example");
	id = item_of(run)->id;
	queue_run_end(run);
	cr_assert_eq(queue_hold(queue, id), 0);
	committed();
	pass(6 * 86400);
	cr_assert_null(queue_next(queue));
	cr_assert_eq(queue_retry_dest(queue, STR("b.example")), 0);
	committed();
	cr_assert_null(queue_next(queue));
	cr_assert_eq(queue_retry(queue, id), 0);
	committed();
	run = run_to("b.example");
	queue_run_end(run);
	cr_assert_eq(queue_remove(queue, id), 0);
	committed();
	cr_assert_eq(n_items(), 0);
	cr_assert_null(queue_next(queue));
	cr_assert_eq(queue_hold(queue, id), -ENOENT);
	cr_assert_eq(queue_retry(queue, id), -ENOENT);
	cr_assert_eq(n_ann(), 0);
}

Case(queue, a_commit_that_is_not_taken_is_tried_again_and_nothing_is_sent_twice)
{
	struct queue_run *run;
	struct queue_item *item;

	put_one("ann@a.example", "bob@b.example");
	run = run_to("b.example");
	item = item_of(run);
	n_refuse = 2;
	finish(run, item, QUEUE_SENT, &ok);
	cr_assert_eq(n_items(), 1);
	cr_assert_null(queue_next(queue));
	pass(3);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(queue_stats(queue)->commit_again, 2);
}

Case(queue, an_item_that_cannot_be_read_is_held)
{
	struct spool_new item = { .dest = STR("b.example"), .bytes = STR("nonsense") };
	struct spool_op op = { .add = &item, .n_add = 1 };
	const struct str none = STR(""), text = STR("x");
	struct queue_run *run;
	struct waited_op w;

	waited_op_deliver(&w, &none, &text);
	w.op.deliver.n_users = 0;
	w.op.spool = &op;
	waited_op_submit(&t, &w);
	cr_assert_eq(waited_op_wait(&w), 0);
	queue_spooled(queue, &op);
	run = run_to("b.example");
	cr_assert_null(queue_run_item(run));
	queue_run_end(run);
	committed();
	pass(10);
	cr_assert_null(queue_next(queue));
	cr_assert_eq(n_items(), 1);
	cr_assert_eq(queue_stats(queue)->damaged, 1);
}

Case(queue, many_destinations_at_work_are_a_limit_not_memory)
{
	struct queue_run *runs[3];

	conf.limits.dests_max = 2;
	renew_queue();
	put_one("ann@a.example", "bob@b.example");
	pass(1);
	put_one("ann@a.example", "bob@c.example");
	pass(1);
	put_one("ann@a.example", "bob@d.example");
	runs[0] = run_to("b.example");
	runs[1] = run_to("c.example");
	cr_assert_null(queue_next(queue));
	cr_assert_eq(queue_run_called(queue, STR("d.example"), &runs[2]), -EBUSY);
	finish(runs[0], item_of(runs[0]), QUEUE_SENT, &ok);
	runs[2] = run_to("d.example");
	queue_run_end(runs[1]);
	queue_run_end(runs[2]);
}

Case(queue, a_destination_has_no_more_runs_than_the_limit)
{
	struct queue_run *runs[2];

	conf.limits.per_dest_max = 2;
	renew_queue();
	for (int i = 0; i < 8; i++)
		put_one("ann@a.example", "bob@b.example");
	/* what gets through opens the window, up to that */
	for (int i = 0; i < 4; i++)
		try("b.example", QUEUE_SENT, &ok);
	runs[0] = run_to("b.example");
	item_of(runs[0]);
	runs[1] = run_to("b.example");
	item_of(runs[1]);
	cr_assert_null(queue_next(queue));
	queue_run_end(runs[0]);
	queue_run_end(runs[1]);
}

Case(queue, a_bounce_gives_a_long_message_without_its_body)
{
	conf.limits.bounce_whole_max = 10;
	renew_queue();
	put_one("ann@a.example", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert(ann_reads("Subject: hi\r\n"));
	cr_assert(!ann_reads("Text."));
	conf.limits.bounce_whole_max = 1000;
	renew_queue();
	put_one("ann@a.example", "bob@b.example");
	try("b.example", QUEUE_FAILED, &no);
	cr_assert(ann_reads("Text."));
}

Case(queue, walks_that_somebody_asks_for_are_so_many_at_once)
{
	char name[32];

	for (int i = 0; i < QUEUE_WALKS_MAX; i++) {
		snprintf(name, sizeof(name), "x@d%d.example", i);
		put_off(name, strchr(name, '@') + 1);
	}
	for (int i = 0; i < QUEUE_WALKS_MAX; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		cr_assert_eq(queue_retry_dest(queue, str_of(name)), 0, "%s", name);
	}
	cr_assert_eq(queue_retry_dest(queue, STR("d0.example")), -EBUSY);
	committed();
	cr_assert_eq(queue_retry_dest(queue, STR("d0.example")), 0);
	committed();
}
