#include <stdio.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tcp/tcp_impl.h"
#include "tests/lib/build.h"
#include "tests/lib/build6.h"
#include "tests/sim/chaos.h"

static const char *const names[] = { "a", "b", "c" };

/* From 1 to 10^@digits, as often of one length as of another. */
static uint32_t any_size(struct rng *r, unsigned digits)
{
	uint32_t n = 10;

	for (unsigned i = rng_below(r, digits); i; i--)
		n *= 10;
	return 1 + rng_below(r, n);
}

static uint64_t draw_rate(struct chaos *w)
{
	return (w->rough ? 20000 : 200000) + (uint64_t)any_size(&w->rng, 9);
}

static void draw_queue(struct chaos *w, struct aqm_conf *q)
{
	struct rng *r = &w->rng;

	q->kind = (enum aqm_kind)rng_below(r, AQM_N_KINDS);
	q->ecn = rng_below(r, 2);
	/* Where all must arrive, there is room for what all send at once. */
	q->limit_bytes = (w->rough ? 4000 : 60000) + any_size(r, 6);
	if (q->kind == AQM_TAIL && rng_below(r, 2))
		q->mark_bytes = 1 + rng_below(r, 30000);
}

/* What may happen to a packet.  A rough network loses most, or all for a while. */
static void draw_faults(struct chaos *w, struct pbsim_line *l, bool up)
{
	struct rng *r = &w->rng;
	unsigned most = w->rough ? 60 : 6;

	if (rng_below(r, 2))
		l->loss = rng_below(r, most) / 100.0;
	if (rng_below(r, 3) == 0) {
		l->reorder = rng_below(r, 30) / 100.0;
		l->reorder_ns = any_size(r, 8);
	}
	if (rng_below(r, 3) == 0)
		l->duplicate = rng_below(r, 20) / 100.0;
	/* Two bits can make up for each other in a sum: one line turns one, at most. */
	if (rng_below(r, 3) == 0 && up)
		l->corrupt = rng_below(r, w->rough ? 20 : 4) / 100.0;
	if (w->rough && rng_below(r, 4) == 0) {
		l->to_bad = rng_below(r, 10) / 100.0;
		l->to_good = (1 + rng_below(r, 50)) / 100.0;
	}
	if (w->rough && rng_below(r, 6) == 0)
		l->loss = 1;
	if (rng_below(r, 3) == 0)
		l->jitter_ns = any_size(r, 8);
	if (rng_below(r, 6) == 0)
		l->hold_ns = any_size(r, 7);
}

static struct pbsim_line draw_line(struct chaos *w, bool up)
{
	struct rng *r = &w->rng;
	struct pbsim_line l = {
		.rate_bps = draw_rate(w),
		.delay_ns = any_size(r, 9) / 2,
		.mtu = rng_below(r, 3) ? 1500 : (uint16_t)(1280 + rng_below(r, 221)),
		.super = rng_below(r, 8) == 0,
	};

	if (w->family == 4 && rng_below(r, 6) == 0)
		l.mtu = (uint16_t)(576 + rng_below(r, 800));
	draw_queue(w, &l.queue);
	draw_faults(w, &l, up);
	return l;
}

static bool add_host(struct chaos *w, unsigned i)
{
	static const char *const cc[] = { NULL, "reno", "cubic" };
	static const char *const ecn[] = { NULL, "off", "on", "accecn", "l4s" };
	struct rng *r = &w->rng;
	struct pbsim_host h = {
		.family = w->family,
		.cc = cc[rng_below(r, 3)],
		.ecn = ecn[rng_below(r, 5)],
		.rcvbuf = 4096 + any_size(r, 6),
		.sndbuf = 4096 + any_size(r, 6),
		.n_bufs =
			w->rough && rng_below(r, 4) == 0 ? 40 + rng_below(r, 400) : 4096,
	};
	struct pbsim_line up = draw_line(w, true), down = draw_line(w, false);

	up.mtu = rng_below(r, 4) ? down.mtu : up.mtu;
	return !pbsim_host(w->s, names[i], &h) &&
	       !pbsim_link(w->s, names[i], "r", &up, &down);
}

static bool capture(struct chaos *w, unsigned i)
{
	char path[300];

	if (!w->folder)
		return true;
	snprintf(path, sizeof(path), "%s/%s.pcapng", w->folder, names[i]);
	return !pbsim_capture(w->s, names[i], "r", path);
}

bool chaos_net_new(struct chaos *w)
{
	w->family = rng_below(&w->rng, 2) ? 4 : 6;
	w->rough = rng_below(&w->rng, 2);
	w->n_hosts = 2 + (rng_below(&w->rng, 3) == 0);
	w->well = (struct pbsim_line){ .rate_bps = 1000000, .delay_ns = 20 * NS_PER_MS };
	pbsim_router(w->s, "r");
	for (unsigned i = 0; i < w->n_hosts; i++) {
		if (!add_host(w, i) || !capture(w, i)) {
			CHAOS_FAIL(w, "%s", pbsim_error(w->s));
			return false;
		}
	}
	if (pbsim_run(w->s, 0)) {
		CHAOS_FAIL(w, "%s", pbsim_error(w->s));
		return false;
	}
	for (unsigned i = 0; i < w->n_hosts; i++) {
		struct node *n = pbsim_node(w->s, names[i]);

		w->host[i] = n->host;
		if (w->fastopen)
			w->host[i]->core->tcp->conf.fastopen |=
				TCP_FO_CLIENT | TCP_FO_SERVER;
	}
	return true;
}

static struct line *any_line(struct chaos *w)
{
	return w->s->lines[rng_below(&w->rng, w->s->n_lines)];
}

static struct ip4 ip4_of(const struct addr *a)
{
	return a->ip4;
}

/* ICMP about a connection that there is, which no router sent: any error, any MTU, a
 * number that is in flight or near it. */
static uint32_t forge(struct chaos *w, const struct host *h, const struct tcp_conn *c,
		      uint8_t *out)
{
	struct rng *r = &w->rng;
	uint32_t seq = c->snd_una.n + rng_below(r, 3000) - 1000;
	struct build_tcp seg = { .src_port = c->flow.local_port,
				 .dst_port = c->flow.remote_port,
				 .seq = rng_below(r, 2) ? c->snd_una.n : seq };
	uint8_t quote[200];
	uint32_t len;

	if (w->family == 4) {
		static const uint16_t kinds[] = {
			0x0300, 0x0301, 0x0302, 0x0303, 0x0304,
			0x030d, 0x0400, 0x0b00, 0x0c00, 0x0501
		};
		struct build_ip4 in = { .src = ip4_of(&c->flow.local),
					.dst = ip4_of(&c->flow.remote),
					.frag = BUILD_DF };
		struct build_ip4 ip = { .src = { { 203, 0, 113, 9 } },
					.dst = ip4_of(&h->addr) };

		len = build_tcp(quote, &in, &seg, NULL, 0);
		return build_icmp(out, &ip, kinds[rng_below(r, 10)], rng_below(r, 2000),
				  quote + BUILD_L3, len - BUILD_L3);
	}
	struct build_ip6 in = { .src = c->flow.local.ip6, .dst = c->flow.remote.ip6 };
	struct build_ip6 ip = { .src = c->flow.remote.ip6, .dst = h->addr.ip6 };

	len = build_tcp6(quote, &in, &seg, NULL, 0);
	return build_icmp6(out, &ip,
			   (uint16_t)((1 + rng_below(r, 4)) << 8 | rng_below(r, 5)),
			   rng_below(r, 2000), quote + BUILD_L3, len - BUILD_L3);
}

static void forge_one(struct chaos *w)
{
	static uint8_t bytes[BUILD_MAX];
	struct host *h = w->host[rng_below(&w->rng, w->n_hosts)];
	struct tcp *tcp = h->core->tcp;
	struct tcp_conn *c = tcp_conn_at(tcp, rng_below(&w->rng, 1 + tcp->stats.n_conns));
	struct frame *f;
	uint32_t len;

	if (!c || c->flow.local.family != h->addr.family)
		return;
	len = forge(w, h, c, bytes) - BUILD_L3;
	f = frame_new(&w->s->shop, len);
	if (!f)
		return;
	memcpy(f->bytes, bytes + BUILD_L3, len);
	host_input(h, f);
	w->n_forged++;
}

void chaos_net_change(struct chaos *w)
{
	struct rng *r = &w->rng;
	struct line *l = any_line(w);
	struct pbsim_line now = l->conf;

	if (w->rough && rng_below(r, 3) == 0) {
		forge_one(w);
		return;
	}
	now.loss = now.reorder = now.duplicate = now.corrupt = now.to_bad = 0;
	now.jitter_ns = now.hold_ns = 0;
	draw_faults(w, &now, l->from->host);
	if (rng_below(r, 2))
		now.rate_bps = draw_rate(w);
	if (rng_below(r, 3) == 0)
		now.delay_ns = any_size(r, 9) / 2;
	pbsim_change(w->s, l->from->name, l->to->name, &now);
	/* A path becomes narrower, or wider again. */
	if (rng_below(r, 3) == 0 && l->conf.mtu)
		l->conf.mtu = (uint16_t)(w->family == 4 && rng_below(r, 3) == 0 ?
						 576 + rng_below(r, 924) :
						 1280 + rng_below(r, 221));
}

void chaos_net_calm(struct chaos *w)
{
	w->calm = true;
	w->calm_ns = pbsim_now(w->s);
	for (unsigned i = 0; i < w->s->n_lines; i++) {
		struct line *l = w->s->lines[i];

		pbsim_change(w->s, l->from->name, l->to->name, &w->well);
	}
	for (unsigned i = 0; i < w->n_hosts; i++)
		host_wake(w->host[i], w->calm_ns);
}

socklen_t chaos_addr(const struct chaos *w, unsigned i, uint16_t port,
		     struct sockaddr_storage *ss)
{
	const struct addr *a = &w->host[i]->addr;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (a->family == ADDR_IP4) {
		memcpy(&in.sin_addr, &a->ip4, sizeof(in.sin_addr));
		memcpy(ss, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, &a->ip6, sizeof(in6.sin6_addr));
	memcpy(ss, &in6, sizeof(in6));
	return sizeof(in6);
}
