/*
 * Messages by SMTP (RFC 5321), one after the other in one session and without
 * pipelining: what a dialogue costs over a long way.
 *
 *	server: 220  250  250  250  354  250           221
 *	client:    EHLO MAIL RCPT DATA body  MAIL ... QUIT
 *
 * A sample is from MAIL to the 250 behind the body.
 */
#include <errno.h>
#include <string.h>

#include "apps/pbsim/flow.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"

enum step { GREETED, HELLO, MAIL, RCPT, DATA, BODY, QUIT };
enum { TEXT_LINE = 78, CHUNK = 4096 };

/* What the client says at each answer; at DATA the body follows the 354. */
static const char *const says[] = {
	[GREETED] = "EHLO client.example\r\n",
	[HELLO] = "MAIL FROM:<a@client.example>\r\n",
	[MAIL] = "RCPT TO:<b@server.example>\r\n",
	[RCPT] = "DATA\r\n",
};

static void say(struct end *e, const char *text)
{
	/* One line at a time, into an empty queue: there is room. */
	if (e->sock >= 0)
		pb_send(e->sock, text, strlen(text), 0);
}

/* Lines of letters, then the dot. */
static void write_body(struct talk *t)
{
	static const char end[] = "\r\n.\r\n";
	char bytes[CHUNK];
	uint64_t whole = t->conf.size + sizeof(end) - 1;

	while (t->body_left) {
		uint64_t at = whole - t->body_left;
		uint32_t n = 0;
		ssize_t sent;

		for (; n < CHUNK && at + n < whole; n++) {
			uint64_t i = at + n, column = i % (TEXT_LINE + 2);

			if (i >= t->conf.size)
				bytes[n] = end[i - t->conf.size];
			else if (column >= TEXT_LINE)
				bytes[n] = column == TEXT_LINE ? '\r' : '\n';
			else
				bytes[n] = 'x';
		}
		sent = pb_send(t->client.sock, bytes, n, 0);
		if (sent < 0) {
			flow_want(&t->client, PB_READY_IN | PB_READY_OUT);
			return;
		}
		t->body_left -= (uint64_t)sent;
	}
	flow_want(&t->client, PB_READY_IN);
}

static void quit(struct talk *t, uint64_t now_ns)
{
	flow_over(t, now_ns);
	t->step = QUIT;
	say(&t->client, "QUIT\r\n");
}

static void next_message(struct talk *t, uint64_t now_ns)
{
	t->asked_ns = now_ns;
	t->step = MAIL;
	say(&t->client, says[HELLO]);
}

static void taken(struct talk *t, uint64_t now_ns)
{
	uint64_t next_ns = t->asked_ns + t->conf.interval_ns;

	flow_sample(t, now_ns);
	if (t->over || (t->conf.count && t->result.count == t->conf.count))
		quit(t, now_ns);
	else if (next_ns > now_ns)
		flow_at(t, next_ns);
	else
		next_message(t, now_ns);
}

static void client_line(struct talk *t, uint64_t now_ns)
{
	switch ((enum step)t->step) {
	case GREETED:
		say(&t->client, says[GREETED]);
		t->step = HELLO;
		break;
	case HELLO: next_message(t, now_ns); break;
	case MAIL:
	case RCPT: say(&t->client, says[t->step++]); break;
	case DATA:
		t->body_left = t->conf.size + strlen("\r\n.\r\n");
		t->step = BODY;
		write_body(t);
		break;
	case BODY: taken(t, now_ns); break;
	case QUIT: break;
	}
}

/* Does the server have the end of the message? */
static bool is_end(const struct flow_line *line)
{
	return line->len == 3 && line->text[0] == '.';
}

static void server_line(struct talk *t, uint64_t now_ns)
{
	const struct flow_line *line = &t->server_line;
	struct end *e = &t->server;

	(void)now_ns;
	if (t->in_data) {
		if (!is_end(line))
			return;
		t->in_data = false;
		say(e, "250 2.0.0 taken\r\n");
	} else if (strncmp(line->text, "DATA", 4) == 0) {
		t->in_data = true;
		say(e, "354 go ahead\r\n");
	} else if (strncmp(line->text, "QUIT", 4) == 0) {
		say(e, "221 2.0.0 bye\r\n");
		flow_close(e);
	} else {
		say(e, "250 2.0.0 ok\r\n");
	}
}

/* Feeds what came to @on, a line at a time. */
static void read_lines(struct end *e, struct flow_line *line,
		       void (*on)(struct talk *t, uint64_t now_ns), uint64_t now_ns)
{
	char bytes[CHUNK];
	ssize_t n = 0;

	while (e->sock >= 0 && (n = pb_recv(e->sock, bytes, sizeof(bytes), 0)) > 0) {
		e->got += (uint64_t)n;
		for (ssize_t i = 0; i < n && e->sock >= 0; i++) {
			if (line->len < FLOW_LINE_MAX)
				line->text[line->len++] = bytes[i];
			if (bytes[i] != '\n')
				continue;
			on(e->talk, now_ns);
			line->len = 0;
		}
	}
	if (e->sock >= 0 && (n == 0 || errno != EAGAIN))
		flow_close(e);
}

static void client(struct end *e, uint32_t events, uint64_t now_ns)
{
	if (events & PB_READY_OUT && e->talk->body_left)
		write_body(e->talk);
	if (events & PB_READY_IN)
		read_lines(e, &e->talk->client_line, client_line, now_ns);
}

static void server(struct end *e, uint32_t events, uint64_t now_ns)
{
	if (!events)
		say(e, "220 server.example ESMTP\r\n");
	else
		read_lines(e, &e->talk->server_line, server_line, now_ns);
}

static void begin(struct talk *t, uint64_t now_ns)
{
	(void)now_ns;
	t->step = GREETED;
}

static void stop(struct talk *t, uint64_t now_ns)
{
	/* Between two messages; else behind the one that is under way. */
	if (t->step == BODY || t->step == MAIL || t->step == RCPT || t->step == DATA)
		t->over = true;
	else
		quit(t, now_ns);
}

const struct talk_ops talk_mail_ops = {
	.name = "mail",
	.begin = begin,
	.tick = next_message,
	.client = client,
	.server = server,
	.stop = stop,
};
