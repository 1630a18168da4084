/*
 * RCPT (RFC 5321 4.1.1.3): whom the message is for, and where that leads.
 */
#include <stdio.h>

#include "apps/mail/smtpd/smtpd_impl.h"

enum { RCPTS_FAR_BEYOND = 10 }; /* times rcpts_max: nobody answers on */

void smtpd_addr_text(const struct smtpd *d, const struct mailaddr *addr,
		     char text[static SMTPD_ADDR_LEN])
{
	mailaddr_emit(addr, text);
	if (addr->kind == MAILADDR_POSTMASTER)
		snprintf(text, SMTPD_ADDR_LEN, "postmaster@%s", d->conf.host);
}

/*
 * RFC 5321 4.5.1: mail to postmaster, here or at any domain of ours, finds somebody; if
 * only somebody is named who can read it.
 */
static bool find_postmaster(struct smtpd *d, struct str addr, struct smtpd_found *found)
{
	const char *name = d->conf.postmaster;

	if (!name || !str_starts_nocase(addr, STR("postmaster@")) ||
	    !d->ops.has_user(d->ops_arg, str_of(name)))
		return false;
	found->one = (struct mail_to){ .user = str_of(name), .addr = addr };
	found->to = &found->one;
	found->n_to = 1;
	return true;
}

enum smtpd_whose smtpd_find(struct smtpd_session *s, enum mailaddr_kind kind,
			    struct str addr, struct smtpd_found *found)
{
	struct smtpd *d = s->smtpd;
	enum smtpd_whose whose;

	*found = (struct smtpd_found){ .n_to = 0 };
	whose = d->ops.find(d->ops_arg, addr, found);
	s->n_aliases += found->is_alias;
	/* Without a domain it is ours, whether a user has an address here or not. */
	if (whose == SMTPD_NOT_OURS && kind == MAILADDR_POSTMASTER)
		whose = SMTPD_NOBODY;
	if (whose == SMTPD_NOBODY && find_postmaster(d, addr, found))
		whose = SMTPD_OURS;
	return whose;
}

bool smtpd_goes_nowhere(struct smtpd_session *s, enum smtpd_whose whose,
			const struct smtpd_found *found)
{
	struct smtpd_stats *stats = &s->smtpd->stats;

	switch (whose) {
	case SMTPD_OURS:
	case SMTPD_NOT_OURS: return false;
	case SMTPD_NOBODY:
		stats->rcpt_unknown++;
		smtpd_reply(s, "550 5.1.1 No such user here");
		break;
	case SMTPD_UNSURE: smtpd_reply(s, "451 4.3.0 Cannot tell now, try again"); break;
	case SMTPD_AWAY:
		stats->moved++;
		s->n_errors++;
		io_printf(s->io, "551 5.1.6 User not local; please try <%.*s>\r\n",
			  (int)found->moved_to.len, found->moved_to.p);
		break;
	case SMTPD_LOOP:
		stats->rcpt_alias++;
		smtpd_reply(s, "550 5.4.6 That address leads only to itself");
		break;
	case SMTPD_TOO_FAR:
		stats->rcpt_alias++;
		smtpd_reply(s, "451 4.3.5 That address leads too far here");
		break;
	}
	return true;
}

/*
 * A list may be longer than the limit, and then wants to be alone: a client that is told
 * 452 sends it what is left in another transaction (RFC 5321 4.5.3.1.10).
 */
static bool fits(const struct smtpd_message *m, size_t n)
{
	uint64_t most = m->smtpd->conf.limits.rcpts_max;
	uint64_t before = m->users.n + m->remotes.n;

	return m->n_addrs == 0 ||
	       (m->n_addrs < most && before < most && n <= most - before);
}

/* RFC 5321 3.4: the client hears the new path of who moved. */
static void say_yes(struct smtpd_session *s, const struct smtpd_found *found)
{
	if (found->moved_to.len > 0)
		io_printf(s->io, "251 2.1.5 User not local; will forward to <%.*s>\r\n",
			  (int)found->moved_to.len, found->moved_to.p);
	else
		smtpd_reply(s, "250 2.1.5 Recipient ok");
}

static void add_rcpt(struct smtpd_session *s, struct str addr,
		     const struct smtpd_found *found)
{
	struct smtpd *d = s->smtpd;

	if (!fits(s->message, found->n_to)) {
		d->stats.rcpt_limit++;
		smtpd_reply(s, "452 4.5.3 Too many recipients");
	} else if (smtpd_rcpts_add(s->message, addr, found->to, found->n_to) < 0) {
		smtpd_no_memory(s);
	} else {
		d->stats.expanded += found->is_alias;
		smtpd_enter(s, SMTPD_RCPT);
		say_yes(s, found);
	}
}

/* @addr is somebody's at another host. */
static bool may_relay(const struct smtpd_session *s, struct str addr)
{
	const struct smtpd *d = s->smtpd;
	const char *at = memrchr(addr.p, '@', addr.len);
	struct str domain = { at ? at + 1 : addr.p,
			      at ? (size_t)(addr.p + addr.len - at - 1) : 0 };

	if (d->ops.may_relay &&
	    (s->user[0] != '\0' || d->ops.may_relay(d->ops_arg, io_peer_addr(s->io))))
		return true;
	return d->ops.relays_to && d->ops.relays_to(d->ops_arg, domain);
}

void smtpd_rcpt(struct smtpd_session *s, struct str arg)
{
	struct smtpd *d = s->smtpd;
	char text[SMTPD_ADDR_LEN];
	struct smtpd_found found;
	enum smtpd_whose whose;
	struct mailaddr to;
	enum smtp_cmd_result r = smtp_cmd_rcpt(arg, &to);

	if (++s->message->n_asked > d->conf.limits.rcpts_max * RCPTS_FAR_BEYOND) {
		smtpd_close(s, "421 4.7.0 Far more recipients than a message may have");
		return;
	}
	if (r != SMTP_CMD_OK) {
		smtpd_refuse(s, smtpd_complaint(
					r, "501 5.1.3 Recipient address is malformed"));
		return;
	}
	smtpd_addr_text(d, &to, text);
	whose = smtpd_find(s, to.kind, str_of(text), &found);
	if (smtpd_goes_nowhere(s, whose, &found))
		return;
	if (whose == SMTPD_NOT_OURS && !may_relay(s, str_of(text))) {
		d->stats.rcpt_relay++;
		smtpd_reply(s, "550 5.7.1 Relaying is not permitted");
		return;
	}
	if (whose == SMTPD_NOT_OURS) {
		found.one = (struct mail_to){ .addr = str_of(text) };
		found.to = &found.one;
		found.n_to = 1;
	}
	add_rcpt(s, str_of(text), &found);
}
