/*
 * TCP of one core from inside: what its files say to each other.
 *
 *	tcp.c	     life of struct tcp, speaking, statistics
 *	conn.c	     life of a connection, tcp_enter
 *	table.c	     which connection or listener a segment is for
 *	input.c	     RFC 9293 3.10.7, step by step
 *	ack.c	     what an ACK tells the sender
 *	text.c	     payload, urgent data and FIN of a segment
 *	listen.c     SYN queue, cookies, accept queue
 *	wait.c	     segments for connections in TIME-WAIT
 *	output.c     what to say, most important reason first
 *	emit.c	     one segment to the IP layer
 *	recover.c    what is sent again
 *	timer.c	     when nothing comes
 *	err.c	     what ICMP says
 *	user.c	     what the layer above asks
 *	opt.c	     settings
 *	info.c check.c	to look
 */
#pragma once

#include "stack/base/bucket.h"
#include "stack/base/hash.h"
#include "stack/base/map.h"
#include "stack/base/pkt.h"
#include "stack/base/pool.h"
#include "stack/base/rng.h"
#include "stack/base/trace.h"
#include "tcp/conn.h"
#include "tcp/lport.h"
#include "tcp/synq.h"
#include "tcp/timewait.h"

enum {
	TCP_MSS_DEFAULT = 536,	  /* RFC 9293 3.7.1: the peer's SYN named none */
	TCP_MSS_MIN = 64,	  /* less is no MSS: SACK and timestamps must fit */
	TCP_TS_LEN = 12,	  /* bytes that timestamps take of every segment */
	TCP_LISTENERS_MAX = 4096, /* of a core */
	TCP_BACKLOG_MAX = 65535,
	TCP_RCV_LIM_FIRST = 65535, /* receive window of a new connection */
	TCP_QUICK_ACKS = 16,	   /* segments acknowledged at once at the beginning */
	TCP_SPEAK_MAX = 16,	   /* super-segments of one connection in a turn */
	/* Tenths of the pool's buffers: below the first, windows shrink; below the second
	 * writers wait, lest what is sent leaves no memory for its ACKs to come in. */
	TCP_LEVEL_TIGHT = 5,
	TCP_LEVEL_WRITE = 2,
	TCP_STARVE_MS = 20,    /* connections that found no memory wait so long */
	TCP_OVERRIDE_MS = 200, /* RFC 9293 3.8.6.2.1: override timeout; and cork's */
	TCP_OOW_ACK_MS = 500,  /* between answers to segments outside the window */
	TCP_PAWS_MS = 24 * 24 * 3600 * 1000, /* RFC 7323 5.5: then ts_recent is void */
	TCP_WSCALE_MIN = 7,		     /* so that rcvbuf may grow later */
	TCP_WSCALE_MAX = 14,
};

struct tcp_listener {
	struct tcp *tcp;     /* NULL: the block is free */
	struct list ready;   /* tcp->ready_listeners */
	struct list waiting; /* connections by ->ready, the oldest first */
	unsigned n_waiting, backlog;
	struct addr addr; /* all zeros: every address */
	uint16_t port;
	struct tcp_opts opts;
	void *user;
};

struct tcp {
	struct tcp_conf conf;
	struct ip *ip;
	struct pkt_pool *pkts;
	struct wheel *wheel;
	struct rng *rng;
	const struct hash_key *key;
	struct trace *trace;
	const struct cc_ops *cc;
	struct tcp_opts opts; /* of new connections */
	uint64_t now_ns;      /* the last time we were told */

	struct pool conns, xfers, listeners;
	struct map flows; /* connections by hash_flow() */
	struct map ports; /* listeners by port */
	struct synq *synq;
	struct timewait *timewait;
	struct lport lport;

	struct list speak;   /* have something to say this turn */
	struct list starved; /* found no memory: again when @starve_timer fires */
	struct list grave;   /* ended, and nobody owns them */
	struct list ready;   /* may have news */
	struct list ready_listeners;
	struct timer starve_timer, synq_timer, timewait_timer;

	struct bucket resets;	 /* RSTs for segments that are nobody's */
	uint64_t challenge_s;	 /* the second whose challenge ACKs are counted */
	uint32_t challenge_left; /* so many more in it */
	uint64_t cookie_ns;	 /* when the last cookie was sent; 0: never */
	uint8_t rcv_wscale;	 /* that we offer */
	struct tcp_stats stats;
};

/* A received segment on its way through the steps of input.c. */
struct tcp_in {
	struct tcp *tcp;
	struct tcp_conn *c;
	struct pkt *p; /* once the header is stripped, the payload */
	uint64_t now_ns;
	struct flow flow;
	struct tcp_seg s;
	uint32_t len; /* of the payload */
	enum verdict verdict;
};

static inline uint32_t tcp_ms(uint64_t now_ns)
{
	return (uint32_t)(now_ns / 1000000);
}

static inline uint32_t tcp_us(uint64_t now_ns)
{
	return (uint32_t)(now_ns / 1000);
}

/* Numbers that the segment takes, with its SYN and FIN. */
static inline uint32_t tcp_in_seq_len(const struct tcp_in *in)
{
	return in->len + !!(in->s.flags & TCP_SYN) + !!(in->s.flags & TCP_FIN);
}

/* May one more challenge ACK be sent?  Counts it, one way or the other. */
bool tcp_challenge_allowed(struct tcp *tcp, uint64_t now_ns);
/* Of IP and TCP without options. */
unsigned tcp_headers_len(const struct flow *f);
/* A timer of connections that found no memory. */
void tcp_starve_timer(struct timer *t, uint64_t now_ns);

/* ---- table.c ---- */

struct tcp_conn *tcp_table_find(const struct tcp *tcp, const struct flow *flow);
/* 0 or -ENOMEM. */
int tcp_table_add(struct tcp_conn *c);
void tcp_table_del(struct tcp_conn *c);
/* True when a connection, half open or waiting ones too, has that flow. */
bool tcp_table_taken(const struct tcp *tcp, const struct flow *flow);
/* The listener for that address and port, the exact one first. */
struct tcp_listener *tcp_table_listener(const struct tcp *tcp, const struct addr *addr,
					uint16_t port);
struct tcp_listener *tcp_table_listener_exact(const struct tcp *tcp,
					      const struct addr *addr, uint16_t port);
int tcp_table_listener_add(struct tcp *tcp, struct tcp_listener *l);
void tcp_table_listener_del(struct tcp *tcp, struct tcp_listener *l);

/* ---- input.c: steps that others share ---- */

/* True when the segment may not count for its timestamp (RFC 7323 5.3). */
bool tcp_input_paws(uint32_t ts_recent, const struct tcp_seg *s);
/* An established connection, made from a half-open one, reads its first segment. */
enum verdict tcp_input_conn(struct tcp_in *in);

/* ---- ack.c ---- */

/* SEG.ACK is between SND.UNA - MAX.SND.WND and SND.NXT: what it tells the sender. */
void tcp_ack(struct tcp_in *in);

/* ---- text.c ---- */

void tcp_text_urgent(struct tcp_in *in);
/* Payload and FIN; the verdict says whether the packet was kept. */
void tcp_text(struct tcp_in *in);

/* ---- listen.c, wait.c ---- */

/* A segment for no connection: of a half-open one, a listener's, or nobody's. */
enum verdict tcp_listen_input(struct tcp_in *in);
void tcp_listen_timer(struct timer *t, uint64_t now_ns);
/* ICMP says that the peer of a half-open connection cannot be reached. */
void tcp_listen_unreachable(struct tcp *tcp, const struct flow *flow, struct seq seq);
/* A segment for entry @id.  V_KEPT: it made room for a new connection, whose numbers
 * shall begin at *iss or later; go on with listen.c. */
enum verdict tcp_wait_input(struct tcp_in *in, uint32_t id, struct seq *iss);
void tcp_wait_enter(struct tcp_conn *c, uint64_t now_ns);
void tcp_wait_timer(struct timer *t, uint64_t now_ns);

/* ---- output.c ---- */

/* Says all that may be said now. */
void tcp_output(struct tcp_conn *c, uint64_t now_ns);
/* An ACK at once, with what is known now. */
void tcp_output_ack(struct tcp_conn *c, uint64_t now_ns);
/* RFC 5961 3.2, 4.2: an ACK, if the limit allows. */
void tcp_output_challenge(struct tcp_conn *c, uint64_t now_ns);
/* A segment below SND.UNA, which must be answered: window and keep-alive probes. */
int tcp_output_probe(struct tcp_conn *c, uint64_t now_ns);
void tcp_output_reset(struct tcp_conn *c, uint64_t now_ns);
/* The window would open far enough to be told (RFC 9293 3.8.6.2.2). */
bool tcp_output_opens(const struct tcp_conn *c);
/* Only want of memory keeps it shut: it must be looked at again without a reason. */
bool tcp_output_is_shut(const struct tcp_conn *c);

/* ---- emit.c ---- */

/* How a segment goes, beside what it says. */
struct tcp_emit {
	uint16_t gso_len; /* payload of each segment when @body is more than one */
	uint8_t ttl, tos;
	bool partial_sum, no_df;
};

/* Sends @s with @body (NULL: none), which it takes.  0, -ENOBUFS, or of ip_output(). */
int tcp_emit_segment(struct tcp *tcp, const struct flow *f, const struct tcp_seg *s,
		     struct pkt *body, const struct tcp_emit *how, uint64_t now_ns);
/* Without payload, as for connections that have no control block. */
int tcp_emit_bare(struct tcp *tcp, const struct flow *f, struct tcp_seg *s,
		  const struct tcp_opts *opts, uint64_t now_ns);
/* RFC 9293 3.10.7.1: the RST that answers a segment for nobody. */
void tcp_emit_refusal(struct tcp_in *in);
/* What our SYN says: MSS, window scale and so on. */
void tcp_emit_syn_options(struct tcp *tcp, const struct flow *f,
			  const struct tcp_opts *opts, struct tcp_seg *s);

/* ---- recover.c ---- */

/* What ACKs said: @n_acked bytes cumulatively, @n_sacked newly by SACK. */
void tcp_recover_ack(struct tcp_conn *c, uint32_t n_acked, uint32_t n_sacked, bool dup,
		     uint64_t now_ns);
void tcp_recover_timeout(struct tcp_conn *c, uint64_t now_ns);
/* Segments became shorter: all that is in flight is sent again (RFC 1191 6.3). */
void tcp_recover_resegment(struct tcp_conn *c);
/* Bytes believed to be in the network. */
uint32_t tcp_recover_pipe(const struct tcp_conn *c);
/* The next bytes to send again, before any new ones; false: none. */
bool tcp_recover_next(const struct tcp_conn *c, struct tcp_block *hole);
/* The same when no new bytes may be sent (RFC 6675 4, NextSeg 3 and 4). */
bool tcp_recover_last(const struct tcp_conn *c, struct tcp_block *hole);
/* [start, end) was sent again. */
void tcp_recover_sent(struct tcp_conn *c, struct seq start, struct seq end);

/* ---- timer.c ---- */

void tcp_timer_fire(struct timer *t, uint64_t now_ns);
/* The connection's job from now on, and when it is due. */
void tcp_timer_job(struct tcp_conn *c, enum tcp_job job, uint64_t due_ns);
/* The retransmission timer begins anew (RFC 6298 5.3). */
void tcp_timer_retransmit(struct tcp_conn *c, uint64_t now_ns);
/* Whatever job the state asks for, when nothing is in flight. */
void tcp_timer_quiet(struct tcp_conn *c, uint64_t now_ns);
/* An ACK leaves within the delay. */
void tcp_timer_delay_ack(struct tcp_conn *c, uint64_t now_ns);
void tcp_timer_stop(struct tcp_conn *c);

/* ---- opt.c ---- */

void tcp_opt_default(struct tcp_opts *opts, const struct tcp_conf *conf);
int tcp_opt_set(struct tcp_opts *opts, enum tcp_opt opt, int value);
