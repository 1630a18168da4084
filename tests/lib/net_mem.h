/*
 * A third body of net: in memory, in virtual time, for dialogues with services.
 *
 *	net_mem_new(&net);
 *	net_listen(net, "*:25", 10, smtpd_accept, smtpd, &listener);
 *	peer = mem_connect(net, "192.0.2.1:25", "192.0.2.9:4000");
 *	mem_say(peer, "EHLO there\r\n");
 *	mem_settle(net);
 *	mem_heard(peer) is the greeting and the answer
 *	mem_free(peer);
 *
 * A struct mem_peer is the other end of one connection, in the hands of the test.
 * Nothing moves but in mem_settle(), mem_advance() and mem_wait().  mem_cut() says in
 * what pieces bytes arrive: every byte alone, or whatever the test makes of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/net.h"
#include "apps/lib/str.h"

struct mem_peer;

enum {
	NET_MEM_START_S = 1000, /* what net_now_ns() says at first, in seconds */
	NET_MEM_SOCKETS = 4096, /* listeners and connections at once */
};

/* From where the net speaks. */
#define MEM_OWN_IP4 "192.0.2.254"
#define MEM_OWN_IP6 "2001:db8::fe"

/* 0 or -ENOMEM.  net_free() ends it; peers are freed by the test, before or after. */
int net_mem_new(struct net **net);

/* A client at @from connects to what listens at @where (or at "*" with that port).
 * NULL: nobody does. */
struct mem_peer *mem_connect(struct net *net, const char *where, const char *from);
/* The other end of the first net_connect() that was not answered yet, to accept it
 * or (mem_reset()) refuse it; NULL: none. */
struct mem_peer *mem_accept(struct net *net);
/* Where that net_connect() wanted to go: "192.0.2.7:25". */
const char *mem_where(const struct mem_peer *peer);
/* Who connects to @where from now on never hears of it; the text stays.  NULL: nobody. */
void mem_black_hole(struct net *net, const char *where);
/* The net has no addresses of IPv6; else it has MEM_OWN_IP6. */
void mem_no_ip6(struct net *net);
/* Ends the connection with a reset if it is still open. */
void mem_free(struct mem_peer *peer);

/* Queues bytes for the service. */
void mem_send(struct mem_peer *peer, const void *bytes, size_t len);
void mem_say(struct mem_peer *peer, const char *text);
/* From now on bytes are seen by the service @n at a time, one piece a turn; 0: all that
 * are there. */
void mem_cut(struct mem_peer *peer, size_t n);
void mem_fin(struct mem_peer *peer);
void mem_reset(struct mem_peer *peer);
/* The service can write @n more bytes; SIZE_MAX, at first: as it likes. */
void mem_window(struct mem_peer *peer, size_t n);

/* What the service wrote and was not taken yet; valid until the net moves. */
struct str mem_heard(const struct mem_peer *peer);
void mem_take(struct mem_peer *peer, size_t n);
/* The service said FIN; all it wrote is heard. */
bool mem_finished(const struct mem_peer *peer);
/* The connection was reset, by either. */
bool mem_was_reset(const struct mem_peer *peer);
/* Neither end has it any more, in order. */
bool mem_closed(const struct mem_peer *peer);
/* Bytes sent that the service did not read. */
size_t mem_unread(const struct mem_peer *peer);

/* Turns until nothing moves. */
void mem_settle(struct net *net);
/* Lets @ns pass, timer by timer, and settles. */
void mem_advance(struct net *net, uint64_t ns);
/* Waits, in real time, for a net_post() of another thread, and settles.  False: none
 * came in ten seconds. */
bool mem_wait(struct net *net);

/* Connections that are open in the net: 0 when nothing leaks. */
unsigned mem_n_open(const struct net *net);
