#include "tcp/sent.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"

enum {
	ROOM_FIRST = 32,
	HOLE_ENOUGH = 65535, /* no packet carries more */
};

void sent_init(struct sent_log *l, struct seq una)
{
	memset(l, 0, offsetof(struct sent_log, few));
	l->room = SENT_FEW;
	l->una = l->lost_from = una;
}

void sent_fini(struct sent_log *l)
{
	free(l->ring);
	l->ring = NULL;
}

void sent_rest(struct sent_log *l)
{
	if (l->n || !l->ring)
		return;
	sent_fini(l);
	l->head = 0;
	l->room = SENT_FEW;
}

void sent_forget(struct sent_log *l, struct seq una)
{
	sent_fini(l);
	sent_init(l, una);
}

/* ---- the ring ---- */

struct sent *sent_at(const struct sent_log *l, uint32_t i)
{
	const struct sent *ring = l->ring ? l->ring : l->few;

	return (struct sent *)&ring[(l->head + i) & (l->room - 1)];
}

struct seq sent_start(const struct sent_log *l, uint32_t i)
{
	return i ? sent_at(l, i - 1)->end : l->una;
}

static uint32_t len_of(const struct sent_log *l, uint32_t i)
{
	return seq_dist(sent_start(l, i), sent_at(l, i)->end);
}

static bool make_room(struct sent_log *l)
{
	uint32_t room = l->room < ROOM_FIRST ? ROOM_FIRST : l->room * 2;
	struct sent *ring;

	if (l->n < l->room)
		return true;
	if (room > SENT_ENTRIES_MAX)
		return false;
	ring = reallocarray(NULL, room, sizeof(*ring));
	if (!ring)
		return false;
	for (uint32_t i = 0; i < l->n; i++)
		ring[i] = *sent_at(l, i);
	free(l->ring);
	l->ring = ring;
	l->head = 0;
	l->room = room;
	return true;
}

/* Opens a place before entry @i, moving the fewer of the others. */
static void open_at(struct sent_log *l, uint32_t i)
{
	if (i < l->n / 2) {
		l->head = (l->head - 1) & (l->room - 1);
		l->n++;
		for (uint32_t k = 0; k < i; k++)
			*sent_at(l, k) = *sent_at(l, k + 1);
	} else {
		l->n++;
		for (uint32_t k = l->n - 1; k > i; k--)
			*sent_at(l, k) = *sent_at(l, k - 1);
	}
}

/* Takes @n entries out, from @i on. */
static void close_at(struct sent_log *l, uint32_t i, uint32_t n)
{
	if (i < l->n - i - n) {
		for (uint32_t k = i; k > 0; k--)
			*sent_at(l, k - 1 + n) = *sent_at(l, k - 1);
		l->head = (l->head + n) & (l->room - 1);
	} else {
		for (uint32_t k = i + n; k < l->n; k++)
			*sent_at(l, k - n) = *sent_at(l, k);
	}
	l->n -= n;
}

/* The entry that holds the byte @s; l->n: none does. */
static uint32_t find(const struct sent_log *l, struct seq s)
{
	uint32_t low = 0, high = l->n;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (seq_after(sent_at(l, mid)->end, s))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Makes @s, inside entry @i, the end of it and the start of another.  False: no memory. */
static bool split(struct sent_log *l, uint32_t i, struct seq s)
{
	if (!make_room(l))
		return false;
	open_at(l, i + 1);
	*sent_at(l, i + 1) = *sent_at(l, i);
	sent_at(l, i)->end = s;
	return true;
}

/* ---- flags ---- */

/* Counts the @len bytes of an entry of that kind in, or out. */
static void count(struct sent_log *l, uint8_t flags, uint32_t len)
{
	if (flags & SENT_SACKED) {
		l->n_sacked += len;
	} else if (flags & SENT_LOST) {
		l->n_lost += len;
		if (!(flags & SENT_AGAIN))
			l->n_wait += len;
	}
	if (flags & SENT_AGAIN)
		l->n_again += len;
}

static void set(struct sent_log *l, uint32_t i, uint8_t flags)
{
	struct sent *e = sent_at(l, i);

	count(l, e->flags, -len_of(l, i));
	l->n_ranges -= !!(e->flags & SENT_SACKED);
	e->flags = flags;
	count(l, e->flags, len_of(l, i));
	l->n_ranges += !!(e->flags & SENT_SACKED);
}

/* Joins entry @i + 1 to @i when both are SACKED, or were sent at once and alike. */
static bool join(struct sent_log *l, uint32_t i)
{
	struct sent *e = sent_at(l, i), *next = sent_at(l, i + 1);

	if (!(e->flags & next->flags & SENT_SACKED) &&
	    (e->flags != next->flags || e->at_us != next->at_us))
		return false;
	if (e->flags & SENT_SACKED)
		l->n_ranges--;
	e->end = next->end;
	e->flags |= next->flags;
	close_at(l, i + 1, 1);
	return true;
}

/* ---- sending ---- */

static void stamp(const struct sent_log *l, struct sent *e, uint32_t flight,
		  uint32_t now_us)
{
	e->at_us = now_us;
	e->delivered = l->delivered;
	e->delivered_us = l->delivered_us;
	e->first_us = l->first_us;
	e->lost = l->lost;
	e->in_flight = flight;
}

void sent_add(struct sent_log *l, struct seq end, uint32_t now_us)
{
	struct seq start = sent_start(l, l->n);
	uint32_t pipe = sent_pipe(l, seq_dist(l->una, start));
	uint8_t flags = l->app_limited ? SENT_APP_LIMITED : 0;
	struct sent *last = l->n ? sent_at(l, l->n - 1) : NULL;

	/* Nothing was in the network: a new burst of deliveries begins. */
	if (!pipe)
		l->first_us = l->delivered_us = now_us;
	pipe += seq_dist(start, end);
	if (last && last->at_us == now_us && last->flags == flags) {
		last->end = end;
		last->in_flight = pipe;
		return;
	}
	if (l->n >= SENT_ENTRIES_MAX - 2 * SENT_RANGES_MAX || !make_room(l)) {
		/* Then it has the fate of what went before. */
		set(l, l->n - 1, 0);
		last->end = end;
		stamp(l, last, pipe, now_us);
		return;
	}
	l->n++;
	*sent_at(l, l->n - 1) = (struct sent){ .end = end, .flags = flags };
	stamp(l, sent_at(l, l->n - 1), pipe, now_us);
}

/* Entry @i is sent again. */
static void repeat(struct sent_log *l, uint32_t i, uint32_t now_us)
{
	struct sent *e = sent_at(l, i);

	set(l, i, (e->flags & SENT_LOST) | SENT_AGAIN | SENT_TWICE);
	stamp(l, e, sent_pipe(l, seq_dist(l->una, sent_start(l, l->n))), now_us);
	if (seq_before_eq(sent_start(l, i), l->lost_from))
		l->lost_from = e->end;
}

void sent_again(struct sent_log *l, struct tcp_block b, uint32_t now_us)
{
	uint32_t i = find(l, b.start);

	if (!sent_pipe(l, seq_dist(l->una, sent_start(l, l->n))))
		l->first_us = l->delivered_us = now_us;
	/* Without memory for another entry the whole of it seems to be on its way. */
	if (!seq_eq(sent_start(l, i), b.start) && split(l, i, b.start))
		i++;
	for (; i < l->n && seq_before(sent_start(l, i), b.end); i++) {
		if (seq_before(b.end, sent_at(l, i)->end))
			split(l, i, b.end);
		repeat(l, i, now_us);
		if (i && join(l, i - 1))
			i--;
	}
}

/* ---- what ACKs say ---- */

/* @n bytes of entry @e, not reported before, arrived; the first of them is @start. */
static void deliver(struct sent_log *l, const struct sent *e, struct seq start,
		    struct seq end, struct sent_news *news)
{
	bool twice = e->flags & SENT_TWICE;
	uint32_t n = seq_dist(start, end);

	l->delivered += n;
	l->delivered_us = news->now_us;
	news->n_delivered += n;
	if (!twice && (!news->has_once || seq_before(start, news->once))) {
		news->has_once = true;
		news->once = start;
	}
	/* RFC 8985 6.2 step 3 */
	if (!twice && seq_before(end, news->high))
		news->reordered = true;
	if (!news->has_last ||
	    sent_after(e->at_us, end, news->last.at_us, news->last.end)) {
		news->has_last = true;
		news->last = *e;
		news->last.end = end;
	}
	/* RFC 8985 6.2 step 2: an ACK of the first transmission is no sign of the second */
	if (twice && (int32_t)(e->at_us - news->sure_us) > 0)
		return;
	if (!news->has_rack ||
	    sent_after(e->at_us, end, news->rack.at_us, news->rack.end)) {
		news->has_rack = true;
		news->rack.at_us = e->at_us;
		news->rack.end = end;
	}
}

/* Bytes [una, end) of the first entry are acknowledged. */
static void ack_first(struct sent_log *l, struct seq end, struct sent_news *news)
{
	struct sent *e = sent_at(l, 0);
	uint32_t n = seq_dist(l->una, end);

	news->is_again |= !!(e->flags & SENT_TWICE);
	if (!(e->flags & SENT_SACKED)) {
		if (!news->has_first) {
			news->has_first = true;
			news->first_us = e->at_us;
		}
		deliver(l, e, l->una, end, news);
	}
	count(l, e->flags, -n);
	l->una = end;
	if (!seq_eq(e->end, end))
		return;
	l->n_ranges -= !!(e->flags & SENT_SACKED);
	l->head = (l->head + 1) & (l->room - 1);
	l->n--;
}

void sent_ack(struct sent_log *l, struct seq una, struct sent_news *news)
{
	while (l->n && seq_after(una, l->una))
		ack_first(l, seq_min(una, sent_at(l, 0)->end), news);
	l->lost_from = seq_max(l->lost_from, l->una);
}

/* Entry @i, of which nothing was reported, is. */
static void report(struct sent_log *l, uint32_t i, struct sent_news *news)
{
	struct sent *e = sent_at(l, i);

	news->n_sacked += len_of(l, i);
	deliver(l, e, sent_start(l, i), e->end, news);
	set(l, i, SENT_SACKED | (e->flags & SENT_TWICE));
}

/* @b, whose first byte entry @i holds, makes a range longer, and so no other one. */
static bool grows_range(const struct sent_log *l, uint32_t i, struct tcp_block b)
{
	if (i && seq_eq(sent_start(l, i), b.start) &&
	    (sent_at(l, i - 1)->flags & SENT_SACKED))
		return true;
	for (; i < l->n && seq_before_eq(sent_start(l, i), b.end); i++)
		if (sent_at(l, i)->flags & SENT_SACKED)
			return true;
	return false;
}

void sent_sack(struct sent_log *l, struct tcp_block b, struct sent_news *news)
{
	struct seq nxt = sent_start(l, l->n);
	uint32_t i;

	if (!seq_before(b.start, b.end) || !seq_after(b.start, l->una) ||
	    seq_after(b.end, nxt))
		return;
	i = find(l, b.start);
	if ((sent_at(l, i)->flags & SENT_SACKED) &&
	    seq_before_eq(b.end, sent_at(l, i)->end))
		return;
	if (l->n_ranges >= SENT_RANGES_MAX && !grows_range(l, i, b))
		return;
	if (!(sent_at(l, i)->flags & SENT_SACKED) && !seq_eq(sent_start(l, i), b.start)) {
		if (!split(l, i, b.start))
			return;
		i++;
	}
	for (; i < l->n && seq_before(sent_start(l, i), b.end); i++) {
		if (!(sent_at(l, i)->flags & SENT_SACKED)) {
			if (seq_before(b.end, sent_at(l, i)->end) && !split(l, i, b.end))
				break;
			report(l, i, news);
		}
		if (i && join(l, i - 1))
			i--;
	}
	if (i && i < l->n)
		join(l, i - 1);
}

void sent_forget_sacks(struct sent_log *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (sent_at(l, i)->flags & SENT_SACKED)
			set(l, i, SENT_TWICE);
}

bool sent_reneged(const struct sent_log *l)
{
	return l->n && (sent_at(l, 0)->flags & SENT_SACKED);
}

struct seq sent_high(const struct sent_log *l)
{
	if (l->n_ranges)
		for (uint32_t i = l->n; i-- > 0;)
			if (sent_at(l, i)->flags & SENT_SACKED)
				return sent_at(l, i)->end;
	return l->una;
}

/* ---- what is lost ---- */

void sent_lose(struct sent_log *l, uint32_t i)
{
	struct sent *e = sent_at(l, i);

	if ((e->flags & SENT_SACKED) ||
	    ((e->flags & SENT_LOST) && !(e->flags & SENT_AGAIN)))
		return;
	l->lost += len_of(l, i);
	set(l, i, (uint8_t)((e->flags | SENT_LOST) & ~SENT_AGAIN));
	l->lost_from = seq_min(l->lost_from, sent_start(l, i));
}

void sent_lose_first(struct sent_log *l, uint32_t len)
{
	if (!l->n || (sent_at(l, 0)->flags & SENT_SACKED))
		return;
	if (len_of(l, 0) > len && !(sent_at(l, 0)->flags & SENT_LOST))
		split(l, 0, seq_add(l->una, len));
	sent_lose(l, 0);
}

void sent_find_all(struct sent_log *l)
{
	for (uint32_t i = 0; l->n_lost && i < l->n; i++)
		set(l, i, sent_at(l, i)->flags & ~SENT_LOST);
	l->lost_from = sent_start(l, l->n);
}

static bool waits(const struct sent_log *l, uint32_t i)
{
	uint8_t flags = sent_at(l, i)->flags;

	return (flags & SENT_LOST) && !(flags & SENT_AGAIN);
}

bool sent_next_lost(struct sent_log *l, struct tcp_block *hole)
{
	uint32_t i, end;

	if (!l->n_wait)
		return false;
	for (i = find(l, l->lost_from); i < l->n && !waits(l, i); i++)
		;
	ASSERT(i < l->n);
	hole->start = sent_start(l, i);
	for (end = i + 1; end < l->n && waits(l, end); end++)
		if (seq_dist(hole->start, sent_at(l, end - 1)->end) >= HOLE_ENOUGH)
			break;
	hole->end = sent_at(l, end - 1)->end;
	l->lost_from = hole->start;
	return true;
}

void sent_check(const struct sent_log *l, struct seq una, struct seq nxt)
{
	uint32_t n_ranges = 0;
	struct sent_log sum = { 0 };

	ASSERT(l->n <= l->room && seq_eq(l->una, una));
	ASSERT(seq_eq(sent_start(l, l->n), nxt));
	for (uint32_t i = 0; i < l->n; i++) {
		uint8_t flags = sent_at(l, i)->flags;
		uint32_t len = len_of(l, i);

		ASSERT(seq_before(sent_start(l, i), sent_at(l, i)->end));
		ASSERT(!(flags & SENT_SACKED) || !(flags & (SENT_LOST | SENT_AGAIN)));
		if ((flags & SENT_LOST) && !(flags & SENT_AGAIN))
			ASSERT(seq_before_eq(l->lost_from, sent_start(l, i)));
		count(&sum, flags, len);
		n_ranges += !!(flags & SENT_SACKED);
	}
	ASSERT(sum.n_sacked == l->n_sacked && sum.n_lost == l->n_lost);
	ASSERT(sum.n_again == l->n_again && sum.n_wait == l->n_wait);
	ASSERT(n_ranges == l->n_ranges && n_ranges <= SENT_RANGES_MAX + 1);
}
