/*
 * UDP: ports are found by their local port number, in which a peer has no choice, and
 * among those of one number the one that says most about a datagram's ends is it.
 */
#include "ip/udp.h"

#include <errno.h>
#include <stdlib.h>

#include "ip/ip6.h"
#include "ip/mcast.h"
#include "ip/udp_impl.h"
#include "ip/udp_wire.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

/* RFC 6056 3.2: as many as can be.  Those below are for who asks for them. */
enum { EPHEMERAL_FIRST = 32768, EPHEMERAL_LAST = 65535 };

/* A packet that carries a datagram has this much in front: UDP, IP, Ethernet, a tag. */
enum { HEADROOM = UDP_HEADER_LEN + 60 + 18 };

int udp_new(struct udp **udp, struct ip *ip, struct pkt_pool *pool, struct rng *rng,
	    const struct hash_key *key)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->ip = ip;
	u->pool = pool;
	u->key = key;
	u->n_chosen = rng_u64(rng);
	if (pool_init(&u->groups, sizeof(struct udp_group), 8, UDP_GROUPS_ALL_MAX)) {
		free(u);
		return -ENOMEM;
	}
	list_init(&u->ready);
	for (unsigned i = 0; i < UDP_BUCKETS; i++)
		list_init(&u->by_port[i]);
	*udp = u;
	return 0;
}

/* ---- ports ---- */

struct list *udp_bucket(struct udp *udp, uint16_t local_port)
{
	return &udp->by_port[local_port % UDP_BUCKETS];
}

static bool same_or_any(const struct addr *a, const struct addr *b)
{
	return !a->family || !b->family || addr_eq(a, b);
}

/* True when no datagram could tell the two apart. */
static bool clash(const struct udp_port *p, const struct udp_port *q)
{
	const struct flow *a = &p->flow, *b = &q->flow;

	if (p->family && q->family && p->family != q->family)
		return false;
	if (p->reuse && q->reuse)
		return false;
	return a->local_port == b->local_port && same_or_any(&a->local, &b->local) &&
	       addr_eq(&a->remote, &b->remote) && a->remote_port == b->remote_port;
}

static bool taken(struct udp *udp, const struct udp_port *port)
{
	struct list *all = udp_bucket(udp, port->flow.local_port);

	for (struct list *l = all->next; l != all; l = l->next)
		if (clash(container_of(l, struct udp_port, node), port))
			return true;
	return false;
}

/* RFC 6056 3.3.1: a port that cannot be foreseen, or the next that is free. */
static bool choose(struct udp *udp, struct udp_port *port)
{
	uint32_t n = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
	uint64_t start = hash_siphash24(udp->key, &udp->n_chosen, sizeof(udp->n_chosen));
	struct udp_port try = { .flow = port->flow, .family = port->family };

	udp->n_chosen++;
	for (uint32_t i = 0; i < n; i++) {
		try.flow.local_port = (uint16_t)(EPHEMERAL_FIRST + (start + i) % n);
		if (!taken(udp, &try)) {
			port->flow.local_port = try.flow.local_port;
			return true;
		}
	}
	return false;
}

int udp_bind(struct udp *udp, struct udp_port *port)
{
	/* Bound to a group, it hears nothing else. */
	if (port->flow.local.family && !mcast_is_group(&port->flow.local) &&
	    !ip_is_configured(udp->ip, &port->flow.local))
		return -EADDRNOTAVAIL;
	if (port->flow.local_port ? taken(udp, port) : !choose(udp, port))
		return -EADDRINUSE;
	port->queue = NULL;
	port->queue_end = &port->queue;
	port->n_queued = port->bytes_queued = 0;
	port->error = 0;
	list_init(&port->ready);
	list_init(&port->node);
	list_push(udp_bucket(udp, port->flow.local_port), &port->node);
	return 0;
}

void udp_unbind(struct udp *udp, struct udp_port *port)
{
	(void)udp;
	list_remove(&port->node);
	list_remove(&port->ready);
	pkt_free_list(port->queue);
	port->queue = NULL;
	port->queue_end = &port->queue;
	port->n_queued = port->bytes_queued = 0;
}

void udp_free(struct udp *udp)
{
	for (unsigned i = 0; i < UDP_BUCKETS; i++)
		while (!list_empty(&udp->by_port[i]))
			udp_unbind(udp, container_of(udp->by_port[i].next,
						     struct udp_port, node));
	pool_fini(&udp->groups);
	free(udp);
}

const struct udp_stats *udp_stats(const struct udp *udp)
{
	return &udp->stats;
}

unsigned udp_suits(const struct udp_port *port, const struct flow *flow)
{
	const struct flow *own = &port->flow;

	if (port->family && port->family != flow->local.family)
		return 0;
	if (own->local_port != flow->local_port ||
	    (own->local.family && !addr_eq(&own->local, &flow->local)))
		return 0;
	if (!own->remote.family)
		return own->local.family ? 2 : 1;
	return own->remote_port == flow->remote_port &&
			       addr_eq(&own->remote, &flow->remote) ?
		       3 :
		       0;
}

static struct udp_port *find(struct udp *udp, const struct flow *flow)
{
	struct list *all = udp_bucket(udp, flow->local_port);
	struct udp_port *best = NULL;
	unsigned best_suits = 0;

	for (struct list *l = all->next; l != all; l = l->next) {
		struct udp_port *port = container_of(l, struct udp_port, node);
		unsigned how = udp_suits(port, flow);

		if (how > best_suits) {
			best = port;
			best_suits = how;
		}
	}
	return best;
}

static void tell(struct udp *udp, struct udp_port *port)
{
	if (list_empty(&port->ready))
		list_push(&udp->ready, &port->ready);
}

struct udp_port *udp_ready_pop(struct udp *udp)
{
	struct list *l = list_pop(&udp->ready);

	return l ? container_of(l, struct udp_port, ready) : NULL;
}

/* ---- in ---- */

/* RFC 1122 4.1.3.4: verified when there is one. */
static bool sum_is_wrong(const struct pkt *p, const struct udp_header *h)
{
	if (p->flags & PKT_SUM_OK)
		return false;
	if (!h->has_sum) /* RFC 8200 8.1: IPv6 has no other sum that would do */
		return p->dst.family == ADDR_IP6;
	return cksum_fold(cksum_add_pkt(
		       cksum_pseudo(&p->src, &p->dst, IP_PROTO_UDP, p->total_len), p,
		       0)) != 0xffff;
}

static void put_from(struct pkt *p, uint16_t src_port)
{
	struct udp_from from = { .port = src_port };

	memcpy(p->cb, &from, sizeof(from));
}

struct step udp_enqueue(struct udp *udp, struct udp_port *port, struct pkt *p)
{
	if (port->n_queued == UDP_QUEUE_MAX ||
	    port->bytes_queued + p->total_len > UDP_QUEUE_BYTES_MAX)
		return step_end(V_UDP_FULL);
	p->link = NULL;
	*port->queue_end = p;
	port->queue_end = &p->link;
	port->n_queued++;
	port->bytes_queued += p->total_len;
	udp->stats.in++;
	tell(udp, port);
	return step_end(V_KEPT);
}

struct step udp_input(struct udp *udp, struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct flow flow = { .local = p->dst, .remote = p->src };
	struct udp_port *port;
	struct udp_header h;

	if (p->len < UDP_HEADER_LEN)
		return step_end(V_SHORT);
	if (!udp_parse(&r, &h) || h.len > p->total_len)
		return step_end(V_UDP_BAD_LEN);
	pkt_trim_to(p, h.len);
	if (sum_is_wrong(p, &h))
		return step_end(V_UDP_BAD_SUM);
	flow.local_port = h.dst_port;
	flow.remote_port = h.src_port;
	port = find(udp, &flow);
	if (port && port->service == NEXT_NONE &&
	    (p->flags & PKT_BROADCAST || mcast_is_group(&p->dst))) {
		pkt_pull(p, UDP_HEADER_LEN);
		put_from(p, h.src_port);
		return udp_group_input(udp, &flow, p);
	}
	if (!port) {
		/* RFC 1122 4.1.3.1 */
		ip_unreachable(udp->ip, p, IP_ERROR_PORT_UNREACHABLE, now_ns);
		return step_end(V_UDP_NO_SOCKET);
	}
	pkt_pull(p, UDP_HEADER_LEN);
	put_from(p, h.src_port);
	if (port->service != NEXT_NONE)
		return step_to((enum next)port->service);
	return udp_enqueue(udp, port, p);
}

static int errno_of(enum ip_error error)
{
	switch (error) {
	case IP_ERROR_NONE: return 0;
	case IP_ERROR_NET_UNREACHABLE: return ENETUNREACH;
	case IP_ERROR_HOST_UNREACHABLE:
	case IP_ERROR_PROHIBITED:
	case IP_ERROR_TIME_EXCEEDED: return EHOSTUNREACH;
	case IP_ERROR_PROTO_UNREACHABLE: return ENOPROTOOPT;
	case IP_ERROR_PORT_UNREACHABLE: return ECONNREFUSED;
	case IP_ERROR_TOO_BIG: return EMSGSIZE;
	case IP_ERROR_PARAMETER: return EPROTO;
	}
	return 0;
}

struct step udp_error_input(struct udp *udp, struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct flow flow = { .local = p->src, .remote = p->dst };
	struct udp_port *port;
	struct ip_quote quote;
	struct udp_header h;

	if (!udp_parse(&r, &h))
		return step_end(V_ICMP_NO_FLOW);
	flow.local_port = h.src_port;
	flow.remote_port = h.dst_port;
	port = find(udp, &flow);
	if (!port || !port->flow.remote.family)
		return step_end(V_ICMP_NO_FLOW);
	memcpy(&quote, p->cb, sizeof(quote));
	if (quote.error == IP_ERROR_TOO_BIG) {
		if (!(port->ip_flags & IP_DF))
			return step_end(V_ICMP_NO_FLOW);
		ip_path_mtu_set(udp->ip, &flow.remote, quote.mtu, now_ns);
	}
	udp->stats.errors_in++;
	port->error = errno_of(quote.error);
	tell(udp, port);
	return step_end(V_DONE);
}

struct pkt *udp_recv(struct udp_port *port)
{
	struct pkt *p = port->queue;

	if (!p)
		return NULL;
	port->queue = p->link;
	if (!port->queue)
		port->queue_end = &port->queue;
	p->link = NULL;
	port->n_queued--;
	port->bytes_queued -= p->total_len;
	return p;
}

/* ---- out ---- */

/* @p, or a new descriptor in front of it, with room for all headers; NULL: no memory,
 * and @p is gone. */
static struct pkt *with_headroom(struct udp *udp, struct pkt *p)
{
	const uint8_t *start = p->buf ? pkt_buf_bytes(p) : p->head;
	struct pkt *first;

	if (p->data - start >= HEADROOM)
		return p;
	first = pkt_new(udp->pool, PKT_DATA);
	if (first)
		pkt_chain(first, p);
	else
		pkt_free(p);
	return first;
}

/*
 * The header, with the sum or, where the port completes sums and the datagram is not
 * cut, what it is to be completed from.
 */
static void put_header(struct udp *udp, struct pkt *p, const struct udp_header *h,
		       const struct ip_out *how)
{
	uint64_t pseudo = cksum_pseudo(&how->src, &how->dst, IP_PROTO_UDP, h->len);
	struct wr w = wr_of(pkt_push(p, UDP_HEADER_LEN), UDP_HEADER_LEN);
	uint16_t sum;

	udp_emit(&w, h);
	if (!how->via && ip_can_gso(udp->ip, &how->dst)) {
		p->flags |= PKT_SUM_PARTIAL;
		sum = cksum_fold(pseudo);
	} else {
		sum = cksum_end(cksum_add_pkt(pseudo, p, 0));
		if (sum == 0)
			sum = 0xffff; /* RFC 768: zero would say that there is none */
	}
	memcpy(p->data + UDP_AT_SUM, &sum, sizeof(sum));
}

/* Our address toward @how->dst, when neither the port nor the datagram says it. */
static int find_source(struct udp *udp, struct ip_out *how)
{
	return how->src.family ? 0 : ip_source(udp->ip, &how->dst, &how->src);
}

/* RFC 768: a sum of zero says that there is none. */
static void put_header_alone(struct pkt *p, const struct udp_header *h)
{
	struct wr w = wr_of(pkt_push(p, UDP_HEADER_LEN), UDP_HEADER_LEN);

	udp_emit(&w, h);
}

/* The address of ours that @port is bound to. */
static struct addr own_of(const struct udp_port *port)
{
	static const struct addr none;

	return mcast_is_group(&port->flow.local) ? none : port->flow.local;
}

int udp_output_to(struct udp *udp, struct udp_port *port, struct pkt *p,
		  const struct udp_to *to, uint64_t now_ns)
{
	struct udp_header h = { .src_port = port->flow.local_port, .dst_port = to->port };
	struct ip_out how = {
		.src = to->src.family ? to->src : own_of(port),
		.dst = to->dst,
		.proto = IP_PROTO_UDP,
		.ttl = to->ttl ? to->ttl : port->ttl,
		.tos = to->has_tos ? to->tos : port->tos,
		.flags = port->ip_flags,
		.via = to->via,
	};
	int err = how.dst.family == ADDR_IP4 && ip4_is_multicast(how.dst.ip4) ?
			  udp_group_route(udp, port, to, &how) :
			  find_source(udp, &how);

	if (!err && p->total_len > UINT16_MAX - UDP_HEADER_LEN)
		err = -EMSGSIZE;
	if (err) {
		pkt_free(p);
		return err;
	}
	p = with_headroom(udp, p);
	if (!p) {
		udp->stats.no_memory++;
		return -ENOBUFS;
	}
	h.len = (uint16_t)(p->total_len + UDP_HEADER_LEN);
	if (port->no_sum && to->dst.family == ADDR_IP4)
		put_header_alone(p, &h);
	else
		put_header(udp, p, &h, &how);
	err = ip_output(udp->ip, p, &how, now_ns);
	if (!err)
		udp->stats.out++;
	return err;
}

int udp_output(struct udp *udp, struct udp_port *port, struct pkt *p,
	       const struct addr *dst, uint16_t dst_port, uint64_t now_ns)
{
	struct udp_to to = { .dst = *dst, .port = dst_port };

	return udp_output_to(udp, port, p, &to, now_ns);
}
