/*
 * One core: everything a CPU uses while packets flow, owned by one thread.
 *
 * Made by boot.c, turned by loop.c, put to sleep by wait.c, shown by metrics.c.  No
 * layer sees this struct: each is given its own part.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "eth/eth.h"
#include "ip/ip.h"
#include "stack/api/stack.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/trace.h"
#include "stack/base/verdict.h"
#include "stack/base/wheel.h"
#include "stack/sock/sock.h"

struct dhcp4;
struct neigh_table;
struct tcp;
struct udp;

enum { CORE_PROGRAMS_MAX = 16, CORE_WATCH_MAX = 64, CORE_EVENTS_MAX = 32 };

struct core_program {
	pb_program *fn; /* NULL: free */
	void *arg;
};

struct core_watch {
	int fd; /* -1: free */
	pb_watcher *fn;
	void *arg;
};

/* clang-format off */
#define TURN_COUNTERS(C)						\
	C(turns,	"turns of the loop")				\
	C(busy,		"turns that read a frame")			\
	C(sleeps,	"times the core went to sleep")			\
	C(rests,	"times it let bulk gather, instead")		\
	C(rx_frames,	"frames read from ports")
/* clang-format on */

struct turn_stats {
#define C(name, text) uint64_t name;
	TURN_COUNTERS(C)
#undef C
};

struct pb_core {
	uint64_t now_ns; /* of the turn */
	struct pkt_pool pool;
	struct wheel wheel;
	struct rng rng;
	struct hash_key key;
	struct neigh_table *neigh;
	struct ip *ip;
	struct udp *udp;
	struct dhcp4 *dhcp; /* NULL: addresses are configured */
	struct tcp *tcp;
	struct socks socks;
	struct addr addr; /* as configured; ADDR_NONE: none */
	unsigned n_eth;
	struct eth eth[IP_IFACE_MAX];
	uint64_t ended[V_COUNT]; /* frames by their verdict */
	bool look_again;	 /* the last turn read something: there may be more */
	uint32_t rx_bytes;	 /* read since the last core_wait() */
	struct turn_stats turn;
	struct trace trace;

	struct core_program programs[CORE_PROGRAMS_MAX];

	int epoll_fd, wake_fd;
	uint64_t polled_ns; /* when the host's descriptors were last looked at */
	struct core_watch watch[CORE_WATCH_MAX];
	_Atomic bool stop;
	_Atomic uintptr_t owner; /* thread that uses it, 0: none */
};

struct pb_stack {
	unsigned n_cores;
	struct pb_core **cores;
};

/* The core that this thread uses; NULL: none. */
struct pb_core *core_current(void);

/* ---- loop.c ---- */

/* One turn at @now_ns; when the next is needed, as pb_turn() says. */
uint64_t core_turn(struct pb_core *co, uint64_t now_ns);
/* When the next turn is needed if nothing arrives: 0 at once, UINT64_MAX never. */
uint64_t core_due(const struct pb_core *co);

/* ---- wait.c ---- */

/* 0 or -errno. */
int core_wait_init(struct pb_core *co);
void core_wait_fini(struct pb_core *co);
/* Sleeps at most until @until_ns or the next turn that is needed, not at all while a
 * ready set has news; and runs watchers of descriptors that are ready. */
void core_wait(struct pb_core *co, uint64_t until_ns);
/* Runs watchers without sleeping, at most once a millisecond. */
void core_poll_host(struct pb_core *co);
