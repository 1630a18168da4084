/*
 * What TCP_INFO tells: the numbers that Linux tells, at the places where it has them
 * (struct tcp_info of include/uapi/linux/tcp.h), so that a program may also read it as that.
 * "segments" are whole ones of snd_mss, the last one counted as one.  Numbers that have no
 * meaning here are zero.
 */
#pragma once

#include <stdint.h>

#include "stack/api/stack.h"

enum pb_tcp_ca_state {
	PB_TCP_CA_OPEN,
	PB_TCP_CA_DISORDER,
	PB_TCP_CA_CWR,
	PB_TCP_CA_RECOVERY,
	PB_TCP_CA_LOSS,
};

enum pb_tcp_info_option {
	PB_TCP_OPT_TIMESTAMPS = 1 << 0,
	PB_TCP_OPT_SACK = 1 << 1,
	PB_TCP_OPT_WSCALE = 1 << 2,
	PB_TCP_OPT_ECN = 1 << 3,      /* was agreed on */
	PB_TCP_OPT_ECN_SEEN = 1 << 4, /* a packet with ECT came */
	PB_TCP_OPT_SYN_DATA = 1 << 5, /* the peer took what our SYN brought, or we its */
};

struct pb_tcp_info {
	uint8_t state;	     /* as Linux counts them, 1: established */
	uint8_t ca_state;    /* enum pb_tcp_ca_state */
	uint8_t retransmits; /* timeouts since something was acknowledged */
	uint8_t probes;	     /* window or keep-alive probes without an answer */
	uint8_t backoff;
	uint8_t options;     /* enum pb_tcp_info_option */
	uint8_t wscales;     /* the peer's in the lower half, ours in the upper */
	uint8_t app_limited; /* bit 0: delivery_rate is what the program gave */

	uint32_t rto_us, ato_us; /* of retransmissions; of delayed ACKs */
	uint32_t snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets; /* segments */
	uint32_t last_data_sent_ms, last_ack_sent_ms, last_data_recv_ms, last_ack_recv_ms;
	uint32_t pmtu, rcv_ssthresh, rtt_us, rttvar_us;
	uint32_t snd_ssthresh; /* segments; 0x7fffffff: none yet */
	uint32_t snd_cwnd;     /* segments */
	uint32_t advmss;
	uint32_t reordering; /* segments that reports may be ahead of a hole */
	uint32_t rcv_rtt_us, rcv_space;
	uint32_t total_retrans;		       /* segments */
	uint64_t pacing_rate, max_pacing_rate; /* bytes a second */
	uint64_t bytes_acked, bytes_received;
	uint32_t segs_out, segs_in;
	uint32_t notsent_bytes, min_rtt_us;
	uint32_t data_segs_in, data_segs_out;
	uint64_t delivery_rate; /* bytes a second */
	uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us;
	uint32_t delivered, delivered_ce; /* segments */
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack;
	uint32_t snd_wnd, rcv_wnd;
	uint32_t rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_ms;
	uint32_t received_ce;
	uint32_t delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
	uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
	uint32_t
		accecn; /* mode in bits 0 and 1, option seen in 2 and 3, failures in 4 to 7 */
};

/* The same without a getsockopt().  0, or -1 and errno: ENXIO, EBADF, EOPNOTSUPP. */
PB_API int pb_tcp_info(int s, struct pb_tcp_info *info);
