#include <criterion/criterion.h>
#include <stdlib.h>

#include "stack/base/byte.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

static uint8_t bytes[70000];
static struct rng rng;

static void setup(void)
{
	rng_init(&rng, 1071);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rng_u64(&rng);
}

TestSuite(cksum, .init = setup);

/* As RFC 1071 4.1 describes it, 16 bits at a time. */
static uint16_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		sum += (uint32_t)(p[i] << 8 | (i + 1 < len ? p[i + 1] : 0));
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* The folded sum as a number: its bytes as they would stand on the wire. */
static uint16_t on_wire(uint64_t sum)
{
	uint16_t folded = cksum_fold(sum);
	uint8_t b[2];

	memcpy(b, &folded, 2);
	return be16(b);
}

Test(cksum, example_of_rfc_1071)
{
	static const uint8_t example[] = {
		0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7
	};

	cr_assert_eq(on_wire(cksum_add(0, example, 8)), 0xddf2);
}

Test(cksum, header_with_its_checksum_sums_to_all_ones)
{
	uint8_t ip[20] = { 0x45, 0, 0,	  0x73, 0, 0,	 0x40, 0,    0x40, 0x11,
			   0,	 0, 0xc0, 0xa8, 0, 0x01, 0xc0, 0xa8, 0,	   0xc7 };
	uint16_t sum = cksum_end(cksum_add(0, ip, 20));

	memcpy(ip + 10, &sum, 2);
	cr_assert_eq(be16(ip + 10), 0xb861);
	cr_assert_eq(cksum_end(cksum_add(0, ip, 20)), 0);
}

Test(cksum, every_length_and_alignment_agrees_with_the_naive_sum)
{
	for (size_t len = 0; len < 1200; len++)
		for (size_t at = 0; at < 8; at++)
			cr_assert_eq(on_wire(cksum_add(0, bytes + at, len)),
				     naive(bytes + at, len), "%zu at %zu", len, at);
	for (size_t len = 65500; len < 65560; len++)
		cr_assert_eq(on_wire(cksum_add(0, bytes + 1, len)),
			     naive(bytes + 1, len));
}

Test(cksum, all_ones_carry_everywhere)
{
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t len = 1; len < 2000; len++)
		cr_assert_eq(on_wire(cksum_add(0, bytes, len)), naive(bytes, len), "%zu",
			     len);
	cr_assert_eq(on_wire(cksum_add(0, bytes, 65536)), 0xffff);
}

Test(cksum, zero_only_for_zeros)
{
	memset(bytes, 0, sizeof(bytes));
	cr_assert_eq(cksum_add(0, bytes, 65536), 0);
	for (size_t i = 0; i < 600; i++) {
		bytes[i] = 1;
		cr_assert_neq(cksum_fold(cksum_add(0, bytes, 600)), 0);
		bytes[i] = 0;
	}
}

Test(cksum, parts_at_even_offsets_add_up)
{
	for (size_t cut = 0; cut <= 3000; cut += 2) {
		uint64_t sum =
			cksum_add(cksum_add(0, bytes, cut), bytes + cut, 3000 - cut);

		cr_assert_eq(cksum_fold(sum), cksum_fold(cksum_add(0, bytes, 3000)));
	}
}

Test(cksum, sums_stay_small_enough_to_be_added_plainly)
{
	memset(bytes, 0xff, sizeof(bytes));
	cr_assert_lt(cksum_add(UINT64_MAX, bytes, 65536), UINT64_C(1) << 33);
	cr_assert_lt(cksum_add(UINT64_MAX, bytes, 7), UINT64_C(1) << 33);
}

Test(cksum, fold_takes_any_sum)
{
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t sum = rng_u64(&rng) >> rng_below(&rng, 64);
		uint64_t rest = sum % 0xffff;

		cr_assert_eq(cksum_fold(sum), sum && !rest ? 0xffff : rest);
	}
	cr_assert_eq(cksum_fold(UINT64_MAX), 0xffff);
	cr_assert_eq(cksum_fold(0), 0);
}

static struct pkt_pool pool;

/* A chain whose descriptors have the lengths that @lens names, ended by 0. */
static struct pkt *chain(const uint32_t *lens, uint32_t empty_every)
{
	struct pkt *first = NULL;
	uint32_t at = 0;

	for (unsigned i = 0; lens[i]; i++) {
		struct pkt *p = pkt_new_buf(&pool, PKT_CONTROL, 3);

		cr_assert(pkt_append(p, bytes + at, lens[i]));
		at += lens[i];
		if (first)
			pkt_chain(first, p);
		else
			first = p;
		if (empty_every && i % empty_every == 0)
			pkt_chain(first, pkt_new_buf(&pool, PKT_CONTROL, 0));
	}
	return first;
}

Test(cksum, chain_of_odd_descriptors_sums_as_one)
{
	cr_assert_eq(pkt_pool_init(&pool, 64, 64), 0);
	for (unsigned round = 0; round < 300; round++) {
		uint32_t lens[9] = { 0 }, total = 0;
		struct pkt *p;

		for (unsigned i = 0; i < 1 + rng_below(&rng, 8); i++)
			total += lens[i] = 1 + rng_below(&rng, round % 2 ? 9 : 1500);
		p = chain(lens, round % 3);
		for (unsigned i = 0; i < 20; i++) {
			uint32_t from = rng_below(&rng, total + 1);

			cr_assert_eq(on_wire(cksum_add_pkt(0, p, from)),
				     naive(bytes + from, total - from));
		}
		pkt_free(p);
	}
	cr_assert_eq(pool.pkts.n_out, 0);
	pkt_pool_fini(&pool);
}

Test(cksum, pseudo_header_of_ipv4)
{
	struct addr src = addr_ip4((struct ip4){ { 192, 0, 2, 1 } });
	struct addr dst = addr_ip4((struct ip4){ { 198, 51, 100, 7 } });
	/* RFC 9293 3.1: source, destination, zero, protocol, length. */
	uint8_t pseudo[12] = { 192, 0, 2, 1, 198, 51, 100, 7, 0, 6, 0x12, 0x34 };

	cr_assert_eq(on_wire(cksum_pseudo(&src, &dst, 6, 0x1234)), naive(pseudo, 12));
}

Test(cksum, pseudo_header_of_ipv6)
{
	struct addr src = addr_ip6((struct ip6){ { 0x20, 1, 0xd, 0xb8, [15] = 1 } });
	struct addr dst = addr_ip6((struct ip6){ { 0xfe, 0x80, [15] = 0xff } });
	/* RFC 8200 8.1: source, destination, 32 bits of length, 3 zeros, next header. */
	uint8_t pseudo[40] = { [33] = 1, [34] = 0x12, [35] = 0x34, [39] = 17 };

	memcpy(pseudo, src.ip6.b, 16);
	memcpy(pseudo + 16, dst.ip6.b, 16);
	cr_assert_eq(on_wire(cksum_pseudo(&src, &dst, 17, 0x11234)), naive(pseudo, 40));
}
