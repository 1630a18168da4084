/*
 * TCP of one core, as the layer above sees it (RFC 9293).
 *
 * The socket layer opens, reads, writes and closes connections; the core loop
 * gives received segments to tcp_input(), lets connections speak once a turn with
 * tcp_speak(), and drains tcp_ready_pop() after the burst.  Everything runs on the
 * core that owns the struct tcp; the time is an argument.
 *
 * A connection belongs to the layer above from tcp_connect() or tcp_accept() to
 * tcp_close(); then TCP finishes it alone (FIN, TIME-WAIT) and frees it.  Until
 * tcp_close() it stays, even when it is dead, so that its error can be read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stack/base/addr.h"
#include "stack/base/verdict.h"
#include "tcp/tcp_stat.h"

struct hash_key;
struct ip;
struct pkt;
struct pkt_pool;
struct rng;
struct tcp;
struct tcp_conn;
struct tcp_listener;
struct tcp_opts;
struct trace;
struct wheel;

/* Bits of a connection's readiness, level: what is true now. */
enum tcp_news {
	TCP_READABLE = 1 << 0,	  /* data, or the peer's FIN, or an error */
	TCP_WRITABLE = 1 << 1,	  /* a third of what may be queued is free */
	TCP_CONNECTED = 1 << 2,	  /* SYN-SENT came to its good end */
	TCP_PEER_CLOSED = 1 << 3, /* FIN received */
	TCP_FAILED = 1 << 4,	  /* reset, timed out, refused: see tcp_error() */
	TCP_FINISHED = 1 << 5,	  /* both directions closed */
	TCP_URGENT = 1 << 6,	  /* urgent data announced */
};

enum { TCP_RECV_PIECES_MAX = 20 }; /* of what tcp_recv_pkt() lends, that hold bytes */

void tcp_conf_default(struct tcp_conf *conf);
/* 0, -ENOMEM, or -EINVAL.  Pointers are borrowed for its life; @conf is copied. */
int tcp_new(struct tcp **tcp, const struct tcp_conf *conf, struct ip *ip,
	    struct pkt_pool *pool, struct wheel *wheel, struct rng *rng,
	    const struct hash_key *key, struct trace *trace, uint64_t now_ns);
/* Drops everything without a word to anybody. */
void tcp_free(struct tcp *tcp);

/* ---- from the core loop ---- */

struct step tcp_input(struct tcp *tcp, struct pkt *p, uint64_t now_ns);
/* ICMP quotes a segment of ours: struct ip_quote in the cb. */
struct step tcp_error_input(struct tcp *tcp, struct pkt *p, uint64_t now_ns);
/* Every connection with something to say sends it: data, one ACK for a burst. */
void tcp_speak(struct tcp *tcp, uint64_t now_ns);
/* True when tcp_speak() has work. */
bool tcp_wants_to_speak(const struct tcp *tcp);
/* A connection with news, taken off the list; NULL: none. */
struct tcp_conn *tcp_ready_pop(struct tcp *tcp);
/* A listener with a connection to accept; NULL: none. */
struct tcp_listener *tcp_ready_listener_pop(struct tcp *tcp);

/* ---- for sockets ---- */

/*
 * Listens on @addr (all zeros: every address of its family; ADDR_NONE: of both) and
 * @port.  @backlog connections may wait for tcp_accept().  0, -EADDRINUSE, -ENOMEM.
 */
int tcp_listen(struct tcp *tcp, const struct addr *addr, uint16_t port, unsigned backlog,
	       void *user, struct tcp_listener **listener);
/*
 * The same beside others that were opened by this, too, at the same place: connections go
 * to them in equal shares, all of one flow to the same as long as that listens.
 */
int tcp_listen_shared(struct tcp *tcp, const struct addr *addr, uint16_t port,
		      unsigned backlog, void *user, struct tcp_listener **listener);
/* Some listener hears what one at @addr (ADDR_NONE: any of both families) would, and they
 * are not both @shared. */
bool tcp_listener_clashes(const struct tcp *tcp, const struct addr *addr, uint16_t port,
			  bool shared);
/* Connections not yet accepted are reset. */
void tcp_listener_close(struct tcp *tcp, struct tcp_listener *listener, uint64_t now_ns);
void *tcp_listener_user(const struct tcp_listener *listener);
/* Options that accepted connections inherit. */
struct tcp_opts *tcp_listener_opts(struct tcp_listener *listener);
/* Their congestion control.  0 or -ENOENT. */
int tcp_listener_set_cc(struct tcp_listener *listener, const char *name);
const char *tcp_listener_cc(const struct tcp_listener *listener);
/* Where it listens. */
void tcp_listener_at(const struct tcp_listener *listener, struct addr *addr,
		     uint16_t *port);
unsigned tcp_listener_waiting(const struct tcp_listener *listener);
/* The oldest connection that waits, now the caller's; NULL: none. */
struct tcp_conn *tcp_accept(struct tcp *tcp, struct tcp_listener *listener, void *user);

/*
 * Begins to connect.  flow->local ADDR_NONE and local_port 0 are chosen and can be
 * read from tcp_conn_info().  0; -EADDRINUSE, -EADDRNOTAVAIL, -ENETUNREACH, -ENOMEM.
 * News: TCP_CONNECTED or TCP_FAILED.
 */
int tcp_connect(struct tcp *tcp, const struct flow *flow, void *user, uint64_t now_ns,
		struct tcp_conn **conn);
void *tcp_conn_user(const struct tcp_conn *conn);
void tcp_conn_set_user(struct tcp_conn *conn, void *user);

/* enum tcp_news, of this moment. */
unsigned tcp_conn_news(const struct tcp_conn *conn);
/* errno that ended the connection (ECONNRESET, ETIMEDOUT, ECONNREFUSED, ...), 0: none. */
int tcp_error(const struct tcp_conn *conn);
/* The same as long as nobody was told, neither by this nor by tcp_send() or tcp_recv(). */
int tcp_take_error(struct tcp_conn *conn);

/*
 * Takes up to @len bytes into the send queue: how many, or -EAGAIN when it is full,
 * or not connected yet, -EPIPE after tcp_shutdown_send() or death; the error that was its
 * cause first, if tcp_recv() did not say it.  They leave with
 * tcp_speak().  -EAGAIN for want of memory is told as news when there is some again.
 * @more: more will follow at once (MSG_MORE).
 */
ssize_t tcp_send(struct tcp *tcp, struct tcp_conn *conn, const void *bytes, size_t len,
		 bool more);
/* Marks the last byte in the queue as urgent (RFC 6093). */
void tcp_send_urgent(struct tcp *tcp, struct tcp_conn *conn);
/* The last byte in the queue ends a record (MSG_EOR): what follows does not go in one
 * segment with it. */
void tcp_send_end_record(struct tcp *tcp, struct tcp_conn *conn);
/* Takes a packet of one descriptor with a buffer of its own, all or nothing; owned
 * by TCP on success only.  0 or -errno as above. */
int tcp_send_pkt(struct tcp *tcp, struct tcp_conn *conn, struct pkt *p);
/* Bytes that tcp_send() would take now. */
size_t tcp_send_room(const struct tcp_conn *conn);
/* There is no room: it will be news when there is. */
void tcp_send_want(struct tcp_conn *conn);

/*
 * Gives up to @len bytes: how many; 0 after the peer's FIN; -EAGAIN when none is
 * there; -ENOTCONN; or the error that ended the connection, once.  Opens the window.
 * @peek: leaves them there.  @bytes NULL: throws them away.
 */
ssize_t tcp_recv(struct tcp *tcp, struct tcp_conn *conn, void *bytes, size_t len,
		 bool peek);
/* The byte that was urgent, when it is not inline.  1, or -EAGAIN, -EINVAL. */
ssize_t tcp_recv_urgent(struct tcp *tcp, struct tcp_conn *conn, void *byte);
/*
 * The first received packet (one chain of payload), lent unchanged until
 * tcp_recv_pkt_done(), which comes before tcp_close():
 * *p NULL at the end of stream.  0, or -errno as tcp_recv().  Of one in more pieces
 * than TCP_RECV_PIECES_MAX (many small fragments), the front as a copy.
 */
int tcp_recv_pkt(struct tcp *tcp, struct tcp_conn *conn, struct pkt **p);
void tcp_recv_pkt_done(struct tcp *tcp, struct tcp_conn *conn, struct pkt *p);
size_t tcp_recv_ready(const struct tcp_conn *conn);

/* No more data from us: FIN follows what is queued.  0 or -ENOTCONN. */
int tcp_shutdown_send(struct tcp *tcp, struct tcp_conn *conn);
/* A read that finds nothing is at the end of the stream.  What comes all the same can be
 * read, as on Linux. */
void tcp_shutdown_recv(struct tcp *tcp, struct tcp_conn *conn);
/*
 * The layer above forgets the connection.  Sends what is queued, then FIN; or RST
 * when received data was never read (RFC 2525 2.17) or linger is 0.
 */
void tcp_close(struct tcp *tcp, struct tcp_conn *conn, uint64_t now_ns);
/* RST at once (RFC 9293 3.10.5), and forget. */
void tcp_abort(struct tcp *tcp, struct tcp_conn *conn, uint64_t now_ns);

/* 0, -EINVAL for an impossible value. */
int tcp_set(struct tcp *tcp, struct tcp_conn *conn, enum tcp_opt opt, int value);
int tcp_get(const struct tcp_conn *conn, enum tcp_opt opt);
/* All at once (opt.h), in the turn in which it began to connect: the SYN obeys them. */
void tcp_set_all(struct tcp *tcp, struct tcp_conn *conn, const struct tcp_opts *opts);
/* What new connections and listeners begin with. */
const struct tcp_opts *tcp_opts(const struct tcp *tcp);
/* Congestion control by name, for this connection.  0 or -ENOENT. */
int tcp_set_cc(struct tcp *tcp, struct tcp_conn *conn, const char *name);

/* ---- to look ---- */

void tcp_conn_info(const struct tcp *tcp, const struct tcp_conn *conn,
		   struct tcp_conn_info *info);
/* Connection number @i of at most max_conns; NULL when that number is free. */
struct tcp_conn *tcp_conn_at(const struct tcp *tcp, uint32_t i);
/* Calls @fn for each connection without a control block, half-open or in TIME-WAIT,
 * until it returns false. */
void tcp_each_compact(const struct tcp *tcp,
		      bool (*fn)(void *arg, const struct flow *flow,
				 enum tcp_state state),
		      void *arg);
const struct tcp_stats *tcp_stats(struct tcp *tcp);
const char *tcp_state_name(enum tcp_state state);
/* Asserts the invariants of everything (debug builds, simulations). */
void tcp_check(const struct tcp *tcp);
