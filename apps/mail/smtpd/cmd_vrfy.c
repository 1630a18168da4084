/*
 * VRFY and EXPN (RFC 5321 3.5): who is here, and who is on a list.
 *
 * RFC 5321 7.3: who collects addresses learns nothing that way, unless the site wants
 * it: as it is, RCPT tells those who bring mail.
 */
#include <stdio.h>

#include "apps/mail/smtpd/smtpd_impl.h"

/*
 * "<a@b>", "a@b" or "a", which is a name at our host.  False: none of them; that was said.
 */
static bool read_addr(struct smtpd_session *s, struct str arg,
		      char text[static SMTPD_ADDR_LEN])
{
	char path[SMTPD_ADDR_LEN + 2];
	struct str in = { path, 0 };
	bool has_domain = memchr(arg.p, '@', arg.len);
	struct mailaddr addr;
	int n;

	if (arg.len > 0 && arg.p[0] == '<')
		n = snprintf(path, sizeof(path), "%.*s", (int)arg.len, arg.p);
	else
		n = snprintf(path, sizeof(path), "<%.*s%s%s>", (int)arg.len, arg.p,
			     has_domain ? "" : "@",
			     has_domain ? "" : s->smtpd->conf.host);
	in.len = (size_t)n;
	if (in.len >= sizeof(path) || mailaddr_path(&in, &addr) < 0 || in.len > 0 ||
	    addr.kind == MAILADDR_NULL) {
		smtpd_refuse(s, "501 5.1.3 Address is malformed");
		return false;
	}
	smtpd_addr_text(s->smtpd, &addr, text);
	return true;
}

void smtpd_vrfy(struct smtpd_session *s, struct str arg)
{
	struct smtpd_found found;
	char text[SMTPD_ADDR_LEN];
	enum smtpd_whose whose;

	if (!s->smtpd->conf.vrfy) {
		smtpd_reply(s, "252 2.0.0 Not verified here; RCPT will tell");
		return;
	}
	if (!read_addr(s, arg, text))
		return;
	whose = smtpd_find(s, MAILADDR_MAILBOX, str_of(text), &found);
	if (smtpd_goes_nowhere(s, whose, &found))
		return;
	if (whose == SMTPD_NOT_OURS)
		smtpd_reply(s, "252 2.1.5 Not verified: it is at another host");
	else if (found.moved_to.len > 0)
		io_printf(s->io, "251 2.1.5 User not local; will forward to <%.*s>\r\n",
			  (int)found.moved_to.len, found.moved_to.p);
	else
		io_printf(s->io, "250 2.1.5 <%s>\r\n", text);
}

void smtpd_expn(struct smtpd_session *s, struct str arg)
{
	struct smtpd_found found;
	char text[SMTPD_ADDR_LEN];
	enum smtpd_whose whose;

	if (!s->smtpd->conf.expn) {
		smtpd_refuse(s, "502 5.5.1 Lists are not told here");
		return;
	}
	if (!read_addr(s, arg, text))
		return;
	whose = smtpd_find(s, MAILADDR_MAILBOX, str_of(text), &found);
	if (smtpd_goes_nowhere(s, whose, &found))
		return;
	if (!found.is_alias) {
		smtpd_reply(s, "550 5.1.2 That is no list");
		return;
	}
	for (size_t i = 0; i < found.n_to; i++)
		io_printf(s->io, "250%c2.1.5 <%.*s>\r\n", i + 1 < found.n_to ? '-' : ' ',
			  (int)found.to[i].addr.len, found.to[i].addr.p);
}
