/*
 * A connection: its states, its deadlines, and the reading of replies.
 */
#include "apps/mail/relay/client.h"

#include <stdlib.h>
#include <string.h>

#include "apps/lib/net.h"
#include "apps/lib/tls.h"
#include "apps/mail/auth/sasl_client.h"
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
		B = 1 << CLIENT_ST_STARTTLS,
		L = 1 << CLIENT_ST_TLS,
		A = 1 << CLIENT_ST_AUTH,
		Y = 1 << CLIENT_ST_READY,
		V = 1 << CLIENT_ST_ENVELOPE,
		T = 1 << CLIENT_ST_TEXT,
		R = 1 << CLIENT_ST_RESULT,
		S = 1 << CLIENT_ST_RSET,
	};
	static const unsigned from_of[] = {
		[CLIENT_ST_CONNECT] = 0,
		[CLIENT_ST_GREETING] = C | L,
		[CLIENT_ST_EHLO] = G | L,
		[CLIENT_ST_HELO] = E,
		[CLIENT_ST_STARTTLS] = E,
		[CLIENT_ST_TLS] = C | B,
		[CLIENT_ST_AUTH] = E | H | B | A,
		[CLIENT_ST_READY] = E | H | B | A | Y | S | R,
		[CLIENT_ST_ENVELOPE] = Y | V,
		[CLIENT_ST_TEXT] = V | T,
		[CLIENT_ST_RESULT] = T,
		[CLIENT_ST_RSET] = V,
		[CLIENT_ST_CLOSED] = C | G | E | H | B | L | A | Y | V | T | R | S,
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
	case CLIENT_ST_STARTTLS:
	case CLIENT_ST_TLS:
	case CLIENT_ST_AUTH:
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

void client_give_up(struct client *c, enum client_result result, unsigned subject,
		    unsigned detail, const char *text)
{
	const struct client_said said = {
		.result = result,
		.enhanced = { result == CLIENT_PERMANENT ? 5 : 4, (uint16_t)subject,
			      (uint16_t)detail },
		.text = text,
	};

	client_close(c, &said);
}

/* RFC 3463 3.6: 4.5.0, another protocol than ours. */
static void no_smtp(struct client *c, const char *text)
{
	client_give_up(c, CLIENT_TRANSIENT, 5, 0, text);
}

void client_become_ready(struct client *c)
{
	c->greeted = true;
	client_enter(c, CLIENT_ST_READY);
	c->ops.ready(c->arg);
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
	case CLIENT_ST_GREETING:
	case CLIENT_ST_EHLO:
	case CLIENT_ST_HELO:
	case CLIENT_ST_STARTTLS:
	case CLIENT_ST_AUTH: client_hello_reply(c, &said); break;
	case CLIENT_ST_ENVELOPE: client_envelope_reply(c); break;
	case CLIENT_ST_RESULT: client_result_reply(c); break;
	case CLIENT_ST_RSET:
		if (said.result == CLIENT_OK)
			client_become_ready(c);
		else
			client_close(c, &said);
		break;
	case CLIENT_ST_TEXT: client_early_reply(c); break;
	case CLIENT_ST_CONNECT:
	case CLIENT_ST_TLS:
	case CLIENT_ST_READY:
	case CLIENT_ST_CLOSED: no_smtp(c, "It speaks without being asked"); break;
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
		no_smtp(c, "What it answers is no SMTP");
		return true;
	}
	/* RFC 5321 4.1.1.1: the first line has its name. */
	if (c->state == CLIENT_ST_EHLO && c->reply.n_lines > 1)
		client_note_cap(c, rest);
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

/* RFC 3463 3.5, 3.8: 4.4.1 no answer, 4.4.2 bad connection, 4.7.5 cryptographic failure */
static void ended(struct client *c, struct io *io, enum io_event e)
{
	const char *why = io_tls_error(io) ? io_tls_error(io) : "The connection broke";
	bool is_late = e == IO_DEADLINE;

	c->tls_failed = c->state == CLIENT_ST_TLS;
	if (c->tls_failed)
		client_give_up(c, CLIENT_TRANSIENT, 7, 5,
			       is_late ? "No TLS in time" : why);
	else if (c->state == CLIENT_ST_CONNECT)
		client_give_up(c, CLIENT_TRANSIENT, 4, 1,
			       is_late ? "No answer in time" : strerror(io_error(io)));
	else if (is_late)
		client_give_up(c, CLIENT_TRANSIENT, 4, 2,
			       c->state == CLIENT_ST_TEXT ?
				       "It takes no more of the text" :
				       "No answer in time");
	else
		client_give_up(c, CLIENT_TRANSIENT, 4, 2, "The connection broke");
}

static void deadline(struct client *c, struct io *io)
{
	if (!c->ready_soon) {
		ended(c, io, IO_DEADLINE);
		return;
	}
	c->ready_soon = false;
	client_become_ready(c);
}

static void client_free(struct client *c)
{
	forget_message(c);
	sasl_client_free(c->sasl);
	free(c);
}

/* What the owner calls from inside of its functions may end us; then this frees. */
static void event(void *arg, struct io *io, enum io_event e)
{
	struct client *c = arg;

	c->inside = true;
	switch (e) {
	case IO_CONNECTED: client_connected(c); break;
	case IO_SECURE: client_secured(c); break;
	case IO_ROOM:
		if (c->state == CLIENT_ST_TEXT)
			client_text_more(c);
		break;
	case IO_INPUT: break;
	case IO_DEADLINE: deadline(c, io); break;
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

struct client *client_turn(struct io *io, const struct client_conf *conf,
			   const struct client_ops *ops, void *arg)
{
	struct client *c = client_new(io, conf, ops, arg);

	if (c)
		client_connected(c);
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

size_t client_unsent(const struct client *c)
{
	return c->rest.len + (c->io ? io_out_len(c->io) : 0);
}

bool client_sender_refused(const struct client *c)
{
	return c->mail_refused;
}

unsigned client_caps(const struct client *c)
{
	return c->caps;
}

bool client_is_secure(const struct client *c)
{
	return c->io && io_is_secure(c->io);
}

bool client_tls_failed(const struct client *c)
{
	return c->tls_failed;
}
