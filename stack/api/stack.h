/*
 * Packetboat: a TCP/IP stack in your process.
 *
 * A stack has cores; a core has its own ports, memory and connections, and is used
 * by one thread.  The thread that calls pb_core_use() owns the core from then on;
 * the socket calls of sock.h work on the core the thread used last, and fail with
 * ENXIO in a thread that owns none.
 *
 *	struct pb_stack *st;
 *	struct pb_stack_conf conf;
 *	pb_stack_conf_init(&conf);
 *	conf.port = "tap:pb0";
 *	conf.addr = "192.0.2.2/24";
 *	if (pb_stack_open(&conf, &st, error))
 *		errx(1, "%s", error);
 *	pb_core_use(pb_stack_core(st, 0));
 *	for (;;) {
 *		pb_turn(pb_clock());
 *		... pb_ready_wait(), pb_recv(), pb_send() ...
 *		pb_wait(UINT64_MAX);
 *	}
 *
 * or pb_run() with programs added by pb_program_add(), for those who do not want to
 * own the loop.  Time is an argument of pb_turn(): give it a virtual clock and the
 * whole stack runs in virtual time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PB_API __attribute__((visibility("default")))

struct pb_core;
struct pb_stack;

enum { PB_ERROR_LEN = 256 };

struct pb_stack_conf {
	unsigned n_cores;
	const char *port;	/* "tap:pb0", "tun:pb0", "packet:eth0", "pcap:FILE:..." */
	const char *addr;	/* "192.0.2.2/24" */
	const char *gateway;	/* "192.0.2.1", or NULL */
	const char *addr6;	/* "2001:db8::2/64", or NULL: no IPv6 */
	const char *gateway6;	/* "2001:db8::1" or "fe80::1", or NULL */
	const char *host_addr6; /* tap, tun: the host's side, "2001:db8::1/64", or NULL */
	int autoconf6; /* hear routers: addresses and routes by SLAAC (default 0) */
	const char *iid_secret; /* of our interface identifiers (RFC 7217); NULL: new ones
				 * with each start */
	/* Ask a DHCP server for address, routes and MTU (see dhcp.h).  @gateway is NULL
	 * then, and @addr an address to ask for first, or NULL. */
	int dhcp;
	unsigned vlan;	 /* 802.1Q: 1 to 4094, of the port; 0: no tags */
	const char *mac; /* NULL: made from the port */
	unsigned mtu;	 /* 0: of the port */
	int offload;	 /* use the port's offloads (default 1) */
	int probe_addr;	 /* look for conflicts before use, RFC 5227 */
	const char *
		host_addr; /* tap, tun: the host's side, "192.0.2.1/24"; NULL: leave it */
	int persist;	   /* tap, tun: keep the device after us */
	uint32_t n_bufs;   /* buffers of 4 KiB of each core */
	uint32_t max_conns;	 /* connections of each core */
	uint32_t max_syn;	 /* half-open, before SYN cookies */
	uint32_t rcvbuf, sndbuf; /* bytes of a connection */
	uint32_t time_wait_ms;
	const char *cc;	   /* congestion control */
	unsigned ecn;	   /* PB_TCP_ECN of sock.h, for all */
	unsigned fastopen; /* bits of Linux's sysctl tcp_fastopen: 1 clients, 2 servers */
	uint64_t seed;	   /* of all random numbers; 0: from the kernel */
	uint64_t now_ns;   /* the clock's first value; 0: pb_clock() */
	void *sim;	   /* for "sim:" ports: the struct sim of eth/port_sim.h */
};

PB_API void pb_stack_conf_init(struct pb_stack_conf *conf);

/* 0; or -errno and a sentence for the user in @error.  @conf is copied. */
PB_API int pb_stack_open(const struct pb_stack_conf *conf, struct pb_stack **stack,
			 char error[PB_ERROR_LEN]);
/*
 * No other thread may be using a core.  Connections end without a word, those that
 * pb_close() closed too, unless pb_drain() let them finish.
 */
PB_API void pb_stack_close(struct pb_stack *stack);
PB_API unsigned pb_stack_n_cores(const struct pb_stack *stack);
PB_API struct pb_core *pb_stack_core(struct pb_stack *stack, unsigned i);

/* What RFC 5227 has to say about the address of a core. */
enum pb_addr_state {
	PB_ADDR_NONE,	  /* it was given none */
	PB_ADDR_PROBING,  /* asking whether somebody has it: not to be used yet */
	PB_ADDR_READY,	  /* ours */
	PB_ADDR_CONFLICT, /* somebody has it: not to be used, asked again in a minute */
	PB_ADDR_ASKING,	  /* DHCP has not found one yet */
};

struct pb_addr_info {
	enum pb_addr_state state;
	uint64_t n_conflicts; /* claims of it by other stations */
	uint8_t rival[6];     /* Ethernet address of the one that made the last */
};

PB_API void pb_addr_get(struct pb_core *core, struct pb_addr_info *info);

/* This thread works on @core now (NULL: on none).  0, or EBUSY as -1/errno when
 * another thread owns it. */
PB_API int pb_core_use(struct pb_core *core);

/* The core's clock: CLOCK_MONOTONIC in nanoseconds. */
PB_API uint64_t pb_clock(void);

/*
 * One turn of this thread's core: messages, received frames, timers, socket news,
 * programs, then everything that wants to be sent.  Returns the time of the next
 * turn that is needed if nothing arrives: @now_ns when there is more to do at once,
 * UINT64_MAX for never.
 */
PB_API uint64_t pb_turn(uint64_t now_ns);

/*
 * Sleeps until a frame or a message arrives, a timer of the core is due, a watched
 * descriptor is ready, or @until_ns of pb_clock().  Returns at once when a turn is
 * needed now, for one because something was sent since the last, and when a ready set
 * has news.
 */
PB_API void pb_wait(uint64_t until_ns);

/*
 * All that ends pb_wait() but time, as one epoll descriptor, for programs that sleep in
 * a poll of their own: readable when a frame came, a watched descriptor is ready, or
 * pb_wake() was called.  Such a program polls it until the time that pb_turn() said,
 * not at all when it sent something since; then pb_wait(0) runs the watchers, and
 * pb_turn() the rest.
 */
PB_API int pb_core_fd(struct pb_core *core);

/* Runs @fn each turn, before the core speaks; of several each once, in no order that
 * is promised.  0, or -1 and ENOSPC when there are 16. */
typedef void pb_program(void *arg, uint64_t now_ns);
PB_API int pb_program_add(struct pb_core *core, pb_program *fn, void *arg);
PB_API void pb_program_del(struct pb_core *core, pb_program *fn, void *arg);

/* Calls @fn from the turn after host descriptor @fd became readable.  0, or -1 and
 * errno: ENOSPC, or why epoll(7) does not take it. */
typedef void pb_watcher(void *arg, int fd);
PB_API int pb_watch(struct pb_core *core, int fd, pb_watcher *fn, void *arg);
PB_API void pb_unwatch(struct pb_core *core, int fd);

/*
 * Turns and sleeps until the connections of this thread's core have ended, which the
 * program has closed, or until @until_ns of pb_clock(): what is queued is sent, and
 * peers hear of the end.  TIME-WAIT is not waited for.  0, or -1 and errno: ETIMEDOUT,
 * ENXIO.
 */
PB_API int pb_drain(uint64_t until_ns);

/* Turn and wait until pb_stop(), which may be called from any thread or handler, and
 * ends one pb_run(): this one, or when there is none, the next. */
PB_API void pb_run(void);
PB_API void pb_stop(struct pb_core *core);
/* Ends a pb_wait() of that core, from any thread. */
PB_API void pb_wake(struct pb_core *core);
