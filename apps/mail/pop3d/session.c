/*
 * The life of a session: its states, what the net tells it, reading and writing.
 *
 * Commands are answered in order; one with a long answer (SEND) is written as far as
 * the io has room, and goes on when it has room again; nothing is read meanwhile.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static bool may_enter(enum pop3d_state from, enum pop3d_state to)
{
	enum {
		A = 1 << POP3D_AUTH,
		L = 1 << POP3D_SASL,
		K = 1 << POP3D_CHECK,
		D = 1 << POP3D_DELAY,
		T = 1 << POP3D_TRANS,
		R = 1 << POP3D_READ,
		S = 1 << POP3D_SEND,
		U = 1 << POP3D_UPDATE,
	};
	static const unsigned from_of[] = {
		[POP3D_AUTH] = L | K | D,
		[POP3D_SASL] = A | L,
		[POP3D_CHECK] = A | L,
		[POP3D_DELAY] = L | K,
		[POP3D_TRANS] = L | K | R | S,
		[POP3D_READ] = T,
		[POP3D_SEND] = T | R,
		[POP3D_UPDATE] = T,
		[POP3D_CLOSED] = A | L | K | D | T | R | S | U,
	};

	return from_of[to] >> from & 1;
}

static uint64_t after_ms(const struct pop3d_session *s, uint64_t ms)
{
	return net_now_ns(s->pop3d->net) + ms * NS_PER_MS;
}

/* RFC 1939 3: the autologout timer, and progress sets it back. */
static void idle_due(struct pop3d_session *s)
{
	io_deadline(s->io, after_ms(s, s->pop3d->conf.limits.idle_s * 1000));
}

/* What leaves a state behind comes back without us, or is let go. */
static void leave(struct pop3d_session *s, enum pop3d_state next)
{
	if (s->state == POP3D_READ)
		net_timer_stop(s->pop3d->net, &s->again);
	if (s->state == POP3D_SEND || (s->state == POP3D_READ && next != POP3D_SEND))
		pop3d_retr_end(s);
	if (next != POP3D_CLOSED)
		return;
	if (s->login)
		pop3d_check_orphan(s);
	if (s->update)
		pop3d_update_orphan(s);
}

void pop3d_enter(struct pop3d_session *s, enum pop3d_state state)
{
	ASSERT(may_enter(s->state, state));
	leave(s, state);
	s->state = state;
	switch (state) {
	case POP3D_AUTH:
	case POP3D_SASL: io_deadline(s->io, s->login_due_ns); break;
	case POP3D_DELAY:
		io_deadline(s->io, after_ms(s, s->pop3d->conf.limits.login_delay_ms));
		break;
	case POP3D_TRANS:
	case POP3D_READ:
	case POP3D_SEND: idle_due(s); break;
	case POP3D_CHECK:
	case POP3D_UPDATE: io_deadline(s->io, UINT64_MAX); break;
	case POP3D_CLOSED:
		io_close(s->io);
		s->io = NULL;
		break;
	}
}

void pop3d_reply(struct pop3d_session *s, const char *line)
{
	io_printf(s->io, "%s\r\n", line);
}

void pop3d_refuse(struct pop3d_session *s, const char *line)
{
	s->n_errors++;
	s->pop3d->stats.bad_commands++;
	pop3d_reply(s, line);
}

void pop3d_close(struct pop3d_session *s, const char *line)
{
	if (line)
		pop3d_reply(s, line);
	pop3d_enter(s, POP3D_CLOSED);
}

static void session_free(struct pop3d_session *s)
{
	struct pop3d *d = s->pop3d;

	pop3d_unlock(d->conf.locks, s->lock);
	sasl_talk_free(s->talk);
	door_leave(&d->door, &s->guest);
	free(s->msgs);
	free(s->deleted);
	free(s);
}

/* Reads and runs one command.  False: it has not come whole. */
static bool read_command(struct pop3d_session *s)
{
	const struct pop3d_limits *limits = &s->pop3d->conf.limits;
	bool in_sasl = s->state == POP3D_SASL;
	struct str line;
	int got = io_line(s->io, in_sasl ? SASL_LINE_MAX : limits->line_max, &line);

	if (got == 0)
		return false;
	if (got < 0) {
		s->pop3d->stats.bad_commands++;
		pop3d_close(s, got == -EMSGSIZE ? "-ERR Line too long" :
						  "-ERR Lines must end in CRLF");
		return true;
	}
	if (in_sasl)
		pop3d_auth_line(s, line);
	else
		pop3d_command(s, line);
	if (s->state != POP3D_CLOSED && s->n_errors >= limits->errors_max) {
		s->pop3d->stats.too_many_errors++;
		pop3d_close(s, "-ERR Too many errors");
	}
	if (s->state == POP3D_TRANS)
		idle_due(s);
	return true;
}

/* Writes the next part of a long answer.  False: there is no room. */
static bool write_more(struct pop3d_session *s)
{
	size_t room = io_room(s->io);
	bool more;

	if (room == 0)
		return false;
	if (s->out.kind == POP3D_MESSAGE)
		more = pop3d_retr_write(s, room);
	else
		more = pop3d_list_write(s);
	if (!more)
		pop3d_enter(s, POP3D_TRANS);
	return true;
}

static bool go_on(struct pop3d_session *s)
{
	switch (s->state) {
	case POP3D_AUTH:
	case POP3D_SASL:
	case POP3D_TRANS: return read_command(s);
	case POP3D_READ: return pop3d_retr_read(s);
	case POP3D_SEND: return write_more(s);
	case POP3D_CHECK:
	case POP3D_DELAY:
	case POP3D_UPDATE:
	case POP3D_CLOSED: return false;
	}
	return false;
}

void pop3d_resume(struct pop3d_session *s)
{
	while (go_on(s))
		;
	if (s->eof && (s->state == POP3D_AUTH || s->state == POP3D_SASL ||
		       s->state == POP3D_TRANS)) {
		s->pop3d->stats.lost++;
		pop3d_close(s, NULL);
	}
	if (s->state == POP3D_CLOSED)
		session_free(s);
}

static void too_late(struct pop3d_session *s)
{
	if (s->state == POP3D_DELAY) {
		pop3d_login_failed(s);
		return;
	}
	s->pop3d->stats.timeouts++;
	/* RFC 1939 3: the autologout removes nothing and says nothing. */
	pop3d_close(s, NULL);
}

static void died(struct pop3d_session *s, const struct io *io)
{
	if (s->is_secure && !io_is_secure(io))
		s->pop3d->stats.tls_failures++;
	else
		s->pop3d->stats.lost++;
	pop3d_close(s, NULL);
}

static void event(void *arg, struct io *io, enum io_event e)
{
	struct pop3d_session *s = arg;

	switch (e) {
	case IO_INPUT:
	case IO_CONNECTED: break;
	case IO_SECURE: s->pop3d->stats.tls_sessions++; break;
	case IO_ROOM:
		if (s->state == POP3D_SEND)
			idle_due(s);
		break;
	case IO_DEADLINE: too_late(s); break;
	case IO_EOF: s->eof = true; break;
	case IO_ERROR: died(s, io); break;
	}
	pop3d_resume(s);
}

static void again(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	pop3d_resume(container_of(t, struct pop3d_session, again));
}

void pop3d_session_new(struct pop3d *d, struct io *io, struct peer *peer, bool with_tls)
{
	struct pop3d_session *s = calloc(1, sizeof(*s));

	if (!s) {
		door_turn_away(&d->door, io, peer);
		return;
	}
	s->pop3d = d;
	s->io = io;
	s->is_secure = with_tls;
	net_timer_init(&s->again, again);
	door_enter(&d->door, &s->guest, peer);
	s->login_due_ns = after_ms(s, d->conf.limits.login_s * 1000);
	io_handle(io, event, s);
	io_deadline(io, s->login_due_ns);
	io_printf(io, "+OK Packetboat POP3 at %s\r\n", d->conf.host);
}

void pop3d_session_stop(struct door_guest *guest)
{
	struct pop3d_session *s = container_of(guest, struct pop3d_session, guest);

	if (s->state == POP3D_CHECK || s->state == POP3D_UPDATE)
		return;
	pop3d_close(s, s->state == POP3D_SEND ? NULL : "-ERR [SYS/TEMP] Shutting down");
	session_free(s);
}

void pop3d_session_abort(struct door_guest *guest)
{
	struct pop3d_session *s = container_of(guest, struct pop3d_session, guest);

	net_timer_stop(s->pop3d->net, &s->again);
	if (s->state == POP3D_READ || s->state == POP3D_SEND)
		pop3d_retr_end(s);
	io_abort(s->io);
	session_free(s);
}
