#include "tests/lib/model_rcvq.h"

#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "stack/base/pkt.h"
#include "tcp/rcvq.h"

enum {
	N_BUFS = 2048,
	N_PKTS = 4096,
	WINDOW = 2500, /* segments begin so far behind RCV.NXT */
	SEGMENT_MAX = 9000,
	UNREAD_MAX = 1 << 14, /* a read that makes room for the next segment */
	SPAN = 1 << 15,	      /* of the map, used as a ring */
	THERE = 0x100,
	PINNED = sizeof(struct pkt) + PKT_BUF_LEN, /* at most, of a descriptor */
	SEAM_PINNED = 2 * PINNED, /* two small packets may be copied at a seam */
};

struct model {
	struct pkt_pool pool;
	struct rcvq q;
	struct seq start;
	uint32_t nxt, n_read; /* distances from start */
	uint32_t limit;
	uint32_t n_segments;
	uint32_t latest;    /* where the last early bytes came */
	struct pkt *held;   /* packets that share buffers with received ones */
	uint16_t map[SPAN]; /* THERE, and the byte */
};

static uint16_t *byte_at(struct model *m, uint32_t at)
{
	return &m->map[at % SPAN];
}

static uint8_t value(const struct model *m, uint32_t at)
{
	return (uint8_t)(at * 31 + m->n_segments * 101);
}

static void fill(struct model *m, struct pkt *d, uint32_t at, uint32_t n)
{
	uint8_t *to = d->data + d->len;

	ASSERT(n <= pkt_room(d));
	for (uint32_t i = 0; i < n; i++)
		to[i] = value(m, at + i);
	d->len += n;
	d->total_len += n;
}

static void hold(struct model *m, struct pkt *d)
{
	struct pkt *p = pkt_share(d, d->data, 1);

	ASSERT(p);
	p->link = m->held;
	m->held = p;
}

/*
 * The payload of a segment.  @shape: bit 0 in head[] if it fits, bit 1 buffers not full,
 * bit 2 somebody shares the first one; the others: where in the buffer it begins.
 */
static struct pkt *payload(struct model *m, uint32_t at, uint32_t len, uint8_t shape)
{
	uint32_t piece = shape & 2 ? 100 + len / 8 : PKT_BUF_LEN, n;
	struct pkt *p, *d;

	if (shape & 1 && len <= PKT_HEAD_LEN) {
		p = pkt_new(&m->pool, PKT_DATA);
		ASSERT(p);
		p->data -= len;
		fill(m, p, at, len);
		return p;
	}
	p = d = pkt_new_buf(&m->pool, PKT_DATA, (uint32_t)(shape >> 3) * 100);
	for (;;) {
		ASSERT(d);
		n = pkt_room(d) < piece ? pkt_room(d) : piece;
		n = n < len ? n : len;
		fill(m, d, at, n);
		if (d != p)
			pkt_chain(p, d);
		at += n;
		len -= n;
		if (!len)
			break;
		d = pkt_new_buf(&m->pool, PKT_DATA, 0);
	}
	if (shape & 4 && p->len)
		hold(m, p);
	return p;
}

/* Enters into the map up to @max new bytes of a segment; how many. */
static uint32_t enter(struct model *m, uint32_t at, uint32_t len, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = at; i < at + len && n < max; i++) {
		if (*byte_at(m, i))
			continue;
		*byte_at(m, i) = THERE | value(m, i);
		n++;
	}
	return n;
}

static void segment_comes(struct model *m, struct rd *r)
{
	static const uint32_t sizes[] = { 4, 200, 1500, SEGMENT_MAX };
	uint32_t at = rd16(r) % WINDOW, len = rd16(r) % sizes[rd8(r) % 4];
	struct pkt *p;
	bool full;

	at = m->nxt + (rd8(r) & 1 ? at : at % 600);
	p = payload(m, at, len, rd8(r));
	if (at == m->nxt) {
		enter(m, at, len, len);
		while (*byte_at(m, m->nxt))
			m->nxt++;
		ASSERT(seq_eq(rcvq_add(&m->q, &m->pool, p, seq_add(m->start, at)),
			      seq_add(m->start, m->nxt)));
	} else {
		uint32_t n = rcvq_add_early(&m->q, &m->pool, p, seq_add(m->start, at),
					    m->limit, &full);

		ASSERT(enter(m, at, len, n) == n);
		for (uint32_t i = at; i < at + len && !full; i++)
			ASSERT(*byte_at(m, i));
		ASSERT(!full || m->q.n_islands == RCVQ_ISLANDS_MAX ||
		       m->q.ooo_pinned + (len / 100 + 2) * PINNED > m->limit);
		ASSERT(!n || m->q.ooo_pinned <= m->limit + SEAM_PINNED);
		if (n || (len && !full))
			m->latest = at;
	}
	m->n_segments++;
}

/* The oldest @n bytes, which are at @bytes, leave the map. */
static void leaves(struct model *m, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t *b = byte_at(m, m->n_read++);

		ASSERT(*b == (THERE | bytes[i]));
		*b = 0;
	}
}

static void reads(struct model *m, uint32_t len)
{
	uint8_t bytes[UNREAD_MAX], again[UNREAD_MAX];
	size_t want = len < m->q.len ? len : m->q.len;

	ASSERT(rcvq_read(&m->q, again, len, true) == want);
	ASSERT(rcvq_read(&m->q, bytes, len, false) == want);
	ASSERT(!want || memcmp(bytes, again, want) == 0);
	leaves(m, bytes, want);
}

static void pops(struct model *m)
{
	struct pkt *p = rcvq_pop(&m->q);
	uint8_t bytes[UNREAD_MAX];

	if (!p)
		return;
	leaves(m, bytes, pkt_read(p, 0, bytes, sizeof(bytes)));
	pkt_free(p);
}

static void drops(struct model *m)
{
	rcvq_drop_early(&m->q);
	for (uint32_t at = m->nxt; at < m->nxt + WINDOW + SEGMENT_MAX; at++)
		*byte_at(m, at) = 0;
}

/* Every block is a whole island; the first holds what came last, if it still waits. */
static void compare_blocks(struct model *m)
{
	struct tcp_block b[TCP_SACK_MAX];
	unsigned n = rcvq_sack(&m->q, b, TCP_SACK_MAX);
	uint32_t n_islands = m->q.n_islands;

	ASSERT(n == (n_islands < TCP_SACK_MAX ? n_islands : TCP_SACK_MAX));
	for (unsigned i = 0; i < n; i++) {
		uint32_t from = seq_dist(m->start, b[i].start);
		uint32_t to = seq_dist(m->start, b[i].end);

		ASSERT(!*byte_at(m, from - 1) && !*byte_at(m, to));
		for (uint32_t at = from; at < to; at++)
			ASSERT(*byte_at(m, at));
		for (unsigned j = 0; j < i; j++)
			ASSERT(!seq_eq(b[i].start, b[j].start));
		if (i == 0 && m->latest > m->nxt && *byte_at(m, m->latest))
			ASSERT(from <= m->latest && m->latest < to);
	}
}

static void compare_early(struct model *m)
{
	const struct rcvq *q = &m->q;
	uint32_t n_early = 0, n_islands = 0;

	for (uint32_t at = m->nxt; at < m->nxt + WINDOW + SEGMENT_MAX; at++) {
		n_early += *byte_at(m, at) != 0;
		n_islands += *byte_at(m, at) && !*byte_at(m, at - 1);
	}
	ASSERT(q->ooo_len == n_early && q->n_islands == n_islands);
}

static void compare(struct model *m)
{
	const struct rcvq *q = &m->q;

	rcvq_check(q, seq_add(m->start, m->nxt));
	ASSERT(q->len == m->nxt - m->n_read);
	/* What a peer pins is a few times what it sent, however it cuts it. */
	ASSERT(q->pinned <=
	       6 * (q->len + q->ooo_len) + (q->n_islands + 1u) * 4 * (PKT_BUF_LEN + 512));
	compare_blocks(m);
}

static void step(struct model *m, struct rd *r)
{
	switch (rd8(r) % 16) {
	case 0: reads(m, rd16(r) % 3000); break;
	case 1: pops(m); break;
	case 2:
		if (rd8(r) % 16 == 0)
			drops(m);
		break;
	case 3: m->limit = rd16(r) * 16u; break;
	default: segment_comes(m, r);
	}
	while (m->q.len + SEGMENT_MAX + WINDOW > UNREAD_MAX)
		reads(m, UNREAD_MAX);
}

void model_rcvq(const uint8_t *input, size_t len)
{
	static struct model m;
	struct rd r = rd_of(input, len);
	uint32_t n_steps = 0;

	m = (struct model){ .start = { rd32(&r) }, .limit = 1 << 20 };
	ASSERT(pkt_pool_init(&m.pool, N_PKTS, N_BUFS) == 0);
	rcvq_init(&m.q);
	while (rd_left(&r) && !r.bad && pool_left(&m.pool.bufs) > N_BUFS / 4 &&
	       pool_left(&m.pool.pkts) > N_PKTS / 4) {
		step(&m, &r);
		compare(&m);
		if (n_steps++ % 8 == 0)
			compare_early(&m);
	}
	compare_early(&m);
	rcvq_fini(&m.q);
	pkt_free_list(m.held);
	pkt_pool_fini(&m.pool);
}
