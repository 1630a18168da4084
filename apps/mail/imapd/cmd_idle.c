/*
 * IDLE (RFC 2177): what changes is told at once, see news.c, until the client says DONE.
 */
#include "apps/mail/imapd/cmd.h"

void imapd_idle(struct imapd_session *s)
{
	s->imapd->stats.idles++;
	io_puts(s->io, "+ Idling\r\n");
	imap_parse_want_line(&s->parse);
	s->is_idle = true;
	imapd_enter(s, IMAPD_LINE);
	/* What changed before is news, too. */
	imapd_tell(s, true, false);
}

void imapd_idle_line(struct imapd_session *s, struct str line)
{
	if (str_eq_nocase(line, STR("DONE")))
		imapd_done(s, "OK Done");
	else
		imapd_refuse(s, "DONE ends it");
}
