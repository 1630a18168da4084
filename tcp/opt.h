/*
 * Settings of a connection, as enum tcp_opt names them.  A part of conn.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Settings that a listener's connections inherit (opt.c). */
struct tcp_opts {
	bool nodelay : 1;
	bool cork : 1;
	bool keepalive : 1;
	bool oobinline : 1;
	uint8_t tos, ttl;
	uint8_t keep_probes;
	uint16_t maxseg; /* 0: as the path allows */
	int32_t linger_ms;
	uint32_t keep_idle_ms, keep_intvl_ms;
	uint32_t user_timeout_ms;
	uint32_t rcvbuf, sndbuf;
};
