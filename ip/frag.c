/*
 * Fragmentation on the way out (RFC 791 3.2), by reference.
 *
 * A fragment is a new descriptor with a header of its own, and a chain of descriptors
 * that share the buffers of the packet.  Bytes that lie inside a descriptor, as the
 * transport's header does, cannot be shared and are copied.
 */
#include <errno.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

bool ip_frag_add(struct pkt *frag, struct pkt *p, uint32_t offset, uint32_t len)
{
	for (; len; p = p->next) {
		struct pkt *part;
		uint32_t n;

		if (offset >= p->len) {
			offset -= p->len;
			continue;
		}
		n = p->len - offset < len ? p->len - offset : len;
		part = pkt_share(p, p->data + offset, n);
		if (!part)
			return false;
		pkt_chain(frag, part);
		offset = 0;
		len -= n;
	}
	return true;
}

/* The fragment of @p that @h speaks of. */
static struct pkt *fragment(struct ip *ip, struct pkt *p, const struct ip4_header *h)
{
	struct pkt *frag = pkt_new(ip->pool, PKT_DATA);

	if (!frag)
		return NULL;
	frag->l4 = frag->data;
	frag->l3 = pkt_push(frag, IP4_HEADER_LEN);
	ip4_emit(frag->l3, h);
	if (ip_frag_add(frag, p, h->frag_off, h->total_len - IP4_HEADER_LEN))
		return frag;
	pkt_free(frag);
	return NULL;
}

/* All fragments, linked by ->link; NULL: no memory. */
static struct pkt *cut(struct ip *ip, struct pkt *p, struct ip4_header *h, unsigned mtu)
{
	uint32_t step = (mtu - IP4_HEADER_LEN) & ~7u;
	struct pkt *first = NULL, **end = &first;

	for (uint32_t at = 0; at < p->total_len; at += step) {
		uint32_t left = p->total_len - at;

		h->mf = left > step;
		h->frag_off = (uint16_t)at;
		h->total_len = (uint16_t)((h->mf ? step : left) + IP4_HEADER_LEN);
		*end = fragment(ip, p, h);
		if (!*end) {
			pkt_free_list(first);
			return NULL;
		}
		end = &(*end)->link;
	}
	return first;
}

void ip_frag_send(struct ip *ip, struct pkt *frag, const struct ip_dst *d,
		  uint64_t now_ns)
{
	struct eth *eth = ip->ifaces[d->iface].eth;

	ip->stats.out++;
	while (frag) {
		struct pkt *next = frag->link;

		frag->link = NULL;
		ip->stats.frag_made++;
		neigh_output(ip->neigh, eth, &d->next_hop, frag, now_ns);
		frag = next;
	}
}

int ip_frag_output(struct ip *ip, struct pkt *p, struct ip4_header *h,
		   const struct ip_dst *d, uint64_t now_ns)
{
	struct pkt *frag;

	h->id = ip_output_id(ip, h, 1);
	frag = cut(ip, p, h, d->mtu);
	pkt_free(p);
	if (!frag) {
		ip->stats.out_no_memory++;
		return -ENOBUFS;
	}
	ip_frag_send(ip, frag, d, now_ns);
	return 0;
}
