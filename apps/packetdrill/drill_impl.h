/*
 * The inside of the plug-in: wire.c has the other end of the wire, the clock and who may run
 * when; calls.c what POSIX has; plugin.c packets, and the beginning and the end.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/packetdrill/plugin.h"
#include "stack/base/list.h"
#include "stack/base/pkt.h"

struct pb_core;
struct pb_stack;
struct port;
struct sim;

enum { DRILL_FDS_MAX = 1024 };

/* A packet that the stack sent. */
struct drill_sent {
	struct list node;
	uint64_t at_ns;
	size_t len;
	uint8_t bytes[];
};

struct drill_sock {
	int s; /* the stack's number */
	bool is_open, nonblock;
};

struct drill {
	pthread_mutex_t lock;
	pthread_cond_t news, looked;
	unsigned n_waiting, n_to_look;
	struct sim *sim;
	struct pb_stack *stack;
	struct pb_core *core;
	struct pkt_pool pool;
	struct port *far; /* our end */
	uint64_t now_ns, base_us;
	struct list sent;
	struct drill_sock socks[DRILL_FDS_MAX];
};

/* wire.c */
/* An IP packet, or another, for the stack. */
void drill_put_frame(struct drill *d, const uint8_t to[6], uint16_t type,
		     const void *bytes, size_t len);
/* Everything that happens now.  When there is more to do. */
uint64_t drill_turn(struct drill *d);
void drill_run_until(struct drill *d, uint64_t end_ns);
/* The other thread may look whether its call comes through now, and does. */
void drill_let_look(struct drill *d);
/* Every call is between these two; what it did is sent. */
void drill_enter(struct drill *d);
void drill_leave(struct drill *d);
/* Of a call that blocks: sleeps until something happened; and it came through. */
void drill_wait(struct drill *d);
void drill_came_through(struct drill *d);

/* calls.c */
void drill_calls(struct packetdrill_interface *ifc);
