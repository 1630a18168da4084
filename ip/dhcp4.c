/*
 * The states of the DHCP client and its messages (RFC 2131 4.4, figure 5).
 *
 * enter() does what coming to a state means, which for most is to say something; the
 * client's one timer then means whatever the state waits for.  Requests to renew have a
 * number each, so that a lease counts from the one that was answered; the others keep
 * that of their DISCOVER, as RFC 2131 4.4.1 has it.
 */
#include "ip/dhcp4.h"

#include <errno.h>
#include <stdlib.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/dhcp4_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum {
	START_SPREAD_MS = 1000, /* not all at once when the power comes back */
	FIRST_RETRY_S = 4,	/* then twice as long, RFC 2131 4.1 */
	RETRY_DOUBLINGS = 4,
	RETRY_SPREAD_MS = 1000, /* and so much more or less */
	REQUESTS_MAX = 4,	/* without an answer, RFC 2131 3.1 (5) */
	RENEW_RETRY_S = 60,	/* at least, RFC 2131 4.4.5 */
	DECLINED_WAIT_S = 10,	/* RFC 2131 3.1 (5) */
	NAK_DOUBLINGS = 6,	/* of a second, for a server that goes on refusing */
	PROBE_LOOK_MS = 50,
	HEADROOM = 96,
};

static const struct addr all = { ADDR_IP4, .ip4 = { { 255, 255, 255, 255 } } };

static void enter(struct dhcp4_client *c, enum dhcp4_state state, uint64_t now_ns);
static void fire(struct timer *t, uint64_t now_ns);

const char *dhcp4_state_name(enum dhcp4_state state)
{
	static const char *const names[DHCP4_N_STATES] = {
		"OFF",	   "INIT",  "SELECTING", "REQUESTING", "REBOOTING",
		"PROBING", "BOUND", "RENEWING",	 "REBINDING",
	};

	return names[state];
}

int dhcp4_new(struct dhcp4 **dhcp, struct ip *ip, struct udp *udp)
{
	struct dhcp4 *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->ip = ip;
	d->udp = udp;
	d->port.flow.local_port = DHCP_PORT_CLIENT;
	d->port.service = NEXT_DHCP4;
	d->port.ip_flags = IP_BROADCAST_OK;
	err = udp_bind(udp, &d->port);
	if (err) {
		free(d);
		return err;
	}
	for (unsigned i = 0; i < IP_IFACE_MAX; i++) {
		d->clients[i] = (struct dhcp4_client){ .dhcp = d,
						       .iface = (uint8_t)i,
						       .state = DHCP4_OFF };
		timer_init(&d->clients[i].timer, fire);
	}
	*dhcp = d;
	return 0;
}

void dhcp4_free(struct dhcp4 *d)
{
	for (unsigned i = 0; i < IP_IFACE_MAX; i++)
		timer_stop(d->ip->wheel, &d->clients[i].timer);
	udp_unbind(d->udp, &d->port);
	free(d);
}

static struct eth *eth_of(const struct dhcp4_client *c)
{
	return c->dhcp->ip->ifaces[c->iface].eth;
}

static void arm(struct dhcp4_client *c, uint64_t due_ns)
{
	timer_arm(c->dhcp->ip->wheel, &c->timer, due_ns);
}

/* ---- out ---- */

/* What nobody can guess who does not hear us. */
static uint32_t new_xid(struct dhcp4 *d)
{
	uint64_t n = d->n_xids++;

	return (uint32_t)hash_siphash24(d->ip->key, &n, sizeof(n));
}

/* RFC 4361 6.1: an association of this host (RFC 8415 11.4: type 3, by its Ethernet
 * address), with the interface's number for its own. */
static uint8_t put_id(const struct dhcp4_client *c, uint8_t id[static DHCP_ID_MAX])
{
	struct wr w = wr_of(id, DHCP_ID_MAX);

	wr8(&w, 255);
	wr32(&w, c->iface + 1u);
	wr16(&w, 3); /* DUID-LL */
	wr16(&w, 1); /* of Ethernet */
	wr_copy(&w, &eth_of(c)->mac, sizeof(struct mac));
	return (uint8_t)(w.p - id);
}

/* RFC 3442: routes in front of routers, which are then not needed. */
static const uint8_t asks[] = { DHCP_SUBNET, DHCP_ROUTES, DHCP_ROUTERS,
				DHCP_DNS,    DHCP_DOMAIN, DHCP_MTU,
				DHCP_LEASE,  DHCP_T1,	  DHCP_T2 };

static struct dhcp_msg question(const struct dhcp4_client *c, enum dhcp_type type)
{
	struct dhcp_msg m = {
		.op = DHCP_BOOTREQUEST,
		.type = type,
		.xid = c->xid,
		.secs = c->secs,
		.chaddr = eth_of(c)->mac,
	};

	m.id_len = put_id(c, m.id);
	return m;
}

/* RFC 2131 table 5: only who looks for a lease says what it wants to know. */
static void ask_for_words(const struct dhcp4_client *c, struct dhcp_msg *m)
{
	m->n_asks = sizeof(asks);
	memcpy(m->asks, asks, sizeof(asks));
	m->size_max =
		eth_of(c)->mtu < DHCP_LEN_MAX + 28 ? eth_of(c)->mtu : DHCP_LEN_MAX + 28;
	if (m->size_max < 576) /* RFC 2132 9.10 */
		m->size_max = 576;
}

/* To @server, or from nobody to all when that is NULL. */
static void send(struct dhcp4_client *c, const struct dhcp_msg *m,
		 const struct ip4 *server, uint64_t now_ns)
{
	struct dhcp4 *d = c->dhcp;
	struct udp_to to = {
		.dst = server ? addr_ip4(*server) : all,
		.src = addr_ip4(m->ciaddr),
		.port = DHCP_PORT_SERVER,
		.via = server ? 0 : (uint8_t)(c->iface + 1),
	};
	struct pkt *p = pkt_new_buf(d->ip->pool, PKT_CONTROL, HEADROOM);
	struct wr w;

	if (p) {
		w = wr_of(p->data, pkt_room(p));
		dhcp_emit(&w, m);
		p->len = p->total_len = (uint32_t)(w.p - p->data);
	}
	if (p && udp_output_to(d->udp, &d->port, p, &to, now_ns) == 0)
		d->stats.sent++;
	else
		d->stats.not_sent++;
}

static void count_seconds(struct dhcp4_client *c, uint64_t now_ns)
{
	uint64_t s = (now_ns - c->began_ns) / NS_PER_S;

	c->secs = s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

static void send_discover(struct dhcp4_client *c, uint64_t now_ns)
{
	struct dhcp_msg m;

	count_seconds(c, now_ns);
	m = question(c, DHCP_DISCOVER);
	/* RFC 2131 4.1: we cannot hear what is sent to an address that is not ours. */
	m.broadcast = true;
	ask_for_words(c, &m);
	send(c, &m, NULL, now_ns);
}

/* For what was offered, or for what we had.  @secs is that of the DISCOVER
 * (RFC 2131 3.1 (3)). */
static void send_request(struct dhcp4_client *c, uint64_t now_ns)
{
	struct dhcp_msg m = question(c, DHCP_REQUEST);

	m.broadcast = true;
	m.requested = c->lease.yiaddr;
	m.server = c->lease.server; /* of nobody while REBOOTING (RFC 2131 4.3.2) */
	ask_for_words(c, &m);
	if (c->n_sent == 0)
		c->asked_ns = now_ns;
	send(c, &m, NULL, now_ns);
}

/* To the server, or while REBINDING to all: ciaddr says what it is about. */
static void send_renewal(struct dhcp4_client *c, uint64_t now_ns)
{
	struct dhcp_msg m;

	c->xid = new_xid(c->dhcp);
	c->asked_ns = now_ns;
	count_seconds(c, now_ns);
	m = question(c, DHCP_REQUEST);
	m.ciaddr = c->lease.yiaddr;
	ask_for_words(c, &m);
	send(c, &m, c->state == DHCP4_RENEWING ? &c->lease.server : NULL, now_ns);
}

/* RFC 2131 4.4.4 */
static void send_decline(struct dhcp4_client *c, uint64_t now_ns)
{
	struct dhcp_msg m;

	c->xid = new_xid(c->dhcp);
	m = question(c, DHCP_DECLINE);
	m.secs = 0;
	m.requested = c->lease.yiaddr;
	m.server = c->lease.server;
	send(c, &m, NULL, now_ns);
	c->dhcp->stats.declined++;
}

static void send_release(struct dhcp4_client *c, uint64_t now_ns)
{
	struct dhcp_msg m;

	c->xid = new_xid(c->dhcp);
	m = question(c, DHCP_RELEASE);
	m.secs = 0;
	m.ciaddr = c->lease.yiaddr;
	m.server = c->lease.server;
	send(c, &m, &c->lease.server, now_ns);
	c->dhcp->stats.released++;
}

/* ---- states ---- */

/* RFC 2131 4.1: 4, 8, 16, 32, 64 seconds, each up to one more or less. */
static uint64_t backoff_ns(const struct dhcp4_client *c)
{
	unsigned doublings = c->n_sent < RETRY_DOUBLINGS ? c->n_sent : RETRY_DOUBLINGS;
	uint64_t ms = (FIRST_RETRY_S * 1000u << doublings) - RETRY_SPREAD_MS +
		      rng_below(c->dhcp->ip->rng, 2 * RETRY_SPREAD_MS + 1);

	return ms * NS_PER_MS;
}

static void say_again(struct dhcp4_client *c, uint64_t now_ns)
{
	if (c->state == DHCP4_SELECTING)
		send_discover(c, now_ns);
	else
		send_request(c, now_ns);
	arm(c, now_ns + backoff_ns(c));
	c->n_sent++;
}

/* RFC 2131 4.4.5: after half of what is left until @until_ns, not within a minute. */
static void renew_again(struct dhcp4_client *c, uint64_t until_ns, uint64_t now_ns)
{
	uint64_t half_ns = now_ns + (until_ns - now_ns) / 2;
	uint64_t least_ns = now_ns + RENEW_RETRY_S * NS_PER_S;

	send_renewal(c, now_ns);
	if (half_ns < least_ns)
		half_ns = least_ns;
	arm(c, half_ns < until_ns ? half_ns : until_ns);
}

static bool may_enter(enum dhcp4_state from, enum dhcp4_state to)
{
	switch (to) {
	case DHCP4_OFF: return true;
	case DHCP4_INIT: return from != DHCP4_BOUND;
	case DHCP4_SELECTING: return from == DHCP4_INIT;
	case DHCP4_REQUESTING: return from == DHCP4_SELECTING;
	case DHCP4_REBOOTING: return from == DHCP4_OFF;
	case DHCP4_PROBING: return from == DHCP4_REQUESTING || from == DHCP4_REBOOTING;
	case DHCP4_BOUND: return from >= DHCP4_PROBING && from != DHCP4_BOUND;
	case DHCP4_RENEWING: return from == DHCP4_BOUND;
	case DHCP4_REBINDING: return from == DHCP4_RENEWING;
	case DHCP4_N_STATES: break;
	}
	return false;
}

static void enter(struct dhcp4_client *c, enum dhcp4_state state, uint64_t now_ns)
{
	ASSERT(may_enter((enum dhcp4_state)c->state, state));
	c->state = (uint8_t)state;
	c->n_sent = 0;
	switch (state) {
	case DHCP4_OFF:
	case DHCP4_INIT: timer_stop(c->dhcp->ip->wheel, &c->timer); break;
	case DHCP4_SELECTING:
		c->began_ns = now_ns;
		c->xid = new_xid(c->dhcp);
		say_again(c, now_ns);
		break;
	case DHCP4_REBOOTING:
		c->began_ns = now_ns;
		c->secs = 0;
		c->xid = new_xid(c->dhcp);
		say_again(c, now_ns);
		break;
	case DHCP4_REQUESTING: say_again(c, now_ns); break;
	case DHCP4_PROBING: arm(c, now_ns); break;
	case DHCP4_BOUND:
		c->n_naks = 0;
		dhcp4_lease_times(c);
		if (c->t1_ns == TIMER_NEVER)
			timer_stop(c->dhcp->ip->wheel, &c->timer);
		else
			arm(c, c->t1_ns);
		break;
	case DHCP4_RENEWING:
		c->began_ns = now_ns;
		renew_again(c, c->t2_ns, now_ns);
		break;
	case DHCP4_REBINDING: renew_again(c, c->ends_ns, now_ns); break;
	case DHCP4_N_STATES: break;
	}
}

/* From the beginning, in a while. */
static void begin_again(struct dhcp4_client *c, uint64_t wait_ns, uint64_t now_ns)
{
	dhcp4_lease_drop(c);
	enter(c, DHCP4_INIT, now_ns);
	arm(c, now_ns + wait_ns);
}

/* Does somebody else have the address? */
static void look_at_probe(struct dhcp4_client *c, uint64_t now_ns)
{
	switch (arp_addr_state(c->dhcp->ip->neigh, eth_of(c), c->lease.yiaddr)) {
	case ARP_ADDR_PROBING: arm(c, now_ns + PROBE_LOOK_MS * NS_PER_MS); break;
	case ARP_ADDR_READY:
		dhcp4_lease_apply(c);
		enter(c, DHCP4_BOUND, now_ns);
		break;
	case ARP_ADDR_CONFLICT:
		dhcp4_lease_drop(c);
		send_decline(c, now_ns);
		begin_again(c, DECLINED_WAIT_S * NS_PER_S, now_ns);
		break;
	}
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct dhcp4_client *c = container_of(t, struct dhcp4_client, timer);

	switch ((enum dhcp4_state)c->state) {
	case DHCP4_INIT: enter(c, DHCP4_SELECTING, now_ns); break;
	case DHCP4_SELECTING: say_again(c, now_ns); break;
	case DHCP4_REQUESTING:
	case DHCP4_REBOOTING:
		if (c->n_sent < REQUESTS_MAX)
			say_again(c, now_ns);
		else
			begin_again(c, 0, now_ns);
		break;
	case DHCP4_PROBING: look_at_probe(c, now_ns); break;
	case DHCP4_BOUND: enter(c, DHCP4_RENEWING, now_ns); break;
	case DHCP4_RENEWING:
		if (now_ns < c->t2_ns)
			renew_again(c, c->t2_ns, now_ns);
		else
			enter(c, DHCP4_REBINDING, now_ns);
		break;
	case DHCP4_REBINDING:
		if (now_ns < c->ends_ns) {
			renew_again(c, c->ends_ns, now_ns);
			break;
		}
		/* RFC 2131 4.4.5: the address is not ours any more, at once. */
		c->dhcp->stats.expired++;
		begin_again(c, 0, now_ns);
		break;
	case DHCP4_OFF:
	case DHCP4_N_STATES: break;
	}
}

/* ---- in ---- */

static void count(uint64_t *counter)
{
	++*counter;
}

static struct step refuse(uint64_t *counter, enum verdict v)
{
	count(counter);
	return step_end(v);
}

static struct step hear_offer(struct dhcp4_client *c, struct dhcp_msg *m, uint64_t now_ns)
{
	struct dhcp4_stats *stats = &c->dhcp->stats;

	/* The first is as good as any. */
	if (c->state != DHCP4_SELECTING)
		return refuse(&stats->not_ours, V_DHCP_NOT_OURS);
	if (!dhcp4_lease_check(m))
		return refuse(&stats->absurd, V_DHCP_BAD);
	count(&stats->offers);
	c->lease = *m;
	enter(c, DHCP4_REQUESTING, now_ns);
	return step_end(V_DONE);
}

/* True when @server may answer in this state: whom we asked, or anybody. */
static bool is_asked(const struct dhcp4_client *c, struct ip4 server)
{
	switch ((enum dhcp4_state)c->state) {
	case DHCP4_REQUESTING:
	case DHCP4_RENEWING: return ip4_eq(server, c->lease.server);
	case DHCP4_REBOOTING:
	case DHCP4_REBINDING: return true;
	case DHCP4_OFF:
	case DHCP4_INIT:
	case DHCP4_SELECTING:
	case DHCP4_PROBING:
	case DHCP4_BOUND:
	case DHCP4_N_STATES: break;
	}
	return false;
}

static struct step hear_ack(struct dhcp4_client *c, struct dhcp_msg *m, uint64_t now_ns)
{
	struct dhcp4_stats *stats = &c->dhcp->stats;

	if (!is_asked(c, m->server))
		return refuse(&stats->not_ours, V_DHCP_NOT_OURS);
	if (!dhcp4_lease_check(m) || !ip4_eq(m->yiaddr, c->lease.yiaddr))
		return refuse(&stats->absurd, V_DHCP_BAD);
	count(&stats->acks);
	if (c->has_addr) {
		dhcp4_lease_renew(c, m, now_ns);
		if (c->has_addr)
			enter(c, DHCP4_BOUND, now_ns);
		else
			begin_again(c, 0, now_ns);
		return step_end(V_DONE);
	}
	c->lease = *m;
	if (dhcp4_lease_begin(c, c->probe,
			      now_ns)) /* ours by configuration, or too many */
		begin_again(c, DECLINED_WAIT_S * NS_PER_S, now_ns);
	else
		enter(c, DHCP4_PROBING, now_ns);
	return step_end(V_DONE);
}

static struct step hear_nak(struct dhcp4_client *c, struct dhcp_msg *m, uint64_t now_ns)
{
	struct dhcp4_stats *stats = &c->dhcp->stats;

	if (!is_asked(c, m->server) || ip4_is_zero(m->server))
		return refuse(&stats->not_ours, V_DHCP_NOT_OURS);
	count(&stats->naks);
	begin_again(c, NS_PER_S << c->n_naks, now_ns);
	if (c->n_naks < NAK_DOUBLINGS)
		c->n_naks++;
	return step_end(V_DONE);
}

/* RFC 6842 3: a server that repeats an identifier repeats ours. */
static bool is_ours(const struct dhcp4_client *c, const struct dhcp_msg *m)
{
	uint8_t id[DHCP_ID_MAX];

	return m->op == DHCP_BOOTREPLY && c->state != DHCP4_OFF && m->xid == c->xid &&
	       mac_eq(m->chaddr, eth_of(c)->mac) &&
	       (!m->id_len ||
		(m->id_len == put_id(c, id) && memcmp(m->id, id, m->id_len) == 0));
}

struct step dhcp4_input(struct dhcp4 *d, struct pkt *p, uint64_t now_ns)
{
	struct dhcp4_client *c = &d->clients[p->iface % IP_IFACE_MAX];
	uint8_t bytes[DHCP_LEN_MAX];
	struct dhcp_msg m;

	if (p->total_len > sizeof(bytes) ||
	    !dhcp_parse(bytes, pkt_read(p, 0, bytes, sizeof(bytes)), &m))
		return refuse(&d->stats.bad, V_DHCP_BAD);
	if (p->iface >= IP_IFACE_MAX || !is_ours(c, &m))
		return refuse(&d->stats.not_ours, V_DHCP_NOT_OURS);
	switch (m.type) {
	case DHCP_OFFER: return hear_offer(c, &m, now_ns);
	case DHCP_ACK: return hear_ack(c, &m, now_ns);
	case DHCP_NAK: return hear_nak(c, &m, now_ns);
	case DHCP_DISCOVER:
	case DHCP_REQUEST:
	case DHCP_DECLINE:
	case DHCP_RELEASE:
	case DHCP_INFORM: break;
	}
	return refuse(&d->stats.not_ours, V_DHCP_NOT_OURS);
}

/* ---- begin, end, look ---- */

int dhcp4_start(struct dhcp4 *d, unsigned iface, const struct dhcp4_conf *conf,
		uint64_t now_ns)
{
	struct dhcp4_client *c = &d->clients[iface % IP_IFACE_MAX];
	uint32_t spread = rng_below(d->ip->rng, START_SPREAD_MS);

	if (iface >= IP_IFACE_MAX || c->state != DHCP4_OFF || !eth_of(c) ||
	    eth_of(c)->point_to_point)
		return -EINVAL;
	c->probe = conf->probe;
	c->n_naks = 0;
	c->lease = (struct dhcp_msg){ .yiaddr = conf->again };
	if (ip4_is_zero(conf->again)) {
		enter(c, DHCP4_INIT, now_ns);
		arm(c, now_ns + spread * NS_PER_MS);
	} else {
		enter(c, DHCP4_REBOOTING, now_ns);
	}
	return 0;
}

void dhcp4_stop(struct dhcp4 *d, unsigned iface, uint64_t now_ns)
{
	struct dhcp4_client *c = &d->clients[iface];

	if (c->state >= DHCP4_BOUND)
		send_release(c, now_ns);
	dhcp4_lease_drop(c);
	enter(c, DHCP4_OFF, now_ns);
}

void dhcp4_info(const struct dhcp4 *d, unsigned iface, struct dhcp4_info *info)
{
	const struct dhcp4_client *c = &d->clients[iface];

	*info = (struct dhcp4_info){
		.state = (enum dhcp4_state)c->state,
		.generation = c->generation,
		.ends_ns = TIMER_NEVER,
	};
	if (c->state < DHCP4_BOUND)
		return;
	info->addr = addr_ip4(c->lease.yiaddr);
	info->server = addr_ip4(c->lease.server);
	info->bits = c->lease.bits;
	info->ends_ns = c->ends_ns;
	info->n_dns = c->lease.n_dns;
	memcpy(info->dns, c->lease.dns, sizeof(info->dns));
	strcpy(info->domain, c->lease.domain);
}

const struct dhcp4_stats *dhcp4_stats(const struct dhcp4 *d)
{
	return &d->stats;
}
