/*
 * DATA (RFC 5321 4.1.1.4): the message comes, is submitted, and answered when it is
 * on stable storage.
 *
 * A message that is refused is still read to its end, without being kept; then the
 * session goes on.  While a message is with the store, the session only waits, and may
 * end before the answer comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { DATA_FAR_BEYOND = 2 }; /* times SIZE: nobody reads on */

void smtpd_data(struct smtpd_session *s, struct str arg)
{
	struct smtpd *d = s->smtpd;

	(void)arg;
	if (d->stats.memory >= d->conf.limits.memory_max) {
		smtpd_no_memory(s);
		return;
	}
	s->message->due_ns = net_now_ns(d->net) + d->conf.limits.command_s * NS_PER_S;
	smtpd_enter(s, SMTPD_DATA);
	smtpd_reply(s, "354 End with a line of one dot");
}

/*
 * Each octet gives time for the next, but no client is ever further ahead than it was in
 * the beginning: much that comes at once buys no long silence, in which it would hold
 * the memory.
 */
static void data_due(struct smtpd_session *s, size_t n_read)
{
	const struct smtpd_limits *limits = &s->smtpd->conf.limits;
	uint64_t most = net_now_ns(s->smtpd->net) + limits->command_s * NS_PER_S;
	struct smtpd_message *m = s->message;

	if (limits->data_rate_min == 0)
		m->due_ns = most;
	else
		m->due_ns += n_read * NS_PER_S / limits->data_rate_min;
	if (m->due_ns > most)
		m->due_ns = most;
	io_deadline(s->io, m->due_ns);
}

static void refuse_line_end(struct smtpd_session *s, enum dot_fault fault)
{
	static const char *const replies[] = {
		[DOT_BARE_CR] = "550 5.6.11 Message contains a bare CR",
		[DOT_BARE_LF] = "550 5.6.11 Message contains a bare LF",
		[DOT_NUL] = "550 5.6.11 Message contains a NUL",
	};

	s->smtpd->stats.bare_line_ends++;
	smtpd_reply(s, replies[fault]);
}

static void refuse_loop(struct smtpd_session *s, const char *line)
{
	s->smtpd->stats.loops++;
	smtpd_reply(s, line);
}

static void refuse_header(struct smtpd_session *s, enum rfc5322_fault fault)
{
	if (fault == RFC5322_TOO_MANY_HOPS) {
		refuse_loop(s, "554 5.4.6 Too many hops, mail loops");
	} else {
		s->smtpd->stats.bad_header++;
		smtpd_reply(s, "550 5.6.0 Message header beyond all limits");
	}
}

static void refuse_size(struct smtpd_session *s, enum smtpd_verdict verdict)
{
	if (verdict == SMTPD_TOO_BIG) {
		s->smtpd->stats.too_big++;
		smtpd_reply(s, "552 5.3.4 Message bigger than SIZE");
	} else {
		smtpd_no_memory(s);
	}
}

enum { FIELDS_LEN = RFC5322_RECEIVED_LEN + 512 };

/* RFC 6409 8: a message that a user submits gets the date and the name it lacks. */
static size_t missing_fields(const struct smtpd_session *s, uint64_t now_s, char *out,
			     size_t room)
{
	const struct smtpd_message *m = s->message;
	char date[RFC5322_DATE_LEN];
	size_t n = 0;

	if (!s->is_msa)
		return 0;
	rfc5322_date(now_s, date);
	if (!m->scan.has_date)
		n += (size_t)snprintf(out, room, "Date: %s\r\n", date);
	if (!m->scan.has_message_id)
		n += (size_t)snprintf(out + n, room - n, "Message-ID: <%s@%s>\r\n", m->id,
				      s->smtpd->conf.host);
	ASSERT(n < room);
	return n;
}

/* Puts the trace field before the message.  0 or -ENOMEM. */
static int finish(struct smtpd_session *s)
{
	char fields[FIELDS_LEN];
	struct smtpd_message *m = s->message;
	struct smtpd *d = s->smtpd;
	uint64_t now_s = d->ops.wall_s(d->ops_arg);
	struct rfc5322_received r = {
		.helo = str_of(s->helo),
		.from_addr = str_of(io_peer_addr(s->io)),
		.by = str_of(d->conf.host),
		.is_esmtp = s->is_esmtp,
		.is_tls = s->is_secure,
		.is_auth = s->user[0] != '\0',
		.id = STR(""),
		.date_s = now_s,
	};
	size_t len;

	snprintf(m->id, sizeof(m->id), "%" PRIx64 "-%x-%" PRIx64, now_s, d->conf.instance,
		 ++d->serial);
	r.id = str_of(m->id);
	/* RFC 5321 7.2: not one of several, he may be a secret from the others. */
	if (m->n_addrs == 1)
		r.for_addr = str_of(m->rcpt);
	m->op.deliver.date_s = now_s;
	len = rfc5322_received(&r, fields);
	len += missing_fields(s, now_s, fields + len, sizeof(fields) - len);
	return smtpd_message_finish(m, (struct str){ fields, len });
}

static void submit(struct smtpd_session *s)
{
	struct smtpd_message *m = s->message;
	struct smtpd *d = s->smtpd;

	if (finish(s) < 0) {
		smtpd_no_memory(s);
		smtpd_reset(s);
		return;
	}
	m->session = s;
	smtpd_enter(s, SMTPD_COMMIT);
	handoff_out(&d->commits);
	if (!d->ops.submit(d->ops_arg, &m->op)) {
		handoff_undo(&d->commits);
		d->stats.no_storage++;
		smtpd_reply(s, "452 4.3.1 Store is busy, try again");
		smtpd_reset(s);
	}
}

static bool is_fine(const struct smtpd_message *m)
{
	return m->dot.fault == DOT_FINE && m->scan.fault == RFC5322_FINE &&
	       m->verdict == SMTPD_FINE;
}

static void end(struct smtpd_session *s)
{
	const struct smtpd_message *m = s->message;

	if (is_fine(m) && !smtpd_rcpts_is_loop(m)) {
		submit(s);
		return;
	}
	if (is_fine(m))
		refuse_loop(s, "554 5.4.6 It came through here before, mail loops");
	else if (m->dot.fault != DOT_FINE)
		refuse_line_end(s, m->dot.fault);
	else if (m->scan.fault != RFC5322_FINE)
		refuse_header(s, m->scan.fault);
	else
		refuse_size(s, m->verdict);
	smtpd_reset(s);
}

bool smtpd_data_input(struct smtpd_session *s)
{
	uint64_t most = s->smtpd->conf.limits.message_max * DATA_FAR_BEYOND;
	struct smtpd_message *m = s->message;
	struct str in = io_peek(s->io);
	size_t n_read;

	if (in.len == 0)
		return false;
	if (in.len > most - m->n_raw)
		in.len = most - m->n_raw;
	n_read = smtpd_message_read(m, in);
	io_consume(s->io, n_read);
	if (m->dot.state == DOT_END) {
		end(s);
	} else if (m->n_raw == most) {
		s->smtpd->stats.too_big++;
		smtpd_close(s, "421 4.7.0 Message far bigger than SIZE");
	} else {
		data_due(s, n_read);
	}
	return true;
}

static void log_message(struct smtpd *d, const struct smtpd_message *m)
{
	char from[LOG_VALUE_LEN];
	uint32_t n_held = 0;

	if (!d->conf.log || !log_allowed(&d->log_limit, net_now_ns(d->net), &n_held))
		return;
	log_line(d->conf.log, m->op.result ? LOG_WARNING : LOG_INFO,
		 "smtp_message id=%s from=%s users=%u remotes=%u bytes=%" PRIu64
		 " result=%d again=%d held_lines=%u",
		 m->id, log_value(from, m->from, strlen(m->from)), m->users.n,
		 m->remotes.n, m->len, m->op.result, m->spool.came_before, n_held);
}

static void count(struct smtpd_stats *stats, const struct smtpd_message *m)
{
	if (m->op.result) {
		stats->no_storage++;
		return;
	}
	if (m->spool.came_before) {
		stats->again++;
		return;
	}
	stats->messages++;
	stats->recipients += m->users.n + m->remotes.n;
	stats->relayed += m->remotes.n;
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
	if (m->op.result == 0 && m->spool.n_add > 0 && !m->spool.came_before)
		d->ops.spooled(d->ops_arg, &m->spool);
	if (!s) {
		smtpd_message_free(m);
		return;
	}
	if (m->op.result == 0) {
		s->n_errors = s->n_junk = 0;
		if (m->spool.came_before)
			io_puts(s->io, "250 2.0.0 Stored before\r\n");
		else
			io_printf(s->io, "250 2.0.0 Stored as %s\r\n", m->id);
	} else if (m->op.result == -ENOSPC) {
		smtpd_reply(s, "452 4.3.1 Insufficient storage");
	} else {
		smtpd_reply(s, "451 4.3.0 Store failed, try again later");
	}
	smtpd_reset(s);
	if (d->door.is_shut)
		smtpd_close(s, "421 4.3.2 Shutting down");
	smtpd_resume(s);
}
