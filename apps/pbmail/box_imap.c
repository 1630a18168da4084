/*
 * IMAP4rev1 (RFC 3501) as a client: one command after the other, each until its tagged
 * answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "apps/lib/io.h"
#include "apps/mail/auth/sasl_client.h"
#include "apps/mail/wire/imap_emit.h"
#include "apps/mail/wire/imap_reply.h"
#include "apps/mail/wire/utf7.h"
#include "apps/pbmail/box.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/stream.h"
#include "apps/pbmail/text.h"
#include "stack/base/check.h"

enum {
	MECHS_LEN = 256,
	NAME_MAX_LEN = 1024,
	REPLIES_MAX = PBMAIL_MESSAGES_MAX + 10000, /* to one command */
};

struct imap {
	struct box box;
	struct pbmail *p;
	struct stream stream;
	struct imap_reply_reader reader;
	struct imap_emit out;
	bool passes;	  /* octets that come now are the message's */
	bool has_move;	  /* RFC 6851 */
	bool has_uidplus; /* RFC 4315 */
	bool has_starttls, no_login, is_bye;
	char mechs[MECHS_LEN]; /* of AUTH= */
	const char *mailbox;
	uint32_t *missing; /* UIDs that were not told of, or 0 */
	size_t n_missing;
	void (*data)(struct imap *b, const struct imap_reply *r);
	int status; /* what went wrong while answers were read */
};

static struct imap *imap_of(struct box *b)
{
	return container_of(b, struct imap, box);
}

static void take_capability(struct imap *b, struct str word)
{
	size_t len = strlen(b->mechs);

	b->has_move |= str_eq_nocase(word, STR("MOVE"));
	b->has_uidplus |= str_eq_nocase(word, STR("UIDPLUS"));
	b->has_starttls |= str_eq_nocase(word, STR("STARTTLS"));
	b->no_login |= str_eq_nocase(word, STR("LOGINDISABLED"));
	if (str_starts_nocase(word, STR("AUTH=")) && len + word.len < MECHS_LEN)
		snprintf(b->mechs + len, MECHS_LEN - len, " %.*s", (int)word.len - 5,
			 word.p + 5);
}

static void take_capabilities(struct imap *b, const struct imap_token *t)
{
	b->has_move = b->has_uidplus = b->has_starttls = b->no_login = false;
	b->mechs[0] = '\0';
	for (; t; t = t->next)
		if (t->kind == IMAP_TOKEN_ATOM)
			take_capability(b, t->text);
}

/* What any answer may say. */
static void take_common(struct imap *b, const struct imap_reply *r)
{
	if (str_eq_nocase(r->code, STR("CAPABILITY")))
		take_capabilities(b, r->code_args);
	if (r->kind != IMAP_REPLY_UNTAGGED)
		return;
	if (r->status == IMAP_REPLY_BYE)
		b->is_bye = true;
	if (r->status != IMAP_REPLY_DATA)
		return;
	if (str_eq_nocase(r->name, STR("CAPABILITY")))
		take_capabilities(b, r->args);
	if (r->has_number && str_eq_nocase(r->name, STR("EXISTS")))
		b->box.n_messages = r->number;
	if (b->data)
		b->data(b, r);
}

/* The next answer.  0 or a status. */
static int next_reply(struct imap *b, const struct imap_reply **reply)
{
	for (;;) {
		struct str in, rest;
		enum imap_reply_event event;
		int r = stream_peek(&b->stream, &in);

		if (r < 0)
			return pbmail_fail(EX_UNAVAILABLE, "%s: %s",
					   b->p->account.imap.host, strerror(-r));
		rest = in;
		event = imap_reply(&b->reader, &rest);
		if (event == IMAP_REPLY_OCTETS && b->passes && b->status == 0)
			b->status = box_add(&b->box, b->reader.piece);
		stream_consume(&b->stream, in.len - rest.len);
		if (event == IMAP_REPLY_BROKEN)
			return pbmail_fail(EX_PROTOCOL, "%s: %s", b->p->account.imap.host,
					   b->reader.bad);
		if (event == IMAP_REPLY_READY) {
			*reply = &b->reader.reply;
			return 0;
		}
	}
}

static int refused(const struct imap_reply *r)
{
	int status = EX_UNAVAILABLE;

	if (str_eq_nocase(r->code, STR("AUTHENTICATIONFAILED")) ||
	    str_eq_nocase(r->code, STR("AUTHORIZATIONFAILED")) ||
	    str_eq_nocase(r->code, STR("PRIVACYREQUIRED")))
		status = EX_NOPERM;
	else if (str_eq_nocase(r->code, STR("NONEXISTENT")))
		status = EX_NOINPUT;
	else if (str_eq_nocase(r->code, STR("TRYCREATE")) ||
		 str_eq_nocase(r->code, STR("ALREADYEXISTS")))
		status = EX_CANTCREAT;
	else if (str_eq_nocase(r->code, STR("UNAVAILABLE")) ||
		 str_eq_nocase(r->code, STR("INUSE")) ||
		 str_eq_nocase(r->code, STR("LIMIT")))
		status = EX_TEMPFAIL;
	return pbmail_fail(status, "the server says: %.*s", (int)r->text.len, r->text.p);
}

/* Reads up to the tagged answer, or to "+".  0 or a status. */
static int answer(struct imap *b, const struct imap_reply **reply)
{
	for (int i = 0; i < REPLIES_MAX; i++) {
		int r = next_reply(b, reply);

		if (r)
			return r;
		take_common(b, *reply);
		if ((*reply)->kind != IMAP_REPLY_UNTAGGED || b->is_bye)
			return 0;
	}
	return pbmail_fail(EX_PROTOCOL, "the server's answer has no end");
}

/* Sends what is in b->out, with a tag before it, and waits for "OK". */
static int command(struct imap *b,
		   void (*data)(struct imap *b, const struct imap_reply *r))
{
	const struct imap_reply *reply = NULL;
	int r = 0;

	if (b->out.is_failed)
		return pbmail_fail(EX_OSERR, "out of memory");
	b->data = data;
	io_puts(b->stream.io, "a ");
	for (size_t at = 0; r == 0 && at < b->out.len;) {
		/* A literal ends a line: then the server must say "+". */
		const char *end = memmem(b->out.p + at, b->out.len - at, "}\r\n", 3);
		size_t len = end ? (size_t)(end + 3 - b->out.p) - at : b->out.len - at;

		io_write(b->stream.io, b->out.p + at, len);
		at += len;
		r = answer(b, &reply);
		if (r == 0 && reply->kind != IMAP_REPLY_PLUS)
			break;
	}
	imap_emit_clear(&b->out);
	b->data = NULL;
	if (r == 0 && (b->is_bye || reply->status != IMAP_REPLY_OK))
		r = refused(reply);
	return r ? r : b->status;
}

static int say(struct imap *b, const char *text)
{
	imap_emit_puts(&b->out, text);
	imap_emit_puts(&b->out, "\r\n");
	return command(b, NULL);
}

/* RFC 3501 6.2.2. */
static int authenticate(struct imap *b, struct sasl_client *sasl)
{
	const struct imap_reply *reply;
	struct str line;
	int r;

	io_printf(b->stream.io, "a AUTHENTICATE %s\r\n", sasl_client_mech(sasl));
	for (;;) {
		r = answer(b, &reply);
		if (r)
			return r;
		if (reply->kind != IMAP_REPLY_PLUS)
			break;
		if (sasl_client_step(sasl, reply->text, &line) < 0)
			return pbmail_fail(EX_PROTOCOL, "the server does not know you");
		io_printf(b->stream.io, "%.*s\r\n", (int)line.len, line.p);
	}
	if (b->is_bye || reply->status != IMAP_REPLY_OK)
		return refused(reply);
	return sasl_client_done(sasl) ?
		       0 :
		       pbmail_fail(EX_PROTOCOL, "the server does not know you");
}

static int login(struct imap *b)
{
	const struct account *a = &b->p->account;
	bool clear_ok = b->stream.is_secure || account_tls(&a->imap) == ACCOUNT_TLS_NONE;
	char password[ACCOUNT_PASSWORD_MAX + 1];
	struct sasl_client *sasl;
	int r;

	if (!a->user || account_password(a, password) < 0)
		return pbmail_fail(EX_CONFIG, "the account has no user, or no password");
	r = sasl_client_new(str_of(b->mechs), clear_ok, a->user, password, &sasl);
	if (r == 0) {
		r = authenticate(b, sasl);
		sasl_client_free(sasl);
	} else if (clear_ok && !b->no_login) {
		imap_emit_puts(&b->out, "LOGIN ");
		imap_emit_string(&b->out, str_of(a->user));
		imap_emit_puts(&b->out, " ");
		imap_emit_string(&b->out, str_of(password));
		r = say(b, "");
	} else {
		r = pbmail_fail(EX_NOPERM, "there is no way to log in");
	}
	explicit_bzero(password, sizeof(password));
	return r ? r : say(b, "CAPABILITY");
}

/* The greeting, TLS, and who we are. */
static int begin(struct imap *b)
{
	const struct account_server *server = &b->p->account.imap;
	const struct imap_reply *reply;
	int r = stream_open(&b->stream, b->p, server);

	if (r == 0)
		r = next_reply(b, &reply);
	if (r)
		return r;
	take_common(b, reply);
	if (reply->status == IMAP_REPLY_BYE)
		return refused(reply);
	if (reply->status == IMAP_REPLY_PREAUTH)
		return account_tls(server) == ACCOUNT_TLS_STARTTLS ?
			       pbmail_fail(EX_PROTOCOL, "the server has no TLS here") :
			       say(b, "CAPABILITY");
	if (account_tls(server) == ACCOUNT_TLS_STARTTLS) {
		r = say(b, "STARTTLS");
		if (r == 0)
			r = stream_secure(&b->stream, b->p, server);
	}
	/* RFC 3501 6.2.1: what was said before TLS is worth nothing. */
	if (r == 0)
		r = say(b, "CAPABILITY");
	return r ? r : login(b);
}

static int put_name(struct imap *b, const char *name)
{
	char utf7[NAME_MAX_LEN];
	size_t len;

	if (utf7_emit(str_of(name), utf7, sizeof(utf7), &len) < 0)
		return pbmail_fail(EX_DATAERR, "%s: that is no name of a mailbox", name);
	imap_emit_astring(&b->out, (struct str){ utf7, len });
	return 0;
}

static int imap_select(struct box *box, const char *mailbox, bool to_change)
{
	struct imap *b = imap_of(box);
	int r;

	b->mailbox = mailbox;
	imap_emit_puts(&b->out, to_change ? "SELECT " : "EXAMINE ");
	r = put_name(b, mailbox);
	if (r == 0)
		r = say(b, "");
	if (r == 0 && box->n_messages > PBMAIL_MESSAGES_MAX)
		r = pbmail_fail(EX_PROTOCOL, "the mailbox has too many messages");
	return r;
}

/* 0: it tells none. */
static uint32_t uid_of(const struct imap_reply *r)
{
	const struct imap_token *uid;
	uint64_t value;

	if (!r->has_number || !str_eq_nocase(r->name, STR("FETCH")) || !r->args)
		return 0;
	uid = imap_token_value(r->args, STR("UID"));
	if (!uid || !imap_token_number(uid, &value) || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static void take_header(struct imap *b, const struct imap_reply *r)
{
	const struct imap_token *list = r->args, *flags, *t;
	uint32_t uid = uid_of(r);
	bool seen = false;

	if (uid == 0)
		return;
	flags = imap_token_value(list, STR("FLAGS"));
	for (t = flags && flags->kind == IMAP_TOKEN_LIST ? flags->kids : NULL; t;
	     t = t->next)
		seen |= imap_token_is(t, STR("\\Seen"));
	for (t = list->kind == IMAP_TOKEN_LIST ? list->kids : NULL; t && t->next;
	     t = t->next->next)
		if (t->kind == IMAP_TOKEN_ATOM &&
		    str_starts_nocase(t->text, STR("BODY[")) &&
		    t->next->kind == IMAP_TOKEN_STRING)
			b->box.seen(b->box.arg, uid, !seen, t->next->text);
}

static int imap_headers(struct box *box)
{
	struct imap *b = imap_of(box);

	imap_emit_puts(&b->out, "UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS "
				"(FROM DATE SUBJECT CONTENT-TYPE)])\r\n");
	return command(b, take_header);
}

/* A message that is short came as a string, and has not passed by. */
static void take_message(struct imap *b, const struct imap_reply *r)
{
	const struct imap_token *t = r->args;

	if (!r->has_number || !str_eq_nocase(r->name, STR("FETCH")) || !t ||
	    t->kind != IMAP_TOKEN_LIST)
		return;
	for (t = t->kids; t && t->next; t = t->next->next)
		if (imap_token_is(t, STR("BODY[]")) &&
		    t->next->kind == IMAP_TOKEN_STRING && b->status == 0)
			b->status = box_add(&b->box, t->next->text);
}

static int imap_fetch(struct box *box, uint32_t n)
{
	struct imap *b = imap_of(box);
	int r;

	imap_emit_printf(&b->out, "UID FETCH %" PRIu32 " BODY[]\r\n", n);
	b->passes = true;
	r = command(b, take_message);
	b->passes = false;
	return r;
}

static void take_uid(struct imap *b, const struct imap_reply *r)
{
	uint32_t uid = uid_of(r);

	for (size_t i = 0; i < b->n_missing; i++)
		if (b->missing[i] == uid)
			b->missing[i] = 0;
}

/* All of them, or nothing is done to any.  0 or a status. */
static int look_for(struct imap *b, const uint32_t *uids, size_t n)
{
	int r;

	b->missing = calloc(n, sizeof(*b->missing));
	if (!b->missing)
		return pbmail_fail(EX_OSERR, "out of memory");
	memcpy(b->missing, uids, n * sizeof(*uids));
	b->n_missing = n;
	imap_emit_puts(&b->out, "UID FETCH ");
	imap_emit_numbers(&b->out, uids, n);
	imap_emit_puts(&b->out, " (UID)\r\n");
	r = command(b, take_uid);
	for (size_t i = 0; i < n && r == 0; i++)
		if (b->missing[i])
			r = box_none(b->missing[i]);
	free(b->missing);
	b->missing = NULL;
	b->n_missing = 0;
	return r;
}

static int say_to(struct imap *b, const char *verb, const uint32_t *uids, size_t n,
		  const char *rest)
{
	imap_emit_puts(&b->out, verb);
	imap_emit_numbers(&b->out, uids, n);
	return say(b, rest);
}

static int remove_found(struct imap *b, const uint32_t *uids, size_t n)
{
	int r = say_to(b, "UID STORE ", uids, n, " +FLAGS.SILENT (\\Deleted)");

	if (r)
		return r;
	/* RFC 4315 2.1: these alone, not what another client has marked. */
	return b->has_uidplus ? say_to(b, "UID EXPUNGE ", uids, n, "") :
				say(b, "EXPUNGE");
}

static int imap_remove(struct box *box, const uint32_t *uids, size_t n)
{
	struct imap *b = imap_of(box);
	int r = look_for(b, uids, n);

	return r ? r : remove_found(b, uids, n);
}

static int imap_move(struct box *box, const uint32_t *uids, size_t n, const char *mailbox)
{
	struct imap *b = imap_of(box);
	int r = look_for(b, uids, n);

	if (r)
		return r;
	imap_emit_puts(&b->out, b->has_move ? "UID MOVE " : "UID COPY ");
	imap_emit_numbers(&b->out, uids, n);
	imap_emit_puts(&b->out, " ");
	r = put_name(b, mailbox);
	if (r == 0)
		r = say(b, "");
	return r || b->has_move ? r : remove_found(b, uids, n);
}

/* RFC 3501 6.3.11. */
static int imap_append(struct box *box, struct str message)
{
	struct imap *b = imap_of(box);
	const struct imap_reply *reply;
	int r;

	imap_emit_puts(&b->out, "APPEND ");
	r = put_name(b, b->mailbox);
	imap_emit_printf(&b->out, " {%zu}\r\n", message.len);
	if (r == 0 && b->out.is_failed)
		r = pbmail_fail(EX_OSERR, "out of memory");
	if (r == 0) {
		io_puts(b->stream.io, "a ");
		io_write(b->stream.io, b->out.p, b->out.len);
		r = answer(b, &reply);
	}
	imap_emit_clear(&b->out);
	if (r == 0 && reply->kind == IMAP_REPLY_PLUS) {
		io_write(b->stream.io, message.p, message.len);
		io_puts(b->stream.io, "\r\n");
		r = answer(b, &reply);
	}
	if (r == 0 && (b->is_bye || reply->status != IMAP_REPLY_OK))
		r = refused(reply);
	return r;
}

static void take_name(struct imap *b, const struct imap_reply *r)
{
	const struct imap_token *t = r->args;
	char name[NAME_MAX_LEN];
	struct str shown;

	(void)b;
	if (!str_eq_nocase(r->name, STR("LIST")) || !t || !t->next || !t->next->next)
		return;
	shown = t->next->next->text;
	if (utf7_parse(shown, name, sizeof(name), &shown.len) == 0)
		shown.p = name;
	text_put(stdout, shown);
	putchar('\n');
}

static int imap_manage(struct box *box, const char *verb, const char *name,
		       const char *new_name)
{
	struct imap *b = imap_of(box);
	int r;

	if (strcmp(verb, "list") == 0) {
		imap_emit_puts(&b->out, "LIST \"\" \"*\"\r\n");
		return command(b, take_name);
	}
	imap_emit_puts(&b->out, verb);
	imap_emit_puts(&b->out, " ");
	r = put_name(b, name);
	if (r == 0 && new_name) {
		imap_emit_puts(&b->out, " ");
		r = put_name(b, new_name);
	}
	return r ? r : say(b, "");
}

static void imap_close(struct box *box)
{
	struct imap *b = imap_of(box);

	if (b->stream.io && !b->is_bye && !b->stream.eof && !b->stream.error)
		io_puts(b->stream.io, "a LOGOUT\r\n");
	stream_close(&b->stream);
	imap_reply_fini(&b->reader);
	imap_emit_fini(&b->out);
	free(b);
}

static const struct box_ops imap_ops = {
	.select = imap_select,
	.headers = imap_headers,
	.fetch = imap_fetch,
	.remove = imap_remove,
	.move = imap_move,
	.append = imap_append,
	.manage = imap_manage,
	.close = imap_close,
};

int box_imap_new(struct pbmail *p, struct box **box)
{
	struct imap *b = calloc(1, sizeof(*b));

	if (!b)
		return pbmail_fail(EX_OSERR, "out of memory");
	b->box.ops = &imap_ops;
	b->p = p;
	imap_reply_init(&b->reader, &imap_reply_default_limits);
	imap_emit_init(&b->out);
	*box = &b->box;
	return begin(b);
}
