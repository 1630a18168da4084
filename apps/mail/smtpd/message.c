/*
 * A message in memory: the text, behind its envelope (rcpts.c), in a chain of pieces,
 * each bigger than the one before, so that small messages cost little and big ones few
 * pieces.
 *
 * Text is checked while it is copied in.  From the first fault on nothing is kept any
 * more, and what was kept is dropped: a message that will be refused costs no memory.
 * What the store is given points into all this, which stays until the store is done.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"

enum {
	CHUNK_LEAST = 8 * 1024,	 /* of the first piece; each next is twice as big, */
	CHUNK_MOST = 256 * 1024, /* up to this */
};

bool smtpd_message_charge(struct smtpd_message *m, size_t len)
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

void *smtpd_message_alloc(struct smtpd_message *m, size_t len)
{
	void *p;

	if (!smtpd_message_charge(m, len))
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

	m = smtpd_message_alloc(&own, sizeof(*m));
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

void smtpd_message_release(struct smtpd_message *m, void *p, size_t len)
{
	give_back(m, len);
	free(p);
}

static void drop_text(struct smtpd_message *m)
{
	while (m->first) {
		struct smtpd_chunk *next = m->first->next;

		smtpd_message_release(m, m->first, sizeof(*m->first) + m->first->cap);
		m->first = next;
	}
	m->last = NULL;
}

void smtpd_message_free(struct smtpd_message *m)
{
	struct smtpd *d;

	if (!m)
		return;
	d = m->smtpd;
	drop_text(m);
	smtpd_rcpts_free(m);
	free(m->lists);
	give_back(m, m->charged);
	d->stats.messages_open--;
	free(m);
}

struct smtpd_chunk *smtpd_message_chunk(struct smtpd_message *m, size_t cap)
{
	struct smtpd_chunk *c = smtpd_message_alloc(m, sizeof(*c) + cap);

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
	c = smtpd_message_chunk(m, cap);
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

static void put_in_front(struct smtpd_message *m, struct smtpd_chunk *c)
{
	c->next = m->first;
	m->first = c;
}

/* Fields of ours are one more piece, in front; or two. */
static int put_fields(struct smtpd_message *m, struct str fields)
{
	struct smtpd_chunk *c;

	if (m->ways) {
		c = smtpd_rcpts_loops(m);
		if (!c)
			return -ENOMEM;
		put_in_front(m, c);
	}
	c = smtpd_message_chunk(m, fields.len);
	if (!c)
		return -ENOMEM;
	memcpy(c->bytes, fields.p, fields.len);
	c->len = fields.len;
	put_in_front(m, c);
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
	mark_rcpts(m, m->users.first);
	mark_rcpts(m, m->remotes.first);
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
	if (put_fields(m, fields) < 0 || smtpd_rcpts_pack(m) < 0)
		return -ENOMEM;
	for (const struct smtpd_chunk *c = m->first; c; c = c->next)
		n_parts++;
	m->lists = at =
		smtpd_message_alloc(m, (2 * m->users.n + n_parts) * sizeof(*m->lists));
	if (!m->lists)
		return -ENOMEM;
	for (const struct smtpd_rcpt *r = m->users.first; r; r = r->next, i++) {
		at[i] = r->user;
		at[m->users.n + i] = r->head;
	}
	m->op.deliver.users = at;
	m->op.deliver.n_users = m->users.n;
	m->op.deliver.head = at + m->users.n;
	m->op.deliver.parts = at += 2 * m->users.n;
	m->op.deliver.n_parts = n_parts;
	for (const struct smtpd_chunk *c = m->first; c; c = c->next)
		*at++ = (struct str){ c->bytes, c->len };
	return 0;
}
