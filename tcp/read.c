/*
 * RECEIVE (RFC 9293 3.9.1.3): bytes out of the receive queue, and the window opens.
 *
 * The urgent byte (RFC 6093) stays in the stream with TCP_OPT_OOBINLINE.  Else the
 * stream steps over it and tcp_recv_urgent() gives it:
 *
 *	ANNOUNCED ---- tcp_recv_urgent() ----> TAKEN ---- the stream passes it ----> NONE
 *	    |                                                                         ^
 *	    +---- the stream passes it ----> PASSED ---- tcp_recv_urgent() -----------+
 *
 * One read never crosses it, so a program knows where it was.
 */
#include <errno.h>

#include "tcp/tcp_impl.h"

size_t tcp_recv_ready(const struct tcp_conn *c)
{
	return tcp_conn_rcvq_len(c);
}

/* What a read says when there are no bytes. */
static int nothing_to_read(struct tcp_conn *c)
{
	int err = c->state == TCP_CLOSED ? tcp_take_error(c) : 0;

	if (err)
		return -err;
	if (c->fin_in || c->rcv_shut)
		return 0;
	if (c->state == TCP_CLOSED)
		return c->was_connected ? 0 : -ENOTCONN;
	return -EAGAIN;
}

/* Bytes were read: the window may open, and the queues may have become empty. */
static void was_read(struct tcp_conn *c)
{
	if (tcp_output_opens(c) || tcp_output_is_shut(c))
		tcp_conn_speak(c);
	tcp_conn_rest(c);
}

/* The next byte of the stream is the urgent one, which is not for the stream. */
static void step_over(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	rcvq_read(&x->rcv, &x->urgent_byte, 1, false);
	x->rcv_urgent =
		x->rcv_urgent == TCP_URGENT_TAKEN ? TCP_URGENT_NONE : TCP_URGENT_PASSED;
}

/*
 * Of the bytes in order, how many may be read at once: up to the urgent byte, which is
 * stepped over when it is the next.
 */
static uint32_t readable(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;
	uint32_t ahead;

	if (!x || !x->rcv.len)
		return 0;
	if (x->rcv_urgent == TCP_URGENT_NONE || x->rcv_urgent == TCP_URGENT_PASSED)
		return x->rcv.len;
	ahead = seq_dist(tcp_conn_read_seq(c), seq_add(x->rcv_up, (uint32_t)-1));
	if (ahead == 0 && c->opts.oobinline)
		x->rcv_urgent = TCP_URGENT_NONE;
	else if (ahead == 0)
		step_over(c);
	else if (ahead < x->rcv.len)
		return ahead;
	return x->rcv.len;
}

ssize_t tcp_recv(struct tcp *tcp, struct tcp_conn *c, void *bytes, size_t len, bool peek)
{
	uint32_t max = readable(c);
	size_t n;

	(void)tcp;
	if (!max)
		return nothing_to_read(c);
	n = rcvq_read(&c->x->rcv, bytes, len < max ? len : max, peek);
	if (!peek)
		was_read(c);
	return (ssize_t)n;
}

/* Copies the byte at @offset of what is in order. */
static void copy_byte(const struct rcvq *q, uint32_t offset, void *byte)
{
	const struct pkt *p = q->first;

	for (; offset >= p->total_len; p = p->link)
		offset -= p->total_len;
	pkt_read(p, offset, byte, 1);
}

ssize_t tcp_recv_urgent(struct tcp *tcp, struct tcp_conn *c, void *byte)
{
	struct tcp_xfer *x = c->x;
	uint32_t ahead;

	(void)tcp;
	if (c->opts.oobinline || !x)
		return -EINVAL;
	switch ((enum tcp_urgent)x->rcv_urgent) {
	case TCP_URGENT_NONE:
	case TCP_URGENT_TAKEN: return -EINVAL;
	case TCP_URGENT_PASSED:
		memcpy(byte, &x->urgent_byte, 1);
		x->rcv_urgent = TCP_URGENT_NONE;
		tcp_conn_rest(c);
		return 1;
	case TCP_URGENT_ANNOUNCED: break;
	}
	ahead = seq_dist(tcp_conn_read_seq(c), seq_add(x->rcv_up, (uint32_t)-1));
	if (ahead >= x->rcv.len)
		return -EAGAIN;
	copy_byte(&x->rcv, ahead, byte);
	x->rcv_urgent = TCP_URGENT_TAKEN;
	return 1;
}

static bool in_many_pieces(const struct pkt *p)
{
	unsigned n = 0;

	for (; p && n <= TCP_RECV_PIECES_MAX; p = p->next)
		n += p->len > 0;
	return n > TCP_RECV_PIECES_MAX;
}

/* A packet of the first @max bytes, or as many as a buffer holds. */
static struct pkt *copy_out(struct tcp_conn *c, uint32_t max)
{
	struct pkt *p = pkt_new_buf(c->tcp->pkts, PKT_CONTROL, 0);

	if (!p)
		return NULL;
	if (max > PKT_BUF_LEN)
		max = PKT_BUF_LEN;
	p->len = p->total_len = (uint32_t)rcvq_read(&c->x->rcv, p->data, max, false);
	return p;
}

int tcp_recv_pkt(struct tcp *tcp, struct tcp_conn *c, struct pkt **p)
{
	uint32_t max = readable(c);
	struct tcp_xfer *x = c->x;
	int err;

	(void)tcp;
	if (!max) {
		err = nothing_to_read(c);
		if (!err)
			*p = NULL;
		return err;
	}
	/* The urgent byte lies within it, or it has too many pieces. */
	if (max < x->rcv.first->total_len || in_many_pieces(x->rcv.first)) {
		*p = copy_out(c, max);
		if (!*p)
			return -EAGAIN;
	} else {
		*p = rcvq_pop(&x->rcv);
	}
	x->lent += (*p)->total_len;
	return 0;
}

void tcp_recv_pkt_done(struct tcp *tcp, struct tcp_conn *c, struct pkt *p)
{
	(void)tcp;
	c->x->lent -= p->total_len;
	pkt_free(p);
	was_read(c);
}
