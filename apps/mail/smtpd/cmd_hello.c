/*
 * HELO and EHLO (RFC 5321 4.1.1.1): who the client is, and what we offer.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "apps/mail/smtpd/smtpd_impl.h"
#include "apps/mail/wire/smtp_cmd.h"

/* RFC 5321 4.1.4: said again, it does what RSET does. */
static bool hello(struct smtpd_session *s, struct str arg, bool is_esmtp)
{
	char *helo;

	if (!smtp_cmd_is_host(arg)) {
		smtpd_refuse(s, "501 5.5.4 That is no host name");
		return false;
	}
	helo = str_dup(arg);
	if (!helo) {
		smtpd_close(s, "421 4.3.0 Out of memory");
		return false;
	}
	free(s->helo);
	s->helo = helo;
	s->is_esmtp = is_esmtp;
	smtpd_reset(s);
	return true;
}

void smtpd_helo(struct smtpd_session *s, struct str arg)
{
	if (hello(s, arg, false))
		io_printf(s->io, "250 %s\r\n", s->smtpd->conf.host);
}

/* RFC 2034 4: no enhanced code in this one. */
void smtpd_ehlo(struct smtpd_session *s, struct str arg)
{
	char mechs[SASL_NAMES_LEN];

	if (!hello(s, arg, true))
		return;
	io_printf(s->io,
		  "250-%s greets %s\r\n"
		  "250-PIPELINING\r\n"
		  "250-SIZE %" PRIu64 "\r\n"
		  "250-8BITMIME\r\n"
		  "250-ENHANCEDSTATUSCODES\r\n",
		  s->smtpd->conf.host, s->helo, s->smtpd->conf.limits.message_max);
	if (s->is_odmr)
		io_puts(s->io, "250-ATRN\r\n");
	else if (s->smtpd->ops.etrn)
		io_puts(s->io, "250-ETRN\r\n");
	if (smtpd_offers_tls(s))
		io_puts(s->io, "250-STARTTLS\r\n");
	if (smtpd_offers_auth(s))
		io_printf(s->io, "250-AUTH%s\r\n", sasl_names(smtpd_ways(s), "", mechs));
	io_puts(s->io, "250 HELP\r\n");
}
