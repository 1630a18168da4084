/*
 * A connection: its states, its deadlines, and the reading of replies.
 */
#include "apps/mail/relay/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/net.h"
#include "apps/mail/relay/client_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static bool may_enter(enum client_state from, enum client_state to)
{
	enum {
		C = 1 << CLIENT_ST_CONNECT,
		G = 1 << CLIENT_ST_GREETING,
		E = 1 << CLIENT_ST_EHLO,
		H = 1 << CLIENT_ST_HELO,
		Y = 1 << CLIENT_ST_READY,
		V = 1 << CLIENT_ST_ENVELOPE,
		T = 1 << CLIENT_ST_TEXT,
		R = 1 << CLIENT_ST_RESULT,
		S = 1 << CLIENT_ST_RSET,
	};
	static const unsigned from_of[] = {
		[CLIENT_ST_CONNECT] = 0,
		[CLIENT_ST_GREETING] = C,
		[CLIENT_ST_EHLO] = G,
		[CLIENT_ST_HELO] = E,
		[CLIENT_ST_READY] = E | H | Y | S | R,
		[CLIENT_ST_ENVELOPE] = Y | V,
		[CLIENT_ST_TEXT] = V | T,
		[CLIENT_ST_RESULT] = T,
		[CLIENT_ST_RSET] = V,
		[CLIENT_ST_CLOSED] = C | G | E | H | Y | V | T | R | S,
	};

	return from_of[to] >> from & 1;
}

static uint64_t patience_s(const struct client *c)
{
	const struct client_limits *l = &c->conf.limits;

	switch (c->state) {
	case CLIENT_ST_CONNECT: return l->connect_s;
	case CLIENT_ST_GREETING: return l->greeting_s;
	case CLIENT_ST_EHLO:
	case CLIENT_ST_HELO:
	case CLIENT_ST_RSET: return l->command_s;
	case CLIENT_ST_ENVELOPE:
		/* RFC 5321 4.5.3.2.4: the last one is DATA. */
		return c->message && c->n_read == c->message->n_rcpts + 1 ? l->data_s :
									    l->command_s;
	case CLIENT_ST_TEXT: return l->block_s;
	case CLIENT_ST_RESULT: return l->end_s;
	case CLIENT_ST_READY:
	case CLIENT_ST_CLOSED: break;
	}
	return 0;
}

/* In READY the owner decides how long that lasts. */
static void arm(struct client *c)
{
	uint64_t s = patience_s(c);

	io_deadline(c->io, s ? net_now_ns(io_net(c->io)) + s * NS_PER_S : UINT64_MAX);
}

void client_enter(struct client *c, enum client_state state)
{
	ASSERT(may_enter(c->state, state));
	c->state = state;
	if (state != CLIENT_ST_CLOSED)
		arm(c);
}

struct client_said client_said_of(const struct client *c)
{
	const struct smtp_reply *r = &c->reply;

	return (struct client_said){
		.result = r->code < 400 ? CLIENT_OK :
			  r->code < 500 ? CLIENT_TRANSIENT :
					  CLIENT_PERMANENT,
		.code = r->code,
		.enhanced = r->enhanced,
		.text = r->text,
	};
}

static void forget_message(struct client *c)
{
	c->message = NULL;
	free(c->converted);
	c->converted = NULL;
}

void client_close(struct client *c, const struct client_said *said)
{
	io_close(c->io);
	c->io = NULL;
	client_enter(c, CLIENT_ST_CLOSED);
	forget_message(c);
	c->ops.closed(c->arg, c->greeted, said);
}

void client_tell(struct client *c, size_t i, const struct client_said *said)
{
	c->ops.rcpt(c->arg, i, said);
}

void client_done(struct client *c)
{
	forget_message(c);
	c->ops.done(c->arg);
}

/* What we say ourselves about a connection. */
static void give_up(struct client *c, const char *text, unsigned detail)
{
	/* RFC 3463 3.5: 4.4.1 no answer, 4.4.2 bad connection, 4.5.0 bad protocol */
	const struct client_said said = {
		.result = CLIENT_TRANSIENT,
		.enhanced = { 4, detail == 0 ? 5 : 4, (uint16_t)detail },
		.text = text,
	};

	client_close(c, &said);
}

static void say_hello(struct client *c, const char *verb, enum client_state state)
{
	c->caps = 0;
	c->size_max = 0;
	io_printf(c->io, "%s %s\r\n", verb, c->conf.host);
	client_enter(c, state);
}

/* One line of what EHLO answers: keyword and parameters (RFC 5321 4.1.1.1). */
static void note_cap(struct client *c, struct str line)
{
	static const struct {
		struct str keyword;
		unsigned cap;
	} known[] = {
		{ { "PIPELINING", 10 }, CLIENT_PIPELINING },
		{ { "8BITMIME", 8 }, CLIENT_8BITMIME },
		{ { "SIZE", 4 }, CLIENT_SIZE },
		{ { "ENHANCEDSTATUSCODES", 19 }, CLIENT_ENHANCED },
		{ { "STARTTLS", 8 }, CLIENT_STARTTLS },
	};
	struct str param, keyword = str_cut(str_trim(line), ' ', &param);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(keyword, known[i].keyword))
			c->caps |= known[i].cap;
	/* RFC 1870 4: no number, or 0: no limit that it tells. */
	if (str_eq_nocase(keyword, STR("SIZE")) && !str_to_u64(param, &c->size_max))
		c->size_max = 0;
}

static void greeting(struct client *c, const struct client_said *said)
{
	if (said->result == CLIENT_OK)
		say_hello(c, "EHLO", CLIENT_ST_EHLO);
	else
		client_close(c, said);
}

static void become_ready(struct client *c)
{
	c->greeted = true;
	client_enter(c, CLIENT_ST_READY);
	c->ops.ready(c->arg);
}

/* RFC 5321 3.2: a server that does not know EHLO is told HELO. */
static void hello_reply(struct client *c, const struct client_said *said)
{
	if (said->result == CLIENT_OK)
		become_ready(c);
	else if (c->state == CLIENT_ST_EHLO && said->result == CLIENT_PERMANENT)
		say_hello(c, "HELO", CLIENT_ST_HELO);
	else
		client_close(c, said);
}

static void run_reply(struct client *c)
{
	struct client_said said = client_said_of(c);

	/* RFC 5321 3.8: 421 comes at any time, and the connection goes. */
	if (c->reply.code == 421) {
		client_close(c, &said);
		return;
	}
	switch (c->state) {
	case CLIENT_ST_GREETING: greeting(c, &said); break;
	case CLIENT_ST_EHLO:
	case CLIENT_ST_HELO: hello_reply(c, &said); break;
	case CLIENT_ST_ENVELOPE: client_envelope_reply(c); break;
	case CLIENT_ST_RESULT: client_result_reply(c); break;
	case CLIENT_ST_RSET:
		if (said.result == CLIENT_OK)
			become_ready(c);
		else
			client_close(c, &said);
		break;
	case CLIENT_ST_TEXT: client_early_reply(c); break;
	case CLIENT_ST_CONNECT:
	case CLIENT_ST_READY:
	case CLIENT_ST_CLOSED: give_up(c, "It speaks without being asked", 0); break;
	}
}

static bool read_line(struct client *c)
{
	struct str line, rest;
	int got = io_line(c->io, SMTP_REPLY_LINE_MAX, &line);

	if (got == 0)
		return false;
	if (got == 1)
		got = smtp_reply_line(&c->reply, line, &rest);
	if (got < 0) {
		give_up(c, "What it answers is no SMTP", 0);
		return true;
	}
	/* RFC 5321 4.1.1.1: the first line has its name. */
	if (c->state == CLIENT_ST_EHLO && c->reply.n_lines > 1)
		note_cap(c, rest);
	if (got == 1) {
		run_reply(c);
		smtp_reply_init(&c->reply);
	}
	return true;
}

void client_ready_soon(struct client *c)
{
	c->ready_soon = true;
	io_deadline(c->io, net_now_ns(io_net(c->io)));
}

static void ended(struct client *c, struct io *io, enum io_event e)
{
	if (e == IO_DEADLINE && c->ready_soon) {
		c->ready_soon = false;
		become_ready(c);
	} else if (e == IO_DEADLINE)
		give_up(c,
			c->state == CLIENT_ST_TEXT ? "It takes no more of the text" :
						     "No answer in time",
			c->state == CLIENT_ST_CONNECT ? 1 : 2);
	else if (c->state == CLIENT_ST_CONNECT)
		give_up(c, strerror(io_error(io)), 1);
	else
		give_up(c, "The connection broke", 2);
}

static void client_free(struct client *c)
{
	forget_message(c);
	free(c);
}

/* What the owner calls from inside of its functions may end us; then this frees. */
static void event(void *arg, struct io *io, enum io_event e)
{
	struct client *c = arg;

	c->inside = true;
	switch (e) {
	case IO_CONNECTED: client_enter(c, CLIENT_ST_GREETING); break;
	case IO_ROOM:
		if (c->state == CLIENT_ST_TEXT)
			client_text_more(c);
		break;
	case IO_SECURE:
	case IO_INPUT: break;
	case IO_DEADLINE:
	case IO_EOF:
	case IO_ERROR: ended(c, io, e); break;
	}
	while (c->io && read_line(c))
		;
	c->inside = false;
	if (!c->io)
		client_free(c);
}

struct client *client_new(struct io *io, const struct client_conf *conf,
			  const struct client_ops *ops, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->io = io;
	c->conf = *conf;
	c->ops = *ops;
	c->arg = arg;
	smtp_reply_init(&c->reply);
	io_handle(io, event, c);
	arm(c);
	return c;
}

/* Without a word to the owner, from wherever it is. */
static void vanish(struct client *c)
{
	c->io = NULL;
	client_enter(c, CLIENT_ST_CLOSED);
	if (!c->inside)
		client_free(c);
}

/* RFC 5321 4.1.1.10: the reply is waited for; the io does that, and forgets it. */
void client_quit(struct client *c)
{
	if (c->state == CLIENT_ST_READY) {
		io_puts(c->io, "QUIT\r\n");
		io_close(c->io);
	} else {
		io_abort(c->io);
	}
	vanish(c);
}

void client_abort(struct client *c)
{
	io_abort(c->io);
	vanish(c);
}

unsigned client_caps(const struct client *c)
{
	return c->caps;
}
