#include <criterion/criterion.h>

#include "eth/vnet.h"
#include "stack/base/pkt.h"
#include "tests/lib/case.h"

enum { CWR = 0x80 };

static struct pkt_pool pool;
static struct pkt *p;

/* An IPv4 frame with a TCP header of 32 bytes. */
static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, 64, 64), 0);
	p = pkt_new(&pool, PKT_DATA);
	memset(pkt_push(p, 66), 0, 66);
	p->l3 = p->data + 14;
	p->l4 = p->data + 34;
	p->l3[0] = 0x45;
	p->l4[12] = 0x80;
	p->proto = 6;
}

static void clean(void)
{
	pkt_free(p);
	cr_assert_eq(pool.pkts.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(vnet, setup, clean);

static bool input(struct virtio_net_hdr h)
{
	uint8_t bytes[VNET_LEN + 1];

	/* At an odd address: the header lies wherever the buffer begins. */
	memcpy(bytes + 1, &h, sizeof(h));
	return vnet_input(p, bytes + 1);
}

Case(vnet, header_has_the_bytes_of_the_picture)
{
	struct virtio_net_hdr h = {
		.flags = 1,
		.gso_type = 2,
		.hdr_len = 0x0303,
		.gso_size = 0x0404,
		.csum_start = 0x0505,
		.csum_offset = 0x0606,
	};

	cr_assert_arr_eq(&h, "\1\2\3\3\4\4\5\5\6\6", VNET_LEN);
}

Case(vnet, a_sum_not_made_or_checked_already_is_good)
{
	cr_assert(input((struct virtio_net_hdr){ 0 }));
	cr_assert_eq(p->flags, 0);
	cr_assert(input((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM }));
	cr_assert_eq(p->flags, PKT_SUM_OK);
	p->flags = 0;
	cr_assert(input((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_DATA_VALID }));
	cr_assert_eq(p->flags, PKT_SUM_OK);
}

Case(vnet, tcp_super_frames_say_how_long_segments_are)
{
	static const uint8_t types[] = {
		VIRTIO_NET_HDR_GSO_TCPV4,
		VIRTIO_NET_HDR_GSO_TCPV6,
		VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		p->gso_len = 0;
		cr_assert(input((struct virtio_net_hdr){ .gso_type = types[i],
							 .gso_size = 1448 }));
		cr_assert_eq(p->gso_len, 1448);
	}
}

Case(vnet, other_super_frames_are_refused)
{
	for (unsigned type = 0; type < 256; type++) {
		bool known = (type & 0x7f) <= 1 || (type & 0x7f) == 4;

		cr_assert_eq(input((struct virtio_net_hdr){ .gso_type = (uint8_t)type,
							    .gso_size = 1448 }),
			     known, "type %u", type);
	}
}

Case(vnet, a_finished_frame_asks_for_nothing)
{
	struct virtio_net_hdr h = vnet_output(p), none = { 0 };

	cr_assert_eq(memcmp(&h, &none, sizeof(h)), 0);
}

Case(vnet, a_partial_sum_is_asked_to_be_completed)
{
	struct virtio_net_hdr h;

	p->flags = PKT_SUM_PARTIAL;
	h = vnet_output(p);
	cr_assert_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	cr_assert_eq(h.csum_start, 34);
	cr_assert_eq(h.csum_offset, 16);
	cr_assert_eq(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	p->proto = 17;
	cr_assert_eq(vnet_output(p).csum_offset, 6);
}

Case(vnet, a_super_frame_is_asked_to_be_cut)
{
	struct virtio_net_hdr h;

	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = 1448;
	h = vnet_output(p);
	cr_assert_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	cr_assert_eq(h.gso_size, 1448);
	cr_assert_eq(h.hdr_len, 66);
	p->l4[13] = CWR;
	cr_assert_eq(vnet_output(p).gso_type,
		     VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
	p->l4[13] = 0;
	p->l3[0] = 0x60;
	cr_assert_eq(vnet_output(p).gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
}
