#include <criterion/criterion.h>

#include "stack/base/rng.h"
#include "tcp/sent.h"
#include "tests/lib/case.h"
#include "tests/lib/model_sent.h"

static struct sent_log l;
static struct sent_news news;

static const struct seq una = { 0xffffff00 }; /* so that every test goes across zero */

static struct seq at(uint32_t i)
{
	return seq_add(una, i);
}

static void setup(void)
{
	sent_init(&l, una);
	news = (struct sent_news){ 0 };
}

static void clean(void)
{
	sent_fini(&l);
	cr_assert_null(l.ring);
}

Cases(sent, setup, clean);

static uint32_t reports(uint32_t from, uint32_t to)
{
	uint32_t before = news.n_sacked;

	sent_sack(&l, (struct tcp_block){ at(from), at(to) }, &news);
	sent_check(&l, l.una, sent_start(&l, l.n));
	return news.n_sacked - before;
}

Case(sent, a_burst_is_one_entry)
{
	sent_add(&l, at(100), 10);
	sent_add(&l, at(200), 10);
	sent_add(&l, at(300), 11);
	cr_assert_eq(l.n, 2);
	cr_assert(seq_eq(sent_at(&l, 0)->end, at(200)));
	cr_assert_eq(sent_at(&l, 1)->at_us, 11);
}

Case(sent, a_log_has_a_longest)
{
	uint32_t n = SENT_ENTRIES_MAX + 100;

	for (uint32_t i = 0; i < n; i++)
		sent_add(&l, at(i + 1), i);
	cr_assert_leq(l.n, SENT_ENTRIES_MAX - 2 * SENT_RANGES_MAX);
	cr_assert_eq(sent_at(&l, l.n - 1)->at_us, n - 1);
	/* What is in flight can be reported all the same. */
	for (uint32_t i = 0; i < SENT_RANGES_MAX; i++)
		cr_assert_eq(reports(7000 + 4 * i, 7001 + 4 * i), 1);
	cr_assert_leq(l.n, SENT_ENTRIES_MAX);
	cr_assert_eq(l.room, SENT_ENTRIES_MAX);
}

Case(sent, an_empty_log_rests_without_memory)
{
	for (uint32_t i = 0; i < 100; i++)
		sent_add(&l, at(i + 1), i);
	sent_rest(&l);
	cr_assert_eq(l.n, 100);
	sent_ack(&l, at(100), &news);
	cr_assert_not_null(l.ring);
	sent_rest(&l);
	cr_assert_null(l.ring);
	cr_assert_eq(l.delivered, 100);
	sent_add(&l, at(200), 7);
	sent_check(&l, at(100), at(200));
}

Case(sent, at_the_limit_ranges_can_still_grow)
{
	sent_add(&l, at(4 * SENT_RANGES_MAX + 100), 1);
	for (uint32_t i = 0; i < SENT_RANGES_MAX; i++)
		cr_assert_eq(reports(4 * i + 1, 4 * i + 2), 1);
	cr_assert_eq(reports(4 * SENT_RANGES_MAX + 50, 4 * SENT_RANGES_MAX + 60), 0,
		     "one too many");
	cr_assert_eq(reports(2, 3), 1, "behind one");
	cr_assert_eq(reports(4, 5), 1, "before one");
	cr_assert_eq(reports(4 * SENT_RANGES_MAX - 3, 4 * SENT_RANGES_MAX + 20), 22,
		     "the last one grows");
	cr_assert_eq(l.n_ranges, SENT_RANGES_MAX);
	cr_assert_eq(reports(3, 4), 1, "and melt");
	cr_assert_eq(l.n_ranges, SENT_RANGES_MAX - 1);
	cr_assert_eq(reports(4 * SENT_RANGES_MAX + 50, 4 * SENT_RANGES_MAX + 60), 10);
}

Case(sent, what_waits_comes_in_pieces)
{
	/* RFC 6675 NextSeg: nobody sends more at once, and the walk is short */
	struct tcp_block hole;

	for (uint32_t i = 0; i < 4000; i++) {
		sent_add(&l, at(100 * (i + 1)), i);
		sent_lose(&l, i);
	}
	cr_assert(sent_next_lost(&l, &hole));
	cr_assert_geq(seq_dist(hole.start, hole.end), 65535);
	cr_assert_lt(seq_dist(hole.start, hole.end), 65535 + 100);
}

Case(sent, reports_grow_together)
{
	sent_add(&l, at(1000), 1);
	cr_assert_eq(reports(100, 200), 100);
	cr_assert_eq(reports(300, 400), 100);
	cr_assert_eq(reports(100, 200), 0);
	cr_assert_eq(reports(150, 250), 50);
	cr_assert_eq(l.n_ranges, 2);
	cr_assert_eq(reports(250, 300), 50);
	cr_assert_eq(l.n_ranges, 1);
	cr_assert_eq(l.n_sacked, 300);
	cr_assert_eq(reports(50, 500), 150);
	cr_assert_eq(l.n, 3);
	cr_assert_eq(sent_pipe(&l, 1000), 550);
}

Case(sent, nonsense_is_ignored)
{
	sent_add(&l, at(1000), 1);
	cr_assert_eq(reports(200, 200), 0);
	cr_assert_eq(reports(200, 100), 0);
	cr_assert_eq(reports(0, 100), 0);
	cr_assert_eq(reports((uint32_t)-50, 50), 0);
	cr_assert_eq(reports(900, 1001), 0);
	cr_assert_eq(l.n, 1);
}

Case(sent, ranges_have_a_limit)
{
	sent_add(&l, at(100000), 1);
	for (uint32_t i = 0; i < SENT_RANGES_MAX; i++)
		cr_assert_eq(reports(10 + 4 * i, 12 + 4 * i), 2);
	cr_assert_eq(reports(5000, 5001), 0);
	cr_assert_eq(l.n_ranges, SENT_RANGES_MAX);
	cr_assert_eq(l.n, 2 * SENT_RANGES_MAX + 1);
}

Case(sent, what_is_lost_leaves_the_network_and_comes_back)
{
	struct tcp_block hole;

	sent_add(&l, at(300), 1);
	sent_add(&l, at(600), 2);
	cr_assert(!sent_next_lost(&l, &hole));
	sent_lose(&l, 0);
	cr_assert_eq(sent_pipe(&l, 600), 300);
	cr_assert(sent_next_lost(&l, &hole));
	cr_assert(seq_eq(hole.start, at(0)) && seq_eq(hole.end, at(300)));
	hole.end = at(100);
	sent_again(&l, hole, 3);
	cr_assert_eq(sent_pipe(&l, 600), 400);
	cr_assert(sent_next_lost(&l, &hole));
	cr_assert(seq_eq(hole.start, at(100)) && seq_eq(hole.end, at(300)));
	/* and the copy, too, may be lost */
	sent_lose(&l, 0);
	cr_assert(sent_next_lost(&l, &hole));
	/* ... and goes with what was lost beside it */
	cr_assert(seq_eq(hole.start, at(0)) && seq_eq(hole.end, at(300)));
	sent_again(&l, hole, 4);
	cr_assert_eq(sent_pipe(&l, 600), 600);
	cr_assert_eq(l.n, 2);
	sent_lose(&l, 0);
	sent_find_all(&l);
	cr_assert_eq(sent_pipe(&l, 600), 600);
	cr_assert(!sent_next_lost(&l, &hole));
}

Case(sent, an_ack_of_a_copy_that_may_be_of_the_first_is_no_sign)
{
	sent_add(&l, at(100), 10);
	sent_add(&l, at(200), 20);
	sent_lose(&l, 0);
	sent_again(&l, (struct tcp_block){ at(0), at(100) }, 50);
	news = (struct sent_news){ .now_us = 60, .sure_us = 40 };
	sent_ack(&l, at(100), &news);
	cr_assert(!news.has_rack && news.is_again && !news.has_once);
	cr_assert(news.has_last && news.last.at_us == 50);
	news = (struct sent_news){ .now_us = 60, .sure_us = 40 };
	sent_ack(&l, at(200), &news);
	cr_assert(news.has_rack && news.rack.at_us == 20 && news.has_once);
}

Case(sent, reordering_is_seen_below_what_was_delivered)
{
	sent_add(&l, at(300), 1);
	reports(200, 300);
	cr_assert(!news.reordered);
	news = (struct sent_news){ .high = at(300) };
	reports(100, 200);
	cr_assert(news.reordered);
}

Case(sent, a_peer_that_forgets_is_found_out)
{
	sent_add(&l, at(300), 1);
	reports(100, 200);
	cr_assert(!sent_reneged(&l));
	sent_ack(&l, at(100), &news);
	cr_assert(sent_reneged(&l));
	sent_forget_sacks(&l);
	cr_assert_eq(l.n_sacked, 0);
	cr_assert(!sent_reneged(&l));
}

Case(sent, agrees_with_a_model_that_knows_each_byte)
{
	struct rng rng;
	uint8_t input[2000];

	rng_init(&rng, 4);
	for (unsigned n = 0; n < 400; n++) {
		for (size_t i = 0; i < sizeof(input); i++)
			input[i] = (uint8_t)rng_u64(&rng);
		model_sent(input, sizeof(input));
	}
}
