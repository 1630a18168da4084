/*
 * Message headers (RFC 5322), as far as transport needs them: where they end, how much
 * there is of them, how often the message was received, and the fields we add.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum {
	RFC5322_DATE_LEN = 32, /* "Sat, 22 Aug 2026 12:00:00 +0000", with its NUL */
	RFC5322_ID_MAX = 64,
	RFC5322_RECEIVED_LEN = 1280, /* a Received field, with its NUL */
	RFC5322_LOOP_LEN = 300,	     /* an X-Loop field, likewise */
	RFC5322_LOOPS_MAX = 16,	     /* of a header that are read: the first */
};

struct rfc5322_limits {
	uint64_t header_len, line_len; /* octets of all, of a line with its CRLF */
	uint64_t n_fields, n_received;
};

enum rfc5322_fault {
	RFC5322_FINE,
	RFC5322_TOO_LONG, /* header or line */
	RFC5322_TOO_MANY_FIELDS,
	RFC5322_TOO_MANY_HOPS, /* a loop (RFC 5321 6.3) */
};

/*
 * A reader of headers that gets its bytes in any pieces, lines ended by CRLF.  The header
 * ends with an empty line, or before a line that is no field (a message that has no
 * header), or with the first fault.
 */
struct rfc5322_scan {
	struct rfc5322_limits limits;
	enum rfc5322_fault fault;
	enum rfc5322_where {
		RFC5322_LINE,  /* at the beginning of a line */
		RFC5322_NAME,  /* in a field's name */
		RFC5322_SPACE, /* in the blanks before its colon (RFC 5322 4.5.8) */
		RFC5322_MARK,  /* behind that of X-Loop */
		RFC5322_TEXT,  /* behind it, or in a folded line */
		RFC5322_EMPTY, /* behind the CR of an empty line */
		RFC5322_BODY,  /* the header is over */
	} where;
	uint8_t name_len;    /* of the name so far, up to the longest we know */
	uint8_t may_be;	     /* bits: the names we know that begin like that */
	uint64_t line_len;   /* octets of this line so far */
	uint64_t header_len; /* octets, with the empty line */
	uint64_t n_fields;
	uint64_t n_received;
	bool has_date, has_message_id;
	uint8_t n_digits; /* of the mark so far */
	uint8_t n_loops;
	uint64_t mark, loops[RFC5322_LOOPS_MAX];
};

void rfc5322_scan_init(struct rfc5322_scan *s, const struct rfc5322_limits *limits);
void rfc5322_scan_feed(struct rfc5322_scan *s, struct str bytes);

/*
 * X-Loop: a place in which the message was, as a number that tells nothing to others, so that
 * it is known when it comes there again.  Writes the field, with its CRLF and a NUL.  Returns
 * its length.
 */
size_t rfc5322_loop(uint64_t mark, struct str host, char out[static RFC5322_LOOP_LEN]);
bool rfc5322_scan_has_loop(const struct rfc5322_scan *s, uint64_t mark);

/* What TOP shows (RFC 1939 7): the header, the empty line, and so many lines of the body. */
struct rfc5322_top {
	uint64_t n_lines; /* of the body, still to come */
	size_t len;	  /* octets of the message seen, all of which it shows */
	size_t line;	  /* where the present line begins */
	bool in_body;
};

void rfc5322_top_init(struct rfc5322_top *top, uint64_t n_lines);
/* Looks at @n more octets of @message.  True: top->len is all that is to be shown. */
bool rfc5322_top_feed(struct rfc5322_top *top, struct str message, size_t n);
/* All at once. */
size_t rfc5322_top_len(struct str message, uint64_t n_lines);

/* date-time = day-name "," date time zone (RFC 5322 3.3), in UTC.  Returns the length. */
size_t rfc5322_date(uint64_t seconds_since_1970, char out[static RFC5322_DATE_LEN]);

/* A trace field (RFC 5321 4.4). */
struct rfc5322_received {
	struct str helo; /* what the client called itself */
	struct str
		from_addr; /* its address: "192.0.2.1", "2001:db8::1"; of a user of this
			       * host, who has none, "uid:1000" */
	struct str by;	   /* our name */
	bool is_esmtp;	   /* it said EHLO */
	bool is_tls, is_auth; /* ... and spoke TLS, and logged in (RFC 3848) */
	struct str id;	      /* at most RFC5322_ID_MAX */
	struct str for_addr;  /* the recipient when there is but one, else empty */
	uint64_t date_s;
};

/* Writes the field, folded, with its CRLF and a NUL.  Returns its length. */
size_t rfc5322_received(const struct rfc5322_received *r,
			char out[static RFC5322_RECEIVED_LEN]);
