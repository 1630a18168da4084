/*
 * Two whole stacks, 192.0.2.1 and 192.0.2.2, on a simulated link in virtual time; with
 * two_open6() they are 2001:db8::1 and 2001:db8::2, too.
 *
 * A test opens them, lets its own program run after each turn of a core, and closes
 * them; two_close() checks that nothing is left in any pool.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eth/port_sim.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"

struct two {
	struct sim *sim;
	struct pb_stack *stack[2];
	struct pb_core *core[2];
	uint64_t now_ns;
	uint64_t n_turns;
};

/* A perfect wire of 1 ms each way when @link is NULL. */
void two_open(struct two *t, uint64_t seed, const struct sim_link_conf *link);
/* The same, with the rest of the configuration of both as @conf says: an addr6 there
 * means that both have one, as two_open6() gives them. */
void two_open_conf(struct two *t, uint64_t seed, const struct sim_link_conf *link,
		   const struct pb_stack_conf *conf);

/* two_open() with IPv6, too. */
void two_open6(struct two *t, uint64_t seed, const struct sim_link_conf *link);

/* The thread works on end @i now. */
void two_use(struct two *t, unsigned i);
/* 192.0.2.(1 + @i), @port. */
struct sockaddr_in two_addr(unsigned i, uint16_t port);

/* 2001:db8::(1 + @i), @port. */
struct sockaddr_in6 two_addr6(unsigned i, uint16_t port);

/* A program of end @i, after each of its turns; true: it is through. */
typedef bool two_program(void *arg, unsigned i, uint64_t now_ns);
/*
 * Runs both until both programs are through, or @limit_ns of virtual time is over:
 * true in the first case.  Without a program, runs for @limit_ns.
 */
bool two_run(struct two *t, two_program *program, void *arg, uint64_t limit_ns);

/* Waits for TIME-WAITs to end, checks that nothing is out, frees everything. */
void two_close(struct two *t);
