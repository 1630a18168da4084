#include <errno.h>

#include "ip/ip.h"
#include "stack/base/cksum.h"
#include "tcp/tcp_impl.h"

enum { SUM_AT = 16 }; /* of the checksum in the header */

/* Where the last of PKT_SUM_PARTIAL goes on, or the whole sum. */
static void put_sum(struct pkt *p, const struct flow *f, bool partial)
{
	uint64_t sum = cksum_pseudo(&f->local, &f->remote, IP_PROTO_TCP, p->total_len);
	uint16_t field;

	p->l4 = p->data;
	if (partial) {
		p->flags |= PKT_SUM_PARTIAL;
		field = cksum_fold(sum);
	} else {
		field = cksum_end(cksum_add_pkt(sum, p, 0));
	}
	memcpy(p->data + SUM_AT, &field, sizeof(field));
}

int tcp_emit_segment(struct tcp *tcp, const struct flow *f, const struct tcp_seg *s,
		     struct pkt *body, const struct tcp_emit *how, uint64_t now_ns)
{
	struct ip_out out = {
		.src = f->local,
		.dst = f->remote,
		.proto = IP_PROTO_TCP,
		.ttl = how->ttl,
		.tos = how->tos,
		.flags = how->no_df ? 0 : IP_DF,
	};
	struct pkt *p = pkt_new(tcp->pkts, PKT_CONTROL);
	uint8_t len = tcp_emit_len(s);
	struct wr w;

	if (!p) {
		pkt_free(body);
		tcp->stats.no_memory++;
		return -ENOBUFS;
	}
	w = wr_of(pkt_push(p, len), len);
	tcp_emit(&w, s);
	if (body) {
		if (body->total_len > how->gso_len)
			p->gso_len = how->gso_len;
		pkt_chain(p, body);
	}
	put_sum(p, f, how->partial_sum);
	tcp->stats.segs_out++;
	return ip_output(tcp->ip, p, &out, now_ns);
}

int tcp_emit_bare(struct tcp *tcp, const struct flow *f, struct tcp_seg *s,
		  const struct tcp_opts *opts, uint64_t now_ns)
{
	struct tcp_emit how = { .ttl = opts->ttl,
				.tos = opts->tos,
				.no_df = opts->no_df };

	s->src_port = f->local_port;
	s->dst_port = f->remote_port;
	return tcp_emit_segment(tcp, f, s, NULL, &how, now_ns);
}

void tcp_emit_refusal(struct tcp_in *in)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_seg rst = { .flags = TCP_RST };
	struct tcp *tcp = in->tcp;

	if (s->flags & TCP_RST)
		return;
	if (!bucket_take(&tcp->resets, in->now_ns)) {
		tcp->stats.rst_held++;
		return;
	}
	/* RFC 9293 3.5.2: the RST must be believable to who sent the segment. */
	if (s->flags & TCP_ACK) {
		rst.seq = s->ack;
	} else {
		rst.ack = seq_add(s->seq, tcp_in_seq_len(in));
		rst.flags |= TCP_ACK;
	}
	if (tcp_emit_bare(tcp, &in->flow, &rst, &tcp->opts, in->now_ns) == 0)
		tcp->stats.reset_out++;
}

void tcp_emit_syn_options(struct tcp *tcp, const struct flow *f,
			  const struct tcp_opts *opts, struct tcp_seg *s)
{
	unsigned mtu = ip_link_mtu(tcp->ip, &f->remote), mss;

	if (mtu < IP_PMTU_MIN)
		mtu = IP_PMTU_MIN;
	/* RFC 9293 3.7.1: what we can receive, without options (RFC 6691); what the way
	 * there takes says nothing of the way back. */
	mss = mtu - tcp_headers_len(f);
	if (opts->maxseg && mss > opts->maxseg)
		mss = opts->maxseg;
	s->mss = (uint16_t)mss;
	s->has = TCP_HAS_MSS;
	if (tcp->conf.sack)
		s->has |= TCP_HAS_SACK_OK;
	if (tcp->conf.timestamps)
		s->has |= TCP_HAS_TS;
	if (tcp->conf.window_scale)
		s->has |= TCP_HAS_WSCALE;
	s->wscale = tcp->rcv_wscale;
	/* RFC 7323 2.2: the window of a SYN is never scaled */
	s->window = opts->rcvbuf < UINT16_MAX ? (uint16_t)opts->rcvbuf : UINT16_MAX;
}
