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
#include "stack/api/stack.h"
#include "stack/base/list.h"
#include "stack/base/pkt.h"

struct pb_ready;
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

/* What a descriptor of the tool stands for: a socket, or a ready set. */
struct drill_sock {
	int s;			  /* the stack's number */
	struct pb_ready *set;	  /* NULL: it is a socket */
	struct epoll_event event; /* as the script added it to a set */
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
	struct pb_stack_conf conf;
	const char *sysctl; /* directory with Linux's settings, or NULL */
	long n_flushed;	    /* times that the script had Linux forget cookies */
	unsigned mtu, mss;  /* mss 0: what fits */
	uint64_t now_ns, base_us;
	struct list sent;
	struct drill_sock socks[DRILL_FDS_MAX];
};

/* plugin.c */
/* Opens the stack: not before the script's first line has told its settings. */
void drill_open(struct drill *d);

/* sysctl.c */
/* What the script set of Linux's settings, as far as we have the same. */
void drill_sysctl_before(struct drill *d);
void drill_sysctl_after(struct drill *d);
/* Those of Fast Open, which scripts change as they go on. */
void drill_sysctl_fastopen(struct drill *d);

/* poll.c */
/* Writing to the socket of that number of the stack would not wait. */
bool drill_may_write(int number);
int drill_poll(void *arg, struct pollfd *fds, nfds_t n, int timeout);
void drill_poll_calls(struct packetdrill_interface *ifc);

/* wire.c */
/* An IP packet for the stack. */
void drill_put_packet(struct drill *d, const void *bytes, size_t len);
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
/* The socket of that descriptor; NULL and EBADF. */
struct drill_sock *drill_sock_of(struct drill *d, int fd);
void drill_calls(struct packetdrill_interface *ifc);
