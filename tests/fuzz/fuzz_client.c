#include "apps/mail/relay/client.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/net_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { MESSAGES = 3 };

static const struct str rcpts[] = { { "one@b.example", 13 }, { "two@b.example", 13 } };
static const struct client_message message = {
	.from = { "a@a.example", 11 },
	.rcpts = rcpts,
	.n_rcpts = 2,
	.text = { "\r\n.\xc3\xbc\r\n", 7 },
};

/* One message after the other, as often as it is ready. */
struct owner {
	struct client *client;
	unsigned n_sent, n_words, n_closed;
};

static void ready(void *arg)
{
	struct owner *o = arg;

	o->n_words = 0;
	if (o->n_sent++ < MESSAGES) {
		client_send(o->client, &message);
	} else {
		client_quit(o->client);
		o->client = NULL;
	}
}

static void rcpt(void *arg, size_t i, const struct client_said *said)
{
	struct owner *o = arg;

	ASSERT(i < message.n_rcpts && o->n_words < message.n_rcpts);
	ASSERT(strlen(said->text) <= SMTP_REPLY_TEXT_MAX);
	o->n_words++;
}

/* Everybody had a word, once. */
static void done(void *arg)
{
	ASSERT(((struct owner *)arg)->n_words == message.n_rcpts);
}

static void closed(void *arg, bool greeted, const struct client_said *said)
{
	struct owner *o = arg;

	(void)greeted;
	ASSERT(o->n_closed == 0 && said->result != CLIENT_OK);
	o->n_closed++;
	o->client = NULL;
}

static void talk(struct net *net, struct mem_peer *server, const uint8_t *bytes,
		 size_t len)
{
	/* The first byte says in what pieces the others come. */
	mem_cut(server, bytes[0] % 16);
	mem_send(server, bytes + 1, len - 1);
	mem_settle(net);
	mem_advance(net, 3600 * NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct client_ops ops = { ready, rcpt, done, closed };
	const struct client_conf conf = {
		.host = "mx.a.example",
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			CLIENT_LIMITS(L)
#undef L
		},
	};
	struct owner owner = { .n_sent = 0 };
	struct mem_peer *server;
	struct net *net;
	struct io *io;

	if (len == 0)
		return 0;
	ASSERT(net_mem_new(&net) == 0);
	ASSERT(net_connect(net, "192.0.2.7:25", &io) == 0);
	owner.client = client_new(io, &conf, &ops, &owner);
	server = mem_accept(net);
	talk(net, server, bytes, len);
	/* No patience is without end. */
	ASSERT(!owner.client);
	mem_free(server);
	mem_advance(net, 3600 * NS_PER_S);
	ASSERT(mem_n_open(net) == 0);
	net_free(net);
	return 0;
}
