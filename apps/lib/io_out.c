/*
 * Output of a connection: a queue of pieces, copied or lent.
 *
 * Small writes gather in the last copied piece; io_out_flush() gives up to
 * IO_IOV_MAX pieces to the network in one call.  A lent piece is never copied by us.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/io_impl.h"

/* Not when the connection is dead or its owner closed it. */
static bool takes_output(const struct io *io)
{
	return io->state == IO_CONN_OPEN || io->state == IO_CONN_CONNECTING;
}

static void append(struct io *io, struct io_chunk *chunk)
{
	chunk->next = NULL;
	if (io->out)
		io->out_last->next = chunk;
	else
		io->out = chunk;
	io->out_last = chunk;
}

/* The last piece, when @len bytes can be copied behind it; or a new one. */
static struct io_chunk *chunk_for(struct io *io, size_t len)
{
	struct io_chunk *last = io->out_last;
	size_t room_len = len > IO_CHUNK_LEN ? len : IO_CHUNK_LEN;

	if (io->out && last->room_len > 0 &&
	    (size_t)(last->room + last->room_len - (last->p + last->len)) >= len)
		return last;
	last = malloc(sizeof(*last) + room_len);
	if (!last)
		return NULL;
	*last = (struct io_chunk){ .p = last->room, .room_len = room_len };
	append(io, last);
	return last;
}

void io_write(struct io *io, const void *bytes, size_t len)
{
	struct io_chunk *chunk;

	if (len == 0 || !takes_output(io))
		return;
	chunk = chunk_for(io, len);
	if (!chunk) {
		io_fail(io, ENOMEM);
		return;
	}
	memcpy(chunk->room + (chunk->p - chunk->room) + chunk->len, bytes, len);
	chunk->len += len;
	io->out_len += len;
	io_touch(io);
}

void io_puts(struct io *io, const char *text)
{
	io_write(io, text, strlen(text));
}

void io_printf(struct io *io, const char *format, ...)
{
	char text[IO_CHUNK_LEN];
	char *big = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < (int)sizeof(text)) {
		io_write(io, text, len > 0 ? (size_t)len : 0);
		return;
	}
	va_start(args, format);
	len = vasprintf(&big, format, args);
	va_end(args);
	if (len < 0) {
		io_fail(io, ENOMEM);
		return;
	}
	io_write(io, big, (size_t)len);
	free(big);
}

void io_write_ref(struct io *io, const void *bytes, size_t len, void (*done)(void *arg),
		  void *arg)
{
	struct io_chunk *chunk = NULL;

	if (len > 0 && takes_output(io)) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk)
			io_fail(io, ENOMEM);
	}
	if (!chunk) {
		done(arg);
		return;
	}
	*chunk = (struct io_chunk){ .p = bytes, .len = len, .done = done, .arg = arg };
	append(io, chunk);
	io->out_len += len;
	io_touch(io);
}

size_t io_out_len(const struct io *io)
{
	return io->out_len;
}

size_t io_room(struct io *io)
{
	if (io->out_len < IO_OUT_HIGH)
		return IO_OUT_HIGH - io->out_len;
	io->want_room = true;
	return 0;
}

static void drop_first(struct io *io)
{
	struct io_chunk *first = io->out;

	io->out = first->next;
	io->out_len -= first->len;
	if (first->done)
		first->done(first->arg);
	free(first);
}

/* @n bytes are the network's now. */
static void sent(struct io *io, size_t n)
{
	while (io->out && n >= io->out->len) {
		n -= io->out->len;
		drop_first(io);
	}
	if (n > 0) {
		io->out->p += n;
		io->out->len -= n;
		io->out_len -= n;
	}
}

/* The pieces in front, of @limit bytes at most; *n_iov of them.  How many bytes. */
static size_t front(const struct io *io, size_t limit, struct iovec iov[IO_IOV_MAX],
		    int *n_iov)
{
	const struct io_chunk *c = io->out;
	size_t all = 0;
	int n;

	for (n = 0; c && n < IO_IOV_MAX && all < limit; n++, c = c->next) {
		size_t len = c->len < limit - all ? c->len : limit - all;

		iov[n] = (struct iovec){ (void *)(uintptr_t)c->p, len };
		all += len;
	}
	*n_iov = n;
	return all;
}

bool io_out_some(struct io *io, size_t limit)
{
	struct iovec iov[IO_IOV_MAX] = { 0 };
	int n_iov;
	size_t asked = front(io, limit, iov, &n_iov);
	ssize_t n = io->end.ops->writev(io->net, io->end.s, iov, n_iov);

	if (n == -EAGAIN || (n >= 0 && (size_t)n < asked))
		io->end.ready &= (uint8_t)~NET_OUT;
	if (n < 0 && n != -EAGAIN)
		io_fail(io, (int)-n);
	else if (n > 0)
		sent(io, (size_t)n);
	return n > 0;
}

static bool tls_some(struct io *io)
{
	struct iovec iov[IO_IOV_MAX] = { 0 };
	ssize_t n;
	int n_iov;

	front(io, SIZE_MAX, iov, &n_iov);
	n = io_tls_write(io, iov, n_iov);
	if (n > 0)
		sent(io, (size_t)n);
	return n > 0;
}

void io_out_flush(struct io *io)
{
	if (io->tls && !io_tls_up(io))
		return;
	while (io->out && (io->end.ready & NET_OUT))
		if (!(io->tls ? tls_some(io) : io_out_some(io, SIZE_MAX)))
			return;
}

void io_out_free(struct io *io)
{
	while (io->out)
		drop_first(io);
}
