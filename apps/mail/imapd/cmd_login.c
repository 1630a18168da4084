/*
 * LOGIN and AUTHENTICATE (RFC 3501 6.2.2 and 6.2.3, SASL-IR of RFC 4959), and the verifier
 * between them and the user's mail.
 *
 * Whether a name exists is not told: a wrong name costs as much time as a wrong
 * password.  The answer to either is delayed, and a session has but a few tries.
 */
#include <errno.h>
#include <stdio.h>

#include "apps/mail/auth/login.h"
#include "apps/mail/imapd/cmd.h"
#include "stack/base/check.h"

static void verify(struct imapd_session *s, struct str user, struct str password)
{
	struct imapd *d = s->imapd;

	if (user.len == 0 || user.len > IMAPD_USER_MAX ||
	    memchr(user.p, '\0', user.len)) {
		imapd_done(s, "NO [AUTHENTICATIONFAILED] That is no user name");
		return;
	}
	s->login = login_new(&d->checks, s, user, password, io_peer_addr(s->io));
	if (!s->login) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return;
	}
	s->is_away = true;
	imapd_enter(s, IMAPD_CHECK);
	if (login_send(s->login, d->ops.verify, d->ops_arg))
		return;
	s->login = NULL;
	s->is_away = false;
	s->n_errors++;
	d->stats.unavailable++;
	imapd_done(s, "NO [UNAVAILABLE] Too many logins, try again later");
}

void imapd_login(struct imapd_session *s)
{
	/* RFC 5530 3; RFC 3501 6.2.3: the server says LOGINDISABLED */
	if (!imapd_may_show(s)) {
		imapd_done(s, "NO [PRIVACYREQUIRED] Not without TLS");
		return;
	}
	verify(s, s->parse.cmd.login.user, s->parse.cmd.login.password);
}

static void log_login(struct imapd_session *s, struct str user, enum log_level level,
		      const char *event)
{
	char name[LOG_VALUE_LEN];
	struct imapd *d = s->imapd;
	uint32_t n_held = 0;

	if (d->conf.log && log_allowed(&d->log_limit, net_now_ns(d->net), &n_held))
		log_line(d->conf.log, level, "%s user=%s client=%s held_lines=%u", event,
			 log_value(name, user.p, user.len), io_peer_addr(s->io), n_held);
}

/* Sessions that this user has. */
static uint64_t count_sessions(const struct imapd *d, struct str user)
{
	const struct list *at;
	uint64_t n = 0;

	for (at = d->door.guests.next; at != &d->door.guests; at = at->next)
		n += str_eq(
			user,
			str_of(container_of(at, struct imapd_session, guest.node)->user));
	return n;
}

bool imapd_welcome(struct imapd_session *s, struct str user)
{
	struct imapd *d = s->imapd;

	if (count_sessions(d, user) >= d->conf.limits.per_user_max) {
		d->stats.refused_user++;
		return false;
	}
	memcpy(s->user, user.p, user.len);
	s->user[user.len] = '\0';
	imapd_known(s);
	d->stats.logins++;
	log_login(s, user, LOG_INFO, "imap_login");
	return true;
}

static void right(struct imapd_session *s, struct str user)
{
	char text[512];

	if (!imapd_welcome(s, user)) {
		imapd_done(s, "NO [LIMIT] You have too many sessions");
		return;
	}
	snprintf(text, sizeof(text), "OK [CAPABILITY %s] Welcome", imapd_capabilities(s));
	imapd_done(s, text);
}

void imapd_login_failed(struct imapd_session *s)
{
	if (++s->n_fails >= s->imapd->conf.limits.login_fails_max) {
		imapd_done(s, "NO [AUTHENTICATIONFAILED] Wrong user name or password");
		imapd_close(s, "Too many wrong passwords");
		return;
	}
	/* RFC 5530 */
	imapd_done(s, "NO [AUTHENTICATIONFAILED] Wrong user name or password");
}

static void wrong(struct imapd_session *s, struct str user)
{
	log_login(s, user, LOG_WARNING, "imap_login_failed");
	imapd_enter(s, IMAPD_DELAY);
}

static void unavailable(struct imapd_session *s, const char *text)
{
	s->imapd->stats.unavailable++;
	imapd_done(s, text);
}

/* Sends a challenge, and waits for its answer. */
static void challenge(struct imapd_session *s)
{
	io_printf(s->io, "+ %s\r\n", sasl_out(s->talk));
	imap_parse_want_line(&s->parse);
	s->is_idle = false;
	if (s->state != IMAPD_LINE)
		imapd_enter(s, IMAPD_LINE);
}

/* What the conversation came to. */
static void take(struct imapd_session *s, enum sasl_result result)
{
	switch (result) {
	case SASL_MORE: challenge(s); return;
	case SASL_PASSWORD: verify(s, sasl_name(s->talk), sasl_password(s->talk)); break;
	case SASL_RIGHT: right(s, sasl_name(s->talk)); break;
	case SASL_WRONG:
		s->imapd->stats.login_failures++;
		wrong(s, sasl_name(s->talk));
		break;
	case SASL_LATE:
		s->n_errors++;
		unavailable(s, "NO [UNAVAILABLE] Too many logins, try again later");
		break;
	case SASL_OTHER:
		imapd_done(s, "NO [AUTHORIZATIONFAILED] You are but yourself");
		break;
	/* RFC 3501 6.2.2: what is cancelled, or cannot be read, is answered with BAD. */
	case SASL_CANCELLED: imapd_refuse(s, "Given up"); break;
	case SASL_BAD: imapd_refuse(s, "That is nothing the mechanism has"); break;
	case SASL_NO_MEMORY: unavailable(s, "NO [UNAVAILABLE] Out of memory"); break;
	}
	/* What is being checked is a copy. */
	sasl_talk_free(s->talk);
	s->talk = NULL;
}

void imapd_authenticate_line(struct imapd_session *s, struct str line)
{
	take(s, sasl_step(s->talk, line));
}

static const char *no_talk(int r)
{
	switch (r) {
	case -EOPNOTSUPP: return "NO [CANNOT] There is no such mechanism here";
	case -EACCES: return "NO [PRIVACYREQUIRED] Not without TLS";
	default: return "NO [UNAVAILABLE] Out of memory";
	}
}

void imapd_authenticate(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;
	int r = -EOPNOTSUPP;

	if (s->imapd->sasl)
		r = sasl_talk_new(s->imapd->sasl, cmd->authenticate.mechanism,
				  imapd_may_show(s) ? SASL_SHOWN : 0, io_peer_addr(s->io),
				  &s->talk);
	if (r < 0)
		imapd_done(s, no_talk(r));
	else
		take(s, sasl_begin(s->talk, cmd->authenticate.has_initial ?
						    &cmd->authenticate.initial :
						    NULL));
}

static void take_verdict(struct imapd_session *s, const struct verify_job *job)
{
	switch (job->verdict) {
	case VERIFY_RIGHT: right(s, job->name); break;
	case VERIFY_WRONG: wrong(s, job->name); break;
	case VERIFY_UNSURE:
		unavailable(s, "NO [UNAVAILABLE] Cannot be checked now, try again later");
		break;
	}
}

void imapd_check_cancel(struct imapd_session *s)
{
	s->imapd->ops.cancel(s->imapd->ops_arg, &s->login->job);
}

void imapd_checked(void *arg, struct handoff_item *item)
{
	struct login *l = login_of(item);
	struct imapd_session *s = l->session;
	struct imapd *d = arg;

	d->stats.login_failures += l->job.verdict == VERIFY_WRONG;
	s->login = NULL;
	s->is_away = false;
	if (s->state != IMAPD_CLOSED && d->door.is_shut)
		imapd_close(s, "[UNAVAILABLE] Shutting down");
	else if (s->state != IMAPD_CLOSED)
		take_verdict(s, &l->job);
	login_free(l);
	imapd_resume(s);
}
