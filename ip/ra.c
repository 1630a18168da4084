/*
 * What routers say becomes what everybody else reads: routes, an interface's hop limit
 * and MTU, addresses with lives.  One timer ends whatever is over, and solicits.
 */
#include "ip/ra.h"

#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "eth/eth.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum {
	DELAY_MS = 1000,       /* RFC 4861 10: MAX_RTR_SOLICITATION_DELAY */
	FIRST_MS = 4000,       /* RFC 7559 2: IRT, */
	LAST_MS = 3600 * 1000, /* MRT */
	METRIC = 1024,	       /* behind what was configured; RFC 4191 moves it */
	METRIC_STEP = 256,
	METRIC_LOST = 8192, /* a router that did not answer */
};

static const struct ip6 all_routers = { { 0xff, 2, [15] = 2 } };

static void fire(struct timer *t, uint64_t now_ns);

void ra_init(struct ra *ra, struct ip *ip, uint8_t iface)
{
	*ra = (struct ra){ .ip = ip, .iface = iface };
	timer_init(&ra->timer, fire);
}

void ra_fini(struct ra *ra)
{
	if (ra->ip)
		timer_stop(ra->ip->wheel, &ra->timer);
}

static struct ip_iface *iface_of(struct ra *ra)
{
	return &ra->ip->ifaces[ra->iface];
}

void ra_start(struct ra *ra, uint64_t now_ns)
{
	ra->on = ra->soliciting = true;
	ra->again_ms = FIRST_MS;
	/* RFC 4861 6.3.7: not all hosts of a link at once. */
	ra->solicit_ns = now_ns + rng_below(ra->ip->rng, DELAY_MS + 1) * NS_PER_MS;
	ra_arm(ra, now_ns);
}

/* A lifetime in seconds, of which the longest means for ever. */
static uint64_t end_of(uint32_t s, uint64_t now_ns)
{
	return s == UINT32_MAX ? UINT64_MAX : now_ns + s * NS_PER_S;
}

/* ---- default routers (RFC 4861 6.3.4) ---- */

static struct ip_route route_by(const struct ra *ra, const struct ra_router *router)
{
	return (struct ip_route){
		.prefix.family = ADDR_IP6,
		.iface = ra->iface,
		.metric = router->metric,
		.gateway = ip6_zoned(router->addr, ra->iface),
	};
}

static struct ra_router *find_router(struct ra *ra, struct ip6 addr)
{
	for (unsigned i = 0; i < ra->n_routers; i++)
		if (ip6_eq(ra->routers[i].addr, addr))
			return &ra->routers[i];
	return NULL;
}

static void set_metric(struct ra *ra, struct ra_router *router, uint32_t metric)
{
	struct ip_route route = route_by(ra, router);

	if (router->metric == metric)
		return;
	if (router->metric)
		ip_route_del(ra->ip, &route);
	router->metric = route.metric = metric;
	ip_route_add(ra->ip, &route);
}

static void del_router(struct ra *ra, struct ra_router *router)
{
	struct ip_route route = route_by(ra, router);
	struct ip6 addr = router->addr;

	ip_route_del(ra->ip, &route);
	*router = ra->routers[--ra->n_routers];
	/* RFC 4861 8.3: what it redirected to is not known to be right any more. */
	for (unsigned i = 0; i < ra->n_redirects;)
		if (ip6_eq(ra->redirects[i].hop, addr))
			ra->redirects[i] = ra->redirects[--ra->n_redirects];
		else
			i++;
	ra->ip->generation++;
}

static void hear_router(struct ra *ra, struct ip6 addr, const struct nd_msg *m,
			uint64_t now_ns)
{
	struct ra_router *router = find_router(ra, addr);

	if (!m->lifetime_s) {
		if (router)
			del_router(ra, router);
		return;
	}
	if (!router) {
		if (ra->n_routers == RA_ROUTERS_MAX)
			return;
		router = &ra->routers[ra->n_routers++];
		*router = (struct ra_router){ .addr = addr };
	}
	router->until_ns = now_ns + m->lifetime_s * NS_PER_S;
	set_metric(ra, router, (uint32_t)(METRIC - m->preference * METRIC_STEP));
	ra->soliciting = false; /* RFC 7559 2.1 */
}

void ra_router_gone(struct ra *ra, struct ip6 addr)
{
	struct ra_router *router = find_router(ra, addr);

	if (router)
		del_router(ra, router);
}

void ra_hop_lost(struct ra *ra, struct ip6 hop)
{
	struct ra_router *router = find_router(ra, hop);

	/* RFC 4861 6.3.6: routers that may be there are tried before it. */
	if (router)
		set_metric(ra, router, METRIC_LOST);
	for (unsigned i = 0; i < ra->n_redirects;)
		if (ip6_eq(ra->redirects[i].hop, hop)) {
			ra->redirects[i] = ra->redirects[--ra->n_redirects];
			ra->ip->generation++;
		} else {
			i++;
		}
}

/* ---- prefixes on the link (RFC 4861 6.3.4) ---- */

static struct ip_route route_to(const struct ra *ra, const struct ra_prefix *p)
{
	return (struct ip_route){
		.prefix = addr_ip6(p->prefix),
		.bits = p->bits,
		.iface = ra->iface,
		.metric = METRIC,
	};
}

static void del_prefix(struct ra *ra, struct ra_prefix *p)
{
	struct ip_route route = route_to(ra, p);

	ip_route_del(ra->ip, &route);
	*p = ra->prefixes[--ra->n_prefixes];
}

static void hear_prefix(struct ra *ra, const struct nd_prefix *said, uint64_t now_ns)
{
	struct ra_prefix new = {
		.prefix = ip6_prefix(said->prefix, said->bits),
		.bits = said->bits,
		.until_ns = end_of(said->valid_s, now_ns),
	};
	struct ra_prefix *p = ra->prefixes, *end = p + ra->n_prefixes;
	struct ip_route route = route_to(ra, &new);

	while (p < end && (p->bits != new.bits || !ip6_eq(p->prefix, new.prefix)))
		p++;
	if (p < end && said->valid_s)
		p->until_ns = new.until_ns;
	else if (p < end)
		del_prefix(ra, p);
	else if (said->valid_s && ra->n_prefixes < RA_PREFIXES_MAX &&
		 ip_route_add(ra->ip, &route) == 0)
		ra->prefixes[ra->n_prefixes++] = new;
}

/* ---- advertisements ---- */

static void hear_link(struct ra *ra, const struct nd_msg *m)
{
	struct ip6_iface *i = &iface_of(ra)->ip6;
	unsigned link_mtu = iface_of(ra)->eth->mtu;

	if (m->hop_limit >= RA_HOPS_MIN)
		i->hop_limit = m->hop_limit;
	if (m->mtu >= IP6_MTU_MIN && m->mtu <= link_mtu && m->mtu != i->mtu) {
		i->mtu = (uint16_t)m->mtu;
		ra->ip->generation++;
	}
	nd_set_times(ra->ip->neigh, m->reachable_ms, m->retrans_ms);
}

bool ra_input(struct ra *ra, const struct pkt *p, const struct nd_msg *m, uint64_t now_ns)
{
	/* RFC 4861 6.1.2 */
	if (!ip6_is_link_local(p->src.ip6))
		return false;
	if (!ra->on)
		return true;
	if (m->has_mac)
		nd_heard(ra->ip->neigh, iface_of(ra)->eth, p->src.ip6, m->mac, now_ns);
	hear_link(ra, m);
	hear_router(ra, p->src.ip6, m, now_ns);
	for (unsigned i = 0; i < m->n_prefixes; i++) {
		const struct nd_prefix *prefix = &m->prefixes[i];

		/* RFC 4861 6.3.4, RFC 4862 5.5.3 b: the link's own is never said. */
		if (ip6_is_link_local(prefix->prefix) || ip6_is_multicast(prefix->prefix))
			continue;
		if (prefix->on_link)
			hear_prefix(ra, prefix, now_ns);
		if (prefix->autonomous)
			slaac_hear(ra->ip, ra->iface, prefix, now_ns);
	}
	ra_arm(ra, now_ns);
	return true;
}

/* ---- redirects (RFC 4861 8) ---- */

const struct ip6 *ra_redirect(const struct ra *ra, struct ip6 dst)
{
	for (unsigned i = 0; i < ra->n_redirects; i++)
		if (ip6_eq(ra->redirects[i].dst, dst))
			return &ra->redirects[i].hop;
	return NULL;
}

/* RFC 8.1: only the first hop that we use to @dst may send us elsewhere. */
static bool is_first_hop(struct ra *ra, struct ip6 router, struct ip6 dst)
{
	const struct ip6 *better = ra_redirect(ra, dst);
	struct addr to = addr_ip6(dst);
	const struct ip_route *route = ip_route_find(ra->ip, &to);

	if (better)
		return ip6_eq(*better, router);
	return route && route->iface == ra->iface && route->gateway.family &&
	       ip6_eq(route->gateway.ip6, router);
}

static void remember(struct ra *ra, const struct nd_msg *m, uint64_t now_ns)
{
	struct ra_redirect *r = ra->redirects, *end = r + ra->n_redirects;

	while (r < end && !ip6_eq(r->dst, m->dst))
		r++;
	if (r == end) {
		/* The table of who sends us about is small: one of old goes. */
		if (ra->n_redirects == RA_REDIRECTS_MAX)
			r = &ra->redirects[rng_below(ra->ip->rng, RA_REDIRECTS_MAX)];
		else
			ra->n_redirects++;
	}
	*r = (struct ra_redirect){
		.dst = m->dst,
		.hop = m->target,
		.until_ns = now_ns + RA_REDIRECT_S * NS_PER_S,
	};
	ra->ip->generation++;
}

bool ra_redirect_input(struct ra *ra, const struct pkt *p, const struct nd_msg *m,
		       uint64_t now_ns)
{
	bool to_router = ip6_is_link_local(m->target);

	if (!ip6_is_link_local(p->src.ip6) || (!to_router && !ip6_eq(m->target, m->dst)))
		return false;
	if (!ra->on)
		return true;
	if (!is_first_hop(ra, p->src.ip6, m->dst))
		return false;
	if (m->has_mac)
		nd_heard(ra->ip->neigh, iface_of(ra)->eth, m->target, m->mac, now_ns);
	remember(ra, m, now_ns);
	ra_arm(ra, now_ns);
	return true;
}

/* ---- time ---- */

static void solicit(struct ra *ra, uint64_t now_ns)
{
	struct eth *eth = iface_of(ra)->eth;
	struct nd_msg m = { .type = ND_ROUTER_SOLICIT, .mac = eth->mac };
	struct ip6 src = ip6_link_local_of(iface_of(ra));
	uint32_t spread = ra->again_ms / 5;

	/* RFC 4861 4.1: from nobody without a hardware address. */
	m.has_mac = !ip6_is_zero(src);
	nd_send(ra->ip->neigh, eth, &m, src, all_routers, now_ns);
	ra->solicit_ns = now_ns + (ra->again_ms - spread / 2 +
				   rng_below(ra->ip->rng, spread + 1)) *
					  NS_PER_MS;
	ra->again_ms = ra->again_ms * 2 < LAST_MS ? ra->again_ms * 2 : LAST_MS;
}

static void earlier(uint64_t *due_ns, uint64_t at_ns)
{
	if (at_ns < *due_ns)
		*due_ns = at_ns;
}

void ra_arm(struct ra *ra, uint64_t now_ns)
{
	uint64_t due_ns = ra->soliciting ? ra->solicit_ns : UINT64_MAX;

	for (unsigned i = 0; i < ra->n_routers; i++)
		earlier(&due_ns, ra->routers[i].until_ns);
	for (unsigned i = 0; i < ra->n_prefixes; i++)
		earlier(&due_ns, ra->prefixes[i].until_ns);
	for (unsigned i = 0; i < ra->n_redirects; i++)
		earlier(&due_ns, ra->redirects[i].until_ns);
	earlier(&due_ns, slaac_due(iface_of(ra)));
	if (due_ns == UINT64_MAX)
		timer_stop(ra->ip->wheel, &ra->timer);
	else
		timer_arm(ra->ip->wheel, &ra->timer, due_ns > now_ns ? due_ns : now_ns);
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct ra *ra = container_of(t, struct ra, timer);

	for (unsigned i = ra->n_routers; i-- > 0;)
		if (ra->routers[i].until_ns <= now_ns)
			del_router(ra, &ra->routers[i]);
	for (unsigned i = ra->n_prefixes; i-- > 0;)
		if (ra->prefixes[i].until_ns <= now_ns)
			del_prefix(ra, &ra->prefixes[i]);
	for (unsigned i = ra->n_redirects; i-- > 0;)
		if (ra->redirects[i].until_ns <= now_ns) {
			ra->redirects[i] = ra->redirects[--ra->n_redirects];
			ra->ip->generation++;
		}
	slaac_expire(ra->ip, iface_of(ra), now_ns);
	if (ra->soliciting && ra->solicit_ns <= now_ns)
		solicit(ra, now_ns);
	ra_arm(ra, now_ns);
}
