/*
 * STLS (RFC 2595) and AUTH (RFC 5034), beside USER and PASS.
 */
#include <errno.h>

#include "apps/lib/tls.h"
#include "apps/mail/pop3d/pop3d_impl.h"

bool pop3d_offers_tls(const struct pop3d_session *s)
{
	return s->pop3d->tls && !s->is_secure;
}

bool pop3d_may_show(const struct pop3d_session *s)
{
	return s->is_secure || s->pop3d->conf.allow_plain;
}

/* RFC 2595 4: who said what before is forgotten; the io throws away what came behind
 * the command. */
void pop3d_stls(struct pop3d_session *s, const struct str *args, int n)
{
	(void)args;
	(void)n;
	if (!pop3d_offers_tls(s)) {
		pop3d_refuse(s, s->is_secure ? "-ERR TLS is there already" :
					       "-ERR There is no TLS here");
		return;
	}
	pop3d_reply(s, "+OK Begin TLS");
	s->user[0] = '\0';
	s->is_secure = true;
	if (io_tls_server(s->io, s->pop3d->tls) < 0)
		pop3d_close(s, NULL);
}

/* Back to AUTH, with these words. */
static void end(struct pop3d_session *s, const char *line)
{
	pop3d_enter(s, POP3D_AUTH);
	pop3d_refuse(s, line);
}

/* False: nobody has such a name. */
static bool take_name(struct pop3d_session *s)
{
	struct str name = sasl_name(s->talk);
	bool fits = name.len > 0 && name.len <= POP3D_USER_MAX;

	if (fits)
		memcpy(s->user, name.p, name.len);
	s->user[fits ? name.len : 0] = '\0';
	return fits;
}

static void wrong(struct pop3d_session *s)
{
	s->pop3d->stats.login_failures++;
	pop3d_login_wrong(s);
}

/* What the conversation came to: in SASL. */
static void take(struct pop3d_session *s, enum sasl_result result)
{
	bool has_name = take_name(s);

	switch (result) {
	case SASL_MORE: io_printf(s->io, "+ %s\r\n", sasl_out(s->talk)); return;
	case SASL_PASSWORD:
		if (has_name)
			pop3d_verify(s, sasl_password(s->talk));
		else
			wrong(s);
		break;
	case SASL_RIGHT: pop3d_login(s); break;
	case SASL_WRONG: wrong(s); break;
	case SASL_LATE:
		s->n_errors++;
		pop3d_login_unsure(s, "-ERR [SYS/TEMP] Too many logins, try again later");
		break;
	case SASL_OTHER: end(s, "-ERR [AUTH] You are but yourself"); break;
	case SASL_CANCELLED: end(s, "-ERR Given up"); break;
	case SASL_BAD: end(s, "-ERR That is nothing the mechanism has"); break;
	case SASL_NO_MEMORY:
		pop3d_login_unsure(s, "-ERR [SYS/TEMP] Out of memory");
		break;
	}
	/* What is being checked is a copy. */
	sasl_talk_free(s->talk);
	s->talk = NULL;
}

void pop3d_auth_line(struct pop3d_session *s, struct str line)
{
	take(s, sasl_step(s->talk, line));
}

static const char *no_talk(int r)
{
	switch (r) {
	case -EOPNOTSUPP: return "-ERR There is no such mechanism here";
	case -EACCES: return "-ERR Not without TLS";
	default: return "-ERR [SYS/TEMP] Out of memory";
	}
}

void pop3d_auth(struct pop3d_session *s, const struct str *args, int n)
{
	int r = -EOPNOTSUPP;

	if (s->pop3d->sasl)
		r = sasl_talk_new(s->pop3d->sasl, args[0],
				  pop3d_may_show(s) ? SASL_SHOWN : 0, io_peer_addr(s->io),
				  &s->talk);
	if (r < 0) {
		pop3d_refuse(s, no_talk(r));
		return;
	}
	pop3d_enter(s, POP3D_SASL);
	take(s, sasl_begin(s->talk, n > 1 ? &args[1] : NULL));
}
