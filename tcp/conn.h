/*
 * One connection: its control block, and what it borrows while bytes are under way.
 *
 * For the files of this folder and their tests.  struct tcp_conn holds what an idle
 * connection must know; struct tcp_xfer everything that has a meaning only while
 * bytes wait or are in flight: both queues, the scoreboard, loss recovery.  It is
 * borrowed from a pool with the first byte and given back when all is acknowledged
 * and read, so that a hundred thousand idle connections cost their control blocks.
 * That pool is as large as the one of connections: it is never empty.
 *
 * Sequence numbers, ours and the peer's:
 *
 *	     snd_una            snd_nxt              snd_una + snd_wnd
 *	--------|==================|--------------------|--------
 *	        |  in flight       |  may be sent       |
 *	        |==================|=========|  x->snd: bytes written
 *
 *	     rcv_nxt - x->rcv.len      rcv_nxt               rcv_adv
 *	--------|=========================|====  ===============|--------
 *	        |  x->rcv: not yet read   |  islands, promised   |
 *
 * snd_nxt never goes back: what is sent again is told by x->sent.
 */
#pragma once

#include <assert.h>

#include "stack/base/addr.h"
#include "stack/base/list.h"
#include "stack/base/seq.h"
#include "stack/base/wheel.h"
#include "tcp/cc.h"
#include "tcp/ecn.h"
#include "tcp/opt.h"
#include "tcp/rcvq.h"
#include "tcp/rtt.h"
#include "tcp/sndq.h"
#include "tcp/tcp.h"
#include "tcp/tcp_wire.h"
#include "tcp/xfer.h"

/* What the connection's one timer waits for, beside the delayed ACK (timer.c). */
enum tcp_job {
	TCP_JOB_NONE,
	TCP_JOB_RETRANSMIT, /* something is in flight */
	TCP_JOB_TLP,	    /* the same, and a probe goes first (tlp.c) */
	TCP_JOB_REORDER,    /* the same, and some of it may be late (rack.c) */
	TCP_JOB_PROBE,	    /* bytes wait, and nothing may be sent */
	TCP_JOB_FORGET,	    /* nothing is in flight; what recovery remembers goes soon */
	TCP_JOB_KEEP,	    /* nothing to do: is the peer alive? */
};

struct tcp_conn {
	/* Which connection it is, and what every segment asks. */
	struct tcp *tcp;
	struct tcp_xfer *x; /* NULL: nothing waits, nothing is in flight */
	struct flow flow;
	uint8_t state; /* enum tcp_state */
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	uint8_t ecn;	    /* enum ecn_bit */
	uint8_t quick_acks; /* segments still to be acknowledged at once */
	uint16_t mss;	    /* payload of a full segment, options but SACK taken off */
	uint16_t rcv_mss;   /* the longest segment the peer sent so far */

	struct seq rcv_nxt;
	struct seq rcv_adv;  /* right edge of the window that we promised */
	struct seq ack_sent; /* RFC 7323's Last.ACK.sent */
	struct seq snd_una, snd_nxt;
	uint32_t snd_wnd;	     /* bytes */
	struct seq snd_wl1, snd_wl2; /* the segment that set it */
	uint32_t max_wnd;	     /* the largest the peer ever offered */
	uint32_t ts_recent;	     /* the peer's timestamp to echo ... */
	uint32_t ts_recent_ms;	     /* ... taken then */
	uint32_t ts_offset;	     /* our timestamps are milliseconds plus this */
	uint32_t rcv_lim;	     /* receive buffer in use: grows while it is read */
	uint32_t last_rx_ms;
	bool ts : 1, sack : 1; /* both ends agreed */
	bool owned : 1;	       /* by the layer above, or a listener */
	bool accepting : 1;    /* waits for tcp_accept() */
	bool in_table : 1;     /* segments find it */
	bool on_speak : 1, on_starved : 1, on_ready : 1;
	bool ack_now : 1;    /* an ACK leaves at the end of the turn */
	bool syn_due : 1;    /* SYN or SYN-ACK must be sent, again */
	bool fin_wanted : 1; /* a FIN follows what is queued */
	bool fin_sent : 1;
	bool fin_in : 1;	   /* rcv_nxt is behind the peer's FIN */
	bool rcv_shut : 1;	   /* without bytes a read is at the end */
	bool cwnd_limited : 1;	   /* the last time it spoke, cwnd ended it */
	bool gso : 1;		   /* super-frames and partial sums may be sent */
	bool no_df : 1;		   /* the path is narrower than any we believe in */
	bool wants_room : 1;	   /* the program waits to write */
	bool was_connected : 1;	   /* came to be established */
	bool error_told : 1;	   /* the program knows @error */
	bool is_orphan : 1;	   /* in tcp->orphans */
	bool syn_data : 1;	   /* data came, or went, with the SYN */
	bool counted : 1;	   /* its place in tcp->ledgers is used */
	bool reord_seen : 1;	   /* the path has reordered (rack.c) */
	uint8_t error, soft_error; /* errno */
	uint8_t job;		   /* enum tcp_job */
	uint8_t tries;		   /* timeouts since something was acknowledged */
	uint8_t probes; /* window or keep-alive probes since the last sign of life */

	/* Timers (timer.c). */
	struct timer timer;
	uint64_t due_ns;     /* of @job */
	uint64_t ack_due_ns; /* the delayed ACK, or TIMER_NEVER */
	uint32_t last_tx_ms; /* data, SYN or FIN */
	uint32_t oow_ack_ms; /* when a segment outside the window was answered */
	struct rtt rtt;

	struct cc cc;

	struct list speak; /* tcp->speak, tcp->starved or tcp->grave */
	struct list ready; /* tcp->ready, tcp->orphans or the listener's waiting list */
	union {
		void *user; /* of the layer above; the listener's while accepting */
		struct {    /* nobody's any more (orphan.c) */
			uint32_t orphan_end_ms; /* so long it may live ... */
			uint32_t orphan_acked;	/* ... since @bytes_acked was this */
		};
	};

	struct tcp_opts opts;
	uint8_t reo_mult : 3;	 /* more patience that reordering wanted (rack.c) ... */
	uint8_t reo_persist : 5; /* ... for so many recoveries */
	uint8_t confirm_s;	 /* second in which ip_confirm() was told */
	uint16_t peer_mss;	 /* as its SYN said */
	uint16_t n_rto, n_recovery;
	uint32_t segs_in, segs_out;
	uint64_t bytes_acked, bytes_received, bytes_retrans;
};

static_assert(sizeof(struct tcp_conn) <= 384, "an idle connection stays small");
static_assert(offsetof(struct tcp_conn, timer) <= 128, "hot fields: two cache lines");

static inline uint32_t tcp_conn_sndq_len(const struct tcp_conn *c)
{
	return c->x ? c->x->snd.len : 0;
}

static inline uint32_t tcp_conn_rcvq_len(const struct tcp_conn *c)
{
	return c->x ? c->x->rcv.len : 0;
}

/* Bytes, SYN and FIN that are sent and not acknowledged. */
static inline uint32_t tcp_conn_flight(const struct tcp_conn *c)
{
	return seq_dist(c->snd_una, c->snd_nxt);
}

/* Behind the last byte written; our FIN's number, if there is one. */
static inline struct seq tcp_conn_write_end(const struct tcp_conn *c)
{
	return seq_add(c->snd_una, tcp_conn_sndq_len(c));
}

/* What the peer was promised and did not use. */
static inline uint32_t tcp_conn_promised(const struct tcp_conn *c)
{
	return seq_after(c->rcv_adv, c->rcv_nxt) ? seq_dist(c->rcv_nxt, c->rcv_adv) : 0;
}

/* What the program will read next. */
static inline struct seq tcp_conn_read_seq(const struct tcp_conn *c)
{
	return (struct seq){ c->rcv_nxt.n - c->fin_in - tcp_conn_rcvq_len(c) };
}

/* A new connection in CLOSED, not in the table; NULL: no memory. */
struct tcp_conn *tcp_conn_new(struct tcp *tcp, const struct flow *flow,
			      const struct tcp_opts *opts);
/* Its queues and recovery state, borrowed if it has none yet. */
struct tcp_xfer *tcp_conn_xfer(struct tcp_conn *c);
/* Gives them back when nothing waits and nothing is in flight. */
void tcp_conn_rest(struct tcp_conn *c);
/* MSS, window scale and so on, after both SYNs said theirs. */
void tcp_conn_agree(struct tcp_conn *c, uint16_t peer_mss, uint64_t now_ns);
/* What fits on the path now; true when segments became shorter. */
bool tcp_conn_sync_mss(struct tcp_conn *c);

/*
 * The one function that changes the state.  Asserts that RFC 9293 figure 5 has that
 * arrow and does what entering means.  After TCP_CLOSED, an unowned connection is
 * freed at the end of the turn: it may still be looked at, but is in no table.
 */
void tcp_enter(struct tcp_conn *c, enum tcp_state state, uint64_t now_ns);
/* The connection ends with an error (errno, positive). */
void tcp_conn_die(struct tcp_conn *c, int error, uint64_t now_ns);
/* RST to the peer, and it ends. */
void tcp_conn_reset(struct tcp_conn *c, int error, uint64_t now_ns);
/* Frees what ended. */
void tcp_conn_reap(struct tcp *tcp);

/* It may have something to say when the turn ends. */
void tcp_conn_speak(struct tcp_conn *c);
/* A pool was empty: it tries again when the timer of starving connections fires. */
void tcp_conn_starve(struct tcp_conn *c, uint64_t now_ns);
/* Its news may have changed: the layer above will look. */
void tcp_conn_tell(struct tcp_conn *c);
