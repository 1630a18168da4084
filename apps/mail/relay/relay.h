/*
 * The relay: takes what is due from the queue (apps/mail/queue) and sends it to other hosts, by
 * SMTP clients on the net.
 *
 * A session is a run of the queue: it looks for the destination's addresses, connects to
 * one after the other until one is ready, and sends item after item on that connection;
 * when nothing more is due it waits a while for the next, then says QUIT.
 *
 * Who calls for his mail and takes it himself (ATRN, RFC 2645; TURN) has a session on the
 * connection on which he called.
 *
 * Sessions are bounded in number, by destination (the queue's windows) and by host; a host that
 * did not answer is not tried again for a moment, whatever domains lead to it.  So a
 * host that hangs holds its own sessions and nobody else's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/mail/relay/client.h"
#include "apps/mail/relay/route.h"

struct dns;
struct net;
struct io;
struct queue;
struct relay;

enum {
	RELAY_TURN_MAX =
		64, /* domains whose mail goes on one connection that was turned */
};

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define RELAY_LIMITS(L)								\
	L(sessions_max, 1000,  1, 100000, "connections to other hosts at once")	\
	L(per_host_max,	  50,  1, 100000, "connections to one address at once")	\
	L(down_s,	  60,  0,   3600,					\
	  "seconds for which a host that did not answer is not tried")		\
	L(clear_s,	3600,  1, 604800,					\
	  "seconds for which a host whose TLS failed is sent to in clear")	\
	L(idle_s,	   2,  0,    300,					\
	  "seconds to keep a connection for the next message")
/* clang-format on */

struct relay_limits {
#define L(name, initial, least, most, text) uint64_t name;
	RELAY_LIMITS(L)
#undef L
};

struct relay_conf {
	const char *host; /* our name */
	uint64_t seed;
	const struct route *routes;
	size_t n_routes;
	struct relay_limits limits;
	struct client_limits client;
	struct tls *tls; /* a client's, for hosts that offer it; NULL: all in clear */
};

/* The defaults; @host is still to be set. */
void relay_conf_init(struct relay_conf *conf);

/* @queue and @dns are used; texts and routes of @conf stay the caller's.  0 or -errno. */
int relay_new(struct net *net, struct queue *queue, struct dns *dns,
	      const struct relay_conf *conf, struct relay **relay);
/* The queue_ops.work of @queue: there may be something to do. */
void relay_work(struct relay *relay);
/* Somebody called for mail: hosts that did not answer a moment ago are tried again. */
void relay_called(struct relay *relay);
/*
 * Gives what waits for these domains, up to RELAY_TURN_MAX (queue_run_called()), to the
 * other end of @io, which becomes a server: it is told @line first, and has our QUIT when
 * nothing is left.  0, and @io is the relay's; -ENOENT: nothing waits, unless @at_once;
 * -EBUSY: for none of it now, or one of the domains has such a connection; -ENOMEM.
 */
int relay_turn(struct relay *relay, struct io *io, const struct str *domains, size_t n,
	       const char *line, bool at_once);
/* Begins nothing new; sessions end when their message is through. */
void relay_stop(struct relay *relay);
/* Sessions are open. */
bool relay_busy(const struct relay *relay);
/* Aborts what is left; items go back to the queue. */
void relay_free(struct relay *relay);

/* clang-format off */
#define RELAY_COUNTERS(C)						\
	C(sessions,	 "sessions begun")				\
	C(sessions_open, "sessions open now")				\
	C(connects,	 "connections tried")				\
	C(connected,	 "connections whose server was ready")		\
	C(tls_sessions,	 "connections secured by TLS")			\
	C(tls_failures,	 "connections that ended since TLS failed; the next is in clear") \
	C(refused_down,	 "addresses passed over: no answer a moment ago") \
	C(refused_many,	 "addresses passed over: too many connections")	\
	C(turned,	 "connections that were turned, for who takes his mail himself") \
	C(messages,	 "messages sent, or refused by their server")	\
	C(reused,	 "messages that were not the first of their connection") \
	C(broken,	 "connections that broke in the middle of a message")
/* clang-format on */

struct relay_stats {
#define C(name, text) uint64_t name;
	RELAY_COUNTERS(C)
#undef C
};

/* Valid as long as @relay; for its own thread. */
const struct relay_stats *relay_stats(const struct relay *relay);
