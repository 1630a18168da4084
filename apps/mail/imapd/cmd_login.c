/*
 * LOGIN and AUTHENTICATE PLAIN (RFC 3501 6.2.2 and 6.2.3, RFC 4616, SASL-IR of RFC 4959),
 * and the verifier between them and the user's mail.
 *
 * Whether a name exists is not told: a wrong name costs as much time as a wrong
 * password.  The answer to either is delayed, and a session has but a few tries.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/wire/enc.h"
#include "stack/base/check.h"

/* A password on its way; the session stays until it is back. */
struct imapd_check {
	struct handoff_item back;
	struct verify_job job;
	struct imapd_session *session;
	size_t len;
	char bytes[];
};

static void check_free(struct imapd_check *c)
{
	explicit_bzero(c->bytes, c->len);
	free(c);
}

static void verified(struct verify_job *job)
{
	struct imapd_check *c = container_of(job, struct imapd_check, job);

	handoff_back(&c->session->imapd->checks, &c->back);
}

static struct imapd_check *check_new(struct imapd_session *s, struct str user,
				     struct str password)
{
	size_t len = user.len + password.len;
	struct imapd_check *c = malloc(sizeof(*c) + len);

	if (!c)
		return NULL;
	*c = (struct imapd_check){ .session = s, .len = len };
	memcpy(c->bytes, user.p, user.len);
	memcpy(c->bytes + user.len, password.p, password.len);
	c->job.name = (struct str){ c->bytes, user.len };
	c->job.password = (struct str){ c->bytes + user.len, password.len };
	c->job.client = io_peer_addr(s->io);
	c->job.done = verified;
	return c;
}

static void verify(struct imapd_session *s, struct str user, struct str password)
{
	struct imapd *d = s->imapd;
	struct imapd_check *c;

	if (user.len == 0 || user.len > IMAPD_USER_MAX ||
	    memchr(user.p, '\0', user.len)) {
		imapd_done(s, "NO [AUTHENTICATIONFAILED] That is no user name");
		return;
	}
	c = check_new(s, user, password);
	if (!c) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return;
	}
	s->check = c;
	s->is_away = true;
	imapd_enter(s, IMAPD_CHECK);
	handoff_out(&d->checks);
	if (d->ops.verify(d->ops_arg, &c->job))
		return;
	handoff_undo(&d->checks);
	s->check = NULL;
	s->is_away = false;
	check_free(c);
	s->n_errors++;
	d->stats.unavailable++;
	imapd_done(s, "NO [UNAVAILABLE] Too many logins, try again later");
}

void imapd_login(struct imapd_session *s)
{
	verify(s, s->parse.cmd.login.user, s->parse.cmd.login.password);
}

/* message = [authzid] NUL authcid NUL passwd */
static void plain(struct imapd_session *s, struct str message)
{
	struct str rest, user, password, as;

	as = str_cut(message, '\0', &rest);
	user = str_cut(rest, '\0', &password);
	if (as.len + 1 > message.len || user.len + 1 > rest.len ||
	    memchr(password.p, '\0', password.len))
		imapd_refuse(s, "That is no message of PLAIN");
	else if (as.len > 0 && !str_eq(as, user))
		imapd_done(s, "NO [AUTHORIZATIONFAILED] You are but yourself");
	else
		verify(s, user, password);
}

void imapd_authenticate_line(struct imapd_session *s, struct str line)
{
	struct enc_decoder decoder;
	char *out;
	size_t n;

	/* RFC 3501 6.2.3: the client gives up. */
	if (str_eq(line, STR("*"))) {
		imapd_refuse(s, "Given up");
		return;
	}
	out = malloc(line.len + 2 * ENC_ROOM);
	if (!out) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return;
	}
	enc_decode_init(&decoder, ENC_BASE64);
	n = enc_decode(&decoder, line, out);
	n += enc_decode_end(&decoder, out + n);
	if (decoder.odd & (ENC_ODD_CHAR | ENC_ODD_PADDING | ENC_ODD_AFTER))
		imapd_refuse(s, "That is no base64");
	else
		plain(s, (struct str){ out, n });
	explicit_bzero(out, n);
	free(out);
}

void imapd_authenticate(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;

	if (!str_eq_nocase(cmd->authenticate.mechanism, STR("PLAIN"))) {
		imapd_done(s, "NO [CANNOT] PLAIN is the mechanism there is");
		return;
	}
	if (cmd->authenticate.has_initial) {
		imapd_authenticate_line(s, cmd->authenticate.initial);
		return;
	}
	io_puts(s->io, "+ \r\n");
	imap_parse_want_line(&s->parse);
	s->is_idle = false;
	imapd_enter(s, IMAPD_LINE);
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

	for (at = d->sessions.next; at != &d->sessions; at = at->next)
		n += str_eq(user,
			    str_of(container_of(at, struct imapd_session, node)->user));
	return n;
}

static void right(struct imapd_session *s, struct str user)
{
	struct imapd *d = s->imapd;
	char text[512];

	if (count_sessions(d, user) >= d->conf.limits.per_user_max) {
		d->stats.refused_user++;
		imapd_done(s, "NO [LIMIT] You have too many sessions");
		return;
	}
	memcpy(s->user, user.p, user.len);
	s->user[user.len] = '\0';
	imapd_known(s);
	d->stats.logins++;
	log_login(s, user, LOG_INFO, "imap_login");
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

static void take_verdict(struct imapd_session *s, const struct verify_job *job)
{
	switch (job->verdict) {
	case VERIFY_RIGHT: right(s, job->name); break;
	case VERIFY_WRONG:
		log_login(s, job->name, LOG_WARNING, "imap_login_failed");
		imapd_enter(s, IMAPD_DELAY);
		break;
	case VERIFY_UNSURE:
		s->imapd->stats.unavailable++;
		imapd_done(s, "NO [UNAVAILABLE] Cannot be checked now, try again later");
		break;
	}
}

void imapd_check_cancel(struct imapd_session *s)
{
	s->imapd->ops.cancel(s->imapd->ops_arg, &s->check->job);
}

void imapd_checked(void *arg, struct handoff_item *item)
{
	struct imapd_check *c = container_of(item, struct imapd_check, back);
	struct imapd_session *s = c->session;
	struct imapd *d = arg;

	d->stats.login_failures += c->job.verdict == VERIFY_WRONG;
	s->check = NULL;
	s->is_away = false;
	if (s->state != IMAPD_CLOSED && d->stopped)
		imapd_close(s, "[UNAVAILABLE] Shutting down");
	else if (s->state != IMAPD_CLOSED)
		take_verdict(s, &c->job);
	check_free(c);
	imapd_resume(s);
}
