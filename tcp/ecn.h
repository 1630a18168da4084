/*
 * Explicit congestion notification: routers mark packets instead of dropping them.
 *
 * Classic ECN (RFC 3168): ECE on every ACK says that a mark came, until CWR says that
 * it was heard; the sender slows down at most once a round trip.  AccECN (RFC 9768,
 * accecn.c): three bits of every ACK count the packets with a mark, an option the bytes.
 * Which one is agreed by three flags of SYN and SYN-ACK:
 *
 *	SYN (AE CWR ECE)	SYN-ACK
 *	0 1 1  classic		0 0 1
 *	1 1 1  AccECN		0 1 0, 0 1 1, 1 0 0 or 1 1 0: the SYN's IP field, as it came;
 *				0 0 1: classic
 *
 * For the files of this folder and their tests.  All calls but those of the handshake are
 * made only when c->ecn is not 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/seq.h"

struct tcp;
struct tcp_conn;
struct tcp_in;
struct tcp_opts;
struct tcp_seg;

/* The lowest bits of IP's type of service (RFC 3168 5). */
enum ecn_field { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* What a connection agreed on, and owes. */
enum ecn_bit {
	ECN_ON = 1 << 0,    /* agreed on one of them */
	ECN_ECHO = 1 << 1,  /* classic: a mark came; ECE until CWR comes */
	ECN_CWR = 1 << 2,   /* classic: slowed down; CWR with the next new bytes */
	ECN_ACC = 1 << 3,   /* AccECN */
	ECN_MUTE = 1 << 4,  /* nothing of ours is ECN-capable (RFC 9768 3.1.5, 3.2.2.3) */
	ECN_DEAF = 1 << 5,  /* what the peer counts means nothing (3.2.2.1) */
	ECN_SHAKE = 1 << 6, /* the next pure ACK says what field the SYN-ACK had */
	ECN_NO_OPTION = 1 << 7, /* a segment with the option was lost (3.2.3.2.2) */
};

/* What a SYN asked for, in three bits. */
enum ecn_asked {
	ECN_ASKED_NOT,
	ECN_ASKED_CLASSIC,
	ECN_ASKED_MUTED,   /* AccECN, and later a plain SYN */
	ECN_ASKED_ACC = 4, /* and its IP field in the lower bits */
};

/* AccECN's counters (RFC 9768 3.2), of what we receive and of what the peer does. */
struct accecn {
	uint32_t r_cep, r_ceb, r_e0b, r_e1b;
	uint32_t s_cep, s_ceb, s_e0b, s_e1b;
	uint32_t told_ceb, told_e0b, told_e1b; /* by the last option that we sent */
	uint8_t n_marks;		       /* since the last ACK */
	uint8_t n_options;		       /* still to be sent without a reason */
	uint8_t shake;			       /* enum ecn_field of the SYN-ACK */
	bool was_ce;			       /* the last packet had a mark */
	bool has_option;		       /* the peer's options come through */
};

/* ---- the handshake ---- */

/* What the peer's SYN with those flags and that type of service asks, of us. */
uint8_t tcp_ecn_judge(const struct tcp_opts *opts, uint16_t flags, uint8_t tos);
/* The same SYN came again, with those flags. */
uint8_t tcp_ecn_judge_again(uint8_t asked, uint16_t flags, uint8_t tos);
/* Flags of our SYN-ACK number @tries, and whether it has the option. */
uint16_t tcp_ecn_syn_ack(uint8_t asked, unsigned tries, struct tcp_seg *s);
/* Flags of our SYN. */
uint16_t tcp_ecn_syn(struct tcp_conn *c);
/* ECN-capable handshakes (draft-ietf-tcpm-generalized-ecn), when configured: the field. */
uint8_t tcp_ecn_shake_field(const struct tcp *tcp, bool asked_acc);
/* We are the responder, and @tries SYN-ACKs went. */
void tcp_ecn_responds(struct tcp_conn *c, uint8_t asked, unsigned tries);
/* The ACK of our SYN-ACK. */
void tcp_ecn_third(struct tcp_in *in);
/* The SYN-ACK. */
void tcp_ecn_answered(struct tcp_in *in);

/* ---- every segment ---- */

/* One goes out, with new bytes of the stream or without any; returns its IP field. */
uint8_t tcp_ecn_out(struct tcp_conn *c, struct tcp_seg *s, uint32_t len, bool is_new);
/* One came, and is acceptable. */
void tcp_ecn_in(struct tcp_in *in);
/* Before SEG.ACK counts: bytes of what it acknowledges that were marked.  Slows down. */
uint32_t tcp_ecn_marks(struct tcp_in *in);
/* cwnd was reduced, for whatever reason (RFC 3168 6.1.2). */
void tcp_ecn_reduced(struct tcp_conn *c);

/* ---- accecn.c ---- */

void accecn_init(struct accecn *a);
/* The three flags with that value, and back. */
uint16_t accecn_flags(uint32_t value);
uint32_t accecn_value(uint16_t flags);
/* What tells of an IP field in a handshake (RFC 9768 tables 2 and 3). */
uint32_t accecn_shake(uint8_t field);
/* What that value tells; false: it is none of them. */
bool accecn_shake_read(uint32_t value, uint8_t *field);
/* @n packets with @len bytes came with that field.  True: an ACK is due at once. */
bool accecn_count(struct accecn *a, uint8_t field, uint32_t n, uint32_t len, bool owes);
/* Packets newly marked, of at most @n_packets acknowledged (appendix A.2), and bytes
 * as far as the option tells (UINT32_MAX: it does not). */
uint32_t accecn_learn(struct accecn *a, const struct tcp_seg *s, uint32_t n_packets,
		      uint32_t *bytes);
/* Puts the option into @s, with at most @room bytes of options. */
void accecn_option(struct accecn *a, struct tcp_seg *s, unsigned room);
