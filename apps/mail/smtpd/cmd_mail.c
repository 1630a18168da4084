/*
 * MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3): the envelope.
 */
#include <stdio.h>

#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "apps/mail/wire/smtp_cmd.h"

/* What is wrong with an argument, as a reply; @bad_addr is the one about addresses. */
static const char *complaint(enum smtp_cmd_result r, const char *bad_addr)
{
	switch (r) {
	case SMTP_CMD_OK: break;
	case SMTP_CMD_SYNTAX: return "501 5.5.4 Syntax error in arguments";
	case SMTP_CMD_ADDR:
	case SMTP_CMD_LONG_ADDR: return bad_addr;
	case SMTP_CMD_PARAM_VALUE: return "501 5.5.4 Parameter with a wrong value";
	case SMTP_CMD_PARAM_TWICE: return "501 5.5.4 Parameter given twice";
	case SMTP_CMD_PARAM_UNKNOWN: return "555 5.5.4 Parameter unknown";
	}
	return NULL;
}

/* RFC 1870 6.1: a message of that size cannot be taken, and that is said before it
 * comes. */
static bool has_room(struct smtpd_session *s, const struct smtp_mail *mail)
{
	struct smtpd *d = s->smtpd;
	uint64_t size = mail->has_size && mail->size > 0 ? mail->size : 1;
	uint64_t memory = d->conf.limits.memory_max;

	if (size > d->conf.limits.message_max) {
		d->stats.too_big++;
		smtpd_reply(s, "552 5.3.4 Message bigger than SIZE");
		return false;
	}
	if (d->stats.memory >= memory || size > memory - d->stats.memory) {
		smtpd_no_memory(s);
		return false;
	}
	if (d->ops.room(d->ops_arg) < size) {
		d->stats.no_storage++;
		smtpd_reply(s, "452 4.3.1 Insufficient storage");
		return false;
	}
	return true;
}

/* RFC 6409 4.3, 6.1: a user submits, and in his own name; a bounce is in nobody's. */
static bool may_send(struct smtpd_session *s, const struct mailaddr *from)
{
	struct smtpd *d = s->smtpd;
	char text[MAILADDR_TEXT_LEN];

	if (s->user[0] == '\0') {
		if (!s->is_msa)
			return true;
		d->stats.strangers++;
		smtpd_reply(s, "530 5.7.0 Log in first");
		return false;
	}
	mailaddr_emit(from, text);
	if (from->kind == MAILADDR_NULL ||
	    d->ops.owns(d->ops_arg, str_of(s->user), str_of(text)))
		return true;
	d->stats.not_owned++;
	smtpd_reply(s, "553 5.7.1 That is not an address of yours");
	return false;
}

void smtpd_mail(struct smtpd_session *s, struct str arg)
{
	struct smtp_mail mail;
	enum smtp_cmd_result r = smtp_cmd_mail(arg, &mail);
	struct smtpd_message *m;

	if (r != SMTP_CMD_OK) {
		smtpd_refuse(s, complaint(r, "501 5.1.7 Sender address is malformed"));
		return;
	}
	if (!may_send(s, &mail.from) || !has_room(s, &mail))
		return;
	m = smtpd_message_new(s);
	if (!m) {
		smtpd_no_memory(s);
		return;
	}
	mailaddr_emit(&mail.from, m->from);
	s->message = m;
	smtpd_enter(s, SMTPD_MAIL);
	smtpd_reply(s, "250 2.1.0 Sender ok");
}

/*
 * RFC 5321 4.5.1: mail to postmaster, here or at any domain of ours, finds somebody; if
 * only somebody is named who can read it.
 */
static bool find_postmaster(struct smtpd *d, struct str addr,
			    char user[SMTPD_USER_MAX + 1])
{
	const char *name = d->conf.postmaster;

	if (!name || !str_starts_nocase(addr, STR("postmaster@")) ||
	    !d->ops.has_user(d->ops_arg, str_of(name)))
		return false;
	snprintf(user, SMTPD_USER_MAX + 1, "%s", name);
	return true;
}

static enum smtpd_whose find_user(struct smtpd *d, const struct mailaddr *to,
				  struct str addr, char user[SMTPD_USER_MAX + 1])
{
	bool has_domain = to->kind == MAILADDR_MAILBOX;
	struct str domain = has_domain ? to->domain : str_of(d->conf.host);
	enum smtpd_whose whose = d->ops.whose(d->ops_arg, addr, domain, user);

	/* Without a domain it is ours, whether a user has an address here or not. */
	if (whose == SMTPD_NOT_OURS && !has_domain)
		whose = SMTPD_NOBODY;
	if (whose == SMTPD_NOBODY && find_postmaster(d, addr, user))
		whose = SMTPD_USER;
	return whose;
}

/* @user: NULL of one at another host. */
static void add_rcpt(struct smtpd_session *s, const char *user, struct str addr)
{
	struct smtpd *d = s->smtpd;

	if (s->message->n_addrs >= d->conf.limits.rcpts_max) {
		d->stats.rcpt_limit++;
		smtpd_reply(s, "452 4.5.3 Too many recipients");
	} else if ((user ? smtpd_message_rcpt(s->message, str_of(user), addr) :
			   smtpd_message_remote(s->message, addr)) < 0) {
		smtpd_no_memory(s);
	} else {
		smtpd_enter(s, SMTPD_RCPT);
		smtpd_reply(s, "250 2.1.5 Recipient ok");
	}
}

static bool may_relay(const struct smtpd_session *s)
{
	const struct smtpd *d = s->smtpd;

	return d->ops.may_relay &&
	       (s->user[0] != '\0' || d->ops.may_relay(d->ops_arg, io_peer_addr(s->io)));
}

static void add_remote(struct smtpd_session *s, struct str addr)
{
	struct smtpd *d = s->smtpd;

	if (may_relay(s)) {
		add_rcpt(s, NULL, addr);
		return;
	}
	d->stats.rcpt_relay++;
	smtpd_reply(s, "550 5.7.1 Relaying is not permitted");
}

void smtpd_rcpt(struct smtpd_session *s, struct str arg)
{
	/* The address, and what stands behind "postmaster" without a domain. */
	char text[MAILADDR_TEXT_LEN + MAILADDR_DOMAIN_MAX + 2];
	struct smtpd *d = s->smtpd;
	char user[SMTPD_USER_MAX + 1];
	struct mailaddr to;
	enum smtp_cmd_result r = smtp_cmd_rcpt(arg, &to);

	if (r != SMTP_CMD_OK) {
		smtpd_refuse(s, complaint(r, "501 5.1.3 Recipient address is malformed"));
		return;
	}
	mailaddr_emit(&to, text);
	if (to.kind == MAILADDR_POSTMASTER)
		snprintf(text, sizeof(text), "postmaster@%s", d->conf.host);
	switch (find_user(d, &to, str_of(text), user)) {
	case SMTPD_USER: add_rcpt(s, user, str_of(text)); break;
	case SMTPD_NOBODY:
		d->stats.rcpt_unknown++;
		smtpd_reply(s, "550 5.1.1 No such user here");
		break;
	case SMTPD_NOT_OURS: add_remote(s, str_of(text)); break;
	case SMTPD_UNSURE: smtpd_reply(s, "451 4.3.0 Cannot tell now, try again"); break;
	}
}
