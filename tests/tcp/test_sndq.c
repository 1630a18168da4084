#include <criterion/criterion.h>

#include "stack/base/pkt.h"
#include "tcp/sndq.h"
#include "tests/lib/case.h"

enum { KIB = 1024, N_BUFS = 128, N_PKTS = 512 };

static struct pkt_pool pool;
static struct sndq q;

static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, N_PKTS, N_BUFS), 0);
	sndq_init(&q);
}

static void clean(void)
{
	sndq_check(&q);
	sndq_fini(&q);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(sndq, setup, clean);

/* Byte number @at of the stream that all tests write. */
static uint8_t stream(uint64_t at)
{
	return (uint8_t)((at * 2654435761u) >> 16);
}

static uint64_t n_written, n_acked;

static size_t writes(size_t len)
{
	uint8_t bytes[64 * KIB];
	size_t n;

	cr_assert_leq(len, sizeof(bytes));
	for (size_t i = 0; i < len; i++)
		bytes[i] = stream(n_written + i);
	n = sndq_write(&q, &pool, bytes, len);
	n_written += n;
	sndq_check(&q);
	return n;
}

static void acks(uint32_t len)
{
	sndq_ack(&q, len);
	n_acked += len;
	sndq_check(&q);
}

static unsigned n_descriptors(const struct pkt *p)
{
	unsigned n = 0;

	for (; p; p = p->next) {
		cr_assert_gt(p->len, 0);
		n++;
	}
	return n;
}

/* Gathers and compares; how many descriptors it took. */
static unsigned gathers(uint32_t offset, uint32_t len)
{
	struct pkt *p = sndq_gather(&q, offset, len);
	uint8_t bytes[64 * KIB];
	unsigned n;

	cr_assert_not_null(p);
	cr_assert_eq(p->total_len, len);
	cr_assert_eq(pkt_read(p, 0, bytes, sizeof(bytes)), len);
	for (uint32_t i = 0; i < len; i++)
		cr_assert_eq(bytes[i], stream(n_acked + offset + i));
	n = n_descriptors(p);
	pkt_free(p);
	sndq_check(&q);
	return n;
}

Case(sndq, small_writes_share_a_buffer)
{
	for (int i = 0; i < 100; i++)
		cr_assert_eq(writes(40), 40);
	cr_assert_eq(q.len, 4000);
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_eq(gathers(0, 4000), 2);
}

Case(sndq, a_short_reply_takes_no_buffer)
{
	cr_assert_eq(writes(PKT_HEAD_LEN - 1), PKT_HEAD_LEN - 1);
	cr_assert_eq(pool.bufs.n_out, 0);
	cr_assert_eq(gathers(3, 50), 1);
	/* what follows fills the descriptor first */
	acks(10);
	writes(2);
	cr_assert_eq(q.n_bufs, 1);
	cr_assert_eq(gathers(0, PKT_HEAD_LEN - 9), 2);
	acks(PKT_HEAD_LEN - 9);
	cr_assert_eq(q.n_bufs, 0);
	cr_assert_eq(writes(PKT_HEAD_LEN + 1), PKT_HEAD_LEN + 1);
	cr_assert_eq(gathers(0, PKT_HEAD_LEN + 1), 1);
}

Case(sndq, a_short_packet_that_is_alone_keeps_no_buffer)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

	pkt_append(p, &(uint8_t){ stream(n_written++) }, 1);
	sndq_add(&q, p);
	cr_assert_eq(pool.bufs.n_out, 0);
	gathers(0, 1);
}

Case(sndq, acknowledged_bytes_give_their_memory_back)
{
	writes(10 * KIB);
	cr_assert_eq(pool.bufs.n_out, 3);
	acks(4095);
	cr_assert_eq(pool.bufs.n_out, 3);
	acks(1);
	cr_assert_eq(pool.bufs.n_out, 2);
	acks(6 * KIB);
	cr_assert_eq(pool.bufs.n_out, 0);
	cr_assert_eq(q.len, 0);
	writes(1);
	cr_assert_eq(gathers(0, 1), 1);
}

Case(sndq, gathered_bytes_outlive_the_queue)
{
	uint8_t out[100];
	struct pkt *p;

	writes(5000);
	p = sndq_gather(&q, 4050, 100);
	acks(5000);
	cr_assert_eq(pkt_read(p, 0, out, 100), 100);
	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(out[i], stream(4050 + i));
	pkt_free(p);
}

/* A driver still reads what was gathered while more is written behind it. */
Case(sndq, writing_behind_a_gathered_segment_leaves_it_alone)
{
	uint8_t out[300];
	struct pkt *p;

	writes(300);
	p = sndq_gather(&q, 0, 300);
	writes(300);
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_eq(p->total_len, 300);
	cr_assert_eq(pkt_read(p, 0, out, 300), 300);
	for (uint32_t i = 0; i < 300; i++)
		cr_assert_eq(out[i], stream(i));
	pkt_free(p);
	gathers(0, 600);
}

Case(sndq, super_frame_is_at_most_17_descriptors)
{
	unsigned most = 0;

	for (uint32_t first = 1; first <= PKT_BUF_LEN; first += 455) {
		writes(PKT_HEAD_LEN);
		writes(64 * KIB);
		writes(64 * KIB);
		acks(first);
		for (uint32_t at = 0; at + 64 * KIB <= q.len; at += 16 * KIB) {
			unsigned n = gathers(at, 64 * KIB);

			most = n > most ? n : most;
		}
		acks(q.len);
	}
	cr_assert_eq(most, 17);
}

Case(sndq, a_record_has_its_end_until_it_is_acknowledged)
{
	writes(100);
	sndq_end_record(&q);
	sndq_end_record(&q);
	cr_assert_eq(q.n_records, 1);
	writes(5000);
	sndq_end_record(&q);
	writes(10);
	cr_assert_eq(sndq_in_record(&q, 0, 5110), 100);
	cr_assert_eq(sndq_in_record(&q, 0, 50), 50);
	cr_assert_eq(sndq_in_record(&q, 99, 2), 1);
	cr_assert_eq(sndq_in_record(&q, 100, 5010), 5000);
	cr_assert_eq(sndq_in_record(&q, 5100, 10), 10);
	gathers(90, 5020);
	cr_assert_eq(sndq_in_record(&q, 99, 2), 1, "with marks ahead of it, too");
	acks(60);
	cr_assert_eq(sndq_in_record(&q, 0, 5050), 40);
	acks(40);
	cr_assert_eq(q.n_records, 1);
	acks(5010);
	cr_assert_eq(q.n_records, 0);
	writes(10);
	cr_assert_eq(sndq_in_record(&q, 0, 10), 10);
}

Case(sndq, gathering_in_order_does_not_walk_the_queue)
{
	writes(64 * KIB);
	writes(64 * KIB);
	for (uint32_t at = 0; at < 128 * KIB; at += 8 * KIB) {
		gathers(at, 8 * KIB);
		/* the mark is in the last packet gathered from */
		cr_assert_eq(q.ahead.at, at + 4 * KIB);
	}
	/* again from the front: the place of new data is not forgotten */
	for (uint32_t at = 0; at < 64 * KIB; at += 8 * KIB) {
		gathers(at, 8 * KIB);
		cr_assert_eq(q.behind.at, at + 4 * KIB);
		cr_assert_eq(q.ahead.at, 124 * KIB);
	}
}

Case(sndq, takes_packets_as_they_are)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);
	uint8_t *bytes = p->data;

	for (uint32_t i = 0; i < 3000; i++)
		pkt_append(p, &(uint8_t){ stream(n_written++) }, 1);
	sndq_add(&q, p);
	sndq_check(&q);
	cr_assert_eq(q.first->data, bytes);
	writes(5000);
	cr_assert_eq(pool.bufs.n_out, 2);
	gathers(0, 8000);
}

Case(sndq, short_packets_are_copied_together)
{
	for (unsigned i = 0; i < 500; i++) {
		struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

		pkt_append(p, &(uint8_t){ stream(n_written++) }, 1);
		sndq_add(&q, p);
	}
	sndq_add(&q, pkt_new_buf(&pool, PKT_DATA, 0));
	sndq_check(&q);
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_eq(gathers(0, 500), 2);
}

/* Half a buffer is still copied, so that two neighbours always fill one together. */
Case(sndq, packets_of_half_a_buffer_fill_buffers)
{
	static const uint8_t zeros[PKT_BUF_LEN];

	for (unsigned i = 0; i < 8; i++) {
		struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

		pkt_append(p, zeros, PKT_BUF_LEN / 2);
		sndq_add(&q, p);
	}
	sndq_check(&q);
	cr_assert_eq(pool.bufs.n_out, 4);
}

Case(sndq, writes_what_the_pool_has_room_for)
{
	size_t room = (size_t)(N_BUFS - N_BUFS / 16) * PKT_BUF_LEN, n = 0;

	while (n < room) {
		size_t len = room - n < 64 * KIB ? room - n : 64 * KIB;

		cr_assert_eq(writes(len), len);
		n += len;
	}
	cr_assert_eq(writes(1), 0);
	acks(PKT_BUF_LEN);
	cr_assert_eq(writes(5000), PKT_BUF_LEN);
}

Case(sndq, gathers_nothing_when_descriptors_are_out)
{
	struct pkt *taken = NULL, *p;

	writes(32 * KIB);
	while (pool_left(&pool.pkts) > pool.reserve + 3) {
		p = pkt_new(&pool, PKT_DATA);
		p->link = taken;
		taken = p;
	}
	cr_assert_null(sndq_gather(&q, 0, 32 * KIB));
	cr_assert_eq(pool_left(&pool.pkts), pool.reserve + 3);
	pkt_free_list(taken);
	gathers(0, 32 * KIB);
}

/* Everything at once, against the stream that was written. */
Case(sndq, any_order_of_calls_keeps_the_stream)
{
	uint32_t random = 1;

	for (int i = 0; i < 20000; i++) {
		uint32_t n;

		random = random * 1664525 + 1013904223;
		n = random >> 8;
		switch (random >> 30) {
		case 0: writes(n % 3000); break;
		case 1:
			if (q.len)
				acks(n % q.len % 6000 + 1);
			break;
		default:
			if (q.len) {
				uint32_t at = n % q.len, len = q.len - at;

				gathers(at, n % (len < 30000 ? len : 30000) + 1);
			}
		}
	}
}
