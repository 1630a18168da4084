#include "tcp/sndq.h"

#include "stack/base/pkt.h"

void sndq_init(struct sndq *q)
{
	*q = (struct sndq){ 0 };
}

void sndq_fini(struct sndq *q)
{
	pkt_free_list(q->first);
	sndq_init(q);
}

static void push(struct sndq *q, struct pkt *p)
{
	q->n_bufs += p->buf != NULL;
	if (q->last)
		q->last->link = p;
	else
		q->first = p;
	q->last = p;
}

/* Room behind the last byte for @len more; NULL: no memory. */
static struct pkt *grow(struct sndq *q, struct pkt_pool *pool, size_t len)
{
	struct pkt *p;

	/* A short reply lies in the descriptor and pins no buffer until its ACK. */
	if (!q->first && len <= PKT_HEAD_LEN) {
		p = pkt_new(pool, PKT_DATA);
		if (p)
			p->data = p->head;
	} else {
		p = pkt_new_buf(pool, PKT_DATA, 0);
	}
	if (p)
		push(q, p);
	return p;
}

/* Bytes that may be put behind the last one there is. */
static uint32_t room_behind(const struct sndq *q)
{
	return q->last && !(q->last->flags & PKT_RECORD) ? pkt_room(q->last) : 0;
}

/*
 * Segments that a driver still reads may share the last buffer.  They are the bytes
 * before its end; writing behind the end disturbs nobody.
 */
size_t sndq_write(struct sndq *q, struct pkt_pool *pool, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t left = len;

	while (left) {
		uint32_t room = room_behind(q);
		uint32_t n = left < room ? (uint32_t)left : room;

		if (!room) {
			if (!grow(q, pool, left))
				break;
			continue;
		}
		pkt_append(q->last, from, n);
		from += n;
		left -= n;
	}
	q->len += (uint32_t)(len - left);
	return len - left;
}

/* True when the bytes of @p are behind the last now, in memory that is there. */
static bool was_copied(struct sndq *q, const struct pkt *p)
{
	if (!p->len)
		return true;
	if (p->len > PKT_BUF_LEN / 2)
		return false;
	if (!q->first && p->len <= PKT_HEAD_LEN)
		grow(q, p->pool, p->len);
	return room_behind(q) >= p->len && pkt_append(q->last, p->data, p->len);
}

void sndq_add(struct sndq *q, struct pkt *p)
{
	ASSERT(p->buf && !p->next);
	q->len += p->len;
	if (was_copied(q, p))
		pkt_free(p);
	else
		push(q, p);
}

void sndq_end_record(struct sndq *q)
{
	ASSERT(q->last);
	q->n_records += !(q->last->flags & PKT_RECORD);
	q->last->flags |= PKT_RECORD;
}

/* The packet of a mark may go when its first byte does. */
static void mark_ack(struct sndq_mark *m, uint32_t len)
{
	if (m->at < len)
		*m = (struct sndq_mark){ 0 };
	else
		m->at -= len;
}

void sndq_ack(struct sndq *q, uint32_t len)
{
	ASSERT(len <= q->len);
	q->len -= len;
	mark_ack(&q->ahead, len);
	mark_ack(&q->behind, len);
	while (q->first && len >= q->first->len) {
		struct pkt *p = q->first;

		len -= p->len;
		q->n_bufs -= p->buf != NULL;
		q->n_records -= (p->flags & PKT_RECORD) != 0;
		q->first = p->link;
		pkt_free(p);
	}
	if (q->first)
		pkt_pull(q->first, len);
	else
		q->last = NULL;
}

/* The nearest known place at or before @offset. */
static struct sndq_mark nearest(const struct sndq *q, uint32_t offset)
{
	if (q->ahead.p && q->ahead.at <= offset)
		return q->ahead;
	if (q->behind.p && q->behind.at <= offset)
		return q->behind;
	return (struct sndq_mark){ .p = q->first };
}

uint32_t sndq_in_record(const struct sndq *q, uint32_t offset, uint32_t len)
{
	struct sndq_mark m = nearest(q, offset);

	if (!q->n_records)
		return len;
	for (; m.p && m.at < offset + len; m.p = m.p->link) {
		m.at += m.p->len;
		if (m.at > offset && (m.p->flags & PKT_RECORD))
			return m.at - offset < len ? m.at - offset : len;
	}
	return len;
}

struct pkt *sndq_gather(struct sndq *q, uint32_t offset, uint32_t len)
{
	struct sndq_mark m = nearest(q, offset);
	struct pkt *first = NULL, **end = &first;
	uint32_t left = len;

	ASSERT(len && offset <= q->len && len <= q->len - offset);
	for (;;) {
		uint32_t skip = offset - m.at, n;

		if (skip < m.p->len) {
			n = m.p->len - skip < left ? m.p->len - skip : left;
			*end = pkt_share(m.p, m.p->data + skip, n);
			if (!*end) {
				pkt_free(first);
				return NULL;
			}
			end = &(*end)->next;
			offset += n;
			left -= n;
			if (!left)
				break;
		}
		m.at += m.p->len;
		m.p = m.p->link;
	}
	if (m.at >= q->ahead.at)
		q->ahead = m;
	else
		q->behind = m;
	first->total_len = len;
	return first;
}

static void mark_check(const struct sndq *q, const struct sndq_mark *m)
{
	uint32_t at = 0;

	if (!m->p) {
		ASSERT(m->at == 0);
		return;
	}
	for (const struct pkt *p = q->first; p != m->p; p = p->link) {
		ASSERT(p);
		at += p->len;
	}
	ASSERT(m->at == at);
}

void sndq_check(const struct sndq *q)
{
	const struct pkt *last = NULL;
	uint32_t len = 0, n_bufs = 0, n_records = 0;

	for (const struct pkt *p = q->first; p; p = p->link) {
		ASSERT(!p->next && p->len && p->len == p->total_len);
		ASSERT(p->buf || p == q->first);
		len += p->len;
		n_bufs += p->buf != NULL;
		n_records += (p->flags & PKT_RECORD) != 0;
		last = p;
	}
	ASSERT(last == q->last && len == q->len && n_bufs == q->n_bufs);
	ASSERT(n_records == q->n_records);
	mark_check(q, &q->ahead);
	mark_check(q, &q->behind);
}
