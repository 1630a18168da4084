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
 *	syn.c	     SYN and SYN-ACK
 *	emit.c	     one segment to the IP layer
 *	recover.c    what is sent again, and when
 *	rack.c	     what is lost, by time
 *	tlp.c	     a probe when ACKs stop
 *	prr.c	     cwnd while it comes down
 *	undo.c	     when a loss was none
 *	timer.c	     when nothing comes
 *	fastopen.c   data in the SYN
 *	ecn.c	     congestion marks
 *	early.c	     memory of bytes that came before their turn
 *	dsack.c	     what came twice is reported
 *	orphan.c     connections that no program owns any more
 *	err.c	     what ICMP says
 *	user.c	     what the layer above asks
 *	opt.c	     settings
 *	ledger.c     counters that are only looked at
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
#include "tcp/fo_cache.h"
#include "tcp/fo_cookie.h"
#include "tcp/ledger.h"
#include "tcp/lport.h"
#include "tcp/pace.h"
#include "tcp/recover.h"
#include "tcp/synq.h"
#include "tcp/timewait.h"

enum {
	TCP_MSS_DEFAULT = 536, /* RFC 9293 3.7.1: the peer's SYN named none */
	TCP_MSS_DEFAULT6 = 1220,
	TCP_MSS_MIN = 64,	  /* less is no MSS: SACK and timestamps must fit */
	TCP_TS_LEN = 12,	  /* bytes that timestamps take of every segment */
	TCP_LISTENERS_MAX = 4096, /* of a core */
	TCP_SHARED_MAX = 64,	  /* of them, at one place */
	TCP_BACKLOG_MAX = 65535,
	TCP_RCV_LIM_FIRST = 65535, /* receive window of a new connection */
	TCP_QUICK_ACKS = 16,	   /* segments acknowledged at once at the beginning */
	TCP_SPEAK_MAX = 16,	   /* super-segments of one connection in a turn */
	/* Tenths of the pool: below the first, windows shrink; below the second writers
	 * wait who have more than a little queued; below the third all, lest what is sent
	 * leaves no memory for its ACKs to come in. */
	TCP_LEVEL_TIGHT = 5,
	TCP_LEVEL_WRITE = 2,
	TCP_LEVEL_SMALL = 1,
	TCP_SEND_SHARE = 8, /* a send queue has the eighth part of what is left */
	TCP_SEND_SMALL = PKT_BUF_LEN, /* and this much while there is anything */
	TCP_UNREAD_MAX = 64 * 1024,   /* memory of in-order bytes when there is little */
	TCP_SHARE = 4, /* orphans have the fourth part of all, and so have islands */
	TCP_ORPHAN_RATE = 4096, /* bytes per second that keep an orphan alive */
	TCP_STARVE_MS = 20,	/* connections that found no memory wait so long */
	TCP_OVERRIDE_MS = 200,	/* RFC 9293 3.8.6.2.1: override timeout; and cork's */
	TCP_OOW_ACK_MS = 500,	/* between answers to segments outside the window */
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
	bool shared;	   /* others may listen at the same place ... */
	struct list group; /* ... and they are a ring, of which one is in tcp->ports */
	struct tcp_opts opts;
	const struct cc_ops *cc; /* of what is accepted; NULL: the core's */
	void *user;
	uint32_t serial;  /* no other listener has it */
	uint32_t defer_s; /* TCP_DEFER_ACCEPT; 0: off */

	/* Fast Open (fastopen.c). */
	unsigned fo_max;     /* connections without their ACK; 0: off */
	unsigned n_fo;	     /* that are ... */
	unsigned fo_held[2]; /* ... and were reset, in @fo_minute and before it */
	uint64_t fo_minute;
	struct fo_keys fo_keys; /* n 0: the core's */
};

/* How many challenge ACKs one kind of connections may still send. */
struct tcp_challenge {
	uint64_t second; /* that is counted */
	uint32_t left;	 /* in it */
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
	struct pool ledgers; /* by the number of the connection; none is given out */
	struct map flows;    /* connections by hash_flow() */
	struct map ports;    /* listeners by port */
	struct synq *synq;
	struct timewait *timewait;
	struct lport lport;

	struct list speak;   /* have something to say this turn */
	struct list starved; /* found no memory: again when @starve_timer fires */
	struct list grave;   /* ended, and nobody owns them */
	struct list ready;   /* may have news */
	struct list ready_listeners;
	struct list orphans; /* by ->ready, who ends first is first */
	uint32_t orphans_max, orphan_bufs_max;
	uint32_t orphan_bufs;		  /* buffers that their send queues pin */
	struct list early;		  /* xfers with islands, the oldest first */
	uint64_t early_pinned, early_max; /* bytes of memory */
	struct timer starve_timer, synq_timer, timewait_timer, orphan_timer;

	struct bucket resets; /* RSTs for segments that are nobody's */
	struct tcp_challenge challenge_conns, challenge_others; /* TIME-WAIT, half-open */
	uint64_t cookie_ns; /* when the last cookie was sent; 0: never */
	uint8_t rcv_wscale; /* that we offer */
	struct fo_cache fo_cache;
	struct fo_keys fo_keys;
	uint32_t n_listened; /* listeners so far */
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
bool tcp_challenge_allowed(struct tcp *tcp, struct tcp_challenge *limit, uint64_t now_ns);
/* What a peer takes whose SYN does not say it. */
uint16_t tcp_mss_default(const struct flow *f);
/* Of IP and TCP without options. */
unsigned tcp_headers_len(const struct flow *f);
/* A timer of connections that found no memory. */
void tcp_starve_timer(struct timer *t, uint64_t now_ns);

#include "tcp/tcp_calls.h"
