#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "stack/base/byte.h"
#include "stack/base/cksum.h"

enum {
	ICMP_LEN = 8,
	QUOTE_LEN = 28, /* RFC 792: the IP header and 8 bytes */
	IP4_LEN = 20,
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

/* RFC 1191 4: "fragmentation needed", with the MTU that would do; from an address that
 * is the receiver's, for a router has none. */
static void too_big(struct node *n, const struct frame *f, unsigned mtu, uint64_t now_ns)
{
	struct frame *e = frame_new(&n->s->shop, IP4_LEN + ICMP_LEN + QUOTE_LEN);
	uint8_t *b;

	if (!e)
		return;
	b = e->bytes;
	memset(b, 0, e->len);
	b[0] = 0x45;
	put16(b + 2, e->len);
	b[8] = TTL;
	b[9] = 1;
	memcpy(b + 12, f->bytes + 16, 4);
	memcpy(b + 16, f->bytes + 12, 4);
	put_sum(b + 10, b, IP4_LEN);
	b[20] = 3;
	b[21] = 4;
	put16(b + 26, mtu);
	memcpy(b + IP4_LEN + ICMP_LEN, f->bytes, QUOTE_LEN);
	put_sum(b + 22, b + IP4_LEN, ICMP_LEN + QUOTE_LEN);
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
	if (f->len > l->conf.mtu && dst.family == ADDR_IP4 && f->bytes[6] & DF &&
	    f->len >= QUOTE_LEN)
		too_big(n, f, l->conf.mtu, now_ns);
	line_send(l, f, now_ns);
}
