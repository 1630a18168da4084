#include "tcp/sack.h"

#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"

enum { ROOM_FIRST = 8 };

void sack_init(struct sack_board *b)
{
	*b = (struct sack_board){ 0 };
}

void sack_fini(struct sack_board *b)
{
	free(b->ranges);
	sack_init(b);
}

void sack_clear(struct sack_board *b)
{
	sack_fini(b);
}

static uint32_t block_len(struct tcp_block r)
{
	return seq_dist(r.start, r.end);
}

/* The first range that ends behind @s; b->n: none does. */
static unsigned ends_behind(const struct sack_board *b, struct seq s)
{
	unsigned low = 0, high = b->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (seq_after(b->ranges[mid].end, s))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Makes ranges [at, to) one range or, when there are none, puts a new one there. */
static void replace(struct sack_board *b, unsigned at, unsigned to, struct tcp_block r)
{
	memmove(&b->ranges[at + 1], &b->ranges[to], (b->n - to) * sizeof(r));
	b->ranges[at] = r;
	b->n = (uint16_t)(b->n + 1 + at - to);
}

/* Room for one range more.  False: there are too many, or no memory. */
static bool make_room(struct sack_board *b)
{
	uint16_t room = b->room ? (uint16_t)(b->room * 2) : ROOM_FIRST;
	struct tcp_block *ranges;

	if (b->n < b->room)
		return true;
	if (b->n == SACK_RANGES_MAX)
		return false;
	ranges = reallocarray(b->ranges, room, sizeof(*ranges));
	if (!ranges)
		return false;
	b->ranges = ranges;
	b->room = room;
	return true;
}

/* Enters a block; how many of its bytes are new. */
static uint32_t enter(struct sack_board *b, struct tcp_block r)
{
	/* From here on ranges touch it or lie behind it. */
	unsigned at = ends_behind(b, (struct seq){ r.start.n - 1 }), to = at;
	uint32_t n_new, n_there = 0;

	for (; to < b->n && seq_before_eq(b->ranges[to].start, r.end); to++)
		n_there += block_len(b->ranges[to]);
	if (to == at) {
		if (!make_room(b))
			return 0;
	} else {
		r.start = seq_min(r.start, b->ranges[at].start);
		r.end = seq_max(r.end, b->ranges[to - 1].end);
	}
	replace(b, at, to, r);
	n_new = block_len(r) - n_there;
	b->n_sacked += n_new;
	return n_new;
}

/* RFC 2883 4: the first block may say what came twice. */
static bool is_dsack(const struct tcp_seg *seg, struct seq una)
{
	const struct tcp_block *first = &seg->sack[0], *second = &seg->sack[1];

	if (seq_before_eq(first->end, una))
		return true;
	return seg->n_sack > 1 && seq_before_eq(second->start, first->start) &&
	       seq_before_eq(first->end, second->end);
}

uint32_t sack_update(struct sack_board *b, const struct tcp_seg *seg, struct seq una,
		     struct seq nxt, bool *dsack)
{
	uint32_t n_new = 0;

	*dsack = false;
	for (unsigned i = 0; i < seg->n_sack; i++) {
		struct tcp_block r = seg->sack[i];

		if (!seq_before(r.start, r.end))
			continue;
		if (i == 0 && is_dsack(seg, una)) {
			*dsack = true;
			continue;
		}
		if (seq_after(r.start, una) && seq_before_eq(r.end, nxt))
			n_new += enter(b, r);
	}
	return n_new;
}

void sack_ack(struct sack_board *b, struct seq una)
{
	unsigned n = 0;

	while (n < b->n && seq_before_eq(b->ranges[n].start, una))
		b->n_sacked -= block_len(b->ranges[n++]);
	if (n == b->n) {
		sack_clear(b);
		return;
	}
	b->n = (uint16_t)(b->n - n);
	memmove(b->ranges, &b->ranges[n], b->n * sizeof(*b->ranges));
}

/*
 * IsLost() is true of what is not reported below the edge: the start of the highest
 * range above whose start enough is reported.  *above is what is reported from the edge
 * on.  False: nothing is lost.
 */
static bool lost_edge(const struct sack_board *b, uint32_t mss, struct seq *edge,
		      uint32_t *above)
{
	uint32_t sum = 0;

	/* DupThresh ranges suffice, so it never looks at more. */
	for (unsigned i = 1; i <= b->n; i++) {
		sum += block_len(b->ranges[b->n - i]);
		if (i >= SACK_DUP_THRESH || sum > (SACK_DUP_THRESH - 1) * mss) {
			*edge = b->ranges[b->n - i].start;
			*above = sum;
			return true;
		}
	}
	return false;
}

bool sack_is_lost(const struct sack_board *b, struct seq s, uint32_t mss)
{
	struct seq edge;
	uint32_t above;

	return lost_edge(b, mss, &edge, &above) && seq_before(s, edge);
}

bool sack_has(const struct sack_board *b, struct seq s)
{
	unsigned at = ends_behind(b, s);

	return at < b->n && seq_before_eq(b->ranges[at].start, s);
}

bool sack_hole(const struct sack_board *b, struct seq from, struct seq to,
	       struct tcp_block *hole)
{
	unsigned at = ends_behind(b, from);

	if (at < b->n && seq_before_eq(b->ranges[at].start, from))
		from = b->ranges[at++].end;
	if (!seq_before(from, to))
		return false;
	if (at < b->n)
		to = seq_min(to, b->ranges[at].start);
	*hole = (struct tcp_block){ from, to };
	return true;
}

struct seq sack_high(const struct sack_board *b, struct seq una)
{
	return b->n ? b->ranges[b->n - 1].end : una;
}

/* Bytes of [una, to) that are not reported. */
static uint32_t n_missing(const struct sack_board *b, struct seq una, struct seq to)
{
	uint32_t n = seq_dist(una, to);

	for (unsigned i = 0; i < b->n && seq_before(b->ranges[i].start, to); i++)
		n -= seq_dist(b->ranges[i].start, seq_min(b->ranges[i].end, to));
	return n;
}

uint32_t sack_pipe(const struct sack_board *b, struct seq una, struct seq nxt,
		   struct seq high_rxt, uint32_t mss)
{
	uint32_t pipe = seq_dist(una, nxt) - b->n_sacked, above;
	struct seq edge;

	/* RFC 6675 4 (a): what is lost is not in the network */
	if (lost_edge(b, mss, &edge, &above))
		pipe -= seq_dist(una, edge) - (b->n_sacked - above);
	/* RFC 6675 4 (b): what was sent again is */
	if (seq_after(high_rxt, una))
		pipe += n_missing(b, una, seq_min(high_rxt, nxt));
	return pipe;
}

void sack_check(const struct sack_board *b, struct seq una, struct seq nxt)
{
	uint32_t n_sacked = 0;

	ASSERT(b->n <= b->room && b->n <= SACK_RANGES_MAX && !b->ranges == !b->n);
	for (unsigned i = 0; i < b->n; i++) {
		ASSERT(seq_before(una, b->ranges[i].start));
		ASSERT(seq_before(b->ranges[i].start, b->ranges[i].end));
		una = b->ranges[i].end;
		n_sacked += block_len(b->ranges[i]);
	}
	ASSERT(seq_before_eq(una, nxt) && n_sacked == b->n_sacked);
}
