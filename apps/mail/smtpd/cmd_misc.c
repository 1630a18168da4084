/*
 * RSET, NOOP, VRFY, EXPN, QUIT (RFC 5321 4.1.1.5 to 4.1.1.10).
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

/* RFC 5321 7.3: who has a mailbox here is told to those who bring mail for it. */
void smtpd_vrfy(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	smtpd_reply(s, "252 2.0.0 Not verified here; RCPT will tell");
}

void smtpd_expn(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	smtpd_refuse(s, "502 5.5.1 There are no lists here");
}

void smtpd_quit(struct smtpd_session *s, struct str arg)
{
	(void)arg;
	io_printf(s->io, "221 2.0.0 %s closing\r\n", s->smtpd->conf.host);
	smtpd_close(s, NULL);
}
