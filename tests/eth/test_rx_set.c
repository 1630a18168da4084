#include <criterion/criterion.h>
#include <errno.h>

#include "eth/port_impl.h"
#include "eth/rx_set.h"
#include "tests/lib/case.h"

static struct pkt_pool pool;
static struct rx_set set;

static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, 128, 64), 0);
	cr_assert_eq(rx_set_init(&set, &pool), 0);
}

static void clean(void)
{
	rx_set_fini(&set);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(rx_set, setup, clean);

static uint8_t nth(uint32_t i)
{
	return (uint8_t)(i * 7 >> 4);
}

/* What a device does: @prefix bytes, then @len of a frame, over all the buffers. */
static void device_writes(uint32_t prefix, uint32_t len)
{
	for (uint32_t i = 0; i < prefix + len; i++) {
		struct iovec *iov = &set.iov[i / PKT_BUF_LEN];
		uint8_t *at = (uint8_t *)iov->iov_base + i % PKT_BUF_LEN;

		*at = i < prefix ? 0xee : nth(i - prefix);
	}
}

static void check_frame(struct pkt *p, uint32_t len)
{
	static uint8_t out[PKT_MAX_LEN];

	cr_assert_eq(p->total_len, len);
	cr_assert_eq(pkt_read(p, 0, out, sizeof(out)), len);
	for (uint32_t i = 0; i < len; i++)
		cr_assert_eq(out[i], nth(i), "byte %u of %u", i, len);
	cr_assert_geq(p->len, len < PKT_HEADERS_LEN ? len : PKT_HEADERS_LEN);
}

Case(rx_set, gives_out_frames_of_every_length)
{
	static const uint32_t lens[] = {
		1,	     14,   PKT_HEAD_LEN, PKT_HEAD_LEN + 1, 1514, 4085, 4086, 4087,
		PKT_BUF_LEN, 8182, 8183,	 PKT_MAX_LEN,
	};

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		struct pkt *p;

		device_writes(10, lens[i]);
		p = rx_set_take(&set, 10, lens[i]);
		check_frame(p, lens[i]);
		pkt_free(p);
	}
}

Case(rx_set, a_frame_takes_no_more_buffers_than_it_fills)
{
	static const struct {
		uint32_t len, bufs;
	} cases[] = {
		{ 60, 0 }, { PKT_HEAD_LEN, 0 }, { 1514, 1 }, { 4087, 2 }, { 65000, 16 }
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pkt *p = rx_set_take(&set, 10, cases[i].len);

		cr_assert_eq(pool.bufs.n_out, RX_SET_BUFS + cases[i].bufs);
		pkt_free(p);
		cr_assert_eq(pool.bufs.n_out, RX_SET_BUFS);
	}
}

Case(rx_set, a_frame_that_is_kept_does_not_change_with_the_next)
{
	struct pkt *p;

	device_writes(0, 9000);
	p = rx_set_take(&set, 0, 9000);
	for (unsigned i = 0; i < RX_SET_BUFS; i++)
		memset(set.iov[i].iov_base, 0xff, PKT_BUF_LEN);
	check_frame(p, 9000);
	pkt_free(p);
}

Case(rx_set, loses_a_frame_when_there_is_no_memory_and_reads_on)
{
	struct pkt *held = NULL, *p;

	while ((p = pkt_new_buf(&pool, PKT_DATA, 0))) {
		p->link = held;
		held = p;
	}
	device_writes(10, 20000);
	cr_assert_null(rx_set_take(&set, 10, 20000));
	cr_assert_null(rx_set_take(&set, 10, 1514));
	/* An ACK may use the reserve: it is what makes room again. */
	device_writes(10, 66);
	p = rx_set_take(&set, 10, 66);
	check_frame(p, 66);
	pkt_free(p);
	pkt_free_list(held);
	device_writes(10, 20000);
	p = rx_set_take(&set, 10, 20000);
	check_frame(p, 20000);
	pkt_free(p);
}

Case(rx_set, cannot_begin_without_memory)
{
	struct pkt_pool small;
	struct rx_set s;

	cr_assert_eq(pkt_pool_init(&small, 64, RX_SET_BUFS), 0);
	cr_assert_eq(rx_set_init(&s, &small), -ENOMEM); /* one is reserved */
	cr_assert_eq(small.bufs.n_out, 0);
	pkt_pool_fini(&small);
}
