/*
 * A connection as services see it: lines and bytes in, text out, a deadline.
 *
 * An io belongs to whoever accepted or connected it, on its net's thread, until
 * io_close().  The handler is called when there is something new; it reads with
 * io_line() and io_peek() until they give nothing, and writes with io_write(), which
 * never blocks and never fails for want of room: what does not fit the network waits
 * in the io's own queue, and leaves together at the end of the turn.  A writer of
 * much asks io_room() and goes on at IO_ROOM.
 *
 * A service that is not ready for more (it waits for a commit) leaves the input where
 * it is and reads on later, from wherever it learns that it can.  Input that nobody
 * consumes stops the reading: the peer's window closes.  So does output that the peer
 * does not read.  An io with nothing to read or write owns no buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct io;
struct net;

enum {
	IO_IN_MAX = 64 * 1024,	  /* unread input an io holds */
	IO_OUT_HIGH = 256 * 1024, /* io_room() is 0 from here on, and no input is read */
	IO_DRAIN_MS = 60000,	  /* after io_close(): until the peer reads more, */
	IO_DISCARD_MS = 3000,	  /* and how long it may go on sending */
	IO_DISCARD_MAX = 4 << 20, /* ... and so many bytes */
};

enum io_event {
	IO_CONNECTED, /* net_connect() came through */
	IO_INPUT,     /* there may be more to read */
	IO_SECURE,    /* io_tls_server() or io_tls_client() came through, see tls.h */
	IO_ROOM,      /* output went below half of IO_OUT_HIGH after io_room() was 0 */
	IO_DEADLINE,  /* io_deadline() passed */
	IO_EOF,	      /* the peer sends no more; all it sent was read, but for what the
			 reader left when it asked for more: io_line() said 0, or io_peek()
			 was called and nothing consumed */
	IO_ERROR,     /* the connection is dead, see io_error(); the last event */
};

/* The handler may call io_close() or io_abort(), on any io. */
typedef void io_handler(void *arg, struct io *io, enum io_event event);

/* Who gets the io from another is told of the input that is there. */
void io_handle(struct io *io, io_handler *handler, void *arg);
struct net *io_net(const struct io *io);
/* errno, or 0. */
int io_error(const struct io *io);
/* "192.0.2.1:1234", of the peer and of our end; of a local socket "uid:1000": text that is
 * valid until the function is called again, on any io of the net. */
const char *io_peer(const struct io *io);
const char *io_local(const struct io *io);
/* Only the address of the peer, without port. */
const char *io_peer_addr(const struct io *io);
/* Of a local socket: who the peer was when it connected.  0; -EOPNOTSUPP: another. */
int io_peer_uid(const struct io *io, uint32_t *uid);
/* Bytes that wait: unread, and unsent. */
size_t io_in_len(const struct io *io);
size_t io_out_len(const struct io *io);
/* How much of its listener's limit is in use, in thousandths; 0 for one we connected. */
unsigned io_crowd(const struct io *io);
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
 * 1: got one.  0: need more, or IO_OUT_HIGH is reached: in either case IO_INPUT comes
 * when it is time to ask again.  -EMSGSIZE: longer than @max with its CRLF.  -EILSEQ: a
 * bare CR or LF before the CRLF.  With an error the bytes stay; the caller decides.
 */
int io_line(struct io *io, size_t max, struct str *line);

void io_write(struct io *io, const void *bytes, size_t len);
void io_puts(struct io *io, const char *text);
void io_printf(struct io *io, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Writes @len bytes that stay where they are until @done is called with @arg: when the
 * network has them, or when the connection dies.  On a dead one that is before
 * io_write_ref() returns.  @done must not touch the io.
 */
void io_write_ref(struct io *io, const void *bytes, size_t len, void (*done)(void *arg),
		  void *arg);
/* Bytes to write before it is time to wait for IO_ROOM. */
size_t io_room(struct io *io);

/* IO_DEADLINE at @due_ns; UINT64_MAX: none.  One a connection. */
void io_deadline(struct io *io, uint64_t due_ns);
/*
 * Sends what waits, says FIN, and forgets the handler.  The peer's input is then
 * discarded for a while: closing with unread input would send RST (RFC 1122 4.2.2.13),
 * which can overtake our last words and take them from the peer.
 */
void io_close(struct io *io);
/* RST. */
void io_abort(struct io *io);
