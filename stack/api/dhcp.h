/*
 * What a DHCP server gave a core (pb_stack_conf.dhcp).  To be called by the core's own
 * thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "stack/api/stack.h"

enum { PB_DHCP_DNS_MAX = 4, PB_DHCP_DOMAIN_LEN = 254 };

struct pb_dhcp_info {
	/* As RFC 2131 has it: "INIT", "SELECTING", "REQUESTING", "REBOOTING", "BOUND",
	 * "RENEWING", "REBINDING"; "PROBING" before BOUND, "OFF" without dhcp. */
	const char *state;
	uint32_t changes; /* of what follows; more are counted when there are new ones */
	struct in_addr addr; /* 0.0.0.0: there is none that may be used, and no more */
	unsigned bits;
	struct in_addr server;
	unsigned n_dns; /* name servers */
	struct in_addr dns[PB_DHCP_DNS_MAX];
	char domain[PB_DHCP_DOMAIN_LEN]; /* "": not said */
	uint64_t ends_ns;		 /* of pb_clock(); UINT64_MAX: never */
};

PB_API void pb_dhcp_get(struct pb_core *core, struct pb_dhcp_info *info);
