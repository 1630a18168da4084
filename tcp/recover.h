/*
 * Loss recovery, between its files and for those that feed it.  A part of tcp_impl.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tcp/conn.h"
#include "tcp/sent.h"

/* What one ACK says to loss recovery. */
struct tcp_told {
	uint64_t now_ns;
	uint32_t flight;      /* before it, bytes */
	uint32_t n_acked;     /* bytes that moved SND.UNA */
	uint32_t n_ce;	      /* of those, bytes that were marked (tcp_ecn_marks()) */
	uint32_t n_delivered; /* bytes by ACK or SACK; without SACK a guess */
	uint32_t rtt_us;      /* of what was sent last of these; 0: unknown */
	uint32_t ts_ecr;      /* if @has_ecr */
	bool has_ecr;
	bool dup;	      /* a duplicate as RFC 5681 2 has it */
	bool dsack;	      /* @dsack_block came twice */
	uint32_t lost_before; /* sent_log's counter */
	struct tcp_block dsack_block;
	struct sent_news sent;
};

/* ---- recover.c ---- */

/* The SYN is acknowledged, up to @una; bytes that went with it may be left. */
void tcp_recover_begin(struct tcp_conn *c, struct seq una, uint64_t now_ns);
/* An ACK came.  Microseconds until more is lost by time alone; 0: nothing is. */
uint32_t tcp_recover_ack(struct tcp_conn *c, struct tcp_told *a);
/* That time has come. */
void tcp_recover_reordered(struct tcp_conn *c, uint64_t now_ns);
void tcp_recover_timeout(struct tcp_conn *c, uint64_t now_ns);
/* Congestion without loss, in OPEN or DISORDER with bytes in flight: cwnd goes down. */
void tcp_recover_reduce(struct tcp_conn *c, uint64_t now_ns);
/* Segments became shorter: all that is in flight is sent again (RFC 1191 6.3). */
void tcp_recover_resegment(struct tcp_conn *c);
/* It waits for ACKs that may follow the last one; until then the xfer must stay. */
static inline bool tcp_recover_remembers(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;

	return x && (x->undo || x->tlp_out || x->hold);
}
void tcp_recover_forget(struct tcp_conn *c);
/* Bytes believed to be in the network. */
uint32_t tcp_recover_pipe(const struct tcp_conn *c);
/* The next bytes to send again, before any new ones; false: none. */
bool tcp_recover_next(struct tcp_conn *c, struct tcp_block *hole);
/* They were. */
void tcp_recover_sent(struct tcp_conn *c, struct tcp_block b, uint64_t now_ns);

/* ---- rack.c, tlp.c, prr.c, undo.c ---- */

void tcp_rack_ack(struct tcp_conn *c, const struct tcp_told *a);
/* Marks what is lost by now; as tcp_recover_ack(). */
uint32_t tcp_rack_detect(struct tcp_conn *c, uint64_t now_ns);
bool tcp_rack_is_late(const struct tcp_conn *c, const struct sent *e, uint64_t now_ns);
/* A recovery ended. */
void tcp_rack_recovered(struct tcp_conn *c);

/* A probe shall go when nothing comes, after so long (RFC 8985 7.2). */
bool tcp_tlp_wanted(const struct tcp_conn *c);
uint64_t tcp_tlp_delay_ns(const struct tcp_conn *c);
/* It left: new bytes, or some @again. */
void tcp_tlp_sent(struct tcp_conn *c, bool again);
void tcp_tlp_ack(struct tcp_conn *c, const struct tcp_told *a);

/* cwnd shall come down to ssthresh; the ACK that said so delivered that much. */
void tcp_prr_begin(struct tcp_conn *c, uint32_t n_delivered);
void tcp_prr_ack(struct tcp_conn *c, uint32_t n_delivered, bool safe);

/* Keeps what is, should a loss that is presumed now be none. */
void tcp_undo_begin(struct tcp_conn *c);
void tcp_undo_resent(struct tcp_conn *c, uint32_t len, uint64_t now_ns);
void tcp_undo_dsack(struct tcp_conn *c, struct tcp_block b);
/* Eifel: the ACK was sent for bytes from before the first retransmission. */
bool tcp_undo_is_early(const struct tcp_conn *c, const struct tcp_told *a);
/* D-SACK: all that was sent again came twice. */
bool tcp_undo_all_twice(const struct tcp_conn *c);
/* All is as it was. */
void tcp_undo(struct tcp_conn *c);
