/* TCP_INFO: TCP's numbers in Linux's places and units. */
#include "stack/api/tcp_info.h"

#include "stack/sock/sock_impl.h"
#include "tcp/xfer.h"

enum { SSTHRESH_NONE = 0x7fffffff };

/* What of it Linux 6.1 has lies where Debian 12's <linux/tcp.h> says. */
_Static_assert(offsetof(struct pb_tcp_info, rto_us) == 8, "as Linux has it");
_Static_assert(offsetof(struct pb_tcp_info, pacing_rate) == 104, "as Linux has it");
_Static_assert(offsetof(struct pb_tcp_info, snd_wnd) == 228, "as Linux has it");
_Static_assert(sizeof(struct pb_tcp_info) == 280, "as Linux has it");

/* Linux's states count from 1, ESTABLISHED first (include/net/tcp_states.h). */
static uint8_t linux_state(enum tcp_state state)
{
	static const uint8_t number[TCP_N_STATES] = {
		[TCP_ESTABLISHED] = 1, [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
		[TCP_FIN_WAIT_1] = 4,  [TCP_FIN_WAIT_2] = 5, [TCP_TIME_WAIT] = 6,
		[TCP_CLOSED] = 7,      [TCP_CLOSE_WAIT] = 8, [TCP_LAST_ACK] = 9,
		[TCP_LISTEN] = 10,     [TCP_CLOSING] = 11,
	};

	return number[state];
}

static uint8_t ca_state(const struct tcp_conn_info *i)
{
	switch ((enum tcp_ca)i->ca) {
	case TCP_CA_DISORDER: return PB_TCP_CA_DISORDER;
	case TCP_CA_CWR: return PB_TCP_CA_CWR;
	case TCP_CA_RECOVERY: return PB_TCP_CA_RECOVERY;
	case TCP_CA_LOSS: return PB_TCP_CA_LOSS;
	case TCP_CA_OPEN: break;
	}
	return PB_TCP_CA_OPEN;
}

static uint8_t options(const struct tcp_conn_info *i)
{
	return (uint8_t)((i->timestamps ? PB_TCP_OPT_TIMESTAMPS : 0) |
			 (i->sack ? PB_TCP_OPT_SACK : 0) |
			 (i->ecn || i->accecn ? PB_TCP_OPT_ECN : 0) |
			 (i->syn_data ? PB_TCP_OPT_SYN_DATA : 0) |
			 (i->snd_wscale | i->rcv_wscale ? PB_TCP_OPT_WSCALE : 0));
}

static void sender(const struct tcp_conn_info *i, struct pb_tcp_info *ti)
{
	uint32_t mss = i->mss ? i->mss : 1;

	ti->snd_mss = i->mss;
	ti->unacked = (i->unacked + mss - 1) / mss;
	ti->sacked = (i->sacked + mss - 1) / mss;
	ti->lost = (i->lost + mss - 1) / mss;
	ti->retrans = (i->retrans + mss - 1) / mss;
	ti->snd_cwnd = i->cwnd / mss;
	ti->snd_ssthresh = i->ssthresh == UINT32_MAX ? SSTHRESH_NONE : i->ssthresh / mss;
	ti->rto_us = i->rto_us;
	ti->rtt_us = i->srtt_us;
	ti->rttvar_us = i->rttvar_us;
	ti->min_rtt_us = i->min_rtt_us;
	ti->last_data_sent_ms = i->tx_age_ms;
	ti->last_ack_recv_ms = i->ack_age_ms;
	ti->bytes_acked = i->bytes_acked;
	ti->bytes_sent = i->bytes_sent;
	ti->bytes_retrans = i->bytes_retrans;
	ti->notsent_bytes = i->unsent;
	ti->total_retrans = i->segs_retrans;
	ti->delivered = i->delivered;
	ti->dsack_dups = i->n_dsack;
	ti->reord_seen = i->n_reord;
	ti->reordering = i->reordering;
	ti->data_segs_out = i->data_segs_out;
	ti->snd_wnd = i->snd_wnd;
	ti->busy_us = i->busy_us;
	ti->rwnd_limited_us = i->rwnd_limited_us;
	ti->sndbuf_limited_us = i->sndbuf_limited_us;
	ti->total_rto = (uint16_t)i->rtos;
}

static void receiver(const struct tcp_conn_info *i, struct pb_tcp_info *ti)
{
	ti->rcv_mss = i->rcv_mss;
	ti->advmss = i->advmss;
	ti->last_data_recv_ms = i->rx_age_ms;
	ti->rcv_ssthresh = ti->rcv_space = i->rcv_lim;
	ti->bytes_received = i->bytes_received;
	ti->data_segs_in = i->data_segs_in;
	ti->rcv_ooopack = i->segs_early;
	ti->rcv_wnd = i->rcv_wnd;
}

void sock_tcp_info(const struct socks *ss, const struct sock *s, struct pb_tcp_info *ti)
{
	struct tcp_conn_info i;

	*ti = (struct pb_tcp_info){ 0 };
	if (s->kind != SOCK_TCP) {
		ti->state =
			linux_state(s->kind == SOCK_LISTENER ? TCP_LISTEN : TCP_CLOSED);
		return;
	}
	tcp_conn_info(ss->tcp, s->conn, &i);
	ti->state = linux_state(i.state);
	ti->ca_state = ca_state(&i);
	ti->retransmits = (uint8_t)i.tries;
	ti->probes = (uint8_t)i.probes;
	ti->backoff = (uint8_t)i.backoff;
	ti->options = options(&i);
	ti->wscales = (uint8_t)(i.snd_wscale | i.rcv_wscale << 4);
	ti->pmtu = i.pmtu;
	ti->segs_out = (uint32_t)i.segs_out;
	ti->segs_in = (uint32_t)i.segs_in;
	sender(&i, ti);
	receiver(&i, ti);
}

int pb_tcp_info(int number, struct pb_tcp_info *info)
{
	struct socks *ss;
	const struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (s->kind == SOCK_UDP)
		return sock_fail(EOPNOTSUPP);
	sock_tcp_info(ss, s, info);
	return 0;
}

void sock_tcp_memory(const struct socks *ss, const struct sock *s,
		     uint32_t mem[SOCK_N_MEM])
{
	struct tcp_conn_info i;

	memset(mem, 0, SOCK_N_MEM * sizeof(*mem));
	if (s->kind != SOCK_TCP)
		return;
	tcp_conn_info(ss->tcp, s->conn, &i);
	mem[SOCK_MEM_RCVQ] = i.rcvq_len + i.ooo_len;
	mem[SOCK_MEM_RCVBUF] = (uint32_t)tcp_get(s->conn, TCP_OPT_RCVBUF);
	mem[SOCK_MEM_SENT] = i.unacked;
	mem[SOCK_MEM_SNDBUF] = (uint32_t)tcp_get(s->conn, TCP_OPT_SNDBUF);
	mem[SOCK_MEM_SNDQ] = i.sndq_len;
}
