#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "stack/api/dhcp.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/* ---- configurations that cannot be ---- */

static struct pb_stack_conf conf_with_sim(struct sim *sim)
{
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	conf.port = "sim:wire/0";
	conf.addr = "192.0.2.1/24";
	conf.n_bufs = 256;
	conf.max_conns = 16;
	conf.seed = 1;
	conf.now_ns = NS_PER_S;
	conf.sim = sim;
	return conf;
}

static struct sim *wire(void)
{
	struct sim_link_conf perfect = { 0 };
	struct sim *sim = sim_new(1);

	cr_assert_not_null(sim);
	cr_assert_eq(sim_link_add(sim, "wire", &perfect), 0);
	return sim;
}

static void refused(const struct pb_stack_conf *conf, const char *what)
{
	struct pb_stack *stack;
	char error[PB_ERROR_LEN] = "";

	cr_assert_lt(pb_stack_open(conf, &stack, error), 0, "%s was accepted", what);
	cr_assert_not_null(strstr(error, what), "\"%s\" does not name %s", error, what);
}

Test(core, refuses_a_wrong_configuration_and_names_what_it_read)
{
	struct sim *sim = wire();
	struct pb_stack_conf good = conf_with_sim(sim), conf;

	conf = good, conf.port = NULL, refused(&conf, "port");
	conf = good, conf.port = "carrier-pigeon:7", refused(&conf, "carrier-pigeon");
	conf = good, conf.port = "sim:other/0", refused(&conf, "other");
	conf = good, conf.addr = "192.0.2.300/24", refused(&conf, "192.0.2.300/24");
	conf = good, conf.addr = "224.0.0.1/24", refused(&conf, "224.0.0.1/24");
	conf = good, conf.addr = "192.0.2.255/24",
	refused(&conf, "no station can have it");
	conf = good, conf.gateway = "next door", refused(&conf, "next door");
	conf = good, conf.gateway = "10.0.0.1", refused(&conf, "not in the subnet");
	conf.dhcp = 1, refused(&conf, "but DHCP finds one");
	conf = good, conf.vlan = 4095, refused(&conf, "4095");
	conf = good, conf.vlan = 10, conf.host_addr = "192.0.2.2/24";
	refused(&conf, "VLAN 10");
	conf = good, conf.host_addr = "x", refused(&conf, "host_addr");
	conf = good, conf.mac = "00:11", refused(&conf, "00:11");
	conf = good, conf.mtu = 20, refused(&conf, "20");
	conf = good, conf.n_bufs = 1U << 30, refused(&conf, "1073741824");
	conf = good, conf.n_cores = 2, refused(&conf, "cores");
	conf = good, conf.ecn = 6, refused(&conf, "ecn");
	conf = good, conf.cc = "guess", refused(&conf, "layers");
	sim_free(sim);
}

Test(core, opens_and_closes_without_a_trace)
{
	struct sim *sim = wire();
	struct pb_stack_conf conf = conf_with_sim(sim);
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
		cr_assert_eq(pb_stack_n_cores(stack), 1);
		cr_assert_null(pb_stack_core(stack, 1));
		pb_stack_close(stack);
	}
	sim_free(sim);
}

/* ---- whose the address is ---- */

static struct pb_stack *open_end(struct sim *sim, const char *port, bool probe)
{
	struct pb_stack_conf conf = conf_with_sim(sim);
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];

	conf.port = port;
	conf.probe_addr = probe;
	cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
	return stack;
}

/* Turns @n cores for ten seconds of virtual time, from @now_ns on. */
static void pass_ten_seconds(struct pb_stack *const *stacks, unsigned n, uint64_t now_ns)
{
	for (unsigned ms = 0; ms < 10000; ms++, now_ns += NS_PER_MS) {
		for (unsigned i = 0; i < n; i++) {
			cr_assert_eq(pb_core_use(pb_stack_core(stacks[i], 0)), 0);
			pb_turn(now_ns);
		}
	}
	pb_core_use(NULL);
}

static struct pb_addr_info info_of(struct pb_stack *stack)
{
	struct pb_addr_info info;

	pb_addr_get(pb_stack_core(stack, 0), &info);
	return info;
}

Test(core_addr, is_ready_when_nobody_minded)
{
	struct sim *sim = wire();
	struct pb_stack *stack = open_end(sim, "sim:wire/0", true);

	cr_assert_eq(info_of(stack).state, PB_ADDR_PROBING);
	pass_ten_seconds(&stack, 1, NS_PER_S);
	cr_assert_eq(info_of(stack).state, PB_ADDR_READY);
	cr_assert_eq(info_of(stack).n_conflicts, 0);
	pb_stack_close(stack);
	sim_free(sim);
}

Test(core_addr, is_asked_for_by_dhcp_as_long_as_nobody_gives_one)
{
	struct sim *sim = wire();
	struct pb_stack_conf conf = conf_with_sim(sim);
	struct pb_dhcp_info lease;
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];

	conf.addr = NULL;
	conf.dhcp = 1;
	cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
	cr_assert_eq(info_of(stack).state, PB_ADDR_ASKING);
	pass_ten_seconds(&stack, 1, NS_PER_S);
	cr_assert_eq(info_of(stack).state, PB_ADDR_ASKING);
	pb_dhcp_get(pb_stack_core(stack, 0), &lease);
	cr_assert_str_eq(lease.state, "SELECTING");
	cr_assert_eq(lease.addr.s_addr, INADDR_ANY);
	pb_stack_close(stack);
	sim_free(sim);
}

Test(core_addr, of_another_is_a_conflict_and_says_whose)
{
	static const uint8_t none[6];
	struct sim *sim = wire();
	struct pb_stack *both[2] = { open_end(sim, "sim:wire/0", false),
				     open_end(sim, "sim:wire/1", true) };
	struct pb_addr_info info;

	cr_assert_eq(info_of(both[0]).state, PB_ADDR_READY);
	pass_ten_seconds(both, 2, NS_PER_S);
	info = info_of(both[1]);
	cr_assert_eq(info.state, PB_ADDR_CONFLICT);
	cr_assert_gt(info.n_conflicts, 0);
	cr_assert_neq(memcmp(info.rival, none, sizeof(none)), 0);
	cr_assert_eq(info_of(both[0]).state, PB_ADDR_READY);
	pb_stack_close(both[0]);
	pb_stack_close(both[1]);
	sim_free(sim);
}

Test(core_addr, there_may_be_none)
{
	struct sim *sim = wire();
	struct pb_stack_conf conf = conf_with_sim(sim);
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];

	conf.addr = NULL;
	cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
	cr_assert_eq(info_of(stack).state, PB_ADDR_NONE);
	pb_stack_close(stack);
	sim_free(sim);
}

/* ---- the end ---- */

Test(core_drain, waits_for_connections_that_were_closed_and_only_so_long)
{
	struct sim *sim = wire();
	struct pb_stack_conf conf = conf_with_sim(sim);
	struct sockaddr_in at = two_addr(0, 80);
	int listener, client, server;
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];
	struct pb_out out;

	pb_core_use(NULL);
	cr_assert_eq(pb_drain(0), -1);
	cr_assert_eq(errno, ENXIO);
	conf.now_ns = 0;
	cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
	pb_core_use(pb_stack_core(stack, 0));
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	pb_listen(listener, 8);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	while ((server = pb_accept(listener, NULL, NULL)) < 0)
		pb_turn(pb_clock());
	cr_assert_eq(pb_drain(0), -1);
	cr_assert_eq(errno, ETIMEDOUT);
	cr_assert_eq(pb_send(client, "last words", 10, 0), 10);
	pb_close(client);
	pb_close(server);
	pb_close(listener);
	cr_assert_eq(pb_drain(UINT64_MAX), 0);
	pb_out_get(pb_stack_core(stack, 0), &out);
	cr_assert_eq(out.conns + out.packets + out.sockets, 0);
	pb_core_use(NULL);
	pb_stack_close(stack);
	sim_free(sim);
}

/* ---- a core that runs ---- */

static struct two t;

static void setup(void)
{
	two_open(&t, 3, NULL);
}

static void clean(void)
{
	two_close(&t);
}

Cases(core_turn, setup, clean);

Case(core_turn, connection_to_ourselves_works)
{
	struct sockaddr_in at = two_addr(0, 80);
	int listener, client, server;
	char got[8] = { 0 };

	two_use(&t, 0);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	pb_listen(listener, 8);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	two_run(&t, NULL, NULL, 10 * NS_PER_MS);
	two_use(&t, 0);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	cr_assert_eq(pb_send(client, "self", 4, 0), 4);
	two_run(&t, NULL, NULL, 10 * NS_PER_MS);
	two_use(&t, 0);
	cr_assert_eq(pb_recv(server, got, sizeof(got), 0), 4);
	cr_assert_str_eq(got, "self");
	pb_close(client);
	pb_close(server);
	pb_close(listener);
}

Case(core_turn, turn_without_a_core_says_so)
{
	pb_core_use(NULL);
	errno = 0;
	cr_assert_eq(pb_turn(t.now_ns), UINT64_MAX);
	cr_assert_eq(errno, ENXIO);
}

static void count(void *arg, uint64_t now_ns)
{
	(void)now_ns;
	++*(int *)arg;
}

Case(core_turn, programs_run_each_turn_until_taken_off)
{
	int n = 0;

	cr_assert_eq(pb_program_add(t.core[0], count, &n), 0);
	two_use(&t, 0);
	pb_turn(t.now_ns);
	pb_turn(t.now_ns);
	cr_assert_eq(n, 2);
	pb_program_del(t.core[0], count, &n);
	pb_turn(t.now_ns);
	cr_assert_eq(n, 2);
}

struct quitter {
	struct pb_core *core;
	int n;
};

static void quit(void *arg, uint64_t now_ns)
{
	struct quitter *q = arg;

	(void)now_ns;
	q->n++;
	pb_program_del(q->core, quit, q);
}

Case(core_turn, program_that_leaves_takes_no_turn_from_another)
{
	struct quitter q = { t.core[0], 0 };
	int n[2] = { 0 };

	cr_assert_eq(pb_program_add(t.core[0], quit, &q), 0);
	cr_assert_eq(pb_program_add(t.core[0], count, &n[0]), 0);
	cr_assert_eq(pb_program_add(t.core[0], count, &n[1]), 0);
	two_use(&t, 0);
	pb_turn(t.now_ns);
	cr_assert_eq(q.n, 1);
	cr_assert_eq(n[0], 1);
	cr_assert_eq(n[1], 1);
	pb_turn(t.now_ns);
	cr_assert_eq(q.n, 1);
	cr_assert_eq(n[1], 2);
	for (int i = 0; i < CORE_PROGRAMS_MAX - 2; i++)
		cr_assert_eq(pb_program_add(t.core[0], quit, &q), 0);
	cr_assert_eq(pb_program_add(t.core[0], quit, &q), -1);
	cr_assert_eq(errno, ENOSPC);
	pb_turn(t.now_ns);
	cr_assert_eq(q.n, CORE_PROGRAMS_MAX - 1);
	pb_program_del(t.core[0], count, &n[0]);
	pb_program_del(t.core[0], count, &n[1]);
}

static void drain(void *arg, int fd)
{
	char byte;

	cr_assert_eq(read(fd, &byte, 1), 1);
	++*(int *)arg;
}

Case(core_turn, watched_descriptor_is_heard)
{
	int pipes[2], n = 0;

	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(pb_watch(t.core[0], pipes[0], drain, &n), 0);
	two_use(&t, 0);
	cr_assert_eq(write(pipes[1], "x", 1), 1);
	pb_wait(UINT64_MAX);
	cr_assert_eq(n, 1);
	/* A busy core looks too, when a millisecond is over. */
	cr_assert_eq(write(pipes[1], "x", 1), 1);
	t.now_ns += 2 * NS_PER_MS;
	pb_turn(t.now_ns);
	cr_assert_eq(n, 2);
	pb_unwatch(t.core[0], pipes[0]);
	close(pipes[0]);
	close(pipes[1]);
}

static void *wake(void *arg)
{
	pb_wake(arg);
	return NULL;
}

Case(core_turn, another_thread_ends_the_sleep)
{
	pthread_t thread;

	two_use(&t, 0);
	cr_assert_eq(pthread_create(&thread, NULL, wake, t.core[0]), 0);
	pb_wait(UINT64_MAX);
	pthread_join(thread, NULL);
}

/* ---- sleep in real time: what would hang if it slept too long ---- */

/* In virtual time, until the core has nothing to do of its own. */
static void settle(void)
{
	uint64_t due;

	while ((due = pb_turn(t.now_ns)) != UINT64_MAX)
		t.now_ns = due;
}

static void open_real(void)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	t = (struct two){ .sim = wire() };
	conf = conf_with_sim(t.sim);
	t.now_ns = conf.now_ns; /* long ago */
	cr_assert_eq(pb_stack_open(&conf, &t.stack[0], error), 0, "%s", error);
	t.core[0] = pb_stack_core(t.stack[0], 0);
	two_use(&t, 0);
	settle();
}

static void close_real(void)
{
	pb_core_use(NULL);
	pb_stack_close(t.stack[0]);
	sim_free(t.sim);
}

TestSuite(core_wait, .timeout = 10);

static void fire(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	timer_init(timer, NULL); /* no longer fire() */
}

Test(core_wait, timer_of_a_layer_ends_the_sleep)
{
	struct timer timer;

	open_real();
	timer_init(&timer, fire);
	timer_arm(&t.core[0]->wheel, &timer, pb_clock() + 5 * NS_PER_MS);
	while (timer.fire == fire) {
		pb_wait(UINT64_MAX);
		pb_turn(pb_clock());
	}
	cr_assert_eq(t.core[0]->wheel.n_armed, 0);
	close_real();
}

Test(core_wait, bulk_gathers_for_a_moment)
{
	struct pb_core *co;

	open_real();
	co = t.core[0];
	co->rx_bytes = 32767;
	pb_wait(pb_clock() + NS_PER_MS);
	cr_assert_eq(co->turn.rests, 0, "a dialogue");
	cr_assert_eq(co->turn.sleeps, 1);
	co->rx_bytes = 32768;
	pb_wait(pb_clock() + NS_PER_S);
	cr_assert_eq(co->turn.rests, 1);
	cr_assert_eq(co->turn.sleeps, 1, "it did not wait for anything");
	pb_wait(pb_clock() + NS_PER_MS);
	cr_assert_eq(co->turn.sleeps, 2, "and a rest is not for long");
	close_real();
}

Test(core_wait, nothing_sleeps_that_is_still_to_be_sent)
{
	struct sockaddr_in at = two_addr(0, 7);
	char got[8] = { 0 };
	const struct port_stats *port;
	uint64_t n_sent;
	int s, peer;

	open_real();
	port = &t.core[0]->eth[0].port->stats;
	/* Through the loop queue, from between two turns. */
	s = pb_socket(AF_INET, SOCK_DGRAM, 0);
	pb_bind(s, (struct sockaddr *)&at, sizeof(at));
	cr_assert_eq(pb_sendto(s, "self", 4, 0, (struct sockaddr *)&at, sizeof(at)), 4);
	pb_wait(UINT64_MAX);
	pb_turn(pb_clock());
	cr_assert_eq(pb_recv(s, got, sizeof(got), 0), 4);
	/* To the port: an ARP request for somebody. */
	at = two_addr(1, 7);
	cr_assert_eq(pb_sendto(s, "you", 3, 0, (struct sockaddr *)&at, sizeof(at)), 3);
	n_sent = port->tx_packets;
	pb_wait(UINT64_MAX);
	pb_turn(pb_clock());
	cr_assert_eq(port->tx_packets, n_sent + 1);
	pb_close(s);
	/* By TCP, which speaks at the turn's end. */
	peer = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_connect(peer, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EINPROGRESS);
	pb_wait(UINT64_MAX);
	pb_close(peer);
	close_real();
}

Test(core_wait, news_in_a_ready_set_end_the_sleep)
{
	struct pb_ready *set;
	struct pb_event ev;
	int s;

	open_real();
	set = pb_ready_new();
	s = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_ready_add(set, s, PB_READY_OUT | PB_READY_EDGE, NULL), 0);
	pb_wait(UINT64_MAX);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 1);
	pb_close(s);
	pb_ready_free(set);
	close_real();
}

static void *stop(void *arg)
{
	pb_stop(arg);
	return NULL;
}

Case(core_turn, run_ends_when_told_to_stop)
{
	pthread_t thread;

	two_use(&t, 0);
	cr_assert_eq(pthread_create(&thread, NULL, stop, t.core[0]), 0);
	pb_run();
	pthread_join(thread, NULL);
}

static void stop_itself(void *arg, uint64_t now_ns)
{
	count(arg, now_ns);
	pb_stop(t.core[0]);
}

Case(core_turn, stop_ends_one_run_and_no_other)
{
	int n = 0;

	two_use(&t, 0);
	cr_assert_eq(pb_program_add(t.core[0], stop_itself, &n), 0);
	pb_run();
	cr_assert_eq(n, 1);
	pb_run();
	cr_assert_eq(n, 2);
	pb_stop(t.core[0]);
	pb_run();
	cr_assert_eq(n, 2, "it came before");
	pb_program_del(t.core[0], stop_itself, &n);
}

struct listed {
	unsigned blocks, half_open, waiting;
};

static bool list_conn(void *arg, const struct pb_conn_info *info)
{
	struct listed *l = arg;
	struct sockaddr_in local;

	memcpy(&local, &info->local, sizeof(local));
	cr_assert_eq(local.sin_family, AF_INET);
	cr_assert_neq(local.sin_port, 0);
	l->blocks += info->cc != NULL;
	l->half_open += !info->cc && !strcmp(info->state, "SYN-RECEIVED");
	l->waiting += !info->cc && !strcmp(info->state, "TIME-WAIT");
	return true;
}

/* Loses IPv4, while it shall. */
static bool lose(void *ctx, const uint8_t *frame, uint32_t len, uint64_t now_ns)
{
	(void)len;
	(void)now_ns;
	return !*(bool *)ctx || frame[12] != 8 || frame[13] != 0;
}

static void look_at_conns(unsigned i, unsigned blocks, unsigned half_open,
			  unsigned waiting)
{
	struct listed l = { 0 };

	pb_conn_each(t.core[i], list_conn, &l);
	cr_assert_eq(l.blocks, blocks);
	cr_assert_eq(l.half_open, half_open);
	cr_assert_eq(l.waiting, waiting);
}

struct told {
	unsigned max, n, established;
};

static bool hear_trace(void *arg, const struct pb_trace *trace)
{
	struct told *told = arg;

	cr_assert(trace->text[0]);
	told->n++;
	told->established += trace->state && !strcmp(trace->state, "ESTABLISHED");
	return told->n < told->max;
}

Case(core_turn, connections_are_listed_from_the_syn_to_the_last_wait)
{
	struct sockaddr_in at = two_addr(1, 80);
	struct told told = { .max = 1000 }, first = { .max = 1 };
	int listener, client, server;
	bool lossy = true;

	cr_assert_eq(sim_link_filter(t.sim, "wire", 1, lose, &lossy), 0);
	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	pb_listen(listener, 8);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	look_at_conns(0, 1, 0, 0);
	look_at_conns(1, 0, 1, 0);
	lossy = false;
	two_run(&t, NULL, NULL, 3 * NS_PER_S);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	look_at_conns(1, 1, 0, 0);
	pb_close(listener);
	two_use(&t, 0);
	pb_close(client);
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	two_use(&t, 1);
	pb_close(server);
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	look_at_conns(0, 0, 0, 1);
	look_at_conns(1, 0, 0, 0);
	pb_trace_each(t.core[0], hear_trace, &told);
	cr_assert_geq(told.n, 3);
	cr_assert_eq(told.established, 1);
	pb_trace_each(t.core[0], hear_trace, &first);
	cr_assert_eq(first.n, 1);
}

/* ---- an address that is still probed for (RFC 5227) ---- */

static void setup_probing(void)
{
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	conf.n_bufs = 1024;
	conf.max_conns = conf.max_syn = 16;
	conf.probe_addr = 1;
	two_open_conf(&t, 5, NULL, &conf);
}

Cases(core_probe, setup_probing, clean);

Case(core_probe, server_starts_before_its_address_is_ready)
{
	struct sockaddr_in at = two_addr(1, 80), peer = two_addr(0, 80);
	int listener, client, server, udp;

	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
	/* But it is no source yet. */
	udp = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_bind(udp, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_sendto(udp, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)),
		     -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	two_run(&t, NULL, NULL, 10 * NS_PER_S);
	two_use(&t, 1);
	cr_assert_eq(pb_sendto(udp, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)),
		     1);
	pb_close(udp);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	pb_close(server);
	pb_close(listener);
	two_use(&t, 0);
	pb_close(client);
}

struct seen {
	unsigned n, verdicts;
	uint64_t frames;
};

static void see(void *arg, const struct pb_counter *c)
{
	struct seen *s = arg;

	cr_assert(c->text && c->text[0], "%s has no sentence", c->name);
	s->n++;
	s->verdicts += !strcmp(c->group, "verdict");
	if (!strcmp(c->group, "turn") && !strcmp(c->name, "rx_frames"))
		s->frames = c->value;
}

Case(core_turn, every_counter_has_a_sentence)
{
	struct seen s = { 0 };

	two_run(&t, NULL, NULL, 10 * NS_PER_MS);
	pb_stat_each(t.core[0], see, &s);
	cr_assert_gt(s.n, 60);
	cr_assert_gt(s.verdicts, 30);
	/* The other end announced its address. */
	cr_assert_gt(s.frames, 0);
}
