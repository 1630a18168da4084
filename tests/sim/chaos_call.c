#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>

#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/tcp_info.h"
#include "stack/base/check.h"
#include "tests/sim/chaos.h"

enum { ANY_MAX = 64, PEEK_MAX = 3000 };

/* Options that change how, and never what: with a value of any size. */
static const struct {
	int level, name, most;
} harmless[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 2 },
	{ IPPROTO_TCP, TCP_CORK, 2 },
	{ IPPROTO_TCP, TCP_MAXSEG, 2000 },
	{ IPPROTO_TCP, TCP_INQ, 2 },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, 100000 },
	{ IPPROTO_TCP, PB_TCP_L4S, 2 },
	{ IPPROTO_TCP, PB_TCP_ECN, 7 },
	{ SOL_SOCKET, SO_RCVBUF, 300000 },
	{ SOL_SOCKET, SO_SNDBUF, 300000 },
	{ SOL_SOCKET, SO_RCVLOWAT, 5000 },
	{ SOL_SOCKET, SO_TIMESTAMPING, 1 << 15 },
	{ SOL_SOCKET, SO_ZEROCOPY, 2 },
	{ IPPROTO_IP, IP_TOS, 256 },
};

/* Those that may end a connection. */
static const struct {
	int level, name, most;
} harmful[] = {
	{ SOL_SOCKET, SO_KEEPALIVE, 2 },	  { IPPROTO_TCP, TCP_KEEPIDLE, 100 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 20 },	  { IPPROTO_TCP, TCP_KEEPCNT, 5 },
	{ IPPROTO_TCP, TCP_SYNCNT, 6 },		  { IPPROTO_IP, IP_TTL, 256 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
};

static void set_int(int s, int level, int name, int value)
{
	pb_setsockopt(s, level, name, &value, sizeof(value));
}

static void set_any(struct chaos *w, struct chaos_end *e)
{
	static const char *const cc[] = { "reno", "cubic", "bbr", "dctcp", "none" };
	unsigned i = rng_below(&w->luck, ARRAY_LEN(harmless) + 1);
	const char *name = cc[rng_below(&w->luck, ARRAY_LEN(cc))];

	if (e->st->rude && rng_below(&w->luck, 3) == 0) {
		i = rng_below(&w->luck, ARRAY_LEN(harmful));
		set_int(e->s, harmful[i].level, harmful[i].name,
			(int)rng_below(&w->luck, (uint32_t)harmful[i].most));
		return;
	}
	if (i < ARRAY_LEN(harmless))
		set_int(e->s, harmless[i].level, harmless[i].name,
			(int)rng_below(&w->luck, (uint32_t)harmless[i].most + 1) - 1);
	else
		pb_setsockopt(e->s, IPPROTO_TCP, TCP_CONGESTION, name,
			      (socklen_t)strlen(name));
}

void chaos_options(struct chaos *w, struct chaos_end *e)
{
	struct linger l = { .l_onoff = e->linger_s >= 0, .l_linger = e->linger_s };

	set_int(e->s, SOL_SOCKET, SO_OOBINLINE, 1);
	set_int(e->s, SOL_SOCKET, SO_REUSEADDR, 1);
	if (e->linger_s >= 0)
		pb_setsockopt(e->s, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	for (unsigned i = rng_below(&w->luck, 4); i; i--)
		set_any(w, e);
}

/* ---- calls ---- */

static void get_any(struct chaos *w, struct chaos_end *e)
{
	static const int levels[] = { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6 };
	int level = levels[rng_below(&w->luck, 4)], name, error = 0;
	uint8_t bytes[256];
	socklen_t len = rng_below(&w->luck, sizeof(bytes));

	name = (int)rng_below(&w->luck, ANY_MAX);
	if (level == SOL_SOCKET && name == SO_ERROR) {
		len = sizeof(error);
		if (pb_getsockopt(e->s, level, name, &error, &len) == 0 && error)
			chaos_told(e, "SO_ERROR", error);
		return;
	}
	pb_getsockopt(e->s, level, name, bytes, &len);
}

static void look(struct chaos *w, struct chaos_end *e)
{
	struct sockaddr_storage ss;
	struct pb_tcp_info info;
	socklen_t len = rng_below(&w->luck, sizeof(ss));

	pb_tcp_info(e->s, &info);
	pb_getsockname(e->s, (struct sockaddr *)&ss, &len);
	len = sizeof(ss);
	pb_getpeername(e->s, (struct sockaddr *)&ss, &len);
	pb_readable(e->s);
	pb_writable(e->s);
	pb_unacked(e->s);
}

static void peek(struct chaos *w, struct chaos_end *e)
{
	const struct chaos_end *o = &e->st->end[!e->side];
	char bytes[PEEK_MAX];
	ssize_t n = e->saw_eof ? 0 : pb_recv(e->s, bytes, sizeof(bytes), MSG_PEEK);

	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] != chaos_byte(o, e->got + (uint32_t)i))
			CHAOS_FAIL(w, "stream %u: peeked byte %u is wrong", e->st->number,
				   e->got + (uint32_t)i);
	if (n < 0 && !chaos_is_wait(errno))
		chaos_told(e, "peek", errno);
}

/* What may not be done with it is not done. */
static void wrong(struct chaos *w, struct chaos_end *e)
{
	struct sockaddr_storage at;
	socklen_t len = chaos_addr(w, 0, 1, &at);
	int other = (int)rng_below(&w->luck, 200000) - 1000;
	char byte = 0;

	if (pb_listen(e->s, 3) == 0 || pb_bind(e->s, (struct sockaddr *)&at, len) == 0 ||
	    pb_accept(e->s, NULL, NULL) >= 0 || pb_shutdown(e->s, 99) == 0)
		CHAOS_FAIL(w, "stream %u: a wrong call was right", e->st->number);
	/* What is somebody's number is left alone. */
	if (other > 100 || other < 0)
		if (pb_send(other, &byte, 1, 0) >= 0 ||
		    pb_recv(other, &byte, 1, 0) >= 0 || pb_close(other) == 0)
			CHAOS_FAIL(w, "socket %d is none", other);
	pb_send(e->s, &byte, 1, 1 << 28);
	pb_setsockopt(e->s, (int)rng_below(&w->luck, 300), 1000, &other, sizeof(other));
	pb_setsockopt(e->s, IPPROTO_TCP, TCP_NODELAY, &byte,
		      rng_below(&w->luck, sizeof(int)));
	if (!e->shut && pb_send(e->s, &byte, 0, 0) < 0 && !chaos_is_wait(errno))
		chaos_told(e, "send of nothing", errno);
}

static void wait_for(struct chaos *w, struct chaos_end *e)
{
	struct pb_ready *set = pb_ready_new();
	struct pb_event event;

	(void)w;
	if (!set)
		return;
	pb_ready_add(set, e->s, PB_READY_IN | PB_READY_OUT, e);
	pb_ready_wait(set, &event, 1);
	pb_ready_mod(set, e->s, PB_READY_EDGE | PB_READY_IN, e);
	pb_ready_wait(set, &event, 1);
	if (rng_below(&w->luck, 2))
		pb_ready_del(set, e->s);
	pb_ready_free(set);
}

static void datagram(struct chaos *w, struct chaos_end *e)
{
	int s = pb_socket(w->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_storage at;
	socklen_t len = chaos_addr(w, e->side ? e->st->from : e->st->to,
				   (uint16_t)(1 + rng_below(&w->luck, 9000)), &at);
	char bytes[2000] = { 0 };

	if (s < 0)
		return;
	pb_sendto(s, bytes, rng_below(&w->luck, sizeof(bytes)), 0, (struct sockaddr *)&at,
		  len);
	pb_recv(s, bytes, sizeof(bytes), 0);
	pb_close(s);
}

static void reports(struct chaos *w, struct chaos_end *e)
{
	char bytes[16], room[256];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = rng_below(&w->luck, sizeof(room)) };

	pb_recvmsg(e->s, &m, MSG_ERRQUEUE);
}

void chaos_fumble(struct chaos *w, struct chaos_end *e)
{
	static void (*const calls[])(struct chaos * w, struct chaos_end * e) = {
		set_any, get_any, look, peek, wrong, wait_for, datagram, reports,
	};

	w->n_calls++;
	calls[rng_below(&w->luck, ARRAY_LEN(calls))](w, e);
}
