/*
 * Two real struct tcp on a link that loses, doubles, delays and corrupts packets, in
 * virtual time, with programs that write and read as chance wants.  Everything follows
 * from the seed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pair_conf {
	uint64_t seed;
	unsigned n_conns;
	uint32_t bytes_max; /* of each direction */
	double loss, dup, reorder, corrupt;
	uint32_t delay_us;  /* one way */
	uint32_t rate_mbit; /* 0: no limit */
	uint32_t n_bufs;    /* of each side's pool; 0: plenty */
	uint32_t rcvbuf, sndbuf;
	bool sack, timestamps, window_scale, gso;
	uint8_t ecn[2];	   /* enum tcp_ecn of each end */
	double mark;	   /* of packets that may be marked */
	bool fastopen;	   /* the first bytes go with the SYN; not where packets double */
	bool whole_frames; /* the link carries super-frames as they are */
};

struct pair_result {
	uint64_t end_ns; /* virtual time that it took */
	uint64_t digest; /* of all packets on the link, in order */
	uint64_t n_packets, n_lost, n_marked;
	uint64_t ecn_reduced, fastopen_in; /* of both ends */
	uint64_t bytes;			   /* that arrived, both directions */
	uint64_t rto, fast_recovery;
};

/* A configuration with everything chosen by @seed. */
void pair_conf_random(struct pair_conf *conf, uint64_t seed);
/* Runs to the end; asserts that every stream arrived whole and nothing is out. */
void pair_run(const struct pair_conf *conf, struct pair_result *result);
