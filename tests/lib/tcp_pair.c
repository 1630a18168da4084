#include "tests/lib/tcp_pair.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "ip/ip.h"
#include "stack/base/byte.h"
#include "stack/base/clock.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/trace.h"
#include "stack/base/wheel.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/tcp.h"
#include "tests/lib/build.h"
#include "tests/lib/fake_ip.h"

enum {
	PORT = 25,
	CONNS_MAX = 8,
	FRAME_MAX = 65536,
	CHUNK_MAX = 20000,
	TIME_WAIT_MS = 2000,
};

static const uint64_t limit_ns = 4 * 3600 * NS_PER_S; /* longer is a stall */

/* A packet on its way, as bytes from the TCP header on. */
struct flying {
	struct flying *next;
	uint64_t due_ns;
	uint64_t order; /* of equal times the first sent comes first */
	unsigned to;
	uint16_t gso_len;
	uint8_t tos;
	uint32_t len;
	uint8_t bytes[];
};

/* One direction of one connection: what is written, what was read. */
struct stream {
	uint32_t total, written, read;
	uint32_t salt;
};

struct program {
	struct tcp_conn *c;
	struct stream *out, *in;
	bool shut, closed;
	uint64_t sleep_ns; /* the reader does nothing before */
};

struct end {
	struct pkt_pool pool;
	struct wheel wheel;
	struct hash_key key;
	struct trace trace;
	struct ip ip;
	struct tcp *tcp;
	struct tcp_listener *l;
	struct program programs[CONNS_MAX];
	unsigned n_programs;
	uint64_t line_free_ns; /* when the line toward the other is idle */
};

struct pair {
	const struct pair_conf *conf;
	struct pair_result *result;
	struct rng rng;
	uint64_t now_ns, n_sent;
	struct end ends[2];
	struct flying *flying;
	struct stream streams[CONNS_MAX][2];
};

static uint8_t byte_of(const struct stream *s, uint32_t at)
{
	return (uint8_t)((at * 2654435761u + s->salt) >> 13);
}

/* ---- the link ---- */

static void digest(struct pair *pr, const uint8_t *bytes, uint32_t len)
{
	struct hash_key key = { { pr->result->digest, len } };

	pr->result->digest = hash_siphash13(&key, bytes, len);
}

static void insert(struct pair *pr, struct flying *f)
{
	struct flying **at = &pr->flying;

	while (*at && (*at)->due_ns <= f->due_ns)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

/* When what is sent now by @from is through. */
static uint64_t arrival(struct pair *pr, struct end *from, uint32_t len)
{
	uint64_t start = from->line_free_ns, delay = pr->conf->delay_us * NS_PER_US;

	if (start < pr->now_ns)
		start = pr->now_ns;
	if (pr->conf->rate_mbit)
		start += (uint64_t)(len + 58) * 8000 / pr->conf->rate_mbit;
	from->line_free_ns = start;
	if (rng_chance(&pr->rng, pr->conf->reorder))
		delay += rng_below(&pr->rng, 4 * pr->conf->delay_us + 1) * NS_PER_US;
	return start + delay;
}

/* What IP and the port say beside the bytes. */
struct as {
	uint16_t gso_len;
	uint8_t tos;
};

static void launch(struct pair *pr, unsigned to, const uint8_t *bytes, uint32_t len,
		   struct as as)
{
	struct flying *f = malloc(sizeof(*f) + len);

	*f = (struct flying){
		.due_ns = arrival(pr, &pr->ends[!to], len),
		.to = to,
		.gso_len = as.gso_len,
		.tos = as.tos,
		.len = len,
	};
	memcpy(f->bytes, bytes, len);
	if (rng_chance(&pr->rng, pr->conf->corrupt))
		f->bytes[rng_below(&pr->rng, len)] ^=
			(uint8_t)(1 << rng_below(&pr->rng, 8));
	insert(pr, f);
}

static void one_frame(struct pair *pr, unsigned to, const uint8_t *bytes, uint32_t len,
		      struct as as)
{
	pr->result->n_packets++;
	digest(pr, bytes, len);
	if (rng_chance(&pr->rng, pr->conf->loss)) {
		pr->result->n_lost++;
		return;
	}
	if ((as.tos & ECN_MASK) && rng_chance(&pr->rng, pr->conf->mark)) {
		as.tos |= ECN_CE;
		pr->result->n_marked++;
	}
	launch(pr, to, bytes, len, as);
	if (rng_chance(&pr->rng, pr->conf->dup))
		launch(pr, to, bytes, len, as);
}

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put_sum(const struct pkt *p, uint8_t *b, uint32_t len)
{
	put16(b + 16, 0);
	put16(b + 16,
	      (uint16_t)~build_sum(build_pseudo(p->src.ip4, p->dst.ip4, 6, len), b, len));
}

/* Cuts a super-frame as a NIC would. */
static void cut(struct pair *pr, unsigned to, const struct pkt *p, const uint8_t *b,
		uint32_t len)
{
	static uint8_t seg[FRAME_MAX];
	uint32_t header_len = (uint32_t)(b[12] >> 4) * 4, seq = be32(b + 4), n;

	for (uint32_t at = header_len; at < len; at += n) {
		n = len - at < p->gso_len ? len - at : p->gso_len;
		memcpy(seg, b, header_len);
		memcpy(seg + header_len, b + at, n);
		put16(seg + 4, (seq + at - header_len) >> 16);
		put16(seg + 6, seq + at - header_len);
		if (at + n < len)
			seg[13] &= (uint8_t)~9; /* FIN, PSH: on the last */
		if (at > header_len)
			seg[13] &= (uint8_t)~0x80; /* CWR: on the first */
		put_sum(p, seg, header_len + n);
		one_frame(pr, to, seg, header_len + n, (struct as){ .tos = p->tos });
	}
}

static void carry(struct pair *pr, unsigned from)
{
	static uint8_t bytes[FRAME_MAX];
	struct pkt *p;

	while ((p = fake_ip_pop(&pr->ends[from].ip))) {
		uint32_t len = pkt_read(p, 0, bytes, sizeof(bytes));

		cr_assert_eq(len, p->total_len);
		if (p->gso_len && !pr->conf->whole_frames) {
			cut(pr, !from, p, bytes, len);
		} else {
			if (p->flags & PKT_SUM_PARTIAL)
				put_sum(p, bytes, len);
			one_frame(pr, !from, bytes, len,
				  (struct as){ p->gso_len, p->tos });
		}
		pkt_free(p);
	}
}

static void arrive(struct pair *pr, struct flying *f)
{
	struct end *e = &pr->ends[f->to];
	struct pkt *first = NULL, *p;
	enum verdict v;

	for (uint32_t at = 0, n; at < f->len; at += n) {
		p = pkt_new_buf(&e->pool, PKT_DATA, first ? 0 : 64);
		if (!p) {
			/* as a driver that finds no memory */
			pkt_free(first);
			return;
		}
		n = f->len - at < pkt_room(p) ? f->len - at : pkt_room(p);
		pkt_append(p, f->bytes + at, n);
		if (first)
			pkt_chain(first, p);
		else
			first = p;
	}
	first->src = pr->ends[!f->to].ip.ours;
	first->dst = e->ip.ours;
	first->proto = IP_PROTO_TCP;
	first->gso_len = f->gso_len;
	first->tos = f->tos;
	v = tcp_input(e->tcp, first, pr->now_ns).verdict;
	if (v != V_KEPT)
		pkt_free(first);
}

/* ---- programs ---- */

static void write_some(struct pair *pr, struct end *e, struct program *pg)
{
	static uint8_t bytes[CHUNK_MAX];
	struct stream *s = pg->out;

	while (s->written < s->total) {
		uint32_t left = s->total - s->written;
		uint32_t len = 1 + rng_below(&pr->rng,
					     rng_chance(&pr->rng, 0.3) ? 100 : CHUNK_MAX);
		ssize_t n;

		len = len < left ? len : left;
		for (uint32_t i = 0; i < len; i++)
			bytes[i] = byte_of(s, s->written + i);
		n = tcp_send(e->tcp, pg->c, bytes, len,
			     len < left && rng_chance(&pr->rng, 0.1));
		if (n < 0) {
			cr_assert_eq(n, -EAGAIN, "seed %lu: send says %zd",
				     pr->conf->seed, n);
			return;
		}
		s->written += (uint32_t)n;
		/* Leave some for another turn. */
		if (rng_chance(&pr->rng, 0.2))
			return;
	}
	if (!pg->shut && tcp_shutdown_send(e->tcp, pg->c) == 0)
		pg->shut = true;
}

static void check_read(struct pair *pr, struct stream *s, const uint8_t *bytes,
		       uint32_t n)
{
	cr_assert_leq(s->read + n, s->written, "seed %lu: bytes nobody wrote",
		      pr->conf->seed);
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(bytes[i], byte_of(s, s->read + i),
			     "seed %lu: byte %u is wrong", pr->conf->seed, s->read + i);
	s->read += n;
	pr->result->bytes += n;
}

/* One read, copied or lent.  False: nothing now. */
static bool read_once(struct pair *pr, struct end *e, struct program *pg, bool *eof)
{
	static uint8_t bytes[FRAME_MAX];
	struct pkt *p;
	ssize_t n;

	if (rng_chance(&pr->rng, 0.3)) {
		n = tcp_recv_pkt(e->tcp, pg->c, &p);
		if (n == 0 && p) {
			n = pkt_read(p, 0, bytes, sizeof(bytes));
			tcp_recv_pkt_done(e->tcp, pg->c, p);
		}
	} else {
		n = tcp_recv(e->tcp, pg->c, bytes, 1 + rng_below(&pr->rng, CHUNK_MAX),
			     false);
	}
	if (n > 0)
		check_read(pr, pg->in, bytes, (uint32_t)n);
	else
		cr_assert(n == 0 || n == -EAGAIN, "seed %lu: recv says %zd",
			  pr->conf->seed, n);
	*eof = n == 0;
	return n > 0;
}

static void read_some(struct pair *pr, struct end *e, struct program *pg)
{
	struct tcp_conn_info info;
	bool eof = false;

	if (pr->now_ns < pg->sleep_ns)
		return;
	while (read_once(pr, e, pg, &eof)) {
		/* A slow reader, now and then. */
		if (rng_chance(&pr->rng, 0.05)) {
			pg->sleep_ns = pr->now_ns + rng_below(&pr->rng, 300) * NS_PER_MS +
				       NS_PER_MS;
			return;
		}
	}
	if (!eof)
		return;
	cr_assert_eq(pg->in->read, pg->in->total, "seed %lu: end after %u of %u bytes",
		     pr->conf->seed, pg->in->read, pg->in->total);
	if (!pg->shut)
		return;
	/* Orphans may be reset for want of memory: it closes when the peer has all. */
	tcp_conn_info(e->tcp, pg->c, &info);
	if (info.sndq_len) {
		pg->sleep_ns = pr->now_ns + 10 * NS_PER_MS;
		return;
	}
	tcp_close(e->tcp, pg->c, pr->now_ns);
	pg->closed = true;
}

static void run_program(struct pair *pr, struct end *e, struct program *pg)
{
	if (pg->closed)
		return;
	cr_assert_eq(tcp_error(pg->c), 0, "seed %lu: ended with %d", pr->conf->seed,
		     tcp_error(pg->c));
	write_some(pr, e, pg);
	read_some(pr, e, pg);
}

static void accept_all(struct pair *pr, struct end *e)
{
	struct tcp_conn_info info;
	struct tcp_conn *c;

	while ((c = tcp_accept(e->tcp, e->l, e))) {
		unsigned i;

		tcp_conn_info(e->tcp, c, &info);
		i = info.flow.remote_port - 1000u;
		cr_assert_lt(i, pr->conf->n_conns);
		e->programs[i].c = c;
	}
}

/* Programs that have news run; so do those that chance wakes. */
static void programs(struct pair *pr, struct end *e)
{
	struct tcp_conn *c;

	while (tcp_ready_listener_pop(e->tcp))
		;
	if (e->l)
		accept_all(pr, e);
	while ((c = tcp_ready_pop(e->tcp))) {
		for (unsigned i = 0; i < pr->conf->n_conns; i++)
			if (e->programs[i].c == c)
				run_program(pr, e, &e->programs[i]);
	}
	for (unsigned i = 0; i < pr->conf->n_conns; i++) {
		struct program *pg = &e->programs[i];
		bool woken = pg->sleep_ns && pr->now_ns >= pg->sleep_ns;

		if (pg->c && !pg->closed && woken) {
			pg->sleep_ns = 0;
			run_program(pr, e, pg);
		} else if (pg->c && !pg->closed &&
			   (tcp_conn_news(pg->c) & TCP_WRITABLE) && !pg->shut &&
			   rng_chance(&pr->rng, 0.1)) {
			run_program(pr, e, pg);
		}
	}
}

/* ---- time ---- */

static void turn(struct pair *pr)
{
	for (unsigned i = 0; i < 2; i++) {
		struct end *e = &pr->ends[i];

		wheel_run(&e->wheel, pr->now_ns);
		programs(pr, e);
		tcp_speak(e->tcp, pr->now_ns);
		tcp_check(e->tcp);
		carry(pr, i);
	}
}

static uint64_t next_time(const struct pair *pr)
{
	uint64_t next = pr->flying ? pr->flying->due_ns : TIMER_NEVER;

	for (unsigned i = 0; i < 2; i++) {
		const struct end *e = &pr->ends[i];
		uint64_t due = wheel_due(&e->wheel);

		if (tcp_wants_to_speak(e->tcp))
			due = pr->now_ns;
		next = due < next ? due : next;
		for (unsigned j = 0; j < pr->conf->n_conns; j++) {
			const struct program *pg = &e->programs[j];

			if (pg->c && !pg->closed && pg->sleep_ns && pg->sleep_ns < next)
				next = pg->sleep_ns;
			/* a program that chance may wake, a millisecond later */
			if (pg->c && !pg->shut && pr->now_ns + NS_PER_MS < next)
				next = pr->now_ns + NS_PER_MS;
		}
	}
	return next;
}

static bool all_closed(const struct pair *pr)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct tcp_stats *st = tcp_stats(pr->ends[i].tcp);

		for (unsigned j = 0; j < pr->conf->n_conns; j++)
			if (!pr->ends[i].programs[j].closed)
				return false;
		if (st->n_conns || st->n_syn || st->n_time_wait)
			return false;
	}
	return !pr->flying;
}

static void run(struct pair *pr)
{
	uint64_t start = pr->now_ns;

	while (!all_closed(pr)) {
		uint64_t next = next_time(pr);

		cr_assert(next - start < limit_ns,
			  "seed %lu: nothing goes on after %lu ms", pr->conf->seed,
			  (pr->now_ns - start) / NS_PER_MS);
		if (next > pr->now_ns)
			pr->now_ns = next;
		while (pr->flying && pr->flying->due_ns <= pr->now_ns) {
			struct flying *f = pr->flying;

			pr->flying = f->next;
			arrive(pr, f);
			free(f);
		}
		turn(pr);
	}
	pr->result->end_ns = pr->now_ns - start;
}

/* ---- life ---- */

static void end_init(struct pair *pr, unsigned i)
{
	const struct pair_conf *pc = pr->conf;
	uint32_t n_bufs = pc->n_bufs ? pc->n_bufs : 8192;
	struct end *e = &pr->ends[i];
	struct tcp_conf conf;

	tcp_conf_default(&conf);
	conf.max_conns = 8 * CONNS_MAX; /* so that all may be orphans */
	conf.orphan_ms = 3600 * 1000;
	conf.max_syn = conf.max_time_wait = 2 * CONNS_MAX;
	conf.time_wait_ms = TIME_WAIT_MS;
	conf.rcvbuf = pc->rcvbuf;
	conf.sndbuf = pc->sndbuf;
	conf.ooo_bytes_max = 4 * pc->rcvbuf;
	conf.sack = pc->sack;
	conf.timestamps = pc->timestamps;
	conf.window_scale = pc->window_scale;
	conf.user_timeout_ms = 3600 * 1000;
	conf.ecn = pc->ecn[i];
	if (pc->fastopen)
		conf.fastopen |= TCP_FO_CLIENT_BARE | TCP_FO_SERVER_BARE;
	conf.syn_tries = 100;
	e->key = (struct hash_key){ { pc->seed, i } };
	cr_assert_eq(pkt_pool_init(&e->pool, 4 * n_bufs, n_bufs), 0);
	wheel_init(&e->wheel, pr->now_ns);
	fake_ip_init(&e->ip, addr_ip4((struct ip4){ { 192, 0, 2, (uint8_t)(1 + i) } }));
	e->ip.gso = pc->gso;
	cr_assert_eq(tcp_new(&e->tcp, &conf, &e->ip, &e->pool, &e->wheel, &pr->rng,
			     &e->key, &e->trace, pr->now_ns),
		     0);
}

static void end_fini(struct pair *pr, struct end *e)
{
	const struct tcp_stats *st = tcp_stats(e->tcp);

	pr->result->rto += st->rto;
	pr->result->fast_recovery += st->fast_recovery;
	pr->result->ecn_reduced += st->ecn_reduced;
	pr->result->fastopen_in += st->fastopen_in;
	tcp_free(e->tcp);
	fake_ip_fini(&e->ip);
	cr_assert_eq(e->wheel.n_armed, 0, "seed %lu: timers", pr->conf->seed);
	cr_assert_eq(e->pool.pkts.n_out, 0, "seed %lu: packets", pr->conf->seed);
	cr_assert_eq(e->pool.bufs.n_out, 0, "seed %lu: buffers", pr->conf->seed);
	pkt_pool_fini(&e->pool);
}

/* As many bytes as the SYN takes. */
static void write_first(struct pair *pr, struct end *e, struct program *pg)
{
	struct stream *s = pg->out;
	uint8_t bytes[2000];
	uint32_t len = s->total < sizeof(bytes) ? s->total : sizeof(bytes);
	ssize_t n;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_of(s, i);
	n = tcp_fastopen(e->tcp, pg->c, bytes, len);
	cr_assert(n == -EINPROGRESS || n >= 0, "seed %lu: says %zd", pr->conf->seed, n);
	s->written = n > 0 ? (uint32_t)n : 0;
}

static void connect_all(struct pair *pr)
{
	struct end *a = &pr->ends[0], *b = &pr->ends[1];
	struct addr any = { .family = ADDR_IP4 };

	cr_assert_eq(tcp_listen(b->tcp, &any, PORT, CONNS_MAX, b, &b->l), 0);
	tcp_listener_set_fastopen(b->l, CONNS_MAX);
	for (unsigned i = 0; i < pr->conf->n_conns; i++) {
		struct flow f = {
			.remote = b->ip.ours,
			.local_port = (uint16_t)(1000 + i),
			.remote_port = PORT,
		};

		for (unsigned k = 0; k < 2; k++) {
			struct stream *s = &pr->streams[i][k];

			s->total = rng_below(&pr->rng, pr->conf->bytes_max + 1);
			s->salt = rng_u32(&pr->rng);
			pr->ends[k].programs[i].out = s;
			pr->ends[!k].programs[i].in = s;
		}
		cr_assert_eq(tcp_connect(a->tcp, &f, a, pr->now_ns, &a->programs[i].c),
			     0);
		if (pr->conf->fastopen)
			write_first(pr, a, &a->programs[i]);
		tcp_set(a->tcp, a->programs[i].c, TCP_OPT_NODELAY,
			rng_chance(&pr->rng, 0.3));
	}
}

void pair_run(const struct pair_conf *conf, struct pair_result *result)
{
	struct pair *pr = calloc(1, sizeof(*pr));

	*result = (struct pair_result){ 0 };
	pr->conf = conf;
	pr->result = result;
	pr->now_ns = 100 * NS_PER_S;
	rng_init(&pr->rng, conf->seed);
	end_init(pr, 0);
	end_init(pr, 1);
	connect_all(pr);
	run(pr);
	tcp_listener_close(pr->ends[1].tcp, pr->ends[1].l, pr->now_ns);
	end_fini(pr, &pr->ends[0]);
	end_fini(pr, &pr->ends[1]);
	free(pr);
}

void pair_conf_random(struct pair_conf *conf, uint64_t seed)
{
	struct rng r;

	rng_init(&r, seed * 77 + 1);
	*conf = (struct pair_conf){
		.seed = seed,
		.n_conns = 1 + rng_below(&r, 4),
		.bytes_max = 1u << (4 + rng_below(&r, 15)),
		.loss = rng_below(&r, 8) / 100.0,
		.dup = rng_below(&r, 3) / 100.0,
		.reorder = rng_below(&r, 10) / 100.0,
		.corrupt = rng_below(&r, 3) / 100.0,
		.delay_us = 20u << rng_below(&r, 12),
		.rate_mbit = rng_below(&r, 2) ? 1u << rng_below(&r, 10) : 0,
		.n_bufs = rng_below(&r, 4) ? 0 : 64 + rng_below(&r, 200),
		.rcvbuf = 4096u << rng_below(&r, 9),
		.sndbuf = 4096u << rng_below(&r, 9),
		.sack = rng_below(&r, 4),
		.timestamps = rng_below(&r, 4),
		.window_scale = rng_below(&r, 4),
		.gso = rng_below(&r, 2),
		.whole_frames = rng_below(&r, 2),
		.ecn = { (uint8_t)rng_below(&r, TCP_N_ECN),
			 (uint8_t)rng_below(&r, TCP_N_ECN) },
		.mark = rng_below(&r, 4) / 20.0,
	};
	conf->fastopen = conf->dup == 0 && rng_below(&r, 2);
}
