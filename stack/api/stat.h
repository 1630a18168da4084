/*
 * What a core counts, each with its sentence, and what its connections do.
 * To be called by the core's own thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "stack/api/stack.h"

struct pb_counter {
	const char *
		group; /* "verdict", "port", "arp", "ip", "udp", "dhcp", "tcp", "pool", "turn" */
	const char *name;
	const char *text; /* a sentence */
	uint64_t value;
};

/* Calls @fn for every counter of @core. */
PB_API void pb_stat_each(struct pb_core *core,
			 void (*fn)(void *arg, const struct pb_counter *c), void *arg);

struct pb_conn_info {
	struct sockaddr_storage local, remote;
	const char *state;
	const char *cc;	 /* NULL: half-open or in TIME-WAIT, and nothing follows */
	uint32_t number; /* in pb_trace_each() */
	uint32_t mss, cwnd, ssthresh, snd_wnd, rcv_wnd, srtt_us, rto_us;
	uint32_t sndq_len, rcvq_len, unacked, retrans;
	uint64_t bytes_sent, bytes_received, bytes_retrans;
};

/* Calls @fn for every connection of @core until it returns false, those that are
 * half-open or in TIME-WAIT behind the others. */
PB_API void pb_conn_each(struct pb_core *core,
			 bool (*fn)(void *arg, const struct pb_conn_info *info),
			 void *arg);

#define PB_TRACE_US_MASK UINT64_C(0xffffffffffff)

struct pb_trace {
	uint64_t at_us;	  /* the core's clock, as far as PB_TRACE_US_MASK goes */
	uint32_t number;  /* of the connection */
	const char *text; /* ends with @state, when that is not NULL, else with @arg */
	const char *state;
	uint32_t arg;
};

/* Calls @fn for the last few thousand things that happened to connections, the oldest
 * first, until it returns false. */
PB_API void pb_trace_each(struct pb_core *core,
			  bool (*fn)(void *arg, const struct pb_trace *trace), void *arg);

/* What is out: zeros when nothing leaks and nothing is open. */
struct pb_out {
	uint32_t packets, buffers, conns, sockets, half_open, time_wait, timers;
};

PB_API void pb_out_get(struct pb_core *core, struct pb_out *out);
