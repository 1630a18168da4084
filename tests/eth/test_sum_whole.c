#include <criterion/criterion.h>

#include "eth/port_impl.h"
#include "eth/sum_whole.h"
#include "stack/base/pkt.h"
#include "tests/lib/build.h"
#include "tests/lib/case.h"

static const struct build_ip4 ip = {
	.src = { { 192, 0, 2, 1 } },
	.dst = { { 192, 0, 2, 2 } },
};
static const struct build_tcp tcp = { .seq = 1, .flags = 16 };

static struct pkt_pool pool;
static uint8_t frame[4096], payload[4000], out[4096];

static void setup(void)
{
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 31 + 7);
	cr_assert_eq(pkt_pool_init(&pool, 64, 64), 0);
}

static void clean(void)
{
	cr_assert_eq(pool.pkts.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(sum_whole, setup, clean);

/* What becomes of the first @head_len bytes of a frame, in @out. */
static void whole(uint32_t len, uint32_t head_len)
{
	struct pkt *p = port_pkt(&pool, frame, len);

	memcpy(out, frame, len);
	sum_whole(p, true, out, head_len);
	cr_assert_eq(memcmp(p->data, frame, p->len), 0, "the packet itself was changed");
	pkt_free(p);
}

/* Whatever is in the field, afterwards the sum is right; nothing else changes. */
static void makes_right(uint32_t len, uint32_t field_at)
{
	static const uint16_t fields[] = { 1, 0xffff, 0x1234, 0x8000 };
	uint8_t right[2];

	memcpy(right, frame + field_at, 2);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		memcpy(frame + field_at, &fields[i], 2);
		whole(len, len < 256 ? len : 256);
		cr_assert_arr_eq(out + field_at, right, 2);
		memcpy(out + field_at, &fields[i], 2);
		cr_assert_arr_eq(out, frame, len);
	}
}

static void leaves_alone(uint32_t len)
{
	whole(len, len);
	cr_assert_arr_eq(out, frame, len);
}

Case(sum_whole, completes_tcp_of_any_length)
{
	static const uint32_t lens[] = { 0, 1, 2, 99, 1460, 4000 };

	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		makes_right(build_tcp(frame, &ip, &tcp, payload, lens[i]), 50);
}

Case(sum_whole, completes_udp_of_any_length)
{
	static const uint32_t lens[] = { 0, 1, 2, 99, 1472, 4000 };

	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		makes_right(build_udp(frame, &ip, 1, 2, payload, lens[i]), 40);
}

Case(sum_whole, reads_options_and_a_tag)
{
	struct build_ip4 with = ip;
	uint32_t len;

	with.options = "\1\1\1\1\1\1\1\0";
	with.options_len = 8;
	len = build_tcp(frame, &with, &tcp, payload, 100);
	makes_right(len, 58);
	len = build_tcp(frame, &ip, &tcp, payload, 100);
	memmove(frame + 16, frame + 12, len - 12);
	memcpy(frame + 12, "\x81\0\0\0", 4);
	makes_right(len + 4, 54);
}

Case(sum_whole, completes_ip6)
{
	uint32_t at = 54, len = at + 20 + 33;
	uint32_t sum = 6 + 20 + 33;

	memset(frame, 0, sizeof(frame));
	memcpy(frame + 12, "\x86\xdd\x60", 3);
	frame[19] = 20 + 33;
	frame[20] = 6;
	memcpy(frame + 22, payload, 32);
	memcpy(frame + at + 20, payload, 33);
	whole(len, len);
	sum = build_sum(sum, out + 22, 32);
	cr_assert_eq(build_sum(sum, out + at, len - at), 0xffff);
	frame[20] = 58;
	leaves_alone(len);
}

Case(sum_whole, leaves_what_is_not_a_whole_packet)
{
	uint32_t len = build_tcp(frame, &ip, &tcp, payload, 100);
	struct build_ip4 part = ip;

	frame[50] ^= 1;
	for (uint32_t n = 1; n < len; n++)
		leaves_alone(n);
	leaves_alone(len + 1);
	part.frag = BUILD_MF;
	len = build_udp(frame, &part, 1, 2, payload, 100);
	frame[40] ^= 1;
	leaves_alone(len);
	part.frag = 3;
	len = build_udp(frame, &part, 1, 2, payload, 100);
	frame[40] ^= 1;
	leaves_alone(len);
}

Case(sum_whole, leaves_what_has_no_sum_to_make)
{
	static const struct mac none;
	uint32_t len = build_udp(frame, &ip, 1, 2, payload, 100);

	memset(frame + 40, 0, 2); /* RFC 768: no sum */
	leaves_alone(len);
	leaves_alone(build_icmp(frame, &ip, 0x0800, 0, payload, 100));
	leaves_alone(build_eth(frame, none, none, 0x0806, payload, 28));
	len = build_tcp(frame, &ip, &tcp, payload, 100);
	frame[50] ^= 1;
	frame[14] = 0x65;
	leaves_alone(len);
	frame[14] = 0x44;
	leaves_alone(len);
}

Case(sum_whole, leaves_a_field_that_was_not_copied)
{
	uint32_t len = build_tcp(frame, &ip, &tcp, payload, 100);

	frame[50] ^= 1;
	for (uint32_t head_len = 0; head_len < 52; head_len++) {
		whole(len, head_len);
		cr_assert_arr_eq(out, frame, len);
	}
	whole(len, 52);
	cr_assert_neq(out[50], frame[50]);
}
