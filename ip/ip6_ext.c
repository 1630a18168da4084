#include "ip/ip6_ext.h"

#include "ip/icmp6_wire.h"
#include "ip/ip6_wire.h"
#include "stack/base/byte.h"

/* RFC 8200 4.2; RFC 2711: to a host, "look at this" says nothing more. */
enum { OPTION_PAD1 = 0, OPTION_PADN = 1, OPTION_ROUTER_ALERT = 5 };

/* RFC 8200 4.2: what an option's two highest bits ask of who does not know it. */
enum unknown {
	UNKNOWN_SKIP = 0,
	UNKNOWN_DISCARD = 1,
	UNKNOWN_ANSWER = 2,
	UNKNOWN_ANSWER_ONE = 3, /* not when it was sent to a group */
};

static enum ip6_ext_end problem(struct ip6_ext *x, enum icmp6_parameter code,
				uint32_t pointer)
{
	x->code = (uint8_t)code;
	x->pointer = pointer;
	return IP6_EXT_PROBLEM;
}

/* An option that is not padding; UPPER: on with the next. */
static enum ip6_ext_end option(struct ip6_ext *x, uint8_t type, uint32_t at)
{
	if (type == OPTION_ROUTER_ALERT)
		return IP6_EXT_UPPER;
	switch ((enum unknown)(type >> 6)) {
	case UNKNOWN_SKIP: return IP6_EXT_UPPER;
	case UNKNOWN_DISCARD: return IP6_EXT_DISCARD;
	case UNKNOWN_ANSWER: return problem(x, ICMP6_PARAMETER_OPTION, at);
	case UNKNOWN_ANSWER_ONE:
		problem(x, ICMP6_PARAMETER_OPTION, at);
		return IP6_EXT_PROBLEM_ONE;
	}
	return IP6_EXT_DISCARD;
}

/* The options between @r and the header's end, whose first is at @at; UPPER: fine. */
static enum ip6_ext_end options(struct ip6_ext *x, struct rd r, uint32_t at)
{
	const uint8_t *start = r.p;
	unsigned n_options = 0, n_pads = 0;

	while (rd_left(&r)) {
		uint32_t where = at + (uint32_t)(r.p - start);
		uint8_t type = rd8(&r), len = type == OPTION_PAD1 ? 0 : rd8(&r);
		enum ip6_ext_end end;

		if (r.bad || len > rd_left(&r))
			return problem(x, ICMP6_PARAMETER_FIELD, where);
		r.p += len;
		if (type == OPTION_PAD1 || type == OPTION_PADN) {
			if (++n_pads > IP6_EXT_PADS_MAX)
				return IP6_EXT_LIMIT;
			continue;
		}
		if (++n_options > IP6_EXT_OPTIONS_MAX)
			return IP6_EXT_LIMIT;
		end = option(x, type, where);
		if (end != IP6_EXT_UPPER)
			return end;
	}
	return IP6_EXT_UPPER;
}

/*
 * RFC 8200 4.4: a way that is at its end is no business of ours, whatever its type; of
 * one that is not we know no type.  Type 0 is none either (RFC 5095 3).
 */
static enum ip6_ext_end routing(struct ip6_ext *x, const uint8_t *header)
{
	uint8_t segments_left = header[3];

	if (segments_left == 0)
		return IP6_EXT_UPPER;
	return problem(x, ICMP6_PARAMETER_FIELD, x->at + 2);
}

/* The header at x->at, of @len bytes.  UPPER: fine. */
static enum ip6_ext_end header(struct ip6_ext *x, const uint8_t *packet, uint32_t len)
{
	const uint8_t *h = packet + x->at;

	if (x->next == IP6_NEXT_ROUTING)
		return routing(x, h);
	return options(x, rd_of(h + 2, len - 2), x->at + 2);
}

enum ip6_ext_end ip6_ext_walk(struct ip6_ext *x, const uint8_t *packet, size_t len)
{
	for (;;) {
		enum ip6_ext_end end;
		uint32_t header_len;

		if (x->next == IP6_NEXT_FRAGMENT)
			return IP6_EXT_FRAGMENT;
		/* RFC 8200 4.3: it stands directly behind the IPv6 header or is unknown. */
		if (x->next == IP6_NEXT_HOP_BY_HOP && x->at != IP6_HEADER_LEN)
			return problem(x, ICMP6_PARAMETER_NEXT, x->next_at);
		if (x->next != IP6_NEXT_HOP_BY_HOP && x->next != IP6_NEXT_ROUTING &&
		    x->next != IP6_NEXT_DESTINATION)
			return IP6_EXT_UPPER;
		if (x->n == IP6_EXT_MAX)
			return IP6_EXT_LIMIT;
		if (x->at + 8 > len)
			return IP6_EXT_SHORT;
		header_len = (packet[x->at + 1] + 1u) * 8;
		if (x->at + header_len > len)
			return IP6_EXT_SHORT;
		end = header(x, packet, header_len);
		if (end != IP6_EXT_UPPER)
			return end;
		x->n++;
		x->next = packet[x->at];
		x->next_at = x->at;
		x->at += header_len;
	}
}
