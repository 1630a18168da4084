#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "stack/base/rng.h"
#include "tcp/synq.h"
#include "tcp/tcp_wire.h"
#include "tests/lib/case.h"

enum { MAX = 1000 };

static const struct hash_key key = { { 21, 22 } };
static const uint64_t now = UINT64_C(123456789) * NS_PER_MS;
/* how much earlier than asked an entry may be due */
static const uint64_t early = 17 * NS_PER_MS;

static struct synq *q;

static void setup(void)
{
	cr_assert_eq(synq_new(&q, MAX, &key), 0);
}

static void clean(void)
{
	synq_free(q);
}

Cases(synq, setup, clean);

static struct syn syn_of(unsigned i)
{
	struct syn s = {
		.flow = { .local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
			  .remote = addr_ip4((struct ip4){
				  { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } }),
			  .local_port = 25,
			  .remote_port = 40000 },
		.irs = { 0x11111111 + i },
		.iss = { 0x22222222 + i },
		.ts_recent = 0x33333333 + i,
		.listener = 0x44444444,
		.at_ns = now,
		.mss = 1460,
		.has = TCP_HAS_MSS | TCP_HAS_TS,
		.snd_wscale = 14,
		.tries = 1,
	};

	return s;
}

static struct syn syn6_of(unsigned i)
{
	struct syn s = syn_of(i);

	s.flow.local = addr_ip6((struct ip6){ { 0x20, 1, 0xd, 0xb8, [15] = 1 } });
	s.flow.remote = addr_ip6((struct ip6){
		{ 0x20, 1, 0xd, 0xb8, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i } });
	return s;
}

static uint32_t adds(unsigned i, uint64_t due_ns)
{
	struct syn s = syn_of(i);
	uint32_t id = synq_add(q, &s, due_ns);

	cr_assert_neq(id, SYNQ_NONE);
	return id;
}

static uint32_t finds(unsigned i)
{
	struct syn s = syn_of(i);

	return synq_find(q, &s.flow);
}

static void same(const struct syn *a, const struct syn *b)
{
	cr_assert(flow_eq(&a->flow, &b->flow));
	cr_assert(seq_eq(a->irs, b->irs) && seq_eq(a->iss, b->iss));
	cr_assert_eq(a->ts_recent, b->ts_recent);
	cr_assert_eq(a->listener, b->listener);
	cr_assert_eq(a->at_ns, b->at_ns);
	cr_assert_eq(a->mss, b->mss);
	cr_assert_eq(a->has, b->has);
	cr_assert_eq(a->snd_wscale, b->snd_wscale);
	cr_assert_eq(a->tries, b->tries);
}

Case(synq, gives_back_what_was_entered)
{
	struct syn s4 = syn_of(1), s6 = syn6_of(1), out;
	uint32_t id4 = synq_add(q, &s4, now), id6 = synq_add(q, &s6, now);

	cr_assert_eq(synq_find(q, &s4.flow), id4);
	cr_assert_eq(synq_find(q, &s6.flow), id6);
	synq_get(q, id4, &out);
	same(&out, &s4);
	synq_get(q, id6, &out);
	same(&out, &s6);
	cr_assert_eq(synq_count(q), 2);
}

Case(synq, walk_meets_all_whatever_was_sent_to_them)
{
	uint32_t a, b, c;

	cr_assert_eq(synq_next(q, SYNQ_NONE), SYNQ_NONE);
	a = adds(1, now);
	b = adds(2, now);
	c = adds(3, now);
	synq_next_due(q, now + NS_PER_S);
	for (unsigned i = 0; i < 3; i++)
		synq_again(q, a, now + NS_PER_S);
	cr_assert_eq(synq_next(q, SYNQ_NONE), b);
	cr_assert_eq(synq_next(q, b), c);
	cr_assert_eq(synq_next(q, c), a);
	cr_assert_eq(synq_next(q, a), SYNQ_NONE);
}

Case(synq, tells_the_time_of_older_entries)
{
	uint32_t id = adds(1, now);
	struct syn s = syn_of(2), out;

	s.at_ns = now + 300 * NS_PER_S + 999;
	synq_add(q, &s, s.at_ns);
	synq_get(q, id, &out);
	cr_assert_eq(out.at_ns, now);
	synq_get(q, synq_find(q, &s.flow), &out);
	cr_assert_eq(out.at_ns, s.at_ns - 999);
}

Case(synq, finds_no_other_flow)
{
	struct syn s = syn_of(1);

	adds(1, now);
	cr_assert_eq(finds(2), SYNQ_NONE);
	s.flow.local_port++;
	cr_assert_eq(synq_find(q, &s.flow), SYNQ_NONE);
	s = syn6_of(1);
	cr_assert_eq(synq_find(q, &s.flow), SYNQ_NONE);
}

Case(synq, forgets_what_was_deleted)
{
	adds(1, now);
	adds(2, now);
	adds(3, now);
	synq_del(q, finds(2));
	cr_assert_eq(finds(2), SYNQ_NONE);
	cr_assert_neq(finds(1), SYNQ_NONE);
	cr_assert_neq(finds(3), SYNQ_NONE);
	cr_assert_eq(synq_count(q), 2);
}

Case(synq, is_full_when_it_is_full)
{
	struct syn s = syn_of(MAX);

	for (unsigned i = 0; i < MAX; i++)
		adds(i, now);
	cr_assert_eq(synq_add(q, &s, now), SYNQ_NONE);
	cr_assert_eq(synq_count(q), MAX);
	synq_del(q, finds(500));
	cr_assert_neq(synq_add(q, &s, now), SYNQ_NONE);
	for (unsigned i = 0; i <= MAX; i++)
		cr_assert_eq(finds(i) == SYNQ_NONE, i == 500);
}

Case(synq, full_of_the_wider_family_too)
{
	struct syn s;

	for (unsigned i = 0; i < MAX; i++) {
		s = syn6_of(i);
		cr_assert_neq(synq_add(q, &s, now), SYNQ_NONE);
	}
	s = syn6_of(MAX);
	cr_assert_eq(synq_add(q, &s, now), SYNQ_NONE);
	synq_drop_listener(q, s.listener);
	cr_assert_eq(synq_count(q), 0);
}

Case(synq, remembers_a_newer_timestamp)
{
	uint32_t id = adds(1, now);
	struct syn out;

	synq_touch(q, id, 99, 6);
	synq_get(q, id, &out);
	cr_assert_eq(out.ts_recent, 99);
}

Case(synq, deadlines_are_never_late)
{
	uint64_t due = now + NS_PER_S;

	cr_assert_eq(synq_due(q), UINT64_MAX);
	cr_assert_eq(synq_next_due(q, UINT64_MAX - 1), SYNQ_NONE);
	adds(1, due);
	cr_assert_leq(synq_due(q), due);
	cr_assert_geq(synq_due(q), due - early);
	cr_assert_eq(synq_next_due(q, due - early), SYNQ_NONE);
	cr_assert_eq(synq_next_due(q, synq_due(q) - 1), SYNQ_NONE);
	cr_assert_eq(synq_next_due(q, synq_due(q)), finds(1));
	cr_assert_eq(synq_next_due(q, due), finds(1));
}

/* Waits of 1, 2, 4, ... seconds: the deadlines of all lists come in order. */
Case(synq, entries_come_due_in_order_whatever_their_tries)
{
	uint64_t t = now, last = 0;
	unsigned n_due = 0;
	struct syn out;

	for (unsigned i = 0; i < 50; i++) {
		t = now + i * 100 * NS_PER_MS;
		adds(i, t + NS_PER_S);
	}
	for (uint32_t id; synq_count(q);) {
		t = synq_due(q);
		cr_assert_geq(t, last);
		last = t;
		id = synq_next_due(q, t);
		cr_assert_neq(id, SYNQ_NONE);
		synq_get(q, id, &out);
		if (out.tries == 5)
			synq_del(q, id);
		else
			synq_again(q, id, t + (NS_PER_S << out.tries));
		n_due++;
	}
	cr_assert_eq(n_due, 50 * 5);
	cr_assert_eq(synq_due(q), UINT64_MAX);
}

Case(synq, earlier_deadline_goes_before_later_ones)
{
	adds(1, now + 3 * NS_PER_S);
	adds(2, now + 5 * NS_PER_S);
	adds(3, now + NS_PER_S);
	adds(4, now + 4 * NS_PER_S);
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned order[] = { 3, 1, 4, 2 };
		uint32_t id = synq_next_due(q, now + 10 * NS_PER_S);

		cr_assert_eq(id, finds(order[i]));
		synq_del(q, id);
	}
}

Case(synq, tries_end_at_their_maximum)
{
	uint32_t id = adds(1, now);
	struct syn out;

	for (unsigned i = 0; i < 20; i++)
		synq_again(q, id, now + i * NS_PER_S);
	synq_get(q, id, &out);
	cr_assert_eq(out.tries, SYNQ_TRIES_MAX);
	cr_assert_geq(synq_due(q), now + 19 * NS_PER_S - early);
}

Case(synq, entries_of_a_listener_go_with_it)
{
	for (unsigned i = 0; i < 100; i++) {
		struct syn s = syn_of(i);

		s.listener = i % 3;
		s.tries = (uint8_t)(i % (SYNQ_TRIES_MAX + 1));
		synq_add(q, &s, now);
	}
	synq_drop_listener(q, 1);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(finds(i) == SYNQ_NONE, i % 3 == 1);
	cr_assert_eq(synq_count(q), 67);
}

Case(synq, needs_room_for_one)
{
	struct synq *none = NULL;

	cr_assert_eq(synq_new(&none, 0, &key), -EINVAL);
	cr_assert_null(none);
}

/* Everything at once, against an array. */
Case(synq, any_order_of_calls_keeps_all_entries)
{
	static uint64_t dues[MAX]; /* 0: not there */
	uint64_t t = now;
	unsigned n = 0;
	struct rng rng;

	rng_init(&rng, 4987);
	for (int step = 0; step < 50000; step++) {
		unsigned i = rng_below(&rng, MAX);
		uint32_t id = finds(i);

		cr_assert_eq(id != SYNQ_NONE, dues[i] != 0);
		t += rng_below(&rng, 20) * NS_PER_MS;
		if (id == SYNQ_NONE) {
			dues[i] = t + NS_PER_S;
			adds(i, dues[i]);
			n++;
		} else if (rng_below(&rng, 2)) {
			synq_del(q, id);
			dues[i] = 0;
			n--;
		}
		while ((id = synq_next_due(q, t)) != SYNQ_NONE) {
			struct syn s;

			synq_get(q, id, &s);
			i = (unsigned)s.flow.remote.ip4.b[2] << 8 |
			    s.flow.remote.ip4.b[3];
			cr_assert_leq(dues[i], t + early);
			dues[i] = t + (NS_PER_S << s.tries);
			synq_again(q, id, dues[i]);
		}
		cr_assert_eq(synq_count(q), n);
	}
	for (unsigned i = 0; i < MAX; i++)
		cr_assert(!dues[i] || dues[i] + early > t);
}
