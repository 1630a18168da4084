#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "eth/port.h"
#include "eth/port_sim.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "tests/lib/capture.h"
#include "tests/lib/case.h"

static struct pkt_pool pool;
static struct sim *sim;
static struct port *bad, *plain;
static char error[PORT_ERROR_LEN];

static struct port *plug(const char *name)
{
	struct port_conf conf = { .pool = &pool, .sim = sim, .offload = true };
	struct port *port = NULL;

	cr_assert_eq(port_open(name, &conf, &port, error), 0, "%s", error);
	return port;
}

static void setup(void)
{
	struct sim_link_conf conf = { .offload = true };

	cr_assert_eq(pkt_pool_init(&pool, 1024, 256), 0);
	sim = sim_new(1);
	cr_assert_eq(sim_link_add(sim, "l", &conf), 0);
	plain = plug("sim:l/1");
}

static void clean(void)
{
	if (bad)
		port_close(bad);
	port_close(plain);
	sim_free(sim);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(fault, setup, clean);

static void send(struct port *port, const char *text, uint64_t now_ns)
{
	struct pkt *p = capture_pkt(&pool, text, (uint32_t)strlen(text));

	port_tx_burst(port, &p, 1, now_ns);
}

/* How many frames come out at that time; the last one's bytes are in @text. */
static unsigned receive(struct port *port, uint64_t now_ns, char text[static 64])
{
	struct pkt *burst[PORT_BURST];
	unsigned n = port_rx_burst(port, burst, PORT_BURST, now_ns);

	for (unsigned i = 0; i < n; i++) {
		cr_assert_lt(burst[i]->total_len, 64);
		pkt_read(burst[i], 0, text, burst[i]->total_len);
		text[burst[i]->total_len] = 0;
		pkt_free(burst[i]);
	}
	return n;
}

Case(fault, delays_what_comes_and_what_goes)
{
	char text[64];

	bad = plug("fault:delay=150ms:sim:l/0");
	send(plain, "in", 0);
	send(bad, "out", 0);
	cr_assert_eq(receive(bad, 0, text), 0);
	cr_assert_eq(receive(plain, 149 * NS_PER_MS, text), 0);
	cr_assert_eq(receive(bad, 149 * NS_PER_MS, text), 0);
	cr_assert_eq(receive(bad, 150 * NS_PER_MS, text), 1);
	cr_assert_str_eq(text, "in");
	cr_assert_eq(receive(plain, 150 * NS_PER_MS, text), 1);
	cr_assert_str_eq(text, "out");
	cr_assert_eq(bad->stats.rx_packets, 1);
	cr_assert_eq(bad->stats.tx_packets, 1);
}

Case(fault, a_slow_wire_takes_its_time_for_each_bit)
{
	char text[64];

	bad = plug("fault:rate=8k:sim:l/0");
	send(bad, "ten bytes.", 0);
	send(bad, "ten bytes.", 0);
	receive(bad, 10 * NS_PER_MS - 1, text);
	cr_assert_eq(receive(plain, 10 * NS_PER_MS - 1, text), 0);
	receive(bad, 10 * NS_PER_MS, text);
	cr_assert_eq(receive(plain, 10 * NS_PER_MS, text), 1);
	receive(bad, 20 * NS_PER_MS, text);
	cr_assert_eq(receive(plain, 20 * NS_PER_MS, text), 1);
}

Case(fault, counts_what_it_loses)
{
	char text[64];

	bad = plug("fault:loss=100%:sim:l/0");
	for (unsigned i = 0; i < 10; i++) {
		send(bad, "out", i);
		send(plain, "in", i);
		cr_assert_eq(receive(bad, i, text), 0);
		cr_assert_eq(receive(plain, i, text), 0);
	}
	cr_assert_eq(receive(bad, NS_PER_S, text), 0);
	cr_assert_eq(bad->stats.fault_lost, 20);
}

Case(fault, a_full_queue_loses_the_rest)
{
	char text[64];
	unsigned n = 0;

	bad = plug("fault:rate=8k,queue=30:sim:l/0");
	for (unsigned i = 0; i < 10; i++)
		send(bad, "ten bytes.", 0);
	for (unsigned ms = 0; ms <= 1000; ms += 10) {
		receive(bad, ms * NS_PER_MS, text);
		n += receive(plain, ms * NS_PER_MS, text);
	}
	cr_assert_eq(n, 3);
	cr_assert_eq(bad->stats.fault_lost, 7);
}

/* Which of a hundred frames come through, from @now_ns on. */
static void luck(const char *name, uint64_t now_ns, bool came[static 100])
{
	char text[64];

	bad = plug(name);
	for (unsigned i = 0; i < 100; i++) {
		send(bad, "out", now_ns + i);
		receive(bad, now_ns + i, text);
		came[i] = receive(plain, now_ns + i, text) == 1;
	}
	port_close(bad);
	bad = NULL;
}

Case(fault, the_same_seed_has_the_same_luck)
{
	bool first[100], again[100], other[100];

	luck("fault:loss=50%,seed=7:sim:l/0", 0, first);
	luck("fault:loss=50%,seed=7:sim:l/0", 100, again);
	luck("fault:loss=50%,seed=8:sim:l/0", 200, other);
	cr_assert_arr_eq(first, again, sizeof(first));
	cr_assert_arr_neq(first, other, sizeof(first));
}

Case(fault, a_wire_carries_no_super_frames)
{
	bad = plug("fault:delay=1ms:sim:l/0");
	cr_assert_eq(bad->caps, 0);
	cr_assert_eq(bad->mtu, 1500);
	cr_assert_eq(bad->fd, -1);
	cr_assert(!bad->point_to_point);
}

static void refuses(const char *name, int err, const char *word)
{
	struct port_conf conf = { .pool = &pool, .sim = sim };
	struct port *port = NULL;

	cr_assert_eq(port_open(name, &conf, &port, error), -err, "%s: %s", name, error);
	cr_assert_null(port);
	cr_assert_not_null(strstr(error, word), "%s: %s", name, error);
}

Case(fault, says_what_is_wrong_with_a_name)
{
	static const char *const wrong[] = {
		"rate",	     "rate=",	 "rate=x",	   "rate=-1",
		"rate=5K",   "loss=2",	 "loss=101%",	   "delay=5",
		"delay=61s", "seed=1s",	 "queue=67108865", "what=1",
		"loss=1%,",  ",loss=1%", "rate=inf",	   "loss=nan%",
	};

	refuses("fault:", EINVAL, "fault:WHAT:PORT");
	refuses("fault:loss=1%", EINVAL, "fault:WHAT:PORT");
	refuses("fault:loss=1%:sim:m/0", ENOENT, "no such link");
	refuses("fault:loss=1%:", ENODEV, "fault:");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char name[100];

		snprintf(name, sizeof(name), "fault:%s:sim:l/0", wrong[i]);
		refuses(name, EINVAL, "no value");
	}
}
