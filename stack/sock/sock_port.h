/*
 * Ports of TCP that sockets are bound to, and do not listen at nor connect from yet.
 *
 * Whoever listens has his port in TCP's table; a connection needs only a flow of its own.
 * So what is kept here are the names of sockets between bind() and the next step, which
 * makes them TCP's.
 */
#pragma once

#include <stdint.h>

struct addr;
struct sock;
struct sock_setup;
struct socks;

/*
 * Binds @s, which is new, to @addr and @port; 0: one is chosen.  0, -EADDRINUSE: somebody
 * else has it, and not both have SO_REUSEADDR and do not listen, nor both SO_REUSEPORT.
 * -ENOMEM.
 */
int sock_port_bind(struct socks *ss, struct sock *s, const struct addr *addr,
		   uint16_t port);
/* The setup of @s is over: forgets where it was bound, and frees it. */
void sock_setup_free(struct socks *ss, struct sock_setup *setup);
/* What a listener at @addr of @s's would hear: an IPv6 socket that hears any address hears
 * IPv4's, too (RFC 3493 5.3). */
struct addr sock_port_hears(const struct sock *s, const struct addr *addr);
