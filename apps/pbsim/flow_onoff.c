/*
 * On for a while, off for a while, both exponentially distributed.  While it is on it
 * writes at its rate, a segment at a time, or all that TCP takes.
 */
#include <math.h>

#include "apps/pbsim/flow.h"
#include "stack/api/ready.h"
#include "stack/base/clock.h"

enum { WRITE_LEN = 1448 };

static uint64_t exponential(struct rng *r, uint64_t mean_ns)
{
	double u = (double)((rng_u64(r) >> 11) + 1) / (double)(1ull << 53);

	return (uint64_t)(-log(u) * (double)mean_ns) + 1;
}

static void toggle(struct talk *t, uint64_t now_ns)
{
	t->on = !t->on;
	t->toggle_ns =
		now_ns + exponential(&t->rng, t->on ? t->conf.on_ns : t->conf.off_ns);
	if (!t->on)
		t->client.to_send = 0;
	else if (!t->conf.rate_bps)
		t->client.to_send = UINT64_MAX;
}

static void tick(struct talk *t, uint64_t now_ns)
{
	uint64_t next_ns;

	while (t->toggle_ns <= now_ns)
		toggle(t, now_ns);
	next_ns = t->toggle_ns;
	if (t->on && t->conf.rate_bps) {
		uint64_t step_ns = WRITE_LEN * 8 * NS_PER_S / t->conf.rate_bps;

		t->client.to_send += WRITE_LEN;
		if (now_ns + step_ns < next_ns)
			next_ns = now_ns + step_ns;
	}
	flow_write(&t->client);
	flow_at(t, next_ns);
}

static void begin(struct talk *t, uint64_t now_ns)
{
	t->toggle_ns = now_ns;
	tick(t, now_ns);
}

static void client(struct end *e, uint32_t events, uint64_t now_ns)
{
	bool eof;

	(void)now_ns;
	if (events & PB_READY_OUT)
		flow_write(e);
	if (e->sock < 0 || !(events & PB_READY_IN))
		return;
	flow_read(e, UINT64_MAX, &eof);
	if (eof)
		flow_close(e);
}

static void server(struct end *e, uint32_t events, uint64_t now_ns)
{
	bool eof;

	(void)events;
	flow_read(e, UINT64_MAX, &eof);
	if (!eof)
		return;
	flow_over(e->talk, now_ns);
	flow_close(e);
}

static void stop(struct talk *t, uint64_t now_ns)
{
	(void)now_ns;
	flow_at(t, EVENT_NEVER);
	flow_shut(t);
}

const struct talk_ops talk_onoff_ops = {
	.name = "onoff",
	.begin = begin,
	.tick = tick,
	.client = client,
	.server = server,
	.stop = stop,
};
