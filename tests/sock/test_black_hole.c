#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/*
 * Two stacks that believe in 1500 bytes, on a link that takes 1400 and says nothing about
 * what is longer.
 */
enum { MTU = 1500, LINK_MTU = 1400, BYTES = 1 << 20 };

static struct two t;
static int listener, socks[2];
static size_t sent, received;

static void open_both(unsigned mtu, unsigned link_mtu, bool offload)
{
	struct sim_link_conf link = {
		.dir = { { .delay_ns = NS_PER_MS, .mtu = (uint16_t)link_mtu },
			 { .delay_ns = NS_PER_MS, .mtu = (uint16_t)link_mtu } },
		.offload = offload,
	};
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	conf.n_bufs = 4096;
	conf.max_conns = 64;
	conf.mtu = mtu;
	two_open_conf(&t, 1, &link, &conf);
	sent = received = 0;
}

static void setup(void)
{
	open_both(MTU, LINK_MTU, false);
}

static void clean(void)
{
	two_close(&t);
}

Cases(black_hole, setup, clean);

static void connect_both(void)
{
	struct sockaddr_in at = two_addr(1, 80);

	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
	two_use(&t, 0);
	socks[0] = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(socks[0], (struct sockaddr *)&at, sizeof(at));
	two_run(&t, NULL, NULL, 50 * NS_PER_MS);
	two_use(&t, 1);
	socks[1] = pb_accept(listener, NULL, NULL);
	cr_assert_geq(socks[1], 0);
}

static bool bulk(void *arg, unsigned i, uint64_t now_ns)
{
	static char bytes[16384];
	ssize_t n;

	(void)arg;
	(void)now_ns;
	if (i == 0) {
		while (sent < BYTES &&
		       (n = pb_send(socks[0], bytes, sizeof(bytes), 0)) > 0)
			sent += (size_t)n;
		return sent >= BYTES;
	}
	while ((n = pb_recv(socks[1], bytes, sizeof(bytes), 0)) > 0)
		received += (size_t)n;
	return received >= sent && sent >= BYTES;
}

static void part(void)
{
	two_use(&t, 0);
	pb_close(socks[0]);
	two_use(&t, 1);
	pb_close(socks[1]);
	pb_close(listener);
}

Case(black_hole, a_stream_goes_on_after_a_while)
{
	uint64_t start_ns;

	connect_both();
	start_ns = t.now_ns;
	cr_assert(two_run(&t, bulk, NULL, 60 * NS_PER_S));
	cr_assert_lt(t.now_ns - start_ns, 10 * NS_PER_S);
	part();
}

Case(black_hole, the_next_connection_knows)
{
	uint64_t start_ns;

	connect_both();
	cr_assert(two_run(&t, bulk, NULL, 60 * NS_PER_S));
	part();
	sent = received = 0;
	connect_both();
	start_ns = t.now_ns;
	cr_assert(two_run(&t, bulk, NULL, 60 * NS_PER_S));
	cr_assert_lt(t.now_ns - start_ns, NS_PER_S);
	part();
}

/* RFC 791 3.2: a link may be so narrow; what is longer goes in fragments, which no port
 * cuts from a super-frame. */
Test(narrow_link, a_stream_goes_in_fragments)
{
	open_both(400, 400, true);
	connect_both();
	cr_assert(two_run(&t, bulk, NULL, 60 * NS_PER_S));
	part();
	clean();
}
