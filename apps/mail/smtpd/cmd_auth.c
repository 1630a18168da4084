/*
 * STARTTLS (RFC 3207) and AUTH (RFC 4954), and the verifier between AUTH and READY.
 *
 * Whether a name exists is not told: a wrong name costs as much time as a wrong
 * password.  The answer to either is delayed, and a session has but a few tries.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
#include "apps/mail/auth/login.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"

bool smtpd_offers_tls(const struct smtpd_session *s)
{
	/* Who is known, as on a local socket, would be forgotten. */
	return s->smtpd->tls && !s->is_secure && s->user[0] == '\0';
}

bool smtpd_offers_auth(const struct smtpd_session *s)
{
	return s->smtpd->sasl && (s->is_msa || s->is_odmr || s->smtpd->conf.auth);
}

unsigned smtpd_ways(const struct smtpd_session *s)
{
	return (s->is_secure || s->smtpd->conf.allow_plain ? SASL_SHOWN : 0) |
	       (s->is_odmr ? SASL_CRAM_MD5 : 0);
}

/* RFC 3207 4.2: all that was said before is forgotten; the io throws away what came
 * behind the command. */
void smtpd_starttls(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	if (!smtpd_offers_tls(s)) {
		smtpd_refuse(s, s->is_secure ? "503 5.5.1 TLS is there already" :
				s->user[0]   ? "503 5.5.1 You are logged in" :
					       "502 5.5.1 There is no TLS here");
		return;
	}
	smtpd_reply(s, "220 2.0.0 Begin TLS");
	if (io_tls_server(s->io, s->smtpd->tls) < 0) {
		smtpd_close(s, NULL);
		return;
	}
	s->is_secure = true;
	s->is_esmtp = false;
	s->user[0] = '\0';
	free(s->helo);
	s->helo = NULL;
	smtpd_enter(s, SMTPD_START);
}

static void forget_talk(struct smtpd_session *s)
{
	sasl_talk_free(s->talk);
	s->talk = NULL;
}

/* Back to READY, with these words. */
static void end(struct smtpd_session *s, const char *line)
{
	forget_talk(s);
	smtpd_enter(s, SMTPD_READY);
	smtpd_reply(s, line);
}

static void unavailable(struct smtpd_session *s, const char *line)
{
	s->smtpd->stats.unavailable++;
	s->n_errors++;
	end(s, line);
}

static void log_login(struct smtpd_session *s, struct str user, enum log_level level,
		      const char *event)
{
	struct smtpd *d = s->smtpd;
	char name[LOG_VALUE_LEN];
	uint32_t n_held = 0;

	if (d->conf.log && log_allowed(&d->log_limit, net_now_ns(d->net), &n_held))
		log_line(d->conf.log, level, "%s user=%s client=%s held_lines=%u", event,
			 log_value(name, user.p, user.len), io_peer_addr(s->io), n_held);
}

void smtpd_welcome(struct smtpd_session *s, struct str user)
{
	ASSERT(user.len <= SMTPD_USER_MAX);
	memcpy(s->user, user.p, user.len);
	s->user[user.len] = '\0';
	s->smtpd->stats.logins++;
	log_login(s, user, LOG_INFO, "smtp_login");
}

static void right(struct smtpd_session *s, struct str user)
{
	smtpd_welcome(s, user);
	end(s, "235 2.7.0 Welcome");
}

static void wrong(struct smtpd_session *s, struct str user)
{
	s->smtpd->stats.login_failures++;
	log_login(s, user, LOG_WARNING, "smtp_login_failed");
	forget_talk(s);
	smtpd_enter(s, SMTPD_DELAY);
}

void smtpd_auth_failed(struct smtpd_session *s)
{
	if (++s->n_fails >= s->smtpd->conf.limits.login_fails_max)
		smtpd_close(s, "421 4.7.0 Wrong user name or password, too often");
	else
		end(s, "535 5.7.8 Wrong user name or password");
}

static void verify(struct smtpd_session *s)
{
	struct smtpd *d = s->smtpd;

	s->login = login_new(&d->checks, s, sasl_name(s->talk), sasl_password(s->talk),
			     io_peer_addr(s->io));
	if (!s->login) {
		unavailable(s, "454 4.7.0 Out of memory, try again later");
		return;
	}
	smtpd_enter(s, SMTPD_CHECK);
	if (login_send(s->login, d->ops.verify, d->ops_arg))
		return;
	s->login = NULL;
	unavailable(s, "454 4.7.0 Too many logins, try again later");
}

/* What the conversation came to: in AUTH. */
static void take(struct smtpd_session *s, enum sasl_result result)
{
	switch (result) {
	case SASL_MORE:
		io_printf(s->io, "334 %s\r\n", sasl_out(s->talk));
		smtpd_enter(s, SMTPD_AUTH);
		break;
	case SASL_PASSWORD: verify(s); break;
	case SASL_RIGHT: right(s, sasl_name(s->talk)); break;
	case SASL_WRONG: wrong(s, sasl_name(s->talk)); break;
	case SASL_LATE:
		unavailable(s, "454 4.7.0 Too many logins, try again later");
		break;
	case SASL_OTHER: end(s, "535 5.7.8 You are but yourself"); break;
	case SASL_CANCELLED: end(s, "501 5.7.0 Given up"); break;
	case SASL_BAD: end(s, "501 5.5.2 That is nothing the mechanism has"); break;
	case SASL_NO_MEMORY:
		unavailable(s, "454 4.7.0 Out of memory, try again later");
		break;
	}
}

void smtpd_auth_line(struct smtpd_session *s, struct str line)
{
	take(s, sasl_step(s->talk, line));
}

void smtpd_auth_too_long(struct smtpd_session *s)
{
	s->smtpd->stats.bad_commands++;
	end(s, "500 5.5.6 Line too long");
}

static const char *no_talk(int r)
{
	switch (r) {
	case -EOPNOTSUPP: return "504 5.5.4 There is no such mechanism here";
	case -EACCES: return "538 5.7.11 Not without TLS";
	default: return "454 4.7.0 Out of memory, try again later";
	}
}

void smtpd_auth(struct smtpd_session *s, struct str arg)
{
	struct str rest, initial, mech = str_cut(arg, ' ', &rest);
	int r;

	initial = str_trim(rest);
	if (!smtpd_offers_auth(s)) {
		smtpd_refuse(s, "502 5.5.1 There is no AUTH here");
		return;
	}
	if (s->user[0] != '\0' || !s->is_esmtp) {
		smtpd_refuse(s, s->is_esmtp ? "503 5.5.1 You are logged in" :
					      "503 5.5.1 EHLO comes first");
		return;
	}
	r = sasl_talk_new(s->smtpd->sasl, mech, smtpd_ways(s), io_peer_addr(s->io),
			  &s->talk);
	if (r < 0) {
		smtpd_refuse(s, no_talk(r));
		return;
	}
	smtpd_enter(s, SMTPD_AUTH);
	take(s, sasl_begin(s->talk, initial.len > 0 ? &initial : NULL));
}

void smtpd_check_orphan(struct smtpd_session *s)
{
	login_orphan(s->login, s->smtpd->ops.cancel, s->smtpd->ops_arg);
	s->login = NULL;
}

void smtpd_checked(void *arg, struct handoff_item *item)
{
	struct login *l = login_of(item);
	struct smtpd_session *s = l->session;
	struct smtpd *d = arg;

	if (!s) {
		login_free(l);
		return;
	}
	s->login = NULL;
	if (d->door.is_shut)
		smtpd_close(s, "421 4.3.2 Shutting down");
	else if (l->job.verdict == VERIFY_RIGHT)
		right(s, l->job.name);
	else if (l->job.verdict == VERIFY_WRONG)
		wrong(s, l->job.name);
	else
		unavailable(s, "454 4.7.0 Cannot be checked now, try again later");
	login_free(l);
	smtpd_resume(s);
}
