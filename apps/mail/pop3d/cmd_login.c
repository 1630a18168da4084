/*
 * USER and PASS (RFC 1939 7), and the verifier between them and the maildrop.
 *
 * Whether a name exists is not told: USER takes any, and a wrong name costs as much
 * time as a wrong password.  The answer to either is delayed, and a session has but a
 * few tries.
 */
#include "apps/mail/auth/login.h"
#include "apps/mail/pop3d/pop3d_impl.h"

void pop3d_user(struct pop3d_session *s, const struct str *args, int n)
{
	(void)n;
	if (!pop3d_may_show(s)) {
		pop3d_refuse(s, "-ERR Not without TLS");
		return;
	}
	if (args[0].len > POP3D_USER_MAX || memchr(args[0].p, '\0', args[0].len)) {
		pop3d_refuse(s, "-ERR That is no user name");
		return;
	}
	memcpy(s->user, args[0].p, args[0].len);
	s->user[args[0].len] = '\0';
	pop3d_reply(s, "+OK Now the password");
}

void pop3d_login_unsure(struct pop3d_session *s, const char *line)
{
	s->pop3d->stats.unavailable++;
	if (s->state != POP3D_AUTH)
		pop3d_enter(s, POP3D_AUTH);
	pop3d_reply(s, line);
}

void pop3d_verify(struct pop3d_session *s, struct str password)
{
	struct pop3d *d = s->pop3d;

	s->login =
		login_new(&d->checks, s, str_of(s->user), password, io_peer_addr(s->io));
	if (!s->login) {
		pop3d_login_unsure(s, "-ERR [SYS/TEMP] Out of memory");
		return;
	}
	pop3d_enter(s, POP3D_CHECK);
	if (login_send(s->login, d->ops.verify, d->ops_arg))
		return;
	s->login = NULL;
	s->n_errors++;
	pop3d_login_unsure(s, "-ERR [SYS/TEMP] Too many logins, try again later");
}

void pop3d_pass(struct pop3d_session *s, const struct str *args, int n)
{
	(void)n;
	if (s->user[0] == '\0')
		pop3d_refuse(s, "-ERR USER comes first");
	else
		pop3d_verify(s, args[0]);
}

void pop3d_check_orphan(struct pop3d_session *s)
{
	login_orphan(s->login, s->pop3d->ops.cancel, s->pop3d->ops_arg);
	s->login = NULL;
}

static void log_login(struct pop3d_session *s, enum log_level level, const char *event)
{
	struct pop3d *d = s->pop3d;
	char user[LOG_VALUE_LEN];
	uint32_t n_held = 0;

	if (d->conf.log && log_allowed(&d->log_limit, net_now_ns(d->net), &n_held))
		log_line(d->conf.log, level,
			 "%s user=%s client=%s messages=%u held_lines=%u", event,
			 log_value(user, s->user, strlen(s->user)), io_peer_addr(s->io),
			 s->n_msgs, n_held);
}

/* Takes the list of messages, as far as the session sees it. */
static int open_maildrop(struct pop3d_session *s)
{
	struct pop3d *d = s->pop3d;
	size_t n = 0;
	int err =
		d->ops.list(d->ops_arg, str_of(s->user), &s->uid_validity, &s->msgs, &n);

	if (err)
		return err;
	if (n > d->conf.limits.messages_max)
		n = d->conf.limits.messages_max;
	s->n_msgs = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		s->n_octets_all += s->msgs[i].size;
	s->n_octets = s->n_octets_all;
	return 0;
}

void pop3d_login(struct pop3d_session *s)
{
	struct pop3d *d = s->pop3d;

	s->lock = pop3d_lock(d->conf.locks, s->user);
	if (!s->lock) {
		d->stats.in_use++;
		pop3d_enter(s, POP3D_AUTH);
		pop3d_reply(s, "-ERR [IN-USE] Another session has the maildrop");
		return;
	}
	if (open_maildrop(s) < 0) {
		pop3d_unlock(d->conf.locks, s->lock);
		s->lock = NULL;
		d->stats.unavailable++;
		pop3d_enter(s, POP3D_AUTH);
		pop3d_reply(s, "-ERR [SYS/TEMP] The maildrop cannot be read now");
		return;
	}
	d->stats.logins++;
	log_login(s, LOG_INFO, "pop3_login");
	pop3d_enter(s, POP3D_TRANS);
	io_printf(s->io, "+OK %u messages\r\n", s->n_msgs);
}

void pop3d_login_wrong(struct pop3d_session *s)
{
	log_login(s, LOG_WARNING, "pop3_login_failed");
	pop3d_enter(s, POP3D_DELAY);
}

void pop3d_login_failed(struct pop3d_session *s)
{
	/* RFC 3206 */
	if (++s->n_fails >= s->pop3d->conf.limits.login_fails_max) {
		pop3d_close(s, "-ERR [AUTH] Wrong user name or password, too often");
		return;
	}
	s->user[0] = '\0';
	pop3d_enter(s, POP3D_AUTH);
	pop3d_reply(s, "-ERR [AUTH] Wrong user name or password");
}

void pop3d_checked(void *arg, struct handoff_item *item)
{
	struct login *l = login_of(item);
	struct pop3d_session *s = l->session;
	struct pop3d *d = arg;
	int verdict = l->job.verdict;

	login_free(l);
	d->stats.login_failures += verdict == VERIFY_WRONG;
	if (!s)
		return;
	s->login = NULL;
	if (d->door.is_shut) {
		pop3d_close(s, "-ERR [SYS/TEMP] Shutting down");
	} else if (verdict == VERIFY_RIGHT) {
		pop3d_login(s);
	} else if (verdict == VERIFY_WRONG) {
		pop3d_login_wrong(s);
	} else {
		pop3d_login_unsure(
			s, "-ERR [SYS/TEMP] Cannot be checked now, try again later");
	}
	pop3d_resume(s);
}
