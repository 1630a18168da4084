#include "apps/pbsim/flow.h"
#include "stack/api/ready.h"

static void write_more(struct talk *t)
{
	if (flow_write(&t->client) && t->client.sock >= 0)
		flow_shut(t);
}

static void begin(struct talk *t, uint64_t now_ns)
{
	(void)now_ns;
	t->client.to_send = t->conf.bytes ? t->conf.bytes : UINT64_MAX;
	write_more(t);
}

static void client(struct end *e, uint32_t events, uint64_t now_ns)
{
	bool eof;

	(void)now_ns;
	if (events & PB_READY_OUT && e->to_send)
		write_more(e->talk);
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
	flow_shut(t);
}

const struct talk_ops talk_bulk_ops = {
	.name = "bulk",
	.begin = begin,
	.client = client,
	.server = server,
	.stop = stop,
};
