#include <criterion/criterion.h>

#include "arp/nd_wire.h"

/* clang-format off */
static const uint8_t solicit[] = {
	135, 0, 0, 0,			/* solicitation, code 0, no sum */
	0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,	/* who has 2001:db8::9? */
	0, 0, 0, 0, 0, 0, 0, 9,
	1, 1, 2, 0, 0, 0, 0, 1,		/* source 02-00-00-00-00-01 */
};
static const uint8_t advert[] = {
	136, 0, 0, 0,
	0xe0, 0, 0, 0,			/* router, solicited, override */
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 9,
	2, 1, 2, 0, 0, 0, 1, 1,		/* target 02-00-00-00-01-01 */
};
static const uint8_t search[] = {
	135, 0, 0, 0,
	0, 0, 0, 0,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 1,
	14, 1, 1, 2, 3, 4, 5, 6,	/* nonce */
};
static const uint8_t router_solicit[] = {
	133, 0, 0, 0,
	0, 0, 0, 0,
	1, 1, 2, 0, 0, 0, 0, 1,
};
static const uint8_t router_advert[] = {
	134, 0, 0, 0,
	64, 0xc8, 0x07, 0x08,		/* hop limit, managed, other, high; 1800 s */
	0, 0, 0x75, 0x30,		/* reachable 30000 ms */
	0, 0, 0x03, 0xe8,		/* again after 1000 ms */
	1, 1, 2, 0, 0, 0, 1, 1,
	5, 1, 0, 0, 0, 0, 0x05, 0x78,	/* MTU 1400 */
	3, 4, 64, 0xc0,			/* prefix of 64 bits, on the link, for addresses */
	0, 0, 0x0e, 0x10, 0, 0, 0x07, 0x08,	/* 3600 s valid, 1800 s preferred */
	0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	25, 3, 0, 0, 0, 0, 0, 1,	/* a name server, which is skipped */
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 1,
};
static const uint8_t redirect[] = {
	137, 0, 0, 0,
	0, 0, 0, 0,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0,	/* a better way is fe80::7 */
	0, 0, 0, 0, 0, 0, 0, 7,
	0x20, 0x01, 0x0d, 0xb8, 0, 5, 0, 0,	/* to 2001:db8:5::1 */
	0, 0, 0, 0, 0, 0, 0, 1,
	2, 1, 2, 0, 0, 0, 0, 7,
};
/* clang-format on */

static const struct {
	const uint8_t *bytes;
	size_t len, fixed;
} all[] = {
	{ solicit, sizeof(solicit), 24 },
	{ advert, sizeof(advert), 24 },
	{ search, sizeof(search), 24 },
	{ router_solicit, sizeof(router_solicit), 8 },
	{ router_advert, sizeof(router_advert), 16 },
	{ redirect, sizeof(redirect), 40 },
};

static bool parses(const uint8_t *b, size_t len, struct nd_msg *m)
{
	struct rd r = rd_of(b, len);

	return nd_parse(&r, m);
}

static void comes_back(const uint8_t *b, size_t len)
{
	uint8_t out[ND_EMIT_MAX];
	struct wr w = wr_of(out, sizeof(out));
	struct nd_msg m;

	cr_assert(parses(b, len, &m));
	nd_emit(&w, &m);
	cr_assert(!w.bad && (size_t)(w.p - out) == len);
	cr_assert_arr_eq(out, b, len);
}

Test(nd_wire, what_we_send_comes_back_from_its_bytes)
{
	comes_back(solicit, sizeof(solicit));
	comes_back(advert, sizeof(advert));
	comes_back(search, sizeof(search));
	comes_back(router_solicit, sizeof(router_solicit));
}

Test(nd_wire, parses_solicitations_and_advertisements)
{
	static const struct ip6 target = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 } };
	static const struct mac peer = { { 2, 0, 0, 0, 1, 1 } };
	struct nd_msg m;

	cr_assert(parses(solicit, sizeof(solicit), &m));
	cr_assert(m.type == ND_SOLICIT && m.has_mac && !m.has_nonce);
	cr_assert(ip6_eq(m.target, target) && m.mac.b[5] == 1);
	cr_assert(parses(advert, sizeof(advert), &m));
	cr_assert(m.type == ND_ADVERT && m.router && m.solicited && m.override);
	cr_assert(m.has_mac && mac_eq(m.mac, peer));
	cr_assert(parses(search, sizeof(search), &m));
	cr_assert(!m.has_mac && m.has_nonce && m.nonce[0] == 1 && m.nonce[5] == 6);
}

Test(nd_wire, parses_what_a_router_says)
{
	struct nd_msg m;

	cr_assert(parses(router_advert, sizeof(router_advert), &m));
	cr_assert(m.hop_limit == 64 && m.managed && m.other_conf && m.preference == 1);
	cr_assert(m.lifetime_s == 1800 && m.reachable_ms == 30000);
	cr_assert(m.retrans_ms == 1000 && m.mtu == 1400 && m.has_mac);
	cr_assert(m.n_prefixes == 1 && m.prefixes[0].bits == 64);
	cr_assert(m.prefixes[0].on_link && m.prefixes[0].autonomous);
	cr_assert(m.prefixes[0].valid_s == 3600 && m.prefixes[0].preferred_s == 1800);
	cr_assert(m.prefixes[0].prefix.b[3] == 0xb8);
}

Test(nd_wire, parses_a_redirect)
{
	struct nd_msg m;

	cr_assert(parses(redirect, sizeof(redirect), &m));
	cr_assert(m.type == ND_REDIRECT && m.target.b[15] == 7 && m.dst.b[5] == 5);
	cr_assert(m.has_mac && m.mac.b[5] == 7);
}

Test(nd_wire, preferences_have_a_sign_and_a_middle)
{
	static const int8_t want[] = { 0, 1, 0, -1 };
	uint8_t b[sizeof(router_advert)];
	struct nd_msg m;

	for (unsigned i = 0; i < 4; i++) {
		memcpy(b, router_advert, sizeof(b));
		b[5] = (uint8_t)(i << 3);
		cr_assert(parses(b, sizeof(b), &m));
		cr_assert_eq(m.preference, want[i]);
	}
}

Test(nd_wire, refuses_every_truncation)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct nd_msg m;

		/* Behind the fixed part, a message may end between two options. */
		for (size_t len = 0; len < all[i].len; len++)
			if (parses(all[i].bytes, len, &m))
				cr_assert(len % 8 == 0 && len >= all[i].fixed,
					  "case %u, %zu bytes", i, len);
	}
}

Test(nd_wire, refuses_codes_types_and_options_that_cannot_be)
{
	uint8_t b[sizeof(solicit)];
	struct nd_msg m;

	memcpy(b, solicit, sizeof(b));
	b[1] = 1;
	cr_assert(!parses(b, sizeof(b), &m));
	b[1] = 0;
	for (unsigned type = 0; type < 256; type++) {
		b[0] = (uint8_t)type;
		if (parses(b, sizeof(b), &m))
			cr_assert(type >= 133 && type <= 136);
	}
	memcpy(b, solicit, sizeof(b));
	b[25] = 0; /* RFC 4861 4.6: of length zero */
	cr_assert(!parses(b, sizeof(b), &m));
	b[25] = 2;
	cr_assert(!parses(b, sizeof(b), &m));
	memcpy(b, solicit, sizeof(b));
	b[8] = 0xff; /* a group is no target */
	cr_assert(!parses(b, sizeof(b), &m));
}

Test(nd_wire, options_of_another_message_are_skipped)
{
	uint8_t b[sizeof(solicit)];
	struct nd_msg m;

	memcpy(b, solicit, sizeof(b));
	b[24] = 2;
	cr_assert(parses(b, sizeof(b), &m) && !m.has_mac);
	b[24] = 200;
	cr_assert(parses(b, sizeof(b), &m) && !m.has_mac);
}

Test(nd_wire, so_many_prefixes_and_options_and_no_more)
{
	uint8_t b[16 + 32 * (ND_PREFIX_MAX + 1) + 8 * ND_OPTIONS_MAX];
	struct nd_msg m;
	size_t len = 16;

	memcpy(b, router_advert, len);
	for (unsigned i = 0; i <= ND_PREFIX_MAX; i++, len += 32)
		memcpy(b + len, router_advert + 32, 32);
	cr_assert(parses(b, len, &m));
	cr_assert_eq(m.n_prefixes, ND_PREFIX_MAX);
	for (unsigned i = ND_PREFIX_MAX + 1; i < ND_OPTIONS_MAX; i++, len += 8)
		memcpy(b + len, "\310\1\0\0\0\0\0\0", 8);
	cr_assert(parses(b, len, &m));
	memcpy(b + len, "\310\1\0\0\0\0\0\0", 8);
	cr_assert(!parses(b, len + 8, &m));
}

Test(nd_wire, groups_of_targets_and_their_frames)
{
	static const struct ip6 target = { { 0xfe, 0x80, [12] = 1, 2, 3, 4 } };
	static const struct ip6 group = { { 0xff, 2, [11] = 1, [12] = 0xff, 2, 3, 4 } };
	static const struct mac mac = { { 0x33, 0x33, 0xff, 2, 3, 4 } };

	cr_assert(ip6_eq(nd_solicited_node(target), group));
	cr_assert(mac_eq(nd_group_mac(group), mac));
}
