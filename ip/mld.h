/*
 * Groups that an interface listens to, and the reports that keep them coming: Multicast
 * Listener Discovery, version 2 (RFC 3810), the host's side without source lists.
 *
 *                  mld_join                        the report was sent
 *      (none) -----------------> to be reported -----------------------> quiet
 *        ^                       twice, within a second    <-----------
 *        | the last mld_leave,                               a query
 *        | told twice
 *
 * All nodes' group is everybody's and is never reported (RFC 3810 6).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/wheel.h"

struct ip;
struct pkt;

enum {
	MLD_GROUPS_MAX = 60,	/* of one interface: one report tells all */
	MLD_ROBUSTNESS = 2,	/* RFC 3810 9.1: times that a change is told */
	MLD_INTERVAL_MS = 1000, /* 9.11: within which it is told again */
};

struct mld_group {
	struct ip6 group;
	uint16_t n_users;  /* 0: left, and still to be told */
	uint8_t n_reports; /* of its change, that are to come */
	bool asked;	   /* a query waits for its state */
};

/* In struct ip6_iface. */
struct mld {
	struct ip *ip;
	uint8_t iface;
	uint8_t n_groups;
	bool changed; /* @change_ns is when a change is told again */
	uint64_t change_ns;
	bool asked; /* @answer_ns is when a query is answered */
	uint64_t answer_ns;
	struct timer timer;
	struct mld_group groups[MLD_GROUPS_MAX];
};

void mld_init(struct mld *m, struct ip *ip, uint8_t iface);
void mld_fini(struct mld *m);

/* Listens to @group from now on, once more.  0, or -ENOBUFS. */
int mld_join(struct mld *m, struct ip6 group, uint64_t now_ns);
/* The end of one mld_join(). */
void mld_leave(struct mld *m, struct ip6 group, uint64_t now_ns);
bool mld_listens(const struct mld *m, struct ip6 group);

/* A query (ICMPv6 type 130) from a router on the link.  False: it is senseless. */
bool mld_query(struct mld *m, const struct pkt *p, uint64_t now_ns);
