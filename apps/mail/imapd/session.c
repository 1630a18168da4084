/*
 * The life of a session: its states, what the net tells it, reading and writing.
 *
 * Commands are run in order; one with a long answer (SEND) is written as far as the io
 * has room, and goes on when it has room again; nothing is read meanwhile.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/view.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static bool may_enter(enum imapd_state from, enum imapd_state to)
{
	enum {
		C = 1 << IMAPD_COMMAND,
		K = 1 << IMAPD_CHECK,
		D = 1 << IMAPD_DELAY,
		T = 1 << IMAPD_STORE,
		W = 1 << IMAPD_WORK,
		S = 1 << IMAPD_SEND,
		A = 1 << IMAPD_APPEND,
		L = 1 << IMAPD_LINE,
	};
	static const unsigned from_of[] = {
		[IMAPD_COMMAND] = C | K | D | T | W | S | A | L,
		[IMAPD_CHECK] = C | L,
		[IMAPD_DELAY] = C | K | L,
		[IMAPD_STORE] = C | T | A,
		[IMAPD_WORK] = C,
		[IMAPD_SEND] = C | T,
		[IMAPD_APPEND] = C,
		[IMAPD_LINE] = C,
		[IMAPD_CLOSED] = C | K | D | T | W | S | A | L,
	};

	return from_of[to] >> from & 1;
}

static uint64_t after_ms(const struct imapd_session *s, uint64_t ms)
{
	return net_now_ns(s->imapd->net) + ms * NS_PER_MS;
}

/* RFC 3501 5.4: the autologout timer, and progress sets it back. */
static void idle_due(struct imapd_session *s)
{
	if (s->user[0] == '\0')
		io_deadline(s->io, s->login_due_ns);
	else
		io_deadline(s->io, after_ms(s, s->imapd->conf.limits.idle_s * 1000));
}

static void leave(struct imapd_session *s, enum imapd_state next)
{
	if (s->state == IMAPD_SEND) {
		imapd_fetch_end(s);
		net_timer_stop(s->imapd->net, &s->again);
	}
	if (next == IMAPD_CLOSED && s->state == IMAPD_CHECK)
		imapd_check_cancel(s);
	if (next == IMAPD_CLOSED && s->state == IMAPD_WORK)
		imapd_search_cancel(s);
	if (next == IMAPD_CLOSED && s->state == IMAPD_APPEND)
		imapd_append_free(s);
}

void imapd_enter(struct imapd_session *s, enum imapd_state state)
{
	ASSERT(may_enter(s->state, state));
	leave(s, state);
	s->state = state;
	switch (state) {
	case IMAPD_DELAY:
		io_deadline(s->io, after_ms(s, s->imapd->conf.limits.login_delay_ms));
		break;
	case IMAPD_COMMAND:
	case IMAPD_SEND:
	case IMAPD_APPEND:
	case IMAPD_LINE: idle_due(s); break;
	case IMAPD_CHECK:
	case IMAPD_STORE:
	case IMAPD_WORK: io_deadline(s->io, UINT64_MAX); break;
	case IMAPD_CLOSED:
		io_close(s->io);
		s->io = NULL;
		break;
	}
}

void imapd_flush(struct imapd_session *s)
{
	struct imap_emit *e = &s->imapd->emit;

	if (e->is_failed) {
		/* What would follow makes no sense to the client. */
		imap_emit_fini(e);
		imap_emit_init(e);
		imapd_close(s, "[UNAVAILABLE] Out of memory");
		return;
	}
	io_write(s->io, e->p, e->len);
	imap_emit_clear(e);
}

/* RFC 3501 7.4.1: while message numbers are being used, none may change. */
static bool may_expunge(const struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;

	return cmd->is_uid || (cmd->kind != IMAP_FETCH && cmd->kind != IMAP_STORE &&
			       cmd->kind != IMAP_SEARCH);
}

bool imapd_sync(struct imapd_session *s)
{
	struct store_read *read;
	int rc;

	if (!imapd_news_take(s->view->news))
		return true;
	rc = store_read_begin(s->imapd->store, &read);
	if (rc == 0) {
		rc = view_sync(s->view, read);
		store_read_end(read);
	}
	if (rc)
		imapd_close(s, rc == -ENOENT ?
				       "The mailbox was deleted" :
				       "[UNAVAILABLE] The mailbox cannot be read");
	return rc == 0;
}

bool imapd_tell(struct imapd_session *s, bool expunge, bool with_uid)
{
	if (!s->view)
		return true;
	if (!imapd_sync(s))
		return false;
	if (view_tell(s->view, &s->imapd->emit, expunge, with_uid) &&
	    !s->view->is_read_only)
		imapd_note_claim(s, s->view->box, s->view->uid_next);
	imapd_flush(s);
	return s->state != IMAPD_CLOSED;
}

void imapd_done(struct imapd_session *s, const char *text)
{
	/* Closed: there was no memory for what came before. */
	if (s->state == IMAPD_CLOSED ||
	    !imapd_tell(s, may_expunge(s), s->parse.cmd.is_uid))
		return;
	io_printf(s->io, "%.*s %s\r\n", (int)s->parse.cmd.tag.len, s->parse.cmd.tag.p,
		  text);
	if (s->state != IMAPD_COMMAND)
		imapd_enter(s, IMAPD_COMMAND);
	else
		idle_due(s);
}

void imapd_refuse(struct imapd_session *s, const char *text)
{
	const struct str tag = s->parse.cmd.tag;

	s->n_errors++;
	s->imapd->stats.bad_commands++;
	io_printf(s->io, "%.*s BAD %s\r\n", tag.len ? (int)tag.len : 1,
		  tag.len ? tag.p : "*", text);
	if (s->n_errors >= s->imapd->conf.limits.errors_max) {
		s->imapd->stats.too_many_errors++;
		imapd_close(s, "Too many errors");
		return;
	}
	if (s->state != IMAPD_COMMAND)
		imapd_enter(s, IMAPD_COMMAND);
}

void imapd_close(struct imapd_session *s, const char *why)
{
	if (why)
		io_printf(s->io, "* BYE %s\r\n", why);
	imapd_enter(s, IMAPD_CLOSED);
}

void imapd_leave_box(struct imapd_session *s)
{
	if (!s->view)
		return;
	imapd_news_free(s->imapd, s->view->news);
	view_free(s->view);
	s->view = NULL;
}

static void session_free(struct imapd_session *s)
{
	imapd_leave_box(s);
	imapd_append_free(s);
	sasl_talk_free(s->talk);
	imap_parse_fini(&s->parse);
	door_leave(&s->imapd->door, &s->guest);
	free(s->uids);
	free(s->from);
	free(s->to);
	free(s);
}

static bool run(struct imapd_session *s, enum imap_parse_event event)
{
	switch (event) {
	case IMAP_PARSE_MORE: return false;
	case IMAP_PARSE_CONTINUE: io_puts(s->io, "+ Go on\r\n"); break;
	case IMAP_PARSE_COMMAND:
		if (s->state == IMAPD_APPEND)
			imapd_append_end(s);
		else
			imapd_command(s);
		break;
	case IMAP_PARSE_APPEND: imapd_append_begin(s); break;
	case IMAP_PARSE_OCTETS: imapd_append_octets(s, s->parse.piece); break;
	case IMAP_PARSE_LINE:
		if (s->is_idle)
			imapd_idle_line(s, s->parse.piece);
		else
			imapd_authenticate_line(s, s->parse.piece);
		break;
	case IMAP_PARSE_BAD:
		imapd_append_free(s);
		imapd_refuse(s, s->parse.bad);
		break;
	case IMAP_PARSE_BYE: imapd_close(s, s->parse.bad); break;
	}
	return true;
}

/* Reads up to the next thing to do, and does it.  False: more must come. */
static bool read_more(struct imapd_session *s)
{
	struct str in, rest;
	enum imap_parse_event event;
	bool more;

	/* Answers that are not read stop the reading of commands. */
	if (io_room(s->io) == 0)
		return false;
	in = io_peek(s->io);
	rest = in;
	event = imap_parse(&s->parse, &rest);
	more = run(s, event);
	if (s->io)
		io_consume(s->io, in.len - rest.len);
	if (s->state == IMAPD_APPEND && event == IMAP_PARSE_OCTETS)
		idle_due(s);
	return more;
}

/* Writes the next part of a long answer.  False: there is no room, or others' turn. */
static bool write_more(struct imapd_session *s)
{
	if (timer_armed(&s->again.timer) || io_room(s->io) == 0)
		return false;
	if (!s->out.more(s))
		return true; /* it has said its end */
	imapd_flush(s);
	return true;
}

static bool go_on(struct imapd_session *s)
{
	switch (s->state) {
	case IMAPD_COMMAND:
	case IMAPD_APPEND:
	case IMAPD_LINE: return read_more(s);
	case IMAPD_SEND: return write_more(s);
	case IMAPD_CHECK:
	case IMAPD_DELAY:
	case IMAPD_STORE:
	case IMAPD_WORK:
	case IMAPD_CLOSED: return false;
	}
	return false;
}

static bool reads(const struct imapd_session *s)
{
	return s->state == IMAPD_COMMAND || s->state == IMAPD_APPEND ||
	       s->state == IMAPD_LINE;
}

void imapd_resume(struct imapd_session *s)
{
	while (go_on(s))
		;
	if (s->eof && reads(s)) {
		s->imapd->stats.lost++;
		imapd_close(s, NULL);
	}
	if (s->state == IMAPD_CLOSED && !s->is_away)
		session_free(s);
}

static void again(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	imapd_resume(container_of(t, struct imapd_session, again));
}

void imapd_again(struct imapd_session *s)
{
	net_timer_arm(s->imapd->net, &s->again, net_now_ns(s->imapd->net));
}

static void too_late(struct imapd_session *s)
{
	if (s->state == IMAPD_DELAY) {
		imapd_login_failed(s);
		return;
	}
	s->imapd->stats.timeouts++;
	/* In the middle of an answer nothing else can be said. */
	imapd_close(s, s->state == IMAPD_SEND ? NULL : "Nothing came for too long");
}

static void died(struct imapd_session *s, const struct io *io)
{
	if (s->is_secure && !io_is_secure(io))
		s->imapd->stats.tls_failures++;
	else
		s->imapd->stats.lost++;
	imapd_close(s, NULL);
}

static void event(void *arg, struct io *io, enum io_event e)
{
	struct imapd_session *s = arg;

	switch (e) {
	case IO_INPUT:
	case IO_CONNECTED: break;
	case IO_SECURE: s->imapd->stats.tls_sessions++; break;
	case IO_ROOM:
		if (s->state == IMAPD_SEND)
			idle_due(s);
		break;
	case IO_DEADLINE: too_late(s); break;
	case IO_EOF: s->eof = true; break;
	case IO_ERROR: died(s, io); break;
	}
	imapd_resume(s);
}

static void init_parse(struct imapd_session *s)
{
	const struct imapd_limits *l = &s->imapd->conf.limits;
	struct imap_parse_limits limits = imap_parse_stranger_limits;

	/* What a stranger may send is less, and fixed; see imapd_known(). */
	if (limits.line_len > l->line_max)
		limits.line_len = l->line_max;
	imap_parse_init(&s->parse, &limits);
}

void imapd_known(struct imapd_session *s)
{
	const struct imapd_limits *l = &s->imapd->conf.limits;

	s->parse.limits = (struct imap_parse_limits){
		.line_len = l->line_max,
		.literal_len = l->literal_max,
		.len = l->command_max,
		.skip_len = l->command_max + 2 * l->message_max,
	};
}

/* RFC 3501 7.1.4: who is known need not log in. */
static void greet(struct imapd_session *s, const char *user)
{
	if (user && !imapd_welcome(s, str_of(user))) {
		imapd_close(s, "[LIMIT] You have too many sessions");
		session_free(s);
		return;
	}
	idle_due(s);
	io_printf(s->io, "* %s [CAPABILITY %s] Packetboat IMAP at %s\r\n",
		  user ? "PREAUTH" : "OK", imapd_capabilities(s), s->imapd->conf.host);
}

void imapd_session_new(struct imapd *d, struct io *io, struct peer *peer,
		       struct imapd_kind kind)
{
	struct imapd_session *s = calloc(1, sizeof(*s));

	if (!s) {
		door_turn_away(&d->door, io, peer);
		return;
	}
	s->imapd = d;
	s->io = io;
	init_parse(s);
	net_timer_init(&s->again, again);
	door_enter(&d->door, &s->guest, peer);
	s->is_secure = kind.with_tls;
	s->login_due_ns = after_ms(s, d->conf.limits.login_s * 1000);
	io_handle(io, event, s);
	greet(s, kind.user);
}

void imapd_session_stop(struct door_guest *guest)
{
	struct imapd_session *s = container_of(guest, struct imapd_session, guest);

	if (s->state == IMAPD_CLOSED || s->is_away)
		return;
	imapd_close(s, s->state == IMAPD_SEND ? NULL : "[UNAVAILABLE] Shutting down");
	session_free(s);
}

void imapd_session_abort(struct door_guest *guest)
{
	struct imapd_session *s = container_of(guest, struct imapd_session, guest);

	if (s->state == IMAPD_SEND) {
		imapd_fetch_end(s);
		net_timer_stop(s->imapd->net, &s->again);
	}
	if (s->io)
		io_abort(s->io);
	session_free(s);
}
