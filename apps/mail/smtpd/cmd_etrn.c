/*
 * ETRN (RFC 1985): who was away calls for its mail.
 *
 * What is started goes to where mail for that domain always goes, so nobody gets mail
 * of others by that (RFC 1985 6).
 */
#include <inttypes.h>

#include "apps/mail/smtpd/smtpd_impl.h"

/*
 * RFC 1985 5.1: "domain"; "@domain", with all that is below it; "#queue", which here is
 * a destination too, by the name that the list of the queue has.
 */
static bool read_node(struct str arg, struct str *node, bool *below)
{
	bool is_queue = arg.p[0] == '#';

	*below = arg.p[0] == '@';
	*node = arg;
	if (is_queue || *below) {
		node->p++;
		node->len--;
	}
	return mailaddr_is_domain(*node);
}

void smtpd_etrn(struct smtpd_session *s, struct str arg)
{
	struct smtpd *d = s->smtpd;
	struct str node;
	uint64_t n = 0;
	bool below;

	if (!d->ops.etrn || !s->is_esmtp) {
		smtpd_refuse(s, d->ops.etrn ? "503 5.5.1 EHLO comes first" :
					      "502 5.5.1 There is no ETRN here");
		return;
	}
	if (!read_node(arg, &node, &below)) {
		smtpd_refuse(s, "501 5.5.4 Syntax: ETRN domain, @domain or #queue");
		return;
	}
	switch (d->ops.etrn(d->ops_arg, io_peer_addr(s->io), s->user[0] != '\0', node,
			    below, &n)) {
	case SMTPD_ETRN_STARTED: break;
	case SMTPD_ETRN_LATER:
		io_printf(s->io, "458 4.3.2 Unable to queue messages for node %.*s\r\n",
			  (int)node.len, node.p);
		return;
	case SMTPD_ETRN_DENIED:
		s->n_errors++;
		io_printf(s->io,
			  "459 4.7.1 Node %.*s not allowed: it is none for you\r\n",
			  (int)node.len, node.p);
		return;
	}
	d->stats.called++;
	if (n == 0)
		io_printf(s->io, "251 2.0.0 OK, no messages waiting for node %.*s\r\n",
			  (int)node.len, node.p);
	else if (below)
		io_printf(s->io,
			  "252 2.0.0 OK, pending messages for node %.*s started\r\n",
			  (int)node.len, node.p);
	else
		io_printf(s->io,
			  "253 2.0.0 OK, %" PRIu64
			  " pending messages for node %.*s started\r\n",
			  n, (int)node.len, node.p);
}
