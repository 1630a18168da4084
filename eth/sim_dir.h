/*
 * One direction of a simulated link: the model of port_sim.h.  For port_sim.c and
 * its tests only.
 */
#pragma once

#include "eth/port_sim.h"
#include "stack/base/list.h"
#include "stack/base/rng.h"

struct pkt;

struct sim_frame {
	struct list node; /* in sim_dir.flight, by arrival */
	uint64_t at_ns;	  /* arrival */
	uint32_t len;
	uint16_t gso_len;
	bool sum_ok; /* the sender's stack vouches for the checksum */
	uint8_t bytes[];
};

struct sim_dir {
	struct sim_dir_conf conf;
	struct sim_stats stats;
	struct rng rng;
	uint32_t link_len; /* bytes of the link's own header */
	sim_filter *filter;
	void *filter_ctx;
	struct list flight;
	uint64_t flight_bytes;
	/*
	 * When the wire is free again: @busy_ns and @busy_part / rate_bps of a nanosecond.
	 * With the fraction kept, a thousand frames take exactly a thousand times as long
	 * as one.
	 */
	uint64_t busy_ns, busy_part;
	uint64_t last_ns; /* latest arrival of a frame that kept its order */
};

void sim_dir_init(struct sim_dir *d, const struct sim_dir_conf *conf, uint64_t seed);
/* Frees what is in flight. */
void sim_dir_fini(struct sim_dir *d);
void sim_dir_set(struct sim_dir *d, const struct sim_dir_conf *conf);

/* Sends a copy of @p, which is only read. */
void sim_dir_send(struct sim_dir *d, const struct pkt *p, uint64_t now_ns);
/* The arrival of the first frame in flight; UINT64_MAX: none. */
uint64_t sim_dir_due(const struct sim_dir *d);
/* The first frame if it has arrived, now the caller's to free(); NULL: none. */
struct sim_frame *sim_dir_take(struct sim_dir *d, uint64_t now_ns);
