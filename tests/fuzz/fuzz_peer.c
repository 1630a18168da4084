/*
 * One connection against a peer that knows its numbers: what the input says gets past
 * every acceptance check, true, a little wrong, or a lie.
 *
 * The input is a list of steps, a byte each with its arguments behind it.  The peer keeps
 * what it received and acknowledges that, or less; its reports (SACK) may be true, of
 * bytes that it does not have, or of bytes twice; it sends in order, ahead, again, with
 * old timestamps, FINs and resets; its window shrinks.  After each step the invariants
 * are asked.  Of all that comes from the stack the bytes must be those that were
 * written, inside the window that was offered once, and acknowledge what was sent; all
 * that is read must be what the peer sent.  At the end the peer becomes honest: everything
 * that was written must arrive.
 */
#include <string.h>

#include "ip/ip.h"
#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/hash.h"
#include "stack/base/rng.h"
#include "stack/base/trace.h"
#include "stack/base/wheel.h"
#include "tcp/conn.h"
#include "tcp/tcp.h"
#include "tests/lib/fake_ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

enum {
	PORT = 25,
	PEER_PORT = 5000,
	PEER_ISN = 0x7fffff00, /* the peer's numbers soon change their sign */
	N_PKTS = 2048,
	N_BUFS = 512,
	STEPS_MAX = 2000,
	STREAM_MAX = 1 << 17, /* bytes of either direction */
	WINDOW = 60000,
	HONEST_TURNS = 4000,
};

enum fuzz_step {
	STEP_HEAR, /* the oldest packets of the stack arrive, or are lost */
	STEP_ACK,
	STEP_ACK_LESS,
	STEP_LIE,   /* reports bytes that it may not have */
	STEP_TWICE, /* a D-SACK */
	STEP_DATA,
	STEP_AHEAD,
	STEP_OLD,
	STEP_WINDOW,
	STEP_FLAGS,
	STEP_OLD_STAMP,
	STEP_ICMP,
	STEP_TICK,
	STEP_TIMER, /* the next timer fires */
	STEP_HOUR,
	STEP_WRITE,
	STEP_READ,
	STEP_SHUTDOWN,
	STEP_OPTION,
	STEP_CLOSE,
	N_STEPS
};

/* A segment that the peer sends. */
struct say {
	uint32_t at, len; /* offset of its payload */
	uint8_t flags;
	unsigned n_sack;
	uint32_t sack[4][2]; /* offsets of the stack's bytes */
	uint32_t ack;	     /* the same */
	uint32_t stamp_back;
};

struct fuzz {
	struct rd in;
	struct pkt_pool pool;
	struct wheel wheel;
	struct rng rng;
	struct hash_key key;
	struct trace trace;
	struct ip ip;
	struct tcp *tcp;
	struct tcp_listener *l;
	struct tcp_conn *c;
	uint64_t now_ns;

	bool ts, sack, over; /* the connection may have ended */
	uint32_t isn;	     /* the stack's */
	uint32_t stamp;	     /* its last timestamp */
	uint32_t written, read;
	uint32_t sent;	       /* by the peer, as far as it went */
	uint32_t cum, high;    /* received by the peer: all before; none behind */
	uint32_t window, edge; /* offered; the furthest ever */
	bool fin_in, fin_out;
	uint8_t got[STREAM_MAX];
};

static uint8_t byte_of(uint32_t at, uint32_t salt)
{
	return (uint8_t)((at * 2654435761u + salt) >> 13);
}

static struct addr peer_addr(void)
{
	return addr_ip4((struct ip4){ { 198, 51, 100, 1 } });
}

/* ---- what the peer says ---- */

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v);
}

/* Offset 0 is the number behind the SYN. */
static uint32_t ours(const struct fuzz *f, uint32_t at)
{
	return f->isn + 1 + at;
}

static uint32_t put_options(struct fuzz *f, const struct say *s, uint8_t *o)
{
	uint32_t n = 0;

	if (f->ts) {
		memcpy(o, "\1\1\10\12", 4);
		put32(o + 4, (uint32_t)(f->now_ns / NS_PER_MS) - s->stamp_back);
		put32(o + 8, f->stamp);
		n = 12;
	}
	if (s->flags & TCP_SYN) {
		memcpy(o + n, "\2\4\5\264\1\3\3\0", 8);
		n += 8;
		if (f->sack) {
			memcpy(o + n, "\4\2\1\1", 4);
			n += 4;
		}
	} else if (f->sack && s->n_sack) {
		unsigned most = f->ts ? 3 : 4, k = s->n_sack < most ? s->n_sack : most;

		o[n] = o[n + 1] = 1;
		o[n + 2] = 5;
		o[n + 3] = (uint8_t)(2 + 8 * k);
		n += 4;
		for (unsigned i = 0; i < k; i++, n += 8) {
			put32(o + n, ours(f, s->sack[i][0]));
			put32(o + n + 4, ours(f, s->sack[i][1]));
		}
	}
	return n;
}

static void say(struct fuzz *f, const struct say *s)
{
	struct pkt *p = pkt_new_buf(&f->pool, PKT_DATA, 0);
	uint8_t h[TCP_HEADER_MAX] = { 0 };
	uint32_t n;

	if (!p)
		return;
	put16(h, PEER_PORT);
	put16(h + 2, PORT);
	put32(h + 4, s->flags & TCP_SYN ? PEER_ISN : PEER_ISN + 1 + s->at);
	if (s->flags & TCP_ACK)
		put32(h + 8, ours(f, s->ack));
	h[13] = s->flags;
	put16(h + 14, f->window);
	if (s->ack + f->window > f->edge)
		f->edge = s->ack + f->window;
	n = 20 + put_options(f, s, h + 20);
	h[12] = (uint8_t)(n / 4 << 4);
	pkt_append(p, h, n);
	for (uint32_t i = 0; i < s->len; i++)
		p->data[p->len + i] = byte_of(s->at + i, 7);
	p->len += s->len;
	p->total_len += s->len;
	p->src = peer_addr();
	p->dst = f->ip.ours;
	p->proto = IP_PROTO_TCP;
	p->flags |= PKT_SUM_OK;
	if (tcp_input(f->tcp, p, f->now_ns).verdict != V_KEPT)
		pkt_free(p);
}

/* What it has beyond a hole, the highest first. */
static void true_reports(const struct fuzz *f, struct say *s)
{
	uint32_t at = f->high;

	while (s->n_sack < 4 && at > f->cum) {
		uint32_t end = at, start;

		while (at > f->cum && f->got[at - 1])
			at--;
		start = at;
		while (at > f->cum && !f->got[at - 1])
			at--;
		if (start < end) {
			s->sack[s->n_sack][0] = start;
			s->sack[s->n_sack++][1] = end;
		}
	}
}

static void acknowledge(struct fuzz *f, uint32_t ack)
{
	struct say s = { .at = f->sent, .flags = TCP_ACK, .ack = ack };

	s.at += f->fin_out;
	/* Bytes that it sent early count: what is older brings no new window. */
	if (f->c && seq_after(f->c->snd_wl1, (struct seq){ PEER_ISN + 1 + s.at }))
		s.at = f->c->snd_wl1.n - (PEER_ISN + 1);
	true_reports(f, &s);
	say(f, &s);
}

/* ---- what it hears ---- */

static uint32_t stamp_of(const uint8_t *h, uint32_t n)
{
	for (uint32_t i = 20; i + 1 < n && h[i];) {
		if (h[i] == 8)
			return be32(h + i + 2);
		i += h[i] == 1 ? 1 : h[i + 1];
	}
	return 0;
}

/* Its headers lie in the first descriptor, and its bytes in any. */
static void hear(struct fuzz *f, const struct pkt *p, bool lost)
{
	static uint8_t bytes[70000];
	uint32_t n = 0, header, at, len;

	for (const struct pkt *d = p; d; d = d->next) {
		memcpy(bytes + n, d->data, d->len);
		n += d->len;
	}
	header = (uint32_t)(bytes[12] >> 4) * 4;
	len = n - header;
	at = be32(bytes + 4) - f->isn - 1;
	f->over |= !!(bytes[13] & TCP_RST);
	if (f->over || bytes[13] & TCP_SYN)
		return;
	/* It acknowledges what was sent, and no more. */
	ASSERT(be32(bytes + 8) - PEER_ISN - 1 <= f->sent + f->fin_out);
	ASSERT(len == 0 || at + len <= f->written);
	/* A window is not exceeded but by a probe of a byte. */
	ASSERT(len <= 1 || at + len <= f->edge);
	for (uint32_t i = 0; i < len; i++)
		ASSERT(bytes[header + i] == byte_of(at + i, 0));
	if (lost)
		return;
	if (f->ts)
		f->stamp = stamp_of(bytes, header);
	if (len)
		memset(f->got + at, 1, len);
	f->high = at + len > f->high && len ? at + len : f->high;
	while (f->cum < f->high && f->got[f->cum])
		f->cum++;
	if (bytes[13] & TCP_FIN && at + len == f->written && f->cum == f->written)
		f->fin_in = true;
}

static bool hear_one(struct fuzz *f, bool lost)
{
	struct pkt *p = fake_ip_pop(&f->ip);

	if (!p)
		return false;
	hear(f, p, lost);
	pkt_free(p);
	return true;
}

/* ---- steps ---- */

static void lie(struct fuzz *f, bool twice)
{
	struct say s = { .at = f->sent + f->fin_out, .flags = TCP_ACK, .ack = f->cum };
	uint32_t from = twice ? 0 : f->cum, span = twice ? f->cum : 20000;

	s.n_sack = 1 + rd8(&f->in) % 3;
	for (unsigned i = 0; i < s.n_sack; i++) {
		s.sack[i][0] = from + (span ? rd16(&f->in) % span : 0);
		s.sack[i][1] = s.sack[i][0] + rd16(&f->in) % 3000;
		from = twice ? f->cum : from;
		span = 20000;
	}
	say(f, &s);
}

static void data(struct fuzz *f, enum fuzz_step step)
{
	struct say s = { .at = f->sent, .flags = TCP_ACK | TCP_PSH, .ack = f->cum };
	uint32_t n = rd16(&f->in) % 3000, back = rd16(&f->in);

	s.len = 1 + n % 1460;
	if (f->fin_out || f->sent + 70000 > STREAM_MAX)
		step = STEP_OLD;
	if (step == STEP_AHEAD) {
		s.at += 1 + back % 20000;
	} else if (step == STEP_OLD) {
		s.at -= back % (f->sent + 1);
		s.len = s.len < f->sent - s.at ? s.len : f->sent - s.at;
	}
	if (s.at + s.len > f->sent)
		f->sent = s.at + s.len;
	say(f, &s);
}

/* FIN, RST, SYN, ECE, CWR: with the very number, or a little beside it. */
static void flags(struct fuzz *f)
{
	struct say s = { .at = f->sent + f->fin_out, .ack = f->cum };
	uint8_t off = rd8(&f->in);

	s.flags = rd8(&f->in) & (uint8_t)~TCP_URG;
	s.at += off & 1 ? off : 0;
	if (s.flags & TCP_RST)
		f->over = true;
	if (s.flags & TCP_FIN && !(off & 1))
		f->fin_out = true;
	else
		s.flags &= (uint8_t)~TCP_FIN;
	if (f->fin_out && s.flags & TCP_FIN)
		s.at = f->sent;
	say(f, &s);
}

static void icmp(struct fuzz *f)
{
	struct ip_quote quote = { .error = (enum ip_error)(rd8(&f->in) % 9),
				  .mtu = rd16(&f->in) };
	struct pkt *p = pkt_new_buf(&f->pool, PKT_DATA, 0);
	uint8_t b[8] = { 0, PORT, PEER_PORT >> 8, PEER_PORT & 255 };

	if (!p)
		return;
	put32(b + 4, ours(f, f->cum + rd16(&f->in)));
	pkt_append(p, b, sizeof(b));
	p->src = f->ip.ours;
	p->dst = peer_addr();
	memcpy(p->cb, &quote, sizeof(quote));
	tcp_error_input(f->tcp, p, f->now_ns);
	pkt_free(p);
}

static void pass(struct fuzz *f, uint64_t ns)
{
	f->now_ns += ns;
	wheel_run(&f->wheel, f->now_ns);
}

static void next_timer(struct fuzz *f)
{
	uint64_t due = wheel_due(&f->wheel);

	if (due != TIMER_NEVER && due > f->now_ns)
		f->now_ns = due;
	wheel_run(&f->wheel, f->now_ns);
}

static void write_some(struct fuzz *f, uint32_t n)
{
	static uint8_t bytes[STREAM_MAX];
	ssize_t r;

	if (n > STREAM_MAX - f->written)
		n = STREAM_MAX - f->written;
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = byte_of(f->written + i, 0);
	r = f->c && n ? tcp_send(f->tcp, f->c, bytes, n, rd_left(&f->in) & 1) : 0;
	if (r > 0)
		f->written += (uint32_t)r;
}

static void read_some(struct fuzz *f, uint32_t n)
{
	static uint8_t bytes[65536];
	ssize_t r = f->c ? tcp_recv(f->tcp, f->c, bytes, n, false) : 0;

	for (ssize_t i = 0; i < r; i++)
		ASSERT(bytes[i] == byte_of(f->read++, 7));
	ASSERT(f->read <= f->sent);
}

static void close_it(struct fuzz *f)
{
	if (!f->c)
		return;
	f->over = true;
	(rd8(&f->in) & 1 ? tcp_close : tcp_abort)(f->tcp, f->c, f->now_ns);
	f->c = NULL;
}

static void old_stamp(struct fuzz *f)
{
	struct say s = { .at = f->sent + f->fin_out,
			 .flags = TCP_ACK,
			 .ack = f->cum,
			 .stamp_back = rd16(&f->in) };

	say(f, &s);
}

static void take_step(struct fuzz *f, enum fuzz_step step)
{
	enum tcp_opt opt;

	switch (step) {
	case STEP_HEAR:
		for (uint8_t how = rd8(&f->in), i = 0; i <= how % 16; i++)
			hear_one(f, how >> 4 & 1 << i % 4);
		break;
	case STEP_ACK: acknowledge(f, f->cum); break;
	case STEP_ACK_LESS:
		acknowledge(f,
			    f->cum - rd16(&f->in) % (f->cum < 9000 ? f->cum + 1 : 9000));
		break;
	case STEP_LIE:
	case STEP_TWICE: lie(f, step == STEP_TWICE); break;
	case STEP_DATA:
	case STEP_AHEAD:
	case STEP_OLD: data(f, step); break;
	case STEP_WINDOW: f->window = rd16(&f->in); break;
	case STEP_FLAGS: flags(f); break;
	case STEP_OLD_STAMP: old_stamp(f); break;
	case STEP_ICMP: icmp(f); break;
	case STEP_TICK: pass(f, NS_PER_MS * rd8(&f->in)); break;
	case STEP_TIMER: next_timer(f); break;
	case STEP_HOUR: pass(f, NS_PER_S * 20 * rd8(&f->in)); break;
	case STEP_WRITE: write_some(f, rd16(&f->in)); break;
	case STEP_READ: read_some(f, rd16(&f->in)); break;
	case STEP_SHUTDOWN:
		if (f->c && rd8(&f->in) % 4 == 0)
			tcp_shutdown_send(f->tcp, f->c);
		break;
	case STEP_OPTION:
		opt = (enum tcp_opt)(rd8(&f->in) % (TCP_OPT_L4S + 1));
		if (f->c && opt != TCP_OPT_USER_TIMEOUT_MS && opt != TCP_OPT_KEEPALIVE)
			tcp_set(f->tcp, f->c, opt, rd16(&f->in));
		break;
	case STEP_CLOSE: close_it(f); break;
	case N_STEPS: break;
	}
}

/* The turn ends. */
static void turn(struct fuzz *f)
{
	while (tcp_ready_pop(f->tcp) || tcp_ready_listener_pop(f->tcp))
		;
	tcp_speak(f->tcp, f->now_ns);
	tcp_check(f->tcp);
}

/* ---- from the handshake to the end ---- */

static bool open_it(struct fuzz *f, bool active)
{
	struct flow flow = { .remote = peer_addr(),
			     .remote_port = PEER_PORT,
			     .local_port = PORT };
	struct say syn = { .flags = TCP_SYN }, ack = { .flags = TCP_ACK };
	struct pkt *p;

	if (active && tcp_connect(f->tcp, &flow, NULL, f->now_ns, &f->c))
		return false;
	if (!active)
		say(f, &syn);
	turn(f);
	p = fake_ip_pop(&f->ip);
	ASSERT(p);
	f->isn = be32(p->data + 4);
	f->stamp = stamp_of(p->data, (uint32_t)(p->data[12] >> 4) * 4);
	pkt_free(p);
	syn.flags = TCP_SYN | TCP_ACK;
	say(f, active ? &syn : &ack);
	if (!active)
		f->c = tcp_accept(f->tcp, f->l, NULL);
	turn(f);
	return f->c;
}

static void init(struct fuzz *f, unsigned how)
{
	struct addr any = { .family = ADDR_IP4 };
	struct tcp_conf conf;

	tcp_conf_default(&conf);
	conf.max_conns = conf.max_syn = conf.max_time_wait = 4;
	conf.rcvbuf = how & 1 ? 60000 : 6000;
	conf.sndbuf = how & 2 ? 60000 : 6000;
	conf.sack = f->sack = how & 4;
	conf.timestamps = f->ts = how & 8;
	if (how & 16)
		conf.cc = "reno";
	f->window = f->edge = WINDOW;
	f->now_ns = 1000 * NS_PER_S;
	f->key = (struct hash_key){ { 1, 2 } };
	ASSERT(pkt_pool_init(&f->pool, N_PKTS, N_BUFS) == 0);
	wheel_init(&f->wheel, f->now_ns);
	rng_init(&f->rng, how);
	fake_ip_init(&f->ip, addr_ip4((struct ip4){ { 192, 0, 2, 1 } }));
	ASSERT(tcp_new(&f->tcp, &conf, &f->ip, &f->pool, &f->wheel, &f->rng, &f->key,
		       &f->trace, f->now_ns) == 0);
	ASSERT(tcp_listen(f->tcp, &any, PORT, 2, NULL, &f->l) == 0);
}

static void fini(struct fuzz *f)
{
	tcp_free(f->tcp);
	fake_ip_fini(&f->ip);
	ASSERT(f->wheel.n_armed == 0);
	ASSERT(f->pool.pkts.n_out == 0 && f->pool.bufs.n_out == 0);
	pkt_pool_fini(&f->pool);
}

/* All that was written arrives, once the peer takes it and says the truth. */
static void be_honest(struct fuzz *f)
{
	f->window = WINDOW;
	f->ip.mtu = 1500;
	for (unsigned i = 0; f->c && !f->over && f->cum < f->written; i++) {
		ASSERT(i < HONEST_TURNS);
		acknowledge(f, f->cum);
		turn(f);
		if (!f->ip.first)
			next_timer(f);
		turn(f);
		while (hear_one(f, false))
			;
		f->over |= tcp_error(f->c) != 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct fuzz f;
	unsigned how;

	memset(&f, 0, sizeof(f));
	f.in = rd_of(input, len);
	how = rd8(&f.in);
	init(&f, how);
	if (open_it(&f, how & 32)) {
		for (unsigned i = 0; i < STEPS_MAX && rd_left(&f.in); i++) {
			uint8_t step = rd8(&f.in);

			take_step(&f, (enum fuzz_step)(step % N_STEPS));
			tcp_check(f.tcp);
			/* Behind its end there may be another one. */
			f.over |= !f.c || tcp_error(f.c);
			if (step & 128 || step % N_STEPS == STEP_WRITE)
				turn(&f);
		}
		be_honest(&f);
		if (f.c)
			tcp_abort(f.tcp, f.c, f.now_ns);
		turn(&f);
	}
	fini(&f);
	return 0;
}
