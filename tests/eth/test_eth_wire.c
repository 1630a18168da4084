#include <criterion/criterion.h>

#include "eth/eth_wire.h"

static const struct eth_header plain = {
	.dst = { { 2, 0, 0, 0, 0, 1 } },
	.src = { { 2, 0, 0, 0, 0, 2 } },
	.type = ETHERTYPE_IP4,
	.len = 14,
};

static const uint8_t plain_bytes[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
};

static const struct eth_header tagged = {
	.dst = { { 2, 0, 0, 0, 0, 1 } },
	.src = { { 2, 0, 0, 0, 0, 2 } },
	.type = ETHERTYPE_ARP,
	.tci = 0xa123,
	.tagged = true,
	.len = 18,
};

static const uint8_t tagged_bytes[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0xa1, 0x23, 0x08, 0x06,
};

static void same(const struct eth_header *a, const struct eth_header *b)
{
	cr_assert(mac_eq(a->dst, b->dst) && mac_eq(a->src, b->src));
	cr_assert_eq(a->type, b->type);
	cr_assert_eq(a->tci, b->tci);
	cr_assert_eq(a->tagged, b->tagged);
	cr_assert_eq(a->len, b->len);
}

static void round_trip(const struct eth_header *h, const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	struct eth_header got;
	uint8_t out[32];
	struct wr w = wr_of(out, len);

	cr_assert(eth_parse(&r, &got));
	cr_assert_eq(rd_left(&r), 0);
	same(&got, h);
	eth_emit(&w, &got);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, bytes, len);
}

static void refuse_truncations(const uint8_t *bytes, size_t len)
{
	for (size_t n = 0; n < len; n++) {
		struct rd r = rd_of(bytes, n);
		struct eth_header h;

		cr_assert(!eth_parse(&r, &h), "accepted %zu bytes", n);
	}
}

Test(eth_wire, reads_and_writes_the_header)
{
	round_trip(&plain, plain_bytes, sizeof(plain_bytes));
}

Test(eth_wire, reads_and_writes_a_tag)
{
	round_trip(&tagged, tagged_bytes, sizeof(tagged_bytes));
}

Test(eth_wire, refuses_every_truncation)
{
	refuse_truncations(plain_bytes, sizeof(plain_bytes));
	refuse_truncations(tagged_bytes, sizeof(tagged_bytes));
}

Test(eth_wire, reads_one_tag_of_two)
{
	uint8_t bytes[22];
	struct rd r = rd_of(bytes, sizeof(bytes));
	struct eth_header h;

	memcpy(bytes, tagged_bytes, 16);
	memcpy(bytes + 16, tagged_bytes + 12, 6);
	cr_assert(eth_parse(&r, &h));
	cr_assert_eq(h.type, ETHERTYPE_VLAN);
	cr_assert_eq(rd_left(&r), 4);
}
