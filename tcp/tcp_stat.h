/*
 * What of TCP is set at boot or by programs, and what can be seen of it: limits, options,
 * states, counters.
 *
 * A part of tcp.h, which includes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

/* RFC 9293 3.3.2, in the order of Linux's tcp_states.h less one. */
enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
	TCP_N_STATES
};

/* What a program sets of a connection (tcp_set(), opt.h). */
enum tcp_opt {
	TCP_OPT_NODELAY,   /* bool: Nagle off */
	TCP_OPT_CORK,	   /* bool */
	TCP_OPT_KEEPALIVE, /* bool */
	TCP_OPT_KEEP_IDLE_MS,
	TCP_OPT_KEEP_INTVL_MS,
	TCP_OPT_KEEP_PROBES,
	TCP_OPT_USER_TIMEOUT_MS,
	TCP_OPT_RCVBUF,
	TCP_OPT_SNDBUF,
	TCP_OPT_MAXSEG,	   /* upper bound of what we send and announce */
	TCP_OPT_LINGER_MS, /* -1: off; 0: tcp_close() resets */
	TCP_OPT_OOBINLINE, /* bool: urgent byte stays in the stream */
	TCP_OPT_TOS,
	TCP_OPT_TTL,
	TCP_OPT_NO_DF,	   /* bool: packets may be cut on their way */
	TCP_OPT_SYN_TRIES, /* SYNs sent again before it is given up */
	TCP_OPT_FO_BARE,   /* bool: Fast Open without cookies */
	TCP_OPT_ECN,	   /* enum tcp_ecn, before it connects or listens */
	TCP_OPT_L4S,	   /* bool: ECT(1) with AccECN (RFC 9331) */
};

/* Fast Open (RFC 7413): the bits of Linux's sysctl. */
enum tcp_fastopen {
	TCP_FO_CLIENT = 0x1,
	TCP_FO_SERVER = 0x2,
	TCP_FO_CLIENT_BARE = 0x4,   /* data without a cookie */
	TCP_FO_SERVER_BARE = 0x200, /* is taken */
	TCP_FO_LISTENERS = 0x400,   /* all of them, as many as their backlog */
};

/* ECN (RFC 3168) and AccECN (RFC 9768): the numbers of Linux's sysctl. */
enum tcp_ecn {
	TCP_ECN_OFF,
	TCP_ECN_CLASSIC,	 /* asked for and accepted */
	TCP_ECN_ACCEPT,		 /* accepted */
	TCP_ECN_ACC,		 /* AccECN asked for, both accepted */
	TCP_ECN_ACC_ASK_CLASSIC, /* classic asked for, both accepted */
	TCP_ECN_ACC_ACCEPT,	 /* both accepted */
	TCP_N_ECN
};

/* Limits and defaults of one core.  tcp_conf_default() fills them in. */
struct tcp_conf {
	uint32_t max_conns;	  /* control blocks */
	uint32_t max_syn;	  /* half-open entries before SYN cookies */
	uint32_t max_time_wait;	  /* then the oldest goes */
	uint32_t rcvbuf, sndbuf;  /* bytes, of a connection */
	uint32_t ooo_bytes_max;	  /* memory for out-of-order bytes of one connection */
	uint32_t time_wait_ms;	  /* 2 MSL */
	uint32_t orphan_ms;	  /* so long TCP finishes what a program closed */
	uint32_t user_timeout_ms; /* unacknowledged data so old: ETIMEDOUT */
	uint32_t syn_tries, synack_tries;
	uint32_t delack_ms;
	bool pacing; /* window-based congestion control is paced, too (pace.c) */
	uint32_t min_burst_segs; /* a super-segment may always stand for so many */
	uint32_t keep_idle_ms, keep_intvl_ms, keep_probes;
	uint32_t challenge_ack_per_s; /* RFC 5961 7, for the core, with jitter */
	uint32_t rst_per_s;	      /* answers to segments for nobody */
	bool sack, timestamps, window_scale, syn_cookies;
	bool tlp;	       /* tail loss probes */
	bool rto_restart;      /* RFC 7765 */
	uint32_t fastopen;     /* enum tcp_fastopen */
	uint8_t ecn;	       /* enum tcp_ecn */
	bool ecn_plus;	       /* control packets are ECN-capable, too */
	uint32_t fo_pause_s;   /* without Fast Open where its SYNs are lost; 0: never */
	uint32_t fo_cache_max; /* servers whose Fast Open cookies are kept */
	const char *cc;	       /* name of the congestion control */
};

/* What TCP_INFO and `packetboat conns` show. */
struct tcp_conn_info {
	struct flow flow;
	enum tcp_state state;
	uint32_t mss, rcv_mss, cwnd, ssthresh, snd_wnd, rcv_wnd;
	uint32_t srtt_us, rttvar_us, rto_us, min_rtt_us;
	uint32_t unacked, sacked, lost, retrans; /* bytes, now */
	uint32_t sndq_len, rcvq_len, ooo_len;
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	uint64_t segs_in, segs_out;
	uint32_t rtos, fast_recoveries, backoff;
	uint32_t tries, probes; /* timeouts, and probes, that wait for a sign of life */
	uint32_t max_wnd;	/* the largest the peer ever offered */
	uint32_t pmtu, rcv_lim, advmss, unsent, delivered, segs_retrans;
	uint32_t data_segs_in, data_segs_out, segs_early, n_dsack, n_reord;
	uint32_t reordering; /* segments that were overtaken, at most; at least 3 */
	uint32_t tx_age_ms, rx_age_ms, ack_age_ms; /* since data went, came; ACKs */
	uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us;
	uint8_t ca; /* enum tcp_ca */
	uint8_t snd_wscale, rcv_wscale;
	bool sack, timestamps, syn_data, ecn, accecn;
	const char *cc;
};

/* clang-format off */
#define TCP_COUNTERS(C)							\
	C(active_open,	"connections asked for by us")			\
	C(passive_open,	"connections accepted from a peer")		\
	C(established,	"connections that came to be established")	\
	C(closed,	"connections that ended in order")		\
	C(reset_in,	"connections reset by the peer")		\
	C(reset_out,	"resets sent")					\
	C(mtu_guesses,	"times that long segments were lost for good")	\
	C(mtu_found,	"shorter segments that arrived where long ones did not") \
	C(timed_out,	"connections given up for silence")		\
	C(orphan_evicted, "closed connections reset to make room")	\
	C(segs_in,	"segments received")				\
	C(segs_out,	"segments sent")				\
	C(bytes_in,	"payload bytes received in order")		\
	C(bytes_out,	"payload bytes sent for the first time")	\
	C(bytes_retrans, "payload bytes sent again")			\
	C(rto,		"retransmission timers that fired")		\
	C(fast_recovery, "loss recoveries without a timer")		\
	C(rto_spurious,	"timeouts that came too early")			\
	C(undone,	"loss recoveries that were in vain")		\
	C(tlp,		"tail loss probes sent")			\
	C(tlp_repaired,	"tail loss probes that repaired a loss")	\
	C(dsack_in,	"reports of bytes that came twice")		\
	C(dsack_out,	"reports to the peer of bytes that came twice")	\
	C(dup_ack_out,	"duplicate ACKs sent")				\
	C(challenge_ack, "challenge ACKs sent")				\
	C(challenge_held, "challenge ACKs held back by the limit")	\
	C(rst_held,	"resets held back by the limit")		\
	C(fastopen_in,	"connections accepted by their SYN (Fast Open)")	\
	C(fastopen_out,	"connections whose SYN brought data to the peer") \
	C(fastopen_cookie_out, "Fast Open cookies given")		\
	C(fastopen_bad_cookie, "SYNs with a Fast Open cookie that is none of ours") \
	C(fastopen_limit, "Fast Open SYNs beyond the listener's limit")	\
	C(ecn_ce_in,	"segments received with a congestion mark")	\
	C(ecn_reduced,	"windows reduced for congestion marks")		\
	C(syn_cookie_out, "SYN cookies sent")				\
	C(syn_cookie_in, "connections made from SYN cookies")		\
	C(syn_drop,	"SYNs dropped because queues were full")	\
	C(accept_drop,	"handshakes dropped because the backlog was full") \
	C(ooo_bytes,	"payload bytes received out of order")		\
	C(ooo_drop,	"out-of-order segments dropped for the limit")	\
	C(ooo_shed,	"connections whose out-of-order bytes made room") \
	C(window_probe,	"zero-window probes sent")			\
	C(keepalive,	"keep-alive probes sent")			\
	C(time_wait,	"TIME-WAITs entered")				\
	C(time_wait_reused, "TIME-WAITs ended by a new SYN")		\
	C(time_wait_dropped, "TIME-WAITs that made room")		\
	C(no_memory,	"times that a pool was empty")
/* clang-format on */

struct tcp_stats {
#define C(name, text) uint64_t name;
	TCP_COUNTERS(C)
#undef C
	uint32_t n_conns, n_syn, n_time_wait, n_listeners, n_orphans; /* now */
};
