/*
 * How many sessions each client has with a service, and how much of what the service
 * has to share, so that one cannot take all of it.
 *
 * A client is an IPv4 address, or an IPv6 network of 64 bits, which is what one customer
 * gets (RFC 6177) and can change addresses in at will.  The table is keyed: nobody can
 * aim for one slot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct peers;
struct peer;

/* The address that stands for the client at "192.0.2.1" or "2001:db8::1"; for a user of
 * this host, "uid:1000" (io_peer_addr()), one that nobody else can have.  Text that is
 * no address (of a test's network) is a client, too: all of them one. */
struct addr peers_client(const char *addr);

/* 0 or -ENOMEM. */
int peers_new(uint64_t seed, struct peers **peers);
/* No session may be counted, and nothing taken. */
void peers_free(struct peers *peers);

/* Counts one session of the client at "192.0.2.1" or "2001:db8::1".  NULL: no memory. */
struct peer *peers_add(struct peers *peers, const char *addr);
/* It ended. */
void peers_remove(struct peers *peers, struct peer *peer);
/* Sessions the client has now. */
uint32_t peers_count(const struct peer *peer);

/* The client takes @amount of what is shared, if that leaves it at most @most.  False:
 * it does not get it. */
bool peers_take(struct peer *peer, uint64_t amount, uint64_t most);
/* It gives so much back.  What it took outlives its sessions. */
void peers_give(struct peers *peers, struct peer *peer, uint64_t amount);
