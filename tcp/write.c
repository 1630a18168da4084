/*
 * SEND (RFC 9293 3.9.1.2): bytes into the send queue.  They leave when the turn ends,
 * so that what a program writes in pieces goes in whole segments.
 */
#include <errno.h>

#include "tcp/tcp_impl.h"

/* There is no memory: not writable until it is told again. */
static int refuse(struct tcp_conn *c)
{
	c->write_refused = true;
	c->tcp->stats.no_memory++;
	tcp_conn_starve(c, c->tcp->now_ns);
	return -EAGAIN;
}

static bool is_scarce(struct tcp *tcp)
{
	/* What can come again, and what a program closed, make room. */
	while (pkt_pool_level(tcp->pkts) < TCP_LEVEL_WRITE)
		if (!tcp_early_shed(tcp) &&
		    !(tcp->orphan_bufs && tcp_orphan_evict(tcp, tcp->now_ns)))
			return true;
	return false;
}

/* 0 when bytes may be written. */
static int may_send(const struct tcp_conn *c)
{
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
		return c->fin_wanted ? -EPIPE : -EAGAIN;
	return c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT ? 0 : -EPIPE;
}

size_t tcp_send_room(const struct tcp_conn *c)
{
	uint32_t len = tcp_conn_sndq_len(c);

	if (may_send(c) || len >= c->opts.sndbuf)
		return 0;
	return c->opts.sndbuf - len;
}

ssize_t tcp_send(struct tcp *tcp, struct tcp_conn *c, const void *bytes, size_t len,
		 bool more)
{
	size_t room = tcp_send_room(c), n;
	int err = may_send(c);
	struct tcp_xfer *x;

	if (err)
		return err;
	if (!len)
		return 0;
	if (!room)
		return -EAGAIN;
	if (is_scarce(tcp))
		return refuse(c);
	x = tcp_conn_xfer(c);
	n = sndq_write(&x->snd, tcp->pkts, bytes, len < room ? len : room);
	x->more = more;
	tcp_conn_speak(c);
	return n ? (ssize_t)n : refuse(c);
}

int tcp_send_pkt(struct tcp *tcp, struct tcp_conn *c, struct pkt *p)
{
	int err = may_send(c);
	struct tcp_xfer *x;

	if (err)
		return err;
	if (tcp_send_room(c) < p->total_len)
		return -EAGAIN;
	if (is_scarce(tcp))
		return refuse(c);
	x = tcp_conn_xfer(c);
	sndq_add(&x->snd, p);
	x->more = false;
	tcp_conn_speak(c);
	return 0;
}

void tcp_send_urgent(struct tcp *tcp, struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	(void)tcp;
	if (!x || !x->snd.len || may_send(c))
		return;
	/* RFC 6093 3.1: the pointer is behind the urgent byte */
	x->snd_up = tcp_conn_write_end(c);
	x->snd_urgent = true;
	tcp_conn_speak(c);
}
