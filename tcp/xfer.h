/*
 * What a connection has only while bytes wait or are in flight.  A part of conn.h,
 * which draws the picture.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/seq.h"
#include "tcp/cc.h"
#include "tcp/ecn.h"
#include "tcp/fo_cookie.h"
#include "tcp/rcvq.h"
#include "tcp/sent.h"
#include "tcp/sndq.h"

/* What loss recovery does at the moment (recover.c draws the arrows). */
enum tcp_ca {
	TCP_CA_OPEN,	 /* nothing is known to be missing */
	TCP_CA_DISORDER, /* something is: late, or lost */
	TCP_CA_CWR,	 /* cwnd goes down, nothing is lost (RFC 3168) */
	TCP_CA_RECOVERY, /* fast recovery */
	TCP_CA_LOSS,	 /* after a timeout */
};

/* What became of the peer's urgent byte (read.c). */
enum tcp_urgent {
	TCP_URGENT_NONE,
	TCP_URGENT_ANNOUNCED, /* the byte did not come yet, or waits in the queue */
	TCP_URGENT_TAKEN,     /* read out of band; the stream is not past it yet */
	TCP_URGENT_PASSED,    /* the stream is past it; kept to be read out of band */
};

struct tcp_xfer {
	struct sndq snd;
	struct rcvq rcv;
	struct sent_log sent;
	struct list early;     /* tcp->early, while there are islands ... */
	uint32_t early_pinned; /* ... which tcp->early_pinned counts */

	/* Loss recovery (recover.c). */
	uint8_t ca;	    /* enum tcp_ca */
	uint8_t n_dup;	    /* without SACK: duplicate ACKs in a row, at most 255 */
	bool resend : 1;    /* the first bytes go again, whatever is in flight */
	bool hold : 1;	    /* RFC 6582 3.2: no new recovery before @recover */
	bool frto : 1;	    /* RFC 5682: was the timeout spurious? */
	bool frto_new : 1;  /* new bytes go before those that seem lost */
	struct seq recover; /* snd_nxt when recovery began */
	uint32_t inflate;   /* without SACK: bytes that duplicate ACKs stand for */

	uint16_t mtu_guess; /* in force until something is acknowledged (mtu_probe.c) */

	/* If it began in vain, all is as it was (undo.c). */
	bool undo : 1;	      /* since @undo_mark ... */
	bool undo_resent : 1; /* ... bytes were sent again ... */
	bool undo_stamped : 1;
	uint32_t undo_ts;   /* ... the first of them with this timestamp ... */
	uint32_t undo_left; /* ... so many of them without a D-SACK ... */
	struct seq undo_mark;
	struct seq undo_end; /* behind recovery: until this is passed */
	struct cc before;    /* ... and this was congestion control */

	/* Proportional rate reduction (prr.c), bytes. */
	uint32_t prr_delivered, prr_out, recover_fs;

	/* Pacing (pace.c). */
	uint64_t depart_ns; /* before that nothing leaves; 0: not paced */
	uint64_t wake_ns;   /* when it is looked at again, if it waits */
	bool paced;	    /* it does */

	/* RACK-TLP (rack.c, tlp.c). */
	bool rack : 1;		/* there is a most recent delivery: */
	bool tlp_due : 1;	/* a probe leaves with the turn */
	bool tlp_out : 1;	/* one did, and is not answered ... */
	bool tlp_again : 1;	/* ... and was bytes sent again */
	struct seq tlp_end;	/* snd_nxt when it left */
	uint32_t rack_at_us;	/* of what was sent then ... */
	struct seq rack_end;	/* ... and ends there */
	uint32_t rack_rtt_us;	/* of the last such one; 0: none yet */
	struct seq rack_fack;	/* behind the highest byte delivered */
	struct seq dsack_round; /* snd_nxt when reo_wnd last grew */

	struct seq timed;  /* the ACK of it tells of a round trip: one sample for each */
	uint32_t timed_us; /* when the SYN was sent */
	bool timing;	   /* ... once */
	bool small_out;	   /* a segment shorter than the MSS ends at @small_end */
	bool more;	   /* MSG_MORE: the program goes on writing */
	bool unpushed;	   /* ... and did, when it wrote last: no PSH */
	bool force;	   /* the override timeout: a small segment may go */
	struct seq small_end;
	uint32_t stalled_ms; /* since then nothing was acknowledged */

	/* Urgent data. */
	bool snd_urgent;     /* @snd_up is ahead */
	uint8_t rcv_urgent;  /* enum tcp_urgent */
	struct seq snd_up;   /* behind our urgent byte (RFC 6093 3.1) */
	struct seq rcv_up;   /* behind the peer's */
	uint8_t urgent_byte; /* once the stream is past it */

	/* Fast Open (fastopen.c). */
	bool syn_sent : 1;   /* one went (syn.c) */
	bool fo_passive : 1; /* opened by its SYN, whose listener counts it */
	bool fo_asked : 1;   /* our first SYN shall have the option ... */
	bool fo_sent : 1;    /* ... and had it ... */
	bool fo_exp : 1;     /* ... in the form of the experiment */
	uint32_t fo_listener, fo_serial;
	struct fo_cookie fo_cookie; /* that the SYN-ACK gives, if it has a length */

	/* ECN (ecn.c).  AccECN keeps the counters as long as it is connected. */
	uint8_t ecn_asked;  /* enum ecn_asked, of our SYN or the peer's */
	struct seq ecn_una; /* the next mark counts when this is acknowledged */
	struct accecn acc;

	bool early_fin; /* a FIN at @fin came before what precedes it */
	struct seq fin;
	uint32_t lent; /* bytes that tcp_recv_pkt() lent */
};
