#include "eth/vnet.h"

#include "eth/offload.h"
#include "stack/base/pkt.h"
#include "tcp/tcp_wire.h"

enum { TCP_OFFSET = 12, TCP_FLAGS = 13 };

bool vnet_input(struct pkt *p, const uint8_t *bytes)
{
	struct virtio_net_hdr h;

	memcpy(&h, bytes, sizeof(h));
	/* NEEDS_CSUM: the sum is not made yet, since the bytes never were on a wire. */
	if (h.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		p->flags |= PKT_SUM_OK;
	switch (h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6: p->gso_len = h.gso_size; return true;
	case VIRTIO_NET_HDR_GSO_NONE: return true;
	default: return false;
	}
}

static void set_gso(struct virtio_net_hdr *h, const struct pkt *p)
{
	h->gso_type =
		p->l3[0] >> 4 == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	/* RFC 3168 6.1.2: whoever cuts must set CWR in the first segment only. */
	if (p->l4[TCP_FLAGS] & TCP_CWR)
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->gso_size = p->gso_len;
	h->hdr_len = (uint16_t)(h->csum_start + (p->l4[TCP_OFFSET] >> 4) * 4);
}

struct virtio_net_hdr vnet_output(const struct pkt *p)
{
	struct virtio_net_hdr h = { 0 };

	if (p->flags & PKT_SUM_PARTIAL) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = (uint16_t)(p->l4 - p->data);
		h.csum_offset = (uint16_t)offload_sum_offset(p->proto);
	}
	if (p->gso_len)
		set_gso(&h, p);
	return h;
}
