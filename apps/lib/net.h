/*
 * The event loop of one core of a program, over either network: our stack, or the
 * kernel's sockets.  Services know only this and io.h, so the same code runs on both
 * (and in tests on a third body, in memory and in virtual time).
 *
 * One thread owns a net and everything in it.  Other threads may call net_post().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "stack/base/wheel.h"

struct addr;
struct io;
struct net;
struct pb_core;

enum {
	NET_ADDR_TEXT_LEN = 64, /* "[v6]:65535", with its NUL */
	NET_JOBS_MAX = 16384,	/* net_post()s that may wait */
	NET_ACCEPT_BURST = 64,	/* connections taken from a listener in one turn */
	NET_EXCESS_MAX = 256,	/* excess connections that may be open at once; with more,
				    clients wait in the listen queue */
	NET_CLOSING_MAX =
		1024, /* connections of a listener that said FIN and wait for the
				    other's, apart from its limit; beyond, the oldest go */
	NET_ACCEPT_PAUSE_MS = 100, /* with no descriptor or memory left */
	NET_LOCAL_MODE = 0666, /* of a local socket: who is there decides, not the path */
};

struct net_timer {
	struct timer timer; /* of the net's wheel */
	void (*fire)(struct net_timer *t, uint64_t now_ns);
};

/* Over kernel sockets, with epoll.  0 or -errno. */
int net_posix_new(struct net **net);
/* Over one core of our stack, which the calling thread uses from now on.  0 or -errno. */
int net_stack_new(struct net **net, struct pb_core *core);
/* Connections still open are aborted. */
void net_free(struct net *net);

/* Time of this turn; monotonic. */
uint64_t net_now_ns(const struct net *net);

/* True for "ADDRESS:PORT", "[v6]:PORT" and "*:PORT". */
bool net_where_ok(const char *where);

/* A connection came to a listener: @io is the callee's. */
typedef void net_accept(void *arg, struct io *io);
struct net_listener;
/*
 * Listens on "ADDRESS:PORT", "[v6]:PORT" or "*:PORT", or on a path: a local socket of the
 * host (local.h), on every net, which stays in the file system.  0 or -errno; *listener
 * may be used to stop.  @max_conns connections at most are open through it at once, without
 * those that have said all and their FIN; beyond,
 * @accept still gets them, with io_is_excess(), to say so and close.
 */
int net_listen(struct net *net, const char *where, unsigned max_conns, net_accept *accept,
	       void *arg, struct net_listener **listener);
/* "192.0.2.1:25": the address it is bound to, also when port 0 was asked for; of a local
 * socket no more than whose it is. */
const char *net_listener_where(const struct net_listener *listener);
/* Connections that came through it stay. */
void net_listener_close(struct net_listener *listener);

/* Begins to connect to "ADDRESS:PORT" or a path.  0 or -errno; news come to the io's handler. */
int net_connect(struct net *net, const char *where, struct io **io);

/* From which of our addresses a packet to @to would go (RFC 6724 5).  False: from none. */
bool net_source(struct net *net, const struct addr *to, struct addr *source);

/* Connections that are open, also those that say their last words. */
unsigned net_n_conns(const struct net *net);
/* Calls @fn for each that has an owner, until it returns false. */
void net_each_conn(const struct net *net, bool (*fn)(void *arg, struct io *io),
		   void *arg);

/* One-shot timers; never early.  @fire may arm its timer again, or free it. */
void net_timer_init(struct net_timer *t,
		    void (*fire)(struct net_timer *t, uint64_t now_ns));
void net_timer_arm(struct net *net, struct net_timer *t, uint64_t due_ns);
void net_timer_stop(struct net *net, struct net_timer *t);

/* A descriptor of the host (control socket, signalfd): @fn in each turn in which it is
 * readable.  It may be unwatched, and others too, in @fn.  0 or -errno. */
typedef void net_fd(void *arg, int fd);
int net_watch_fd(struct net *net, int fd, net_fd *fn, void *arg);
void net_unwatch_fd(struct net *net, int fd);

/* From any thread: @fn runs in the net's thread, soon.  False when the queue is full. */
typedef void net_job(void *arg);
bool net_post(struct net *net, net_job *fn, void *arg);

/* Turns until net_stop(), which any thread may call. */
void net_run(struct net *net);
void net_stop(struct net *net);
/* One turn, which sleeps as long as there is nothing to do: for a program that waits. */
void net_rest(struct net *net);
/* One turn, without sleeping: for tests and for programs with a loop of their own. */
void net_turn(struct net *net);
