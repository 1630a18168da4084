/*
 * ATRN (RFC 2645) and TURN (RFC 821 3.8): who logged in takes mail for his domains on his own
 * connection, and becomes a server for that.
 *
 * RFC 5321 F.1 wants TURN only where it is known who asks; so it is here.  ATRN is said at a
 * port of its own, to which nobody brings mail.
 */
#include "apps/mail/smtpd/smtpd_impl.h"

#define OK_LINE "250 2.0.0 OK now reversing the connection"

/* The connection is no longer ours. */
static void hand_over(struct smtpd_session *s)
{
	s->smtpd->stats.turned++;
	s->io = NULL;
	smtpd_enter(s, SMTPD_CLOSED);
}

static void turn(struct smtpd_session *s, const struct smtpd_turn *turn)
{
	struct smtpd *d = s->smtpd;

	switch (d->ops.turn(d->ops_arg, s->io, turn)) {
	case SMTPD_TURN_DONE: hand_over(s); break;
	case SMTPD_TURN_EMPTY: smtpd_reply(s, "453 4.0.0 You have no mail"); break;
	case SMTPD_TURN_LATER:
		smtpd_reply(s, "451 4.3.2 Unable to process this now, try again later");
		break;
	case SMTPD_TURN_DENIED:
		s->n_errors += !turn->at_once; /* that 450 is one, too */
		smtpd_reply(s, turn->at_once ? "502 5.7.1 There is no TURN for you" :
					       "450 4.7.1 That is none of your domains");
		break;
	}
}

/* RFC 2645 5.2.1: domain *("," domain) */
static bool read_domains(struct str list, struct smtpd_turn *turn)
{
	while (list.len > 0) {
		struct str one = str_trim(str_cut(list, ',', &list));

		if (turn->n_domains == SMTPD_TURN_MAX || !mailaddr_is_domain(one))
			return false;
		turn->domains[turn->n_domains++] = one;
	}
	return true;
}

void smtpd_atrn(struct smtpd_session *s, struct str arg)
{
	struct smtpd_turn t = { .user = str_of(s->user), .line = OK_LINE };

	if (!s->is_odmr || !s->smtpd->ops.turn)
		smtpd_refuse(s, "502 5.5.1 There is no ATRN at this port");
	else if (s->user[0] == '\0')
		smtpd_refuse(s, "530 5.7.0 Authentication required");
	else if (!read_domains(arg, &t))
		smtpd_refuse(s, "501 5.5.4 Syntax: ATRN [domain[,domain...]], up to 16");
	else
		turn(s, &t);
}

void smtpd_turn(struct smtpd_session *s, struct str arg)
{
	const struct smtpd_turn t = { .user = str_of(s->user),
				      .line = OK_LINE,
				      .at_once = true };

	(void)arg;
	if (!s->smtpd->ops.turn || s->user[0] == '\0')
		smtpd_refuse(s, "502 5.5.1 There is no TURN for who is not known; "
				"ETRN calls for mail");
	else
		turn(s, &t);
}
