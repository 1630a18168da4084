/*
 * MAIL (RFC 5321 4.1.1.2): the envelope begins.
 */
#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"

const char *smtpd_complaint(enum smtp_cmd_result r, const char *bad_addr)
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

	if (s->is_odmr) {
		smtpd_refuse(s, "502 5.5.1 Nobody brings mail here; ATRN takes it");
		return;
	}
	if (r != SMTP_CMD_OK) {
		smtpd_refuse(s,
			     smtpd_complaint(r, "501 5.1.7 Sender address is malformed"));
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
