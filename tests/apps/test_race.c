#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "apps/lib/io.h"
#include "apps/lib/race.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

enum { PATIENCE_S = 30 };

static struct net *net;
static struct race race;
static struct io *winner;
static const char *const *list; /* what more() has to give; ends with NULL */
static char told[512];
static struct mem_peer *peers[16];
static size_t n_peers;

static void say(const char *what, const char *where)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%s %s|", what, where);
}

static void next(void)
{
	const char *where = list ? *list : NULL;

	if (!where)
		return;
	list++;
	if (race_try(&race, where) < 0) {
		say("none", where);
		next();
	}
}

static void more(void *arg)
{
	(void)arg;
	next();
}

static void failed(void *arg, const char *where, int error)
{
	(void)arg;
	say(error == ETIMEDOUT ? "late" : "failed", where);
}

static void lost(void *arg, const char *where)
{
	(void)arg;
	say("lost", where);
}

static void won(void *arg, struct io *io, const char *where)
{
	(void)arg;
	say("won", where);
	winner = io;
}

static const struct race_ops ops = { more, failed, lost, won };

static void setup(void)
{
	told[0] = '\0';
	winner = NULL;
	list = NULL;
	n_peers = 0;
	cr_assert_eq(net_mem_new(&net), 0);
	race_init(&race, net, PATIENCE_S * NS_PER_S, &ops, NULL);
}

static void clean(void)
{
	race_fini(&race);
	if (winner)
		io_abort(winner);
	/* The other ends of tries that nobody answered. */
	while ((peers[n_peers] = mem_accept(net)))
		n_peers++;
	for (size_t i = 0; i < n_peers; i++)
		mem_free(peers[i]);
	mem_settle(net);
	cr_assert_eq(mem_n_open(net), 0);
	net_free(net);
}

Cases(race, setup, clean);

static void begin(const char *const *all)
{
	list = all;
	next();
	mem_settle(net);
}

static void pass(uint64_t ms)
{
	mem_advance(net, ms * NS_PER_MS);
}

/* The next try is heard at @where. */
static struct mem_peer *comes_to(const char *where)
{
	struct mem_peer *peer = mem_accept(net);

	cr_assert(peer, "nobody connects to %s", where);
	cr_assert_str_eq(mem_where(peer), where);
	peers[n_peers++] = peer;
	return peer;
}

Case(race, the_first_that_answers_wins_and_the_next_is_not_begun)
{
	begin((const char *const[]){ "[2001:db8::1]:25", "192.0.2.1:25", NULL });
	comes_to("[2001:db8::1]:25");
	mem_settle(net);
	cr_assert_str_eq(told, "won [2001:db8::1]:25|");
	pass(1000);
	cr_assert_null(mem_accept(net));
}

Case(race, the_next_begins_a_quarter_of_a_second_later)
{
	mem_black_hole(net, "[2001:db8::1]:25");
	begin((const char *const[]){ "[2001:db8::1]:25", "192.0.2.1:25", NULL });
	pass(RACE_DELAY_MS - 1);
	cr_assert_null(mem_accept(net));
	pass(1);
	comes_to("192.0.2.1:25");
	mem_settle(net);
	cr_assert_str_eq(told, "lost [2001:db8::1]:25|won 192.0.2.1:25|");
	cr_assert_eq(race_n(&race), 0);
	cr_assert_eq(mem_n_open(net), 1);
}

Case(race, one_that_is_refused_makes_room_at_once)
{
	begin((const char *const[]){ "[2001:db8::1]:25", "192.0.2.1:25", NULL });
	mem_reset(comes_to("[2001:db8::1]:25"));
	mem_settle(net);
	cr_assert_str_eq(told, "failed [2001:db8::1]:25|");
	comes_to("192.0.2.1:25");
	mem_settle(net);
	cr_assert(winner);
}

Case(race, the_slow_one_may_still_win)
{
	begin((const char *const[]){ "192.0.2.1:25", "192.0.2.2:25", NULL });
	pass(RACE_DELAY_MS);
	cr_assert_eq(race_n(&race), 2);
	comes_to("192.0.2.1:25");
	mem_settle(net);
	cr_assert_str_eq(told, "lost 192.0.2.2:25|won 192.0.2.1:25|");
}

Case(race, only_so_many_run_at_once)
{
	static const char *const all[] = { "192.0.2.1:25",
					   "192.0.2.1:25",
					   "192.0.2.1:25",
					   "192.0.2.1:25",
					   "192.0.2.1:25",
					   "192.0.2.1:25",
					   NULL };

	mem_black_hole(net, "192.0.2.1:25");
	begin(all);
	pass(20 * RACE_DELAY_MS);
	cr_assert_eq(race_n(&race), RACE_TRIES_MAX);
	cr_assert_eq(race_n_at(&race, "192.0.2.1:25"), RACE_TRIES_MAX);
	cr_assert_eq(race_n_at(&race, "192.0.2.2:25"), 0);
	/* The first one's time is over: another begins. */
	pass(PATIENCE_S * 1000 - 20 * RACE_DELAY_MS);
	cr_assert_str_eq(told, "late 192.0.2.1:25|");
	cr_assert_eq(race_n(&race), RACE_TRIES_MAX);
	pass(2 * PATIENCE_S * 1000);
	cr_assert_eq(race_n(&race), 0);
}

Case(race, an_address_that_is_known_late_has_its_turn)
{
	mem_black_hole(net, "[2001:db8::1]:25");
	begin((const char *const[]){ "[2001:db8::1]:25", NULL });
	pass(2 * RACE_DELAY_MS);
	list = (const char *const[]){ "192.0.2.1:25", NULL };
	pass(RACE_DELAY_MS);
	comes_to("192.0.2.1:25");
	mem_settle(net);
	cr_assert_str_eq(told, "lost [2001:db8::1]:25|won 192.0.2.1:25|");
}

Case(race, an_end_leaves_nothing_behind)
{
	begin((const char *const[]){ "192.0.2.1:25", "192.0.2.2:25", NULL });
	pass(RACE_DELAY_MS);
	race_fini(&race);
	mem_settle(net);
	cr_assert_eq(mem_n_open(net), 0);
	pass(1000);
	cr_assert_str_eq(told, "");
}
