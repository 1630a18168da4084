/*
 * The inside of an io, for apps/lib and its tests.
 *
 *   CONNECTING --connected--> OPEN --io_close--> DRAINING --all sent, FIN--> DISCARDING
 *       |                      |                    |                           |
 *       +------error-----------+                 error, too slow      FIN, error, enough
 *       |                      |                    |                           |
 *       v                      v                    |                           |
 *     FAILED <-----------------+                    v                           v
 *       +-------------------io_close, io_abort---> DEAD (freed in the next turn)
 *
 * io_enter() walks every arrow.  Memory goes only in DEAD and only from the net's own
 * loop, so no function that a handler may call frees the io under it.
 */
#pragma once

#include "apps/lib/io.h"
#include "apps/lib/net_impl.h"

enum {
	IO_CHUNK_LEN = 1024, /* least bytes of a piece of copied output */
	IO_IOV_MAX = 16,     /* pieces in one write */
	IO_READS_MAX = 4,    /* of IO_IN_MAX each, in one turn, before others' turn */
};

enum io_state {
	IO_CONN_CONNECTING,
	IO_CONN_OPEN,
	IO_CONN_FAILED,
	IO_CONN_DRAINING,
	IO_CONN_DISCARDING,
	IO_CONN_DEAD,
};

/* A piece of output: copied into @room, or lent until @done. */
struct io_tls;

struct io_chunk {
	struct io_chunk *next;
	const uint8_t *p; /* unsent */
	size_t len;
	size_t room_len; /* of @room; 0: lent */
	void (*done)(void *arg);
	void *arg;
	uint8_t room[];
};

struct io {
	struct net_end end; /* first: news are about this */
	uint8_t state;	    /* enum io_state */
	bool eof;	    /* the peer's FIN was read */
	bool eof_told, error_told;
	bool starved;	/* the reader asked for more than there is */
	bool is_left;	/* the handler was not told of the input that is there */
	bool held;	/* io_line() said 0 because of IO_OUT_HIGH */
	bool want_room; /* io_room() was 0 */
	bool excess;
	bool in_lent; /* @in is the net's scratch */
	int error;
	struct net *net;
	struct net_listener *listener; /* NULL: we connected */
	struct list all, todo;	       /* in net->ios; net->todo or none */
	struct list closing;	       /* in listener->closing, or none */
	struct net_timer deadline;     /* the owner's; ours once it closed */
	io_handler *handler;
	void *arg;

	uint8_t *in; /* NULL: nothing unread */
	uint32_t in_cap, in_at, in_len;
	uint32_t in_seen; /* of in_len: known to hold neither CR nor LF */
	uint32_t n_discarded;

	struct io_chunk *out, *out_last;
	size_t out_len;
	struct net_where peer;
	struct io_tls *tls; /* NULL: in clear */
};

/* A new io on @net: accepted, or about to connect.  NULL: no memory. */
struct io *io_new(struct net *net, struct net_listener *listener, enum io_state state,
		  const struct net_where *peer);
void io_enter(struct io *io, enum io_state state);
/* The connection is dead; the owner will be told. */
void io_fail(struct io *io, int error);
/* Has the net look at @io in this turn, or the next. */
void io_touch(struct io *io);
/* Does what there is to do; may free @io. */
void io_work(struct io *io);
/* At once, with no event, from wherever it is: for net_fini(). */
void io_free(struct io *io);

/* Reads once.  True: there is more unread input than before. */
bool io_in_fill(struct io *io);
/* Reads and forgets.  True: the peer may go on. */
bool io_in_discard(struct io *io);
/* The scratch goes back to the net, what was not consumed into a buffer of its own. */
void io_in_settle(struct io *io);
void io_in_free(struct io *io);
/* True when reading would do something. */
bool io_in_open(const struct io *io);

/* Writes as much as the network takes. */
void io_out_flush(struct io *io);
/* One write, of at most @limit bytes, past TLS.  False: no more now. */
bool io_out_some(struct io *io, size_t limit);
/* Forgets what is queued; lenders are told. */
void io_out_free(struct io *io);

/* io_tls.c.  For an io with TLS only, but for io_tls_free() and io_tls_news(). */

/* Sends what is to leave in clear, and shakes hands.  True: they are shaken. */
bool io_tls_up(struct io *io);
/* True once, when they are. */
bool io_tls_news(struct io *io);
/* True when reading would do something. */
bool io_tls_in_open(const struct io *io);
/* As ops->recv and ops->writev; they keep io->end.ready themselves. */
ssize_t io_tls_recv(struct io *io, void *bytes, size_t len);
ssize_t io_tls_write(struct io *io, const struct iovec *iov, int n_iov);
/* Says that we write no more. */
void io_tls_finish(struct io *io);
void io_tls_free(struct io *io);
