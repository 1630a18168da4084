/*
 * A reader of IMAP commands that gets its bytes in any pieces (RFC 3501, and what
 * imap_cmd.h names).  It knows the grammar; which command may come in which state is
 * the server's business.
 *
 *	for (;;) {
 *		struct str in = io_peek(io), rest = in;
 *		enum imap_parse_event e = imap_parse(p, &rest);
 *		... look at the event ...
 *		io_consume(io, in.len - rest.len);
 *	}
 *
 * Between commands a reader owns no memory; during one not more than its limits, and as
 * it comes, not as it is announced.  The grammar is asked at each literal, so what is
 * wrong before it is refused before it comes.
 *
 *	APPEND	IMAP_PARSE_APPEND, then the server calls imap_parse_append(), then
 *		IMAP_PARSE_OCTETS until all were given, then IMAP_PARSE_COMMAND
 *	IDLE, AUTHENTICATE
 *		IMAP_PARSE_COMMAND, then for each line that the command waits for the
 *		server calls imap_parse_want_line(), then IMAP_PARSE_LINE
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_arena.h"
#include "apps/mail/wire/imap_cmd.h"
#include "apps/mail/wire/imap_frame.h"

enum {
	IMAP_TAG_MAX = 64,
	IMAP_LITERALS_MAX = 128,     /* in one command */
	IMAP_PARSE_MEMORY = 1 << 21, /* bytes of one command's struct */
};

struct imap_parse_limits {
	size_t line_len;    /* octets of a line; RFC 2683 3.2.1.5 asks for 8,000 */
	size_t literal_len; /* of a literal that is not a message */
	size_t len;	    /* of a command, without a message */
	uint64_t skip_len;  /* of a refused command, with a message */
};

/* For who has logged in, and for who has not. */
extern const struct imap_parse_limits imap_parse_user_limits;
extern const struct imap_parse_limits imap_parse_stranger_limits;

enum imap_parse_event {
	IMAP_PARSE_MORE,     /* all was read */
	IMAP_PARSE_CONTINUE, /* write "+ ...", the client waits for it */
	IMAP_PARSE_COMMAND,  /* p->cmd, until the next call */
	IMAP_PARSE_APPEND,   /* p->cmd, until the next call but imap_parse_append() */
	IMAP_PARSE_OCTETS,   /* p->piece: the next octets of the message */
	IMAP_PARSE_LINE,     /* p->piece: the line, without CRLF, until the next call */
	/* Refuse with p->bad, under p->cmd.tag, or "*" when that is empty.  If it was an
	 * APPEND of which octets came, it failed; if a line was wanted, so did its command.
	 * All is ready for the next command. */
	IMAP_PARSE_BAD,
	IMAP_PARSE_BYE, /* say p->bad in a BYE and close: what comes makes no sense */
};

struct imap_parse {
	struct imap_parse_limits limits; /* may be changed between commands */
	struct imap_cmd cmd;
	struct str piece;
	const char *bad; /* a sentence: "[TOOBIG] The literal is too long" */
	bool needs_plus; /* of IMAP_PARSE_APPEND: the client waits for "+ ..." */

	enum imap_parse_state {
		IMAP_PARSE_IN_COMMAND,
		IMAP_PARSE_IN_LINE,    /* that was wanted */
		IMAP_PARSE_AT_MESSAGE, /* imap_parse_append() must be called */
		IMAP_PARSE_IN_MESSAGE, /* and in the line behind it */
		IMAP_PARSE_IN_SKIPPED,
		IMAP_PARSE_OVER, /* the last event ended a command */
	} state;
	struct imap_frame frame;
	struct imap_arena arena;
	uint32_t n_literals;
	char tag[IMAP_TAG_MAX]; /* p->cmd.tag lies here: it stays until the next command */
};

void imap_parse_init(struct imap_parse *p, const struct imap_parse_limits *limits);
void imap_parse_fini(struct imap_parse *p);

/* Reads from the front of @in up to the next event. */
enum imap_parse_event imap_parse(struct imap_parse *p, struct str *in);

/*
 * Answers IMAP_PARSE_APPEND: the message is taken (the server has written "+ ..." if
 * that is needed), or not; then what the client sends of it all the same is skipped.
 */
void imap_parse_append(struct imap_parse *p, bool is_taken);
/* The next line is no command. */
void imap_parse_want_line(struct imap_parse *p);
/* Bytes it holds now. */
size_t imap_parse_memory(const struct imap_parse *p);
