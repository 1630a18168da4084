/*
 * The queue in front of a line, and who in it is dropped or marked.
 *
 *	tail	 first in, first out; what finds it full is dropped.  With @mark_bytes, what
 *		 finds more than that waiting is marked (the step of RFC 8257 3.1)
 *	red	 Floyd and Jacobson 1993: at random, by the average of its length
 *	codel	 RFC 8289: by how long each frame waited
 *	fq_codel RFC 8290: flows in turns, each with CoDel of its own
 *
 * All but tail mark (CE) instead of dropping when @ecn is set and the sender is capable
 * of it (RFC 3168 7).  One line owns a queue; the clock is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aqm;
struct aqm_ops;
struct frame;
struct frame_shop;
struct rng;

enum aqm_kind { AQM_TAIL, AQM_RED, AQM_CODEL, AQM_FQ_CODEL, AQM_N_KINDS };

/* What is zero gets the value that the last column names. */
struct aqm_conf {
	enum aqm_kind kind;
	bool ecn;
	bool gentle;	      /* red: from max to twice it with rising probability */
	uint64_t limit_bytes; /* 1,500,000: a thousand frames */
	uint64_t mark_bytes;  /* tail: none */
	uint64_t min_bytes;   /* red: a twelfth of the limit */
	uint64_t max_bytes;   /* red: three times min */
	double max_p;	      /* red: 0.1 */
	double weight;	      /* red: 0.002 */
	uint64_t target_ns;   /* codel, fq_codel: 5 ms */
	uint64_t interval_ns; /* codel, fq_codel: 100 ms */
	uint32_t quantum;     /* fq_codel: 1514 */
	uint32_t n_flows;     /* fq_codel: 1024 */
};

enum {
	AQM_LIMIT = 1500000,
	AQM_FRAME = 1500, /* bytes of a full frame, where a rule asks for it */
	AQM_FLOWS_MAX = 65536,
};

struct aqm_stats {
	uint64_t in, out;
	uint64_t full;			   /* dropped for want of room */
	uint64_t early;			   /* dropped though there was room */
	uint64_t marked;		   /* CE instead */
	uint64_t peak;			   /* most bytes that waited */
	uint64_t waited_ns, waited_max_ns; /* of those that went out: sum, longest */
};

struct aqm {
	const struct aqm_ops *ops;
	struct aqm_conf conf; /* complete */
	struct frame_shop *shop;
	struct rng *rng;
	uint64_t rate_bps; /* of the line behind it */
	uint64_t bytes;	   /* that wait */
	uint32_t n;	   /* frames that wait */
	uint64_t peak;	   /* most bytes since aqm_peak() */
	struct aqm_stats stats;
};

/* "tail", "red" ...; NULL behind the last. */
const char *aqm_kind_name(enum aqm_kind kind);
/* NULL: no memory.  @shop and @rng are borrowed for its life. */
struct aqm *aqm_new(const struct aqm_conf *conf, struct frame_shop *shop, struct rng *rng,
		    uint64_t rate_bps);
/* Frees what waits, too. */
void aqm_free(struct aqm *q);

/* Takes @f, for later or for ever. */
void aqm_enqueue(struct aqm *q, struct frame *f, uint64_t now_ns);
/* Who goes next, now the caller's; NULL: nobody waits. */
struct frame *aqm_dequeue(struct aqm *q, uint64_t now_ns);
/* The most bytes that waited since it was asked last. */
uint64_t aqm_peak(struct aqm *q);
