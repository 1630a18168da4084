/*
 * What the simulator is made of.  For apps/pbsim/ and its tests.
 *
 *	host.c -> line.c -> router.c -> line.c -> host.c
 *	   ^ flow.c, flow_*.c: the programs
 *
 * One struct pbsim owns everything that is named here.
 */
#pragma once

#include <stdio.h>

#include "apps/pbsim/event.h"
#include "apps/pbsim/frame.h"
#include "apps/pbsim/pbsim.h"
#include "stack/base/addr.h"
#include "stack/base/rng.h"

struct eth;
struct pb_core;
struct pb_ready;
struct pb_stack;
struct port;
struct port_conf;
struct sim;
struct talk;

/* Who has a link. */
struct node {
	struct pbsim *s;
	char name[PBSIM_NAME_LEN];
	unsigned number;
	struct host *host; /* NULL: a router */
	struct line **out; /* the lines that begin here */
	unsigned n_out;
	/* Router: the line to each node, by its number; NULL: there is no way. */
	struct line **way;
};

/* One direction of a link. */
struct line {
	struct pbsim *s;
	struct event event;
	struct node *from, *to;
	struct pbsim_line conf;
	struct aqm *queue;
	struct rng rng;
	struct frame *wire; /* on it now, until @free_ns */
	uint64_t free_ns;
	uint64_t part;	    /* and rate_bps'ths of a nanosecond */
	uint64_t last_ns;   /* latest arrival of a frame that kept its order */
	struct list flight; /* behind the wire, by arrival */
	bool bad;	    /* the state of Gilbert and Elliott */
	struct capture *capture;
	struct pbsim_line_stats stats;
};

/* The file of a link. */
struct capture {
	FILE *file;
	struct line *out; /* the direction that the file calls "out" */
	struct capture *next;
};

struct host {
	struct node *node;
	struct event event;
	struct addr addr;
	struct pbsim_host conf;
	struct pb_stack *stack;
	struct pb_core *core;
	struct pb_ready *ready;
	struct port *port;
	struct list arrived; /* frames for the port */
	bool again;	     /* a program has news of its own making */
};

struct pbsim {
	uint64_t seed, now_ns, n_events, digest;
	char error[PBSIM_ERROR_LEN];
	struct event_heap heap;
	struct frame_shop shop;
	struct sim *net; /* opens the hosts' ports */
	struct node **nodes;
	unsigned n_nodes, n_hosts;
	struct line **lines;
	unsigned n_lines;
	struct talk **talks;
	unsigned n_talks;
	struct host **by_addr; /* sorted */
	struct capture *captures;
	bool ready; /* ways are known */
	struct event look_event;
	uint64_t look_every_ns;
	pbsim_look *look;
	void *look_ctx;
	pbsim_segment *segment;
	void *segment_ctx;
};

/* Writes the sentence, and returns -@err. */
int pbsim_fail(struct pbsim *s, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A seed for what is called @what. */
uint64_t pbsim_seed(const struct pbsim *s, const char *what, uint64_t number);
/* @array, which has @n, gets one more.  False: no memory. */
bool pbsim_append(void ***array, unsigned *n, void *item);
struct node *pbsim_node(const struct pbsim *s, const char *name);

/* ---- line.c ---- */

/* NULL: no memory. */
struct line *line_new(struct pbsim *s, struct node *from, struct node *to,
		      const struct pbsim_line *conf);
void line_free(struct line *l);
/* Takes @f. */
void line_send(struct line *l, struct frame *f, uint64_t now_ns);

/* ---- capture.c ---- */

void capture_frame(struct line *l, const struct frame *f, uint64_t now_ns);
/* 0, or -errno when not all was written. */
int capture_close(struct capture *c);

/* ---- router.c ---- */

/* Ways from each router to each host.  0 or -errno. */
int router_find_ways(struct pbsim *s);
/* Takes @f, which arrived at @n. */
void router_input(struct node *n, struct frame *f, uint64_t now_ns);
struct host *router_host_of(const struct pbsim *s, const struct addr *addr);

/* ---- host.c ---- */

bool host_knows_ecn(const char *name);
/* Opens its stack, once its link is there.  0 or -errno. */
int host_open(struct host *h);
void host_close(struct host *h);
void host_input(struct host *h, struct frame *f);
/* The thread works on its core now. */
void host_use(struct host *h);
/* It has a turn at @now_ns. */
void host_wake(struct host *h, uint64_t now_ns);
int host_open_port(void *ctx, const char *arg, const struct port_conf *conf,
		   struct port **port, char *error);

/* ---- flow.c ---- */

void talk_free(struct talk *t);
/* The server listens, the client will begin.  0 or -errno. */
int talk_open(struct talk *t);
/* A segment of one of our flows leaves its host. */
void talk_segment(struct pbsim *s, const struct host *h, const struct frame *f,
		  uint64_t now_ns);
