/*
 * A message in memory: the envelope, and the text in a chain of pieces, each bigger than
 * the one before, so that small messages cost little and big ones few pieces.
 *
 * Text is checked while it is copied in.  From the first fault on nothing is kept any
 * more, and what was kept is dropped: a message that will be refused costs no memory.
 * What the store is given points into all this, which stays until the store is done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/pack.h"
#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"

enum {
	CHUNK_LEAST = 8 * 1024,	 /* of the first piece; each next is twice as big, */
	CHUNK_MOST = 256 * 1024, /* up to this */
};

static bool charge(struct smtpd_message *m, size_t len)
{
	struct smtpd *d = m->smtpd;
	uint64_t most = d->conf.limits.memory_max;

	if (d->stats.memory > most || len > most - d->stats.memory)
		return false;
	if (!peers_take(m->peer, len, d->conf.limits.client_memory_max)) {
		d->stats.no_share++;
		return false;
	}
	d->stats.memory += len;
	m->charged += len;
	return true;
}

static void give_back(struct smtpd_message *m, size_t len)
{
	struct smtpd *d = m->smtpd;

	m->charged -= len;
	d->stats.memory -= len;
	peers_give(d->door.peers, m->peer, len);
}

/* Memory of @m, within what its client's and what all messages together may have. */
static void *charged(struct smtpd_message *m, size_t len)
{
	void *p;

	if (!charge(m, len))
		return NULL;
	p = malloc(len);
	if (!p)
		give_back(m, len);
	return p;
}

/* store_op.done, on the store's thread. */
static void committed(struct store_op *op)
{
	struct smtpd_message *m = container_of(op, struct smtpd_message, op);

	handoff_back(&m->smtpd->commits, &m->back);
}

struct smtpd_message *smtpd_message_new(struct smtpd_session *s)
{
	struct smtpd *d = s->smtpd;
	struct smtpd_message own = { .smtpd = d, .peer = s->guest.peer }, *m;

	m = charged(&own, sizeof(*m));
	if (!m)
		return NULL;
	*m = own;
	m->op = (struct store_op){ .done = committed,
				   .kind = STORE_DELIVER,
				   .spool = &m->spool };
	dot_decode_init(&m->dot);
	rfc5322_scan_init(&m->scan, &(struct rfc5322_limits){
					    .header_len = d->conf.limits.header_max,
					    .line_len = d->conf.limits.header_line_max,
					    .n_fields = d->conf.limits.header_fields_max,
					    .n_received = d->conf.limits.hops_max,
				    });
	d->stats.messages_open++;
	return m;
}

static void release(struct smtpd_message *m, void *p, size_t len)
{
	give_back(m, len);
	free(p);
}

static void drop_text(struct smtpd_message *m)
{
	while (m->first) {
		struct smtpd_chunk *next = m->first->next;

		release(m, m->first, sizeof(*m->first) + m->first->cap);
		m->first = next;
	}
	m->last = NULL;
}

static void drop_rcpts(struct smtpd_rcpt *rcpts)
{
	while (rcpts) {
		struct smtpd_rcpt *next = rcpts->next;

		free(rcpts);
		rcpts = next;
	}
}

void smtpd_message_free(struct smtpd_message *m)
{
	struct smtpd *d;

	if (!m)
		return;
	d = m->smtpd;
	drop_text(m);
	drop_rcpts(m->rcpts);
	drop_rcpts(m->remotes);
	free(m->items);
	free(m->lists);
	give_back(m, m->charged);
	d->stats.messages_open--;
	free(m);
}

static const struct smtpd_rcpt *find_rcpt(const struct smtpd_message *m, struct str user)
{
	const struct smtpd_rcpt *r = m->rcpts;

	while (r && !str_eq(r->user, user))
		r = r->next;
	return r;
}

/*
 * RFC 5321 4.4: at its final delivery a message gets the sender of its envelope in front.
 * Delivered-To says by which address it came, and lets a loop be seen.
 */
static struct smtpd_rcpt *new_rcpt(struct smtpd_message *m, struct str user,
				   struct str addr)
{
	static const char format[] = "Return-Path: <%s>\r\nDelivered-To: %.*s\r\n";
	int head_len = snprintf(NULL, 0, format, m->from, (int)addr.len, addr.p);
	size_t room = user.len + addr.len + (size_t)head_len + 1;
	struct smtpd_rcpt *r = charged(m, sizeof(*r) + room);

	if (!r)
		return NULL;
	r->next = NULL;
	r->user = (struct str){ r->bytes, user.len };
	r->addr = (struct str){ r->bytes + user.len, addr.len };
	r->head = (struct str){ r->addr.p + addr.len, (size_t)head_len };
	memcpy(r->bytes, user.p, user.len);
	memcpy(r->bytes + user.len, addr.p, addr.len);
	snprintf(r->bytes + user.len + addr.len, (size_t)head_len + 1, format, m->from,
		 (int)addr.len, addr.p);
	return r;
}

int smtpd_message_rcpt(struct smtpd_message *m, struct str user, struct str addr)
{
	struct smtpd_rcpt *r;

	if (!find_rcpt(m, user)) {
		r = new_rcpt(m, user, addr);
		if (!r)
			return -ENOMEM;
		if (m->rcpts)
			m->last_rcpt->next = r;
		else
			m->rcpts = r;
		m->last_rcpt = r;
		m->n_users++;
	}
	m->n_addrs++;
	return 0;
}

static bool has_remote(const struct smtpd_message *m, struct str addr)
{
	const struct smtpd_rcpt *r = m->remotes;

	while (r && !str_eq(r->addr, addr))
		r = r->next;
	return r;
}

int smtpd_message_remote(struct smtpd_message *m, struct str addr)
{
	struct smtpd_rcpt *r;

	if (!has_remote(m, addr)) {
		r = charged(m, sizeof(*r) + addr.len);
		if (!r)
			return -ENOMEM;
		memcpy(r->bytes, addr.p, addr.len);
		*r = (struct smtpd_rcpt){ .addr = { r->bytes, addr.len } };
		if (m->remotes)
			m->last_remote->next = r;
		else
			m->remotes = r;
		m->last_remote = r;
		m->n_remotes++;
	}
	m->n_addrs++;
	return 0;
}

static struct smtpd_chunk *new_chunk(struct smtpd_message *m, size_t cap)
{
	struct smtpd_chunk *c = charged(m, sizeof(*c) + cap);

	if (!c)
		return NULL;
	c->next = NULL;
	c->len = 0;
	c->cap = cap;
	return c;
}

/* The piece in which the next octet goes. */
static struct smtpd_chunk *chunk_with_room(struct smtpd_message *m)
{
	struct smtpd_chunk *c;
	size_t cap = CHUNK_LEAST;

	if (m->last && m->last->len < m->last->cap)
		return m->last;
	if (m->last)
		cap = m->last->cap < CHUNK_MOST ? m->last->cap * 2 : CHUNK_MOST;
	c = new_chunk(m, cap);
	if (!c)
		return NULL;
	if (m->last)
		m->last->next = c;
	else
		m->first = c;
	m->last = c;
	return c;
}

static bool is_kept(const struct smtpd_message *m)
{
	return m->verdict == SMTPD_FINE && m->dot.fault == DOT_FINE &&
	       m->scan.fault == RFC5322_FINE;
}

/*
 * Keeps what fits the present piece, but not more than one octet too much: so what is
 * wrong first with a message does not depend on how it was cut.  Returns how much was
 * read.
 */
static size_t keep(struct smtpd_message *m, struct str in)
{
	uint64_t most = m->smtpd->conf.limits.message_max;
	struct smtpd_chunk *c = chunk_with_room(m);
	struct str text;
	size_t used;

	if (!c) {
		m->verdict = SMTPD_NO_MEMORY;
		return 0;
	}
	if (in.len > c->cap - c->len)
		in.len = c->cap - c->len;
	if (in.len > most + 1 - m->len)
		in.len = most + 1 - m->len;
	text.p = c->bytes + c->len;
	used = dot_decode(&m->dot, in, c->bytes + c->len, &text.len);
	c->len += text.len;
	m->len += text.len;
	rfc5322_scan_feed(&m->scan, text);
	if (m->len > most)
		m->verdict = SMTPD_TOO_BIG;
	return used;
}

size_t smtpd_message_read(struct smtpd_message *m, struct str in)
{
	size_t all = in.len;

	while (in.len > 0 && m->dot.state != DOT_END) {
		size_t used, unused;

		if (is_kept(m))
			used = keep(m, in);
		else
			used = dot_decode(&m->dot, in, NULL, &unused);
		in.p += used;
		in.len -= used;
	}
	if (!is_kept(m))
		drop_text(m);
	m->n_raw += all - in.len;
	return all - in.len;
}

/* Fields of ours are one more piece, in front. */
static int put_in_front(struct smtpd_message *m, struct str fields)
{
	struct smtpd_chunk *c = new_chunk(m, fields.len);

	if (!c)
		return -ENOMEM;
	memcpy(c->bytes, fields.p, fields.len);
	c->len = fields.len;
	c->next = m->first;
	m->first = c;
	return 0;
}

/* The spool gets an item for each of their hosts. */
static int pack_remotes(struct smtpd_message *m)
{
	struct smtpd *d = m->smtpd;
	struct pack pack = {
		.from = str_of(m->from),
		.id = str_of(m->id),
		.n_rcpts = m->n_remotes,
		.now_ms = d->ops.wall_s(d->ops_arg) * 1000,
	};
	struct str *rcpts;
	size_t len, i = 0;
	int r;

	if (m->n_remotes == 0)
		return 0;
	pack.rcpts = rcpts = calloc(m->n_remotes, sizeof(*rcpts));
	if (!rcpts)
		return -ENOMEM;
	for (const struct smtpd_rcpt *at = m->remotes; at; at = at->next)
		rcpts[i++] = at->addr;
	r = pack_items(&pack, &m->items, &len);
	free(rcpts);
	if (r < 0)
		return r;
	if (!charge(m, len)) {
		free(m->items);
		m->items = NULL;
		return -ENOMEM;
	}
	m->spool.add = m->items->add;
	m->spool.n_add = m->items->n_add;
	return 0;
}

static void mark_bytes(uint8_t mark[static SPOOL_MARK_LEN], const void *bytes, size_t len)
{
	struct hash_key key;
	uint64_t half[2];

	/* Each piece is hashed with what was before it as the key, by two ways. */
	memcpy(&key, mark, sizeof(key));
	half[0] = hash_siphash24(&key, bytes, len);
	key.k[0] = ~key.k[0];
	half[1] = hash_siphash24(&key, bytes, len);
	memcpy(mark, half, SPOOL_MARK_LEN);
}

static void mark_rcpts(struct smtpd_message *m, const struct smtpd_rcpt *r)
{
	for (; r; r = r->next)
		mark_bytes(m->mark, r->addr.p, r->addr.len);
}

/*
 * What another host sends on has a trace field with an id of its own: the same octets
 * for the same recipients are the same message, sent again by one that did not hear our answer
 * (RFC 5321 4.5.4.1).  Who writes a message has no such field, and may send it twice.
 *
 * Nobody can make us drop a message by a mark that is like its own who does not know
 * its every octet beforehand: so no secret is needed.
 */
static void set_mark(struct smtpd_message *m)
{
	if (m->scan.n_received == 0)
		return;
	mark_bytes(m->mark, m->from, strlen(m->from));
	mark_rcpts(m, m->rcpts);
	mark_rcpts(m, m->remotes);
	for (const struct smtpd_chunk *c = m->first; c; c = c->next)
		mark_bytes(m->mark, c->bytes, c->len);
	m->spool.mark = m->mark;
}

/* users, heads, parts: one behind the other in @lists. */
int smtpd_message_finish(struct smtpd_message *m, struct str fields)
{
	size_t n_parts = 0, i = 0;
	struct str *at;

	set_mark(m);
	if (put_in_front(m, fields) < 0 || pack_remotes(m) < 0)
		return -ENOMEM;
	for (const struct smtpd_chunk *c = m->first; c; c = c->next)
		n_parts++;
	m->lists = at = charged(m, (2 * m->n_users + n_parts) * sizeof(*m->lists));
	if (!m->lists)
		return -ENOMEM;
	for (const struct smtpd_rcpt *r = m->rcpts; r; r = r->next, i++) {
		at[i] = r->user;
		at[m->n_users + i] = r->head;
	}
	m->op.deliver.users = at;
	m->op.deliver.n_users = m->n_users;
	m->op.deliver.head = at + m->n_users;
	m->op.deliver.parts = at += 2 * m->n_users;
	m->op.deliver.n_parts = n_parts;
	for (const struct smtpd_chunk *c = m->first; c; c = c->next)
		*at++ = (struct str){ c->bytes, c->len };
	return 0;
}
