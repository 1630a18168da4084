/*
 * The settings of a connection, as enum tcp_opt names them: a listener has them for its
 * connections to inherit, a socket until it is either.  Every value is checked when it
 * is set, wherever it waits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tcp/tcp.h"

struct tcp_opts {
	bool nodelay : 1;
	bool cork : 1;
	bool keepalive : 1;
	bool oobinline : 1;
	bool fo_bare : 1; /* Fast Open without cookies */
	bool no_df : 1;	  /* packets may be cut on their way */
	bool l4s : 1;	  /* ECT(1) where the peer has AccECN */
	uint8_t tos, ttl; /* ttl 0: the default */
	uint8_t keep_probes;
	uint16_t maxseg;   /* 0: as the path allows */
	uint8_t syn_tries; /* SYNs sent again before it is given up */
	uint8_t ecn;	   /* enum tcp_ecn */
	int32_t linger_ms;
	uint32_t keep_idle_ms, keep_intvl_ms;
	uint32_t user_timeout_ms;
	uint32_t rcvbuf, sndbuf;
};

void tcp_opt_default(struct tcp_opts *opts, const struct tcp_conf *conf);
/* 0, -EINVAL for an impossible value. */
int tcp_opt_set(struct tcp_opts *opts, enum tcp_opt opt, int value);
int tcp_opt_get(const struct tcp_opts *opts, enum tcp_opt opt);
