/*
 * What ICMP says about a segment of ours (RFC 9293 3.9.2.2).
 *
 * Anybody can send such a message; it counts when the number that it quotes is in
 * flight (RFC 5927 4.1).  An established connection survives every error but keeps it as
 * the reason should it time out; a connection that is just being opened ends with a
 * hard one, and with a soft one that comes again after another SYN (RFC 5461 4).
 */
#include <errno.h>

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

static int error_of(enum ip_error e)
{
	switch (e) {
	case IP_ERROR_NET_UNREACHABLE: return ENETUNREACH;
	case IP_ERROR_HOST_UNREACHABLE:
	case IP_ERROR_PROHIBITED:
	case IP_ERROR_TIME_EXCEEDED: return EHOSTUNREACH;
	case IP_ERROR_PROTO_UNREACHABLE: return ENOPROTOOPT;
	case IP_ERROR_PORT_UNREACHABLE: return ECONNREFUSED;
	case IP_ERROR_PARAMETER: return EPROTO;
	case IP_ERROR_TOO_BIG: return EMSGSIZE;
	case IP_ERROR_NONE: break;
	}
	return 0;
}

static bool is_hard(enum ip_error e)
{
	return e == IP_ERROR_PROTO_UNREACHABLE || e == IP_ERROR_PORT_UNREACHABLE ||
	       e == IP_ERROR_PROHIBITED;
}

static void too_big(struct tcp_conn *c, unsigned mtu, uint64_t now_ns)
{
	struct ip *ip = c->tcp->ip;

	/* RFC 5927 7.2: a path becomes narrower by such a message, never wider */
	if (mtu < ip_path_mtu(ip, &c->flow.remote))
		ip_path_mtu_set(ip, &c->flow.remote, mtu, now_ns);
	/* RFC 7413 4.2.1: our SYN was too long for what it brought; it goes without */
	if (c->state == TCP_SYN_SENT && tcp_conn_flight(c) > 1) {
		c->syn_due = true;
		tcp_conn_speak(c);
	}
	/* Another connection may have learned it before us. */
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED ||
	    !tcp_conn_sync_mss(c))
		return;
	tcp_recover_resegment(c);
	tcp_conn_speak(c);
}

static void unreachable(struct tcp_conn *c, enum ip_error e, uint64_t now_ns)
{
	bool opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;

	c->soft_error = (uint8_t)error_of(e);
	if (opening && (is_hard(e) || c->tries || c->x->fo_passive))
		tcp_conn_die(c, c->soft_error, now_ns);
}

/* The first number in flight; a SYN-ACK of Fast Open is before all of it. */
static struct seq first_out(const struct tcp_conn *c)
{
	return seq_add(c->snd_una, -(uint32_t)(c->x && c->x->fo_passive));
}

struct step tcp_error_input(struct tcp *tcp, struct pkt *p, uint64_t now_ns)
{
	struct ip_quote quote;
	struct tcp_conn *c;
	struct flow flow;
	struct seq seq;

	tcp->now_ns = now_ns;
	memcpy(&quote, p->cb, sizeof(quote));
	/* The quote begins with ports and sequence number, of which we are sure. */
	if (p->len < 8)
		return step_end(V_SHORT);
	flow = (struct flow){
		.local = p->src,
		.remote = p->dst,
		.local_port = be16(p->data),
		.remote_port = be16(p->data + 2),
	};
	seq.n = be32(p->data + 4);
	c = tcp_table_find(tcp, &flow);
	if (!c) {
		/* RFC 5461 4.1: there is nothing yet that had to survive it */
		if (quote.error != IP_ERROR_TOO_BIG)
			tcp_listen_unreachable(tcp, &flow, seq);
		return step_end(V_ICMP_NO_FLOW);
	}
	if (!seq_in(seq, first_out(c), seq_dist(first_out(c), c->snd_nxt)))
		return step_end(V_ICMP_NO_FLOW);
	if (quote.error == IP_ERROR_TOO_BIG)
		too_big(c, quote.mtu, now_ns);
	else
		unreachable(c, quote.error, now_ns);
	return step_end(V_DONE);
}
