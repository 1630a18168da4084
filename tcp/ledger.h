/*
 * What TCP_INFO tells of a connection's whole life: counters that decide nothing.
 *
 * They lie beside the control block, in a place of the same number, which is touched with
 * the first byte: a connection that never moved one does not pay for them.  A part of
 * tcp_impl.h.
 *
 * Where the time of a sender goes is counted as Linux does it: it is busy from the first
 * byte written to the ACK of the last, and of that time may be limited by the peer's
 * window, or by a send buffer that is empty and that the program waits to fill.
 */
#pragma once

#include <stdint.h>

struct tcp_conn;

enum tcp_busy { TCP_BUSY_NOT, TCP_BUSY, TCP_BUSY_RWND, TCP_BUSY_SNDBUF, TCP_N_BUSY };

struct tcp_ledger {
	uint64_t busy_us[TCP_N_BUSY]; /* of the times that are over */
	uint32_t since_us;	      /* the present one began ... */
	uint8_t busy;		      /* ... and is this, enum tcp_busy */
	uint32_t rx_ms;		      /* payload came last, or the handshake ended */
	uint32_t delivered;    /* segments of ours that are known to have arrived */
	uint32_t segs_retrans; /* segments sent again */
	uint32_t data_segs_out, data_segs_in;
	uint32_t segs_early; /* segments that came before their turn */
	uint32_t n_dsack;    /* reports that something of ours came twice */
	uint32_t n_reord;    /* ACKs that told of bytes overtaken by later ones ... */
	uint32_t reordering; /* ... by so many segments at most */
};

/* Of @c, from now on counted. */
struct tcp_ledger *tcp_ledger(struct tcp_conn *c);
/* The same to look at; zeros when nothing was counted. */
const struct tcp_ledger *tcp_ledger_look(const struct tcp_conn *c);
/* @c said what it may: what limits it until it is asked again. */
void tcp_ledger_limit(struct tcp_conn *c, uint64_t now_ns);
/* Time in that state so far. */
uint64_t tcp_ledger_busy_us(const struct tcp_conn *c, enum tcp_busy busy,
			    uint64_t now_ns);
