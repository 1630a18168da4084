#include "apps/pbsim/flow.h"
#include "stack/api/ready.h"

static void ask(struct talk *t, uint64_t now_ns)
{
	t->asked_ns = now_ns;
	t->client.to_send += t->conf.size;
	flow_write(&t->client);
}

static void stop(struct talk *t, uint64_t now_ns)
{
	flow_over(t, now_ns);
	flow_shut(t);
}

static void answered(struct talk *t, uint64_t now_ns)
{
	uint64_t next_ns = t->asked_ns + t->conf.interval_ns;

	flow_sample(t, now_ns);
	if (t->over)
		return;
	if (t->conf.count && t->result.count == t->conf.count)
		stop(t, now_ns);
	else if (next_ns > now_ns)
		flow_at(t, next_ns);
	else
		ask(t, now_ns);
}

static void client(struct end *e, uint32_t events, uint64_t now_ns)
{
	struct talk *t = e->talk;
	bool eof;

	if (events & PB_READY_OUT)
		flow_write(e);
	if (e->sock < 0 || !(events & PB_READY_IN))
		return;
	flow_read(e, UINT64_MAX, &eof);
	if (e->got >= (t->result.count + 1) * t->conf.reply)
		answered(t, now_ns);
	if (eof)
		flow_close(e);
}

static void server(struct end *e, uint32_t events, uint64_t now_ns)
{
	struct talk *t = e->talk;
	bool eof;

	(void)events;
	(void)now_ns;
	flow_read(e, UINT64_MAX, &eof);
	for (; e->got >= (t->n_answered + 1) * t->conf.size; t->n_answered++)
		e->to_send += t->conf.reply;
	if (e->sock >= 0)
		flow_write(e);
	if (eof)
		flow_close(e);
}

const struct talk_ops talk_rr_ops = {
	.name = "rr",
	.begin = ask,
	.tick = ask,
	.client = client,
	.server = server,
	.stop = stop,
};
