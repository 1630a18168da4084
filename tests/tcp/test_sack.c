#include <criterion/criterion.h>

#include "stack/base/rng.h"
#include "tcp/sack.h"
#include "tests/lib/case.h"
#include "tests/lib/model_sack.h"

enum { MSS = 100 };

static struct sack_board board;
static bool dsack;

static const struct seq una = { 0xffffff00 }; /* so that every test goes across zero */

static struct seq at(uint32_t i)
{
	return seq_add(una, i);
}

static void setup(void)
{
	sack_init(&board);
}

static void clean(void)
{
	sack_fini(&board);
	cr_assert_null(board.ranges);
}

Cases(sack, setup, clean);

static struct tcp_block block(uint32_t from, uint32_t to)
{
	return (struct tcp_block){ at(from), at(to) };
}

static uint32_t reports(struct tcp_block a)
{
	struct tcp_seg seg = { .n_sack = 1, .sack = { a } };
	uint32_t n = sack_update(&board, &seg, una, at(100000), &dsack);

	sack_check(&board, una, at(100000));
	return n;
}

static void hole_is(uint32_t from, uint32_t to, uint32_t start, uint32_t end)
{
	struct tcp_block hole;

	cr_assert(sack_hole(&board, at(from), at(to), &hole));
	cr_assert_eq(seq_dist(una, hole.start), start);
	cr_assert_eq(seq_dist(una, hole.end), end);
}

Case(sack, blocks_grow_together)
{
	cr_assert_eq(reports(block(100, 200)), 100);
	cr_assert_eq(reports(block(300, 400)), 100);
	cr_assert_eq(reports(block(100, 200)), 0);
	cr_assert_eq(reports(block(150, 250)), 50);
	cr_assert_eq(board.n, 2);
	cr_assert_eq(reports(block(250, 300)), 50);
	cr_assert_eq(board.n, 1);
	cr_assert_eq(board.n_sacked, 300);
	cr_assert_eq(reports(block(50, 500)), 150);
	cr_assert_eq(board.n, 1);
}

Case(sack, several_blocks_of_a_segment_count_once)
{
	struct tcp_seg seg = { .n_sack = 4,
			       .sack = { block(500, 600), block(100, 200),
					 block(150, 300), block(600, 700) } };

	cr_assert_eq(sack_update(&board, &seg, una, at(1000), &dsack), 400);
	cr_assert(!dsack);
	cr_assert_eq(board.n, 2);
}

Case(sack, nonsense_is_ignored)
{
	struct tcp_seg seg = { .n_sack = 1, .sack = { block(900, 1001) } };

	cr_assert_eq(reports(block(200, 200)), 0);
	cr_assert_eq(reports(block(200, 100)), 0);
	cr_assert_eq(reports(block(0, 100)), 0);
	cr_assert_eq(reports(block((uint32_t)-50, 50)), 0);
	cr_assert_eq(sack_update(&board, &seg, una, at(1000), &dsack), 0);
	cr_assert(!dsack);
	cr_assert_eq(board.n, 0);
	cr_assert_null(board.ranges);
}

Case(sack, what_came_twice_is_told_but_not_entered)
{
	struct tcp_seg seg = { .n_sack = 2,
			       .sack = { block(220, 240), block(200, 300) } };

	cr_assert_eq(reports(block((uint32_t)-100, 0)), 0);
	cr_assert(dsack);
	cr_assert_eq(sack_update(&board, &seg, una, at(1000), &dsack), 100);
	cr_assert(dsack);
	/* only the first block may say so */
	seg.sack[0] = block(400, 500);
	seg.sack[1] = block((uint32_t)-100, 0);
	cr_assert_eq(sack_update(&board, &seg, una, at(1000), &dsack), 100);
	cr_assert(!dsack);
	/* and a copy of a whole block is one, too */
	seg.sack[0] = seg.sack[1] = block(200, 300);
	cr_assert_eq(sack_update(&board, &seg, una, at(1000), &dsack), 0);
	cr_assert(dsack);
}

Case(sack, ranges_have_a_limit)
{
	for (uint32_t i = 0; i < SACK_RANGES_MAX; i++)
		cr_assert_eq(reports(block(10 + 4 * i, 12 + 4 * i)), 2);
	cr_assert_eq(reports(block(5000, 5001)), 0);
	cr_assert_eq(reports(block(5, 6)), 0);
	cr_assert_eq(board.n, SACK_RANGES_MAX);
	/* but those that are there may grow, and make room */
	cr_assert_eq(reports(block(12, 14)), 2);
	cr_assert_eq(reports(block(5000, 5001)), 1);
}

Case(sack, acknowledged_ranges_go_with_their_memory)
{
	reports(block(100, 200));
	reports(block(300, 400));
	sack_ack(&board, at(250));
	sack_check(&board, at(250), at(1000));
	cr_assert_eq(board.n, 1);
	cr_assert_eq(board.n_sacked, 100);
	sack_ack(&board, at(400));
	cr_assert_eq(board.n_sacked, 0);
	cr_assert_null(board.ranges);
}

Case(sack, peer_that_stops_inside_a_range_has_lost_it)
{
	reports(block(100, 200));
	reports(block(300, 400));
	sack_ack(&board, at(150));
	cr_assert(!sack_has(&board, at(160)));
	cr_assert(sack_has(&board, at(300)));
	sack_ack(&board, at(300));
	cr_assert_eq(board.n_sacked, 0);
}

Case(sack, everything_can_be_forgotten)
{
	reports(block(100, 200));
	sack_clear(&board);
	cr_assert(!sack_has(&board, at(100)));
	cr_assert(seq_eq(sack_high(&board, una), una));
	cr_assert_eq(reports(block(100, 200)), 100);
}

Case(sack, three_ranges_above_make_a_loss)
{
	reports(block(100, 101));
	reports(block(200, 201));
	cr_assert(!sack_is_lost(&board, una, MSS));
	reports(block(300, 301));
	cr_assert(sack_is_lost(&board, una, MSS));
	cr_assert(sack_is_lost(&board, at(99), MSS));
	cr_assert(!sack_is_lost(&board, at(150), MSS));
}

Case(sack, more_than_two_segments_above_make_a_loss)
{
	reports(block(100, 300));
	cr_assert(!sack_is_lost(&board, una, MSS));
	reports(block(100, 301));
	cr_assert(sack_is_lost(&board, una, MSS));
	cr_assert(!sack_is_lost(&board, at(301), MSS));
}

Case(sack, holes_are_what_is_not_reported)
{
	struct tcp_block hole;

	hole_is(0, 500, 0, 500);
	reports(block(100, 200));
	reports(block(300, 400));
	hole_is(0, 500, 0, 100);
	hole_is(100, 500, 200, 300);
	hole_is(250, 260, 250, 260);
	hole_is(300, 500, 400, 500);
	cr_assert(!sack_hole(&board, at(300), at(400), &hole));
	cr_assert(!sack_hole(&board, at(350), at(380), &hole));
	cr_assert(!sack_hole(&board, at(50), at(50), &hole));
}

Case(sack, pipe_is_what_is_neither_reported_nor_lost)
{
	cr_assert_eq(sack_pipe(&board, una, at(1000), una, MSS), 1000);
	reports(block(200, 300));
	cr_assert_eq(sack_pipe(&board, una, at(1000), una, MSS), 900);
	/* 300 above the first hole: its 200 bytes are lost */
	reports(block(300, 500));
	cr_assert_eq(sack_pipe(&board, una, at(1000), una, MSS), 500);
	/* and in the network again when they were sent again */
	cr_assert_eq(sack_pipe(&board, una, at(1000), at(150), MSS), 650);
	cr_assert_eq(sack_pipe(&board, una, at(1000), at(400), MSS), 700);
}

Case(sack, agrees_with_a_map_of_bytes)
{
	struct rng rng;

	rng_init(&rng, 6675);
	for (int i = 0; i < 200; i++) {
		uint8_t input[2000];

		for (size_t j = 0; j < sizeof(input); j++)
			input[j] = (uint8_t)rng_u64(&rng);
		model_sack(input, sizeof(input));
	}
}
