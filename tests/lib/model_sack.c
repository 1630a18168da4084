#include "tests/lib/model_sack.h"

#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "tcp/sack.h"

enum { SPAN = 700 }; /* most bytes in flight: room for more ranges than there may be */

struct model {
	struct sack_board board;
	struct seq una, high_rxt;
	uint32_t n;	  /* bytes in flight: SND.NXT - SND.UNA */
	bool there[SPAN]; /* by distance from una */
	uint32_t mss;
};

static struct seq at(const struct model *m, uint32_t i)
{
	return seq_add(m->una, i);
}

static uint32_t n_runs(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < m->n; i++)
		n += m->there[i] && !m->there[i - 1];
	return n;
}

/* What entering [from, to), by distance, should bring. */
static uint32_t enter(struct model *m, int32_t from, int32_t to)
{
	bool touches = false;
	uint32_t n_new = 0;

	if (from >= to || from <= 0 || to > (int32_t)m->n)
		return 0;
	for (int32_t i = from - 1; i <= to && i < (int32_t)m->n; i++)
		touches |= m->there[i];
	if (!touches && n_runs(m) == SACK_RANGES_MAX)
		return 0;
	for (int32_t i = from; i < to; i++) {
		n_new += !m->there[i];
		m->there[i] = true;
	}
	return n_new;
}

static void blocks_come(struct model *m, struct rd *r)
{
	struct tcp_seg seg = { .n_sack = rd8(r) % (TCP_SACK_MAX + 1) };
	int32_t from[TCP_SACK_MAX], to[TCP_SACK_MAX];
	bool dsack, want_dsack = false;
	uint32_t want = 0;

	for (unsigned i = 0; i < seg.n_sack; i++) {
		from[i] = (int32_t)(rd16(r) % (SPAN + 64)) - 32;
		to[i] = from[i] + (int16_t)(rd16(r) % (rd8(r) & 1 ? 6 : 300)) - 2;
		seg.sack[i].start = at(m, (uint32_t)from[i]);
		seg.sack[i].end = at(m, (uint32_t)to[i]);
	}
	for (unsigned i = 0; i < seg.n_sack; i++) {
		if (i == 0 && from[0] < to[0] &&
		    (to[0] <= 0 ||
		     (seg.n_sack > 1 && from[1] <= from[0] && to[0] <= to[1])))
			want_dsack = true;
		else
			want += enter(m, from[i], to[i]);
	}
	ASSERT(sack_update(&m->board, &seg, m->una, at(m, m->n), &dsack) == want);
	ASSERT(dsack == want_dsack);
}

static void window_moves(struct model *m, uint32_t n)
{
	n = n < m->n ? n : m->n;
	m->una = at(m, n);
	m->n -= n;
	memmove(m->there, m->there + n, m->n);
	memset(m->there + m->n, 0, SPAN - m->n);
	for (uint32_t i = 0; i < m->n && m->there[i]; i++)
		m->there[i] = false;
	sack_ack(&m->board, m->una);
}

/* RFC 6675 4 IsLost(): of a byte that is not reported. */
static bool is_lost(uint32_t runs_above, uint32_t bytes_above, uint32_t mss)
{
	return runs_above >= SACK_DUP_THRESH || bytes_above > (SACK_DUP_THRESH - 1) * mss;
}

static void compare_byte(const struct model *m, uint32_t i, bool lost)
{
	ASSERT(sack_has(&m->board, at(m, i)) == m->there[i]);
	if (!m->there[i])
		ASSERT(sack_is_lost(&m->board, at(m, i), m->mss) == lost);
}

static void compare_bytes(const struct model *m)
{
	uint32_t runs = 0, bytes = 0, pipe = 0, high = 0;

	for (uint32_t i = m->n; i-- > 0;) {
		bool again = seq_before(at(m, i), m->high_rxt);
		bool lost = is_lost(runs, bytes, m->mss);

		if (i == 0 || i % 8 == 0 || m->there[i] != m->there[i - 1])
			compare_byte(m, i, lost);
		if (m->there[i]) {
			high = high ? high : i + 1;
			bytes++;
			runs += i == 0 || !m->there[i - 1];
			continue;
		}
		pipe += !lost + again;
	}
	ASSERT(m->board.n_sacked == bytes && m->board.n == runs);
	ASSERT(seq_eq(sack_high(&m->board, m->una), at(m, high)));
	ASSERT(sack_pipe(&m->board, m->una, at(m, m->n), m->high_rxt, m->mss) == pipe);
}

/* All holes of [from, to), one behind the other. */
static void compare_holes(const struct model *m, uint32_t from, uint32_t to)
{
	struct tcp_block hole;

	while (sack_hole(&m->board, at(m, from), at(m, to), &hole)) {
		uint32_t start = seq_dist(m->una, hole.start);
		uint32_t end = seq_dist(m->una, hole.end);

		ASSERT(from <= start && start < end && end <= to);
		for (; from < start; from++)
			ASSERT(m->there[from]);
		for (; from < end; from++)
			ASSERT(!m->there[from]);
		ASSERT(end == to || m->there[end]);
	}
	for (; from < to; from++)
		ASSERT(m->there[from]);
}

void model_sack(const uint8_t *input, size_t len)
{
	struct rd r = rd_of(input, len);
	struct model m = { .una = { rd32(&r) }, .mss = rd8(&r) };

	m.high_rxt = m.una;
	sack_init(&m.board);
	while (rd_left(&r) && !r.bad) {
		switch (rd8(&r) % 8) {
		case 0: window_moves(&m, rd16(&r) % 300); break;
		case 1: m.n += rd16(&r) % (SPAN + 1 - m.n); break;
		case 2: m.high_rxt = at(&m, rd16(&r) % (SPAN + 1)); break;
		case 3:
			if (rd8(&r) % 16 == 0) {
				sack_clear(&m.board);
				memset(m.there, 0, sizeof(m.there));
			}
			break;
		default: blocks_come(&m, &r);
		}
		sack_check(&m.board, m.una, at(&m, m.n));
		compare_bytes(&m);
		compare_holes(&m, m.n / 3, m.n);
	}
	sack_fini(&m.board);
}
