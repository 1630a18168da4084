/*
 * Networks of whole stacks in virtual time: the simulator as a library.
 *
 * Hosts run Packetboat's stack as it is; routers forward; links have rate, delay, queues
 * and faults; flows are programs over the hosts' sockets.  Everything belongs to one
 * thread and happens in one order, which the seed decides: the same calls give the same
 * packets at the same nanoseconds.
 *
 *	struct pbsim *s = pbsim_new(7);
 *	struct pbsim_line line = { .rate_bps = 100000000, .delay_ns = 10 * NS_PER_MS };
 *	struct pbsim_flow bulk = { .kind = PBSIM_BULK, .from = "a", .to = "b" };
 *
 *	pbsim_host(s, "a", NULL);
 *	pbsim_host(s, "b", NULL);
 *	pbsim_link(s, "a", "b", &line, &line);
 *	pbsim_flow(s, &bulk);
 *	if (pbsim_run(s, 60 * NS_PER_S))
 *		errx(1, "%s", pbsim_error(s));
 *	... pbsim_result(s, 0)->delivered ...
 *	pbsim_free(s);
 *
 * Functions return 0 or -errno, and then pbsim_error() is a sentence for the user.
 * Time counts from the beginning of the simulation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/pbsim/aqm.h"

struct pbsim;
struct tcp_conn_info;

enum {
	PBSIM_NAME_LEN = 32,
	PBSIM_ERROR_LEN = 256,
	PBSIM_NODES_MAX = 4096,
	PBSIM_FLOWS_MAX = 16384,
};

/* ---- what there is ---- */

/* What is zero or NULL is chosen. */
struct pbsim_host {
	const char *addr; /* "192.0.2.1" or "2001:db8::1"; in 10.0.0.0/8 or fd00::/8 */
	unsigned family;  /* of an address that is chosen: 4 or 6; 4 */
	const char *ecn;  /* "off", "on" (RFC 3168), "accecn" (RFC 9768), "l4s" (that, and
			    ECT(1), RFC 9331); the stack's own */
	const char *cc;	  /* the stack's own */
	uint32_t rcvbuf, sndbuf; /* 4 MiB */
	uint32_t n_bufs;	 /* 16384, and at least four times the larger of both */
};

/* One direction of a link.  Zeros are a perfect wire with a queue that never fills. */
struct pbsim_line {
	uint64_t rate_bps;  /* bits of IP packets a second; 0: no limit, and no queue */
	uint64_t delay_ns;  /* from the last bit sent to its arrival */
	uint64_t jitter_ns; /* up to so much more, evenly; packets keep their order */
	uint64_t hold_ns;   /* arrivals wait for the next multiple of it, as a NIC that
			       holds interrupts back */
	uint16_t mtu;	    /* 0: 1500 */
	struct aqm_conf queue;
	/* Probabilities of a packet, 0 to 1. */
	double loss;
	double to_bad,
		to_good; /* Gilbert and Elliott: of a change of state, each packet */
	double loss_bad; /* in the bad state; 0: all are lost */
	double reorder;	 /* to be late by @reorder_ns, and overtaken */
	double duplicate;
	double corrupt; /* one bit of it is turned */
	uint64_t reorder_ns;
	/* Super-frames pass whole and share one fate: an hour of bulk in seconds. */
	bool super;
};

enum pbsim_kind { PBSIM_BULK, PBSIM_RR, PBSIM_ONOFF, PBSIM_MAIL, PBSIM_N_KINDS };

struct pbsim_flow {
	enum pbsim_kind kind;
	const char *from, *to;	    /* hosts */
	const char *name;	    /* in tables; NULL: of the kind */
	const char *cc;		    /* NULL: the host's */
	uint64_t start_ns, stop_ns; /* 0: the end */
	uint64_t bytes;		    /* bulk: 0: until it stops */
	uint64_t count;		    /* rr, mail: 0: until it stops */
	uint32_t size, reply;	    /* rr: bytes of both; mail: of a message */
	uint64_t interval_ns;	    /* rr, mail: from one to the next; 0: at once */
	uint64_t on_ns, off_ns;	    /* onoff: mean of exponential times */
	uint64_t rate_bps;	    /* onoff: 0: all that TCP takes */
};

/* NULL: no memory. */
struct pbsim *pbsim_new(uint64_t seed);
void pbsim_free(struct pbsim *s);
const char *pbsim_error(const struct pbsim *s);

/* @conf may be NULL.  Names are of 1 to PBSIM_NAME_LEN - 1 letters, and of one node. */
int pbsim_host(struct pbsim *s, const char *name, const struct pbsim_host *conf);
int pbsim_router(struct pbsim *s, const char *name);
/* A host has one link; routers have many.  Paths are the shortest ones. */
int pbsim_link(struct pbsim *s, const char *a, const char *b, const struct pbsim_line *ab,
	       const struct pbsim_line *ba);
/* All packets of both directions of the link, as a file of pcapng. */
int pbsim_capture(struct pbsim *s, const char *a, const char *b, const char *path);
/* Changes one direction, from now on; @line's queue and MTU stay what they were. */
int pbsim_change(struct pbsim *s, const char *from, const char *to,
		 const struct pbsim_line *line);
/* Flows are numbered from 0, in the order of their making. */
int pbsim_flow(struct pbsim *s, const struct pbsim_flow *flow);

/* ---- what happens ---- */

/* Runs until @until_ns of virtual time, or until nothing is left to happen. */
int pbsim_run(struct pbsim *s, uint64_t until_ns);
uint64_t pbsim_now(const struct pbsim *s);

/*
 * Those who look on are called @every_ns, from now on.  pbsim_flow_info() is what TCP
 * says of the sender's connection: false when there is none now.
 */
typedef void pbsim_look(void *ctx, struct pbsim *s, uint64_t now_ns);
void pbsim_on_look(struct pbsim *s, uint64_t every_ns, pbsim_look *fn, void *ctx);
bool pbsim_flow_info(struct pbsim *s, unsigned flow, struct tcp_conn_info *info);
/* Called for each segment of a flow that leaves its sender: from which byte, how many, and
 * whether it was sent before. */
typedef void pbsim_segment(void *ctx, unsigned flow, uint64_t now_ns, uint64_t offset,
			   uint32_t len, bool again);
void pbsim_on_segment(struct pbsim *s, pbsim_segment *fn, void *ctx);

/* ---- what came of it ---- */

struct pbsim_result {
	const char *name;
	uint64_t begun_ns, ended_ns; /* 0: not yet */
	uint64_t delivered;	     /* bytes that the receiving program read */
	uint64_t sent, retrans;	     /* bytes sent; of them, again */
	uint64_t fast_recoveries, rtos;
	uint32_t min_rtt_us, srtt_us;
	uint64_t count; /* rr: answers; mail: messages */
	/* Of rr and mail: how long one took. */
	uint64_t p50_ns, p99_ns, max_ns;
	char cc[16];
	int error; /* errno that ended it */
};

/* NULL: there is no such flow.  Valid until the next call. */
const struct pbsim_result *pbsim_result(struct pbsim *s, unsigned flow);
/* Bits a second that arrived, from the flow's begin to its end or to now. */
double pbsim_goodput(struct pbsim *s, unsigned flow);

struct pbsim_line_stats {
	const char *from, *to;
	uint64_t sent, delivered, delivered_bytes;
	uint64_t lost, reordered, duplicated, corrupted, too_long, no_memory;
	uint64_t queue_bytes; /* now */
	const struct aqm_stats *queue;
};

/* Direction @i, two for each link in the order of their making.  False: no more. */
bool pbsim_line_stats(struct pbsim *s, unsigned i, struct pbsim_line_stats *stats);
/* The most bytes that waited since it was asked last. */
uint64_t pbsim_line_peak(struct pbsim *s, unsigned i);

unsigned pbsim_n_flows(const struct pbsim *s);
uint64_t pbsim_n_events(const struct pbsim *s);
/* A hash of all packets that arrived, where and when. */
uint64_t pbsim_digest(const struct pbsim *s);
