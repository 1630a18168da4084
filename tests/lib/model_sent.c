#include "tests/lib/model_sent.h"

#include <string.h>

#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "tcp/sent.h"

enum { SPAN = 700 }; /* most bytes in flight: room for more ranges than there may be */

struct byte {
	uint32_t at_us;
	uint8_t flags;
};

struct model {
	struct sent_log log;
	uint32_t n, now_us; /* bytes in flight */
	struct byte b[SPAN];
};

static struct seq at(const struct model *m, uint32_t i)
{
	return seq_add(m->log.una, i);
}

static struct sent_news news_of(const struct model *m, uint32_t sure_us)
{
	return (struct sent_news){
		.now_us = m->now_us,
		.sure_us = m->now_us - sure_us,
		.high = at(m, m->n / 2),
	};
}

/* Byte @i is delivered: what the news should say of it. */
static void deliver(const struct model *m, uint32_t i, struct sent_news *want)
{
	const struct byte *b = &m->b[i];
	bool twice = b->flags & SENT_TWICE;

	want->n_delivered++;
	if (!twice && (!want->has_once || seq_before(at(m, i), want->once))) {
		want->has_once = true;
		want->once = at(m, i);
	}
	if (twice && (int32_t)(b->at_us - want->sure_us) > 0)
		return;
	if (!want->has_rack ||
	    sent_after(b->at_us, at(m, i + 1), want->rack.at_us, want->rack.end)) {
		want->has_rack = true;
		want->rack.at_us = b->at_us;
		want->rack.end = at(m, i + 1);
	}
}

static void agree(const struct sent_news *want, const struct sent_news *got)
{
	ASSERT(want->n_delivered == got->n_delivered && want->n_sacked == got->n_sacked);
	ASSERT(want->has_once == got->has_once && want->has_rack == got->has_rack);
	ASSERT(!want->has_once || seq_eq(want->once, got->once));
	ASSERT(!want->has_rack || (want->rack.at_us == got->rack.at_us &&
				   seq_eq(want->rack.end, got->rack.end)));
}

static void acknowledge(struct model *m, uint32_t n, uint32_t sure_us)
{
	struct sent_news want = news_of(m, sure_us), got = want;

	n = n < m->n ? n : m->n;
	for (uint32_t i = 0; i < n; i++)
		if (!(m->b[i].flags & SENT_SACKED))
			deliver(m, i, &want);
	sent_ack(&m->log, at(m, n), &got);
	agree(&want, &got);
	memmove(m->b, m->b + n, (m->n - n) * sizeof(m->b[0]));
	m->n -= n;
}

static uint32_t n_runs(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		n += (m->b[i].flags & SENT_SACKED) &&
		     (!i || !(m->b[i - 1].flags & SENT_SACKED));
	return n;
}

/* A byte of [from, to), or one beside it, is reported. */
static bool touches(const struct model *m, uint32_t from, uint32_t to)
{
	for (uint32_t i = from - 1; i <= to && i < m->n; i++)
		if (m->b[i].flags & SENT_SACKED)
			return true;
	return false;
}

static void report(struct model *m, int32_t from, int32_t to, uint32_t sure_us)
{
	struct tcp_block block = { at(m, (uint32_t)from), at(m, (uint32_t)to) };
	struct sent_news want = news_of(m, sure_us), got = want;

	if (from > 0 && from < to && to <= (int32_t)m->n &&
	    (n_runs(m) < SENT_RANGES_MAX || touches(m, (uint32_t)from, (uint32_t)to)))
		for (int32_t i = from; i < to; i++) {
			if (m->b[i].flags & SENT_SACKED)
				continue;
			want.n_sacked++;
			deliver(m, (uint32_t)i, &want);
			m->b[i].flags &= SENT_TWICE;
			m->b[i].flags |= SENT_SACKED;
		}
	sent_sack(&m->log, block, &got);
	agree(&want, &got);
}

static void add(struct model *m, uint32_t n)
{
	n = n < SPAN - m->n ? n : SPAN - m->n;
	if (!n)
		return;
	for (uint32_t i = 0; i < n; i++)
		m->b[m->n + i] = (struct byte){ .at_us = m->now_us };
	m->n += n;
	sent_add(&m->log, at(m, m->n), m->now_us);
}

static void lose(struct model *m, uint32_t i)
{
	uint32_t from, to;

	if (!m->log.n)
		return;
	i %= m->log.n;
	from = seq_dist(m->log.una, sent_start(&m->log, i));
	to = seq_dist(m->log.una, sent_at(&m->log, i)->end);
	for (; from < to; from++)
		if (!(m->b[from].flags & SENT_SACKED)) {
			m->b[from].flags &= ~SENT_AGAIN;
			m->b[from].flags |= SENT_LOST;
		}
	sent_lose(&m->log, i);
}

static bool waits(const struct byte *b)
{
	return (b->flags & SENT_LOST) && !(b->flags & SENT_AGAIN);
}

/* Part of the first bytes that wait, or of the last ones, as a probe does. */
static void send_again(struct model *m, uint32_t len, bool probe)
{
	struct tcp_block hole;
	uint32_t i = 0;

	for (i = 0; i < m->n && !waits(&m->b[i]); i++)
		;
	ASSERT(sent_next_lost(&m->log, &hole) == (i < m->n));
	if (i < m->n)
		ASSERT(seq_eq(hole.start, at(m, i)));
	if (probe && m->n && !(m->b[m->n - 1].flags & SENT_SACKED)) {
		hole.start = sent_start(&m->log, m->log.n - 1);
		hole.end = at(m, m->n);
	} else if (i == m->n) {
		return;
	}
	if (seq_dist(hole.start, hole.end) > len + 1)
		hole.end = seq_add(hole.start, len + 1);
	for (i = seq_dist(m->log.una, hole.start); seq_before(at(m, i), hole.end); i++) {
		m->b[i].at_us = m->now_us;
		m->b[i].flags |= SENT_AGAIN | SENT_TWICE;
	}
	sent_again(&m->log, hole, m->now_us);
}

static void forget(struct model *m)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < m->log.n; k++) {
		const struct sent *e = sent_at(&m->log, k);

		/* What melted together has one time from now on. */
		for (; seq_before(at(m, i), e->end); i++)
			if (m->b[i].flags & SENT_SACKED)
				m->b[i] = (struct byte){ e->at_us, SENT_TWICE };
	}
	sent_forget_sacks(&m->log);
}

static void find_all(struct model *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		m->b[i].flags &= ~SENT_LOST;
	sent_find_all(&m->log);
}

static void compare(const struct model *m)
{
	uint32_t pipe = 0, i = 0, high = 0;

	sent_check(&m->log, m->log.una, at(m, m->n));
	for (uint32_t k = 0; k < m->log.n; k++) {
		const struct sent *e = sent_at(&m->log, k);

		for (; seq_before(at(m, i), e->end); i++) {
			const struct byte *b = &m->b[i];

			ASSERT(e->flags == b->flags ||
			       ((e->flags & b->flags) & SENT_SACKED));
			ASSERT(e->at_us == b->at_us || (b->flags & SENT_SACKED));
			if (b->flags & SENT_SACKED)
				high = i + 1;
			else
				pipe += !(b->flags & SENT_LOST) +
					!!(b->flags & SENT_AGAIN);
		}
	}
	ASSERT(i == m->n && pipe == sent_pipe(&m->log, m->n));
	ASSERT(m->log.n_ranges == n_runs(m));
	ASSERT(seq_eq(sent_high(&m->log), at(m, high)));
	ASSERT(sent_reneged(&m->log) == (m->n && (m->b[0].flags & SENT_SACKED)));
}

static void step(struct model *m, struct rd *r)
{
	int32_t from, to;

	m->now_us += rd8(r) % 4;
	switch (rd8(r) % 12) {
	case 0: acknowledge(m, rd16(r) % 300, rd8(r) % 8); break;
	case 1:
	case 2: add(m, rd16(r) % 200); break;
	case 3:
	case 4: lose(m, rd8(r)); break;
	case 5:
	case 6: send_again(m, rd8(r), false); break;
	case 7: send_again(m, rd8(r) % 16, true); break;
	case 8:
		if (rd8(r) % 16 == 0)
			forget(m);
		else if (rd8(r) % 16 == 0)
			find_all(m);
		break;
	default:
		from = (int32_t)(rd16(r) % (SPAN + 64)) - 32;
		to = from + (int16_t)(rd16(r) % (rd8(r) & 1 ? 6 : 300)) - 2;
		report(m, from, to, rd8(r) % 8);
	}
}

void model_sent(const uint8_t *input, size_t len)
{
	struct rd r = rd_of(input, len);
	struct model m = { .now_us = UINT32_MAX - 50 };

	sent_init(&m.log, (struct seq){ rd32(&r) });
	while (rd_left(&r) && !r.bad) {
		step(&m, &r);
		compare(&m);
	}
	sent_fini(&m.log);
}
