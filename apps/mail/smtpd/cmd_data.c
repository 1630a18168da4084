/*
 * DATA (RFC 5321 4.1.1.4): the message comes, is submitted, and answered when it is
 * on stable storage.
 *
 * A message that is refused is still read to its end, without being kept; then the
 * session goes on.  Meanwhile the store has the message it belongs to the store; the
 * session only waits, and may end before the answer comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { DATA_FAR_BEYOND = 2 }; /* times SIZE: nobody reads on */

void smtpd_data(struct smtpd_session *s, struct str arg)
{
	struct smtpd *d = s->smtpd;

	(void)arg;
	if (d->stats.memory >= d->conf.limits.memory_max) {
		d->stats.no_memory++;
		smtpd_reply(s, "452 4.3.1 Too much mail at once, try again later");
		return;
	}
	s->message->began_ns = net_now_ns(d->net);
	smtpd_enter(s, SMTPD_DATA);
	smtpd_reply(s, "354 End with a line of one dot");
}

uint64_t smtpd_data_due(const struct smtpd_session *s)
{
	const struct smtpd_limits *limits = &s->smtpd->conf.limits;
	uint64_t grace = limits->command_s * NS_PER_S;

	if (limits->data_rate_min == 0)
		return net_now_ns(s->smtpd->net) + grace;
	return s->message->began_ns + grace +
	       s->message->n_raw * NS_PER_S / limits->data_rate_min;
}

/* Why the message is not taken, counted; NULL: it is. */
static const char *refusal(struct smtpd_stats *stats, const struct smtpd_message *m)
{
	if (m->dot.fault != DOT_FINE)
		stats->bare_line_ends++;
	switch (m->dot.fault) {
	case DOT_FINE: break;
	case DOT_BARE_CR: return "550 5.6.11 Message contains a bare CR";
	case DOT_BARE_LF: return "550 5.6.11 Message contains a bare LF";
	case DOT_NUL: return "550 5.6.11 Message contains a NUL";
	}
	switch (m->scan.fault) {
	case RFC5322_FINE: break;
	case RFC5322_TOO_LONG:
	case RFC5322_TOO_MANY_FIELDS:
		stats->bad_header++;
		return "550 5.6.0 Message header beyond all limits";
	case RFC5322_TOO_MANY_HOPS:
		stats->loops++;
		return "554 5.4.6 Too many hops, mail loops";
	}
	switch (m->verdict) {
	case SMTPD_FINE: break;
	case SMTPD_TOO_BIG: stats->too_big++; return "552 5.3.4 Message bigger than SIZE";
	case SMTPD_NO_MEMORY:
		stats->no_memory++;
		return "452 4.3.1 Too much mail at once, try again later";
	}
	return NULL;
}

/* Puts the trace field before the message.  0 or -ENOMEM. */
static int finish(struct smtpd_session *s)
{
	char field[RFC5322_RECEIVED_LEN];
	struct smtpd_message *m = s->message;
	struct smtpd *d = s->smtpd;
	uint64_t now_s = d->ops.wall_s(d->ops_arg);
	struct rfc5322_received r = {
		.helo = str_of(s->helo),
		.from_addr = str_of(io_peer_addr(s->io)),
		.by = str_of(d->conf.host),
		.is_esmtp = s->is_esmtp,
		.id = STR(""),
		.date_s = now_s,
	};

	snprintf(m->id, sizeof(m->id), "%" PRIx64 "-%x-%" PRIx64, now_s, d->conf.instance,
		 ++d->serial);
	r.id = str_of(m->id);
	/* RFC 5321 7.2: not one of several, he may be a secret from the others. */
	if (m->n_addrs == 1)
		r.for_addr = m->rcpts->addr;
	m->op.deliver.date_s = now_s;
	return smtpd_message_finish(m,
				    (struct str){ field, rfc5322_received(&r, field) });
}

static void put_off(struct smtpd_session *s, uint64_t *counter, const char *line)
{
	(*counter)++;
	smtpd_reset(s);
	smtpd_reply(s, line);
}

static void submit(struct smtpd_session *s)
{
	struct smtpd_message *m = s->message;
	struct smtpd *d = s->smtpd;

	if (finish(s) < 0) {
		put_off(s, &d->stats.no_memory,
			"452 4.3.1 Too much mail at once, try again later");
		return;
	}
	m->session = s;
	smtpd_enter(s, SMTPD_COMMIT);
	handoff_out(&d->commits);
	if (!d->ops.submit(d->ops_arg, &m->op)) {
		handoff_undo(&d->commits);
		put_off(s, &d->stats.no_storage, "452 4.3.1 Store is busy, try again");
	}
}

static void end(struct smtpd_session *s)
{
	const char *no = refusal(&s->smtpd->stats, s->message);

	if (!no) {
		submit(s);
		return;
	}
	smtpd_reset(s);
	smtpd_reply(s, no);
}

bool smtpd_data_input(struct smtpd_session *s)
{
	uint64_t most = s->smtpd->conf.limits.message_max * DATA_FAR_BEYOND;
	struct smtpd_message *m = s->message;
	struct str in = io_peek(s->io);

	if (in.len == 0)
		return false;
	if (in.len > most - m->n_raw)
		in.len = most - m->n_raw;
	io_consume(s->io, smtpd_message_read(m, in));
	if (m->dot.state == DOT_END) {
		end(s);
	} else if (m->n_raw == most) {
		s->smtpd->stats.too_big++;
		smtpd_close(s, "421 4.7.0 Message far bigger than SIZE");
	} else {
		io_deadline(s->io, smtpd_data_due(s));
	}
	return true;
}

static void log_message(struct smtpd *d, const struct smtpd_message *m)
{
	uint32_t n_held = 0;

	if (!d->conf.log || !log_allowed(&d->log_limit, net_now_ns(d->net), &n_held))
		return;
	log_line(d->conf.log, m->op.result ? LOG_WARNING : LOG_INFO,
		 "smtp_message id=%s from=<%s> users=%u bytes=%" PRIu64
		 " result=%d held_lines=%u",
		 m->id, m->from, m->n_users, m->len, m->op.result, n_held);
}

static void count(struct smtpd_stats *stats, const struct smtpd_message *m)
{
	if (m->op.result) {
		stats->no_storage++;
		return;
	}
	stats->messages++;
	stats->recipients += m->n_users;
	stats->bytes += m->len;
	stats->orphans += m->session == NULL;
}

void smtpd_data_committed(void *arg, struct handoff_item *item)
{
	struct smtpd_message *m = container_of(item, struct smtpd_message, back);
	struct smtpd_session *s = m->session;
	struct smtpd *d = arg;

	count(&d->stats, m);
	log_message(d, m);
	if (!s) {
		smtpd_message_free(m);
		return;
	}
	if (m->op.result == 0) {
		s->n_junk = 0;
		io_printf(s->io, "250 2.0.0 Stored as %s\r\n", m->id);
	} else if (m->op.result == -ENOSPC) {
		smtpd_reply(s, "452 4.3.1 Insufficient storage");
	} else {
		smtpd_reply(s, "451 4.3.0 Store failed, try again later");
	}
	smtpd_reset(s);
	if (d->stopped)
		smtpd_close(s, "421 4.3.2 Shutting down");
	smtpd_resume(s);
}
