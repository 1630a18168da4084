/*
 * Input of a connection.
 *
 * Bytes are read into the net's scratch, which is lent to the io while its handler
 * runs.  Most handlers take all of it, and nothing was allocated; what is left moves
 * into a buffer of the io's own, which grows to IO_IN_MAX and goes when it is empty.
 *
 *	in          in_at                          in_cap
 *	 |  consumed  |  unread: in_len  |   room   |
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/io_impl.h"

enum { IN_LEAST = 512, IN_ROOM_LEAST = 2048 };

bool io_in_open(const struct io *io)
{
	bool ready = io->tls ? io_tls_in_open(io) : io->end.ready & NET_IN;

	return ready && !io->eof && io->in_len < IO_IN_MAX && io->out_len < IO_OUT_HIGH;
}

void io_in_free(struct io *io)
{
	if (!io->in_lent)
		free(io->in);
	io->in = NULL;
	io->in_lent = false;
	io->in_cap = io->in_at = io->in_len = io->in_seen = 0;
}

/* Room behind the unread bytes.  False: no memory. */
static bool make_room(struct io *io)
{
	uint32_t cap = io->in_cap;
	uint8_t *bigger;

	if (!io->in) {
		io->in = io->net->scratch;
		io->in_cap = IO_IN_MAX;
		io->in_lent = true;
		return true;
	}
	if (io->in_at > 0)
		memmove(io->in, io->in + io->in_at, io->in_len);
	io->in_at = 0;
	while (cap < IO_IN_MAX && cap - io->in_len < IN_ROOM_LEAST)
		cap *= 2;
	if (cap == io->in_cap)
		return true;
	bigger = realloc(io->in, cap);
	if (!bigger)
		return io->in_len < io->in_cap;
	io->in = bigger;
	io->in_cap = cap;
	return true;
}

/* What a read said.  Bytes read. */
static size_t after_read(struct io *io, ssize_t n, size_t asked)
{
	if (n > 0) {
		/* Edge-triggered: only an empty-handed or a short read may end it, and
		 * a short one not when an end or error stands behind the bytes. */
		if ((size_t)n < asked && !(io->end.ready & NET_END))
			io->end.ready &= (uint8_t)~NET_IN;
		return (size_t)n;
	}
	if (n == 0)
		io->eof = true;
	else if (n == -EAGAIN)
		io->end.ready &= (uint8_t)~NET_IN;
	else
		io_fail(io, (int)-n);
	return 0;
}

/* The same of TLS, which knows when to ask again, and fails by itself. */
static size_t after_tls_read(struct io *io, ssize_t n)
{
	io->eof |= n == 0;
	return n > 0 ? (size_t)n : 0;
}

bool io_in_fill(struct io *io)
{
	uint8_t *to;
	size_t room, n;

	if (!make_room(io)) {
		io_fail(io, ENOMEM);
		return false;
	}
	to = io->in + io->in_at + io->in_len;
	room = io->in_cap - io->in_at - io->in_len;
	n = io->tls ?
		    after_tls_read(io, io_tls_recv(io, to, room)) :
		    after_read(io, io->end.ops->recv(io->net, io->end.s, to, room), room);
	io->in_len += (uint32_t)n;
	if (n > 0)
		io->starved = false;
	return n > 0;
}

bool io_in_discard(struct io *io)
{
	io_in_free(io);
	while (io->end.ready & NET_IN) {
		size_t n = after_read(io,
				      io->end.ops->recv(io->net, io->end.s,
							io->net->scratch, IO_IN_MAX),
				      IO_IN_MAX);

		io->n_discarded += (uint32_t)n;
		if (io->eof || io->error || io->n_discarded > IO_DISCARD_MAX)
			return false;
	}
	return true;
}

void io_in_settle(struct io *io)
{
	uint8_t *own;
	uint32_t cap = IN_LEAST;

	if (!io->in)
		return;
	if (io->in_len == 0) {
		io_in_free(io);
		return;
	}
	if (!io->in_lent)
		return;
	while (cap < io->in_len)
		cap *= 2;
	own = malloc(cap);
	if (!own) {
		io_in_free(io);
		io_fail(io, ENOMEM);
		return;
	}
	memcpy(own, io->in + io->in_at, io->in_len);
	io->in = own;
	io->in_cap = cap;
	io->in_at = 0;
	io->in_lent = false;
}

/* The reader wants more than there is: if no more will come, it must be told. */
static void starve(struct io *io)
{
	io->starved = true;
	if (io->eof && !io->eof_told)
		io_touch(io);
}

size_t io_in_len(const struct io *io)
{
	return io->in_len;
}

struct str io_peek(struct io *io)
{
	starve(io);
	if (io->in_len == 0)
		return STR("");
	return (struct str){ (const char *)io->in + io->in_at, io->in_len };
}

void io_consume(struct io *io, size_t n)
{
	if (n > io->in_len)
		n = io->in_len;
	if (n == 0)
		return;
	io->starved = false;
	io->in_at += (uint32_t)n;
	io->in_len -= (uint32_t)n;
	io->in_seen = 0;
	/* Lent: we are in the handler, and io_work() looks again behind it. */
	if (!io->in_lent)
		io_touch(io);
}

/* How many unread bytes, from the front and of the first @limit, are neither CR nor
 * LF. */
static uint32_t plain_len(const struct io *io, uint32_t limit)
{
	const uint8_t *from = io->in + io->in_at + io->in_seen;
	size_t left = limit > io->in_seen ? limit - io->in_seen : 0;
	const uint8_t *lf = left > 0 ? memchr(from, '\n', left) : NULL;
	const uint8_t *cr;

	if (lf)
		left = (size_t)(lf - from);
	cr = left > 0 ? memchr(from, '\r', left) : NULL;
	if (cr)
		left = (size_t)(cr - from);
	return io->in_seen + (uint32_t)left;
}

int io_line(struct io *io, size_t max, struct str *line)
{
	const uint8_t *p;

	if (io->out_len >= IO_OUT_HIGH) {
		io->held = true;
		return 0;
	}
	if (io->in_len == 0) {
		starve(io);
		return 0;
	}
	p = io->in + io->in_at;
	io->in_seen = plain_len(io, max < io->in_len ? (uint32_t)max : io->in_len);
	/* The CRLF must fit behind, be it here yet or not: so the answer is the same
	 * however the bytes were cut. */
	if ((size_t)io->in_seen + 2 > max)
		return -EMSGSIZE;
	if (io->in_seen < io->in_len && p[io->in_seen] == '\n')
		return -EILSEQ;
	if (io->in_seen + 2 > io->in_len) {
		starve(io);
		return 0;
	}
	if (p[io->in_seen + 1] != '\n')
		return -EILSEQ;
	*line = (struct str){ (const char *)p, io->in_seen };
	io_consume(io, (size_t)io->in_seen + 2);
	return 1;
}
