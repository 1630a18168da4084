#include <criterion/criterion.h>

#include "apps/lib/door.h"
#include "apps/lib/io.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

enum { CONNS_MAX = 3, PER_CLIENT_MAX = 2, N_SLOTS = 8 };

/* A service that only lets in. */
struct session {
	struct door_guest guest;
	struct door *door;
	struct io *io;
};

static struct {
	uint64_t sessions, sessions_open, refused_excess, refused_client;
} stats;
static struct session slots[N_SLOTS];
static struct net_listener *listener;
static struct door door;
static struct net *net;
static bool poor; /* no memory for a session */

static void leave(struct door_guest *guest)
{
	struct session *s = container_of(guest, struct session, guest);

	io_close(s->io);
	s->io = NULL;
	door_leave(s->door, guest);
}

static void on_event(void *arg, struct io *io, enum io_event event)
{
	struct session *s = arg;

	(void)io;
	if (event == IO_EOF || event == IO_ERROR)
		leave(&s->guest);
}

static void on_accept(void *arg, struct io *io)
{
	struct session *s = slots;
	struct peer *peer;

	(void)arg;
	if (!door_admit(&door, io, &peer))
		return;
	if (poor) {
		door_turn_away(&door, io, peer);
		return;
	}
	while (s->io)
		s++;
	*s = (struct session){ .door = &door, .io = io };
	door_enter(&door, &s->guest, peer);
	io_handle(io, on_event, s);
	io_puts(io, "in\r\n");
}

static void setup(void)
{
	const struct door_conf conf = {
		.lines = { "stopped\r\n", "excess\r\n", "no memory\r\n", "client\r\n" },
		.counts = DOOR_COUNTS(stats),
		.per_client_max = PER_CLIENT_MAX,
	};

	cr_assert_eq(door_init(&door, &conf), 0);
	cr_assert_eq(net_mem_new(&net), 0);
	cr_assert_eq(
		net_listen(net, "192.0.2.1:25", CONNS_MAX, on_accept, NULL, &listener),
		0);
}

static void clean(void)
{
	door_clear(&door, leave);
	cr_assert_eq(stats.sessions_open, 0);
	door_fini(&door);
	net_free(net);
}

Cases(door, setup, clean);

static struct mem_peer *hears(const char *from, const char *line)
{
	struct mem_peer *peer = mem_connect(net, "192.0.2.1:25", from);

	mem_settle(net);
	cr_assert(str_eq(mem_heard(peer), str_of(line)), "%s", from);
	return peer;
}

Case(door, admits_so_many_of_each_client_and_of_all)
{
	struct mem_peer *peers[6];

	peers[0] = hears("192.0.2.9:1", "in\r\n");
	peers[1] = hears("192.0.2.9:2", "in\r\n");
	peers[2] = hears("192.0.2.9:3", "client\r\n");
	peers[3] = hears("192.0.2.8:1", "in\r\n");
	peers[4] = hears("192.0.2.7:1", "excess\r\n");
	cr_assert_eq(stats.sessions, 3);
	cr_assert_eq(stats.sessions_open, 3);
	cr_assert_eq(stats.refused_client, 1);
	cr_assert_eq(stats.refused_excess, 1);
	/* Whoever goes makes room. */
	mem_reset(peers[0]);
	mem_settle(net);
	peers[5] = hears("192.0.2.9:4", "in\r\n");
	for (int i = 0; i < 6; i++)
		mem_free(peers[i]);
	mem_settle(net);
	cr_assert_eq(stats.sessions_open, 0);
}

Case(door, turns_away_whom_there_is_no_memory_for)
{
	struct mem_peer *peer;

	poor = true;
	peer = hears("192.0.2.9:1", "no memory\r\n");
	mem_free(peer);
	cr_assert_eq(stats.sessions, 0);
}

Case(door, shut_lets_all_out_and_nobody_in)
{
	struct mem_peer *one = hears("192.0.2.9:1", "in\r\n"),
			*two = hears("192.0.2.8:1", "in\r\n"), *late;

	door_shut(&door, leave);
	cr_assert_eq(stats.sessions_open, 0);
	mem_settle(net);
	cr_assert(mem_finished(one) && mem_finished(two));
	late = hears("192.0.2.7:1", "stopped\r\n");
	mem_free(one);
	mem_free(two);
	mem_free(late);
}
