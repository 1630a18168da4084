/*
 * Groups of IPv4 that an interface listens to, and the reports that keep them coming: the
 * host's side of IGMP, version 3 (RFC 3376) without source lists, and 2 (RFC 2236) and
 * 1 (RFC 1112) as long as a querier speaks no other (RFC 3376 7.2.1).
 *
 *	         igmp_join                         told twice
 *	(none) --------------> to be told of  --------------------> quiet
 *	  ^                                   <--------------------
 *	  |                                     a query, some time later
 *	  +--- told, twice --- to be told of <--- the last igmp_leave
 *
 * The group of all hosts is everybody's and is never told of.  Reports come from the
 * interface's address or, before it has one, from nobody (RFC 3376 4.2.13).
 *
 * How often we speak is for us to say: queries only make it once within a tenth of a
 * second, however many there are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/verdict.h"
#include "stack/base/wheel.h"

struct ip;
struct pkt;

enum {
	IGMP_GROUPS_MAX = 32,	      /* of one interface: one report tells of all */
	IGMP_ROBUSTNESS = 2,	      /* RFC 3376 8.1: times that a change is told */
	IGMP_INTERVAL_MS = 1000,      /* 8.11: within which it is told again; version 3 */
	IGMP_OLD_INTERVAL_MS = 10000, /* RFC 2236 8.10: the same in versions 1 and 2 */
	IGMP_OLD_S = 260, /* RFC 3376 8.12: so long a query of an old version counts */
	IGMP_ANSWER_LEAST_MS = 100,
};

struct igmp_group {
	struct ip4 group;
	uint16_t n_users;   /* 0: left, and still to be told of */
	uint8_t n_tells;    /* of a change, that are to come */
	bool told_last;	    /* of all hosts, we reported it last (RFC 2236 3) */
	uint64_t change_ns; /* when the next of those is due */
	uint64_t answer_ns; /* when a query is answered; UINT64_MAX: none waits */
};

/* In struct ip_iface. */
struct igmp {
	struct ip *ip;
	uint8_t iface;
	uint8_t n_groups;
	uint64_t v1_until_ns, v2_until_ns; /* queriers of those versions were heard */
	struct timer timer;
	struct igmp_group groups[IGMP_GROUPS_MAX];
};

void igmp_init(struct igmp *m, struct ip *ip, uint8_t iface);
/* Says nothing any more. */
void igmp_fini(struct igmp *m);

/* Listens to @group from now on, once more.  0, or -ENOBUFS: to no more of them. */
int igmp_join(struct igmp *m, struct ip4 group, uint64_t now_ns);
/* The end of one igmp_join(). */
void igmp_leave(struct igmp *m, struct ip4 group, uint64_t now_ns);
bool igmp_listens(const struct igmp *m, struct ip4 group);

/* A message that ip4_input() stripped, from a router or from another host. */
struct step igmp_input(struct ip *ip, struct pkt *p, uint64_t now_ns);
