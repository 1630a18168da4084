#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "ip/ip.h"
#include "stack/api/sock.h"
#include "stack/api/zc.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tcp/tcp.h"
#include "tests/sim/chaos.h"

enum { CHUNK_MAX = 20000, REFUSED_PORT = 9, BOTH_PORT = 20000 };

char chaos_byte(const struct chaos_end *e, uint32_t i)
{
	return (char)((e->salt * (i + 1)) >> 24 ^ i);
}

static unsigned host_of(const struct chaos_end *e)
{
	return e->side ? e->st->to : e->st->from;
}

static struct chaos_end *other(const struct chaos_end *e)
{
	return &e->st->end[!e->side];
}

static uint16_t port_of(const struct chaos_stream *st)
{
	if (st->refused)
		return REFUSED_PORT;
	return (uint16_t)(st->both_connect ? BOTH_PORT + 2 * st->number + 1 :
					     CHAOS_PORT + st->number % CHAOS_LISTENERS);
}

/* ---- what they will do ---- */

static uint32_t any_len(struct rng *r)
{
	static const uint32_t most[] = { 2, 100, 1500, 10000, 60000 };

	return rng_below(r, most[rng_below(r, 5)]);
}

static void draw_end(struct chaos *w, struct chaos_stream *st, unsigned side)
{
	struct rng *r = &w->rng;
	struct chaos_end *e = &st->end[side];

	*e = (struct chaos_end){
		.st = st,
		.side = side,
		.s = -1,
		.len = any_len(r),
		.salt = rng_u64(r) | 1,
		.write_max = 1 + rng_below(r, rng_below(r, 3) ? CHUNK_MAX : 200),
		.read_max = 1 + rng_below(r, rng_below(r, 3) ? CHUNK_MAX : 500),
		.early = UINT32_MAX,
		.idle = rng_below(r, 3) ? 0 : rng_below(r, 50) / 100.0,
		.linger_s = -1,
		.urgent = rng_below(r, 12) == 0,
		.zero_copy = rng_below(r, 5) == 0,
		.more = rng_below(r, 5) == 0,
	};
	e->idle_ns = (rng_below(r, 4) ? NS_PER_MS : NS_PER_S) * (1 + rng_below(r, 1000));
	if (rng_below(r, 12) == 0) /* windows stay shut for hours */
		e->idle_ns = NS_PER_S * (1 + rng_below(r, 3 * 3600));
	if (st->rude && rng_below(r, 2))
		e->early = rng_below(r, 30000);
	if (st->rude && rng_below(r, 3) == 0)
		e->linger_s = (int)rng_below(r, 3);
}

static void draw_rounds(struct chaos *w, struct chaos_stream *st)
{
	uint32_t n = 1 + rng_below(&w->rng, 30);

	for (unsigned i = 0; i < 2; i++) {
		st->round[i] = 1 + rng_below(&w->rng, 3000);
		st->end[i].len = n * st->round[i];
	}
}

void chaos_apps_draw(struct chaos *w)
{
	struct rng *r = &w->rng;

	w->n_streams = 1 + rng_below(r, rng_below(r, 6) ? 4 : CHAOS_STREAMS_MAX);
	w->fumble = rng_below(r, 2) ? rng_below(r, 20) / 100.0 : 0;
	for (unsigned i = 0; i < w->n_streams; i++) {
		struct chaos_stream *st = &w->streams[i];

		*st = (struct chaos_stream){ .w = w, .number = i };
		st->from = rng_below(r, w->n_hosts);
		st->to = (st->from + 1 + rng_below(r, w->n_hosts - 1)) % w->n_hosts;
		if (rng_below(r, 20) == 0)
			st->to = st->from;
		st->start_ns = rng_below(r, 3) ? 0 : NS_PER_MS * rng_below(r, 20000);
		st->rude = rng_below(r, 3) == 0;
		st->refused = rng_below(r, 20) == 0;
		st->both_connect = rng_below(r, 12) == 0 && st->from != st->to;
		st->fastopen = w->fastopen && rng_below(r, 2);
		for (unsigned k = 0; k < 2; k++)
			draw_end(w, st, k);
		if (rng_below(r, 4) == 0)
			draw_rounds(w, st);
	}
}

/* ---- what went wrong ---- */

static void close_end(struct chaos_end *e)
{
	struct chaos *w = e->st->w;

	if (e->s >= 0)
		pb_close(e->s);
	e->s = -1;
	e->closed = true;
	w->bytes += e->got;
}

void chaos_told(struct chaos_end *e, const char *call, int error)
{
	struct chaos_stream *st = e->st;
	struct chaos *w = st->w;
	/* Who closes before the peer is through resets what still comes. */
	bool excused = w->rough || st->rude || st->refused || e->read_shut ||
		       other(e)->read_shut;

	w->n_errors++;
	if (!excused)
		CHAOS_FAIL(w,
			   "stream %u side %u: %s: %s after %u bytes sent, %u of %u read",
			   st->number, e->side, call, strerror(error), e->sent, e->got,
			   other(e)->sent);
	e->error = error;
	close_end(e);
}

bool chaos_is_wait(int error)
{
	return error == EAGAIN || error == ENOTCONN || error == EINPROGRESS;
}

/* ---- to begin ---- */

static void connect_end(struct chaos_end *e, uint16_t local, unsigned to, uint16_t port)
{
	struct chaos_stream *st = e->st;
	struct chaos *w = st->w;
	struct sockaddr_storage at, me;
	socklen_t len = chaos_addr(w, to, port, &at);
	int family = w->family == 4 ? AF_INET : AF_INET6, r;
	char bytes[CHUNK_MAX];

	e->s = pb_socket(family, SOCK_STREAM, 0);
	if (e->s < 0) {
		chaos_told(e, "socket", errno);
		return;
	}
	chaos_options(w, e);
	chaos_addr(w, host_of(e), local, &me);
	if (local && pb_bind(e->s, (struct sockaddr *)&me, len)) {
		chaos_told(e, "bind", errno);
		return;
	}
	if (st->fastopen && e->len && e->side == 0 && !st->round[0]) {
		uint32_t n = e->len < e->write_max ? e->len : e->write_max;

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = chaos_byte(e, i);
		r = (int)pb_sendto(e->s, bytes, n, MSG_FASTOPEN, (struct sockaddr *)&at,
				   len);
		e->sent += r > 0 ? (uint32_t)r : 0;
	} else {
		r = pb_connect(e->s, (struct sockaddr *)&at, len);
	}
	if (r < 0 && errno != EINPROGRESS)
		chaos_told(e, "connect", errno);
}

static uint16_t port_in(const struct sockaddr_storage *ss)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (ss->ss_family == AF_INET) {
		memcpy(&in, ss, sizeof(in));
		return ntohs(in.sin_port);
	}
	memcpy(&in6, ss, sizeof(in6));
	return ntohs(in6.sin6_port);
}

static void begin_stream(struct chaos_stream *st)
{
	struct chaos_end *e = &st->end[0];
	struct sockaddr_storage me;
	socklen_t len = sizeof(me);

	st->begun = true;
	connect_end(e, st->both_connect ? (uint16_t)(BOTH_PORT + 2 * st->number) : 0,
		    st->to, port_of(st));
	if (e->s >= 0 && pb_getsockname(e->s, (struct sockaddr *)&me, &len) == 0)
		st->port = port_in(&me);
}

/* Which stream a new connection to @port is: by the host and the port it comes from. */
static struct chaos_stream *stream_of(struct chaos *w, unsigned host, uint16_t port,
				      const struct sockaddr_storage *peer)
{
	struct chaos_stream *found = NULL;
	struct sockaddr_storage at;

	for (unsigned i = 0; i < w->n_streams; i++) {
		struct chaos_stream *st = &w->streams[i];
		socklen_t len = chaos_addr(w, st->from, st->port, &at);

		if (st->begun && st->to == host && port_of(st) == port &&
		    st->port == port_in(peer) && !st->end[1].closed && st->end[1].s < 0 &&
		    !st->both_connect && !st->refused &&
		    (w->family == 6 || memcmp(&at, peer, len) == 0))
			/* A port comes again, when the one before is through. */
			found = !found || st->end[0].s >= 0 ? st : found;
	}
	return found;
}

static void accept_new(struct chaos *w, unsigned host, unsigned i)
{
	struct sockaddr_storage peer;
	struct chaos_stream *st;
	socklen_t len = sizeof(peer);
	int s;

	memset(&peer, 0, sizeof(peer));
	while ((s = pb_accept(w->listener[host][i], (struct sockaddr *)&peer, &len)) >=
	       0) {
		st = stream_of(w, host, (uint16_t)(CHAOS_PORT + i), &peer);
		if (st) {
			st->end[1].s = s;
		} else {
			/* RFC 7413 6.1: data of a SYN may come twice. */
			w->n_ghosts++;
			if (!w->fastopen)
				CHAOS_FAIL(w, "a connection that nobody made");
			pb_close(s);
		}
		len = sizeof(peer);
	}
}

/* ---- to write and to read ---- */

/* How much it may write now: where they take turns, no more than the peer asked for. */
static uint32_t may_write(const struct chaos_end *e)
{
	const struct chaos_stream *st = e->st;
	uint32_t left = e->len - e->sent, turns, most;

	if (st->round[0]) {
		turns = e->got / st->round[!e->side] + (e->side == 0);
		most = turns * st->round[e->side];
		most = most > e->sent ? most - e->sent : 0;
		left = left < most ? left : most;
	}
	return left < e->write_max ? left : e->write_max;
}

static ssize_t write_lent(struct chaos_end *e, uint32_t n)
{
	struct pb_zc zc;

	if (pb_zc_send_buf(e->s, &zc) != 1)
		return -1;
	n = n < zc.iov[0].iov_len ? n : (uint32_t)zc.iov[0].iov_len;
	for (uint32_t i = 0; i < n; i++)
		((char *)zc.iov[0].iov_base)[i] = chaos_byte(e, e->sent + i);
	return pb_zc_send_done(e->s, &zc, n) ? -1 : (ssize_t)n;
}

static bool write_some(struct chaos_end *e)
{
	struct chaos *w = e->st->w;
	uint32_t n = may_write(e);
	char bytes[CHUNK_MAX];
	int flags = 0;
	ssize_t r;

	if (e->shut || (!n && e->sent < e->len))
		return false;
	if (!n) {
		if (pb_shutdown(e->s, SHUT_WR) == 0)
			e->shut = true;
		else if (!chaos_is_wait(errno))
			chaos_told(e, "shutdown", errno);
		return false;
	}
	n = 1 + rng_below(&w->luck, n);
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = chaos_byte(e, e->sent + i);
	flags |= e->more && rng_below(&w->luck, 2) ? MSG_MORE : 0;
	flags |= e->urgent && rng_below(&w->luck, 8) == 0 ? MSG_OOB : 0;
	r = e->zero_copy && !flags ? write_lent(e, n) : pb_send(e->s, bytes, n, flags);
	if (r < 0 && !chaos_is_wait(errno))
		chaos_told(e, "send", errno);
	if (r <= 0)
		return false;
	e->sent += (uint32_t)r;
	return true;
}

static void take(struct chaos_end *e, const char *bytes, size_t n)
{
	struct chaos_end *o = other(e);
	struct chaos *w = e->st->w;

	for (size_t i = 0; i < n; i++, e->got++) {
		if (e->got < o->sent && bytes[i] == chaos_byte(o, e->got))
			continue;
		CHAOS_FAIL(w, "stream %u side %u: byte %u of %u is wrong", e->st->number,
			   e->side, e->got, o->sent);
		return;
	}
}

static ssize_t read_lent(struct chaos_end *e)
{
	struct pb_zc zc;
	ssize_t r = pb_zc_recv_buf(e->s, &zc);

	if (r != 1)
		return r;
	for (int i = 0; i < zc.n_iov; i++)
		take(e, zc.iov[i].iov_base, zc.iov[i].iov_len);
	r = (ssize_t)zc.len;
	pb_zc_recv_done(e->s, &zc);
	return r;
}

static void at_end(struct chaos_end *e)
{
	struct chaos_end *o = other(e);

	e->saw_eof = true;
	if (e->read_shut)
		return;
	if (e->got != o->sent || !(o->shut || o->closed))
		CHAOS_FAIL(e->st->w,
			   "stream %u side %u: end of stream after %u of %u bytes%s",
			   e->st->number, e->side, e->got, o->sent,
			   o->shut || o->closed ? "" : ", which goes on");
}

static bool read_some(struct chaos_end *e)
{
	struct chaos *w = e->st->w;
	char bytes[CHUNK_MAX];
	ssize_t r;

	if (e->saw_eof || e->s < 0)
		return false;
	if (e->zero_copy)
		r = read_lent(e);
	else
		r = pb_recv(e->s, bytes, 1 + rng_below(&w->luck, e->read_max), 0);
	if (r > 0 && !e->zero_copy)
		take(e, bytes, (size_t)r);
	if (r == 0)
		at_end(e);
	if (r < 0 && !chaos_is_wait(errno))
		chaos_told(e, "recv", errno);
	return r > 0;
}

/* ---- an end's turn ---- */

/* It came to its own end: true. */
static bool finish(struct chaos_end *e, uint64_t now_ns)
{
	struct chaos *w = e->st->w;
	struct linger l = { .l_onoff = 1 };
	socklen_t len = sizeof(int);
	int error = 0;

	/* It does not read any more, so nobody told it. */
	if (e->saw_eof)
		pb_getsockopt(e->s, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		chaos_told(e, "the end", error);
		return true;
	}
	/* What nobody owns has a minute to end; who cares stays until all arrived. */
	if (e->saw_eof && e->shut && (e->st->rude || pb_unacked(e->s) == 0)) {
		close_end(e);
		return true;
	}
	/* It reads no more, and the peer may still send: that one is reset. */
	if (e->got >= e->early) {
		close_end(e);
		return true;
	}
	/* Whose peer has gone without a word that arrived will wait for ever. */
	if (w->calm && now_ns > w->calm_ns + CHAOS_DEAF_S * NS_PER_S &&
	    (w->rough || e->st->rude || e->st->refused) &&
	    (other(e)->closed || other(e)->s < 0)) {
		pb_setsockopt(e->s, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		close_end(e);
		return true;
	}
	return false;
}

static void rest(struct chaos_end *e, uint64_t now_ns, bool again)
{
	struct chaos *w = e->st->w;
	uint64_t wake_ns = w->calm ? now_ns + 60 * NS_PER_S : UINT64_MAX;

	if (again)
		wake_ns = now_ns + 1 + rng_below(&w->luck, 50000);
	if (again && rng_chance(&w->luck, e->idle)) {
		e->wake_ns = now_ns + (w->calm ? NS_PER_MS : 0) +
			     (w->calm ? 0 : rng_u64(&w->luck) % e->idle_ns);
		wake_ns = e->wake_ns;
	}
	if (wake_ns != UINT64_MAX)
		host_wake(w->host[host_of(e)], wake_ns);
}

static void end_turn(struct chaos_end *e, uint64_t now_ns)
{
	struct chaos *w = e->st->w;
	bool again;

	if (e->s < 0)
		return;
	if (now_ns < e->wake_ns && !w->calm)
		return;
	if (w->fumble > 0 && rng_chance(&w->luck, w->fumble))
		chaos_fumble(w, e);
	if (e->s < 0)
		return;
	again = write_some(e);
	again |= read_some(e);
	if (e->s >= 0 && !finish(e, now_ns))
		rest(e, now_ns, again);
}

/* When the next of @host's streams begins, it has a turn. */
static void wake_next(struct chaos *w, unsigned host, uint64_t now_ns)
{
	for (unsigned i = 0; i < w->n_streams; i++) {
		const struct chaos_stream *st = &w->streams[i];
		bool wanted = (st->from == host && !st->begun) ||
			      (st->to == host && st->both_connect && !st->later);

		if (wanted)
			host_wake(w->host[host],
				  st->start_ns > now_ns ? st->start_ns : now_ns);
	}
}

static void begin_due(struct chaos *w, unsigned host, uint64_t now_ns)
{
	for (unsigned i = 0; i < w->n_streams; i++) {
		struct chaos_stream *st = &w->streams[i];

		if (st->start_ns > now_ns)
			continue;
		if (st->from == host && !st->begun)
			begin_stream(st);
		if (st->both_connect && st->to == host && !st->later) {
			st->later = true;
			connect_end(&st->end[1], port_of(st), st->from,
				    (uint16_t)(BOTH_PORT + 2 * st->number));
		}
	}
}

static void program(void *arg, uint64_t stack_ns)
{
	struct chaos_seat *seat = arg;
	struct chaos *w = seat->w;
	struct host *h = w->host[seat->host];
	uint64_t now_ns = pbsim_now(w->s);

	(void)stack_ns;
	tcp_check(h->core->tcp);
	if (w->over || w->why[0])
		return;
	begin_due(w, seat->host, now_ns);
	wake_next(w, seat->host, now_ns);
	for (unsigned i = 0; i < CHAOS_LISTENERS; i++)
		accept_new(w, seat->host, i);
	for (unsigned i = 0; i < w->n_streams; i++)
		for (unsigned k = 0; k < 2; k++)
			if (host_of(&w->streams[i].end[k]) == seat->host)
				end_turn(&w->streams[i].end[k], now_ns);
	tcp_check(h->core->tcp);
}

/* ---- all of them ---- */

static bool listen_at(struct chaos *w, unsigned host, unsigned i)
{
	int family = w->family == 4 ? AF_INET : AF_INET6;
	int s = pb_socket(family, SOCK_STREAM, 0), fo = 16, one = 1, defer = 3;
	struct sockaddr_storage at;
	socklen_t len = chaos_addr(w, host, (uint16_t)(CHAOS_PORT + i), &at);
	/* Where the network is rough, some handshakes find no place. */
	int backlog = w->rough && rng_below(&w->rng, 4) == 0 ? 1 : 64;

	w->listener[host][i] = s;
	pb_setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	pb_setsockopt(s, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	if (rng_below(&w->rng, 8) == 0 && w->rough)
		pb_setsockopt(s, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
	if (w->fastopen)
		pb_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &fo, sizeof(fo));
	return !pb_bind(s, (struct sockaddr *)&at, len) && !pb_listen(s, backlog);
}

bool chaos_apps_begin(struct chaos *w)
{
	for (unsigned i = 0; i < w->n_hosts; i++) {
		w->seat[i] = (struct chaos_seat){ .w = w, .host = i };
		host_use(w->host[i]);
		for (unsigned k = 0; k < CHAOS_LISTENERS; k++)
			if (!listen_at(w, i, k))
				CHAOS_FAIL(w, "cannot listen");
		if (pb_program_add(w->host[i]->core, program, &w->seat[i]))
			CHAOS_FAIL(w, "cannot run programs");
		wake_next(w, i, pbsim_now(w->s));
	}
	return !w->why[0];
}

static bool is_through(const struct chaos_stream *st)
{
	const struct chaos_end *a = &st->end[0], *b = &st->end[1];

	if (a->s >= 0 || b->s >= 0 || !st->begun)
		return false;
	/* A client that failed, or was too early gone, may never have been seen. */
	return a->closed && (b->closed || st->refused || st->rude || st->w->rough);
}

bool chaos_apps_are_through(const struct chaos *w)
{
	for (unsigned i = 0; i < w->n_streams; i++)
		if (!is_through(&w->streams[i]))
			return false;
	return true;
}

void chaos_apps_blame(struct chaos *w)
{

	for (unsigned i = 0; i < w->n_streams; i++) {
		const struct chaos_stream *st = &w->streams[i];

		if (!is_through(st))
			CHAOS_FAIL(
				w,
				"stream %u is stuck: %u of %u bytes read one way, %u of "
				"%u the other; sockets %d and %d",
				i, st->end[1].got, st->end[0].sent, st->end[0].got,
				st->end[1].sent, st->end[0].s, st->end[1].s);
	}
}
