/*
 * SEND (RFC 9293 3.9.1.2): bytes into the send queue.  They leave when the turn ends,
 * so that what a program writes in pieces goes in whole segments.
 *
 * A send queue may hold the connection's sndbuf, and no more than a share of what is left
 * of the pool above a reserve: however many peers do not read, the reserve stays for those
 * that do.  Who has little queued may dip into it, for a reply to a request is short; the
 * last tenth is for what comes in.
 */
#include <errno.h>

#include "tcp/tcp_impl.h"

/* 0 when bytes may be written. */
static int may_send(const struct tcp_conn *c)
{
	if (c->state == TCP_SYN_SENT ||
	    (c->state == TCP_SYN_RECEIVED && !c->x->fo_passive))
		return c->fin_wanted ? -EPIPE : -EAGAIN;
	if (c->state == TCP_SYN_RECEIVED)
		return c->fin_wanted ? -EPIPE : 0;
	return c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT ? 0 : -EPIPE;
}

/* ---- room ---- */

uint32_t tcp_send_limit(const struct tcp_conn *c)
{
	const struct pkt_pool *pool = c->tcp->pkts;
	uint64_t share = (uint64_t)pkt_pool_spare(pool, TCP_LEVEL_WRITE) * PKT_BUF_LEN /
			 TCP_SEND_SHARE;

	if (share < TCP_SEND_SMALL)
		share = pkt_pool_level(pool) < TCP_LEVEL_SMALL ? 0 : TCP_SEND_SMALL;
	return share < c->opts.sndbuf ? (uint32_t)share : c->opts.sndbuf;
}

/* What counts of the queue.  Records have buffers of their own: so they may pin four times
 * their bytes, and what they pin beyond counts as if it was full. */
static uint32_t used(const struct tcp_conn *c)
{
	uint32_t len = tcp_conn_sndq_len(c), pinned;

	if (!len || !c->x->snd.n_records)
		return len;
	pinned = c->x->snd.n_bufs * (PKT_BUF_LEN / 4);
	return pinned > len ? pinned : len;
}

static uint32_t room_below(const struct tcp_conn *c, uint32_t limit)
{
	uint32_t len = used(c);

	return may_send(c) || len >= limit ? 0 : limit - len;
}

size_t tcp_send_room(const struct tcp_conn *c)
{
	return room_below(c, tcp_send_limit(c));
}

static bool is_writable_below(const struct tcp_conn *c, uint32_t limit)
{
	uint32_t room = room_below(c, limit);

	return room && room >= limit / 3;
}

bool tcp_send_is_writable(const struct tcp_conn *c)
{
	return is_writable_below(c, tcp_send_limit(c));
}

static void want_below(struct tcp_conn *c, uint32_t limit)
{
	c->wants_room = true;
	/* ACKs make room; but where memory is short, others may. */
	if (limit < c->opts.sndbuf)
		tcp_conn_speak(c);
}

void tcp_send_want(struct tcp_conn *c)
{
	want_below(c, tcp_send_limit(c));
}

void tcp_send_look(struct tcp_conn *c)
{
	uint32_t limit = tcp_send_limit(c);

	if (may_send(c)) {
		c->wants_room = false;
	} else if (!is_writable_below(c, limit)) {
		want_below(c, limit);
	} else if (c->wants_room) {
		c->wants_room = false;
		tcp_conn_tell(c);
	}
}

/* What can come again, and what a program closed, make room.  True: some did. */
static bool make_room(struct tcp *tcp)
{
	bool made = false;

	while (pkt_pool_level(tcp->pkts) < TCP_LEVEL_WRITE) {
		if (!tcp_early_shed(tcp) &&
		    !(tcp->orphan_bufs && tcp_orphan_evict(tcp, tcp->now_ns)))
			break;
		made = true;
	}
	return made;
}

/* Room for @len bytes, or what there is. */
static size_t room_for(struct tcp_conn *c, size_t len)
{
	size_t room = tcp_send_room(c);

	return room < len && make_room(c->tcp) ? tcp_send_room(c) : room;
}

static int refuse(struct tcp_conn *c)
{
	uint32_t limit = tcp_send_limit(c);

	if (limit < c->opts.sndbuf)
		c->tcp->stats.no_memory++;
	want_below(c, limit);
	return -EAGAIN;
}

/* ---- bytes ---- */

/* Why nothing can be sent; what ended the connection is said once, as by tcp_recv(). */
static int why_not(struct tcp_conn *c)
{
	int err = c->state == TCP_CLOSED && !c->fin_wanted ? tcp_take_error(c) : 0;

	return err ? -err : may_send(c);
}

ssize_t tcp_send(struct tcp *tcp, struct tcp_conn *c, const void *bytes, size_t len,
		 bool more)
{
	int err = why_not(c);
	struct tcp_xfer *x;
	size_t room, n;

	if (err)
		return err;
	room = room_for(c, len);
	if (!room && len)
		return refuse(c);
	if (!len && !c->x)
		return 0;
	x = tcp_conn_xfer(c);
	n = sndq_write(&x->snd, tcp->pkts, bytes, len < room ? len : room);
	x->more = x->unpushed = more;
	tcp_conn_speak(c);
	if (n < len || !tcp_send_is_writable(c))
		tcp_send_want(c);
	return n || !len ? (ssize_t)n : refuse(c);
}

void tcp_send_end_record(struct tcp *tcp, struct tcp_conn *c)
{
	(void)tcp;
	if (c->x && c->x->snd.len && !may_send(c))
		sndq_end_record(&c->x->snd);
}

int tcp_send_pkt(struct tcp *tcp, struct tcp_conn *c, struct pkt *p)
{
	int err = may_send(c);
	struct tcp_xfer *x;

	(void)tcp;
	if (err)
		return err;
	if (room_for(c, p->total_len) < p->total_len)
		return refuse(c);
	x = tcp_conn_xfer(c);
	sndq_add(&x->snd, p);
	x->more = x->unpushed = false;
	tcp_conn_speak(c);
	if (!tcp_send_is_writable(c))
		tcp_send_want(c);
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
