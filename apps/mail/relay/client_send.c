/*
 * A message on its way: the envelope, the text, and the words about its recipients.
 *
 * RFC 2920 3.1: replies to a group come in its order, and a DATA that was answered 354
 * although no recipient was accepted is ended with a single dot at once.
 */
#include <stdio.h>

#include "apps/mail/relay/client_impl.h"
#include "apps/mail/wire/mime_7bit.h"
#include "stack/base/check.h"

static bool has_8bit(struct str s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.len; i++)
		all |= (unsigned char)s.p[i];
	return all & 0x80;
}

static void tell_all(struct client *c, const struct client_said *said)
{
	for (size_t i = 0; i < c->message->n_rcpts; i++)
		client_tell(c, i, said);
}

/* Nothing of it is sent: all recipients hear why. */
static void refuse(struct client *c, const struct client_said *said)
{
	tell_all(c, said);
	client_done(c);
	/* Not at once: a long row of such messages would be a deep stack. */
	if (c->io)
		client_ready_soon(c);
}

static size_t n_commands(const struct client *c)
{
	return c->message->n_rcpts + 2;
}

static void write_mail(struct client *c, bool is_8bit)
{
	const struct client_message *m = c->message;

	io_printf(c->io, "MAIL FROM:<%.*s>", (int)m->from.len, m->from.p);
	if (c->caps & CLIENT_SIZE)
		io_printf(c->io, " SIZE=%zu", c->rest.len);
	if (is_8bit)
		io_puts(c->io, " BODY=8BITMIME");
	io_puts(c->io, "\r\n");
}

/* Command number @i of the envelope, behind MAIL. */
static void write_command(struct client *c, size_t i)
{
	const struct client_message *m = c->message;

	if (i <= m->n_rcpts)
		io_printf(c->io, "RCPT TO:<%.*s>\r\n", (int)m->rcpts[i - 1].len,
			  m->rcpts[i - 1].p);
	else
		io_puts(c->io, "DATA\r\n");
}

/*
 * RFC 6152 3: text for a server without 8BITMIME.  NULL; or why there is none: what is
 * signed stays as it is, and so is returned.
 */
static const struct client_said *convert(struct client *c)
{
	static const struct client_said no_way = {
		CLIENT_PERMANENT, 0, { 5, 6, 3 }, "It takes no 8bit text"
	};
	static const struct client_said no_memory = {
		CLIENT_TRANSIENT, 0, { 4, 3, 0 }, "Out of memory"
	};
	size_t len;

	switch (mime_7bit_text(c->rest, &c->converted, &len)) {
	case MIME_7BIT_AS_IT_IS: return NULL; /* only its header has such octets */
	case MIME_7BIT_CHANGED: break;
	case MIME_7BIT_SIGNED:
	case MIME_7BIT_NO_ENCODING:
	case MIME_7BIT_LIMITS: return &no_way;
	case MIME_7BIT_NO_MEMORY: return &no_memory;
	}
	c->rest = (struct str){ c->converted, len };
	return NULL;
}

/* The text as it will be sent.  NULL, or why it cannot be. */
static const struct client_said *choose_text(struct client *c, bool *is_8bit)
{
	static const struct client_said too_big = {
		CLIENT_PERMANENT, 0, { 5, 3, 4 }, "It takes no message of that size"
	};
	const struct client_said *why = NULL;

	c->rest = c->message->text;
	*is_8bit = has_8bit(c->rest);
	if (*is_8bit && !(c->caps & CLIENT_8BITMIME)) {
		*is_8bit = false;
		why = convert(c);
	}
	if (!why && c->size_max > 0 && c->rest.len > c->size_max)
		why = &too_big;
	return why;
}

void client_send(struct client *c, const struct client_message *message)
{
	const struct client_said *why;
	bool is_8bit;

	ASSERT(c->state == CLIENT_ST_READY && message->n_rcpts <= CLIENT_RCPTS_MAX);
	c->message = message;
	c->mail_refused = false;
	why = choose_text(c, &is_8bit);
	if (why) {
		refuse(c, why);
		return;
	}
	memset(c->accepted, 0, sizeof(c->accepted));
	c->n_accepted = c->n_read = 0;
	write_mail(c, is_8bit);
	c->n_sent = 1;
	while ((c->caps & CLIENT_PIPELINING) && c->n_sent < n_commands(c))
		write_command(c, c->n_sent++);
	client_enter(c, CLIENT_ST_ENVELOPE);
}

/* MAIL was refused: that is the word about everybody. */
static void note_mail(struct client *c)
{
	struct client_said said = client_said_of(c);

	if (said.result == CLIENT_OK)
		return;
	c->mail_refused = true;
	snprintf(c->mail_text, sizeof(c->mail_text), "%s", said.text);
	c->mail_said = said;
	c->mail_said.text = c->mail_text;
	tell_all(c, &c->mail_said);
}

static void note_rcpt(struct client *c, size_t i)
{
	struct client_said said = client_said_of(c);

	if (c->mail_refused)
		return;
	if (said.result == CLIENT_OK) {
		c->accepted[i] = true;
		c->n_accepted++;
	} else {
		client_tell(c, i, &said);
	}
}

static void tell_accepted(struct client *c, const struct client_said *said)
{
	for (size_t i = 0; i < c->message->n_rcpts; i++)
		if (c->accepted[i])
			client_tell(c, i, said);
}

/* Back to the beginning, for the next message. */
static void reset(struct client *c)
{
	client_enter(c, CLIENT_ST_RSET);
	io_puts(c->io, "RSET\r\n");
	client_done(c);
}

static void note_data(struct client *c)
{
	struct client_said said = client_said_of(c);

	if (c->reply.code == 354) {
		dot_encode_init(&c->dot);
		if (c->n_accepted == 0)
			c->rest.len = 0;
		client_enter(c, CLIENT_ST_TEXT);
		client_text_more(c);
		return;
	}
	/* Another positive answer to DATA is none. */
	if (said.result == CLIENT_OK)
		said.result = CLIENT_TRANSIENT;
	tell_accepted(c, &said);
	reset(c);
}

void client_envelope_reply(struct client *c)
{
	size_t at = c->n_read++;

	if (at == 0)
		note_mail(c);
	else if (at <= c->message->n_rcpts)
		note_rcpt(c, at - 1);
	else {
		note_data(c);
		return;
	}
	if (c->n_read < c->n_sent) {
		client_enter(c, CLIENT_ST_ENVELOPE);
		return;
	}
	/* Nobody is left for DATA. */
	if (c->mail_refused ||
	    (c->n_read == c->message->n_rcpts + 1 && c->n_accepted == 0)) {
		reset(c);
		return;
	}
	write_command(c, c->n_sent++);
	client_enter(c, CLIENT_ST_ENVELOPE);
}

void client_text_more(struct client *c)
{
	struct str piece, end;

	/* RFC 5321 4.5.3.2.5: time for each block. */
	client_enter(c, CLIENT_ST_TEXT);
	while (c->rest.len > 0) {
		struct str some = c->rest;
		size_t room = io_room(c->io);

		if (room == 0)
			return;
		if (some.len > room)
			some.len = room;
		c->rest.p += some.len;
		c->rest.len -= some.len;
		while (dot_encode(&c->dot, &some, &piece))
			io_write(c->io, piece.p, piece.len);
	}
	end = dot_encode_end(&c->dot);
	io_write(c->io, end.p, end.len);
	client_enter(c, CLIENT_ST_RESULT);
}

/* It has heard enough of the text; what it says counts, and that is the end. */
void client_early_reply(struct client *c)
{
	struct client_said said = client_said_of(c);

	if (said.result == CLIENT_OK)
		said.result = CLIENT_TRANSIENT;
	tell_accepted(c, &said);
	client_done(c);
	if (c->io)
		client_close(c, &said);
}

void client_result_reply(struct client *c)
{
	struct client_said said = client_said_of(c);

	/* RFC 5321 4.2.1: anything but 2xx and its two noes is no answer to that. */
	if (c->reply.code >= 300 && c->reply.code < 400)
		said.result = CLIENT_TRANSIENT;
	tell_accepted(c, &said);
	client_done(c);
	if (!c->io)
		return;
	client_enter(c, CLIENT_ST_READY);
	c->ops.ready(c->arg);
}
