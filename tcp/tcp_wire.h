/*
 * The TCP header as bytes (RFC 9293 3.1) and its options.
 *
 *    0      2      4          8          12 13 14     16     18     20
 *    +------+------+----------+----------+--+--+------+------+------+---------
 *    | src  | dst  | sequence | ack      |of|fl|window| sum  | urg  | options
 *    +------+------+----------+----------+--+--+------+------+------+---------
 *
 * Options: MSS (RFC 9293 3.2), window scale and timestamps (RFC 7323), SACK
 * permitted and SACK (RFC 2018), Fast Open (RFC 7413) by its number and as the experiment
 * that it was (RFC 6994), AccECN (RFC 9768 3.2.3).  Others are skipped by their length; an option whose length is
 * impossible ends the list.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/byte.h"
#include "stack/base/seq.h"

enum {
	TCP_HEADER_LEN = 20,
	TCP_HEADER_MAX = 60,
	TCP_OPTIONS_MAX = TCP_HEADER_MAX - TCP_HEADER_LEN,
	TCP_SACK_MAX = 4,
	TCP_FO_MIN = 4, /* bytes of a Fast Open cookie (RFC 7413 4.1.1), always even */
	TCP_FO_MAX = 16,
};

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
	TCP_AE = 0x100, /* RFC 7560's and AccECN's ninth bit */
};

/* Of the options, which were there or shall be. */
enum tcp_has {
	TCP_HAS_MSS = 1 << 0,
	TCP_HAS_WSCALE = 1 << 1,
	TCP_HAS_SACK_OK = 1 << 2,
	TCP_HAS_TS = 1 << 3,
	TCP_HAS_FO = 1 << 4,	 /* a Fast Open cookie, or asked for one */
	TCP_HAS_FO_EXP = 1 << 5, /* ... in the form of the experiment */
	TCP_HAS_ACC0 = 1 << 6,	 /* AccECN's bytes: ECT(0), CE, ECT(1) */
	TCP_HAS_ACC1 = 1 << 7,	 /* ... ECT(1), CE, ECT(0) */
};

struct tcp_block {
	struct seq start, end; /* [start, end) */
};

struct tcp_seg {
	uint16_t src_port, dst_port;
	struct seq seq, ack;
	uint16_t flags;	 /* enum tcp_flag */
	uint16_t window; /* as on the wire, not scaled */
	uint16_t urgent;
	uint16_t has; /* enum tcp_has */
	uint16_t mss;
	uint8_t wscale; /* at most 14 after parsing (RFC 7323 2.3) */
	uint8_t n_sack;
	uint8_t header_len;
	uint8_t fo_len; /* bytes of the cookie; 0: a request for one */
	const uint8_t
		*fo;   /* with TCP_HAS_FO: in the packet, or whoever sends it has it */
	uint8_t n_acc; /* of @acc, that are there: each 24 bits */
	uint32_t acc[3];
	uint32_t ts_val, ts_ecr;
	struct tcp_block sack[TCP_SACK_MAX];
};

/* Reads header and options from a contiguous header.  False: impossible offset or
 * truncated.  The checksum is not looked at. */
bool tcp_parse(struct rd *r, struct tcp_seg *seg);
/*
 * Writes the header with options in Linux's order and padding, sum zero:
 * mss,sackOK,TS,nop,wscale / mss,nop,nop,sackOK,nop,wscale / nop,nop,TS,nop,nop,sack,
 * Fast Open behind the window scale with nops to fill its last word.
 * As many SACK blocks as fit.  Returns the length, which tcp_emit_len() tells before.
 */
uint8_t tcp_emit(struct wr *w, const struct tcp_seg *seg);
uint8_t tcp_emit_len(const struct tcp_seg *seg);
