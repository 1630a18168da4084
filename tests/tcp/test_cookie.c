#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "stack/base/rng.h"
#include "tcp/cookie.h"

#define SLOT_NS (COOKIE_SLOT_S * NS_PER_S)

static const struct hash_key key = { { 11, 12 } }, other_key = { { 11, 13 } };
static const struct seq irs = { 0x80000001 };
static const uint64_t now = 1000 * SLOT_NS;

static struct flow flow(uint8_t last, uint16_t remote_port)
{
	return (struct flow){
		.local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
		.remote = addr_ip4((struct ip4){ { 192, 0, 2, last } }),
		.local_port = 25,
		.remote_port = remote_port,
	};
}

Test(cookie, carries_the_mss_rounded_down)
{
	static const struct {
		uint16_t said, carried;
	} cases[] = { { 0, 64 },       { 64, 64 },     { 535, 64 },    { 536, 536 },
		      { 1219, 536 },   { 1452, 1440 }, { 1460, 1460 }, { 8959, 1460 },
		      { 65535, 8960 }, { 1220, 1220 }, { 1360, 1300 } };
	struct flow f = flow(2, 40000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct seq c = cookie_make(&key, &f, irs, cases[i].said, now);
		uint16_t mss = 0;

		cr_assert(cookie_check(&key, &f, irs, c, now, &mss));
		cr_assert_eq(mss, cases[i].carried);
	}
}

Test(cookie, counts_in_its_slot_and_the_next)
{
	struct flow f = flow(2, 40000);
	struct seq c = cookie_make(&key, &f, irs, 1460, now);
	uint16_t mss;

	cr_assert(cookie_check(&key, &f, irs, c, now + 2 * SLOT_NS - 1, &mss));
	cr_assert(!cookie_check(&key, &f, irs, c, now + 2 * SLOT_NS, &mss));
	cr_assert(!cookie_check(&key, &f, irs, c, now - 1, &mss));
	/* nor when eight bits of slots came round */
	cr_assert(!cookie_check(&key, &f, irs, c, now + 256 * SLOT_NS, &mss));
}

Test(cookie, counts_right_after_the_start)
{
	struct flow f = flow(2, 40000);
	struct seq c = cookie_make(&key, &f, irs, 1460, 0);
	uint16_t mss;

	cr_assert(cookie_check(&key, &f, irs, c, 0, &mss));
	/* no slot was before the first: what claims to be from there is a guess */
	for (uint32_t low = 0; low < 1000; low++)
		cr_assert(!cookie_check(&key, &f, irs, seq_add(c, 0xff000000 + low), 0,
					&mss));
}

Test(cookie, counts_for_its_flow_and_number_and_key_only)
{
	struct flow f = flow(2, 40000), other_host = flow(3, 40000),
		    other_port = flow(2, 40001);
	struct seq c = cookie_make(&key, &f, irs, 1460, now);
	uint16_t mss = 7;

	cr_assert(!cookie_check(&key, &other_host, irs, c, now, &mss));
	cr_assert(!cookie_check(&key, &other_port, irs, c, now, &mss));
	cr_assert(!cookie_check(&other_key, &f, irs, c, now, &mss));
	cr_assert(!cookie_check(&key, &f, seq_add(irs, 1), c, now, &mss));
	cr_assert_eq(mss, 7);
}

Test(cookie, guesses_fail)
{
	struct flow f = flow(2, 40000);
	unsigned n_passed = 0;
	struct rng rng;
	uint16_t mss;

	rng_init(&rng, 1);
	for (int i = 0; i < 100000; i++)
		n_passed += cookie_check(&key, &f, irs, (struct seq){ rng_u32(&rng) },
					 now, &mss);
	cr_assert_eq(n_passed, 0);
}

/* RFC 9293 3.4.1: numbers of a flow go forward, so that old segments are old. */
Test(cookie, numbers_of_a_flow_go_forward_with_time)
{
	struct flow f = flow(2, 40000);

	for (uint64_t i = 0; i < 100; i++) {
		struct seq a = cookie_make(&key, &f, irs, 1460, now + i * SLOT_NS);
		struct seq b = cookie_make(&key, &f, irs, 1460, now + (i + 2) * SLOT_NS);

		cr_assert(seq_before(a, b));
	}
}

static bool same(struct cookie_opts a, struct cookie_opts b)
{
	return a.has_wscale == b.has_wscale && a.wscale == b.wscale && a.sack == b.sack;
}

Test(cookie, timestamp_carries_the_options)
{
	for (unsigned i = 0; i < 32; i++) {
		struct cookie_opts opts = { .has_wscale = i % 16 < 15,
					    .wscale = i % 16 < 15 ? i % 16 : 0,
					    .sack = i / 16 };

		for (uint32_t ts = UINT32_MAX - 100; ts != 200; ts++) {
			uint32_t said = cookie_ts(ts, opts);

			/* the latest: less than one round of six bits ago */
			cr_assert_lt(ts - said, 64);
			cr_assert(same(cookie_ts_read(said), opts));
		}
	}
}
