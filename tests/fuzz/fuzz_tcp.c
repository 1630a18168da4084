/*
 * Segments, ICMP errors, time and a program that does anything, against one struct tcp
 * with a listener and a few connections; the invariants are asked after each step, and
 * at the end nothing is out.
 *
 * The input is a list of steps: one byte says what, the next ones how.  Numbers in
 * segments are near those of the connection they are for, so that they get far.
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
#include "tcp/fastopen.h"
#include "tcp/tcp.h"
#include "tests/lib/fake_ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

enum {
	PORT = 25,
	FIRST_PEER_PORT = 5000,
	N_PEERS = 4,
	N_CONNS = 8,
	N_PKTS = 2048,
	N_BUFS = 512,
	STEPS_MAX = 4000,
};

enum fuzz_step {
	STEP_SEGMENT,
	STEP_NEXT_SEGMENT, /* acceptable but for what the input changes */
	STEP_RAW,
	STEP_TICK,
	STEP_LONG_TICK,
	STEP_WRITE,
	STEP_READ,
	STEP_READ_PKT,
	STEP_URGENT,
	STEP_SHUTDOWN,
	STEP_CLOSE,
	STEP_ABORT,
	STEP_ACCEPT,
	STEP_CONNECT,
	STEP_OPTION,
	STEP_ICMP,
	STEP_PATH,
	STEP_TURN,
	N_STEPS
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
	struct tcp_conn *conns[N_CONNS]; /* ours */
	uint64_t now_ns;
};

static struct addr peer_addr(void)
{
	return addr_ip4((struct ip4){ { 198, 51, 100, 1 } });
}

static void init(struct fuzz *f, unsigned how)
{
	struct addr any = { .family = ADDR_IP4 };
	struct tcp_conf conf;

	tcp_conf_default(&conf);
	conf.max_conns = N_CONNS;
	conf.max_syn = 2;
	conf.max_time_wait = 2;
	conf.rcvbuf = how & 1 ? 100000 : 5000;
	conf.sndbuf = how & 2 ? 100000 : 5000;
	conf.ooo_bytes_max = 40000;
	conf.sack = how & 4;
	conf.timestamps = how & 8;
	conf.window_scale = how & 16;
	conf.ecn = how & 64 ? TCP_ECN_ACC : TCP_ECN_CLASSIC;
	if (how & 128)
		conf.fastopen |= TCP_FO_CLIENT_BARE | TCP_FO_SERVER_BARE;
	f->now_ns = 1000 * NS_PER_S;
	f->key = (struct hash_key){ { 1, 2 } };
	ASSERT(pkt_pool_init(&f->pool, N_PKTS, N_BUFS) == 0);
	wheel_init(&f->wheel, f->now_ns);
	rng_init(&f->rng, how);
	fake_ip_init(&f->ip, addr_ip4((struct ip4){ { 192, 0, 2, 1 } }));
	f->ip.gso = how & 32;
	ASSERT(tcp_new(&f->tcp, &conf, &f->ip, &f->pool, &f->wheel, &f->rng, &f->key,
		       &f->trace, f->now_ns) == 0);
	ASSERT(tcp_listen(f->tcp, &any, PORT, 2, NULL, &f->l) == 0);
	tcp_listener_set_fastopen(f->l, 2);
	tcp_listener_set_defer(f->l, how & 32 ? 3 : 0);
}

static void fini(struct fuzz *f)
{
	tcp_free(f->tcp);
	fake_ip_fini(&f->ip);
	ASSERT(f->wheel.n_armed == 0);
	ASSERT(f->pool.pkts.n_out == 0 && f->pool.bufs.n_out == 0);
	pkt_pool_fini(&f->pool);
}

/* ---- segments ---- */

/* Hands it over as IP does; the sum is taken for right. */
static void deliver(struct fuzz *f, struct pkt *p)
{
	p->src = peer_addr();
	p->dst = f->ip.ours;
	p->proto = IP_PROTO_TCP;
	p->flags |= PKT_SUM_OK;
	p->tos = p->total_len & 3;
	if (tcp_input(f->tcp, p, f->now_ns).verdict != V_KEPT)
		pkt_free(p);
}

/* Any connection of the table; NULL: none has that number. */
static struct tcp_conn *some_conn(struct fuzz *f)
{
	return tcp_conn_at(f->tcp, rd8(&f->in) % N_CONNS);
}

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

static void segment(struct fuzz *f, bool next)
{
	struct pkt *p = pkt_new_buf(&f->pool, PKT_DATA, 0);
	const struct tcp_conn *c = some_conn(f);
	uint32_t seq = rd16(&f->in), ack = rd16(&f->in), options_len, payload_len;
	uint8_t h[TCP_HEADER_MAX] = { 0 };

	if (!p)
		return;
	put16(h, (uint32_t)FIRST_PEER_PORT + rd8(&f->in) % N_PEERS);
	put16(h + 2, PORT);
	if (c) {
		put16(h, c->flow.remote_port);
		put16(h + 2, c->flow.local_port);
		seq = c->rcv_nxt.n + (next ? 0 : (uint32_t)(int16_t)seq);
		ack = next ? c->snd_una.n + ack % (tcp_conn_flight(c) + 1) :
			     c->snd_nxt.n + (uint32_t)(int16_t)ack;
	}
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[13] = next ? TCP_ACK | (rd8(&f->in) & TCP_PSH) : rd8(&f->in);
	put16(h + 14, rd16(&f->in));
	put16(h + 18, rd8(&f->in));
	options_len = rd8(&f->in) % 11 * 4;
	rd_copy(&f->in, h + 20, options_len);
	h[12] = (uint8_t)((20 + options_len) / 4 << 4);
	pkt_append(p, h, 20 + options_len);
	payload_len = rd16(&f->in) % 3000;
	memset(p->data + p->len, 'x', payload_len);
	p->len += payload_len;
	p->total_len += payload_len;
	deliver(f, p);
}

static void raw(struct fuzz *f)
{
	struct pkt *p = pkt_new_buf(&f->pool, PKT_DATA, 0);
	uint8_t bytes[RD_TAKE_MAX];
	uint8_t len = rd8(&f->in) % RD_TAKE_MAX;

	rd_copy(&f->in, bytes, len);
	if (!p)
		return;
	pkt_append(p, bytes, len);
	deliver(f, p);
}

static void icmp(struct fuzz *f)
{
	struct ip_quote quote = { .error = (enum ip_error)(rd8(&f->in) % 9),
				  .mtu = rd16(&f->in) };
	const struct tcp_conn *c = some_conn(f);
	struct pkt *p = pkt_new_buf(&f->pool, PKT_DATA, 0);
	uint8_t b[8] = { 0, PORT, FIRST_PEER_PORT >> 8, FIRST_PEER_PORT & 255 };

	if (!p)
		return;
	if (c) {
		put16(b, c->flow.local_port);
		put16(b + 2, c->flow.remote_port);
		put32(b + 4, c->snd_una.n + (uint32_t)(int8_t)rd8(&f->in));
	}
	pkt_append(p, b, sizeof(b));
	p->src = f->ip.ours;
	p->dst = peer_addr();
	memcpy(p->cb, &quote, sizeof(quote));
	tcp_error_input(f->tcp, p, f->now_ns);
	pkt_free(p);
}

/* ---- the program ---- */

static void keep(struct fuzz *f, struct tcp_conn *c)
{
	for (unsigned i = 0; c && i < N_CONNS; i++) {
		if (!f->conns[i]) {
			f->conns[i] = c;
			return;
		}
	}
}

static void connect_out(struct fuzz *f)
{
	struct flow flow = { .remote = peer_addr(), .remote_port = rd8(&f->in) };
	bool fast = rd_left(&f->in) & 1;
	struct tcp_conn *c;

	if (tcp_connect(f->tcp, &flow, NULL, f->now_ns, &c))
		return;
	if (fast)
		tcp_fastopen(f->tcp, c, "0123456789", 10);
	keep(f, c);
}

static void read_pkt(struct fuzz *f, struct tcp_conn *c)
{
	struct pkt *p = NULL;

	if (tcp_recv_pkt(f->tcp, c, &p) == 0 && p)
		tcp_recv_pkt_done(f->tcp, c, p);
}

static void set_option(struct fuzz *f, struct tcp_conn *c)
{
	enum tcp_opt opt = (enum tcp_opt)(rd8(&f->in) % (TCP_OPT_TTL + 1));

	tcp_set(f->tcp, c, opt, rd16(&f->in));
}

/* What a program does with a connection of its own. */
static void use(struct fuzz *f, enum fuzz_step step)
{
	struct tcp_conn **slot = &f->conns[rd8(&f->in) % N_CONNS], *c = *slot;
	static const char bytes[4000];
	char room[4000];

	if (!c)
		return;
	(void)tcp_conn_news(c);
	if (step == STEP_WRITE) {
		tcp_send(f->tcp, c, bytes, rd16(&f->in) % sizeof(bytes), rd8(&f->in) & 1);
	} else if (step == STEP_READ) {
		tcp_recv(f->tcp, c, room, rd16(&f->in) % sizeof(room), rd8(&f->in) & 1);
	} else if (step == STEP_READ_PKT) {
		read_pkt(f, c);
	} else if (step == STEP_URGENT) {
		tcp_send_urgent(f->tcp, c);
		tcp_recv_urgent(f->tcp, c, room);
	} else if (step == STEP_SHUTDOWN) {
		tcp_shutdown_send(f->tcp, c);
		if (rd8(&f->in) & 1)
			tcp_shutdown_recv(f->tcp, c);
	} else if (step == STEP_OPTION) {
		set_option(f, c);
	} else {
		*slot = NULL;
		(step == STEP_CLOSE ? tcp_close : tcp_abort)(f->tcp, c, f->now_ns);
	}
}

/* ---- steps ---- */

static void take_step(struct fuzz *f, enum fuzz_step step)
{
	switch (step) {
	case STEP_SEGMENT: segment(f, false); break;
	case STEP_NEXT_SEGMENT: segment(f, true); break;
	case STEP_RAW: raw(f); break;
	case STEP_TICK:
	case STEP_LONG_TICK:
		f->now_ns += (step == STEP_TICK ? NS_PER_MS : NS_PER_S) * rd8(&f->in);
		wheel_run(&f->wheel, f->now_ns);
		break;
	case STEP_WRITE:
	case STEP_READ:
	case STEP_READ_PKT:
	case STEP_URGENT:
	case STEP_SHUTDOWN:
	case STEP_CLOSE:
	case STEP_ABORT:
	case STEP_OPTION: use(f, step); break;
	case STEP_ACCEPT: keep(f, tcp_accept(f->tcp, f->l, NULL)); break;
	case STEP_CONNECT: connect_out(f); break;
	case STEP_ICMP: icmp(f); break;
	case STEP_PATH:
		f->ip.mtu = 500u + rd16(&f->in) % 1000;
		f->ip.error = rd8(&f->in) & 1 ? -5 : 0;
		break;
	case STEP_TURN:
		while (tcp_ready_pop(f->tcp) || tcp_ready_listener_pop(f->tcp))
			;
		tcp_speak(f->tcp, f->now_ns);
		break;
	case N_STEPS: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct fuzz f;
	struct pkt *p;

	memset(&f, 0, sizeof(f));
	f.in = rd_of(input, len);
	init(&f, rd8(&f.in));
	for (unsigned i = 0; i < STEPS_MAX && rd_left(&f.in); i++) {
		uint8_t step = rd8(&f.in);

		take_step(&f, (enum fuzz_step)(step % N_STEPS));
		if (step & 128)
			tcp_speak(f.tcp, f.now_ns);
		tcp_check(f.tcp);
		while ((p = fake_ip_pop(&f.ip)))
			pkt_free(p);
	}
	fini(&f);
	return 0;
}
