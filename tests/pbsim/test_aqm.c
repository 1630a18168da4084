#include <criterion/criterion.h>
#include <math.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"
#include "tests/pbsim/frames.h"

enum { LEN = 1500 };

static struct frame_shop shop;
static struct rng rng;
static struct aqm *q;

static void begin(void)
{
	frame_shop_init(&shop);
	rng_init(&rng, 5);
}

TestSuite(aqm, .init = begin);

static void make(const struct aqm_conf *conf)
{
	q = aqm_new(conf, &shop, &rng, 12000000);
	cr_assert_not_null(q);
}

/* Nothing may be out at the end of a test. */
static void end(void)
{
	aqm_free(q);
	cr_assert_eq(shop.n_out, 0);
	frame_shop_fini(&shop);
}

static void put(uint16_t port, enum frame_ecn ecn, uint64_t now_ns)
{
	aqm_enqueue(q, frame_made(&shop, LEN, ecn, port), now_ns);
}

/* The port of who comes out; 0: nobody. */
static unsigned take(uint64_t now_ns)
{
	struct frame *f = aqm_dequeue(q, now_ns);
	unsigned port;

	if (!f)
		return 0;
	port = (unsigned)f->bytes[20] << 8 | f->bytes[21];
	frame_free(&shop, f);
	return port;
}

/* ---- tail ---- */

Test(aqm, tail_drops_what_finds_it_full_and_keeps_order)
{
	make(&(struct aqm_conf){ .limit_bytes = 3 * LEN });
	for (uint16_t i = 1; i <= 5; i++)
		put(i, FRAME_ECT0, 0);
	cr_assert_eq(q->stats.full, 2);
	cr_assert_eq(q->stats.peak, 3 * LEN);
	for (unsigned i = 1; i <= 3; i++)
		cr_assert_eq(take(NS_PER_MS), i);
	cr_assert_eq(take(NS_PER_MS), 0);
	cr_assert_eq(q->stats.waited_max_ns, NS_PER_MS);
	cr_assert_eq(q->stats.marked, 0);
	end();
}

Test(aqm, tail_marks_by_a_step_what_finds_more_than_k)
{
	make(&(struct aqm_conf){ .limit_bytes = 100 * LEN, .mark_bytes = 4 * LEN });
	for (uint16_t i = 1; i <= 10; i++)
		put(i, FRAME_ECT0, 0);
	/* The sixth is the first that finds five waiting. */
	cr_assert_eq(q->stats.marked, 5);
	put(11, FRAME_NOT_ECT, 0);
	cr_assert_eq(q->stats.marked, 5);
	cr_assert_eq(q->stats.full + q->stats.early, 0);
	end();
}

Test(aqm, one_frame_has_room_always)
{
	make(&(struct aqm_conf){ .limit_bytes = 10 });
	put(1, FRAME_NOT_ECT, 0);
	cr_assert_eq(take(0), 1);
	end();
}

/* ---- red ---- */

Test(aqm, red_averages_exponentially)
{
	double avg = 0;

	for (unsigned i = 0; i < 1000; i++)
		avg = red_average(avg, 0.002, 30000);
	/* Floyd and Jacobson 1993, 4.1: after L arrivals at a constant q */
	cr_assert_float_eq(avg, 30000 * (1 - pow(1 - 0.002, 1000)), 1e-6);
}

Test(aqm, red_spaces_its_marks_evenly)
{
	struct aqm_conf conf = { .min_bytes = 10000, .max_bytes = 30000, .max_p = 0.1 };
	double left = 1, mean = 0;
	unsigned gap = 0;

	/* Half way: p_b is 0.05.  Their 4.3, method 2: gaps of 1 to 1/p_b, all alike. */
	while (left > 1e-12 && gap < 100) {
		double p = red_chance(&conf, 20000, gap);

		gap++;
		cr_assert_float_eq(left * p, 0.05, 1e-9, "gap %u", gap);
		mean += gap * left * p;
		left *= 1 - p;
	}
	cr_assert_eq(gap, 20);
	cr_assert_float_eq(mean, 10.5, 1e-9);
}

Test(aqm, red_leaves_a_short_queue_alone)
{
	make(&(struct aqm_conf){ .kind = AQM_RED, .min_bytes = 10 * LEN });
	for (unsigned i = 0; i < 10000; i++) {
		put(1, FRAME_ECT0, i * NS_PER_MS);
		put(1, FRAME_NOT_ECT, i * NS_PER_MS);
		take(i * NS_PER_MS);
		take(i * NS_PER_MS);
	}
	cr_assert_eq(q->stats.early + q->stats.marked + q->stats.full, 0);
	end();
}

/* Keeps @n frames waiting through @rounds arrivals. */
static void hold_red(unsigned n, unsigned rounds, enum frame_ecn ecn)
{
	for (unsigned i = 0; i < rounds; i++) {
		while (q->n > n)
			take(i);
		put(1, ecn, i);
	}
}

Test(aqm, red_drops_by_chance_between_its_thresholds)
{
	make(&(struct aqm_conf){ .kind = AQM_RED,
				 .limit_bytes = 1000 * LEN,
				 .min_bytes = 10 * LEN,
				 .max_bytes = 30 * LEN,
				 .max_p = 0.1,
				 .weight = 0.02 });
	hold_red(20, 2000, FRAME_NOT_ECT);
	q->stats.early = 0;
	hold_red(20, 21000, FRAME_NOT_ECT);
	/* One of 10.5, as the average stands half way. */
	cr_assert_float_eq((double)q->stats.early, 2000, 200);
	cr_assert_eq(q->stats.full, 0);
	end();
}

Test(aqm, red_marks_between_and_drops_above)
{
	make(&(struct aqm_conf){ .kind = AQM_RED,
				 .ecn = true,
				 .limit_bytes = 1000 * LEN,
				 .min_bytes = 10 * LEN,
				 .max_bytes = 30 * LEN,
				 .weight = 0.02 });
	hold_red(20, 5000, FRAME_ECT0);
	cr_assert_gt(q->stats.marked, 100);
	cr_assert_eq(q->stats.early, 0);
	q->stats.marked = 0;
	hold_red(100, 500, FRAME_ECT0);
	cr_assert_gt(q->stats.early, 100);
	end();
}

Test(aqm, red_forgets_while_nothing_comes)
{
	make(&(struct aqm_conf){ .kind = AQM_RED,
				 .limit_bytes = 1000 * LEN,
				 .min_bytes = 10 * LEN,
				 .max_bytes = 30 * LEN,
				 .weight = 0.02 });
	hold_red(25, 1000, FRAME_NOT_ECT);
	while (take(1000))
		;
	q->stats.early = 0;
	/* A second of 1 ms frames could have left: the average is zero again. */
	for (unsigned i = 0; i < 10; i++)
		put(1, FRAME_NOT_ECT, NS_PER_S);
	cr_assert_eq(q->stats.early, 0);
	end();
}

/* ---- codel ---- */

/*
 * Every millisecond one goes out that waited @wait_ms, @ms milliseconds long.  The times
 * at which one is dropped or marked are written to @at_ms; how many.  More than enough
 * wait all the time, each as long as it would in a queue that stands.
 */
static unsigned stand(unsigned wait_ms, enum frame_ecn ecn, unsigned n_ms,
		      unsigned *at_ms)
{
	unsigned n = 0, next = 1000 - wait_ms;

	for (unsigned ms = 1000; ms < 1000 + n_ms; ms++) {
		uint64_t before = q->stats.early + q->stats.marked;

		for (; next <= ms - wait_ms + 2; next++)
			for (unsigned k = 0; k < 4; k++)
				put(1, ecn, (ms - wait_ms) * NS_PER_MS);
		take(ms * NS_PER_MS);
		if (q->stats.early + q->stats.marked > before)
			at_ms[n++] = ms - 1000;
	}
	return n;
}

/* RFC 8289 5.3: after an interval, and then ever sooner, by the square root. */
static void check_times(const unsigned *at_ms, unsigned n)
{
	double next = at_ms[0];

	cr_assert_eq(at_ms[0], 100);
	for (unsigned i = 1; i < n; i++) {
		next += 100 / sqrt(i);
		cr_assert_float_eq(at_ms[i], ceil(next), 1, "drop %u", i);
	}
}

Test(aqm, codel_next_drop_is_by_the_square_root)
{
	cr_assert_eq(codel_next(7, 100 * NS_PER_MS, 1), 7 + 100 * NS_PER_MS);
	cr_assert_eq(codel_next(7, 100 * NS_PER_MS, 4), 7 + 50 * NS_PER_MS);
	cr_assert_eq(codel_next(7, 100 * NS_PER_MS, 100), 7 + 10 * NS_PER_MS);
}

Test(aqm, codel_drops_from_a_standing_queue_ever_sooner)
{
	unsigned at_ms[100], n;

	make(&(struct aqm_conf){ .kind = AQM_CODEL, .limit_bytes = 1 << 30 });
	n = stand(20, FRAME_NOT_ECT, 600, at_ms);
	cr_assert_geq(n, 6);
	check_times(at_ms, n);
	cr_assert_eq(q->stats.marked, 0);
	end();
}

Test(aqm, codel_marks_at_the_same_times_and_drops_none)
{
	unsigned at_ms[100], n;

	make(&(struct aqm_conf){
		.kind = AQM_CODEL, .ecn = true, .limit_bytes = 1 << 30 });
	n = stand(20, FRAME_ECT0, 600, at_ms);
	cr_assert_geq(n, 6);
	check_times(at_ms, n);
	cr_assert_eq(q->stats.early, 0);
	cr_assert_eq(q->stats.marked, n);
	end();
}

Test(aqm, codel_drops_who_cannot_read_marks)
{
	unsigned at_ms[100];

	make(&(struct aqm_conf){
		.kind = AQM_CODEL, .ecn = true, .limit_bytes = 1 << 30 });
	stand(20, FRAME_NOT_ECT, 150, at_ms);
	cr_assert_eq(q->stats.marked, 0);
	cr_assert_gt(q->stats.early, 0);
	end();
}

Test(aqm, codel_is_content_below_its_target)
{
	for (unsigned ms = 1000; ms < 3000; ms++) {
		if (ms == 1000)
			make(&(struct aqm_conf){ .kind = AQM_CODEL });
		for (unsigned i = 0; i < 4; i++)
			put(1, FRAME_NOT_ECT, ms * NS_PER_MS);
		for (unsigned i = 0; i < 4; i++)
			cr_assert_eq(take(ms * NS_PER_MS + 4 * NS_PER_MS), 1);
	}
	cr_assert_eq(q->stats.early, 0);
	end();
}

Test(aqm, codel_never_takes_the_last_frame)
{
	make(&(struct aqm_conf){ .kind = AQM_CODEL });
	for (unsigned s = 1; s < 100; s++) {
		put(1, FRAME_NOT_ECT, s * NS_PER_S);
		cr_assert_eq(take((s + 1) * NS_PER_S), 1);
	}
	cr_assert_eq(q->stats.early, 0);
	end();
}

Test(aqm, codel_goes_on_where_it_was_when_the_queue_comes_back_soon)
{
	unsigned at_ms[200], first, n;

	make(&(struct aqm_conf){ .kind = AQM_CODEL, .limit_bytes = 1 << 30 });
	first = stand(20, FRAME_NOT_ECT, 600, at_ms);
	cr_assert_geq(first, 8);
	/* One that did not wait ends it. */
	while (q->n)
		take(1601 * NS_PER_MS);
	put(1, FRAME_NOT_ECT, 1601 * NS_PER_MS);
	take(1601 * NS_PER_MS);
	for (n = 0; n < 3;) {
		static uint64_t ms = 1602;
		uint64_t before = q->stats.early;

		for (unsigned i = 0; i < 8; i++)
			put(1, FRAME_NOT_ECT, (ms - 20) * NS_PER_MS);
		take(ms * NS_PER_MS);
		if (q->stats.early > before)
			at_ms[n++] = (unsigned)ms;
		ms++;
	}
	/* RFC 8289 5.5: not from a whole interval again, as at first. */
	cr_assert_lt(at_ms[2] - at_ms[1], 100 / sqrt(first - 2) + 2);
	end();
}

/* ---- fq_codel ---- */

Test(aqm, fq_codel_serves_flows_in_turns)
{
	unsigned n[3] = { 0 };

	make(&(struct aqm_conf){ .kind = AQM_FQ_CODEL });
	for (unsigned i = 0; i < 100; i++)
		put(1, FRAME_NOT_ECT, 0);
	for (unsigned i = 0; i < 20; i++)
		put(2, FRAME_NOT_ECT, 0);
	for (unsigned i = 0; i < 20; i++)
		n[take(0)]++;
	cr_assert_geq(n[1], 9);
	cr_assert_leq(n[1], 11);
	end();
}

Test(aqm, fq_codel_lets_who_begins_go_first)
{
	make(&(struct aqm_conf){ .kind = AQM_FQ_CODEL });
	for (unsigned i = 0; i < 50; i++)
		put(1, FRAME_NOT_ECT, 0);
	take(0);
	take(0);
	put(2, FRAME_NOT_ECT, 0);
	cr_assert_eq(take(0), 2);
	cr_assert_eq(take(0), 1);
	end();
}

Test(aqm, fq_codel_gives_turns_in_bytes)
{
	unsigned big = 0, small = 0;

	make(&(struct aqm_conf){ .kind = AQM_FQ_CODEL });
	for (unsigned i = 0; i < 200; i++)
		put(1, FRAME_NOT_ECT, 0);
	for (unsigned i = 0; i < 2000; i++)
		aqm_enqueue(q, frame_made(&shop, 150, FRAME_NOT_ECT, 2), 0);
	for (unsigned i = 0; i < 550; i++) {
		if (take(0) == 1)
			big++;
		else
			small++;
	}
	cr_assert_float_eq(small, 10.0 * big, 15);
	end();
}

Test(aqm, fq_codel_makes_the_fattest_pay)
{
	make(&(struct aqm_conf){ .kind = AQM_FQ_CODEL, .limit_bytes = 20 * LEN });
	put(2, FRAME_NOT_ECT, 0);
	for (unsigned i = 0; i < 20; i++)
		put(1, FRAME_NOT_ECT, 0);
	cr_assert_leq(q->bytes, 20 * LEN);
	cr_assert_gt(q->stats.full, 0);
	cr_assert_eq(take(0), 2);
	end();
}
