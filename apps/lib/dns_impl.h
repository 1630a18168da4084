/*
 * The inside of dns: dns.c has questions, answers and the cache, dns_net.c the sockets
 * that c-ares uses, dns_ttl.c how long an answer lives.
 */
#pragma once

#include <ares.h>
#include <netinet/in.h>

#include "apps/lib/dns.h"
#include "apps/lib/net.h"
#include "apps/lib/net_sock.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"

enum { DNS_SOCKS_MAX = 32 };

/* An answer, in the cache or about to be told. */
struct dns_entry {
	unsigned n_refs;
	enum dns_kind kind;
	enum dns_status status;
	uint64_t until_ns;
	char name[DNS_NAME_MAX + 1];
	size_t n;
	_Alignas(8) uint8_t records[]; /* struct addr or struct dns_mx */
};

struct dns_query {
	struct list node; /* in dns->ready, or alone: c-ares has it */
	struct dns *dns;
	struct dns_entry *entry;
	enum dns_kind kind;
	dns_done *done; /* NULL: nobody waits any more */
	void *arg;
	char name[DNS_NAME_MAX + 1];
};

/* A socket as c-ares sees it: a place in dns->socks. */
struct dns_sock {
	bool used;
	enum net_sock_kind kind;
	struct net_sock *sock; /* NULL: not connected yet */
	struct sockaddr_storage to;
};

struct dns {
	struct net *net;
	ares_channel channel;
	struct hash_key key;
	struct list ready;     /* questions whose answer is there */
	struct net_timer soon; /* tells them */
	struct net_timer late; /* when c-ares wants to look */
	bool ending;
	struct dns_stats stats;
	struct dns_sock socks[DNS_SOCKS_MAX];
	struct dns_entry *cache[DNS_CACHE_PLACES];
};

/* Has c-ares use the net's sockets. */
void dns_use_net(struct dns *dns);
/* Arms dns->late as c-ares wants it. */
void dns_look(struct dns *dns);

/* Seconds that an answer may be kept: the least TTL of its answers and authorities; 0 when
 * there is none, or it cannot be read. */
uint32_t dns_ttl(struct str message);
