/*
 * What TCP does with each segment: its header, the send queue in super-frames of 64 KiB,
 * the receive queue in segments of all sizes.
 *
 * Descriptors and buffers come from a pool as in the stack.  Between runs the queues are
 * emptied and filled, so a run finds their memory in the cache as far as it fits.
 */
#include "bench/micro/micro.h"
#include "stack/base/check.h"
#include "stack/base/pkt.h"
#include "tcp/rcvq.h"
#include "tcp/sndq.h"
#include "tcp/tcp_wire.h"

enum {
	SUPER_LEN = 64 * 1024,
	N_SUPER = 16, /* super-frames in the send queue */
	N_SEGS = 512, /* segments in the receive queue */
	HEADERS = 66, /* Ethernet, IP, TCP with timestamps: stripped in front */
};

struct bench {
	struct pkt_pool pool;
	struct sndq sndq;
	struct rcvq rcvq;
	struct seq nxt;
	uint32_t seg_len; /* of received payloads */
	struct pkt *segs[N_SEGS];
	uint8_t bytes[SUPER_LEN];
};

/* ---- the send queue ---- */

static void send_empty(void *ctx)
{
	struct bench *b = ctx;

	sndq_ack(&b->sndq, b->sndq.len);
}

static void send_write(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_SUPER; i++)
		micro_keep(sndq_write(&b->sndq, &b->pool, b->bytes, SUPER_LEN));
}

static void send_full(void *ctx)
{
	send_empty(ctx);
	send_write(ctx);
}

static void send_some(void *ctx)
{
	struct bench *b = ctx;

	if (!b->sndq.len)
		send_write(b);
}

/* Every packet goes at once, as to a port that has copied it. */
static void send_gather(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_SUPER; i++) {
		struct pkt *p = sndq_gather(&b->sndq, i * SUPER_LEN, SUPER_LEN);

		ASSERT(p);
		pkt_free(p);
	}
}

static void send_ack(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_SUPER; i++)
		sndq_ack(&b->sndq, SUPER_LEN);
}

static void send_rows(struct bench *b)
{
	static const struct {
		const char *what;
		void (*before)(void *ctx), (*run)(void *ctx);
	} ops[] = {
		{ "sndq write", send_empty, send_write },
		{ "sndq gather and free", send_full, send_gather },
		{ "sndq gather again", send_some, send_gather },
		{ "sndq ack", send_full, send_ack },
	};

	sndq_init(&b->sndq);
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
		micro_row(&(struct micro){ .what = ops[i].what,
					   .size = "64K",
					   .n_ops = N_SUPER,
					   .n_bytes = SUPER_LEN,
					   .before = ops[i].before,
					   .run = ops[i].run,
					   .ctx = b });
	sndq_fini(&b->sndq);
}

/* ---- the receive queue ---- */

/* A payload as ports deliver it: headers in front, the rest in full buffers. */
static struct pkt *payload(struct bench *b)
{
	struct pkt *p = pkt_new_buf(&b->pool, PKT_DATA, HEADERS), *d = p;
	uint32_t left = b->seg_len;

	for (;;) {
		uint32_t n = pkt_room(d) < left ? pkt_room(d) : left;

		ASSERT(pkt_append(d, b->bytes, n));
		if (d != p)
			pkt_chain(p, d);
		left -= n;
		if (!left)
			return p;
		d = pkt_new_buf(&b->pool, PKT_DATA, 0);
		ASSERT(d);
	}
}

static unsigned n_segs(const struct bench *b)
{
	return b->seg_len > PKT_BUF_LEN ? N_SUPER : N_SEGS;
}

static void come_prepare(void *ctx)
{
	struct bench *b = ctx;

	rcvq_fini(&b->rcvq);
	for (unsigned i = 0; i < n_segs(b); i++)
		b->segs[i] = payload(b);
}

static void come_in_order(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < n_segs(b); i++)
		b->nxt = rcvq_add(&b->rcvq, &b->pool, b->segs[i], b->nxt);
}

/* The first one is lost: all others wait, then it comes. */
static void come_early(void *ctx)
{
	struct bench *b = ctx;
	bool full;

	for (unsigned i = 1; i < n_segs(b); i++)
		rcvq_add_early(&b->rcvq, &b->pool, b->segs[i],
			       seq_add(b->nxt, i * b->seg_len), UINT32_MAX, &full);
	b->nxt = rcvq_add(&b->rcvq, &b->pool, b->segs[0], b->nxt);
}

static void read_prepare(void *ctx)
{
	come_prepare(ctx);
	come_in_order(ctx);
}

static void read_all(void *ctx)
{
	struct bench *b = ctx;

	while (rcvq_read(&b->rcvq, b->bytes, SUPER_LEN, false))
		micro_keep(b->bytes[0]);
}

static void receive_rows(struct bench *b, const char *size, uint32_t seg_len)
{
	static const struct {
		const char *what;
		void (*before)(void *ctx), (*run)(void *ctx);
	} ops[] = {
		{ "rcvq add", come_prepare, come_in_order },
		{ "rcvq add early", come_prepare, come_early },
		{ "rcvq read", read_prepare, read_all },
	};

	rcvq_init(&b->rcvq);
	b->seg_len = seg_len;
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
		micro_row(&(struct micro){ .what = ops[i].what,
					   .size = size,
					   .n_ops = n_segs(b),
					   .n_bytes = seg_len,
					   .before = ops[i].before,
					   .run = ops[i].run,
					   .ctx = b });
	rcvq_fini(&b->rcvq);
}

/* ---- the header ---- */

enum { N_HEADERS = 1000 };

static const struct tcp_seg header = {
	.src_port = 25,
	.dst_port = 40000,
	.flags = TCP_ACK,
	.has = TCP_HAS_TS,
};

static void parse(void *ctx)
{
	struct bench *b = ctx;
	struct tcp_seg seg;

	for (unsigned i = 0; i < N_HEADERS; i++) {
		struct rd r = rd_of(b->bytes, TCP_HEADER_MAX);

		micro_keep(tcp_parse(&r, &seg));
	}
}

static void emit(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_HEADERS; i++) {
		struct wr w = wr_of(b->bytes, TCP_HEADER_MAX);

		micro_keep(tcp_emit(&w, &header));
	}
}

static void header_rows(struct bench *b)
{
	struct micro m = { .size = "32", .n_ops = N_HEADERS, .ctx = b };

	m.what = "tcp emit";
	m.run = emit;
	micro_row(&m);
	emit(b);
	m.what = "tcp parse";
	m.run = parse;
	micro_row(&m);
}

void micro_tcp(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	ASSERT(b && pkt_pool_init(&b->pool, 2048, 1024) == 0);
	header_rows(b);
	send_rows(b);
	receive_rows(b, "64", 64);
	receive_rows(b, "1448", 1448);
	receive_rows(b, "64K", SUPER_LEN - 1448);
	pkt_pool_fini(&b->pool);
	free(b);
}
