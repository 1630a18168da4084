#include "ip/ip.h"
#include "tcp/tcp_impl.h"

const char *tcp_state_name(enum tcp_state state)
{
	static const char *const names[TCP_N_STATES] = {
		[TCP_CLOSED] = "CLOSED",	   [TCP_LISTEN] = "LISTEN",
		[TCP_SYN_SENT] = "SYN-SENT",	   [TCP_SYN_RECEIVED] = "SYN-RECEIVED",
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT_2] = "FIN-WAIT-2",   [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_CLOSING] = "CLOSING",	   [TCP_LAST_ACK] = "LAST-ACK",
		[TCP_TIME_WAIT] = "TIME-WAIT",
	};

	return state < TCP_N_STATES ? names[state] : "?";
}

/* What only a connection with bytes under way has. */
static void xfer_info(const struct tcp_conn *c, struct tcp_conn_info *info)
{
	const struct tcp_xfer *x = c->x;

	info->sacked = x->sent.n_sacked;
	info->retrans = x->sent.n_again;
	info->lost = x->sent.n_lost;
	info->sndq_len = x->snd.len;
	info->rcvq_len = x->rcv.len;
	info->ca = x->ca;
	if (!c->fin_sent)
		info->unsent = seq_dist(c->snd_nxt, tcp_conn_write_end(c));
	info->ooo_len = x->rcv.ooo_len;
}

static void ledger_info(const struct tcp *tcp, const struct tcp_conn *c,
			struct tcp_conn_info *info)
{
	const struct tcp_ledger *l = tcp_ledger_look(c);
	uint64_t now_ns = tcp->now_ns;

	info->delivered = l->delivered + c->was_connected;
	info->segs_retrans = l->segs_retrans;
	info->data_segs_in = l->data_segs_in;
	info->data_segs_out = l->data_segs_out;
	info->segs_early = l->segs_early;
	info->n_dsack = l->n_dsack;
	info->n_reord = l->n_reord;
	info->reordering =
		l->reordering > SENT_DUP_THRESH ? l->reordering : SENT_DUP_THRESH;
	info->tx_age_ms = tcp_ms(now_ns) - c->last_tx_ms;
	info->ack_age_ms = tcp_ms(now_ns) - c->last_rx_ms;
	info->rx_age_ms = c->counted ? tcp_ms(now_ns) - l->rx_ms : info->ack_age_ms;
	info->rwnd_limited_us = tcp_ledger_busy_us(c, TCP_BUSY_RWND, now_ns);
	info->sndbuf_limited_us = tcp_ledger_busy_us(c, TCP_BUSY_SNDBUF, now_ns);
	info->busy_us = tcp_ledger_busy_us(c, TCP_BUSY, now_ns) + info->rwnd_limited_us +
			info->sndbuf_limited_us;
}

/* What we announced, or would: without options, as the peer sees it. */
static uint32_t announced_mss(const struct tcp_conn *c, uint32_t pmtu)
{
	uint32_t headers = tcp_headers_len(&c->flow);
	uint32_t mss = pmtu > headers ? pmtu - headers : 0;

	return c->opts.maxseg && mss > c->opts.maxseg ? c->opts.maxseg : mss;
}

void tcp_conn_info(const struct tcp *tcp, const struct tcp_conn *c,
		   struct tcp_conn_info *info)
{
	uint32_t pmtu = ip_path_mtu(tcp->ip, &c->flow.remote);

	*info = (struct tcp_conn_info){
		.flow = c->flow,
		.state = (enum tcp_state)c->state,
		.mss = c->mss,
		.rcv_mss = c->rcv_mss,
		.cwnd = c->cc.cwnd,
		.ssthresh = c->cc.ssthresh,
		.snd_wnd = c->snd_wnd,
		.srtt_us = c->rtt.srtt_x8_us / 8,
		.rttvar_us = c->rtt.rttvar_x4_us / 4,
		.rto_us = rtt_rto_us(&c->rtt),
		.min_rtt_us = c->rtt.min_us,
		.unacked = tcp_conn_flight(c),
		.bytes_acked = c->bytes_acked,
		.bytes_received = c->bytes_received,
		.bytes_retrans = c->bytes_retrans,
		.segs_in = c->segs_in,
		.segs_out = c->segs_out,
		.rtos = c->n_rto,
		.fast_recoveries = c->n_recovery,
		.backoff = c->rtt.backoff,
		.tries = c->tries,
		.probes = c->probes,
		.max_wnd = c->max_wnd,
		.pmtu = pmtu,
		.advmss = announced_mss(c, pmtu),
		.rcv_lim = c->rcv_lim,
		.snd_wscale = c->snd_wscale,
		.rcv_wscale = c->rcv_wscale,
		.sack = c->sack,
		.timestamps = c->ts,
		.syn_data = c->syn_data,
		.ecn = c->ecn,
		.accecn = c->ecn & ECN_ACC,
		.cc = c->cc.ops ? c->cc.ops->name : "",
	};
	if (seq_after(c->rcv_adv, c->rcv_nxt))
		info->rcv_wnd = seq_dist(c->rcv_nxt, c->rcv_adv);
	if (c->x)
		xfer_info(c, info);
	ledger_info(tcp, c, info);
	info->bytes_sent = c->bytes_acked + info->unacked + c->bytes_retrans;
}

struct tcp_conn *tcp_conn_at(const struct tcp *tcp, uint32_t i)
{
	struct tcp_conn *c;

	if (i >= tcp->conns.fresh)
		return NULL;
	c = pool_at(&tcp->conns, i);
	/* A free block says so, or is poisoned. */
	return c->tcp == tcp ? c : NULL;
}

void tcp_each_compact(const struct tcp *tcp,
		      bool (*fn)(void *arg, const struct flow *flow,
				 enum tcp_state state),
		      void *arg)
{
	uint32_t id;
	struct syn syn;
	struct tw tw;

	for (id = SYNQ_NONE; (id = synq_next(tcp->synq, id)) != SYNQ_NONE;) {
		synq_get(tcp->synq, id, &syn);
		if (!fn(arg, &syn.flow, TCP_SYN_RECEIVED))
			return;
	}
	for (id = TIMEWAIT_NONE;
	     (id = timewait_next(tcp->timewait, id)) != TIMEWAIT_NONE;) {
		timewait_get(tcp->timewait, id, &tw);
		if (!fn(arg, &tw.flow, TCP_TIME_WAIT))
			return;
	}
}

const struct tcp_stats *tcp_stats(struct tcp *tcp)
{
	tcp->stats.n_syn = synq_count(tcp->synq);
	tcp->stats.n_time_wait = timewait_count(tcp->timewait);
	return &tcp->stats;
}
