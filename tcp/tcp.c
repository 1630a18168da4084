#include "tcp/tcp.h"

#include <errno.h>
#include <stdlib.h>

#include "ip/ip.h"
#include "stack/base/clock.h"
#include "tcp/tcp_impl.h"

enum { FLOWS_AT_FIRST = 1024, PORTS_AT_FIRST = 64 };

void tcp_conf_default(struct tcp_conf *conf)
{
	*conf = (struct tcp_conf){
		.max_conns = 100000,
		.max_syn = 4096,
		.max_time_wait = 100000,
		.rcvbuf = 2 << 20,
		.sndbuf = 2 << 20,
		.ooo_bytes_max = 8 << 20,
		.time_wait_ms = 60 * 1000,
		.orphan_ms = 60 * 1000,
		/* RFC 9293 3.8.3: R2 is at least 100 s; 3 minutes for a SYN */
		.user_timeout_ms = 15 * 60 * 1000,
		.syn_tries = 8,
		.synack_tries = 6,
		.delack_ms = 40,
		.min_burst_segs = 2,
		.keep_idle_ms = 2 * 3600 * 1000,
		.keep_intvl_ms = 75 * 1000,
		.keep_probes = 9,
		.challenge_ack_per_s = 1000,
		.rst_per_s = 10000,
		.sack = true,
		.tlp = true,
		.rto_restart = true,
		.timestamps = true,
		.window_scale = true,
		.syn_cookies = true,
		.ecn = TCP_ECN_ACCEPT,
		.fastopen = TCP_FO_CLIENT | TCP_FO_SERVER,
		.fo_cache_max = 1024,
		.fo_pause_s = 120,
		.cc = "reno",
	};
}

/* The window scale with which all of the largest buffer can be offered. */
static uint8_t wscale_for(const struct tcp_conf *conf)
{
	uint8_t scale = TCP_WSCALE_MIN;

	while (scale < TCP_WSCALE_MAX && (uint32_t)UINT16_MAX << scale < conf->rcvbuf)
		scale++;
	return scale;
}

/* Everything that needs memory.  0 or -ENOMEM, with what there is to be freed. */
static int reserve(struct tcp *tcp)
{
	const struct tcp_conf *conf = &tcp->conf;
	int err = pool_init(&tcp->conns, sizeof(struct tcp_conn), 64, conf->max_conns);

	err = err ? err :
		    pool_init(&tcp->xfers, sizeof(struct tcp_xfer), 64, conf->max_conns);
	err = err ? err :
		    pool_init(&tcp->listeners, sizeof(struct tcp_listener), 64,
			      TCP_LISTENERS_MAX);
	err = err ? err :
		    pool_init(&tcp->ledgers, sizeof(struct tcp_ledger), 64,
			      conf->max_conns);
	err = err ? err : map_init(&tcp->flows, FLOWS_AT_FIRST);
	err = err ? err : map_init(&tcp->ports, PORTS_AT_FIRST);
	err = err ? err :
		    fo_cache_init(&tcp->fo_cache, conf->fo_cache_max, conf->fo_pause_s,
				  tcp->key);
	err = err ? err : synq_new(&tcp->synq, conf->max_syn, tcp->key);
	return err ? err : timewait_new(&tcp->timewait, conf->max_time_wait, tcp->key);
}

static void release(struct tcp *tcp)
{
	if (tcp->timewait)
		timewait_free(tcp->timewait);
	if (tcp->synq)
		synq_free(tcp->synq);
	if (tcp->fo_cache.entries.arena)
		fo_cache_fini(&tcp->fo_cache);
	if (tcp->ports.now.slots)
		map_fini(&tcp->ports);
	if (tcp->flows.now.slots)
		map_fini(&tcp->flows);
	if (tcp->ledgers.arena)
		pool_fini(&tcp->ledgers);
	if (tcp->listeners.arena)
		pool_fini(&tcp->listeners);
	if (tcp->xfers.arena)
		pool_fini(&tcp->xfers);
	if (tcp->conns.arena)
		pool_fini(&tcp->conns);
	free(tcp);
}

static bool is_sane(const struct tcp_conf *conf)
{
	return conf->ecn < TCP_N_ECN && conf->max_conns && conf->fo_cache_max &&
	       conf->max_syn && conf->max_time_wait && conf->rcvbuf && conf->sndbuf &&
	       conf->syn_tries && conf->syn_tries <= UINT8_MAX + 1u && conf->rst_per_s &&
	       conf->delack_ms && conf->min_burst_segs && conf->orphan_ms &&
	       conf->keep_probes <= UINT8_MAX && conf->synack_tries &&
	       conf->synack_tries <= SYNQ_TRIES_MAX;
}

int tcp_new(struct tcp **out, const struct tcp_conf *conf, struct ip *ip,
	    struct pkt_pool *pool, struct wheel *wheel, struct rng *rng,
	    const struct hash_key *key, struct trace *trace, uint64_t now_ns)
{
	const struct cc_ops *cc = conf->cc ? cc_find(conf->cc) : NULL;
	struct tcp *tcp;
	int err;

	if (!cc || !is_sane(conf))
		return -EINVAL;
	tcp = calloc(1, sizeof(*tcp));
	if (!tcp)
		return -ENOMEM;
	tcp->conf = *conf;
	tcp->conf.cc = cc->name;
	tcp->cc = cc;
	tcp->ip = ip;
	tcp->pkts = pool;
	tcp->wheel = wheel;
	tcp->rng = rng;
	tcp->key = key;
	tcp->trace = trace;
	tcp->now_ns = now_ns;
	tcp->rcv_wscale = wscale_for(conf);
	tcp_opt_default(&tcp->opts, conf);
	err = reserve(tcp);
	if (err) {
		release(tcp);
		return err;
	}
	tcp->fo_keys = (struct fo_keys){ .n = 1 };
	tcp->fo_keys.key[0] = (struct hash_key){ { rng_u64(rng), rng_u64(rng) } };
	bucket_init(&tcp->resets, conf->rst_per_s, conf->rst_per_s);
	lport_init(&tcp->lport, key, rng_u32(rng));
	list_init(&tcp->speak);
	list_init(&tcp->starved);
	list_init(&tcp->grave);
	list_init(&tcp->ready);
	list_init(&tcp->ready_listeners);
	tcp_orphan_init(tcp);
	tcp_early_init(tcp);
	timer_init(&tcp->starve_timer, tcp_starve_timer);
	timer_init(&tcp->synq_timer, tcp_listen_timer);
	timer_init(&tcp->timewait_timer, tcp_wait_timer);
	*out = tcp;
	return 0;
}

void tcp_free(struct tcp *tcp)
{
	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		struct tcp_conn *c = tcp_conn_at(tcp, i);

		if (!c)
			continue;
		c->owned = c->accepting = false;
		if (c->state != TCP_CLOSED) {
			tcp_enter(c, TCP_CLOSED, tcp->now_ns);
			continue;
		}
		list_remove(&c->speak);
		list_push(&tcp->grave, &c->speak);
	}
	tcp_conn_reap(tcp);
	for (uint32_t i = 0; i < tcp->listeners.fresh; i++) {
		struct tcp_listener *l = pool_at(&tcp->listeners, i);

		if (l->tcp == tcp)
			pool_put(&tcp->listeners, l);
	}
	timer_stop(tcp->wheel, &tcp->starve_timer);
	timer_stop(tcp->wheel, &tcp->synq_timer);
	timer_stop(tcp->wheel, &tcp->timewait_timer);
	timer_stop(tcp->wheel, &tcp->orphan_timer);
	release(tcp);
}

bool tcp_challenge_allowed(struct tcp *tcp, struct tcp_challenge *limit, uint64_t now_ns)
{
	uint32_t per_s = tcp->conf.challenge_ack_per_s;
	uint64_t second = now_ns / NS_PER_S + 1;

	if (limit->second != second) {
		limit->second = second;
		/* RFC 5961 7; a limit that a peer could count would tell it who else
		 * is challenged (CVE-2016-5696) */
		limit->left = per_s / 2 + rng_below(tcp->rng, per_s + 1);
	}
	if (!limit->left) {
		tcp->stats.challenge_held++;
		return false;
	}
	limit->left--;
	tcp->stats.challenge_ack++;
	return true;
}

unsigned tcp_headers_len(const struct flow *f)
{
	return (f->remote.family == ADDR_IP6 ? 40 : 20) + TCP_HEADER_LEN;
}

uint16_t tcp_mss_default(const struct flow *f)
{
	return f->remote.family == ADDR_IP6 ? TCP_MSS_DEFAULT6 : TCP_MSS_DEFAULT;
}

/* ---- speaking ---- */

bool tcp_wants_to_speak(const struct tcp *tcp)
{
	return !list_empty(&tcp->speak) || !list_empty(&tcp->grave);
}

void tcp_speak(struct tcp *tcp, uint64_t now_ns)
{
	struct list *node, mark;

	tcp->now_ns = now_ns;
	/* Who has more to say than fits a turn queues up again, behind the mark. */
	list_init(&mark);
	list_push(&tcp->speak, &mark);
	while ((node = list_pop(&tcp->speak)) != &mark) {
		struct tcp_conn *c = container_of(node, struct tcp_conn, speak);

		c->on_speak = false;
		tcp_output(c, now_ns);
		tcp_conn_rest(c);
		/* Others may make room; or ACKs, which need no timer. */
		if (c->wants_room && !c->on_speak && tcp_send_limit(c) < c->opts.sndbuf)
			tcp_conn_starve(c, now_ns);
	}
	tcp_conn_reap(tcp);
}

void tcp_starve_timer(struct timer *t, uint64_t now_ns)
{
	struct tcp *tcp = container_of(t, struct tcp, starve_timer);
	struct list *node, mark;

	tcp->now_ns = now_ns;
	list_init(&mark);
	list_push(&tcp->starved, &mark);
	while ((node = list_pop(&tcp->starved)) != &mark) {
		struct tcp_conn *c = container_of(node, struct tcp_conn, speak);

		c->on_starved = false;
		tcp_conn_speak(c);
		if (c->wants_room)
			tcp_send_look(c);
	}
}

/* ---- news ---- */

struct tcp_conn *tcp_ready_pop(struct tcp *tcp)
{
	struct list *node = list_pop(&tcp->ready);
	struct tcp_conn *c;

	if (!node)
		return NULL;
	c = container_of(node, struct tcp_conn, ready);
	c->on_ready = false;
	return c;
}

struct tcp_listener *tcp_ready_listener_pop(struct tcp *tcp)
{
	struct list *node = list_pop(&tcp->ready_listeners);

	return node ? container_of(node, struct tcp_listener, ready) : NULL;
}

int tcp_set_cc(struct tcp *tcp, struct tcp_conn *c, const char *name)
{
	const struct cc_ops *ops = cc_find(name);
	uint32_t cwnd = c->cc.cwnd, ssthresh = c->cc.ssthresh;

	if (!ops)
		return -ENOENT;
	cc_fini(&c->cc);
	c->cc.ops = ops;
	if (c->mss) {
		/* What the path taught so far stays. */
		cc_init(&c->cc, ops, c->mss, tcp->now_ns);
		c->cc.cwnd = cwnd;
		c->cc.ssthresh = ssthresh;
	}
	/* What another one had learned is no use any more. */
	if (c->x)
		c->x->undo = false;
	return 0;
}
