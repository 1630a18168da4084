#include "ip/dhcp_wire.h"

enum {
	HTYPE_ETHER = 1,
	HLEN_ETHER = 6,
	CHADDR_LEN = 16,
	SNAME_LEN = 64,
	FILE_LEN = 128,
	FLAG_BROADCAST = 0x8000,
	COOKIE = 0x63825363, /* RFC 2131 3 */
	OVERLOAD_FILE = 1,
	OVERLOAD_SNAME = 2,
	PART_MAX = 255, /* bytes of an option with one length */
};

/* Where options are: the field for them, then file, then sname (RFC 3396 5). */
struct areas {
	struct rd at[3];
	unsigned n;
};

/* An option with all its parts. */
struct option {
	unsigned len;
	uint8_t bytes[DHCP_OPTION_MAX];
};

/* ---- in ---- */

/* The next option's bytes as *@part; false: the end, which sets @bad if it is not said. */
static bool next_option(struct rd *r, uint8_t *code, struct rd *part)
{
	size_t len;

	do
		*code = rd8(r);
	while (*code == DHCP_PAD && !r->bad);
	if (*code == DHCP_END || r->bad)
		return false;
	len = rd8(r);
	if (len > rd_left(r))
		r->bad = true;
	if (r->bad)
		return false;
	*part = rd_of(r->p, len);
	r->p += len;
	return true;
}

/* True for options that are all there, to the one that ends them. */
static bool is_whole(struct rd r)
{
	struct rd part;
	uint8_t code;

	while (next_option(&r, &code, &part))
		;
	return !r.bad;
}

/* False: longer than we read it.  An option that is not there has no bytes. */
static bool gather(const struct areas *areas, enum dhcp_code which, struct option *o)
{
	struct rd part;
	uint8_t code;

	o->len = 0;
	for (unsigned i = 0; i < areas->n; i++) {
		struct rd r = areas->at[i];

		while (next_option(&r, &code, &part)) {
			size_t len = rd_left(&part);

			if (code != which)
				continue;
			if (len > sizeof(o->bytes) - o->len)
				return false;
			memcpy(o->bytes + o->len, part.p, len);
			o->len += (unsigned)len;
		}
	}
	return true;
}

/* True when @o has @len bytes, or is not there: then *@r yields zeros. */
static bool fixed(const struct option *o, unsigned len, struct rd *r)
{
	static const uint8_t zeros[4];

	*r = o->len ? rd_of(o->bytes, o->len) : rd_of(zeros, len);
	return o->len == len || o->len == 0;
}

static bool read_ip4(const struct option *o, struct ip4 *a)
{
	struct rd r;
	bool good = fixed(o, 4, &r);

	rd_copy(&r, a, sizeof(*a));
	return good;
}

static bool read_u32(const struct option *o, uint32_t *n)
{
	struct rd r;
	bool good = fixed(o, 4, &r);

	*n = rd32(&r);
	return good;
}

static bool read_u16(const struct option *o, uint16_t *n)
{
	struct rd r;
	bool good = fixed(o, 2, &r);

	*n = rd16(&r);
	return good;
}

/* RFC 2132 3.3; RFC 950: ones, and zeros behind them. */
static bool read_mask(const struct option *o, uint8_t *bits)
{
	uint32_t mask;

	if (!read_u32(o, &mask))
		return false;
	*bits = 0;
	for (; mask & UINT32_C(0x80000000); mask <<= 1)
		++*bits;
	return mask == 0 && (*bits || !o->len);
}

/* The first @max of them. */
static bool read_list(const struct option *o, struct ip4 *list, unsigned max, uint8_t *n)
{
	struct rd r = rd_of(o->bytes, o->len);

	*n = 0;
	if (o->len % sizeof(struct ip4))
		return false;
	while (rd_left(&r) && *n < max)
		rd_copy(&r, &list[(*n)++], sizeof(struct ip4));
	return true;
}

/* Bytes for a client of ours: as they are. */
static bool read_bytes(const struct option *o, uint8_t *to, unsigned max, uint8_t *n)
{
	if (o->len > max)
		return false;
	memcpy(to, o->bytes, o->len);
	*n = (uint8_t)o->len;
	return true;
}

static bool is_of_name(uint8_t c)
{
	uint8_t lower = c | 0x20;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.';
}

/* What cannot be a name is none; some servers send a NUL with it (RFC 2132 2). */
static void read_domain(const struct option *o, char domain[static DHCP_DOMAIN_LEN])
{
	unsigned len = o->len;

	while (len && o->bytes[len - 1] == 0)
		len--;
	if (len >= DHCP_DOMAIN_LEN)
		return;
	for (unsigned i = 0; i < len; i++)
		if (!is_of_name(o->bytes[i]))
			return;
	memcpy(domain, o->bytes, len);
}

static void cut_prefix(struct dhcp_route *route)
{
	for (unsigned bit = route->bits; bit < 32; bit++)
		route->prefix.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* RFC 3442: a prefix length, the bytes of the prefix that matter, a router. */
static bool read_routes(const struct option *o, struct dhcp_msg *m)
{
	struct rd r = rd_of(o->bytes, o->len);

	while (rd_left(&r)) {
		struct dhcp_route route = { .bits = rd8(&r) };

		if (route.bits > 32)
			return false;
		rd_copy(&r, &route.prefix, (route.bits + 7u) / 8);
		rd_copy(&r, &route.router, sizeof(route.router));
		cut_prefix(&route);
		if (!r.bad && m->n_routes < DHCP_ROUTES_MAX)
			m->routes[m->n_routes++] = route;
		if (r.bad)
			return false;
	}
	return true;
}

static bool read_type(const struct option *o, enum dhcp_type *type)
{
	if (o->len != 1 || o->bytes[0] < DHCP_DISCOVER || o->bytes[0] > DHCP_INFORM)
		return false;
	*type = (enum dhcp_type)o->bytes[0];
	return true;
}

static bool read_one(enum dhcp_code code, const struct option *o, struct dhcp_msg *m)
{
	switch (code) {
	case DHCP_SUBNET: return read_mask(o, &m->bits);
	case DHCP_ROUTERS:
		return read_list(o, m->routers, DHCP_ROUTERS_MAX, &m->n_routers);
	case DHCP_DNS: return read_list(o, m->dns, DHCP_DNS_MAX, &m->n_dns);
	case DHCP_DOMAIN: read_domain(o, m->domain); return true;
	case DHCP_MTU: return read_u16(o, &m->mtu);
	case DHCP_REQUESTED: return read_ip4(o, &m->requested);
	case DHCP_LEASE: m->has_lease = o->len; return read_u32(o, &m->lease_s);
	case DHCP_TYPE: return read_type(o, &m->type);
	case DHCP_SERVER: return read_ip4(o, &m->server);
	case DHCP_ASKS: return read_bytes(o, m->asks, DHCP_ASKS_MAX, &m->n_asks);
	case DHCP_SIZE_MAX: return read_u16(o, &m->size_max);
	case DHCP_T1: return read_u32(o, &m->t1_s);
	case DHCP_T2: return read_u32(o, &m->t2_s);
	case DHCP_ID: return read_bytes(o, m->id, DHCP_ID_MAX, &m->id_len);
	case DHCP_ROUTES: return read_routes(o, m);
	case DHCP_OVERLOAD:
	case DHCP_PAD:
	case DHCP_END: break;
	}
	return true;
}

static bool read_options(const struct areas *areas, struct dhcp_msg *m)
{
	static const uint8_t codes[] = {
		DHCP_SUBNET, DHCP_ROUTERS, DHCP_DNS,	   DHCP_DOMAIN, DHCP_MTU,
		DHCP_TYPE,   DHCP_LEASE,   DHCP_REQUESTED, DHCP_SERVER, DHCP_ASKS,
		DHCP_ID,     DHCP_T1,	   DHCP_T2,	   DHCP_ROUTES, DHCP_SIZE_MAX,
	};
	struct option o;

	for (unsigned i = 0; i < sizeof(codes); i++)
		if (!gather(areas, codes[i], &o) || !read_one(codes[i], &o, m))
			return false;
	return true;
}

/* RFC 2132 9.3: sname and file, when they hold options. */
static bool add_overloaded(struct areas *areas, const uint8_t *sname, const uint8_t *file)
{
	struct option o;

	if (!is_whole(areas->at[0]) || !gather(areas, DHCP_OVERLOAD, &o))
		return false;
	if (o.len == 0)
		return true;
	if (o.len != 1 || o.bytes[0] < 1 || o.bytes[0] > 3)
		return false;
	if (o.bytes[0] & OVERLOAD_FILE)
		areas->at[areas->n++] = rd_of(file, FILE_LEN);
	if (o.bytes[0] & OVERLOAD_SNAME)
		areas->at[areas->n++] = rd_of(sname, SNAME_LEN);
	for (unsigned i = 1; i < areas->n; i++)
		if (!is_whole(areas->at[i]))
			return false;
	return true;
}

bool dhcp_parse(const uint8_t *bytes, size_t len, struct dhcp_msg *m)
{
	struct rd r = rd_of(bytes, len);
	struct areas areas = { .n = 1 };
	const uint8_t *sname, *file;
	uint8_t op = rd8(&r);
	bool known = op == DHCP_BOOTREQUEST || op == DHCP_BOOTREPLY;

	*m = (struct dhcp_msg){ .op = (enum dhcp_op)op };
	known &= rd8(&r) == HTYPE_ETHER;
	known &= rd8(&r) == HLEN_ETHER;
	rd8(&r); /* hops */
	m->xid = rd32(&r);
	m->secs = rd16(&r);
	m->broadcast = rd16(&r) & FLAG_BROADCAST;
	rd_copy(&r, &m->ciaddr, sizeof(m->ciaddr));
	rd_copy(&r, &m->yiaddr, sizeof(m->yiaddr));
	rd_take(&r, 2 * sizeof(struct ip4)); /* siaddr, giaddr */
	rd_copy(&r, &m->chaddr, sizeof(m->chaddr));
	rd_take(&r, CHADDR_LEN - sizeof(m->chaddr));
	sname = rd_take(&r, SNAME_LEN);
	file = rd_take(&r, FILE_LEN / 2);
	rd_take(&r, FILE_LEN / 2);
	known &= rd32(&r) == COOKIE;
	if (!known || r.bad)
		return false;
	areas.at[0] = r;
	return add_overloaded(&areas, sname, file) && read_options(&areas, m);
}

/* ---- out ---- */

static void put(struct wr *w, enum dhcp_code code, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	/* RFC 3396 4: more than one length can say is cut. */
	while (len) {
		size_t n = len < PART_MAX ? len : PART_MAX;

		wr8(w, (uint8_t)code);
		wr8(w, (uint8_t)n);
		wr_copy(w, at, n);
		at += n;
		len -= n;
	}
}

static void put_ip4(struct wr *w, enum dhcp_code code, struct ip4 a)
{
	if (!ip4_is_zero(a))
		put(w, code, &a, sizeof(a));
}

static void put_u32(struct wr *w, enum dhcp_code code, uint32_t n)
{
	uint8_t bytes[4];
	struct wr number = wr_of(bytes, sizeof(bytes));

	wr32(&number, n);
	put(w, code, bytes, sizeof(bytes));
}

static void put_u16(struct wr *w, enum dhcp_code code, uint16_t n)
{
	uint8_t bytes[2];
	struct wr number = wr_of(bytes, sizeof(bytes));

	wr16(&number, n);
	if (n)
		put(w, code, bytes, sizeof(bytes));
}

static void put_routes(struct wr *w, const struct dhcp_msg *m)
{
	uint8_t bytes[DHCP_ROUTES_MAX * (1 + 2 * sizeof(struct ip4))];
	struct wr all = wr_of(bytes, sizeof(bytes));

	for (unsigned i = 0; i < m->n_routes; i++) {
		const struct dhcp_route *route = &m->routes[i];

		wr8(&all, route->bits);
		wr_copy(&all, &route->prefix, (route->bits + 7u) / 8);
		wr_copy(&all, &route->router, sizeof(route->router));
	}
	put(w, DHCP_ROUTES, bytes, (size_t)(all.p - bytes));
}

static void put_options(struct wr *w, const struct dhcp_msg *m)
{
	uint8_t type = (uint8_t)m->type;

	put(w, DHCP_TYPE, &type, 1);
	if (m->bits)
		put_u32(w, DHCP_SUBNET, UINT32_MAX << (32 - m->bits));
	put(w, DHCP_ROUTERS, m->routers, m->n_routers * sizeof(struct ip4));
	put(w, DHCP_DNS, m->dns, m->n_dns * sizeof(struct ip4));
	put(w, DHCP_DOMAIN, m->domain, strlen(m->domain));
	put_u16(w, DHCP_MTU, m->mtu);
	put_ip4(w, DHCP_REQUESTED, m->requested);
	if (m->has_lease)
		put_u32(w, DHCP_LEASE, m->lease_s);
	put_ip4(w, DHCP_SERVER, m->server);
	put(w, DHCP_ASKS, m->asks, m->n_asks);
	put_u16(w, DHCP_SIZE_MAX, m->size_max);
	if (m->t1_s)
		put_u32(w, DHCP_T1, m->t1_s);
	if (m->t2_s)
		put_u32(w, DHCP_T2, m->t2_s);
	put(w, DHCP_ID, m->id, m->id_len);
	put_routes(w, m);
	wr8(w, DHCP_END);
}

void dhcp_emit(struct wr *w, const struct dhcp_msg *m)
{
	static const uint8_t zeros[CHADDR_LEN + SNAME_LEN + FILE_LEN];
	const uint8_t *start = w->p;

	wr8(w, (uint8_t)m->op);
	wr8(w, HTYPE_ETHER);
	wr8(w, HLEN_ETHER);
	wr8(w, 0); /* hops */
	wr32(w, m->xid);
	wr16(w, m->secs);
	wr16(w, m->broadcast ? FLAG_BROADCAST : 0);
	wr_copy(w, &m->ciaddr, sizeof(m->ciaddr));
	wr_copy(w, &m->yiaddr, sizeof(m->yiaddr));
	wr_copy(w, zeros, 2 * sizeof(struct ip4)); /* siaddr, giaddr */
	wr_copy(w, &m->chaddr, sizeof(m->chaddr));
	wr_copy(w, zeros, sizeof(zeros) - sizeof(m->chaddr));
	wr32(w, COOKIE);
	put_options(w, m);
	while (!w->bad && w->p - start < DHCP_LEN_LEAST)
		wr8(w, DHCP_PAD);
}
