/*
 * Congestion control: how much may be in flight.
 *
 * Loss recovery (recover.c) decides what is sent again; an algorithm decides how
 * much, in bytes, through @cwnd and @ssthresh.  To add one, write a file with a
 * struct cc_ops and name it in cc.c's table.  Hooks run on the connection's core;
 * @state is the algorithm's own, zeroed before init().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	CC_STATE_LEN = 48,
	CC_NAME_LEN = 16,
	CC_CWND_MAX = 1 << 30, /* the largest window (RFC 7323 2.3) */
};

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd;	   /* bytes */
	uint32_t ssthresh; /* bytes; UINT32_MAX at first */
	_Alignas(8) uint8_t state[CC_STATE_LEN];
};

/* What an ACK told. */
struct cc_ack {
	uint64_t now_ns;
	uint32_t n_acked;   /* bytes newly acknowledged, not counting SACK's reports */
	uint32_t in_flight; /* bytes before this ACK */
	uint32_t n_ce;	    /* of n_acked, bytes that were marked (RFC 9768, or by ECE) */
	uint32_t mss;
	uint64_t rtt_ns; /* a sample, or 0 */
	uint64_t srtt_ns;
	bool cwnd_limited; /* the sender could have used more (RFC 7661) */
	bool recovering;   /* loss recovery runs: cwnd is its own */

	/*
	 * For @every_ack: what arrived, by ACK or SACK, and how fast
	 * (draft-ietf-ccwg-bbr 4.1.1).  Counters are bytes modulo 2^32.
	 */
	uint32_t n_delivered;	  /* bytes newly delivered */
	uint32_t n_lost;	  /* bytes newly taken for lost */
	uint32_t pipe;		  /* bytes in flight behind it */
	uint32_t delivered;	  /* all so far */
	uint32_t rate_us;	  /* a sample: in so long ... (0: none) */
	uint32_t rate_bytes;	  /* ... so many bytes were delivered ... */
	uint32_t prior_delivered; /* ... since, when this much had been ... */
	uint32_t tx_in_flight;	  /* ... and that was in flight ... */
	uint32_t tx_lost;	  /* ... of which, or since, so many were lost ... */
	bool app_limited;	  /* ... and the program had no more to say */
};

enum cc_loss {
	CC_LOSS_FAST, /* loss recovery begins (RFC 5681 3.2, RFC 6675) */
	CC_LOSS_RTO,  /* the retransmission timer fired (RFC 5681 3.1 (4)) */
	CC_ECN_CE,    /* congestion was marked, nothing is lost (RFC 3168 6.1.2) */
};

struct cc_ops {
	const char *name;
	bool own_ecn;	   /* ack() reads n_ce: marks are no losses */
	bool own_recovery; /* cwnd in loss recovery is its own, not prr.c's */
	bool every_ack; /* ack() is called for reports, too, and wants samples of rates */
	/* @cwnd and @ssthresh hold their initial values.  May be NULL. */
	void (*init)(struct cc *cc, uint32_t mss, uint64_t now_ns);
	/* Frees what init() took.  May be NULL, and be called without init(). */
	void (*fini)(struct cc *cc);
	/* New data was acknowledged. */
	void (*ack)(struct cc *cc, const struct cc_ack *ack);
	/*
	 * Sets ssthresh, and cwnd for what begins now.  Unless @own_recovery, prr.c moves
	 * cwnd there until recovered().
	 */
	void (*loss)(struct cc *cc, enum cc_loss why, uint32_t in_flight, uint32_t mss,
		     uint64_t now_ns);
	/* Loss recovery ended: cwnd for what follows. */
	void (*recovered)(struct cc *cc, uint32_t in_flight, uint32_t mss,
			  uint64_t now_ns);
	/* The last loss() was for nothing.  NULL: all is as it was before it. */
	void (*undone)(struct cc *cc);
	/* Bytes a second that may leave; 0: as fast as can be.  NULL: pace.c decides. */
	uint64_t (*rate)(const struct cc *cc);
	/* Nothing was sent for longer than the RTO (RFC 5681 4.1). */
	void (*idle)(struct cc *cc, uint32_t mss, uint64_t now_ns);
};

/* RFC 6928: min(10 * mss, max(2 * mss, 14600)). */
uint32_t cc_initial_window(uint32_t mss);
/* The algorithm of that name, or NULL. */
const struct cc_ops *cc_find(const char *name);
/* Number @i of those there are, NULL behind the last. */
const struct cc_ops *cc_at(unsigned i);
void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, uint64_t now_ns);
void cc_fini(struct cc *cc);

extern const struct cc_ops cc_reno, cc_cubic, cc_bbr;

/* For algorithms. */
/* @n more, up to CC_CWND_MAX. */
void cc_grow(struct cc *cc, uint32_t n);
/* RFC 9937 6.2: ssthresh behind loss recovery. */
void cc_recovered(struct cc *cc);
/* RFC 5681 4.1: after idling at most the initial window. */
void cc_restart(struct cc *cc, uint32_t mss);
