/*
 * Theory of operation.
 *
 * Both kinds of runs, the bytes in order and each island, are lists of packets by
 * ->link.  The first packet of an island says in its cb where the island is and which
 * island follows.
 *
 *	q->first ----> packet -> packet -> packet <---- q->last
 *
 *	q->lowest ---> packet -> packet            [start, end), last, next
 *	                 next
 *	               packet                      [start, end), last, next
 *	                 next
 *	q->highest --> packet -> packet            [start, end), last, NULL
 *
 * A peer decides the sizes of segments and their order; memory must not follow from
 * that.  So a small payload, one that fills less than a quarter of its memory, is
 * copied to its neighbour where there is room; one that must stay gets a buffer of its
 * own and a place in it that leaves room for the next.  Then of two neighbours at most
 * one is small, and what is pinned is a few times what was sent, and a few buffers for
 * each island.  An island that begins with a few bytes needs none: they lie in the
 * descriptor.
 */
#include "tcp/rcvq.h"

#include <assert.h>

#include "stack/base/pkt.h"

/* In the cb of an island's first packet. */
struct island {
	struct pkt *last; /* of its packets */
	struct pkt *next; /* first packet of the next island */
	struct seq start, end;
	uint32_t pinned; /* bytes of memory that it holds */
};

/* What a payload pins at most when it is copied. */
enum { COPY_COST = sizeof(struct pkt) + PKT_BUF_LEN };

static_assert(sizeof(struct island) <= PKT_CB_LEN, "fits the owner's bytes");

static struct island *island(const struct pkt *first)
{
	return (struct island *)(uintptr_t)first->cb;
}

static uint32_t island_len(const struct island *is)
{
	return seq_dist(is->start, is->end);
}

/* The memory that a packet keeps from others. */
static uint32_t cost(const struct pkt *p)
{
	uint32_t sum = 0;

	for (; p; p = p->next)
		sum += (uint32_t)sizeof(*p) + (p->buf ? PKT_BUF_LEN : 0);
	return sum;
}

static bool is_small(const struct pkt *p)
{
	return p->total_len < cost(p) / 4;
}

/* True when @p is one descriptor whose memory nobody else refers to. */
static bool is_own(const struct pkt *p)
{
	return !p->next && (!p->buf || p->buf->refs == 1);
}

static uint8_t *memory_of(struct pkt *p)
{
	return p->buf ? pkt_buf_bytes(p) : p->head;
}

/* The small payload @p in a buffer of its own; unchanged when there is no memory. */
static struct pkt *make_own(struct pkt_pool *pool, struct pkt *p)
{
	struct pkt *copy = p->buf && is_own(p) ? NULL : pkt_copy(pool, PKT_DATA, p);

	if (!copy)
		return p;
	pkt_free(p);
	return copy;
}

/* Puts @p behind @last, the end of its run or NULL.  Returns the new end. */
static struct pkt *run_append(struct rcvq *q, struct pkt_pool *pool, struct pkt *last,
			      struct pkt *p)
{
	if (is_small(p)) {
		uint32_t n = p->total_len;

		if (last && is_own(last) && n <= pkt_room(last)) {
			pkt_read(p, 0, last->data + last->len, n);
			last->len += n;
			last->total_len += n;
			pkt_free(p);
			return last;
		}
		p = make_own(pool, p);
		if (p->buf && is_own(p) && pkt_room(p) < PKT_BUF_LEN / 2)
			p->data = memmove(pkt_buf_bytes(p), p->data, n);
	}
	p->link = NULL;
	if (last)
		last->link = p;
	q->pinned += cost(p);
	return p;
}

/* Begins a run with @p.  What fits a descriptor pins no buffer, if there is memory. */
static struct pkt *run_begin(struct rcvq *q, struct pkt_pool *pool, struct pkt *p)
{
	uint32_t n = p->total_len;
	struct pkt *copy;

	if (n > PKT_HEAD_LEN)
		return run_append(q, pool, NULL, p);
	copy = pkt_new(pool, PKT_DATA);
	if (copy) {
		copy->data = copy->head;
		copy->len = copy->total_len = pkt_read(p, 0, copy->data, n);
		pkt_free(p);
		p = copy;
	}
	p->link = NULL;
	q->pinned += cost(p);
	return p;
}

/* Puts @p in front of @first.  Returns the new beginning. */
static struct pkt *run_prepend(struct rcvq *q, struct pkt_pool *pool, struct pkt *first,
			       struct pkt *p)
{
	if (is_small(p)) {
		uint32_t n = p->total_len;

		if (is_own(first) && n <= (size_t)(first->data - memory_of(first))) {
			pkt_read(p, 0, pkt_push(first, n), n);
			pkt_free(p);
			return first;
		}
		p = make_own(pool, p);
		if (p->buf && is_own(p))
			p->data = memmove(p->data + pkt_room(p), p->data, n);
	}
	p->link = first;
	q->pinned += cost(p);
	return p;
}

/*
 * Puts the run from @first to @end behind @last.  Returns the new end.  Small packets
 * at the seam join the others; there are at most two.
 */
static struct pkt *run_join(struct rcvq *q, struct pkt_pool *pool, struct pkt *last,
			    struct pkt *first, struct pkt *end)
{
	while (first && is_small(first)) {
		struct pkt *link = first->link;

		q->pinned -= cost(first);
		last = run_append(q, pool, last, first);
		first = link;
	}
	if (!first)
		return last;
	if (last)
		last->link = first;
	return end;
}

/*
 * Shortens @p to its first @at bytes, at least one.  Returns the others; NULL when
 * there are none, or no memory for them: then they are lost, as a segment may be.
 */
static struct pkt *split(struct pkt *p, uint32_t at)
{
	uint32_t rest_len = p->total_len - at;
	struct pkt *d = p, *rest;

	if (!rest_len)
		return NULL;
	p->total_len = at;
	for (; at > d->len; d = d->next)
		at -= d->len;
	rest = d->next;
	d->next = NULL;
	if (at < d->len) {
		struct pkt *tail = pkt_share(d, d->data + at, d->len - at);

		d->len = at;
		if (!tail) {
			pkt_free(rest);
			return NULL;
		}
		tail->next = rest;
		rest = tail;
	}
	rest->total_len = rest_len;
	return rest;
}

/* @p without its first @n bytes; NULL, and freed, when none is left. */
static struct pkt *without(struct pkt *p, uint32_t n)
{
	if (p && p->total_len > n) {
		pkt_trim_front(p, n);
		return p;
	}
	pkt_free(p);
	return NULL;
}

void rcvq_init(struct rcvq *q)
{
	*q = (struct rcvq){ 0 };
}

void rcvq_fini(struct rcvq *q)
{
	rcvq_drop_early(q);
	pkt_free_list(q->first);
	rcvq_init(q);
}

static void add_in_order(struct rcvq *q, struct pkt_pool *pool, struct pkt *p)
{
	q->len += p->total_len;
	q->last = run_append(q, pool, q->last, p);
	if (!q->first)
		q->first = q->last;
}

/* The first island begins at RCV.NXT: it is one no longer.  Returns its end. */
static struct seq land(struct rcvq *q, struct pkt_pool *pool)
{
	struct pkt *first = q->lowest;
	struct island is = *island(first);

	q->len += island_len(&is);
	q->ooo_len -= island_len(&is);
	q->ooo_pinned -= is.pinned;
	q->n_islands--;
	q->lowest = is.next;
	if (!is.next)
		q->highest = NULL;
	q->last = run_join(q, pool, q->last, first, is.last);
	return is.end;
}

struct seq rcvq_add(struct rcvq *q, struct pkt_pool *pool, struct pkt *p, struct seq nxt)
{
	p = without(p, 0);
	/* Islands stand apart, so only @p can reach one. */
	while (p && q->lowest) {
		const struct island *is = island(q->lowest);
		uint32_t gap = seq_dist(nxt, is->start), len = island_len(is);
		struct pkt *rest;

		if (p->total_len < gap)
			break;
		rest = split(p, gap);
		add_in_order(q, pool, p);
		nxt = land(q, pool);
		p = without(rest, len);
	}
	if (p) {
		nxt = seq_add(nxt, p->total_len);
		add_in_order(q, pool, p);
	}
	return nxt;
}

/* The last island that begins at or before @seq; NULL: none. */
static struct pkt *island_before(const struct rcvq *q, struct seq seq)
{
	struct pkt *before = NULL;

	/* Nearly always: what follows a loss comes in order. */
	if (q->highest && seq_before_eq(island(q->highest)->start, seq))
		return q->highest;
	for (struct pkt *p = q->lowest; p; p = island(p)->next) {
		if (seq_after(island(p)->start, seq))
			break;
		before = p;
	}
	return before;
}

/* What pointed to @old, the island behind @prev, points to @new. */
static void relink(struct rcvq *q, struct pkt *prev, const struct pkt *old,
		   struct pkt *new)
{
	if (prev)
		island(prev)->next = new;
	else
		q->lowest = new;
	if (q->highest == old)
		q->highest = new;
}

/* @prev has grown up to @next. */
static void merge(struct rcvq *q, struct pkt_pool *pool, struct pkt *prev,
		  struct pkt *next)
{
	struct island *a = island(prev), b = *island(next);

	if (q->highest == next)
		q->highest = prev;
	a->last = run_join(q, pool, a->last, next, b.last);
	a->next = b.next;
	a->end = b.end;
	a->pinned += b.pinned;
	q->n_islands--;
}

/* All that the queue pins more than @before, the island @first does. */
static void charge(struct rcvq *q, struct pkt *first, uint32_t before)
{
	uint32_t n = q->pinned - before;

	island(first)->pinned += n;
	q->ooo_pinned += n;
}

/*
 * Puts @p, which fits between the islands @prev and @next, to them or between them.
 * Returns the island that it belongs to; NULL, and @p is as before, when that would
 * be one too many.
 */
static struct pkt *place(struct rcvq *q, struct pkt_pool *pool, struct pkt *prev,
			 struct pkt *p, struct seq seq)
{
	struct pkt *next = prev ? island(prev)->next : q->lowest, *first;
	struct seq end = seq_add(seq, p->total_len);
	struct island is = { .start = seq, .end = end, .next = next };
	bool to_next = next && seq_eq(end, island(next)->start);
	uint32_t before = q->pinned;

	if (prev && seq_eq(island(prev)->end, seq)) {
		island(prev)->last = run_append(q, pool, island(prev)->last, p);
		island(prev)->end = end;
		if (to_next)
			merge(q, pool, prev, next);
		charge(q, prev, before);
		return prev;
	}
	if (to_next) {
		is = *island(next);
		is.start = seq;
		first = run_prepend(q, pool, next, p);
		*island(first) = is;
		charge(q, first, before);
		relink(q, prev, next, first);
		return first;
	}
	if (q->n_islands == RCVQ_ISLANDS_MAX)
		return NULL;
	is.last = first = run_begin(q, pool, p);
	*island(first) = is;
	charge(q, first, before);
	relink(q, prev, prev, first);
	q->n_islands++;
	return first;
}

/* The island @first grew at @seq: no other number stands for it. */
static void remember(struct rcvq *q, const struct pkt *first, struct seq seq)
{
	const struct island *is = island(first);
	struct seq recent[TCP_SACK_MAX] = { seq };
	uint8_t n = 1;

	for (uint8_t i = 0; i < q->n_recent && n < TCP_SACK_MAX; i++)
		if (!seq_in(q->recent[i], is->start, island_len(is)))
			recent[n++] = q->recent[i];
	memcpy(q->recent, recent, sizeof(recent));
	q->n_recent = n;
}

/* May @p be kept?  It counts as what it pins, or as what its copy would. */
static bool is_affordable(const struct rcvq *q, const struct pkt *p, uint32_t limit)
{
	uint32_t n = cost(p);

	return q->ooo_pinned + (n > COPY_COST ? n : COPY_COST) <= limit;
}

uint32_t rcvq_add_early(struct rcvq *q, struct pkt_pool *pool, struct pkt *p,
			struct seq seq, uint32_t limit, bool *full)
{
	struct pkt *prev = island_before(q, seq), *next, *rest, *to;
	struct seq start = seq;
	uint32_t n_new = 0, n;

	*full = false;
	p = without(p, 0);
	if (!p)
		return 0;
	while (p) {
		if (prev && seq_before(seq, island(prev)->end)) {
			p = without(p, seq_dist(seq, island(prev)->end));
			seq = island(prev)->end;
			continue;
		}
		next = prev ? island(prev)->next : q->lowest;
		n = p->total_len;
		if (next && n > seq_dist(seq, island(next)->start))
			n = seq_dist(seq, island(next)->start);
		rest = split(p, n);
		to = is_affordable(q, p, limit) ? place(q, pool, prev, p, seq) : NULL;
		if (!to) {
			*full = true;
			pkt_free(p);
			pkt_free(rest);
			break;
		}
		q->ooo_len += n;
		n_new += n;
		seq = seq_add(seq, n);
		prev = to;
		p = rest;
	}
	/* RFC 2018 4: nor is it another island when all of it came twice */
	if (n_new || !*full)
		remember(q, prev, start);
	return n_new;
}

void rcvq_drop_early(struct rcvq *q)
{
	while (q->lowest) {
		struct pkt *first = q->lowest;

		q->lowest = island(first)->next;
		for (const struct pkt *p = first; p; p = p->link)
			q->pinned -= cost(p);
		pkt_free_list(first);
	}
	q->highest = NULL;
	q->ooo_len = q->ooo_pinned = 0;
	q->n_islands = 0;
	q->n_recent = 0;
}

struct pkt *rcvq_pop(struct rcvq *q)
{
	struct pkt *p = q->first;

	if (!p)
		return NULL;
	q->first = p->link;
	if (!q->first)
		q->last = NULL;
	p->link = NULL;
	q->len -= p->total_len;
	q->pinned -= cost(p);
	return p;
}

static size_t peek_at(const struct rcvq *q, uint8_t *to, size_t len)
{
	size_t done = 0;

	for (const struct pkt *p = q->first; p && done < len; p = p->link)
		done += pkt_read(p, 0, to + done, (uint32_t)(len - done));
	return done;
}

size_t rcvq_read(struct rcvq *q, void *to, size_t len, bool peek)
{
	uint8_t *at = to;
	size_t done = 0;

	if (len > q->len)
		len = q->len;
	if (peek)
		return to ? peek_at(q, at, len) : len;
	while (done < len) {
		struct pkt *p = q->first;
		uint32_t left = (uint32_t)(len - done);
		uint32_t n = to			 ? pkt_read(p, 0, at + done, left) :
			     p->total_len < left ? p->total_len :
						   left;

		if (n == p->total_len) {
			pkt_free(rcvq_pop(q));
		} else {
			q->pinned -= cost(p);
			pkt_trim_front(p, n);
			q->pinned += cost(p);
			q->len -= n;
		}
		done += n;
	}
	return done;
}

bool rcvq_overlap(const struct rcvq *q, struct tcp_block *b)
{
	const struct pkt *p = island_before(q, b->start);

	if (!p || seq_after_eq(b->start, island(p)->end))
		p = p ? island(p)->next : q->lowest;
	if (!p || seq_after_eq(island(p)->start, b->end))
		return false;
	b->start = seq_max(b->start, island(p)->start);
	b->end = seq_min(b->end, island(p)->end);
	return true;
}

/* Adds the block of an island unless it is there, from @first on.  How many there are. */
static unsigned add_block(struct tcp_block *blocks, unsigned first, unsigned n,
			  const struct island *is)
{
	for (unsigned i = first; i < n; i++)
		if (seq_eq(blocks[i].start, is->start))
			return n;
	blocks[n] = (struct tcp_block){ is->start, is->end };
	return n + 1;
}

unsigned rcvq_sack(struct rcvq *q, struct tcp_block *blocks, unsigned max)
{
	unsigned first = 0, n;

	/* RFC 2883 4: before all what came twice, then the island that holds it */
	if (q->has_twice && max)
		blocks[first++] = q->twice;
	n = first;
	/* RFC 2018 4: first the island of the latest segment, then those before it */
	for (unsigned i = 0; i < q->n_recent && n < max; i++) {
		const struct pkt *p = island_before(q, q->recent[i]);

		if (p && seq_before(q->recent[i], island(p)->end))
			n = add_block(blocks, first, n, island(p));
	}
	/* then as many others as there is room for */
	for (const struct pkt *p = q->lowest; p && n < max; p = island(p)->next)
		n = add_block(blocks, first, n, island(p));
	return n;
}

/* Adds the bytes of a run to *len; returns what it pins. */
static uint32_t run_check(const struct pkt *first, const struct pkt *last, uint32_t *len)
{
	const struct pkt *end = NULL;
	uint32_t pinned = 0;

	for (const struct pkt *p = first; p; p = p->link) {
		uint32_t n = 0;

		for (const struct pkt *d = p; d; d = d->next)
			n += d->len;
		ASSERT(n && n == p->total_len);
		*len += n;
		pinned += cost(p);
		end = p;
	}
	ASSERT(end == last);
	return pinned;
}

void rcvq_check(const struct rcvq *q, struct seq nxt)
{
	const struct pkt *highest = NULL;
	uint32_t len = 0, ooo_len = 0, ooo_pinned = 0, n = 0;
	uint32_t pinned = run_check(q->first, q->last, &len);

	for (const struct pkt *p = q->lowest; p; p = island(p)->next) {
		const struct island *is = island(p);
		uint32_t before = ooo_len;

		ASSERT(seq_after(is->start, nxt));
		ASSERT(run_check(p, is->last, &ooo_len) == is->pinned);
		ooo_pinned += is->pinned;
		ASSERT(ooo_len - before == island_len(is));
		nxt = is->end;
		highest = p;
		n++;
	}
	ASSERT(highest == q->highest && n == q->n_islands && n <= RCVQ_ISLANDS_MAX);
	ASSERT(len == q->len && ooo_len == q->ooo_len);
	ASSERT(ooo_pinned == q->ooo_pinned && pinned + ooo_pinned == q->pinned);
}
