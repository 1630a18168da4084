/*
 * Where a command or a response ends, when lines have literals in them:
 *
 *	a1 LOGIN {5}CRLF jones {3+}CRLF abc CRLF
 *	------line-----  octs  --line-  octs line
 *
 * A frame gathers the bytes of one, announcements and octets as they came, so that a
 * grammar can read it in one piece.  After each announcement the reader above decides
 * what becomes of the octets: they are held with the text, or pass by it (then LF
 * stands for the announcement's CRLF, which no peer can write), or all of the rest of
 * the command is skipped.
 *
 * Used by imap_parse.c and imap_reply.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct imap_frame_limits {
	size_t line_len; /* octets of a line with its CRLF */
	size_t len;	 /* octets of lines and held literals */
	uint64_t skip_len;
};

/* {n} or {n+} at the end of a line. */
struct imap_literal {
	enum imap_literal_at {
		IMAP_LITERAL_NONE,
		IMAP_LITERAL_OPEN,   /* behind { */
		IMAP_LITERAL_DIGITS, /* in the number */
		IMAP_LITERAL_PLUS,
		IMAP_LITERAL_CLOSED,	/* behind } */
		IMAP_LITERAL_CR,	/* and CR */
		IMAP_LITERAL_ANNOUNCED, /* and LF */
	} at;
	bool is_plus;  /* RFC 7888: the octets come without being asked for */
	uint64_t size; /* UINT64_MAX: more than 64 bits hold */
};

enum imap_frame_state {
	IMAP_FRAME_IN_LINE,
	IMAP_FRAME_DECIDE, /* a line ended with an announcement */
	IMAP_FRAME_HOLD,   /* the octets are gathered */
	IMAP_FRAME_PASS,   /* the octets are given to the reader */
	IMAP_FRAME_SKIP_LINE,
	IMAP_FRAME_SKIP_OCTETS,
	IMAP_FRAME_DONE, /* the text is whole, until the frame is fed again */
};

struct imap_frame {
	struct imap_frame_limits limits;
	enum imap_frame_state state;
	char *text;
	size_t len, cap;
	size_t line_len; /* octets of this line */
	bool has_cr;	 /* its last octet was CR */
	struct imap_literal literal;
	uint64_t left;	    /* octets of the literal that did not come yet */
	uint64_t n_skipped; /* octets of this command */
};

enum imap_frame_event {
	IMAP_FRAME_MORE,
	IMAP_FRAME_LITERAL,  /* decide */
	IMAP_FRAME_OCTETS,   /* *piece is the next part of a literal that passes */
	IMAP_FRAME_END,	     /* imap_frame_text() is whole, without its CRLF */
	IMAP_FRAME_BARE_LF,  /* skip */
	IMAP_FRAME_TOO_LONG, /* skip */
	IMAP_FRAME_NO_MEMORY,
	IMAP_FRAME_SKIPPED, /* what was skipped is over */
	IMAP_FRAME_ENDLESS, /* it is longer than limits.skip_len */
};

void imap_frame_init(struct imap_frame *f, const struct imap_frame_limits *limits);
/* Forgets the text and frees it; the next byte begins a command. */
void imap_frame_reset(struct imap_frame *f);

/* Reads from the front of @in up to the next event. */
enum imap_frame_event imap_frame_feed(struct imap_frame *f, struct str *in,
				      struct str *piece);
/* All so far; valid until the frame is fed. */
struct str imap_frame_text(const struct imap_frame *f);

/* In IMAP_FRAME_DECIDE.  False: it does not fit limits.len. */
bool imap_frame_hold(struct imap_frame *f);
void imap_frame_pass(struct imap_frame *f);
/* It only looked like an announcement: the line ends here, as with IMAP_FRAME_END. */
void imap_frame_end(struct imap_frame *f);
/*
 * Gives the command up.  What the peer still sends of it is read and thrown away: to
 * the end of the line, if it is not there, and literals that it does not ask for.
 * True: that was all already.  False: IMAP_FRAME_SKIPPED will come.
 */
bool imap_frame_skip(struct imap_frame *f);
