/*
 * The life of a session: its states, what the net tells it, and the reading of lines.
 *
 * Commands are read and answered in order until one needs to wait (RFC 2920); their
 * answers gather in the io and leave in one piece.  What follows a DATA that was
 * accepted is message, and what follows one that was refused is commands: never does
 * that depend on how the bytes were cut into segments.
 *
 * A client gets command_s for each command, however slowly its bytes trickle in.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static bool may_enter(enum smtpd_state from, enum smtpd_state to)
{
	enum {
		W = 1 << SMTPD_WAIT,
		S = 1 << SMTPD_START,
		Y = 1 << SMTPD_READY,
		M = 1 << SMTPD_MAIL,
		R = 1 << SMTPD_RCPT,
		A = 1 << SMTPD_AUTH,
		D = 1 << SMTPD_DATA,
		C = 1 << SMTPD_COMMIT,
		K = 1 << SMTPD_CHECK,
		L = 1 << SMTPD_DELAY,
	};
	static const unsigned from_of[] = {
		[SMTPD_WAIT] = 0,
		[SMTPD_START] = W | Y,
		[SMTPD_READY] = S | Y | M | R | A | D | C | K | L,
		[SMTPD_MAIL] = Y,
		[SMTPD_RCPT] = M | R,
		[SMTPD_AUTH] = Y | A,
		[SMTPD_DATA] = R,
		[SMTPD_COMMIT] = D,
		[SMTPD_CHECK] = A,
		[SMTPD_DELAY] = A | K,
		[SMTPD_CLOSED] = W | S | Y | M | R | A | D | C | K | L,
	};

	return from_of[to] >> from & 1;
}

static void command_due(struct smtpd_session *s)
{
	const struct smtpd *d = s->smtpd;

	io_deadline(s->io, net_now_ns(d->net) + d->conf.limits.command_s * NS_PER_S);
}

/* What others have comes back without us. */
static void leave(struct smtpd_session *s, enum smtpd_state next)
{
	if (next != SMTPD_CLOSED)
		return;
	if (s->state == SMTPD_COMMIT) {
		s->message->session = NULL;
		s->message = NULL;
	}
	if (s->login)
		smtpd_check_orphan(s);
}

/* What entering a state means: the deadline, and what is given up. */
void smtpd_enter(struct smtpd_session *s, enum smtpd_state state)
{
	ASSERT(may_enter(s->state, state));
	leave(s, state);
	s->state = state;
	switch (state) {
	case SMTPD_WAIT: break;
	case SMTPD_START:
	case SMTPD_READY:
	case SMTPD_MAIL:
	case SMTPD_RCPT:
	case SMTPD_AUTH: command_due(s); break;
	case SMTPD_DATA: io_deadline(s->io, s->message->due_ns); break;
	case SMTPD_DELAY:
		io_deadline(s->io,
			    net_now_ns(s->smtpd->net) +
				    s->smtpd->conf.limits.login_delay_ms * NS_PER_MS);
		break;
	case SMTPD_CHECK:
	case SMTPD_COMMIT: io_deadline(s->io, UINT64_MAX); break;
	case SMTPD_CLOSED:
		if (s->io)
			io_close(s->io);
		s->io = NULL;
		break;
	}
}

void smtpd_reply(struct smtpd_session *s, const char *line)
{
	s->n_errors += line[0] == '5';
	io_printf(s->io, "%s\r\n", line);
}

void smtpd_refuse(struct smtpd_session *s, const char *line)
{
	s->smtpd->stats.bad_commands++;
	smtpd_reply(s, line);
}

void smtpd_no_memory(struct smtpd_session *s)
{
	s->smtpd->stats.no_memory++;
	smtpd_reply(s, "452 4.3.1 Too much mail at once, try again later");
}

void smtpd_close(struct smtpd_session *s, const char *line)
{
	if (line)
		io_printf(s->io, "%s\r\n", line);
	smtpd_enter(s, SMTPD_CLOSED);
}

void smtpd_reset(struct smtpd_session *s)
{
	smtpd_message_free(s->message);
	s->message = NULL;
	smtpd_enter(s, SMTPD_READY);
}

static void session_free(struct smtpd_session *s)
{
	struct smtpd *d = s->smtpd;

	net_timer_stop(d->net, &s->again);
	smtpd_message_free(s->message);
	sasl_talk_free(s->talk);
	door_leave(&d->door, &s->guest);
	free(s->helo);
	free(s);
}

/* Drops a line that was too long, as it comes.  False: more of it must come. */
static bool skip_line(struct smtpd_session *s)
{
	for (;;) {
		struct str in = io_peek(s->io);
		const char *end = in.len > 0 ? memmem(in.p, in.len, "\r\n", 2) : NULL;

		if (end) {
			io_consume(s->io, (size_t)(end + 2 - in.p));
			s->skipping = false;
			if (s->state == SMTPD_AUTH)
				smtpd_auth_too_long(s);
			else
				smtpd_refuse(s, "500 5.5.2 Line too long");
			return true;
		}
		/* A CR at the end may be the first half of the CRLF. */
		if (in.len > 0 && in.p[in.len - 1] == '\r')
			in.len--;
		if (in.len == 0)
			return false;
		io_consume(s->io, in.len);
	}
}

static void check_patience(struct smtpd_session *s)
{
	const struct smtpd_limits *limits = &s->smtpd->conf.limits;

	if (s->state == SMTPD_CLOSED)
		return;
	if (s->n_errors >= limits->errors_max || s->n_junk > limits->junk_max) {
		s->smtpd->stats.too_many_errors++;
		smtpd_close(s, s->n_errors >= limits->errors_max ?
				       "421 4.7.0 Too many errors" :
				       "421 4.7.0 Too many commands without a message");
	}
}

static void bad_line_end(struct smtpd_session *s)
{
	s->smtpd->stats.bad_commands++;
	smtpd_close(s, "521 5.5.2 Lines must end in CRLF, and nothing else");
}

/* Reads and runs one command.  False: it has not come whole. */
static bool read_command(struct smtpd_session *s)
{
	bool in_auth = s->state == SMTPD_AUTH;
	struct str line;
	int got;

	if (!s->skipping) {
		got = io_line(s->io,
			      in_auth ? SASL_LINE_MAX : s->smtpd->conf.limits.line_max,
			      &line);
		if (got == 0)
			return false;
		if (got == 1 && in_auth)
			smtpd_auth_line(s, line);
		else if (got == 1)
			smtpd_command(s, line);
		else if (got == -EMSGSIZE)
			s->skipping = true;
		else
			bad_line_end(s);
	}
	if (s->skipping && !skip_line(s))
		return false;
	check_patience(s);
	if (s->state < SMTPD_DATA)
		command_due(s);
	return true;
}

static bool read_more(struct smtpd_session *s)
{
	switch (s->state) {
	case SMTPD_START:
	case SMTPD_READY:
	case SMTPD_MAIL:
	case SMTPD_RCPT:
	case SMTPD_AUTH: return read_command(s);
	case SMTPD_DATA: return smtpd_data_input(s);
	case SMTPD_WAIT:
	case SMTPD_COMMIT:
	case SMTPD_CHECK:
	case SMTPD_DELAY:
	case SMTPD_CLOSED: return false;
	}
	return false;
}

static void again(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	smtpd_resume(container_of(t, struct smtpd_session, again));
}

/* Reads what has come.  False: there is more, which others shall not wait for: few octets
 * name an alias, which may lead to a thousand. */
static bool read_all(struct smtpd_session *s)
{
	s->n_aliases = 0;
	while (s->n_aliases < SMTPD_TURN_ALIASES)
		if (!read_more(s))
			return true;
	return s->state == SMTPD_CLOSED;
}

void smtpd_resume(struct smtpd_session *s)
{
	if (!read_all(s)) {
		net_timer_arm(s->smtpd->net, &s->again, net_now_ns(s->smtpd->net));
	} else if (s->eof && s->state < SMTPD_COMMIT) {
		s->smtpd->stats.lost++;
		smtpd_close(s, NULL);
	}
	if (s->state == SMTPD_CLOSED)
		session_free(s);
}

static void greet(struct smtpd_session *s)
{
	io_printf(s->io, "220 %s ESMTP Packetboat\r\n", s->smtpd->conf.host);
	smtpd_enter(s, SMTPD_START);
}

static void too_late(struct smtpd_session *s)
{
	if (s->state == SMTPD_WAIT) {
		greet(s);
		return;
	}
	if (s->state == SMTPD_DELAY) {
		smtpd_auth_failed(s);
		return;
	}
	s->smtpd->stats.timeouts++;
	smtpd_close(s, "421 4.4.2 Too slow, closing");
}

static void died(struct smtpd_session *s, const struct io *io)
{
	if (s->is_secure && !io_is_secure(io))
		s->smtpd->stats.tls_failures++;
	else
		s->smtpd->stats.lost++;
	smtpd_close(s, NULL);
}

static void event(void *arg, struct io *io, enum io_event e)
{
	struct smtpd_session *s = arg;

	switch (e) {
	case IO_INPUT:
		/* Only who was to be tested is refused: the others wait with us. */
		if (s->state == SMTPD_WAIT && s->smtpd->conf.limits.greet_delay_ms > 0) {
			s->smtpd->stats.early_talkers++;
			smtpd_close(s, "521 5.5.1 Spoke before the greeting");
		}
		break;
	case IO_DEADLINE: too_late(s); break;
	case IO_EOF: s->eof = true; break;
	case IO_ERROR: died(s, io); break;
	case IO_SECURE: s->smtpd->stats.tls_sessions++; break;
	case IO_CONNECTED:
	case IO_ROOM: break;
	}
	smtpd_resume(s);
}

/* What is in use of what there is most in use of, in thousandths. */
static uint64_t load_now(const struct smtpd *d, const struct io *io)
{
	uint64_t memory = d->stats.memory / (d->conf.limits.memory_max / 1000);
	uint64_t commits = d->commits.n_out * 1000 / STORE_QUEUE_MAX;
	uint64_t load = io_crowd(io);

	load = load > memory ? load : memory;
	return load > commits ? load : commits;
}

/*
 * A client that waits for its greeting costs little, and keeps the next from coming: so
 * the nearer we are to our limits, the later we say 220, and beyond them 421.
 */
static uint64_t greet_delay_ms(const struct smtpd *d, uint64_t load)
{
	const struct smtpd_limits *limits = &d->conf.limits;
	uint64_t busy = limits->busy_percent * 10;

	if (load > 1000)
		load = 1000;
	if (load <= busy)
		return limits->greet_delay_ms;
	return limits->greet_delay_ms +
	       limits->busy_delay_ms * (load - busy) / (1000 - busy);
}

static void begin(struct smtpd_session *s)
{
	struct smtpd *d = s->smtpd;
	uint64_t load = load_now(d, s->io), delay_ms = greet_delay_ms(d, load);

	if (d->stats.memory >= d->conf.limits.memory_max ||
	    d->commits.n_out >= STORE_QUEUE_MAX) {
		d->stats.refused_busy++;
		smtpd_close(s, "421 4.3.2 Too busy, try again later");
		session_free(s);
		return;
	}
	d->stats.late_greetings += delay_ms > d->conf.limits.greet_delay_ms;
	if (delay_ms == 0)
		greet(s);
	else
		io_deadline(s->io, net_now_ns(d->net) + delay_ms * NS_PER_MS);
}

void smtpd_session_new(struct smtpd *d, struct io *io, struct peer *peer,
		       struct smtpd_kind kind)
{
	struct smtpd_session *s = calloc(1, sizeof(*s));

	if (!s) {
		door_turn_away(&d->door, io, peer);
		return;
	}
	s->smtpd = d;
	s->io = io;
	s->is_msa = kind.is_msa;
	s->is_odmr = kind.is_odmr;
	s->is_secure = kind.with_tls;
	net_timer_init(&s->again, again);
	door_enter(&d->door, &s->guest, peer);
	io_handle(io, event, s);
	if (kind.user)
		smtpd_welcome(s, str_of(kind.user));
	begin(s);
}

void smtpd_session_stop(struct door_guest *guest)
{
	struct smtpd_session *s = container_of(guest, struct smtpd_session, guest);

	if (s->state == SMTPD_COMMIT || s->state == SMTPD_CHECK)
		return;
	smtpd_close(s, "421 4.3.2 Shutting down");
	session_free(s);
}

void smtpd_session_abort(struct door_guest *guest)
{
	struct smtpd_session *s = container_of(guest, struct smtpd_session, guest);

	io_abort(s->io);
	session_free(s);
}
