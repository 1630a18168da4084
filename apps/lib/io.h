/*
 * A connection as services see it: lines and bytes in, text out, a deadline.
 *
 * An io belongs to whoever accepted or connected it, on its net's thread, until
 * io_close().  The handler is called when there is something new; it reads with
 * io_line() and io_bytes() until they say 0, and writes with io_write(), which never
 * blocks and never fails for want of room: what does not fit the network waits in
 * the io's own queue.  A writer of much asks io_room() and goes on at IO_ROOM.
 *
 * Input that nobody consumes stops the reading: the peer's window closes.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct io;
struct net;

enum {
	IO_IN_MAX = 64 * 1024,	  /* unread input an io holds */
	IO_OUT_HIGH = 256 * 1024, /* io_room() is 0 from here on */
};

enum io_event {
	IO_CONNECTED, /* net_connect() came through */
	IO_INPUT,     /* there may be more to read */
	IO_ROOM,      /* output went below half of IO_OUT_HIGH after io_room() was 0 */
	IO_DEADLINE,  /* io_deadline() passed */
	IO_EOF,	      /* the peer sends no more, and all it sent was read */
	IO_ERROR,     /* the connection is dead, see io_error() */
};

/* The handler may call io_close() on its io as its last act. */
typedef void io_handler(void *arg, struct io *io, enum io_event event);

void io_handle(struct io *io, io_handler *handler, void *arg);
struct net *io_net(const struct io *io);
/* errno, or 0. */
int io_error(const struct io *io);
/* "192.0.2.1:1234", of the peer and of our end. */
const char *io_peer(const struct io *io);
const char *io_local(const struct io *io);
/* Only the address of the peer, without port. */
const char *io_peer_addr(const struct io *io);
/* Accepted beyond the listener's limit. */
bool io_is_excess(const struct io *io);

/*
 * The unread input in one piece, at most IO_IN_MAX bytes; valid until the next call
 * on this io.  Take from it with io_consume().
 */
struct str io_peek(struct io *io);
void io_consume(struct io *io, size_t n);
/*
 * One line that ends in CRLF, without it; valid until the next call on this io.
 * 1: got one.  0: need more.  -EMSGSIZE: longer than @max with its CRLF.  -EILSEQ: a
 * bare CR or LF before the CRLF (the bytes stay; the caller decides).
 */
int io_line(struct io *io, size_t max, struct str *line);

void io_write(struct io *io, const void *bytes, size_t len);
void io_puts(struct io *io, const char *text);
void io_printf(struct io *io, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Writes @len bytes that stay where they are until @done is called with @arg (also when
 * the connection dies): a message mapped from the store.
 */
void io_write_ref(struct io *io, const void *bytes, size_t len, void (*done)(void *arg),
		  void *arg);
/* Bytes to write before it is time to wait for IO_ROOM. */
size_t io_room(const struct io *io);

/* IO_DEADLINE at @due_ns; UINT64_MAX: none.  One a connection. */
void io_deadline(struct io *io, uint64_t due_ns);
/* Sends what waits, says FIN, and forgets the handler; the peer's input is discarded
 * for a while so that the last words arrive (RFC 1122 4.2.2.13). */
void io_close(struct io *io);
/* RST. */
void io_abort(struct io *io);
