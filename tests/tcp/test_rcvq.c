#include <criterion/criterion.h>

#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "tcp/rcvq.h"
#include "tests/lib/case.h"
#include "tests/lib/model_rcvq.h"

enum { N_BUFS = 1024, N_PKTS = 4096, HEADERS = 66, LIMIT = 1 << 20 };

static struct pkt_pool pool;
static struct rcvq q;
static struct seq nxt;
static uint32_t n_read; /* bytes of the stream that were taken out */

static const struct seq start = { 0xffffff00 }; /* so that every test goes across zero */

static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, N_PKTS, N_BUFS), 0);
	rcvq_init(&q);
	nxt = start;
}

static void clean(void)
{
	rcvq_check(&q, nxt);
	rcvq_fini(&q);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(rcvq, setup, clean);

/* Byte number @at of the stream that all tests receive. */
static uint8_t stream(uint32_t at)
{
	return (uint8_t)((at * 2654435761u) >> 16);
}

/* A payload as a driver leaves it: behind headers, in buffers that are full. */
static struct pkt *payload(uint32_t at, uint32_t len)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, HEADERS);

	cr_assert_not_null(p);
	for (uint32_t i = 0; i < len;) {
		struct pkt *d = p;

		if (i) {
			d = pkt_new_buf(&pool, PKT_DATA, 0);
			cr_assert_not_null(d);
		}
		while (i < len && pkt_room(d)) {
			pkt_append(d, &(uint8_t){ stream(at + i) }, 1);
			i++;
		}
		if (d != p)
			pkt_chain(p, d);
	}
	return p;
}

static void comes(uint32_t len)
{
	nxt = rcvq_add(&q, &pool, payload(seq_dist(start, nxt), len), nxt);
	rcvq_check(&q, nxt);
}

/* Bytes from @at on come early; how many were new. */
static uint32_t early(uint32_t at, uint32_t len)
{
	bool full;
	uint32_t n = rcvq_add_early(&q, &pool, payload(at, len), seq_add(start, at),
				    LIMIT, &full);

	cr_assert(!full);
	rcvq_check(&q, nxt);
	return n;
}

static void reads(size_t len)
{
	static uint8_t out[1 << 18];

	cr_assert_eq(rcvq_read(&q, out, len, false), len);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(out[i], stream(n_read + (uint32_t)i), "byte %zu", i);
	n_read += (uint32_t)len;
	rcvq_check(&q, nxt);
}

Case(rcvq, gives_what_came_in_order)
{
	comes(1448);
	comes(1448);
	comes(3);
	cr_assert_eq(q.len, 2899);
	reads(1000);
	reads(1899);
	cr_assert_eq(q.len, 0);
	cr_assert_eq(q.pinned, 0);
}

Case(rcvq, gives_no_more_than_there_is)
{
	uint8_t out[8];

	cr_assert_eq(rcvq_read(&q, out, 8, false), 0);
	cr_assert_eq(rcvq_read(&q, out, 8, true), 0);
	cr_assert_null(rcvq_pop(&q));
	comes(3);
	cr_assert_eq(rcvq_read(&q, out, 8, true), 3);
	cr_assert_eq(rcvq_read(&q, out, 8, false), 3);
}

Case(rcvq, peeking_leaves_the_bytes)
{
	uint8_t out[3000];

	comes(1448);
	comes(1448);
	cr_assert_eq(rcvq_read(&q, out, 2000, true), 2000);
	for (uint32_t i = 0; i < 2000; i++)
		cr_assert_eq(out[i], stream(i));
	reads(2896);
}

Case(rcvq, small_payloads_are_copied_together)
{
	for (int i = 0; i < 1000; i++)
		comes(1);
	cr_assert_eq(pool.bufs.n_out, 1);
	reads(1000);
}

Case(rcvq, payload_without_a_buffer_gets_one)
{
	for (uint32_t i = 0; i < 200; i++) {
		struct pkt *p = pkt_new(&pool, PKT_DATA);

		*pkt_push(p, 1) = stream(i);
		nxt = rcvq_add(&q, &pool, p, nxt);
	}
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_eq(pool.pkts.n_out, 1);
	reads(200);
}

Case(rcvq, super_frames_stay_chains)
{
	struct pkt *p;

	comes(64000);
	p = rcvq_pop(&q);
	cr_assert_eq(p->total_len, 64000);
	cr_assert_not_null(p->next);
	cr_assert_null(p->link);
	cr_assert_eq(q.len, 0);
	cr_assert_eq(q.pinned, 0);
	pkt_free(p);
}

Case(rcvq, reading_a_super_frame_frees_it_piece_by_piece)
{
	comes(64000);
	for (int i = 0; i < 63; i++)
		reads(1000);
	/* the first descriptor carries the packet, the last bytes are in one or two */
	cr_assert_leq(pool.bufs.n_out, 3);
	reads(1000);
}

Case(rcvq, packets_are_popped_in_order)
{
	static const uint32_t lens[] = { 1400, 1300, 1200 };

	for (int i = 0; i < 3; i++)
		comes(lens[i]);
	for (int i = 0; i < 3; i++) {
		struct pkt *p = rcvq_pop(&q);

		cr_assert_eq(p->total_len, lens[i]);
		cr_assert_null(p->link);
		cr_assert_eq(p->data[0], stream(n_read));
		n_read += p->total_len;
		pkt_free(p);
	}
	cr_assert_null(rcvq_pop(&q));
}

Case(rcvq, early_bytes_wait_for_those_before)
{
	cr_assert_eq(early(1448, 1448), 1448);
	cr_assert_eq(q.len, 0);
	cr_assert_eq(q.ooo_len, 1448);
	comes(1448);
	cr_assert_eq(seq_dist(start, nxt), 2896);
	cr_assert_eq(q.ooo_len, 0);
	reads(2896);
}

Case(rcvq, only_the_first_island_lands)
{
	early(2000, 1000);
	early(4000, 1000);
	comes(2000);
	cr_assert_eq(seq_dist(start, nxt), 3000);
	cr_assert_eq(q.n_islands, 1);
	reads(3000);
	comes(1000);
	reads(2000);
}

Case(rcvq, what_comes_twice_is_not_kept_twice)
{
	cr_assert_eq(early(1000, 1000), 1000);
	cr_assert_eq(early(1000, 1000), 0);
	cr_assert_eq(early(1200, 500), 0);
	cr_assert_eq(early(500, 1000), 500);
	cr_assert_eq(early(1500, 1000), 500);
	cr_assert_eq(early(400, 3000), 100 + 900);
	cr_assert_eq(q.n_islands, 1);
	comes(400);
	reads(3400);
}

Case(rcvq, islands_that_touch_become_one)
{
	early(1000, 500);
	early(2000, 500);
	cr_assert_eq(q.n_islands, 2);
	cr_assert_eq(early(1500, 500), 500);
	cr_assert_eq(q.n_islands, 1);
	cr_assert_eq(early(600, 400), 400);
	cr_assert_eq(q.n_islands, 1);
	comes(600);
	reads(2500);
}

Case(rcvq, one_segment_may_fill_many_holes)
{
	for (uint32_t at = 100; at < 10000; at += 200)
		early(at, 100);
	cr_assert_eq(q.n_islands, 50);
	cr_assert_eq(early(50, 9900), 50 + 49 * 100);
	cr_assert_eq(q.n_islands, 1);
	cr_assert_eq(q.ooo_len, 9950);
	comes(50);
	reads(10000);
}

Case(rcvq, segment_in_order_may_go_over_many_islands)
{
	for (uint32_t at = 100; at < 10000; at += 200)
		early(at, 100);
	comes(9000);
	cr_assert_eq(seq_dist(start, nxt), 9000);
	cr_assert_eq(q.n_islands, 5);
	comes(2000);
	cr_assert_eq(seq_dist(start, nxt), 11000);
	reads(11000);
}

Case(rcvq, first_copy_of_a_byte_counts)
{
	struct pkt *lie = payload(0, 3000);
	uint8_t out[3000];
	bool full;

	early(1000, 1000);
	memset(lie->data, 0xee, lie->len);
	nxt = rcvq_add(&q, &pool, lie, nxt);
	cr_assert_eq(rcvq_read(&q, out, 3000, false), 3000);
	cr_assert_eq(out[999], 0xee);
	cr_assert_eq(out[1000], stream(1000));
	cr_assert_eq(out[1999], stream(1999));
	cr_assert_eq(out[2000], 0xee);

	early(4000, 100);
	lie = payload(3900, 300);
	memset(lie->data, 0xee, lie->len);
	cr_assert_eq(rcvq_add_early(&q, &pool, lie, seq_add(start, 3900), LIMIT, &full),
		     200);
	comes(900);
	cr_assert_eq(rcvq_read(&q, out, 1200, false), 1200);
	cr_assert_eq(out[999], 0xee);
	cr_assert_eq(out[1000], stream(4000));
	cr_assert_eq(out[1099], stream(4099));
	cr_assert_eq(out[1100], 0xee);
}

Case(rcvq, memory_of_early_bytes_has_a_limit)
{
	enum { TWO = 2 * (PKT_BUF_LEN + (int)sizeof(struct pkt)) };
	bool full;

	for (uint32_t at = 100; at < 2500; at += 1200) {
		cr_assert_eq(rcvq_add_early(&q, &pool, payload(at, 1100),
					    seq_add(start, at), TWO, &full),
			     1100);
		cr_assert(!full);
	}
	cr_assert_eq(q.ooo_pinned, TWO);
	cr_assert_eq(rcvq_add_early(&q, &pool, payload(5000, 1), seq_add(start, 5000),
				    TWO, &full),
		     0);
	cr_assert(full);
	/* what is there already needs no room */
	cr_assert_eq(rcvq_add_early(&q, &pool, payload(100, 500), seq_add(start, 100),
				    TWO, &full),
		     0);
	cr_assert(!full);
	rcvq_check(&q, nxt);
}

Case(rcvq, islands_of_a_few_bytes_pin_no_buffer)
{
	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(early(200 + 200 * i, i + 1), i + 1);
	cr_assert_eq(pool.bufs.n_out, 0);
	cr_assert_eq(q.ooo_pinned, 100 * sizeof(struct pkt));
	/* they grow where they are, at the end, and at the front in a buffer */
	cr_assert_eq(early(201, 9), 9);
	cr_assert_eq(pool.bufs.n_out, 0);
	cr_assert_eq(early(199, 1), 1);
	cr_assert_eq(pool.bufs.n_out, 1);
	/* many holes are filled at once */
	cr_assert_eq(early(190, 19000), 19000 - 4570);
	cr_assert_eq(q.n_islands, 6);
	comes(190);
	comes(20200);
	cr_assert_eq(q.ooo_pinned, 0);
	reads(39390);
}

Case(rcvq, islands_have_a_limit)
{
	bool full;

	for (uint32_t i = 0; i < RCVQ_ISLANDS_MAX; i++)
		cr_assert_eq(early(2 + 2 * i, 1), 1);
	cr_assert_eq(rcvq_add_early(&q, &pool, payload(10000, 1), seq_add(start, 10000),
				    LIMIT, &full),
		     0);
	cr_assert(full);
	/* but those that are there may grow */
	cr_assert_eq(early(3, 1), 1);
	cr_assert_eq(early(10001, 1), 1);
}

Case(rcvq, early_bytes_can_be_dropped)
{
	comes(500);
	early(1000, 500);
	early(3000, 5000);
	rcvq_drop_early(&q);
	rcvq_check(&q, nxt);
	cr_assert_eq(q.ooo_len, 0);
	cr_assert_eq(pool.bufs.n_out, 1);
	comes(2000);
	cr_assert_eq(seq_dist(start, nxt), 2500);
	reads(2500);
}

static void blocks_are(unsigned max, unsigned n, const uint32_t *ats)
{
	struct tcp_block blocks[TCP_SACK_MAX];

	cr_assert_eq(rcvq_sack(&q, blocks, max), n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(seq_dist(start, blocks[i].start), ats[i], "block %u", i);
}

Case(rcvq, latest_island_is_reported_first)
{
	blocks_are(4, 0, NULL);
	early(1000, 10);
	early(2000, 10);
	early(3000, 10);
	blocks_are(4, 3, (uint32_t[]){ 3000, 2000, 1000 });
	early(1010, 10);
	blocks_are(4, 3, (uint32_t[]){ 1000, 3000, 2000 });
	blocks_are(2, 2, (uint32_t[]){ 1000, 3000 });
	/* RFC 2018 4: the segment which triggered the ACK, though it brought nothing new */
	early(2000, 10);
	blocks_are(3, 3, (uint32_t[]){ 2000, 1000, 3000 });
}

Case(rcvq, reported_blocks_say_where_islands_end)
{
	struct tcp_block block;

	early(1000, 10);
	early(990, 10);
	early(1010, 5);
	cr_assert_eq(rcvq_sack(&q, &block, 1), 1);
	cr_assert_eq(seq_dist(start, block.start), 990);
	cr_assert_eq(seq_dist(start, block.end), 1015);
}

Case(rcvq, one_island_that_grows_does_not_hide_the_others)
{
	early(1000, 10);
	early(2000, 10);
	for (uint32_t i = 0; i < 50; i++)
		early(3000 + i, 1);
	blocks_are(4, 3, (uint32_t[]){ 3000, 2000, 1000 });
}

Case(rcvq, islands_that_landed_are_not_reported)
{
	early(1000, 10);
	early(2000, 10);
	comes(1000);
	blocks_are(4, 1, (uint32_t[]){ 2000 });
	rcvq_drop_early(&q);
	blocks_are(4, 0, NULL);
}

Case(rcvq, room_for_blocks_is_filled_with_older_islands)
{
	for (uint32_t at = 1000; at <= 6000; at += 1000)
		early(at, 10);
	comes(1000);
	early(2010, 10);
	blocks_are(4, 4, (uint32_t[]){ 2000, 6000, 5000, 4000 });
}

/* Takes all but @n descriptors that PKT_DATA may have. */
static struct pkt *take_all_but(uint32_t n)
{
	struct pkt *taken = NULL;

	while (pool_left(&pool.pkts) > pool.reserve + n) {
		struct pkt *p = pkt_new(&pool, PKT_DATA);

		p->link = taken;
		taken = p;
	}
	return taken;
}

Case(rcvq, bytes_are_lost_but_never_wrong_without_memory)
{
	struct pkt *taken, *p;
	bool full;

	early(2000, 1200);
	/* the part behind the island needs a descriptor, which is not there */
	p = payload(0, 3900);
	taken = take_all_but(0);
	nxt = rcvq_add(&q, &pool, p, nxt);
	rcvq_check(&q, nxt);
	cr_assert_eq(seq_dist(start, nxt), 3200);
	pkt_free_list(taken);

	early(4000, 10);
	p = payload(3500, 1000);
	taken = take_all_but(0);
	cr_assert_eq(rcvq_add_early(&q, &pool, p, seq_add(start, 3500), LIMIT, &full),
		     500);
	rcvq_check(&q, nxt);
	pkt_free_list(taken);
	comes(300);
	reads(4010);
}

Case(rcvq, small_payload_is_kept_as_it_is_without_memory)
{
	struct pkt *p = pkt_new(&pool, PKT_DATA), *taken;

	*pkt_push(p, 1) = stream(0);
	taken = take_all_but(0);
	nxt = rcvq_add(&q, &pool, p, nxt);
	rcvq_check(&q, nxt);
	pkt_free_list(taken);
	reads(1);
}

Case(rcvq, agrees_with_a_map_of_bytes)
{
	struct rng rng;

	rng_init(&rng, 9293);
	for (int i = 0; i < 150; i++) {
		uint8_t input[1000];

		for (size_t j = 0; j < sizeof(input); j++)
			input[j] = (uint8_t)rng_u64(&rng);
		model_rcvq(input, sizeof(input));
	}
}
