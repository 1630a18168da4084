/*
 * A fixed ring of what one core did last, always on, decoded on demand.
 *
 * A record is 16 bytes: when, what, about which object, and one number.  Writing
 * one costs a store of each; nothing is formatted before somebody asks.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
/* Name, what the number is, and the sentence that it ends. */
#define TRACE_EVENTS(T)							\
	T(TCP_STATE,	STATE,	"enters state")				\
	T(TCP_RTO,	NUMBER,	"retransmission timer fired, backoff")	\
	T(TCP_RECOVERY,	NUMBER,	"loss recovery begins, in flight")	\
	T(TCP_RECOVERED, NUMBER, "loss recovery ends, window")		\
	T(TCP_PROBE,	NUMBER,	"window probe")				\
	T(TCP_RST_IN,	STATE,	"reset by the peer in")			\
	T(TCP_RST_OUT,	STATE,	"reset sent in")
/* clang-format on */

enum trace_event {
#define T(name, arg, text) TRACE_##name,
	TRACE_EVENTS(T)
#undef T
		TRACE_COUNT
};

enum trace_arg {
	TRACE_ARG_NUMBER,
	TRACE_ARG_STATE, /* enum tcp_state */
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

/* The sentence of an event, and what ends it. */
const char *trace_text(enum trace_event event);
enum trace_arg trace_arg(enum trace_event event);
