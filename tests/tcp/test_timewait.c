#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "tcp/timewait.h"
#include "tests/lib/case.h"

enum { MAX = 1000 };

static const struct hash_key key = { { 31, 32 } };
static const uint64_t now = UINT64_C(987654321) * NS_PER_MS;
static const uint64_t wait = 60 * NS_PER_S;
static const uint64_t late = 68 * NS_PER_MS; /* how much longer a wait may last */

static struct timewait *t;

static void setup(void)
{
	cr_assert_eq(timewait_new(&t, MAX, &key), 0);
}

static void clean(void)
{
	timewait_free(t);
}

Cases(timewait, setup, clean);

static struct tw tw_of(unsigned i)
{
	return (struct tw){
		.flow = { .local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
			  .remote = addr_ip4((struct ip4){
				  { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } }),
			  .local_port = 25,
			  .remote_port = 40000 },
		.snd_nxt = { 0x11111111 + i },
		.rcv_nxt = { 0x22222222 + i },
		.rcv_wnd = 65535 << 14,
		.ts_recent = 0x33333333 + i,
		.ts_offset = 0x44444444 + i,
		.rcv_wscale = 14,
		.timestamps = i % 2,
	};
}

static struct tw tw6_of(unsigned i)
{
	struct tw tw = tw_of(i);

	tw.flow.local = addr_ip6((struct ip6){ { 0x20, 1, 0xd, 0xb8, [15] = 1 } });
	tw.flow.remote = addr_ip6((struct ip6){
		{ 0x20, 1, 0xd, 0xb8, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i } });
	return tw;
}

static bool adds(unsigned i, uint64_t end_ns)
{
	struct tw tw = tw_of(i);

	return timewait_add(t, &tw, end_ns);
}

static uint32_t finds(unsigned i)
{
	struct tw tw = tw_of(i);

	return timewait_find(t, &tw.flow);
}

static void same(const struct tw *a, const struct tw *b)
{
	cr_assert(flow_eq(&a->flow, &b->flow));
	cr_assert(seq_eq(a->snd_nxt, b->snd_nxt) && seq_eq(a->rcv_nxt, b->rcv_nxt));
	cr_assert_eq(a->rcv_wnd, b->rcv_wnd);
	cr_assert_eq(a->ts_recent, b->ts_recent);
	cr_assert_eq(a->ts_offset, b->ts_offset);
	cr_assert_eq(a->rcv_wscale, b->rcv_wscale);
	cr_assert_eq(a->timestamps, b->timestamps);
}

Case(timewait, gives_back_what_was_entered)
{
	struct tw tw4 = tw_of(1), tw6 = tw6_of(2), out;

	cr_assert(!timewait_add(t, &tw4, now));
	cr_assert(!timewait_add(t, &tw6, now));
	timewait_get(t, timewait_find(t, &tw4.flow), &out);
	same(&out, &tw4);
	timewait_get(t, timewait_find(t, &tw6.flow), &out);
	same(&out, &tw6);
	cr_assert_eq(timewait_count(t), 2);
}

Case(timewait, walk_meets_all_in_the_order_of_their_ends)
{
	uint32_t id = TIMEWAIT_NONE;

	cr_assert_eq(timewait_next(t, id), TIMEWAIT_NONE);
	for (unsigned i = 0; i < 3; i++)
		adds(i, now);
	for (unsigned i = 0; i < 3; i++) {
		id = timewait_next(t, id);
		cr_assert_eq(id, finds(i));
	}
	cr_assert_eq(timewait_next(t, id), TIMEWAIT_NONE);
}

Case(timewait, window_beyond_the_field_is_the_most_the_field_says)
{
	struct tw tw = tw_of(1), out;

	tw.rcv_wnd = 70000;
	tw.rcv_wscale = 0;
	timewait_add(t, &tw, now);
	timewait_get(t, finds(1), &out);
	cr_assert_eq(out.rcv_wnd, 65535);
}

Case(timewait, finds_no_other_flow)
{
	struct tw tw = tw_of(1);

	adds(1, now);
	cr_assert_eq(finds(2), TIMEWAIT_NONE);
	tw.flow.remote_port++;
	cr_assert_eq(timewait_find(t, &tw.flow), TIMEWAIT_NONE);
	tw = tw6_of(1);
	cr_assert_eq(timewait_find(t, &tw.flow), TIMEWAIT_NONE);
}

Case(timewait, no_wait_is_shorter_than_it_should_be)
{
	cr_assert_eq(timewait_due(t), UINT64_MAX);
	adds(1, now + wait);
	cr_assert_geq(timewait_due(t), now + wait);
	cr_assert_leq(timewait_due(t), now + wait + late);
	cr_assert_eq(timewait_expire(t, timewait_due(t) - 1), 0);
	cr_assert_eq(timewait_expire(t, timewait_due(t)), 1);
	cr_assert_eq(finds(1), TIMEWAIT_NONE);
	cr_assert_eq(timewait_due(t), UINT64_MAX);
}

Case(timewait, entries_end_in_order)
{
	for (unsigned i = 0; i < 600; i++)
		adds(i, now + wait + i * 100 * NS_PER_MS);
	for (unsigned i = 0; i < 600; i++) {
		cr_assert_neq(finds(i), TIMEWAIT_NONE);
		cr_assert_eq(timewait_expire(t, now + wait + i * 100 * NS_PER_MS + late),
			     1);
		cr_assert_eq(finds(i), TIMEWAIT_NONE);
	}
}

Case(timewait, oldest_makes_room_when_it_is_full)
{
	for (unsigned i = 0; i < MAX; i++)
		cr_assert(!adds(i, now + i * NS_PER_MS));
	cr_assert(adds(MAX, now + MAX * NS_PER_MS));
	cr_assert_eq(timewait_count(t), MAX);
	cr_assert_eq(finds(0), TIMEWAIT_NONE);
	for (unsigned i = 1; i <= MAX; i++)
		cr_assert_neq(finds(i), TIMEWAIT_NONE);
}

Case(timewait, forgets_what_was_deleted)
{
	for (unsigned i = 0; i < 5; i++)
		adds(i, now + i * NS_PER_S);
	timewait_del(t, finds(2));
	timewait_del(t, finds(0));
	timewait_del(t, finds(4));
	cr_assert_eq(timewait_count(t), 2);
	cr_assert_eq(timewait_expire(t, now + NS_PER_S + late), 1);
	cr_assert_neq(finds(3), TIMEWAIT_NONE);
	adds(6, now + 9 * NS_PER_S);
	cr_assert_eq(timewait_expire(t, now + 10 * NS_PER_S), 2);
}

Case(timewait, wait_can_begin_anew)
{
	for (unsigned i = 0; i < 3; i++)
		adds(i, now + wait + i * NS_PER_S);
	timewait_restart(t, finds(0), now + 2 * wait);
	cr_assert_eq(timewait_expire(t, now + wait + 5 * NS_PER_S), 2);
	cr_assert_neq(finds(0), TIMEWAIT_NONE);
	cr_assert_eq(timewait_expire(t, now + 2 * wait - 1), 0);
	timewait_restart(t, finds(0), now + 3 * wait);
	cr_assert_eq(timewait_expire(t, now + 3 * wait - 1), 0);
	cr_assert_eq(timewait_expire(t, now + 3 * wait + late), 1);
}

Case(timewait, end_before_that_of_another_waits_for_it)
{
	adds(1, now + wait);
	adds(2, now);
	cr_assert_eq(timewait_expire(t, now + wait - 1), 0);
	cr_assert_eq(timewait_expire(t, now + wait + late), 2);
}

/* Ends are kept in 16 bits: an entry that nobody asked about must not come back. */
Case(timewait, entries_of_long_ago_are_gone)
{
	const uint64_t hour = 3600 * NS_PER_S;

	adds(1, now + wait);
	adds(2, now + hour);
	cr_assert_neq(finds(1), TIMEWAIT_NONE);
	adds(3, now + 2 * hour);
	cr_assert_eq(finds(1), TIMEWAIT_NONE);
	cr_assert_neq(finds(2), TIMEWAIT_NONE);
	adds(4, now + 100 * hour);
	cr_assert_eq(timewait_count(t), 1);
	cr_assert_geq(timewait_due(t), now + 100 * hour);
}

Case(timewait, has_a_least_and_a_most_number_of_entries)
{
	struct timewait *none = NULL;

	cr_assert_eq(timewait_new(&none, 0, &key), -EINVAL);
	cr_assert_eq(timewait_new(&none, TIMEWAIT_MAX + 1, &key), -EINVAL);
	cr_assert_null(none);
	cr_assert_eq(timewait_new(&none, TIMEWAIT_MAX, &key), 0);
	timewait_free(none);
}
