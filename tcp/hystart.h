/*
 * HyStart++ (RFC 9406): slow start ends when the round-trip time says that a queue
 * grows, before it overflows.
 *
 *	ALERT --round-trip time rose--> CSS --five rounds--> DONE
 *	  ^				 |
 *	  +------it fell again-----------+
 *
 * In CSS, conservative slow start, the window grows a quarter as fast.  For the first slow
 * start of a connection only (4.3): later ones have a threshold.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tcp/cc.h"

enum hystart_phase { HYSTART_ALERT, HYSTART_CSS, HYSTART_DONE };

/* All zero at first. */
struct hystart {
	uint32_t n_left; /* bytes to be acknowledged in this round */
	uint32_t last_us,
		now_us; /* least round-trip time of the last round, and this; 0: none */
	uint32_t baseline_us; /* of the round that led to CSS */
	uint8_t n_samples;    /* of this round, as far as they count */
	uint8_t n_rounds;     /* in CSS */
	uint8_t phase;
};

/*
 * An ACK in slow start that does not run in recovery.  How many bytes the window grows by;
 * in DONE slow start is over, and ssthresh is cwnd.
 */
uint32_t hystart_ack(struct hystart *h, const struct cc_ack *ack);
