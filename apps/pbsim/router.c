#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "stack/base/cksum.h"

enum {
	ICMP_LEN = 8,
	IP4_LEN = 20,
	IP6_LEN = 40,
	QUOTE4_LEN = IP4_LEN + 8, /* RFC 792: the IP header and 8 bytes */
	QUOTE6_LEN = IP6_LEN + 20,
	PROTO_ICMP = 1,
	PROTO_ICMP6 = 58,
	DF = 0x40,
	TTL = 64,
};

static int by_addr(const void *a, const void *b)
{
	return memcmp(&(*(struct host *const *)a)->addr,
		      &(*(struct host *const *)b)->addr, sizeof(struct addr));
}

struct host *router_host_of(const struct pbsim *s, const struct addr *addr)
{
	unsigned from = 0, to = s->n_hosts;

	while (from < to) {
		unsigned mid = (from + to) / 2;
		int diff = memcmp(addr, &s->by_addr[mid]->addr, sizeof(*addr));

		if (diff == 0)
			return s->by_addr[mid];
		if (diff < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* 0, or -EEXIST: two have one address. */
static int sort_hosts(struct pbsim *s)
{
	unsigned n = 0;

	free(s->by_addr);
	s->by_addr = calloc(s->n_hosts + 1, sizeof(struct host *));
	if (!s->by_addr)
		return -ENOMEM;
	for (unsigned i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->host)
			s->by_addr[n++] = s->nodes[i]->host;
	qsort(s->by_addr, n, sizeof(struct host *), by_addr);
	for (unsigned i = 1; i < n; i++) {
		struct host *a = s->by_addr[i - 1], *b = s->by_addr[i];

		if (addr_eq(&a->addr, &b->addr))
			return pbsim_fail(s, EEXIST, "%s and %s have one address",
					  a->node->name, b->node->name);
	}
	return 0;
}

/* From @to outward, nearest first: each router on the way learns its line. */
static void search(struct pbsim *s, struct node *to, struct node **queue)
{
	unsigned head = 0, tail = 0;

	queue[tail++] = to;
	while (head < tail) {
		struct node *n = queue[head++];

		for (unsigned i = 0; i < n->n_out; i++) {
			struct node *m = n->out[i]->to;

			if (m->host || m->way[to->number])
				continue;
			for (unsigned k = 0; k < m->n_out && !m->way[to->number]; k++)
				if (m->out[k]->to == n)
					m->way[to->number] = m->out[k];
			queue[tail++] = m;
		}
	}
	(void)s;
}

int router_find_ways(struct pbsim *s)
{
	struct node **queue = calloc(s->n_nodes + 1, sizeof(struct node *));
	int err = queue ? sort_hosts(s) : -ENOMEM;

	for (unsigned i = 0; i < s->n_nodes && !err; i++) {
		struct node *n = s->nodes[i];

		if (n->host)
			continue;
		free(n->way);
		n->way = calloc(s->n_nodes, sizeof(struct line *));
		if (!n->way)
			err = -ENOMEM;
	}
	for (unsigned i = 0; i < s->n_nodes && !err; i++)
		if (s->nodes[i]->host)
			search(s, s->nodes[i], queue);
	free(queue);
	return err;
}

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put_sum(uint8_t *field, const uint8_t *from, uint32_t len)
{
	uint16_t sum = cksum_end(cksum_add(0, from, len));

	memcpy(field, &sum, sizeof(sum));
}

/*
 * What a router says of a packet that is too big, with the MTU that would do; from an
 * address that is the receiver's, for a router of ours has none.
 */

/* RFC 1191 4: "fragmentation needed" */
static void too_big4(const struct frame *f, struct frame *e, unsigned mtu)
{
	uint8_t *b = e->bytes;

	b[0] = 0x45;
	put16(b + 2, e->len);
	b[8] = TTL;
	b[9] = PROTO_ICMP;
	memcpy(b + 12, f->bytes + 16, 4);
	memcpy(b + 16, f->bytes + 12, 4);
	put_sum(b + 10, b, IP4_LEN);
	b += IP4_LEN;
	b[0] = 3;
	b[1] = 4;
	put16(b + 6, mtu);
	memcpy(b + ICMP_LEN, f->bytes, QUOTE4_LEN);
	put_sum(b + 2, b, ICMP_LEN + QUOTE4_LEN);
}

/* RFC 4443 3.2: "packet too big" */
static void too_big6(const struct frame *f, struct frame *e, unsigned mtu)
{
	uint8_t *b = e->bytes, pseudo[8] = { 0 };
	uint32_t len = ICMP_LEN + QUOTE6_LEN;
	uint16_t sum;

	b[0] = 0x60;
	put16(b + 4, len);
	b[6] = PROTO_ICMP6;
	b[7] = TTL;
	memcpy(b + 8, f->bytes + 24, 16);
	memcpy(b + 24, f->bytes + 8, 16);
	b += IP6_LEN;
	b[0] = 2;
	put16(b + 6, mtu);
	memcpy(b + ICMP_LEN, f->bytes, QUOTE6_LEN);
	/* RFC 8200 8.1: the sum is of both addresses, the length and the protocol, too */
	put16(pseudo + 2, len);
	pseudo[7] = PROTO_ICMP6;
	sum = cksum_end(
		cksum_add(cksum_add(0, pseudo, sizeof(pseudo)), e->bytes + 8, 32 + len));
	memcpy(b + 2, &sum, sizeof(sum));
}

static void too_big(struct node *n, const struct frame *f, unsigned mtu, uint64_t now_ns)
{
	bool v4 = f->bytes[0] >> 4 == 4;
	uint32_t len =
		v4 ? IP4_LEN + ICMP_LEN + QUOTE4_LEN : IP6_LEN + ICMP_LEN + QUOTE6_LEN;
	struct frame *e;

	/* Of IPv4 only what may not be cut; and we do not cut. */
	if (v4 && !(f->bytes[6] & DF))
		return;
	e = frame_new(&n->s->shop, len);
	if (!e)
		return;
	memset(e->bytes, 0, len);
	if (v4)
		too_big4(f, e, mtu);
	else
		too_big6(f, e, mtu);
	router_input(n, e, now_ns);
}

void router_input(struct node *n, struct frame *f, uint64_t now_ns)
{
	struct addr dst;
	struct host *h = frame_dst(f, &dst) ? router_host_of(n->s, &dst) : NULL;
	struct line *l = h ? n->way[h->node->number] : NULL;

	if (!l || !frame_hop(f)) {
		frame_free(&n->s->shop, f);
		return;
	}
	if (f->len > l->conf.mtu && !f->gso_len && f->len >= QUOTE6_LEN)
		too_big(n, f, l->conf.mtu, now_ns);
	line_send(l, f, now_ns);
}
