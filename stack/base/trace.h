/*
 * A fixed ring of what one core did last, always on, decoded on demand.
 *
 * A record is 16 bytes: when, what, about which object, and one number.  Writing
 * one costs a store of each; nothing is formatted before somebody asks.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
#define TRACE_EVENTS(T)							\
	T(NONE,		"nothing")					\
	T(TCP_STATE,	"connection enters state %u")			\
	T(TCP_RTO,	"retransmission timer fired, backoff %u")	\
	T(TCP_RECOVERY,	"loss recovery begins, %u bytes in flight")	\
	T(TCP_RECOVERED, "loss recovery ends, cwnd %u")			\
	T(TCP_PROBE,	"window probe %u")				\
	T(TCP_RST_IN,	"reset by the peer in state %u")		\
	T(TCP_RST_OUT,	"reset sent in state %u")			\
	T(NEIGH_STATE,	"neighbour enters state %u")			\
	T(POOL_EMPTY,	"pool refused, %u out")
/* clang-format on */

enum trace_event {
#define T(name, text) TRACE_##name,
	TRACE_EVENTS(T)
#undef T
		TRACE_COUNT
};

struct trace_rec {
	uint64_t at_us : 48;
	uint64_t event : 16;
	uint32_t id;
	uint32_t arg;
};

enum { TRACE_LEN = 4096 };

struct trace {
	uint64_t n; /* records ever written */
	struct trace_rec rec[TRACE_LEN];
};

static inline void trace_add(struct trace *t, uint64_t now_ns, enum trace_event event,
			     uint32_t id, uint32_t arg)
{
	struct trace_rec *r = &t->rec[t->n++ % TRACE_LEN];

	r->at_us = (now_ns / 1000) & 0xffffffffffff;
	r->event = event;
	r->id = id;
	r->arg = arg;
}

/* The printf format of an event's sentence; its one argument is unsigned. */
const char *trace_text(enum trace_event event);
