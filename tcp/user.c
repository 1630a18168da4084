/*
 * What the layer above asks of a connection as a whole: OPEN, CLOSE, ABORT, STATUS
 * (RFC 9293 3.9.1).  Bytes are in read.c and write.c.
 */
#include <errno.h>

#include "ip/ip.h"
#include "tcp/isn.h"
#include "tcp/tcp_impl.h"

/* ---- OPEN ---- */

/* A flow in TIME-WAIT may be succeeded when its old segments would fail by their
 * timestamps (RFC 6191 2). */
static bool is_taken(void *ctx, const struct flow *f)
{
	struct tcp *tcp = ctx;
	uint32_t id = timewait_find(tcp->timewait, f);
	struct tw tw;

	if (id == TIMEWAIT_NONE)
		return tcp_table_taken(tcp, f);
	timewait_get(tcp->timewait, id, &tw);
	return !tw.timestamps || !tcp->conf.timestamps;
}

static int choose_local(struct tcp *tcp, struct flow *f)
{
	if (f->local.family == ADDR_NONE) {
		int err = ip_source(tcp->ip, &f->remote, &f->local);

		if (err)
			return err;
	} else if (!ip_is_ours(tcp->ip, &f->local)) {
		return -EADDRNOTAVAIL;
	}
	if (!ip_path_mtu(tcp->ip, &f->remote))
		return -ENETUNREACH;
	if (f->local_port)
		return is_taken(tcp, f) ? -EADDRINUSE : 0;
	return lport_choose(&tcp->lport, f, is_taken, tcp);
}

/* Our first number; behind all of the connection in TIME-WAIT that it succeeds. */
static struct seq first_number(struct tcp *tcp, const struct flow *f, uint64_t now_ns)
{
	uint32_t id = timewait_find(tcp->timewait, f);
	struct seq iss = isn_new(tcp->key, f, now_ns);
	struct tw tw;

	if (id == TIMEWAIT_NONE)
		return iss;
	timewait_get(tcp->timewait, id, &tw);
	timewait_del(tcp->timewait, id);
	tcp->stats.time_wait_reused++;
	return seq_max(iss, seq_add(tw.snd_nxt, UINT16_MAX + 2));
}

int tcp_connect(struct tcp *tcp, const struct flow *flow, void *user, uint64_t now_ns,
		struct tcp_conn **conn)
{
	struct flow f = *flow;
	int err = choose_local(tcp, &f);
	struct tcp_conn *c;

	if (err)
		return err;
	tcp->now_ns = now_ns;
	c = tcp_conn_new(tcp, &f, &tcp->opts);
	if (!c)
		return -ENOMEM;
	if (tcp_table_add(c)) {
		list_push(&tcp->grave, &c->speak);
		return -ENOMEM;
	}
	c->snd_una = c->snd_nxt = first_number(tcp, &f, now_ns);
	c->owned = true;
	c->user = user;
	c->syn_due = true;
	tcp->stats.active_open++;
	tcp_enter(c, TCP_SYN_SENT, now_ns);
	tcp_conn_speak(c);
	*conn = c;
	return 0;
}

void *tcp_conn_user(const struct tcp_conn *c)
{
	return c->user;
}

void tcp_conn_set_user(struct tcp_conn *c, void *user)
{
	c->user = user;
}

/* ---- STATUS ---- */

unsigned tcp_conn_news(const struct tcp_conn *c)
{
	bool closed = c->state == TCP_CLOSED;
	unsigned news = 0;

	if (tcp_recv_ready(c) || c->fin_in || c->rcv_shut || closed)
		news |= TCP_READABLE;
	if (tcp_send_is_writable(c))
		news |= TCP_WRITABLE;
	if (c->was_connected)
		news |= TCP_CONNECTED;
	if (c->fin_in)
		news |= TCP_PEER_CLOSED;
	if (c->error)
		news |= TCP_FAILED;
	if (closed || (c->fin_in && c->fin_wanted))
		news |= TCP_FINISHED;
	if (c->x && (c->x->rcv_urgent == TCP_URGENT_ANNOUNCED ||
		     c->x->rcv_urgent == TCP_URGENT_PASSED))
		news |= TCP_URGENT;
	return news;
}

int tcp_error(const struct tcp_conn *c)
{
	return c->error;
}

int tcp_take_error(struct tcp_conn *c)
{
	if (c->error_told)
		return 0;
	c->error_told = c->error != 0;
	return c->error;
}

/* ---- CLOSE ---- */

int tcp_shutdown_send(struct tcp *tcp, struct tcp_conn *c)
{
	switch ((enum tcp_state)c->state) {
	case TCP_SYN_RECEIVED:
		/* RFC 9293 3.10.4: it waits until we are established */
		c->fin_wanted = true;
		return 0;
	case TCP_ESTABLISHED:
		c->fin_wanted = true;
		tcp_enter(c, TCP_FIN_WAIT_1, tcp->now_ns);
		break;
	case TCP_CLOSE_WAIT:
		c->fin_wanted = true;
		tcp_enter(c, TCP_LAST_ACK, tcp->now_ns);
		break;
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT: return 0;
	case TCP_CLOSED:
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_N_STATES: return -ENOTCONN;
	}
	if (c->x)
		c->x->more = false;
	tcp_conn_tell(c);
	tcp_conn_speak(c);
	return 0;
}

void tcp_shutdown_recv(struct tcp *tcp, struct tcp_conn *c)
{
	(void)tcp;
	c->rcv_shut = true;
	tcp_conn_tell(c);
	tcp_conn_speak(c);
}

/* The layer above knows it no more. */
static void disown(struct tcp_conn *c)
{
	c->owned = false;
	c->on_ready = false;
	c->user = NULL;
	list_remove(&c->ready);
	/* What fills the holes will be refused. */
	if (c->x)
		tcp_early_drop(c->tcp, c->x);
	/* It ended before: nothing else will free it. */
	if (c->state == TCP_CLOSED)
		list_push(&c->tcp->grave, &c->speak);
}

void tcp_close(struct tcp *tcp, struct tcp_conn *c, uint64_t now_ns)
{
	tcp->now_ns = now_ns;
	disown(c);
	switch ((enum tcp_state)c->state) {
	case TCP_CLOSED: return;
	case TCP_SYN_SENT:
	case TCP_TIME_WAIT: tcp_enter(c, TCP_CLOSED, now_ns); return;
	case TCP_LISTEN:
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_N_STATES: break;
	}
	/* RFC 2525 2.17: the peer must not believe that its data was read */
	if (tcp_conn_rcvq_len(c) || c->opts.linger_ms == 0) {
		tcp_conn_reset(c, 0, now_ns);
		return;
	}
	tcp_shutdown_send(tcp, c);
	tcp_conn_speak(c);
	tcp_orphan_add(c, now_ns);
}

void tcp_abort(struct tcp *tcp, struct tcp_conn *c, uint64_t now_ns)
{
	tcp->now_ns = now_ns;
	disown(c);
	tcp_conn_reset(c, 0, now_ns);
}
