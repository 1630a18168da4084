/*
 * Whom a message is for: users here, each once, and addresses elsewhere.
 *
 * One RCPT can lead to many (aliases).  All of them are taken or none is: so its answer
 * is true of everybody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/pack.h"
#include "apps/mail/smtpd/smtpd_impl.h"

/*
 * RFC 5321 3.9.2: what comes through a list has its owner as sender.  A bounce keeps that
 * it has none, or its own bounce would be answered (6.1).
 */
static struct str sender(const struct smtpd_message *m, const struct mail_to *to)
{
	return to->owner.len > 0 && m->from[0] != '\0' ? to->owner : str_of(m->from);
}

/* @text goes behind what is in the bytes of @r already. */
static struct str keep(struct smtpd_rcpt *r, size_t *at, struct str text)
{
	struct str kept = { r->bytes + *at, text.len };

	if (text.len > 0)
		memcpy(r->bytes + *at, text.p, text.len);
	*at += text.len;
	return kept;
}

static struct smtpd_rcpt *new_rcpt(struct smtpd_message *m, size_t room)
{
	struct smtpd_rcpt *r = smtpd_message_alloc(m, sizeof(*r) + room);

	if (r)
		*r = (struct smtpd_rcpt){ .len = sizeof(*r) + room };
	return r;
}

/*
 * RFC 5321 4.4: at its final delivery a message gets the sender of its envelope in front.
 * Delivered-To says by which address it came.  The header itself stays as it is, also of
 * what is sent on (3.9): a loop through other hosts ends by its Received fields (6.3).
 */
static struct smtpd_rcpt *new_user(struct smtpd_message *m, struct str rcpt,
				   const struct mail_to *to)
{
	static const char format[] = "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n";
	struct str from = sender(m, to);
	int head_len =
		snprintf(NULL, 0, format, (int)from.len, from.p, (int)rcpt.len, rcpt.p);
	size_t room = to->user.len + rcpt.len + (size_t)head_len + 1, at = 0;
	struct smtpd_rcpt *r = new_rcpt(m, room);

	if (!r)
		return NULL;
	r->user = keep(r, &at, to->user);
	r->addr = keep(r, &at, rcpt);
	r->head = (struct str){ r->bytes + at, (size_t)head_len };
	snprintf(r->bytes + at, (size_t)head_len + 1, format, (int)from.len, from.p,
		 (int)rcpt.len, rcpt.p);
	return r;
}

static struct smtpd_rcpt *new_remote(struct smtpd_message *m, const struct mail_to *to)
{
	struct str from = sender(m, to);
	struct smtpd_rcpt *r = new_rcpt(m, to->addr.len + from.len);
	size_t at = 0;

	if (!r)
		return NULL;
	r->addr = keep(r, &at, to->addr);
	r->from = keep(r, &at, from);
	return r;
}

static bool is_there(const struct smtpd_message *m, const struct mail_to *to)
{
	bool is_user = to->user.len > 0;
	const struct smtpd_rcpt *r = is_user ? m->users.first : m->remotes.first;

	while (r && !(is_user ? str_eq(r->user, to->user) : str_eq(r->addr, to->addr)))
		r = r->next;
	return r;
}

static int add(struct smtpd_message *m, struct str rcpt, const struct mail_to *to)
{
	struct smtpd_rcpts *list = to->user.len > 0 ? &m->users : &m->remotes;
	struct smtpd_rcpt *r;

	if (is_there(m, to))
		return 0;
	r = to->user.len > 0 ? new_user(m, rcpt, to) : new_remote(m, to);
	if (!r)
		return -ENOMEM;
	if (list->first)
		list->last->next = r;
	else
		list->first = r;
	list->last = r;
	list->n++;
	return 0;
}

static void drop(struct smtpd_message *m, struct smtpd_rcpt *r)
{
	while (r) {
		struct smtpd_rcpt *next = r->next;

		smtpd_message_release(m, r, r->len);
		r = next;
	}
}

/* As it was. */
static void cut(struct smtpd_message *m, struct smtpd_rcpts *list, struct smtpd_rcpts was)
{
	drop(m, was.last ? was.last->next : list->first);
	*list = was;
	if (was.last)
		was.last->next = NULL;
}

int smtpd_rcpts_add(struct smtpd_message *m, struct str rcpt, const struct mail_to *to,
		    size_t n)
{
	const struct smtpd_rcpts users = m->users, remotes = m->remotes;

	for (size_t i = 0; i < n; i++)
		if (add(m, rcpt, &to[i]) < 0) {
			cut(m, &m->users, users);
			cut(m, &m->remotes, remotes);
			return -ENOMEM;
		}
	if (m->n_addrs++ == 0)
		snprintf(m->rcpt, sizeof(m->rcpt), "%.*s", (int)rcpt.len, rcpt.p);
	return 0;
}

int smtpd_rcpts_pack(struct smtpd_message *m)
{
	struct smtpd *d = m->smtpd;
	struct pack pack = {
		.id = str_of(m->id),
		.n_rcpts = m->remotes.n,
		.now_ms = d->ops.wall_s(d->ops_arg) * 1000,
	};
	struct pack_rcpt *rcpts;
	size_t len, i = 0;
	int r;

	if (pack.n_rcpts == 0)
		return 0;
	pack.rcpts = rcpts = calloc(pack.n_rcpts, sizeof(*rcpts));
	if (!rcpts)
		return -ENOMEM;
	for (const struct smtpd_rcpt *at = m->remotes.first; at; at = at->next)
		rcpts[i++] = (struct pack_rcpt){ at->addr, at->from };
	r = pack_items(&pack, &m->items, &len);
	free(rcpts);
	if (r < 0)
		return r;
	if (!smtpd_message_charge(m, len)) {
		free(m->items);
		m->items = NULL;
		return -ENOMEM;
	}
	m->spool.add = m->items->add;
	m->spool.n_add = m->items->n_add;
	return 0;
}

void smtpd_rcpts_free(struct smtpd_message *m)
{
	drop(m, m->users.first);
	drop(m, m->remotes.first);
	free(m->items);
}
