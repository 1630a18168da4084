/*
 * POP3 (RFC 1939) as a client, with STLS (RFC 2595) and SASL (RFC 5034).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "apps/lib/io.h"
#include "apps/mail/auth/sasl_client.h"
#include "apps/mail/wire/dot.h"
#include "apps/pbmail/box.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/stream.h"
#include "stack/base/check.h"

enum { MECHS_LEN = 256, CAPA_LINES_MAX = 100 };

struct pop3 {
	struct box box;
	struct pbmail *p;
	struct stream stream;
	char mechs[MECHS_LEN];
};

static struct pop3 *pop3_of(struct box *b)
{
	return container_of(b, struct pop3, box);
}

static int read_line(struct pop3 *b, struct str *line)
{
	int r = stream_line(&b->stream, PBMAIL_LINE_MAX_LEN, line);

	return r < 0 ? pbmail_fail(EX_UNAVAILABLE, "%s: %s", b->p->account.pop3.host,
				   strerror(-r)) :
		       0;
}

static bool is_ok(struct str line)
{
	return str_starts_nocase(line, STR("+OK"));
}

static int refused(struct str line)
{
	bool is_auth = memmem(line.p, line.len, "[AUTH]", 6);
	bool is_busy = memmem(line.p, line.len, "[IN-USE]", 8) ||
		       memmem(line.p, line.len, "[SYS/TEMP]", 10);

	return pbmail_fail(is_auth ? EX_NOPERM :
			   is_busy ? EX_TEMPFAIL :
				     EX_UNAVAILABLE,
			   "the server says: %.*s", (int)line.len, line.p);
}

/* "+OK"; *line is all of it. */
static int answer(struct pop3 *b, struct str *line)
{
	int r = read_line(b, line);

	if (r)
		return r;
	return is_ok(*line) ? 0 : refused(*line);
}

/* One without arguments that are secret. */
static int say(struct pop3 *b, const char *text)
{
	struct str line;

	io_printf(b->stream.io, "%s\r\n", text);
	return answer(b, &line);
}

/* RFC 2449: what there is; a server without CAPA has nothing. */
static int ask_capa(struct pop3 *b)
{
	struct str line;
	int r;

	b->mechs[0] = '\0';
	io_puts(b->stream.io, "CAPA\r\n");
	r = read_line(b, &line);
	if (r || !is_ok(line))
		return r;
	for (int i = 0; i < CAPA_LINES_MAX; i++) {
		r = read_line(b, &line);
		if (r || str_eq(line, STR(".")))
			return r;
		if (str_starts_nocase(line, STR("SASL ")))
			snprintf(b->mechs, MECHS_LEN, "%.*s", (int)line.len - 5,
				 line.p + 5);
	}
	return pbmail_fail(EX_PROTOCOL, "the server can do too much");
}

static int authenticate(struct pop3 *b, struct sasl_client *sasl)
{
	struct str line, out;
	int r;

	io_printf(b->stream.io, "AUTH %s\r\n", sasl_client_mech(sasl));
	for (;;) {
		r = read_line(b, &line);
		if (r)
			return r;
		if (line.len < 1 || line.p[0] != '+' || is_ok(line))
			break;
		line = str_trim((struct str){ line.p + 1, line.len - 1 });
		if (sasl_client_step(sasl, line, &out) < 0)
			return pbmail_fail(EX_PROTOCOL, "the server does not know you");
		io_printf(b->stream.io, "%.*s\r\n", (int)out.len, out.p);
	}
	if (!is_ok(line))
		return refused(line);
	return sasl_client_done(sasl) ?
		       0 :
		       pbmail_fail(EX_PROTOCOL, "the server does not know you");
}

static int login(struct pop3 *b)
{
	const struct account *a = &b->p->account;
	bool clear_ok = b->stream.is_secure || account_tls(&a->pop3) == ACCOUNT_TLS_NONE;
	char password[ACCOUNT_PASSWORD_MAX + 1];
	struct sasl_client *sasl;
	struct str line;
	int r;

	if (!a->user || account_password(a, password) < 0)
		return pbmail_fail(EX_CONFIG, "the account has no user, or no password");
	r = sasl_client_new(str_of(b->mechs), clear_ok, a->user, password, &sasl);
	if (r == 0) {
		r = authenticate(b, sasl);
		sasl_client_free(sasl);
	} else if (clear_ok) {
		io_printf(b->stream.io, "USER %s\r\n", a->user);
		r = answer(b, &line);
		if (r == 0) {
			io_printf(b->stream.io, "PASS %s\r\n", password);
			r = answer(b, &line);
		}
	} else {
		r = pbmail_fail(EX_NOPERM, "there is no way to log in");
	}
	explicit_bzero(password, sizeof(password));
	return r;
}

static int begin(struct pop3 *b)
{
	const struct account_server *server = &b->p->account.pop3;
	int r = stream_open(&b->stream, b->p, server);
	struct str line;

	if (r == 0)
		r = answer(b, &line);
	if (r == 0 && account_tls(server) == ACCOUNT_TLS_STARTTLS) {
		r = say(b, "STLS");
		if (r == 0)
			r = stream_secure(&b->stream, b->p, server);
	}
	if (r == 0)
		r = ask_capa(b);
	return r ? r : login(b);
}

static int pop3_select(struct box *box, const char *mailbox, bool to_change)
{
	struct pop3 *b = pop3_of(box);
	struct str line, count;
	uint64_t n;
	int r;

	(void)to_change;
	if (!str_eq_nocase(str_of(mailbox), STR("INBOX")))
		return pbmail_fail(EX_UNAVAILABLE, "POP3 has no mailbox but INBOX");
	io_puts(b->stream.io, "STAT\r\n");
	r = answer(b, &line);
	if (r)
		return r;
	str_cut(line, ' ', &count);
	if (!str_to_u64(str_cut(count, ' ', &line), &n) || n > PBMAIL_MESSAGES_MAX)
		return pbmail_fail(EX_PROTOCOL, "the server cannot count");
	box->n_messages = (uint32_t)n;
	return 0;
}

/* What follows "+OK", up to the line with a dot; of more than @max octets the rest is
 * read and forgotten. */
static int read_text(struct pop3 *b, size_t max)
{
	struct dot_decoder dot;
	char out[4096];
	uint64_t n_read = 0;
	struct str in;
	size_t n;
	int r = 0;

	dot_decode_init(&dot);
	while (r == 0 && dot.state != DOT_END) {
		int got = stream_peek(&b->stream, &in);

		if (got < 0)
			return pbmail_fail(EX_UNAVAILABLE, "%s: %s",
					   b->p->account.pop3.host, strerror(-got));
		if (in.len > sizeof(out))
			in.len = sizeof(out);
		stream_consume(&b->stream, dot_decode(&dot, in, out, &n));
		n_read += in.len;
		if (n_read > 2 * (uint64_t)PBMAIL_MESSAGE_MAX)
			return pbmail_fail(EX_PROTOCOL, "the server's answer has no end");
		if (b->box.message.len < max)
			r = box_add(&b->box, (struct str){ out, n });
	}
	if (r == 0 && dot.fault != DOT_FINE)
		r = pbmail_fail(EX_PROTOCOL, "the message is damaged");
	return r;
}

static int pop3_fetch(struct box *box, uint32_t n)
{
	struct pop3 *b = pop3_of(box);
	char text[32];
	int r;

	if (n > box->n_messages)
		return box_none(n);
	snprintf(text, sizeof(text), "RETR %" PRIu32, n);
	r = say(b, text);
	return r ? r : read_text(b, PBMAIL_MESSAGE_MAX);
}

static int pop3_headers(struct box *box)
{
	struct pop3 *b = pop3_of(box);
	char text[32];
	int r = 0;

	for (uint32_t n = 1; n <= box->n_messages && r == 0; n++) {
		box->message.len = 0;
		snprintf(text, sizeof(text), "TOP %" PRIu32 " 0", n);
		r = say(b, text);
		if (r == 0)
			r = read_text(b, PBMAIL_HEADER_MAX);
		if (r == 0)
			box->seen(box->arg, n, false,
				  (struct str){ box->message.p, box->message.len });
	}
	return r;
}

static int pop3_remove(struct box *box, const uint32_t *numbers, size_t n)
{
	struct pop3 *b = pop3_of(box);
	char text[32];
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (numbers[i] > box->n_messages)
			return box_none(numbers[i]);
	for (size_t i = 0; i < n && r == 0; i++) {
		snprintf(text, sizeof(text), "DELE %" PRIu32, numbers[i]);
		r = say(b, text);
	}
	/* RFC 1939 6: it is done when QUIT is answered. */
	return r ? r : say(b, "QUIT");
}

static int no_mailboxes(void)
{
	return pbmail_fail(EX_UNAVAILABLE, "POP3 has no mailbox but INBOX");
}

static int pop3_move(struct box *box, const uint32_t *numbers, size_t n,
		     const char *mailbox)
{
	(void)box;
	(void)numbers;
	(void)n;
	(void)mailbox;
	return no_mailboxes();
}

static int pop3_append(struct box *box, struct str message)
{
	(void)box;
	(void)message;
	return no_mailboxes();
}

static int pop3_manage(struct box *box, const char *verb, const char *name,
		       const char *new_name)
{
	(void)box;
	(void)verb;
	(void)name;
	(void)new_name;
	return no_mailboxes();
}

static void pop3_close(struct box *box)
{
	struct pop3 *b = pop3_of(box);

	if (b->stream.io && !b->stream.eof && !b->stream.error)
		io_puts(b->stream.io, "QUIT\r\n");
	stream_close(&b->stream);
	free(b);
}

static const struct box_ops pop3_ops = {
	.select = pop3_select,
	.headers = pop3_headers,
	.fetch = pop3_fetch,
	.remove = pop3_remove,
	.move = pop3_move,
	.append = pop3_append,
	.manage = pop3_manage,
	.close = pop3_close,
};

int box_pop3_new(struct pbmail *p, struct box **box)
{
	struct pop3 *b = calloc(1, sizeof(*b));

	if (!b)
		return pbmail_fail(EX_OSERR, "out of memory");
	b->box.ops = &pop3_ops;
	b->p = p;
	*box = &b->box;
	return begin(b);
}
