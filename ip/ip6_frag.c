/*
 * Fragments of IPv6 packets, out by reference as with IPv4 (frag.c), in by reass.c
 * (RFC 8200 4.5).
 */
#include <errno.h>

#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

/* The next @len bytes of @p from @f->frag_off on, with their headers. */
static struct pkt *fragment(struct ip *ip, struct pkt *p, const struct ip6_header *of,
			    const struct ip6_frag *f, uint32_t len)
{
	struct pkt *frag = pkt_new(ip->pool, PKT_DATA);
	struct ip6_header h = *of;

	if (!frag)
		return NULL;
	h.next = IP6_NEXT_FRAGMENT;
	h.payload_len = (uint16_t)(len + IP6_FRAG_LEN);
	frag->l4 = frag->data;
	ip6_frag_emit(pkt_push(frag, IP6_FRAG_LEN), f);
	frag->l3 = pkt_push(frag, IP6_HEADER_LEN);
	ip6_emit(frag->l3, &h);
	if (ip_frag_add(frag, p, f->frag_off, len))
		return frag;
	pkt_free(frag);
	return NULL;
}

/* All fragments, linked by ->link; NULL: no memory. */
static struct pkt *cut(struct ip *ip, struct pkt *p, const struct ip6_header *h,
		       struct ip6_frag *f, unsigned mtu)
{
	uint32_t step = (mtu - IP6_HEADER_LEN - IP6_FRAG_LEN) & ~7u;
	struct pkt *first = NULL, **end = &first;

	for (uint32_t at = 0; at < p->total_len; at += step) {
		uint32_t left = p->total_len - at;

		f->mf = left > step;
		f->frag_off = (uint16_t)at;
		*end = fragment(ip, p, h, f, f->mf ? step : left);
		if (!*end) {
			pkt_free_list(first);
			return NULL;
		}
		end = &(*end)->link;
	}
	return first;
}

/* RFC 7739 5.1: not to be foreseen by who sees others; a collision costs a packet. */
static uint32_t new_id(struct ip *ip)
{
	uint64_t n = ip->n_ids6++;

	return (uint32_t)hash_siphash24(ip->key, &n, sizeof(n));
}

int ip6_frag_output(struct ip *ip, struct pkt *p, const struct ip6_header *h,
		    const struct ip_dst *d, uint64_t now_ns)
{
	struct ip6_frag f = { .next = h->next, .id = new_id(ip) };
	struct pkt *frag = cut(ip, p, h, &f, d->mtu);

	pkt_free(p);
	if (!frag) {
		ip->stats.out_no_memory++;
		return -ENOBUFS;
	}
	ip_frag_send(ip, frag, d, now_ns);
	return 0;
}

/* RFC 8200 4.5: what cannot be is answered with its place. */
static void answer_impossible(struct ip *ip, const struct pkt *p,
			      const struct reass_frag *frag, uint64_t now_ns)
{
	struct icmp_header problem = { .type = ICMP6_PARAMETER };

	if (frag->mf && p->total_len % 8 != 0)
		problem.rest = IP6_AT_PAYLOAD_LEN;
	else if (frag->frag_off + p->total_len > frag->len_max)
		problem.rest =
			(uint32_t)(p->data - p->l3) - IP6_FRAG_LEN + IP6_FRAG_AT_OFFSET;
	else
		return;
	icmp6_error(ip, p, &problem, now_ns);
}

bool ip6_reass_input(struct ip *ip, struct pkt *p, const struct ip6_frag *f,
		     uint64_t now_ns, enum verdict *v)
{
	uint32_t before = (uint32_t)(p->data - p->l3) - IP6_HEADER_LEN - IP6_FRAG_LEN;
	struct reass_frag frag = {
		.src = p->src,
		.dst = p->dst,
		.id = f->id,
		.upper = f->next,
		.mf = f->mf,
		.tos = p->tos,
		.frag_off = f->frag_off,
		.len_max = IP6_PAYLOAD_MAX - before,
	};

	/* The others of the packet go with it: reass_input() refuses it, too. */
	answer_impossible(ip, p, &frag, now_ns);
	return reass_input(&ip->reass, p, &frag, now_ns, v);
}
