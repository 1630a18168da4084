/*
 * The scoreboard of a sender: which bytes beyond SND.UNA the peer has reported
 * (RFC 2018), and what RFC 6675 concludes from it.
 *
 * Ranges are kept sorted, without touching each other, in memory that exists only
 * while there are any; at most SACK_RANGES_MAX (a peer may report nonsense).
 * SND.UNA itself is never in a range: a peer that has it acknowledges it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/seq.h"
#include "tcp/tcp_wire.h"

enum { SACK_RANGES_MAX = 256, SACK_DUP_THRESH = 3 };

struct sack_board {
	struct tcp_block *ranges; /* NULL while there is none */
	uint16_t n, room;
	uint32_t n_sacked; /* bytes in all ranges */
};

void sack_init(struct sack_board *b);
void sack_fini(struct sack_board *b);
/*
 * Enters the blocks of one segment, whose ACK has moved @una already.  Blocks that are
 * not inside (una, nxt] are ignored, as is what finds no room, and a D-SACK (RFC 2883:
 * a first block at or below @una, or inside the second block), which sets *dsack.
 * Returns how many bytes are newly reported.
 */
uint32_t sack_update(struct sack_board *b, const struct tcp_seg *seg, struct seq una,
		     struct seq nxt, bool *dsack);
/*
 * Everything before @una is acknowledged.  A range that holds @una goes: a peer that
 * stops inside what it had reported has thrown the rest away (RFC 2018 8).
 */
void sack_ack(struct sack_board *b, struct seq una);
/* The peer may have thrown everything away (RFC 2018 8, after a timeout). */
void sack_clear(struct sack_board *b);
/* RFC 6675 IsLost() of @s, which is not reported: DupThresh ranges, or more than
 * (DupThresh - 1) * @mss bytes, are reported above it. */
bool sack_is_lost(const struct sack_board *b, struct seq s, uint32_t mss);
/* True when the byte @s is reported. */
bool sack_has(const struct sack_board *b, struct seq s);
/*
 * The first bytes in [from, to) that are not reported: true, and their range in
 * *hole, cut at the next reported byte and at @to.
 */
bool sack_hole(const struct sack_board *b, struct seq from, struct seq to,
	       struct tcp_block *hole);
/* Behind the highest byte reported; @una when none is. */
struct seq sack_high(const struct sack_board *b, struct seq una);
/*
 * RFC 6675 SetPipe(): bytes of [una, nxt) in the network.  Of those not reported, each
 * counts that is not lost, and once more when it was sent again (lies before @high_rxt,
 * which is HighRxt + 1).
 */
uint32_t sack_pipe(const struct sack_board *b, struct seq una, struct seq nxt,
		   struct seq high_rxt, uint32_t mss);
void sack_check(const struct sack_board *b, struct seq una, struct seq nxt);
