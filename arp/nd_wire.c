#include "arp/nd_wire.h"

enum { HEADER_LEN = 4, OPTION_MAC_LEN = 8, OPTION_NONCE_LEN = 8 };

enum option {
	OPTION_SOURCE_MAC = 1,
	OPTION_TARGET_MAC = 2,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
	OPTION_NONCE = 14,
};

enum { FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 };
enum { FLAG_MANAGED = 0x80, FLAG_OTHER = 0x40, FLAG_ON_LINK = 0x80, FLAG_AUTO = 0x40 };

/* RFC 4191 2.1: two bits with a sign; the fourth value is to be taken for the middle. */
static int8_t preference_of(uint8_t flags)
{
	switch (flags >> 3 & 3) {
	case 1: return 1;
	case 3: return -1;
	default: return 0;
	}
}

static void parse_prefix(struct rd *r, struct nd_msg *m)
{
	struct nd_prefix p = { 0 };
	uint8_t flags;

	p.bits = rd8(r);
	flags = rd8(r);
	p.on_link = flags & FLAG_ON_LINK;
	p.autonomous = flags & FLAG_AUTO;
	p.valid_s = rd32(r);
	p.preferred_s = rd32(r);
	rd32(r);
	rd_copy(r, &p.prefix, sizeof(p.prefix));
	if (r->bad || p.bits > 128 || m->n_prefixes == ND_PREFIX_MAX)
		return;
	m->prefixes[m->n_prefixes++] = p;
}

/* Which of the two options with a link-layer address belongs to this message. */
static bool is_mac_of(const struct nd_msg *m, uint8_t type)
{
	bool of_target = m->type == ND_ADVERT || m->type == ND_REDIRECT;

	return type == (of_target ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC);
}

/* One option, whose value @r holds.  One that is too short for its type is skipped. */
static void parse_option(uint8_t type, struct rd r, struct nd_msg *m)
{
	uint32_t mtu;

	if (is_mac_of(m, type)) {
		m->has_mac = rd_left(&r) >= sizeof(m->mac);
		rd_copy(&r, &m->mac, sizeof(m->mac));
	} else if (type == OPTION_NONCE && m->type == ND_SOLICIT) {
		m->has_nonce = rd_left(&r) == ND_NONCE_LEN;
		rd_copy(&r, m->nonce, ND_NONCE_LEN);
	} else if (type == OPTION_PREFIX && m->type == ND_ROUTER_ADVERT) {
		parse_prefix(&r, m);
	} else if (type == OPTION_MTU && m->type == ND_ROUTER_ADVERT) {
		rd16(&r);
		mtu = rd32(&r);
		m->mtu = r.bad ? 0 : mtu;
	}
}

/* RFC 4861 4.6, 6.1, 7.1: an option of length zero makes the message a bad one. */
static bool parse_options(struct rd *r, struct nd_msg *m)
{
	for (unsigned n = 0; rd_left(r); n++) {
		uint8_t type = rd8(r);
		size_t len = rd8(r) * 8u;

		if (r->bad || len == 0 || len - 2 > rd_left(r) || n == ND_OPTIONS_MAX)
			return false;
		parse_option(type, rd_of(r->p, len - 2), m);
		r->p += len - 2;
	}
	return true;
}

static void parse_router_advert(struct rd *r, struct nd_msg *m)
{
	uint8_t flags;

	m->hop_limit = rd8(r);
	flags = rd8(r);
	m->managed = flags & FLAG_MANAGED;
	m->other_conf = flags & FLAG_OTHER;
	m->preference = preference_of(flags);
	m->lifetime_s = rd16(r);
	m->reachable_ms = rd32(r);
	m->retrans_ms = rd32(r);
}

static void parse_fixed(struct rd *r, struct nd_msg *m)
{
	uint8_t flags;

	if (m->type == ND_ROUTER_ADVERT) {
		parse_router_advert(r, m);
		return;
	}
	flags = rd8(r);
	rd_take(r, 3);
	if (m->type == ND_ADVERT) {
		m->router = flags & FLAG_ROUTER;
		m->solicited = flags & FLAG_SOLICITED;
		m->override = flags & FLAG_OVERRIDE;
	}
	if (m->type != ND_ROUTER_SOLICIT)
		rd_copy(r, &m->target, sizeof(m->target));
	if (m->type == ND_REDIRECT)
		rd_copy(r, &m->dst, sizeof(m->dst));
}

bool nd_parse(struct rd *r, struct nd_msg *m)
{
	uint8_t type = rd8(r), code = rd8(r);

	*m = (struct nd_msg){ .type = (enum nd_type)type };
	rd16(r);
	if (code != 0 || type < ND_ROUTER_SOLICIT || type > ND_REDIRECT)
		return false;
	parse_fixed(r, m);
	if (r->bad || ip6_is_multicast(m->target) || ip6_is_multicast(m->dst))
		return false;
	return parse_options(r, m);
}

static void emit_mac(struct wr *w, const struct nd_msg *m)
{
	if (!m->has_mac)
		return;
	wr8(w, m->type == ND_ADVERT ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC);
	wr8(w, OPTION_MAC_LEN / 8);
	wr_copy(w, &m->mac, sizeof(m->mac));
}

void nd_emit(struct wr *w, const struct nd_msg *m)
{
	wr8(w, (uint8_t)m->type);
	wr8(w, 0);
	wr16(w, 0);
	wr8(w, (uint8_t)((m->router ? FLAG_ROUTER : 0) |
			 (m->solicited ? FLAG_SOLICITED : 0) |
			 (m->override ? FLAG_OVERRIDE : 0)));
	wr_copy(w, (uint8_t[3]){ 0 }, 3);
	if (m->type != ND_ROUTER_SOLICIT)
		wr_copy(w, &m->target, sizeof(m->target));
	emit_mac(w, m);
	if (m->has_nonce) {
		wr8(w, OPTION_NONCE);
		wr8(w, OPTION_NONCE_LEN / 8);
		wr_copy(w, m->nonce, ND_NONCE_LEN);
	}
}

struct ip6 nd_solicited_node(struct ip6 target)
{
	struct ip6 group = { { 0xff, 2, [11] = 1, [12] = 0xff } };

	memcpy(group.b + 13, target.b + 13, 3);
	return group;
}

struct mac nd_group_mac(struct ip6 group)
{
	struct mac mac = { { 0x33, 0x33 } };

	memcpy(mac.b + 2, group.b + 12, 4);
	return mac;
}
