/*
 * USER and PASS (RFC 1939 7), and the verifier between them and the maildrop.
 *
 * Whether a name exists is not told: USER takes any, and a wrong name costs as much
 * time as a wrong password.  The answer to either is delayed, and a session has but a
 * few tries.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"

/* A password on its way.  It may come back after its session. */
struct pop3d_check {
	struct handoff_item back;
	struct verify_job job;
	struct pop3d *pop3d;
	struct pop3d_session *session; /* NULL: it ended */
	size_t len;		       /* of bytes */
	char bytes[];		       /* name and password */
};

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

static void check_free(struct pop3d_check *c)
{
	explicit_bzero(c->bytes, c->len);
	free(c);
}

static void verified(struct verify_job *job)
{
	struct pop3d_check *c = container_of(job, struct pop3d_check, job);

	handoff_back(&c->pop3d->checks, &c->back);
}

static struct pop3d_check *check_new(struct pop3d_session *s, struct str password)
{
	size_t user_len = strlen(s->user), len = user_len + password.len;
	struct pop3d_check *c = malloc(sizeof(*c) + len);

	if (!c)
		return NULL;
	*c = (struct pop3d_check){ .pop3d = s->pop3d, .session = s, .len = len };
	memcpy(c->bytes, s->user, user_len);
	memcpy(c->bytes + user_len, password.p, password.len);
	c->job.name = (struct str){ c->bytes, user_len };
	c->job.password = (struct str){ c->bytes + user_len, password.len };
	c->job.client = io_peer_addr(s->io);
	c->job.done = verified;
	return c;
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
	struct pop3d_check *c = check_new(s, password);
	struct pop3d *d = s->pop3d;

	if (!c) {
		pop3d_login_unsure(s, "-ERR [SYS/TEMP] Out of memory");
		return;
	}
	s->check = c;
	pop3d_enter(s, POP3D_CHECK);
	handoff_out(&d->checks);
	if (d->ops.verify(d->ops_arg, &c->job))
		return;
	handoff_undo(&d->checks);
	s->check = NULL;
	check_free(c);
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
	struct pop3d_check *c = s->check;

	c->session = NULL;
	s->check = NULL;
	s->pop3d->ops.cancel(s->pop3d->ops_arg, &c->job);
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
	struct pop3d_check *c = container_of(item, struct pop3d_check, back);
	struct pop3d_session *s = c->session;
	struct pop3d *d = arg;
	int verdict = c->job.verdict;

	check_free(c);
	d->stats.login_failures += verdict == VERIFY_WRONG;
	if (!s)
		return;
	s->check = NULL;
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
