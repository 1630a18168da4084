#include "tests/lib/two.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "stack/base/clock.h"

enum { BUFS = 4096, CONNS = 1024, TURNS_MAX = 100000000 };

static void open_end(struct two *t, unsigned i, uint64_t seed,
		     const struct pb_stack_conf *with)
{
	static const char *const ports[] = { "sim:wire/0", "sim:wire/1" };
	static const char *const addrs[] = { "192.0.2.1/24", "192.0.2.2/24" };
	static const char *const addrs6[] = { "2001:db8::1/64", "2001:db8::2/64" };
	static const char *const macs[] = { "02:00:00:00:00:01", "02:00:00:00:00:02" };
	struct pb_stack_conf conf = *with;
	char error[PB_ERROR_LEN];

	conf.port = ports[i];
	conf.addr = addrs[i];
	if (with->addr6)
		conf.addr6 = addrs6[i];
	conf.mac = macs[i];
	conf.seed = seed * 2 + i + 1;
	conf.now_ns = t->now_ns;
	conf.sim = t->sim;
	cr_assert_eq(pb_stack_open(&conf, &t->stack[i], error), 0, "%s", error);
	t->core[i] = pb_stack_core(t->stack[i], 0);
}

void two_open_conf(struct two *t, uint64_t seed, const struct sim_link_conf *link,
		   const struct pb_stack_conf *conf)
{
	static const struct sim_link_conf wire = {
		.dir = { { .delay_ns = NS_PER_MS }, { .delay_ns = NS_PER_MS } },
	};

	*t = (struct two){ .now_ns = 1000 * NS_PER_S };
	t->sim = sim_new(seed);
	cr_assert_not_null(t->sim);
	cr_assert_eq(sim_link_add(t->sim, "wire", link ? link : &wire), 0);
	open_end(t, 0, seed, conf);
	open_end(t, 1, seed, conf);
}

static void small_conf(struct pb_stack_conf *conf)
{
	pb_stack_conf_init(conf);
	conf->n_bufs = BUFS;
	conf->max_conns = CONNS;
	conf->max_syn = CONNS;
}

void two_open(struct two *t, uint64_t seed, const struct sim_link_conf *link)
{
	struct pb_stack_conf conf;

	small_conf(&conf);
	two_open_conf(t, seed, link, &conf);
}

void two_open6(struct two *t, uint64_t seed, const struct sim_link_conf *link)
{
	struct pb_stack_conf conf;

	small_conf(&conf);
	conf.addr6 = "";
	two_open_conf(t, seed, link, &conf);
}

void two_use(struct two *t, unsigned i)
{
	cr_assert_eq(pb_core_use(t->core[i]), 0);
}

struct sockaddr_in two_addr(unsigned i, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(0xc0000201 + i),
	};
}

struct sockaddr_in6 two_addr6(unsigned i, uint16_t port)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(1 + i) },
	};
}

bool two_run(struct two *t, two_program *program, void *arg, uint64_t limit_ns)
{
	uint64_t end = t->now_ns + limit_ns;

	while (t->n_turns++ < TURNS_MAX) {
		uint64_t next = sim_due(t->sim);
		bool through = program != NULL;

		for (unsigned i = 0; i < 2; i++) {
			uint64_t due;

			two_use(t, i);
			due = pb_turn(t->now_ns);
			if (program && !program(arg, i, t->now_ns))
				through = false;
			/* What the program wrote leaves at once. */
			if (program && due > t->now_ns)
				due = pb_turn(t->now_ns);
			next = due < next ? due : next;
		}
		if (through)
			return true;
		if (sim_due(t->sim) < next)
			next = sim_due(t->sim);
		if (next > end) {
			t->now_ns = end;
			return false;
		}
		if (next > t->now_ns)
			t->now_ns = next;
	}
	cr_assert_fail("time does not move on");
	return false;
}

void two_close(struct two *t)
{
	two_run(t, NULL, NULL, 300 * NS_PER_S);
	for (unsigned i = 0; i < 2; i++) {
		struct pb_out out;

		two_use(t, i);
		pb_out_get(t->core[i], &out);
		cr_assert_eq(out.packets, 0, "end %u: %u packets are out", i,
			     out.packets);
		cr_assert_eq(out.buffers, 0, "end %u: %u buffers are out", i,
			     out.buffers);
		cr_assert_eq(out.conns, 0, "end %u: %u connections", i, out.conns);
		cr_assert_eq(out.sockets, 0, "end %u: %u sockets", i, out.sockets);
		cr_assert_eq(out.half_open, 0, "end %u: %u half open", i, out.half_open);
		cr_assert_eq(out.time_wait, 0, "end %u: %u TIME-WAIT", i, out.time_wait);
		pb_core_use(NULL);
	}
	pb_stack_close(t->stack[0]);
	pb_stack_close(t->stack[1]);
	sim_free(t->sim);
}
