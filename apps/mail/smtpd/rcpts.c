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
#include "stack/base/check.h"
#include "stack/base/hash.h"

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
 * Delivered-To says by which address it came.
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

/*
 * RFC 5321 6.3: loops must be found.  By its Received fields alone one that goes through a
 * list, and comes back twice, would be found when there are 2^100 of it: so what is sent on
 * from an address of ours gets a mark of that.  The mark does not tell the address, which
 * may be a secret from the other recipients (7.2).
 */
static uint64_t mark_of(const struct smtpd *d, struct str addr)
{
	const struct hash_key key = { { d->conf.seed, ~d->conf.seed } };
	char text[SMTPD_ADDR_LEN];

	ASSERT(addr.len <= sizeof(text));
	str_lower(addr, text);
	return hash_siphash24(&key, text, addr.len);
}

static bool goes_on(struct str rcpt, const struct mail_to *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (to[i].user.len == 0 && !str_eq(to[i].addr, rcpt))
			return true;
	return false;
}

static int add_way(struct smtpd_message *m, struct str rcpt)
{
	uint64_t mark = mark_of(m->smtpd, rcpt);
	struct smtpd_way *w = m->ways;

	while (w && w->mark != mark)
		w = w->next;
	if (w)
		return 0;
	w = smtpd_message_alloc(m, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct smtpd_way){ .next = m->ways, .mark = mark };
	m->ways = w;
	return 0;
}

bool smtpd_rcpts_is_loop(const struct smtpd_message *m)
{
	for (const struct smtpd_way *w = m->ways; w; w = w->next)
		if (rfc5322_scan_has_loop(&m->scan, w->mark))
			return true;
	return false;
}

struct smtpd_chunk *smtpd_rcpts_loops(struct smtpd_message *m)
{
	struct str host = str_of(m->smtpd->conf.host);
	char field[RFC5322_LOOP_LEN];
	struct smtpd_chunk *c;
	size_t n = 0;

	for (const struct smtpd_way *w = m->ways; w; w = w->next)
		n += rfc5322_loop(w->mark, host, field);
	c = smtpd_message_chunk(m, n);
	for (const struct smtpd_way *w = m->ways; c && w; w = w->next) {
		n = rfc5322_loop(w->mark, host, field);
		memcpy(c->bytes + c->len, field, n);
		c->len += n;
	}
	return c;
}

int smtpd_rcpts_add(struct smtpd_message *m, struct str rcpt, const struct mail_to *to,
		    size_t n)
{
	const struct smtpd_rcpts users = m->users, remotes = m->remotes;

	if (goes_on(rcpt, to, n) && add_way(m, rcpt) < 0)
		return -ENOMEM;
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
	while (m->ways) {
		struct smtpd_way *next = m->ways->next;

		smtpd_message_release(m, m->ways, sizeof(*m->ways));
		m->ways = next;
	}
	free(m->items);
}
