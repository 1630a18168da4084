#include "tests/lib/tcp_dialog.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ip/ip.h"
#include "stack/base/byte.h"
#include "stack/base/clock.h"
#include "tests/lib/build6.h"
#include "tests/lib/tcp_line.h"

enum { N_PKTS = 8192, N_BUFS = 4096, SEGMENT_MAX = 65536 };

static const struct ip4 our_ip = { { 192, 0, 2, 1 } };
static const struct ip4 peer_ip = { { 198, 51, 100, 1 } };

static const struct ip6 our_ip6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct ip6 peer_ip6 = { { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 } };

static bool is_ip6(const struct dialog *d)
{
	return d->ip.ours.family == ADDR_IP6;
}

struct addr dialog_peer_addr(const struct dialog *d)
{
	return is_ip6(d) ? addr_ip6(peer_ip6) : addr_ip4(peer_ip);
}

struct addr dialog_other_addr(const struct dialog *d)
{
	static const struct ip6 other6 = { { 0xfd, [15] = 1 } };
	static const struct ip4 other4 = { { 10, 0, 0, 1 } };

	return is_ip6(d) ? addr_ip6(other6) : addr_ip4(other4);
}

/* The sum of the pseudo header, which does not care whose side it is seen from. */
static uint32_t pseudo(const struct dialog *d, uint32_t len)
{
	return is_ip6(d) ? build_pseudo6(peer_ip6, our_ip6, 6, len) :
			   build_pseudo(peer_ip, our_ip, 6, len);
}

uint8_t dialog_byte(uint32_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 3 + (offset >> 16));
}

/* ---- life ---- */

void dialog_conf(struct tcp_conf *conf)
{
	tcp_conf_default(conf);
	conf->max_conns = 64;
	conf->max_syn = 16;
	conf->max_time_wait = 64;
	conf->rcvbuf = 65535;
	conf->sndbuf = 200000;
}

void dialog_begin(struct dialog *d, const struct tcp_conf *conf)
{
	const char *family = getenv("DIALOG_FAMILY");

	memset(d, 0, sizeof(*d));
	d->now_ns = 1000 * NS_PER_S;
	d->key = (struct hash_key){ { 1, 2 } };
	d->first = (struct dialog_peer){ .port = DIALOG_PEER_PORT, .isn = 0xfffffc00 };
	d->peer = &d->first;
	d->local_port = DIALOG_PORT;
	dialog_conf(&d->conf);
	if (conf)
		d->conf = *conf;
	cr_assert_eq(pkt_pool_init(&d->pool, N_PKTS, N_BUFS), 0);
	wheel_init(&d->wheel, d->now_ns);
	rng_init(&d->rng, 1);
	fake_ip_init(&d->ip,
		     family && *family == '6' ? addr_ip6(our_ip6) : addr_ip4(our_ip));
	cr_assert_eq(tcp_new(&d->tcp, &d->conf, &d->ip, &d->pool, &d->wheel, &d->rng,
			     &d->key, &d->trace, d->now_ns),
		     0);
}

void dialog_end(struct dialog *d)
{
	pkt_free(d->last);
	tcp_check(d->tcp);
	tcp_free(d->tcp);
	fake_ip_fini(&d->ip);
	ASSERT(d->wheel.n_armed == 0);
	ASSERT(d->pool.pkts.n_out == 0);
	ASSERT(d->pool.bufs.n_out == 0);
	pkt_pool_fini(&d->pool);
}

/* ---- the peer says ---- */

static void store16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void store32(uint8_t *b, uint32_t v)
{
	store16(b, v >> 16);
	store16(b + 2, v);
}

static void add_timestamps(struct dialog *d, struct tcp_line *l)
{
	uint8_t *o = l->options;

	if (l->has_options || !d->peer->ts || (l->flags & 2))
		return;
	store32(o, 0x0101080a);
	store32(o + 4, (uint32_t)(d->now_ns / NS_PER_MS));
	store32(o + 8, d->peer->ts_last);
	l->options_len = 12;
}

/* Where its payload stands in the stream; a SYN is before that. */
static uint32_t first_byte(const struct tcp_line *l, uint32_t isn)
{
	return l->seq - isn - !(l->flags & 2);
}

/* The bytes of the segment; how many. */
static uint32_t segment_bytes(struct dialog *d, const struct tcp_line *l, uint8_t *b)
{
	uint32_t header_len = 20 + l->options_len, len = header_len + l->len;

	memset(b, 0, 20);
	store16(b, d->peer->port);
	store16(b + 2, d->local_port);
	store32(b + 4, l->seq);
	store32(b + 8, l->ack);
	b[12] = (uint8_t)(header_len / 4 << 4 | l->flags >> 8);
	b[13] = (uint8_t)l->flags;
	store16(b + 14, l->has_win ? l->win : 65535);
	store16(b + 18, l->urgent);
	memcpy(b + 20, l->options, l->options_len);
	for (uint32_t i = 0; i < l->len; i++)
		b[header_len + i] = dialog_byte(first_byte(l, d->peer->isn) + i);
	store16(b + 16, (uint16_t)~build_sum(pseudo(d, len), b, len));
	return len;
}

static struct pkt *packet_of(struct dialog *d, const uint8_t *b, uint32_t len)
{
	struct pkt *first = NULL, *p;

	for (uint32_t at = 0, n; at < len; at += n) {
		p = pkt_new_buf(&d->pool, PKT_CONTROL, first ? 0 : 64);
		cr_assert(p, "the pool is too small for the test");
		n = len - at < pkt_room(p) ? len - at : pkt_room(p);
		pkt_append(p, b + at, n);
		if (first)
			pkt_chain(first, p);
		else
			first = p;
	}
	first->src = dialog_peer_addr(d);
	first->dst = d->ip.ours;
	first->proto = IP_PROTO_TCP;
	first->gso_len = d->gso_len;
	first->tos = d->tos;
	first->l4 = first->data;
	return first;
}

static struct tcp_bases bases_in(const struct dialog *d)
{
	const struct dialog_peer *peer = d->peer;

	return (struct tcp_bases){
		.seq = peer->isn,
		.ack = peer->our_isn,
		.sack = peer->our_isn,
		.ts_ecr = peer->ts_base,
	};
}

static struct tcp_bases bases_out(const struct dialog *d)
{
	const struct dialog_peer *peer = d->peer;

	return (struct tcp_bases){
		.seq = peer->our_isn,
		.ack = peer->isn,
		.sack = peer->isn,
		.ts_val = peer->ts_base,
	};
}

void dialog_hear(struct dialog *d, const char *text, const char *file, int at)
{
	static uint8_t bytes[SEGMENT_MAX + 60];
	struct tcp_bases bases = bases_in(d);
	struct tcp_line line;
	const char *bad;
	struct step s;
	struct pkt *p;

	cr_assert(tcp_line_parse(&line, text, &bases, &bad),
		  "%s:%d: \"%s\" not understood at \"%s\"", file, at, text, bad);
	add_timestamps(d, &line);
	p = packet_of(d, bytes, segment_bytes(d, &line, bytes));
	s = tcp_input(d->tcp, p, d->now_ns);
	cr_assert_eq(s.next, NEXT_NONE);
	d->verdict = s.verdict;
	if (s.verdict != V_KEPT)
		pkt_free(p);
}

void dialog_icmp(struct dialog *d, unsigned error, unsigned mtu, uint32_t seq)
{
	struct ip_quote quote = { .error = (enum ip_error)error,
				  .mtu = mtu + fake_ip_more(&d->ip) };
	struct pkt *p = pkt_new_buf(&d->pool, PKT_CONTROL, 0);
	uint8_t b[8];

	store16(b, d->local_port);
	store16(b + 2, d->peer->port);
	store32(b + 4, d->peer->our_isn + seq);
	pkt_append(p, b, sizeof(b));
	p->src = d->ip.ours;
	p->dst = dialog_peer_addr(d);
	memcpy(p->cb, &quote, sizeof(quote));
	d->verdict = tcp_error_input(d->tcp, p, d->now_ns).verdict;
	pkt_free(p);
	dialog_turn(d);
}

/* ---- we say ---- */

void dialog_turn(struct dialog *d)
{
	tcp_speak(d->tcp, d->now_ns);
	tcp_check(d->tcp);
}

static void check_sum(const struct dialog *d, const struct pkt *p, const uint8_t *b,
		      uint32_t len, const char *file, int at)
{
	uint32_t sum = pseudo(d, len);

	if (p->flags & PKT_SUM_PARTIAL) {
		cr_assert(p->l4 == p->data, "%s:%d: l4 is not set", file, at);
		cr_assert_eq(be16(b + 16),
			     build_sum(sum >> 16,
				       (uint8_t[2]){ (uint8_t)(sum >> 8), (uint8_t)sum },
				       2),
			     "%s:%d: partial sum is wrong", file, at);
	} else {
		cr_assert_eq(build_sum(sum, b, len), 0xffff, "%s:%d: sum is wrong", file,
			     at);
	}
}

static void learn(struct dialog *d, const struct tcp_line *l)
{
	struct dialog_peer *peer = d->peer;

	if ((l->flags & 2) && !peer->know_ours) {
		peer->know_ours = true;
		peer->our_isn = l->seq;
		peer->ts = l->has_ts;
		peer->ts_base = l->ts_val;
	}
	if (l->has_ts)
		peer->ts_last = l->ts_val;
}

static void check_payload(const struct dialog *d, const struct tcp_line *l,
			  const uint8_t *payload, const char *file, int at)
{
	for (uint32_t i = 0; i < l->len; i++)
		cr_assert_eq(payload[i], dialog_byte(first_byte(l, d->peer->our_isn) + i),
			     "%s:%d: byte %u of the payload is wrong", file, at, i);
}

void dialog_expect(struct dialog *d, const char *text, const char *file, int at)
{
	static uint8_t b[SEGMENT_MAX + 60];
	char got_text[TCP_LINE_LEN];
	struct tcp_line want, got;
	struct tcp_bases bases;
	const char *bad;
	uint32_t len;

	pkt_free(d->last);
	d->last = fake_ip_pop(&d->ip);
	cr_assert(d->last, "%s:%d: nothing was sent, want \"%s\"", file, at, text);
	len = pkt_read(d->last, 0, b, sizeof(b));
	cr_assert_eq(len, d->last->total_len);
	cr_assert(tcp_line_read(&got, b, len), "%s:%d: a malformed segment", file, at);
	cr_assert_eq(be16(b), d->local_port, "%s:%d: source port", file, at);
	cr_assert_eq(be16(b + 2), d->peer->port, "%s:%d: destination port %u", file, at,
		     be16(b + 2));
	check_sum(d, d->last, b, len, file, at);
	learn(d, &got);
	bases = bases_out(d);
	cr_assert(tcp_line_parse(&want, text, &bases, &bad),
		  "%s:%d: \"%s\" not understood at \"%s\"", file, at, text, bad);
	cr_assert(tcp_line_matches(&want, &got), "%s:%d:\nwant %s\ngot  %s", file, at,
		  text, tcp_line_text(&got, &bases, got_text));
	check_payload(d, &got, b + (len - got.len), file, at);
}

void dialog_drop(struct dialog *d)
{
	pkt_free(d->last);
	d->last = NULL;
	while (d->ip.n_waiting)
		pkt_free(fake_ip_pop(&d->ip));
}

void dialog_drain(struct dialog *d)
{
	uint32_t high = d->peer->our_isn + 1;
	struct tcp_line got = { 0 };
	char line[TCP_LINE_LEN];
	uint8_t b[128];
	struct pkt *p;

	while ((p = fake_ip_pop(&d->ip))) {
		uint32_t len = pkt_read(p, 0, b, sizeof(b));

		cr_assert(tcp_line_read(&got, b, len));
		got.len += p->total_len - len;
		if ((int32_t)(got.seq + got.len - high) > 0)
			high = got.seq + got.len;
		pkt_free(p);
		while (!d->ip.n_waiting && tcp_wants_to_speak(d->tcp))
			dialog_turn(d);
		if (d->ip.n_waiting)
			continue;
		snprintf(line, sizeof(line), ". %u:%u(0) ack %u", got.ack - d->peer->isn,
			 got.ack - d->peer->isn, high - d->peer->our_isn);
		inject(d, line);
	}
}

void dialog_nothing(struct dialog *d, const char *file, int at)
{
	struct tcp_bases bases = bases_out(d);
	struct pkt *p = fake_ip_pop(&d->ip);
	char text[TCP_LINE_LEN];
	struct tcp_line got;
	uint8_t b[128];
	uint32_t len;

	if (!p)
		return;
	len = pkt_read(p, 0, b, sizeof(b));
	tcp_line_read(&got, b, len);
	got.len += p->total_len - len;
	cr_assert(false, "%s:%d: want nothing, got %s", file, at,
		  tcp_line_text(&got, &bases, text));
}

/* ---- time ---- */

void dialog_tick(struct dialog *d, uint64_t ms)
{
	uint64_t end = d->now_ns + ms * NS_PER_MS;

	while (d->now_ns < end) {
		uint64_t due = wheel_due(&d->wheel), left = (end - d->now_ns) / NS_PER_MS;
		uint64_t step =
			due > d->now_ns ? (due - d->now_ns - 1) / NS_PER_MS + 1 : 1;

		/* Whole milliseconds, so that deadlines are met to the point. */
		d->now_ns += (step < left ? step : left) * NS_PER_MS;
		wheel_run(&d->wheel, d->now_ns);
		dialog_turn(d);
	}
}

void dialog_after(struct dialog *d, uint64_t ms, const char *text, const char *file,
		  int at)
{
	dialog_tick(d, ms - 1);
	dialog_nothing(d, file, at);
	dialog_tick(d, 1);
	dialog_expect(d, text, file, at);
}

/* ---- the program ---- */

void dialog_listen(struct dialog *d, unsigned backlog)
{
	struct addr any = { .family = d->ip.ours.family };

	cr_assert_eq(tcp_listen(d->tcp, &any, DIALOG_PORT, backlog, d, &d->l), 0);
}

void dialog_accept(struct dialog *d, const char *options, unsigned win)
{
	char line[TCP_LINE_LEN];

	if (!d->l)
		dialog_listen(d, 8);
	snprintf(line, sizeof(line), "S 0:0(0) win %u <%s>", win, options);
	inject(d, line);
	expect(d, "S. 0:0(0) ack 1");
	tick(d, d->rtt_ms);
	snprintf(line, sizeof(line), ". 1:1(0) ack 1 win %u", win);
	inject(d, line);
	nothing(d);
	cr_assert(tcp_ready_listener_pop(d->tcp) == d->l);
	d->c = tcp_accept(d->tcp, d->l, d);
	cr_assert(d->c);
	cr_assert_eq(dialog_state(d), TCP_ESTABLISHED);
}

void dialog_connect_begin(struct dialog *d)
{
	struct flow f = { .remote = dialog_peer_addr(d), .remote_port = d->peer->port };
	struct tcp_conn_info info;

	cr_assert_eq(tcp_connect(d->tcp, &f, d, d->now_ns, &d->c), 0);
	tcp_conn_info(d->tcp, d->c, &info);
	d->local_port = info.flow.local_port;
	dialog_turn(d);
	expect(d, "S 0:0(0)");
	nothing(d);
}

void dialog_connect(struct dialog *d, const char *options, unsigned win)
{
	char line[TCP_LINE_LEN];

	dialog_connect_begin(d);
	snprintf(line, sizeof(line), "S. 0:0(0) ack 1 win %u <%s>", win, options);
	inject(d, line);
	expect(d, ". 1:1(0) ack 1");
	nothing(d);
	cr_assert_eq(dialog_state(d), TCP_ESTABLISHED);
}

static void write_bytes(struct dialog *d, uint32_t len, bool more)
{
	uint8_t bytes[4096];

	while (len) {
		uint32_t n = len < sizeof(bytes) ? len : sizeof(bytes);

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = dialog_byte(d->n_written + i);
		cr_assert_eq(tcp_send(d->tcp, d->c, bytes, n, more), (ssize_t)n);
		d->n_written += n;
		len -= n;
	}
	dialog_turn(d);
}

void dialog_write(struct dialog *d, uint32_t len)
{
	write_bytes(d, len, false);
}

void dialog_write_more(struct dialog *d, uint32_t len)
{
	write_bytes(d, len, true);
}

void dialog_read(struct dialog *d, uint32_t len)
{
	uint8_t bytes[4096];

	while (len) {
		uint32_t max = len < sizeof(bytes) ? len : sizeof(bytes);
		ssize_t n = tcp_recv(d->tcp, d->c, bytes, max, false);

		cr_assert_gt(n, 0, "read says %zd, %u bytes missing", n, len);
		for (ssize_t i = 0; i < n; i++)
			cr_assert_eq(bytes[i], dialog_byte(d->n_read + (uint32_t)i));
		d->n_read += (uint32_t)n;
		len -= (uint32_t)n;
	}
	dialog_turn(d);
}

void dialog_close(struct dialog *d)
{
	tcp_close(d->tcp, d->c, d->now_ns);
	d->c = NULL;
	dialog_turn(d);
}

void dialog_shutdown(struct dialog *d)
{
	cr_assert_eq(tcp_shutdown_send(d->tcp, d->c), 0);
	dialog_turn(d);
}

enum tcp_state dialog_state(const struct dialog *d)
{
	struct tcp_conn_info info;

	tcp_conn_info(d->tcp, d->c, &info);
	return info.state;
}
