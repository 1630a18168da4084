#include "apps/lib/race.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/lib/io.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static void arm(struct race *r)
{
	net_timer_arm(r->net, &r->delay, net_now_ns(r->net) + RACE_DELAY_MS * NS_PER_MS);
}

static void delay_over(struct net_timer *t, uint64_t now_ns)
{
	struct race *r = container_of(t, struct race, delay);

	(void)now_ns;
	arm(r);
	if (race_n(r) < RACE_TRIES_MAX)
		r->ops->more(r->arg);
}

void race_init(struct race *r, struct net *net, uint64_t patience_ns,
	       const struct race_ops *ops, void *arg)
{
	*r = (struct race){
		.net = net, .ops = ops, .arg = arg, .patience_ns = patience_ns
	};
	for (int i = 0; i < RACE_TRIES_MAX; i++)
		r->tries[i].race = r;
	net_timer_init(&r->delay, delay_over);
}

static void give_up(struct race_try *t)
{
	io_abort(t->io);
	t->io = NULL;
}

void race_fini(struct race *r)
{
	if (!r->net)
		return;
	net_timer_stop(r->net, &r->delay);
	for (int i = 0; i < RACE_TRIES_MAX; i++)
		if (r->tries[i].io)
			give_up(&r->tries[i]);
}

static void failed(struct race_try *t, int error)
{
	struct race *r = t->race;

	give_up(t);
	if (race_n(r) == 0)
		net_timer_stop(r->net, &r->delay);
	r->ops->failed(r->arg, t->where, error);
	/* RFC 8305 5: the next one need not wait for the delay. */
	r->ops->more(r->arg);
}

static void won(struct race_try *winner)
{
	struct race *r = winner->race;
	struct io *io = winner->io;

	winner->io = NULL;
	io_handle(io, NULL, NULL);
	io_deadline(io, UINT64_MAX);
	net_timer_stop(r->net, &r->delay);
	for (int i = 0; i < RACE_TRIES_MAX; i++) {
		struct race_try *t = &r->tries[i];

		if (!t->io)
			continue;
		give_up(t);
		r->ops->lost(r->arg, t->where);
	}
	r->ops->won(r->arg, io, winner->where);
}

static void event(void *arg, struct io *io, enum io_event e)
{
	switch (e) {
	case IO_CONNECTED: won(arg); break;
	case IO_DEADLINE: failed(arg, ETIMEDOUT); break;
	case IO_EOF:
	case IO_ERROR: failed(arg, io_error(io) ? io_error(io) : ECONNRESET); break;
	case IO_INPUT:
	case IO_ROOM:
	case IO_SECURE: break;
	}
}

int race_try(struct race *r, const char *where)
{
	struct race_try *t = r->tries;
	struct io *io;
	int err;

	ASSERT(race_n(r) < RACE_TRIES_MAX);
	while (t->io)
		t++;
	err = net_connect(r->net, where, &io);
	if (err < 0)
		return err;
	t->io = io;
	snprintf(t->where, sizeof(t->where), "%s", where);
	io_handle(io, event, t);
	io_deadline(io, net_now_ns(r->net) + r->patience_ns);
	arm(r);
	return 0;
}

unsigned race_n(const struct race *r)
{
	unsigned n = 0;

	for (int i = 0; i < RACE_TRIES_MAX; i++)
		n += r->tries[i].io != NULL;
	return n;
}

unsigned race_n_at(const struct race *r, const char *where)
{
	unsigned n = 0;

	for (int i = 0; i < RACE_TRIES_MAX; i++)
		n += r->tries[i].io && strcmp(r->tries[i].where, where) == 0;
	return n;
}
