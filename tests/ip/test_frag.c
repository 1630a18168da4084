#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host_with_peers();
}

static void clean(void)
{
	host_free(h);
}

Cases(frag, setup, clean);

static int output(struct pkt *p, uint8_t flags)
{
	struct ip_out how = {
		.dst = addr_ip4(peer_ip[0]),
		.proto = 200,
		.ttl = 9,
		.tos = 4,
		.flags = flags,
	};

	return ip_output(h->ip, p, &how, h->now_ns);
}

/* Takes the fragments that were sent; the bytes of host_bytes() must be in them. */
static unsigned take_fragments(uint32_t len)
{
	uint32_t at = 0;
	unsigned n = 0;
	uint16_t id = 0;

	while (host_sent(h, 0, &l) && l.type == 0x0800) {
		cr_assert(l.sound && l.proto == 200 && l.ttl == 9 && l.tos == 4);
		cr_assert(l.total_len <= 1500 && l.frag_off == at && !l.df);
		cr_assert(n == 0 || l.id == id);
		id = l.id;
		for (uint32_t i = 0; i < l.payload_len; i++)
			cr_assert_eq(l.payload[i], (uint8_t)(at + i));
		at += l.payload_len;
		cr_assert_eq(l.mf, at < len);
		n++;
	}
	cr_assert_eq(at, len);
	return n;
}

Case(frag, what_fits_is_not_cut)
{
	cr_assert_eq(output(host_bytes(h, 1480), 0), 0);
	cr_assert_eq(take_fragments(1480), 1);
	cr_assert_eq(ip_stats(h->ip)->frag_made, 0);
}

Case(frag, one_byte_more_makes_two)
{
	cr_assert_eq(output(host_bytes(h, 1481), 0), 0);
	cr_assert_eq(take_fragments(1481), 2);
}

Case(frag, the_longest_packet_arrives_in_order)
{
	cr_assert_eq(output(host_bytes(h, 65515), 0), 0);
	cr_assert_eq(take_fragments(65515), 45);
	cr_assert(ip_stats(h->ip)->out == 1 && ip_stats(h->ip)->frag_made == 45);
}

Case(frag, a_packet_longer_than_any_is_refused)
{
	cr_assert_eq(output(host_bytes(h, 65516), 0), -EMSGSIZE);
	cr_assert_eq(host_drain(h), 0);
}

Case(frag, what_must_not_be_cut_is_refused)
{
	cr_assert_eq(output(host_bytes(h, 1481), IP_DF), -EMSGSIZE);
	cr_assert_eq(host_drain(h), 0);
	cr_assert_eq(ip_stats(h->ip)->out_too_big, 1);
	cr_assert_eq(output(host_bytes(h, 1480), IP_DF), 0);
	cr_assert(host_sent(h, 0, &l) && l.df);
	host_drain(h);
}

Case(frag, bytes_are_shared_not_copied)
{
	struct pkt *p = host_bytes(h, 8000);
	uint32_t bufs = h->pool.bufs.n_out;

	cr_assert_eq(output(p, 0), 0);
	cr_assert_eq(h->pool.bufs.n_out, bufs);
	host_drain(h);
	cr_assert_eq(h->pool.bufs.n_out, 0);
}

/* A header in the descriptor, as transports make it, and payload in buffers. */
Case(frag, bytes_inside_descriptors_go_too)
{
	struct pkt *first = pkt_new(&h->pool, PKT_DATA);
	struct pkt *rest = host_bytes(h, 3000);
	struct pkt *middle = pkt_new(&h->pool, PKT_DATA);

	/* Cut into three: bytes 0 to 7, 8 to 99, and what follows. */
	memcpy(pkt_push(middle, 92), rest->data + 8, 92);
	memcpy(pkt_push(first, 8), rest->data, 8);
	pkt_trim_front(rest, 100);
	pkt_chain(first, middle);
	pkt_chain(first, rest);
	cr_assert_eq(output(first, 0), 0);
	cr_assert_eq(take_fragments(3000), 3);
}

Case(frag, an_unfinished_sum_is_finished_before_the_cut)
{
	struct ip_out how = { .dst = addr_ip4(peer_ip[0]), .proto = IP_PROTO_UDP };
	struct pkt *p = host_bytes(h, 3000);
	static uint8_t all[3000];
	uint32_t pseudo = build_pseudo(host_ip[0], peer_ip[0], 17, 3000);
	uint16_t sum = build_sum(pseudo, NULL, 0);

	p->flags |= PKT_SUM_PARTIAL;
	p->data[6] = (uint8_t)(sum >> 8);
	p->data[7] = (uint8_t)sum;
	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), 0);
	for (uint32_t at = 0; at < 3000; at += l.payload_len) {
		cr_assert(host_sent(h, 0, &l));
		/* look() strips the header of UDP from the first one. */
		l.payload -= at ? 0 : 8;
		l.payload_len += at ? 0 : 8;
		memcpy(all + at, l.payload, l.payload_len);
	}
	cr_assert_eq(build_sum(pseudo, all, 3000), 0xffff);
	host_drain(h);
}

Case(frag, an_empty_pool_sends_nothing_rather_than_half)
{
	struct pkt *p = host_bytes(h, 65000), *all[HOST_PKTS];
	unsigned n = 0;

	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	/* Enough for half of the fragments, beside the reserve. */
	for (unsigned i = 0; i < HOST_PKTS / 16 + 60; i++)
		pkt_free(all[--n]);
	cr_assert_eq(output(p, 0), -ENOBUFS);
	cr_assert_eq(ip_stats(h->ip)->out_no_memory, 1);
	while (n)
		pkt_free(all[--n]);
	cr_assert_eq(host_drain(h), 0);
}

Case(frag, identifications_of_a_pair_do_not_repeat_soon)
{
	static bool seen[65536];

	for (unsigned i = 0; i < 4000; i++) {
		cr_assert_eq(output(host_bytes(h, 8), 0), 0);
		cr_assert(host_sent(h, 0, &l));
		if (l.type != 0x0800)
			continue;
		cr_assert(!seen[l.id], "packet %u", i);
		seen[l.id] = true;
	}
	host_drain(h);
}
