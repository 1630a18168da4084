#include "tcp/tcp_wire.h"

#include <string.h>

enum tcp_kind {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_OK = 4,
	KIND_SACK = 5,
	KIND_TS = 8,
	KIND_FO = 34,
	KIND_ACC0 = 172,
	KIND_ACC1 = 174,
	KIND_EXP = 254,
};

/* Lengths as they stand in the option, kind and length included. */
enum {
	LEN_MSS = 4,
	LEN_WSCALE = 3,
	LEN_SACK_OK = 2,
	LEN_TS = 10,
	LEN_BLOCK = 8, /* of SACK's, each */
	LEN_FO = 2,    /* without the cookie */
	LEN_FO_EXP = 4,
	LEN_ACC = 2,   /* without fields */
	LEN_COUNT = 3, /* one of them */
	N_COUNTS = 3,
	WSCALE_MAX = 14, /* RFC 7323 2.3 */
};

enum { FO_EXP = 0xf989 }; /* RFC 7413 4.1.1's first number, in options for experiments */

/* nop, nop, timestamps: all options of nearly every segment (RFC 7323 appendix A). */
enum { TS_ALONE = KIND_NOP << 24 | KIND_NOP << 16 | KIND_TS << 8 | LEN_TS };

static void parse_ts(const uint8_t *at, struct tcp_seg *seg)
{
	seg->has |= TCP_HAS_TS;
	seg->ts_val = be32(at);
	seg->ts_ecr = be32(at + 4);
}

static void parse_sack(const uint8_t *at, unsigned len, struct tcp_seg *seg)
{
	if (len % LEN_BLOCK)
		return;
	for (; len && seg->n_sack < TCP_SACK_MAX; len -= LEN_BLOCK, at += LEN_BLOCK)
		seg->sack[seg->n_sack++] =
			(struct tcp_block){ { be32(at) }, { be32(at + 4) } };
}

/* RFC 7413 4.1.1: a cookie has an even length from 4 to 16, and none asks for one. */
static void parse_fo(const uint8_t *at, unsigned len, uint16_t has, struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_SYN) || len % 2 || (len && len < TCP_FO_MIN) ||
	    len > TCP_FO_MAX)
		return;
	seg->has &= (uint16_t)~TCP_HAS_FO_EXP;
	seg->has |= has;
	seg->fo_len = (uint8_t)len;
	seg->fo = at;
}

/* RFC 9768 3.2.3: whole fields count, the rest is padding; 3.2.3.2.1: not of a SYN */
static void parse_acc(const uint8_t *at, unsigned len, uint16_t has, struct tcp_seg *seg)
{
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return;
	seg->has &= (uint16_t) ~(TCP_HAS_ACC0 | TCP_HAS_ACC1);
	seg->has |= has;
	seg->n_acc = 0;
	seg->acc[0] = seg->acc[1] = seg->acc[2] = 0;
	for (; len >= LEN_COUNT && seg->n_acc < N_COUNTS;
	     len -= LEN_COUNT, at += LEN_COUNT)
		seg->acc[seg->n_acc++] =
			(uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

/*
 * One option of @len bytes at @at.  A length that the kind cannot have makes it an
 * option we do not know, as does a place where it has no meaning: all but timestamps
 * and SACK count in a SYN only (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2).
 */
static void parse_option(const uint8_t *at, unsigned len, struct tcp_seg *seg)
{
	bool syn = seg->flags & TCP_SYN;

	switch (at[0]) {
	case KIND_MSS:
		if (syn && len == LEN_MSS) {
			seg->has |= TCP_HAS_MSS;
			seg->mss = be16(at + 2);
		}
		break;
	case KIND_WSCALE:
		if (syn && len == LEN_WSCALE) {
			seg->has |= TCP_HAS_WSCALE;
			seg->wscale = at[2] > WSCALE_MAX ? WSCALE_MAX : at[2];
		}
		break;
	case KIND_SACK_OK:
		if (syn && len == LEN_SACK_OK)
			seg->has |= TCP_HAS_SACK_OK;
		break;
	case KIND_SACK: parse_sack(at + 2, len - 2, seg); break;
	case KIND_TS:
		if (len == LEN_TS)
			parse_ts(at + 2, seg);
		break;
	case KIND_ACC0: parse_acc(at + LEN_ACC, len - LEN_ACC, TCP_HAS_ACC0, seg); break;
	case KIND_ACC1: parse_acc(at + LEN_ACC, len - LEN_ACC, TCP_HAS_ACC1, seg); break;
	case KIND_FO: parse_fo(at + LEN_FO, len - LEN_FO, TCP_HAS_FO, seg); break;
	case KIND_EXP:
		/* RFC 6994 3.1: a number of 16 bits says which experiment it is */
		if (len >= LEN_FO_EXP && be16(at + 2) == FO_EXP)
			parse_fo(at + LEN_FO_EXP, len - LEN_FO_EXP,
				 TCP_HAS_FO | TCP_HAS_FO_EXP, seg);
		break;
	default: break;
	}
}

static void parse_options(const uint8_t *at, unsigned len, struct tcp_seg *seg)
{
	if (len == LEN_TS + 2 && be32(at) == TS_ALONE) {
		parse_ts(at + 4, seg);
		return;
	}
	while (len && *at != KIND_END) {
		unsigned n = 1;

		if (*at != KIND_NOP) {
			if (len < 2 || at[1] < 2 || at[1] > len)
				return;
			n = at[1];
			parse_option(at, n, seg);
		}
		at += n;
		len -= n;
	}
}

bool tcp_parse(struct rd *r, struct tcp_seg *seg)
{
	const uint8_t *b = rd_take(r, TCP_HEADER_LEN);
	unsigned header_len = (unsigned)(b[12] >> 4) * 4;
	const uint8_t *options;

	if (r->bad || header_len < TCP_HEADER_LEN)
		return false;
	options = rd_take(r, header_len - TCP_HEADER_LEN);
	if (r->bad)
		return false;
	seg->src_port = be16(b);
	seg->dst_port = be16(b + 2);
	seg->seq.n = be32(b + 4);
	seg->ack.n = be32(b + 8);
	seg->flags = be16(b + 12) & 0x1ff;
	seg->window = be16(b + 14);
	seg->urgent = be16(b + 18);
	seg->has = 0;
	seg->mss = 0;
	seg->wscale = 0;
	seg->n_sack = 0;
	seg->header_len = (uint8_t)header_len;
	seg->fo_len = 0;
	seg->n_acc = 0;
	seg->ts_val = seg->ts_ecr = 0;
	parse_options(options, header_len - TCP_HEADER_LEN, seg);
	return true;
}

/* Of Fast Open's option, without padding. */
static unsigned fo_len(const struct tcp_seg *seg)
{
	return seg->fo_len + (seg->has & TCP_HAS_FO_EXP ? (unsigned)LEN_FO_EXP : LEN_FO);
}

/* Bytes of all options but AccECN and SACK, padding included. */
static unsigned plain_options_len(const struct tcp_seg *seg)
{
	unsigned len = 0;

	if (seg->has & TCP_HAS_MSS)
		len += LEN_MSS;
	if (seg->has & TCP_HAS_TS)
		len += LEN_TS + 2;
	else if (seg->has & TCP_HAS_SACK_OK)
		len += LEN_SACK_OK + 2;
	if (seg->has & TCP_HAS_WSCALE)
		len += LEN_WSCALE + 1;
	if (seg->has & TCP_HAS_FO)
		len += (fo_len(seg) + 3) & ~3U;
	return len;
}

/* Of AccECN's, which is left out where it does not fit. */
static unsigned acc_len(const struct tcp_seg *seg)
{
	unsigned len = (LEN_ACC + seg->n_acc * (unsigned)LEN_COUNT + 3) & ~3U;

	if (!(seg->has & (TCP_HAS_ACC0 | TCP_HAS_ACC1)))
		return 0;
	return plain_options_len(seg) + len <= TCP_OPTIONS_MAX ? len : 0;
}

static unsigned fixed_options_len(const struct tcp_seg *seg)
{
	/* Most segments have this, and nothing else. */
	if (seg->has == TCP_HAS_TS)
		return LEN_TS + 2;
	return plain_options_len(seg) + acc_len(seg);
}

/* How many of the SACK blocks fit behind @len bytes of options. */
static unsigned blocks_that_fit(const struct tcp_seg *seg, unsigned len)
{
	unsigned n;

	if (!seg->n_sack)
		return 0;
	n = len + 4 < TCP_OPTIONS_MAX ?
		    ((unsigned)TCP_OPTIONS_MAX - len - 4) / LEN_BLOCK :
		    0;

	return seg->n_sack < n ? seg->n_sack : n;
}

static uint8_t header_len(unsigned options, unsigned n_blocks)
{
	return (uint8_t)(TCP_HEADER_LEN + options +
			 (n_blocks ? 4 + n_blocks * LEN_BLOCK : 0));
}

uint8_t tcp_emit_len(const struct tcp_seg *seg)
{
	unsigned len = fixed_options_len(seg);

	return header_len(len, blocks_that_fit(seg, len));
}

static uint8_t *put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	return put16(put16(at, (uint16_t)(v >> 16)), (uint16_t)v);
}

static uint8_t *put_bytes(uint8_t *at, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	at[0] = a;
	at[1] = b;
	at[2] = c;
	at[3] = d;
	return at + 4;
}

static uint8_t *put_fo(uint8_t *at, const struct tcp_seg *seg)
{
	unsigned len = fo_len(seg);

	*at++ = seg->has & TCP_HAS_FO_EXP ? KIND_EXP : KIND_FO;
	*at++ = (uint8_t)len;
	if (seg->has & TCP_HAS_FO_EXP)
		at = put16(at, FO_EXP);
	if (seg->fo_len)
		memcpy(at, seg->fo, seg->fo_len);
	at += seg->fo_len;
	for (; len % 4; len++)
		*at++ = KIND_NOP;
	return at;
}

static uint8_t *put_acc(uint8_t *at, const struct tcp_seg *seg)
{
	unsigned len = LEN_ACC + seg->n_acc * (unsigned)LEN_COUNT;

	*at++ = seg->has & TCP_HAS_ACC0 ? KIND_ACC0 : KIND_ACC1;
	*at++ = (uint8_t)len;
	for (unsigned i = 0; i < seg->n_acc; i++) {
		*at++ = (uint8_t)(seg->acc[i] >> 16);
		at = put16(at, (uint16_t)seg->acc[i]);
	}
	for (; len % 4; len++)
		*at++ = KIND_NOP;
	return at;
}

static uint8_t *put_options(uint8_t *at, const struct tcp_seg *seg)
{
	bool sack_ok = seg->has & TCP_HAS_SACK_OK;

	if (seg->has & TCP_HAS_MSS)
		at = put_bytes(at, KIND_MSS, LEN_MSS, (uint8_t)(seg->mss >> 8),
			       (uint8_t)seg->mss);
	if (seg->has & TCP_HAS_TS) {
		if (sack_ok)
			at = put_bytes(at, KIND_SACK_OK, LEN_SACK_OK, KIND_TS, LEN_TS);
		else
			at = put_bytes(at, KIND_NOP, KIND_NOP, KIND_TS, LEN_TS);
		at = put32(at, seg->ts_val);
		at = put32(at, seg->ts_ecr);
	} else if (sack_ok) {
		at = put_bytes(at, KIND_NOP, KIND_NOP, KIND_SACK_OK, LEN_SACK_OK);
	}
	if (seg->has & TCP_HAS_WSCALE)
		at = put_bytes(at, KIND_NOP, KIND_WSCALE, LEN_WSCALE, seg->wscale);
	if (seg->has & TCP_HAS_FO)
		at = put_fo(at, seg);
	if (acc_len(seg))
		at = put_acc(at, seg);
	return at;
}

static uint8_t *put_sack(uint8_t *at, const struct tcp_seg *seg, unsigned n)
{
	at = put_bytes(at, KIND_NOP, KIND_NOP, KIND_SACK, (uint8_t)(2 + n * LEN_BLOCK));
	for (unsigned i = 0; i < n; i++) {
		at = put32(at, seg->sack[i].start.n);
		at = put32(at, seg->sack[i].end.n);
	}
	return at;
}

uint8_t tcp_emit(struct wr *w, const struct tcp_seg *seg)
{
	unsigned options = fixed_options_len(seg), n = blocks_that_fit(seg, options);
	uint8_t len = header_len(options, n);
	uint8_t *at = w->p;

	if (w->bad || len > w->end - at) {
		w->bad = true;
		return len;
	}
	w->p += len;
	at = put16(at, seg->src_port);
	at = put16(at, seg->dst_port);
	at = put32(at, seg->seq.n);
	at = put32(at, seg->ack.n);
	at = put16(at, (uint16_t)(len / 4 << 12 | (seg->flags & 0x1ff)));
	at = put16(at, seg->window);
	at = put16(at, 0);
	at = put16(at, seg->urgent);
	at = put_options(at, seg);
	if (n)
		put_sack(at, seg, n);
	return len;
}
