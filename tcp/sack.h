/*
 * The scoreboard of a sender: which bytes beyond SND.UNA the peer has reported
 * (RFC 2018), and what RFC 6675 concludes from it.
 *
 * Ranges are kept sorted, without touching each other, in memory that exists only
 * while there are any; at most SACK_RANGES_MAX (a peer may report nonsense).
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
 * Enters the blocks of one segment.  Blocks outside (una, nxt] are ignored, as is a
 * D-SACK (RFC 2883: at or below @una, or inside the second block), which sets *dsack.
 * Returns how many bytes are newly reported.
 */
uint32_t sack_update(struct sack_board *b, const struct tcp_seg *seg, struct seq una,
		     struct seq nxt, bool *dsack);
/* Everything before @una is acknowledged. */
void sack_ack(struct sack_board *b, struct seq una);
/* The peer may have thrown everything away (RFC 2018 8, after a timeout). */
void sack_clear(struct sack_board *b);
/* RFC 6675 IsLost(): DupThresh ranges, or more than (DupThresh - 1) * @mss bytes,
 * are reported above @s. */
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
/* RFC 6675 SetPipe(): bytes of [una, nxt) still in the network when everything
 * before @high_rxt that is lost was sent again. */
uint32_t sack_pipe(const struct sack_board *b, struct seq una, struct seq nxt,
		   struct seq high_rxt, uint32_t mss);
void sack_check(const struct sack_board *b, struct seq una, struct seq nxt);
