#include <criterion/criterion.h>

#include "ip/dhcp_wire.h"

enum { AT_OPTIONS = 240, LEN = 400, LEAST = 300 };

/* What stands in front of the options of an answer, and behind it zeros to 236. */
static const uint8_t head[] = {
	2,    1,    6,	  0,	      /* reply, Ethernet, 6 bytes, no hops */
	0x12, 0x34, 0x56, 0x78,	      /* xid */
	0,    7,    0x80, 0,	      /* 7 seconds, answer to all */
	192,  0,    2,	  50,	      /* ciaddr */
	192,  0,    2,	  51,	      /* yiaddr */
	0,    0,    0,	  0,	      /* siaddr */
	0,    0,    0,	  0,	      /* giaddr */
	2,    0,    0,	  0,	0, 1, /* chaddr, and 10 bytes that nobody needs */
};

static const uint8_t options[] = {
	53,  1,	 5,					 /* ACK */
	1,   4,	 255, 255, 255,	 128,			 /* a subnet of 25 bits */
	3,   8,	 192, 0,   2,	 1,    192, 0,	 2,   2, /* two routers */
	6,   4,	 192, 0,   2,	 53,			 /* a name server */
	15,  7,	 'a', '.', 'e',	 'x',  '-', '1', '2',	 /* a domain */
	26,  2,	 5,   120,				 /* an MTU of 1400 */
	51,  4,	 0,   0,   0x0e, 0x10,			 /* an hour */
	54,  4,	 192, 0,   2,	 3,			 /* who says so */
	58,  4,	 0,   0,   7,	 8,			 /* after half of it */
	59,  4,	 0,   0,   0x0c, 0x4e,			 /* after 7/8 of it */
	121, 13, 0,   192, 0,	 2,    1,		 /* everything by 192.0.2.1 */
	17,  10, 1,   128, 0,	 0,    0,   0,		 /* 10.1.128.0/17 on the link */
	255,
};

static uint8_t bytes[LEN];
static struct dhcp_msg m;

/* A message with these options, all zeros behind them. */
static void message(const uint8_t *opts, size_t len)
{
	static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + AT_OPTIONS - sizeof(cookie), cookie, sizeof(cookie));
	memcpy(bytes + AT_OPTIONS, opts, len);
}

static bool is(struct ip4 a, unsigned b0, unsigned b1, unsigned b2, unsigned b3)
{
	return a.b[0] == b0 && a.b[1] == b1 && a.b[2] == b2 && a.b[3] == b3;
}

static bool parse_options(const uint8_t *opts, size_t len)
{
	message(opts, len);
	return dhcp_parse(bytes, sizeof(bytes), &m);
}

#define parse_these(...)                                \
	parse_options((const uint8_t[]){ __VA_ARGS__ }, \
		      sizeof((uint8_t[]){ __VA_ARGS__ }))

Test(dhcp_wire, parses_an_answer)
{
	cr_assert(parse_options(options, sizeof(options)));
	cr_assert(m.op == DHCP_BOOTREPLY && m.type == DHCP_ACK && m.xid == 0x12345678);
	cr_assert(m.secs == 7 && m.broadcast && m.chaddr.b[0] == 2 && m.chaddr.b[5] == 1);
	cr_assert(is(m.ciaddr, 192, 0, 2, 50) && is(m.yiaddr, 192, 0, 2, 51));
	cr_assert(m.bits == 25 && m.n_routers == 2 && is(m.routers[1], 192, 0, 2, 2));
	cr_assert(m.n_dns == 1 && is(m.dns[0], 192, 0, 2, 53));
	cr_assert_str_eq(m.domain, "a.ex-12");
	cr_assert(m.mtu == 1400 && is(m.server, 192, 0, 2, 3));
	cr_assert(m.has_lease && m.lease_s == 3600 && m.t1_s == 1800 && m.t2_s == 3150);
	cr_assert(m.n_routes == 2 && m.routes[0].bits == 0);
	cr_assert(is(m.routes[0].router, 192, 0, 2, 1));
	cr_assert(m.routes[1].bits == 17 && is(m.routes[1].prefix, 10, 1, 128, 0));
	cr_assert(ip4_is_zero(m.routes[1].router));
	cr_assert(ip4_is_zero(m.requested) && !m.n_asks && !m.id_len && !m.size_max);
}

Test(dhcp_wire, emits_the_same_bytes)
{
	uint8_t out[DHCP_LEN_MAX];
	struct wr w = wr_of(out, sizeof(out));

	cr_assert(parse_options(options, sizeof(options)));
	dhcp_emit(&w, &m);
	cr_assert(!w.bad);
	message(options, sizeof(options));
	cr_assert_eq(w.p - out, AT_OPTIONS + sizeof(options));
	cr_assert_arr_eq(out, bytes, AT_OPTIONS + sizeof(options));
}

Test(dhcp_wire, emits_a_question_byte_for_byte)
{
	static const uint8_t asked[] = {
		53,  1, 3,		  /* REQUEST */
		50,  4, 192, 0,	   2, 50, /* that address */
		54,  4, 192, 0,	   2, 3,  /* of that server */
		55,  3, 1,   121,  3,	  /* and what else is to be known */
		57,  2, 5,   0xdc,	  /* in 1500 bytes */
		61,  3, 255, 1,	   2,	  /* says this client */
		255,
	};
	struct dhcp_msg q = {
		.op = DHCP_BOOTREQUEST,
		.type = DHCP_REQUEST,
		.xid = 0x12345678,
		.chaddr = { { 2, 0, 0, 0, 0, 1 } },
		.requested = { { 192, 0, 2, 50 } },
		.server = { { 192, 0, 2, 3 } },
		.n_asks = 3,
		.asks = { DHCP_SUBNET, DHCP_ROUTES, DHCP_ROUTERS },
		.size_max = 1500,
		.id_len = 3,
		.id = { 255, 1, 2 },
	};
	uint8_t out[LEAST];
	struct wr w = wr_of(out, sizeof(out));

	dhcp_emit(&w, &q);
	cr_assert(!w.bad && w.p == w.end);
	message(asked, sizeof(asked));
	bytes[0] = 1;
	memset(bytes + 8, 0, 12); /* secs, flags, ciaddr, yiaddr */
	cr_assert_arr_eq(out, bytes, LEAST);
	cr_assert(dhcp_parse(out, LEAST, &m));
	cr_assert_eq(memcmp(&m, &q, sizeof(m)), 0);
}

Test(dhcp_wire, refuses_every_truncation)
{
	message(options, sizeof(options));
	cr_assert(dhcp_parse(bytes, AT_OPTIONS + sizeof(options), &m));
	for (size_t len = 0; len < AT_OPTIONS + sizeof(options); len++)
		cr_assert(!dhcp_parse(bytes, len, &m), "accepted %zu bytes", len);
}

Test(dhcp_wire, refuses_a_header_that_is_not_of_ethernet_or_not_of_dhcp)
{
	static const uint8_t at[] = { 0, 1, 2, 236, 237, 238, 239 };

	for (unsigned i = 0; i < sizeof(at); i++) {
		message(options, sizeof(options));
		bytes[at[i]] += 4;
		cr_assert(!dhcp_parse(bytes, LEN, &m), "accepted byte %u", at[i]);
	}
}

Test(dhcp_wire, refuses_options_of_an_impossible_length)
{
	/* Each known option with every length that it does not have, of zeros. */
	static const struct {
		uint8_t code, len;
	} fixed[] = { { 26, 2 }, { 50, 4 }, { 51, 4 }, { 54, 4 },
		      { 57, 2 }, { 58, 4 }, { 59, 4 } };

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		for (uint8_t len = 1; len < 9; len++) {
			uint8_t opts[20] = { 53, 1, 5, fixed[i].code, len, 255 };
			bool good = len == fixed[i].len;

			opts[5 + len] = 255;
			cr_assert_eq(parse_options(opts, sizeof(opts)), good,
				     "option %u of %u bytes", fixed[i].code, len);
		}
	}
	cr_assert(!parse_these(53, 2, 5, 5, 255));
	cr_assert(!parse_these(53, 1, 5, 3, 5, 1, 2, 3, 4, 5, 255));
	cr_assert(!parse_these(53, 1, 5, 6, 3, 1, 2, 3, 255));
}

Test(dhcp_wire, refuses_a_message_without_a_type_or_with_one_that_is_none)
{
	cr_assert(!parse_these(255));
	cr_assert(!parse_these(53, 1, 0, 255));
	cr_assert(!parse_these(53, 1, 9, 255));
	cr_assert(parse_these(53, 1, 8, 255));
	/* Twice the type is a type of two bytes (RFC 3396). */
	cr_assert(!parse_these(53, 1, 5, 53, 1, 5, 255));
}

Test(dhcp_wire, refuses_a_mask_with_holes)
{
	cr_assert(!parse_these(53, 1, 5, 1, 4, 255, 0, 255, 0, 255));
	cr_assert(!parse_these(53, 1, 5, 1, 4, 0, 0, 0, 0, 255));
	cr_assert(!parse_these(53, 1, 5, 1, 4, 0, 255, 255, 255, 255));
	cr_assert(parse_these(53, 1, 5, 1, 4, 255, 255, 255, 255, 255));
	cr_assert_eq(m.bits, 32);
}

Test(dhcp_wire, refuses_routes_that_cannot_be)
{
	cr_assert(!parse_these(53, 1, 5, 121, 5, 33, 1, 2, 3, 4, 255));
	cr_assert(!parse_these(53, 1, 5, 121, 4, 0, 1, 2, 3, 255));
	cr_assert(!parse_these(53, 1, 5, 121, 6, 24, 10, 0, 0, 1, 2, 255));
	/* Bits behind the prefix mean nothing. */
	cr_assert(parse_these(53, 1, 5, 121, 8, 20, 10, 1, 0xff, 1, 2, 3, 4, 255));
	cr_assert(is(m.routes[0].prefix, 10, 1, 0xf0, 0));
}

Test(dhcp_wire, puts_together_what_came_in_parts)
{
	cr_assert(parse_these(53, 1, 5, 121, 3, 16, 10, 1, 0, 6, 2, 1, 2, 121, 4, 1, 2, 3,
			      4, 6, 2, 3, 4, 255));
	cr_assert(m.n_routes == 1 && is(m.routes[0].prefix, 10, 1, 0, 0));
	cr_assert(is(m.routes[0].router, 1, 2, 3, 4));
	cr_assert(m.n_dns == 1 && is(m.dns[0], 1, 2, 3, 4));
}

Test(dhcp_wire, reads_options_in_file_and_sname)
{
	static const uint8_t first[] = { 53, 1, 5, 52, 1, 3, 6, 1, 9, 255 };
	static const uint8_t in_file[] = { 6, 3, 8, 7, 6, 3, 2, 192, 0, 255 };
	static const uint8_t in_sname[] = { 3, 2, 2, 1, 255 };

	message(first, sizeof(first));
	memcpy(bytes + 44, in_sname, sizeof(in_sname));
	memcpy(bytes + 108, in_file, sizeof(in_file));
	cr_assert(dhcp_parse(bytes, LEN, &m));
	cr_assert(m.n_dns == 1 && is(m.dns[0], 9, 8, 7, 6));
	cr_assert(m.n_routers == 1 && is(m.routers[0], 192, 0, 2, 1));
	/* Where nobody ended them, or where they are said to be nowhere. */
	memset(bytes + 44, 0, 64);
	cr_assert(!dhcp_parse(bytes, LEN, &m));
	cr_assert(!parse_these(53, 1, 5, 52, 1, 0, 255));
	cr_assert(!parse_these(53, 1, 5, 52, 1, 4, 255));
}

Test(dhcp_wire, keeps_the_first_of_lists_that_are_too_long)
{
	uint8_t opts[120] = { 53, 1, 5, 6, 40 };
	unsigned at = 5 + 40;

	for (uint8_t i = 0; i < 40; i++)
		opts[5 + i] = i / 4;
	opts[at] = 255;
	cr_assert(dhcp_parse((message(opts, 60), bytes), LEN, &m));
	cr_assert(m.n_dns == DHCP_DNS_MAX && is(m.dns[3], 3, 3, 3, 3));
}

Test(dhcp_wire, refuses_an_option_with_more_bytes_than_we_read)
{
	uint8_t big[DHCP_LEN_MAX] = { 0 };
	size_t at = AT_OPTIONS + 3;

	message((const uint8_t[]){ 53, 1, 5 }, 3);
	memcpy(big, bytes, at);
	for (unsigned i = 0; i < 4; i++, at += 2 + 200) {
		big[at] = DHCP_DNS;
		big[at + 1] = 200;
	}
	big[at] = 255;
	cr_assert(!dhcp_parse(big, sizeof(big), &m));
	/* Of one that nobody asked for it does not matter. */
	for (at = AT_OPTIONS + 3; big[at] != 255; at += 2 + 200)
		big[at] = 43;
	cr_assert(dhcp_parse(big, sizeof(big), &m));
}

Test(dhcp_wire, a_domain_that_is_no_name_is_none)
{
	cr_assert(parse_these(53, 1, 5, 15, 4, 'a', '.', 'b', 0, 255));
	cr_assert_str_eq(m.domain, "a.b");
	cr_assert(parse_these(53, 1, 5, 15, 3, 'a', 0, 'b', 255));
	cr_assert_str_eq(m.domain, "");
	cr_assert(parse_these(53, 1, 5, 15, 3, 'a', '\n', 'b', 255));
	cr_assert_str_eq(m.domain, "");
	cr_assert(parse_these(53, 1, 5, 15, 2, '$', '(', 255));
	cr_assert_str_eq(m.domain, "");
}
