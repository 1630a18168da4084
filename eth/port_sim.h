/*
 * A simulated network: links between the stacks of one process, in virtual time.
 *
 * The program or test makes one struct sim from a seed, adds links, and opens ports
 * "sim:LINK/0" and "sim:LINK/1" with the sim in port_conf.  All of it belongs to one
 * thread.  Nothing happens by itself: a frame that is sent gets its time of arrival,
 * and the port at the other end gives it out at the first rx burst that is told that
 * time or a later one.  A loop in virtual time jumps to the earliest of sim_due() and
 * its cores' timers.
 *
 *	struct sim *sim = sim_new(seed);
 *	struct sim_link_conf conf = { .dir = { { .delay_ns = 5 * NS_PER_MS } } };
 *	conf.dir[1] = conf.dir[0];
 *	sim_link_add(sim, "wan", &conf);
 *
 * The way of a frame through one direction, each step counted in struct sim_stats:
 *
 *   sent -> filter -> longer than the MTU? -> queue -> wire at @rate_bps -> lost?
 *        -> delay, jitter -> reordered? -> corrupted? -> duplicated? -> delivered
 *
 * Each direction draws its own chances, so what happens in one does not change the
 * luck of another.  What is sent to an end where no port is open is lost, and so is
 * what was under way to a port when it was closed.  The same seed and the same calls give the same frames at the same
 * nanoseconds; sim_digest() is a hash of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim;

enum {
	SIM_LINK_MAX = 64,
	SIM_NAME_LEN = 32,
	SIM_FLIGHT_BYTES_MAX = 64 << 20, /* of one direction, queue and wire together */
};

/* One direction of a link.  Zeros are a perfect wire. */
struct sim_dir_conf {
	uint64_t rate_bps;    /* bits of Ethernet frames a second; 0: no limit */
	uint64_t delay_ns;    /* from the last bit sent to its arrival */
	uint64_t jitter_ns;   /* up to so much more, evenly; frames keep their order */
	uint32_t queue_bytes; /* waiting for the wire, beyond it frames are dropped; one
				 frame always fits.  0: no limit */
	uint16_t mtu;	      /* longest IP packet that passes; 0: PORT_MTU */
	/* Probabilities of a frame, 0 to 1. */
	double loss;
	double reorder; /* to be late by @reorder_ns, and overtaken */
	double duplicate;
	double corrupt; /* one bit of it is turned */
	uint64_t reorder_ns;
};

struct sim_link_conf {
	struct sim_dir_conf dir[2]; /* [0]: from end 0 to end 1 */
	/* Super-frames and partial sums pass, as on a TAP; a super-frame is on the wire
	 * as long as its segments, and shares one fate. */
	bool offload;
	/* A link of two ends without stations: frames are IP packets, and nothing else. */
	bool point_to_point;
};

struct sim_stats {
	uint64_t sent, delivered, delivered_bytes;
	uint64_t filtered, too_long, queue_full, flight_full;
	uint64_t lost, reordered, corrupted, duplicated;
	uint64_t no_receiver; /* lost because no port was open at the other end */
	uint64_t no_memory;   /* lost because the receiver's pool was empty */
};

/* NULL: no memory. */
struct sim *sim_new(uint64_t seed);
/*
 * A sim whose network is a program's own: it has no links, and each port "sim:TEXT" is
 * one that @open makes, which is called with @ctx, TEXT and the rest as port_ops.open().
 * NULL: no memory.
 */
struct port;
struct port_conf;
typedef int sim_open_fn(void *ctx, const char *arg, const struct port_conf *conf,
			struct port **port, char *error);
struct sim *sim_of(sim_open_fn *open, void *ctx);
/* All its ports must be closed.  Frames in flight are gone. */
void sim_free(struct sim *sim);

/* 0, -EEXIST, -ENOSPC, -ENOMEM, or -EINVAL for a name that is empty, too long or has
 * a slash. */
int sim_link_add(struct sim *sim, const char *name, const struct sim_link_conf *conf);
/* Changes one direction of link @name for frames sent from now on.  0 or -ENOENT. */
int sim_link_set(struct sim *sim, const char *name, unsigned dir,
		 const struct sim_dir_conf *conf);

/*
 * Called with each frame that is sent in a direction; false: it is lost.  For tests
 * that must lose just this one, or look at all.  0 or -ENOENT.
 */
typedef bool sim_filter(void *ctx, const uint8_t *frame, uint32_t len, uint64_t now_ns);
int sim_link_filter(struct sim *sim, const char *name, unsigned dir, sim_filter *fn,
		    void *ctx);

/* Of one direction; NULL: there is no such link. */
const struct sim_stats *sim_link_stats(const struct sim *sim, const char *name,
				       unsigned dir);

/* When the next frame arrives at a port; UINT64_MAX: none is under way. */
uint64_t sim_due(const struct sim *sim);
/* A hash of all frames delivered so far, where and when. */
uint64_t sim_digest(const struct sim *sim);
