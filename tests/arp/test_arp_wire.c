#include <criterion/criterion.h>

#include "arp/arp_wire.h"

static const struct arp_msg reply = {
	.op = ARP_REPLY,
	.sender_mac = { { 2, 0, 0, 0, 0, 1 } },
	.sender_ip = { { 10, 0, 0, 1 } },
	.target_mac = { { 2, 0, 0, 0, 0, 2 } },
	.target_ip = { { 10, 0, 0, 2 } },
};

/* clang-format off */
static const uint8_t reply_bytes[ARP_LEN] = {
	0, 1, 8, 0, 6, 4, 0, 2,
	2, 0, 0, 0, 0, 1, 10, 0, 0, 1,
	2, 0, 0, 0, 0, 2, 10, 0, 0, 2,
};
/* clang-format on */

static bool parses(const uint8_t *bytes, size_t len, struct arp_msg *m)
{
	struct rd r = rd_of(bytes, len);

	return arp_parse(&r, m);
}

Test(arp_wire, parses_a_reply_byte_for_byte)
{
	struct arp_msg m = { 0 };

	cr_assert(parses(reply_bytes, ARP_LEN, &m));
	cr_assert_eq(m.op, reply.op);
	cr_assert_arr_eq(m.sender_mac.b, reply.sender_mac.b, 6);
	cr_assert_arr_eq(m.sender_ip.b, reply.sender_ip.b, 4);
	cr_assert_arr_eq(m.target_mac.b, reply.target_mac.b, 6);
	cr_assert_arr_eq(m.target_ip.b, reply.target_ip.b, 4);
}

Test(arp_wire, emits_the_same_bytes)
{
	uint8_t out[ARP_LEN];
	struct wr w = wr_of(out, sizeof(out));

	arp_emit(&w, &reply);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, reply_bytes, ARP_LEN);
}

Test(arp_wire, refuses_every_truncation)
{
	for (size_t len = 0; len < ARP_LEN; len++) {
		struct arp_msg m;

		cr_assert(!parses(reply_bytes, len, &m), "accepted %zu bytes", len);
	}
}

Test(arp_wire, refuses_what_it_cannot_answer)
{
	static const struct {
		size_t at;
		uint8_t value;
	} strange[] = {
		{ 0, 1 },  { 1, 6 }, { 2, 0x86 }, { 3, 6 }, { 4, 8 },
		{ 5, 16 }, { 6, 1 }, { 7, 0 },	  { 7, 3 },
	};

	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
		uint8_t bytes[ARP_LEN];
		struct arp_msg m;

		memcpy(bytes, reply_bytes, ARP_LEN);
		bytes[strange[i].at] = strange[i].value;
		cr_assert(!parses(bytes, ARP_LEN, &m), "case %zu", i);
	}
}
