/*
 * A resolver on a net in memory, with a name server that knows what a test tells it.
 * Names it does not know do not exist; one that is known for another kind has no such
 * record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/dns.h"
#include "apps/lib/net.h"

enum { DNS_TEST_RECORDS = 64, DNS_TEST_PEERS = 64, DNS_TEST_TTL_S = 60 };

struct dns_test_record {
	enum dns_kind kind;
	char name[64], value[64];
	uint16_t preference;
};

struct mem_peer;

struct dns_test {
	struct net *net;
	struct dns *dns;
	struct dns_test_record records[DNS_TEST_RECORDS];
	size_t n_records;
	unsigned n_asked;
	const enum dns_kind
		*silent; /* of such questions nothing is heard; NULL: of none */
	bool garbles;	 /* answers that nobody can read */
	struct mem_peer *peers[DNS_TEST_PEERS];
	size_t n_peers;
	struct mem_peer *others[DNS_TEST_PEERS]; /* connected elsewhere, not taken yet */
	size_t n_others;
};

void dns_test_init(struct dns_test *t);
void dns_test_fini(struct dns_test *t);
void dns_test_mx(struct dns_test *t, const char *name, uint16_t preference,
		 const char *host);
void dns_test_a(struct dns_test *t, const char *name, const char *addr);
void dns_test_aaaa(struct dns_test *t, const char *name, const char *addr);
/* Answers all questions, until there are none. */
void dns_test_settle(struct dns_test *t);
/* The first connection to "192.0.2.7:25", accepted, now the caller's; NULL: there is none. */
struct mem_peer *dns_test_accept(struct dns_test *t, const char *where);
