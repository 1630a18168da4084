/*
 * What a segment brings: urgent pointer, payload, FIN (RFC 9293 3.10.7.4, sixth to
 * eighth).  Payload in order goes to the queue that the program reads, what came early
 * to the islands behind it; what does not fit the window we promised is cut off.
 */
#include <errno.h>

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

static bool receives(const struct tcp_conn *c)
{
	/* In SYN-RECEIVED only what came with the SYN gets so far (fastopen.c). */
	return c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 ||
	       c->state == TCP_FIN_WAIT_2 || c->state == TCP_SYN_RECEIVED;
}

void tcp_text_urgent(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = c->x;
	struct seq up;

	if (!(in->s.flags & TCP_URG) || !receives(c) || c->rcv_shut)
		return;
	/* RFC 6093 3.1: it points behind the urgent byte, as everybody does it */
	up = seq_add(in->s.seq, in->s.urgent);
	if (!seq_after(up, tcp_conn_read_seq(c)))
		return;
	/* RFC 9293 3.10.7.4, sixth: only one that is farther ahead is news; what the
	 * stream has passed is behind */
	if (x &&
	    (x->rcv_urgent == TCP_URGENT_ANNOUNCED ||
	     x->rcv_urgent == TCP_URGENT_TAKEN) &&
	    !seq_after(up, x->rcv_up))
		return;
	x = tcp_conn_xfer(c);
	x->rcv_up = up;
	x->rcv_urgent = TCP_URGENT_ANNOUNCED;
	tcp_conn_tell(c);
}

/*
 * The peer's segments as long as we have seen them, for delayed ACKs and windows.  A
 * longer one than we announced was put together on its way.
 */
static void measure(struct tcp_in *in)
{
	uint32_t len = in->len, gso_len = in->p->gso_len, most;
	struct tcp_conn *c = in->c;

	if (gso_len && gso_len < len)
		len = gso_len;
	if (len <= c->rcv_mss)
		return;
	most = ip_path_mtu(in->tcp->ip, &c->flow.remote) - tcp_headers_len(&c->flow);
	len = len < most ? len : most;
	if (len > c->rcv_mss)
		c->rcv_mss = (uint16_t)len;
}

/*
 * The window opens as the program proves that it reads: twice what came, while less
 * than a quarter waits.  A connection that nobody reads holds 64 KiB, not its limit.
 */
static void grow_limit(struct tcp_conn *c, uint32_t n)
{
	uint32_t max = c->opts.rcvbuf;

	if (c->rcv_lim >= max || c->x->rcv.len > n + c->rcv_lim / 4 ||
	    pkt_pool_level(c->tcp->pkts) < TCP_LEVEL_TIGHT)
		return;
	c->rcv_lim = max - c->rcv_lim < 2 * n ? max : c->rcv_lim + 2 * n;
}

/* RFC 9293 3.10.7.4, eighth. */
static void fin(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->fin_in = true;
	c->ack_now = true;
	if (c->x) {
		tcp_early_drop(in->tcp, c->x);
		c->x->early_fin = false;
	}
	if (c->state == TCP_ESTABLISHED) {
		tcp_enter(c, TCP_CLOSE_WAIT, in->now_ns);
	} else if (c->state == TCP_FIN_WAIT_1) {
		tcp_enter(c, TCP_CLOSING, in->now_ns);
	} else {
		/* The block may be gone at the turn's end: the ACK leaves now. */
		tcp_output_ack(c, in->now_ns);
		tcp_enter(c, TCP_TIME_WAIT, in->now_ns);
	}
}

static void in_order(struct tcp_in *in, bool has_fin)
{
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = c->x;

	if (in->len) {
		struct seq old = c->rcv_nxt;
		bool fills;
		uint32_t n;

		x = tcp_conn_xfer(c);
		/* The program does not read, and others need memory: as if it was lost. */
		if (x->rcv.pinned > TCP_UNREAD_MAX &&
		    pkt_pool_level(in->tcp->pkts) < TCP_LEVEL_WRITE) {
			in->verdict = V_NO_MEMORY;
			c->ack_now = true;
			return;
		}
		fills = x->rcv.n_islands;
		if (fills)
			tcp_dsack_early(in, old);
		c->rcv_nxt = rcvq_add(&x->rcv, in->tcp->pkts, in->p, old);
		in->verdict = V_KEPT;
		if (fills) {
			/* RFC 5681 4.2: what fills a gap is acknowledged at once */
			c->ack_now = true;
			tcp_early_note(in->tcp, x);
		}
		n = seq_dist(old, c->rcv_nxt);
		c->bytes_received += n;
		in->tcp->stats.bytes_in += n;
		grow_limit(c, n);
		tcp_conn_tell(c);
	}
	if (x && x->early_fin && seq_after_eq(c->rcv_nxt, x->fin)) {
		has_fin |= seq_eq(c->rcv_nxt, x->fin);
		x->early_fin = false;
	}
	if (has_fin)
		fin(in);
}

static void early(struct tcp_in *in, struct seq seq, bool has_fin)
{
	struct tcp_conn *c = in->c;
	struct tcp *tcp = in->tcp;

	if (in->len) {
		tcp_ledger(c)->segs_early++;
		tcp_dsack_early(in, seq);
		in->verdict = tcp_early_add(c, in->p, seq) ? V_KEPT : V_NO_MEMORY;
	}
	if (has_fin) {
		struct tcp_xfer *x = tcp_conn_xfer(c);

		x->early_fin = true;
		x->fin = seq_add(seq, in->len);
	}
	/* RFC 5681 4.2: a duplicate ACK at once, for each of them. */
	tcp->stats.dup_ack_out++;
	tcp_output_ack(c, in->now_ns);
}

/* Cuts off what was received before.  False: nothing new is left. */
static bool trim_old(struct tcp_in *in, struct seq *seq, bool has_fin)
{
	struct tcp_conn *c = in->c;
	uint32_t old;

	if (!seq_before(*seq, c->rcv_nxt))
		return true;
	/* RFC 9293 3.10.7.4, first; and a retransmission tells that our ACK was lost */
	c->ack_now = true;
	tcp_dsack_old(in, *seq);
	old = seq_dist(*seq, c->rcv_nxt);
	if (old > in->len || (old == in->len && !has_fin))
		return false;
	pkt_trim_front(in->p, old);
	in->len -= old;
	*seq = c->rcv_nxt;
	return true;
}

/* Cuts off what lies behind the window.  False: nothing of it fits. */
static bool trim_window(struct tcp_in *in, struct seq seq, bool *has_fin)
{
	struct tcp_conn *c = in->c;
	struct seq edge = seq_max(c->rcv_adv, c->rcv_nxt);
	struct seq end = seq_add(seq, in->len);

	if (!seq_after(end, edge))
		return true;
	c->ack_now = true;
	if (!seq_before(seq, edge)) {
		in->verdict = V_TCP_NOT_IN_WINDOW;
		return false;
	}
	in->len = seq_dist(seq, edge);
	pkt_trim_to(in->p, in->len);
	*has_fin = false;
	return true;
}

static void count(struct tcp_in *in)
{
	uint32_t gso_len = in->p->gso_len;
	struct tcp_ledger *l;

	if (!in->len)
		return;
	l = tcp_ledger(in->c);
	l->rx_ms = tcp_ms(in->now_ns);
	l->data_segs_in += gso_len ? (in->len + gso_len - 1) / gso_len : 1;
}

void tcp_text(struct tcp_in *in)
{
	bool has_fin = in->s.flags & TCP_FIN;
	struct tcp_conn *c = in->c;
	struct seq seq = in->s.seq;

	if (!in->len && !has_fin)
		return;
	if (!receives(c)) {
		/* RFC 9293 3.10.7.4, seventh: after the peer's FIN there is no text */
		c->ack_now = true;
		tcp_dsack_old(in, seq);
		return;
	}
	measure(in);
	count(in);
	if (!trim_old(in, &seq, has_fin) || !trim_window(in, seq, &has_fin))
		return;
	if (in->len && !c->owned) {
		/* RFC 2525 2.17: nobody will read it, and the peer shall know */
		tcp_conn_reset(c, ECONNRESET, in->now_ns);
		in->verdict = V_TCP_CLOSED;
		return;
	}
	if (seq_eq(seq, c->rcv_nxt))
		in_order(in, has_fin);
	else
		early(in, seq, has_fin);
}
