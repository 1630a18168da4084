/*
 * A TCP segment as a line of text, in packetdrill's notation:
 *
 *	P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 10 ecr 5>
 *
 * Flags: S F R P U E W, . for ACK and A for AE; a digit stands for the three of ACE
 * (RFC 9768 3.1.1).  Numbers are relative to bases that the reader gives.  A Fast Open
 * option is "FO 0123456789abcdef", its experimental form "FOEXP ..."; without digits it
 * asks for a cookie, and "FO cookie" is any.  AccECN's is "ECN0 e0b ceb e1b" or "ECN1 e1b
 * ceb e0b", shorter with fewer numbers.  What a line does not mention (ack, win, urg, the options) is not compared.
 * Written apart from the stack's own wire code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP_LINE_LEN = 256, TCP_LINE_SACKS = 4, TCP_LINE_COOKIE = 16 };

/* What relative numbers are relative to. */
struct tcp_bases {
	uint32_t seq, ack, sack;
	uint32_t ts_val, ts_ecr;
};

struct tcp_line {
	uint16_t flags; /* as on the wire: FIN 1 ... ACK 16 ... AE 256 */
	uint32_t seq, len, ack, win, urgent;
	bool has_ack, has_win, has_urgent, has_options;

	bool has_mss, has_wscale, has_sack_ok, has_ts, any_ts;
	uint32_t mss, wscale, ts_val, ts_ecr;
	unsigned n_sack;
	uint32_t sack[TCP_LINE_SACKS][2];
	bool has_fo, has_foexp, any_fo; /* @has_foexp implies @has_fo */
	uint8_t fo_len, fo[TCP_LINE_COOKIE];
	uint8_t acc, n_acc; /* AccECN: the option's kind or 0, and fields */
	uint32_t count[3];
	uint8_t unknown; /* kind of an option that no line can name; 0: none */

	uint8_t options[40]; /* as written, for sending */
	uint8_t options_len;
};

/* False: not a segment; *bad then points to what was not understood. */
bool tcp_line_parse(struct tcp_line *line, const char *text, const struct tcp_bases *b,
		    const char **bad);
/* From the bytes of a header with its options and @len bytes behind. */
bool tcp_line_read(struct tcp_line *line, const uint8_t *header, uint32_t total_len);
/* True when @got is all that @want mentions. */
bool tcp_line_matches(const struct tcp_line *want, const struct tcp_line *got);
/* Writes the line that would be parsed to it. */
const char *tcp_line_text(const struct tcp_line *line, const struct tcp_bases *b,
			  char out[static TCP_LINE_LEN]);
