/*
 * The headers of IPv6, the walk through extension headers, and neighbour discovery: what
 * was understood is written as the same bytes.  The first byte of the input says which.
 */
#include "arp/nd_wire.h"
#include "ip/ip6_ext.h"
#include "ip/ip6_wire.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void header(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[IP6_HEADER_LEN];
	struct ip6_header h;

	if (!ip6_parse(&r, &h))
		return;
	ASSERT(r.p == bytes + IP6_HEADER_LEN);
	ip6_emit(out, &h);
	ASSERT(memcmp(out, bytes, sizeof(out)) == 0);
}

static void fragment(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[IP6_FRAG_LEN];
	struct ip6_frag f;

	if (!ip6_frag_parse(&r, &f))
		return;
	ip6_frag_emit(out, &f);
	/* All but what is reserved. */
	ASSERT(out[0] == bytes[0] && out[2] == bytes[2] && out[3] == (bytes[3] & 0xf9));
	ASSERT(memcmp(out + 4, bytes + 4, 4) == 0);
}

static void walk(const uint8_t *bytes, size_t len)
{
	struct ip6_ext x = { .at = IP6_HEADER_LEN, .next_at = 6 };
	enum ip6_ext_end end;

	if (len < IP6_HEADER_LEN)
		return;
	x.next = bytes[6];
	end = ip6_ext_walk(&x, bytes, len);
	ASSERT(x.n <= IP6_EXT_MAX && x.at <= len && x.next_at < len);
	if (end == IP6_EXT_PROBLEM || end == IP6_EXT_PROBLEM_ONE)
		ASSERT(x.pointer < len);
	if (end == IP6_EXT_UPPER)
		ASSERT(x.next == bytes[x.next_at]);
}

static void nd(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len), again;
	uint8_t out[ND_EMIT_MAX];
	struct wr w = wr_of(out, sizeof(out));
	struct nd_msg m, back;

	if (!nd_parse(&r, &m))
		return;
	ASSERT(m.n_prefixes <= ND_PREFIX_MAX);
	if (m.type != ND_SOLICIT && m.type != ND_ADVERT && m.type != ND_ROUTER_SOLICIT)
		return;
	nd_emit(&w, &m);
	ASSERT(!w.bad);
	again = rd_of(out, (size_t)(w.p - out));
	ASSERT(nd_parse(&again, &back));
	ASSERT(ip6_eq(m.target, back.target) && m.has_mac == back.has_mac &&
	       m.has_nonce == back.has_nonce && m.router == back.router &&
	       m.solicited == back.solicited && m.override == back.override);
	ASSERT(!m.has_mac || mac_eq(m.mac, back.mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	switch (bytes[0] % 4) {
	case 0: header(bytes + 1, len - 1); break;
	case 1: fragment(bytes + 1, len - 1); break;
	case 2: walk(bytes + 1, len - 1); break;
	case 3: nd(bytes + 1, len - 1); break;
	}
	return 0;
}
