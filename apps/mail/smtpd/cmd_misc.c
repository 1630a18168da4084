/*
 * RSET, NOOP, QUIT (RFC 5321 4.1.1.5, 4.1.1.9, 4.1.1.10).
 */
#include "apps/mail/smtpd/smtpd_impl.h"

void smtpd_rset(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	if (s->state != SMTPD_START)
		smtpd_reset(s);
	smtpd_reply(s, "250 2.0.0 Forgotten");
}

void smtpd_noop(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	smtpd_reply(s, "250 2.0.0 Ok");
}

void smtpd_quit(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	io_printf(s->io, "221 2.0.0 %s closing\r\n", s->smtpd->conf.host);
	smtpd_close(s, NULL);
}
