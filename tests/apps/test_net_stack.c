#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/io.h"
#include "apps/lib/net_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/*
 * A server on a net over end 1 and a client on a net over end 0, in virtual time.
 * Turning the cores runs the nets: they are programs of theirs.
 */
static struct two t;
static struct net *nets[2];
static struct net_listener *listener;

/* One connection, as its program sees it. */
struct side {
	struct io *io;
	char events[64]; /* a letter for each: see note() */
	char *heard;
	size_t heard_len, room;
	bool echoes, reads_nothing;
};

static struct side server, client;

static void note(struct side *side, enum io_event event)
{
	size_t len = strlen(side->events);

	if (event == IO_INPUT || len + 1 >= sizeof(side->events))
		return;
	side->events[len] = "C?SRDEX"[event];
}

static void read_all(struct side *side)
{
	struct str in = io_peek(side->io);

	if (side->heard_len + in.len > side->room) {
		side->room = (side->heard_len + in.len) * 2;
		side->heard = realloc(side->heard, side->room);
	}
	memcpy(side->heard + side->heard_len, in.p, in.len);
	side->heard_len += in.len;
	if (side->echoes)
		io_write(side->io, in.p, in.len);
	io_consume(side->io, in.len);
}

static void handle(void *arg, struct io *io, enum io_event event)
{
	struct side *side = arg;

	note(side, event);
	if (event == IO_INPUT && !side->reads_nothing)
		read_all(side);
	if (event == IO_EOF || event == IO_ERROR) {
		io_close(io);
		side->io = NULL;
	}
}

static void take(void *arg, struct io *io)
{
	server.io = io;
	io_handle(io, handle, arg);
}

static void open_two(const struct sim_link_conf *link)
{
	two_open(&t, 1, link);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(net_stack_new_at(&nets[i], t.core[i], t.now_ns), 0);
	two_use(&t, 1);
	cr_assert_eq(net_listen(nets[1], "192.0.2.2:25", 2, take, &server, &listener), 0);
}

static void setup(void)
{
	open_two(NULL);
}

static void wait_ms(unsigned ms)
{
	/* In small steps: the link does not know of the nets' timers. */
	for (unsigned i = 0; i < ms; i += 10)
		two_run(&t, NULL, NULL, 10 * NS_PER_MS);
}

static void clean(void)
{
	for (unsigned i = 0; i < 2; i++) {
		two_use(&t, i);
		net_free(nets[i]);
	}
	two_close(&t);
	free(server.heard);
	free(client.heard);
}

Cases(net_stack, setup, clean);

static void setup_both(void)
{
	two_open6(&t, 1, NULL);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(net_stack_new_at(&nets[i], t.core[i], t.now_ns), 0);
	two_use(&t, 1);
	cr_assert_eq(net_listen(nets[1], "*:25", 2, take, &server, &listener), 0);
}

Cases(net_stack_both, setup_both, clean);

static void connect_to(const char *where)
{
	two_use(&t, 0);
	cr_assert_eq(net_connect(nets[0], where, &client.io), 0);
	io_handle(client.io, handle, &client);
	wait_ms(100);
}

static void expect_heard(const struct side *side, const char *text)
{
	struct str heard = { side->heard, side->heard_len };

	cr_assert(str_eq(heard, str_of(text)), "heard '%.*s'", (int)heard.len, heard.p);
}

Case(net_stack, both_ends_are_known_and_talk)
{
	server.echoes = true;
	connect_to("192.0.2.2:25");
	cr_assert_str_eq(net_listener_where(listener), "192.0.2.2:25");
	cr_assert_str_eq(client.events, "C");
	cr_assert_str_eq(io_peer(client.io), "192.0.2.2:25");
	cr_assert_str_eq(io_peer_addr(server.io), "192.0.2.1");
	cr_assert_str_eq(io_local(server.io), "192.0.2.2:25");
	io_puts(client.io, "hello");
	wait_ms(100);
	expect_heard(&client, "hello");
	io_close(client.io);
	wait_ms(100);
	cr_assert_str_eq(server.events, "E");
	cr_assert_eq(net_n_conns(nets[0]), 0);
	cr_assert_eq(net_n_conns(nets[1]), 0);
}

static void echo_much(size_t len)
{
	char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 253);
	server.echoes = true;
	connect_to("192.0.2.2:25");
	io_write(client.io, bytes, len);
	for (int i = 0; i < 1000 && client.heard_len < len; i++)
		wait_ms(100);
	cr_assert_eq(client.heard_len, len);
	cr_assert_arr_eq(client.heard, bytes, len);
	io_close(client.io);
	free(bytes);
	wait_ms(1000);
}

/* Both queues are full at times: each waits for room, and reads no more meanwhile. */
Case(net_stack_both, one_listener_serves_both_families)
{
	server.echoes = true;
	connect_to("[2001:db8::2]:25");
	cr_assert_str_eq(client.events, "C");
	cr_assert_str_eq(io_peer(client.io), "[2001:db8::2]:25");
	cr_assert_str_eq(io_peer_addr(server.io), "2001:db8::1");
	two_use(&t, 0);
	io_close(client.io);
	wait_ms(200);
	connect_to("192.0.2.2:25");
	cr_assert_str_eq(io_peer_addr(server.io), "192.0.2.1");
	two_use(&t, 0);
	io_close(client.io);
	wait_ms(200);
}

/* From where the net of end 0 speaks to @to; "": from nowhere. */
static const char *source_for(const char *to)
{
	static char text[ADDR_TEXT_LEN];
	struct addr addr, source;

	two_use(&t, 0);
	cr_assert(addr_parse(to, &addr), "%s", to);
	return net_source(nets[0], &addr, &source) ? addr_text(&source, text) : "";
}

Case(net_stack_both, knows_from_where_it_would_speak)
{
	cr_assert_str_eq(source_for("2001:db8::2"), "2001:db8::1");
	cr_assert_str_eq(source_for("192.0.2.2"), "192.0.2.1");
	/* Our own are spoken to from themselves. */
	cr_assert_str_eq(source_for("2001:db8::1"), "2001:db8::1");
	cr_assert_str_eq(source_for("192.0.2.1"), "192.0.2.1");
	cr_assert_str_eq(source_for("198.51.100.1"), "");
}

Case(net_stack, without_ip6_there_is_no_source_for_it)
{
	cr_assert_str_eq(source_for("2001:db8::2"), "");
	cr_assert_str_eq(source_for("192.0.2.2"), "192.0.2.1");
}

Case(net_stack, much_comes_back_whole)
{
	echo_much(3 << 20);
}

static void setup_lossy(void)
{
	static const struct sim_link_conf lossy = {
		.dir = { { .delay_ns = NS_PER_MS,
			   .loss = 0.02,
			   .reorder = 0.02,
			   .reorder_ns = 3 * NS_PER_MS },
			 { .delay_ns = NS_PER_MS,
			   .loss = 0.02,
			   .reorder = 0.02,
			   .reorder_ns = 3 * NS_PER_MS } },
	};

	open_two(&lossy);
}

Cases(net_stack_bad_link, setup_lossy, clean);

Case(net_stack_bad_link, much_comes_back_whole)
{
	echo_much(1 << 20);
}

Case(net_stack, last_words_survive_input_that_nobody_reads)
{
	server.reads_nothing = true;
	connect_to("192.0.2.2:25");
	io_puts(client.io, "never read\r\n");
	wait_ms(100);
	io_puts(server.io, "521 go away\r\n");
	io_close(server.io);
	io_puts(client.io, "and more of it\r\n");
	wait_ms(100);
	expect_heard(&client, "521 go away\r\n");
	cr_assert_str_eq(client.events, "CE", "in order, without a reset");
	cr_assert_eq(net_n_conns(nets[1]), 0);
}

Case(net_stack, reset_is_an_error)
{
	connect_to("192.0.2.2:25");
	two_use(&t, 0);
	io_abort(client.io);
	wait_ms(100);
	cr_assert_str_eq(server.events, "X");
	cr_assert_eq(net_n_conns(nets[1]), 0);
}

Case(net_stack, connecting_where_nobody_listens_is_an_error)
{
	connect_to("192.0.2.2:26");
	cr_assert_str_eq(client.events, "X");
	cr_assert_eq(net_n_conns(nets[0]), 0);
}

Case(net_stack, deadline_passes_in_virtual_time)
{
	connect_to("192.0.2.2:25");
	io_deadline(server.io, t.now_ns + NS_PER_S);
	wait_ms(900);
	cr_assert_str_eq(server.events, "");
	wait_ms(200);
	cr_assert_str_eq(server.events, "D");
}

Case(net_stack, place_already_taken_or_not_ours_is_refused)
{
	struct net_listener *other;

	two_use(&t, 1);
	cr_assert_eq(net_listen(nets[1], "192.0.2.2:25", 1, take, NULL, &other),
		     -EADDRINUSE);
	cr_assert_eq(net_listen(nets[1], "192.0.2.9:25", 1, take, NULL, &other),
		     -EADDRNOTAVAIL);
	cr_assert_eq(net_listen(nets[1], "[2001:db8::9]:25", 1, take, NULL, &other),
		     -EADDRNOTAVAIL);
}

/* ---- in real time: one net, which sleeps, and talks to itself ---- */

TestSuite(net_stack_sleeps, .timeout = 10);

static void stop_at_the_end(void *arg, struct io *io, enum io_event event)
{
	handle(arg, io, event);
	if (event == IO_CONNECTED)
		io_close(io);
	if (event == IO_EOF || event == IO_ERROR)
		net_stop(nets[0]);
}

static void take_it(void *arg, struct io *io)
{
	(void)arg;
	server.io = io;
	io_handle(io, stop_at_the_end, &server);
}

Test(net_stack_sleeps, run_wakes_for_what_the_core_has_to_do)
{
	struct sim_link_conf wire = { 0 };
	struct pb_stack_conf conf;
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];

	t.sim = sim_new(1);
	cr_assert_eq(sim_link_add(t.sim, "wire", &wire), 0);
	pb_stack_conf_init(&conf);
	conf.port = "sim:wire/0";
	conf.addr = "192.0.2.1/24";
	conf.n_bufs = 256;
	conf.max_conns = 16;
	conf.sim = t.sim;
	cr_assert_eq(pb_stack_open(&conf, &stack, error), 0, "%s", error);
	cr_assert_eq(net_stack_new(&nets[0], pb_stack_core(stack, 0)), 0);
	cr_assert_eq(net_listen(nets[0], "*:25", 2, take_it, NULL, &listener), 0);
	cr_assert_eq(net_connect(nets[0], "192.0.2.1:25", &client.io), 0);
	io_handle(client.io, stop_at_the_end, &client);
	/* Each segment of the handshake waits for a turn of its own. */
	net_run(nets[0]);
	cr_assert_str_eq(client.events, "C");
	cr_assert_str_eq(server.events, "E");
	net_free(nets[0]);
	pb_core_use(NULL);
	pb_stack_close(stack);
	sim_free(t.sim);
}
