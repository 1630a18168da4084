/*
 * Calls of the socket API.  Ours never block; a script's do, unless its socket has
 * O_NONBLOCK: a call that would wait is written with the time when it is through, and
 * tried again whenever something happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "stack/api/sock.h"
#include "tests/lib/player_call.h"

enum { BYTES_MAX = 16 << 20 };

long player_bad(struct call *c, const char *what)
{
	c->bad = true;
	player_fail(c->p, "%s", what);
	return -1;
}

struct player_fd *player_fd(struct player *p, long number)
{
	if (number < 0 || number >= PLAYER_FDS || !p->fds[number].is_open)
		return NULL;
	return &p->fds[number];
}

long player_arg(struct call *c, unsigned i)
{
	long v = 0;

	if (i >= c->l.n_args || !player_number(&c->l.args[i], &v))
		player_bad(c, "an argument is not a number, and not the name of one");
	return v;
}

/* The number that the script gives a new socket stands behind the '='. */
static long new_fd(struct call *c, int s, bool nonblock)
{
	long number;

	if (s < 0)
		return -1;
	if (!player_number(&c->l.result, &number) || number < 0 || number >= PLAYER_FDS ||
	    c->p->fds[number].is_open) {
		pb_close(s);
		return player_bad(
			c, "a socket came, and has no number, or one that is taken");
	}
	c->p->fds[number] =
		(struct player_fd){ .s = s, .is_open = true, .nonblock = nonblock };
	return number;
}

/* ---- addresses ---- */

static socklen_t address(const struct player *p, bool ours, uint16_t port,
			 struct sockaddr_storage *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (p->family == SCRIPT_IP4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(ours ? INADDR_ANY : 0xc0000202);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	if (!ours)
		in6->sin6_addr =
			(struct in6_addr){ { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } };
	return sizeof(*in6);
}

/* "..." is peer 1, "peer2" another. */
static unsigned peer_arg(struct call *c, unsigned i)
{
	unsigned n = 1;

	if (i >= c->l.n_args)
		return 1;
	if (!player_arg_is(&c->l.args[i], "...") &&
	    (sscanf(c->l.args[i].p, "peer%u", &n) != 1 || n < 1 || n >= PLAYER_PEERS))
		player_bad(c, "an address is ... or peer2");
	return n;
}

static unsigned peer_of_socket(int s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (pb_getpeername(s, (struct sockaddr *)&sa, &len) < 0)
		return 0;
	/* The port stands at the same place in both families. */
	return (unsigned)ntohs(((struct sockaddr_in *)&sa)->sin_port) - PLAYER_PEER_PORT;
}

/* ---- life of a socket ---- */

static long do_socket(struct call *c)
{
	long type = player_arg(c, 1),
	     domain = c->p->family == SCRIPT_IP4 ? AF_INET : AF_INET6;
	long protocol = player_arg(c, 2);

	if (!player_arg_is(&c->l.args[0], "..."))
		domain = player_arg(c, 0);
	if (c->bad)
		return -1;
	return new_fd(c,
		      pb_socket((int)domain, (int)type & ~SOCK_NONBLOCK, (int)protocol),
		      type & SOCK_NONBLOCK);
}

static long do_bind(struct call *c)
{
	struct sockaddr_storage sa;
	socklen_t len = address(c->p, true, PLAYER_PORT, &sa);

	return pb_bind(c->fd->s, (struct sockaddr *)&sa, len);
}

static long do_listen(struct call *c)
{
	return pb_listen(c->fd->s, (int)player_arg(c, 1));
}

static long do_accept(struct call *c)
{
	int s = pb_accept(c->fd->s, NULL, NULL);
	long number = new_fd(c, s, false);

	if (number >= 0) {
		c->p->fds[number].peer = peer_of_socket(s);
		c->p->last_fd = (int)number;
	}
	return number;
}

static long do_connect(struct call *c)
{
	unsigned n = peer_arg(c, 1);
	struct sockaddr_storage sa;
	socklen_t len;

	if (c->bad)
		return -1;
	len = address(c->p, false, c->p->peers[n].port, &sa);
	/* To connect again tells how the first time ends. */
	if (c->state->begun) {
		pb_connect(c->fd->s, (struct sockaddr *)&sa, len);
		errno = errno == EALREADY ? EINPROGRESS : errno;
		return errno == EISCONN ? 0 : -1;
	}
	if (c->fd->peer != n)
		c->p->peers[n].fresh = true;
	c->fd->peer = n;
	c->p->last_fd = (int)(c->fd - c->p->fds);
	return pb_connect(c->fd->s, (struct sockaddr *)&sa, len);
}

static long do_close(struct call *c)
{
	c->fd->is_open = false;
	if (c->p->last_fd == c->fd - c->p->fds)
		c->p->last_fd = -1;
	return pb_close(c->fd->s);
}

static long do_shutdown(struct call *c)
{
	return pb_shutdown(c->fd->s, (int)player_arg(c, 1));
}

/* ---- bytes ---- */

/* All of it, as a call that blocks does; or what fits. */
static long send_some(struct call *c, long flags, const struct sockaddr *to,
		      socklen_t to_len)
{
	long len = player_arg(c, 2), done = c->state->done, n;
	uint8_t *bytes;

	if (c->bad || len < 0 || len > BYTES_MAX)
		return player_bad(c, "so many bytes cannot be written");
	bytes = malloc((size_t)len + 1);
	if (!bytes)
		return player_bad(c, "no memory");
	for (long i = done; i < len; i++)
		bytes[i] = player_byte(c->fd->n_written + (uint32_t)(i - done));
	n = pb_sendto(c->fd->s, bytes + done, (size_t)(len - done), (int)flags, to,
		      to_len);
	free(bytes);
	if (n > 0)
		c->fd->n_written += (uint32_t)n;
	if (n < 0 || c->fd->nonblock || flags & MSG_DONTWAIT)
		return n;
	c->state->done += n;
	if (c->state->done == len)
		return len;
	errno = EAGAIN;
	return -1;
}

static long do_write(struct call *c)
{
	return send_some(c, 0, NULL, 0);
}

static long do_send(struct call *c)
{
	return send_some(c, player_arg(c, 3), NULL, 0);
}

static long do_sendto(struct call *c)
{
	unsigned n = peer_arg(c, 4);
	struct sockaddr_storage sa;
	socklen_t len = address(c->p, false, c->p->peers[n].port, &sa);

	if (c->fd->peer != n)
		c->p->peers[n].fresh = true;
	c->fd->peer = n;
	return send_some(c, player_arg(c, 3), (struct sockaddr *)&sa, len);
}

/* What was read is the next part of the stream, without its urgent byte. */
static void check_read(struct call *c, const uint8_t *bytes, long n, bool peek)
{
	const struct player_peer *peer = &c->p->peers[c->fd->peer];
	uint32_t at = c->fd->n_read;

	for (long i = 0; i < n; i++, at++) {
		if (peer->urgent && !c->fd->oobinline && at == peer->urgent_at)
			at++;
		if (bytes[i] != player_byte(at)) {
			player_fail(c->p, "byte %ld of what was read is wrong", i);
			return;
		}
	}
	if (!peek)
		c->fd->n_read = at;
}

static long receive(struct call *c, long flags)
{
	const struct player_peer *peer = &c->p->peers[c->fd->peer];
	long len = player_arg(c, 2), n;
	uint8_t *bytes;

	if (c->bad || len < 0 || len > BYTES_MAX)
		return player_bad(c, "so many bytes cannot be read");
	bytes = malloc((size_t)len + 1);
	if (!bytes)
		return player_bad(c, "no memory");
	n = pb_recv(c->fd->s, bytes, (size_t)len, (int)flags);
	if (flags & MSG_OOB) {
		if (n == 1 && bytes[0] != player_byte(peer->urgent_at))
			player_fail(c->p, "the urgent byte is another one");
	} else if (n > 0 && !(flags & MSG_TRUNC)) {
		check_read(c, bytes, n, flags & MSG_PEEK);
	}
	free(bytes);
	return n;
}

static long do_read(struct call *c)
{
	return receive(c, 0);
}

static long do_recv(struct call *c)
{
	return receive(c, player_arg(c, 3));
}

/* ---- which call ---- */

static const struct {
	const char *name;
	bool has_fd;
	long (*call)(struct call *c);
} calls[] = {
	{ "socket", false, do_socket },
	{ "bind", true, do_bind },
	{ "listen", true, do_listen },
	{ "accept", true, do_accept },
	{ "connect", true, do_connect },
	{ "write", true, do_write },
	{ "send", true, do_send },
	{ "sendto", true, do_sendto },
	{ "read", true, do_read },
	{ "recv", true, do_recv },
	{ "close", true, do_close },
	{ "shutdown", true, do_shutdown },
	{ "setsockopt", true, player_do_setsockopt },
	{ "getsockopt", true, player_do_getsockopt },
	{ "fcntl", true, player_do_fcntl },
	{ "ioctl", true, player_do_ioctl },
	{ "poll", false, player_do_poll },
};

/* Tries the call once.  False: its words make no sense. */
static bool try_call(struct player *p, struct player_call *state)
{
	struct call c = { .p = p, .state = state };

	if (!player_line(p, state->event->text, &c.l))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (!player_arg_is(&c.l.name, calls[i].name))
			continue;
		if (calls[i].has_fd) {
			c.fd = player_fd(p, player_arg(&c, 0));
			if (!c.fd)
				return player_fail(p, "no such socket");
		}
		state->result = calls[i].call(&c);
		state->err = state->result < 0 ? errno : 0;
		state->begun = true;
		return !c.bad;
	}
	return player_fail(p, "no such call: %.*s", (int)c.l.name.len, c.l.name.p);
}

static bool would_wait(const struct player_call *c)
{
	return c->result < 0 && (c->err == EAGAIN || c->err == EINPROGRESS);
}

/* Is it what the script says? */
static bool check_result(struct player *p, const struct player_call *c)
{
	struct player_line l;
	long want, want_err = 0;

	player_line(p, c->event->text, &l);
	if (player_arg_is(&l.result, "..."))
		return true;
	if (!player_number(&l.result, &want))
		return player_fail(p, "a call returns a number");
	if (l.err.len && !player_number(&l.err, &want_err))
		return player_fail(p, "no such error: %.*s", (int)l.err.len, l.err.p);
	if (c->result == want && (want >= 0 || c->err == want_err))
		return true;
	if (c->result >= 0)
		return player_fail(p, "the call returned %ld, not %.*s", c->result,
				   (int)(l.result.len + (l.err.len ? l.err.len + 1 : 0)),
				   l.result.p);
	return player_fail(p, "the call failed with %s", player_errno_name(c->err));
}

static bool is_nonblock(struct player *p, const struct player_call *c)
{
	struct player_line l;
	struct player_fd *fd;
	long number;

	player_line(p, c->event->text, &l);
	if (l.n_args == 0 || !player_number(&l.args[0], &number))
		return true;
	fd = player_fd(p, number);
	return !fd || fd->nonblock || strstr(c->event->text, "MSG_DONTWAIT") ||
	       strstr(c->event->text, "MSG_OOB");
}

static struct player_call *free_wait(struct player *p)
{
	for (unsigned i = 0; i < PLAYER_WAITS; i++)
		if (!p->waits[i].event)
			return &p->waits[i];
	return NULL;
}

bool player_call(struct player *p, const struct script_event *e, uint64_t at_ns)
{
	struct player_call now = { .event = e, .at_ns = at_ns }, *wait;

	if (!try_call(p, &now))
		return false;
	if (!e->waits) {
		if (would_wait(&now) && !is_nonblock(p, &now))
			return player_fail(p, "the call would wait: write T...T, or set "
					      "O_NONBLOCK");
		return check_result(p, &now);
	}
	if (!would_wait(&now))
		return player_fail(p, "the call does not wait");
	wait = free_wait(p);
	if (!wait)
		return player_fail(p, "too many calls wait");
	now.until_ns = at_ns + (e->to_ns - e->from_ns);
	*wait = now;
	return true;
}

bool player_retry(struct player *p)
{
	const struct script_event *event = p->event;
	bool any = false;

	for (unsigned i = 0; i < PLAYER_WAITS; i++) {
		struct player_call *c = &p->waits[i];

		if (!c->event)
			continue;
		p->event = c->event;
		if (!try_call(p, c)) {
			c->event = NULL;
		} else if (!would_wait(c)) {
			if (p->now_ns < c->until_ns ||
			    p->now_ns > c->until_ns + p->tolerance_ns)
				player_fail(p, "the call was through at %.6f",
					    player_seconds(p, p->now_ns));
			else
				check_result(p, c);
			c->event = NULL;
			any = true;
		} else if (p->now_ns > c->until_ns + p->tolerance_ns) {
			player_fail(p, "the call still waits at %.6f",
				    player_seconds(p, p->now_ns));
			c->event = NULL;
		}
		p->event = event;
	}
	return any;
}

uint64_t player_wake(const struct player *p)
{
	uint64_t wake = UINT64_MAX;

	for (unsigned i = 0; i < PLAYER_WAITS; i++) {
		const struct player_call *c = &p->waits[i];

		if (c->event && c->wake_ns > p->now_ns && c->wake_ns < wake)
			wake = c->wake_ns;
	}
	return wake;
}

bool player_waits(struct player *p)
{
	for (unsigned i = 0; i < PLAYER_WAITS; i++) {
		if (!p->waits[i].event)
			continue;
		p->event = p->waits[i].event;
		p->waits[i].event = NULL;
		return player_fail(p, "the call waits at the end of the script");
	}
	return true;
}

void player_close_all(struct player *p)
{
	const struct linger reset = { .l_onoff = 1 };

	for (unsigned i = 0; i < PLAYER_FDS; i++) {
		struct player_fd *fd = &p->fds[i];

		if (!fd->is_open)
			continue;
		pb_setsockopt(fd->s, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		pb_close(fd->s);
		fd->is_open = false;
	}
}
