/*
 * The relay with a queue over a real store, on a net in memory: the test is the name server
 * and every other host, and the clock.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/io.h"
#include "apps/lib/race.h"
#include "apps/lib/tls.h"
#include "apps/mail/queue/pack.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/relay/relay.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/dns_test.h"
#include "tests/lib/mem_tls.h"
#include "tests/lib/net_mem.h"
#include "tests/mail/store_lib.h"

static struct test_store store;
static struct dns_test t;
static struct queue *queue;
static struct relay *relay;
static struct relay_conf conf;

static size_t find(void *arg, struct str addr, const struct mail_to **to)
{
	static struct mail_to one;
	struct str domain;

	(void)arg;
	(void)str_cut(addr, '@', &domain);
	one = (struct mail_to){ .addr = addr };
	if (str_eq(addr, STR("ann@a.example")))
		one.user = STR("ann");
	*to = &one;
	return one.user.len > 0 || !str_eq(domain, STR("a.example"));
}

static bool submit(void *arg, struct store_op *op)
{
	(void)arg;
	return store_submit(store.store, op);
}

static uint64_t wall_ms(void *arg)
{
	(void)arg;
	return 1700000000 + net_now_ns(t.net) / NS_PER_MS;
}

static void work(void *arg)
{
	(void)arg;
	relay_work(relay);
}

static void start(void)
{
	cr_assert_eq(relay_new(t.net, queue, t.dns, &conf, &relay), 0);
}

static void setup(void)
{
	static const struct queue_ops ops = { find, submit, wall_ms, work };
	struct queue_conf queue_conf;

	test_store_init(&store, NULL, 64 << 20);
	dns_test_init(&t);
	queue_conf_init(&queue_conf);
	queue_conf.host = "mx.a.example";
	relay_conf_init(&conf);
	conf.host = "mx.a.example";
	cr_assert_eq(queue_new(t.net, store.store, &queue_conf, &ops, NULL, &queue), 0);
	start();
}

/* Until nothing moves and all commits are answered. */
static void settle(void)
{
	do {
		dns_test_settle(&t);
		sched_yield();
	} while (queue_busy(queue));
	dns_test_settle(&t);
}

static void clean(void)
{
	queue_stop(queue);
	relay_free(relay);
	settle();
	cr_assert_eq(queue_stats(queue)->runs_open, 0);
	queue_free(queue);
	mem_advance(t.net, 120 * NS_PER_S);
	dns_test_fini(&t);
	test_store_close(&store);
	test_store_fini(&store);
}

Cases(relay, setup, clean);

static void put(const char *rcpt)
{
	const struct pack_rcpt to = { str_of(rcpt), STR("ann@a.example") };
	const struct str none = STR(""), text = STR("Subject: x\r\n\r\n");
	struct spool_op *op;
	struct waited_op w;
	size_t len;

	cr_assert_eq(pack_items(&(struct pack){ .id = STR("id"),
						.rcpts = &to,
						.n_rcpts = 1,
						.now_ms = wall_ms(NULL) },
				&op, &len),
		     0);
	waited_op_deliver(&w, &none, &text);
	w.op.deliver.n_users = 0;
	w.op.spool = op;
	waited_op_submit(&store, &w);
	cr_assert_eq(waited_op_wait(&w), 0);
	queue_spooled(queue, op);
	free(op);
	settle();
}

static uint64_t n_items(void)
{
	struct store_read *read;
	uint64_t n;

	cr_assert_eq(store_read_begin(store.store, &read), 0);
	cr_assert_eq(spool_count(read, &n), 0);
	store_read_end(read);
	return n;
}

/* The host @name at @addr is where mail for @domain goes. */
static void host(const char *domain, uint16_t preference, const char *name,
		 const char *addr)
{
	dns_test_mx(&t, domain, preference, name);
	dns_test_a(&t, name, addr);
}

static struct mem_peer *comes_to(const char *where)
{
	struct mem_peer *peer = dns_test_accept(&t, where);

	cr_assert(peer, "nobody connects to %s", where);
	return peer;
}

static void says(struct mem_peer *peer, const char *text)
{
	mem_say(peer, text);
	settle();
}

/* It is ready, without PIPELINING, and hears MAIL. */
static void greets(struct mem_peer *peer)
{
	says(peer, "220 mx\r\n");
	says(peer, "250-mx\r\n250 PIPELINING\r\n");
}

static void takes_one(struct mem_peer *peer)
{
	mem_take(peer, mem_heard(peer).len);
	says(peer, "250 Ok\r\n250 Ok\r\n354 Go\r\n250 Ok\r\n");
}

static void pass(uint64_t s)
{
	mem_advance(t.net, s * NS_PER_S);
	settle();
}

Case(relay, mail_goes_to_the_host_of_its_domain)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	greets(peer);
	cr_assert(memmem(
		mem_heard(peer).p, mem_heard(peer).len,
		"MAIL FROM:<ann@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n", 56));
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(relay_stats(relay)->messages, 1);
	mem_take(peer, mem_heard(peer).len);
	pass(3);
	cr_assert(str_eq(mem_heard(peer), STR("QUIT\r\n")));
	cr_assert(mem_finished(peer));
	mem_free(peer);
}

Case(relay, a_connection_that_waits_takes_the_next_message)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	greets(peer);
	takes_one(peer);
	for (int i = 0; i < 3; i++) {
		put("carl@b.example");
		takes_one(peer);
	}
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(relay_stats(relay)->connects, 1);
	cr_assert_eq(relay_stats(relay)->reused, 3);
	mem_free(peer);
}

Case(relay, the_next_address_has_its_turn_when_one_fails)
{
	struct mem_peer *peer;

	host("b.example", 20, "mx2.b.example", "192.0.2.8");
	host("b.example", 10, "mx1.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	mem_reset(peer);
	settle();
	mem_free(peer);
	peer = comes_to("192.0.2.8:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	mem_free(peer);
}

/* RFC 8305 5 */
Case(relay, a_host_whose_ip6_is_a_black_hole_gets_its_mail_by_ip4)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	dns_test_aaaa(&t, "mx.b.example", "2001:db8::7");
	mem_black_hole(t.net, "[2001:db8::7]:25");
	put("bob@b.example");
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	mem_advance(t.net, RACE_DELAY_MS * NS_PER_MS);
	peer = comes_to("192.0.2.7:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(relay_stats(relay)->connects, 2);
	mem_free(peer);
}

Case(relay, a_host_with_both_families_gets_its_mail_by_ip6)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	dns_test_aaaa(&t, "mx.b.example", "2001:db8::7");
	put("bob@b.example");
	peer = comes_to("[2001:db8::7]:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(relay_stats(relay)->connects, 1);
	mem_free(peer);
}

/* RFC 5321 5.1: each address of the list has its turn. */
Case(relay, an_address_that_was_slow_is_tried_when_the_faster_one_refuses)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	dns_test_aaaa(&t, "mx.b.example", "2001:db8::7");
	mem_black_hole(t.net, "[2001:db8::7]:25");
	put("bob@b.example");
	mem_advance(t.net, RACE_DELAY_MS * NS_PER_MS);
	peer = comes_to("192.0.2.7:25");
	mem_black_hole(t.net, NULL);
	says(peer, "554 No\r\n");
	mem_free(peer);
	peer = comes_to("[2001:db8::7]:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	mem_free(peer);
}

Case(relay, a_literal_of_ip6_is_where_the_mail_goes)
{
	struct mem_peer *peer;

	put("bob@[IPv6:2001:db8::7]");
	peer = comes_to("[2001:db8::7]:25");
	greets(peer);
	cr_assert(memmem(mem_heard(peer).p, mem_heard(peer).len,
			 "RCPT TO:<bob@[IPv6:2001:db8::7]>\r\n", 33));
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(t.n_asked, 0);
	mem_free(peer);
}

Case(relay, a_greeting_that_refuses_sends_us_to_the_next_address_too)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx1.b.example", "192.0.2.7");
	host("b.example", 20, "mx2.b.example", "192.0.2.8");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	says(peer, "554 No\r\n");
	mem_free(peer);
	peer = comes_to("192.0.2.8:25");
	says(peer, "554 No, either\r\n");
	mem_free(peer);
	/* All refused for good: so it is. */
	settle();
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(box_info(&store, "ann").n_messages, 1);
}

Case(relay, a_host_that_does_not_answer_is_left_alone_for_a_moment)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.example", "192.0.2.7");
	dns_test_mx(&t, "c.example", 10, "mx.example");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	mem_reset(peer);
	settle();
	mem_free(peer);
	put("bob@c.example");
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	cr_assert_eq(relay_stats(relay)->refused_down, 1);
	cr_assert_eq(n_items(), 2);
	pass(400);
	mem_free(comes_to("192.0.2.7:25"));
}

Case(relay, a_host_that_did_not_answer_is_tried_when_somebody_calls)
{
	struct mem_peer *peer;
	uint64_t n;

	host("b.example", 10, "mx.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	mem_reset(peer);
	settle();
	mem_free(peer);
	cr_assert_eq(queue_call(queue, STR("b.example"), false, &n), 0);
	cr_assert_eq(n, 1);
	relay_called(relay);
	settle();
	mem_free(comes_to("192.0.2.7:25"));
	cr_assert_eq(relay_stats(relay)->refused_down, 0);
}

Case(relay, a_host_that_hangs_delays_nobody_else)
{
	struct mem_peer *slow[2], *peer;

	host("slow.example", 10, "mx.slow.example", "192.0.2.7");
	host("b.example", 10, "mx.b.example", "192.0.2.8");
	for (int i = 0; i < 20; i++)
		put("bob@slow.example");
	slow[0] = comes_to("192.0.2.7:25");
	slow[1] = comes_to("192.0.2.7:25");
	/* No third one as long as none got through. */
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	put("bob@b.example");
	peer = comes_to("192.0.2.8:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 20);
	/* It says nothing for five minutes. */
	pass(301);
	cr_assert_eq(relay_stats(relay)->sessions_open, 0);
	cr_assert_eq(queue_stats(queue)->put_off, 1);
	put("bob@slow.example");
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	for (int i = 0; i < 2; i++)
		mem_free(slow[i]);
	mem_free(peer);
}

Case(relay, one_address_has_only_so_many_connections)
{
	struct mem_peer *peers[2];

	relay_free(relay);
	conf.limits.per_host_max = 2;
	start();
	host("b.example", 10, "mx.example", "192.0.2.7");
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "c.example", "d.example",
						     "e.example" };

		dns_test_mx(&t, names[i], 10, "mx.example");
	}
	put("x@b.example");
	put("x@c.example");
	put("x@d.example");
	for (int i = 0; i < 2; i++)
		peers[i] = comes_to("192.0.2.7:25");
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	cr_assert_eq(relay_stats(relay)->refused_many, 1);
	cr_assert_eq(n_items(), 3);
	for (int i = 0; i < 2; i++)
		mem_free(peers[i]);
	settle();
}

Case(relay, sessions_are_a_limit)
{
	struct mem_peer *peer;

	relay_free(relay);
	conf.limits.sessions_max = 1;
	start();
	host("b.example", 10, "mx.b.example", "192.0.2.7");
	host("c.example", 10, "mx.c.example", "192.0.2.8");
	put("x@b.example");
	put("x@c.example");
	peer = comes_to("192.0.2.7:25");
	cr_assert_null(dns_test_accept(&t, "192.0.2.8:25"));
	mem_reset(peer);
	settle();
	mem_free(peer);
	mem_free(comes_to("192.0.2.8:25"));
	settle();
}

Case(relay, a_connection_that_breaks_in_data_leaves_the_message_for_later)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	greets(peer);
	says(peer, "250 Ok\r\n250 Ok\r\n354 Go\r\n");
	mem_reset(peer);
	settle();
	mem_free(peer);
	cr_assert_eq(relay_stats(relay)->broken, 1);
	cr_assert_eq(n_items(), 1);
	cr_assert_null(dns_test_accept(&t, "192.0.2.7:25"));
	pass(400);
	peer = comes_to("192.0.2.7:25");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	mem_free(peer);
}

Case(relay, a_route_is_stronger_than_the_name_servers)
{
	static const struct route routes[] = { { { "b.example", 9 }, "192.0.2.9:2525" } };
	struct mem_peer *peer;

	relay_free(relay);
	conf.routes = routes;
	conf.n_routes = 1;
	start();
	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.9:2525");
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(t.n_asked, 0);
	mem_free(peer);
}

Case(relay, a_host_that_is_this_one_is_sent_nothing)
{
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	says(peer, "220 MX.a.example\r\n");
	says(peer, "250-MX.a.example greets you\r\n250 PIPELINING\r\n");
	cr_assert(!memmem(mem_heard(peer).p, mem_heard(peer).len, "MAIL", 4));
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(queue_stats(queue)->failed, 1);
	cr_assert_eq(queue_stats(queue)->bounces, 1);
	mem_free(peer);
}

/* Whoever connects takes the mail for these domains. */
static struct str turn_to[2];
static bool turn_at_once;
static int turned;

static void turn(void *arg, struct io *io)
{
	(void)arg;
	turned = relay_turn(relay, io, turn_to, turn_to[1].len > 0 ? 2 : 1, "250 OK",
			    turn_at_once);
	if (turned < 0)
		io_abort(io);
}

/* A client takes the mail for @domain, and for @other if it is something. */
static struct mem_peer *calls_for(const char *domain, const char *other)
{
	struct net_listener *listener;
	struct mem_peer *peer;

	pass(1);
	turn_to[0] = str_of(domain);
	turn_to[1] = str_of(other);
	cr_assert_eq(net_listen(t.net, "192.0.2.1:366", 1, turn, NULL, &listener), 0);
	peer = mem_connect(t.net, "192.0.2.1:366", "192.0.2.9:4000");
	cr_assert(peer);
	settle();
	net_listener_close(listener);
	return peer;
}

static void waits_for(const char *pattern)
{
	static struct route route;

	relay_free(relay);
	route = (struct route){ .domain = str_of(pattern) };
	conf.routes = &route;
	conf.n_routes = 1;
	start();
}

Case(relay, mail_that_waits_is_for_who_calls)
{
	struct mem_peer *peer;

	waits_for("*");
	put("bob@b.example");
	put("bob@c.example");
	put("eve@d.example");
	pass(60);
	cr_assert_eq(n_items(), 3);
	cr_assert_eq(relay_stats(relay)->connects, 0);
	peer = calls_for("c.example", "B.example");
	cr_assert_eq(turned, 0);
	cr_assert(str_eq(mem_heard(peer), STR("250 OK\r\n")));
	mem_take(peer, mem_heard(peer).len);
	says(peer, "220 c\r\n");
	cr_assert(str_eq(mem_heard(peer), STR("EHLO mx.a.example\r\n")));
	says(peer, "250-c\r\n250 PIPELINING\r\n");
	cr_assert(memmem(mem_heard(peer).p, mem_heard(peer).len, "<bob@c.example>", 15));
	takes_one(peer);
	cr_assert(memmem(mem_heard(peer).p, mem_heard(peer).len, "<bob@b.example>", 15));
	takes_one(peer);
	cr_assert_eq(n_items(), 1);
	cr_assert(memmem(mem_heard(peer).p, mem_heard(peer).len, "QUIT\r\n", 6));
	cr_assert(mem_finished(peer));
	cr_assert_eq(relay_stats(relay)->turned, 1);
	cr_assert_eq(relay_stats(relay)->sessions_open, 0);
	mem_free(peer);
}

Case(relay, who_calls_and_takes_nothing_may_call_again)
{
	struct mem_peer *peer, *second;

	waits_for("b.example");
	put("bob@b.example");
	peer = calls_for("b.example", "");
	cr_assert_eq(turned, 0);
	second = calls_for("b.example", "z.example");
	cr_assert_eq(turned, -EBUSY);
	mem_free(second);
	says(peer, "220 b\r\n");
	says(peer, "250 b\r\n");
	says(peer, "250 Ok\r\n");
	says(peer, "450 Not now\r\n");
	says(peer, "250 Ok\r\n");
	cr_assert(mem_finished(peer));
	mem_free(peer);
	cr_assert_eq(n_items(), 1);
	peer = calls_for("b.example", "");
	cr_assert_eq(turned, 0);
	mem_free(peer); /* before a word */
	settle();
	cr_assert_eq(relay_stats(relay)->sessions_open, 0);
	cr_assert_eq(n_items(), 1);
	peer = calls_for("c.example", "");
	cr_assert_eq(turned, -ENOENT);
	mem_free(peer);
}

Case(relay, who_breaks_off_in_the_middle_of_a_message_has_it_once_more)
{
	struct mem_peer *peer;

	waits_for("b.example");
	put("bob@b.example");
	peer = calls_for("b.example", "");
	greets(peer);
	mem_free(peer);
	settle();
	cr_assert_eq(n_items(), 1);
	peer = calls_for("b.example", "");
	cr_assert_eq(turned, 0);
	greets(peer);
	takes_one(peer);
	cr_assert_eq(n_items(), 0);
	mem_free(peer);
}

Case(relay, a_connection_is_turned_without_mail_where_that_is_asked)
{
	struct mem_peer *peer;

	turn_at_once = true;
	peer = calls_for("b.example", "");
	cr_assert_eq(turned, 0);
	says(peer, "220 b\r\n");
	says(peer, "250 b\r\n");
	cr_assert(memmem(mem_heard(peer).p, mem_heard(peer).len, "QUIT\r\n", 6));
	mem_free(peer);
	turn_at_once = false;
}

Case(relay, who_calls_is_turned_once_at_a_time)
{
	struct mem_peer *peer;

	turn_at_once = true;
	peer = calls_for("b.example", "c.example");
	cr_assert_eq(turned, 0);
	mem_free(calls_for("C.example", ""));
	cr_assert_eq(turned, -EBUSY);
	cr_assert_eq(relay_stats(relay)->sessions_open, 1);
	mem_free(peer);
	settle();
	mem_free(calls_for("c.example", ""));
	cr_assert_eq(turned, 0);
	settle();
	turn_at_once = false;
}

Case(relay, nobody_is_turned_beyond_the_limit_or_at_the_end)
{
	struct mem_peer *peer;

	conf.limits.sessions_max = 1;
	waits_for("*");
	put("bob@b.example");
	put("bob@c.example");
	peer = calls_for("b.example", "");
	cr_assert_eq(turned, 0);
	mem_free(calls_for("c.example", ""));
	cr_assert_eq(turned, -EBUSY);
	relay_stop(relay);
	settle();
	cr_assert(!relay_busy(relay));
	mem_free(peer);
	mem_free(calls_for("c.example", ""));
	cr_assert_eq(turned, -EBUSY);
}

Case(relay, an_end_in_order_lets_a_message_through)
{
	struct mem_peer *busy, *idle;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	host("c.example", 10, "mx.c.example", "192.0.2.8");
	put("bob@b.example");
	put("bob@c.example");
	busy = comes_to("192.0.2.7:25");
	greets(busy);
	idle = comes_to("192.0.2.8:25");
	greets(idle);
	takes_one(idle);
	queue_stop(queue);
	relay_stop(relay);
	settle();
	cr_assert(mem_finished(idle));
	cr_assert(relay_busy(relay));
	takes_one(busy);
	cr_assert(!relay_busy(relay));
	cr_assert(mem_finished(busy));
	cr_assert_eq(n_items(), 0);
	mem_free(busy);
	mem_free(idle);
}

/* A relay that knows TLS.  The test gives back its hold on it; connections have theirs. */
static struct tls *start_with_tls(void)
{
	char error[TLS_ERROR_LEN];
	struct tls *tls;

	cr_assert_eq(tls_client_new(TLS_TRUST_ANY, NULL, &tls, error), 0);
	relay_free(relay);
	conf.tls = tls;
	start();
	return tls;
}

static void carry(struct mem_tls *tls)
{
	mem_tls_settle(tls);
	settle();
	mem_tls_settle(tls);
}

static void offers_tls(struct mem_peer *peer)
{
	says(peer, "220 mx\r\n");
	says(peer, "250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
	mem_take(peer, mem_heard(peer).len);
	says(peer, "220 Go\r\n");
}

Case(relay, mail_goes_in_tls_where_that_is_offered)
{
	struct tls *own = start_with_tls();
	struct mem_peer *peer;
	struct mem_tls *tls;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	offers_tls(peer);
	tls = mem_tls_server(t.net, peer, 0);
	carry(tls);
	mem_tls_send(tls, "250 PIPELINING\r\n", 16);
	carry(tls);
	cr_assert(
		memmem(mem_tls_heard(tls).p, mem_tls_heard(tls).len, "MAIL FROM:<", 11));
	mem_tls_send(tls, "250 Ok\r\n250 Ok\r\n354 Go\r\n250 Ok\r\n", 32);
	carry(tls);
	cr_assert_eq(n_items(), 0);
	cr_assert_eq(relay_stats(relay)->tls_sessions, 1);
	mem_tls_free(tls);
	mem_free(peer);
	tls_put(own);
}

Case(relay, mail_goes_in_clear_for_a_while_where_tls_came_to_nothing)
{
	struct tls *own = start_with_tls();
	struct mem_peer *peer;

	host("b.example", 10, "mx.b.example", "192.0.2.7");
	put("bob@b.example");
	peer = comes_to("192.0.2.7:25");
	offers_tls(peer);
	says(peer, "What is TLS?\r\n");
	mem_free(peer);
	/* At once, to the same host. */
	for (int i = 0; i < 2; i++) {
		peer = comes_to("192.0.2.7:25");
		says(peer, "220 mx\r\n");
		says(peer, "250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
		cr_assert(!memmem(mem_heard(peer).p, mem_heard(peer).len, "STARTTLS", 8));
		takes_one(peer);
		cr_assert_eq(n_items(), 0);
		pass(10);
		mem_free(peer);
		put("bob@b.example");
	}
	cr_assert_eq(relay_stats(relay)->tls_failures, 1);
	mem_free(comes_to("192.0.2.7:25"));
	settle();
	pass(3700);
	peer = comes_to("192.0.2.7:25");
	offers_tls(peer);
	cr_assert_gt(mem_heard(peer).len, 0, "it begins TLS again");
	mem_free(peer);
	settle();
	mem_free(dns_test_accept(&t, "192.0.2.7:25"));
	tls_put(own);
}
