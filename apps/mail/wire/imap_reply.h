/*
 * A reader of what an IMAP server says (RFC 3501 7), for clients: bytes come in any
 * pieces, responses leave as structs.
 *
 *	* 5 FETCH (UID 7 FLAGS (\Seen) BODY[HEADER.FIELDS (TO)] {6}CRLF To: x CRLF)CRLF
 *	  |  |     `------------------------- tokens --------------------------'
 *	  number, name
 *	a1 OK [UIDVALIDITY 3] done CRLF
 *	|  |   |           |  text
 *	tag status code   code_args
 *
 * Long literals pass by: when one begins the response so far is shown, then its octets,
 * and in the whole response a token IMAP_TOKEN_PASSED stands for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_arena.h"
#include "apps/mail/wire/imap_frame.h"

enum { IMAP_REPLY_DEPTH_MAX = 256 }; /* lists inside each other */

struct imap_reply_limits {
	size_t line_len, len; /* octets of a line, of a response without what passes */
	size_t hold_len;      /* a literal of more octets passes */
	size_t memory;	      /* bytes of tokens */
};

extern const struct imap_reply_limits imap_reply_default_limits;

struct imap_token {
	enum imap_token_kind {
		IMAP_TOKEN_ATOM, /* NIL, numbers, flags and "BODY[TEXT]<0>" too */
		IMAP_TOKEN_STRING,
		IMAP_TOKEN_LIST,
		IMAP_TOKEN_PASSED,
	} kind;
	struct str text;	 /* of an atom or a string */
	uint64_t size;		 /* octets of what passed */
	struct imap_token *kids; /* of a list; NULL: it is empty */
	struct imap_token *next;
};

enum imap_reply_status {
	IMAP_REPLY_DATA, /* no status */
	IMAP_REPLY_OK,
	IMAP_REPLY_NO,
	IMAP_REPLY_BAD,
	IMAP_REPLY_PREAUTH,
	IMAP_REPLY_BYE,
};

struct imap_reply {
	enum imap_reply_kind {
		IMAP_REPLY_TAGGED,
		IMAP_REPLY_UNTAGGED,
		IMAP_REPLY_PLUS, /* go on: @text is all behind "+ " */
	} kind;
	struct str tag;
	enum imap_reply_status status;
	/* With a status: "[code args]", and the text behind it. */
	struct str code;	      /* empty: none */
	struct str code_text;	      /* its arguments as they stand */
	struct imap_token *code_args; /* NULL also when they do not read as tokens */
	struct str text;
	/* Without one: "* number name args", or "* name args". */
	bool has_number;
	uint32_t number;
	struct str name;
	struct imap_token *args;
};

enum imap_reply_event {
	IMAP_REPLY_MORE,
	IMAP_REPLY_READY,   /* r->reply, until the next call */
	IMAP_REPLY_LITERAL, /* r->reply so far, until the next call; r->before, r->size */
	IMAP_REPLY_OCTETS,  /* r->piece */
	IMAP_REPLY_BROKEN,  /* r->bad: this is no server, or too much; close */
};

struct imap_reply_reader {
	struct imap_reply reply;
	struct imap_token *before; /* the token before the literal that begins; or NULL */
	uint64_t size;		   /* its octets */
	struct str piece;
	const char *bad;

	struct imap_reply_limits limits;
	struct imap_frame frame;
	struct imap_arena arena;
	bool is_over; /* the last event ended a response */
	bool is_data; /* it is no status response, a literal was in it already */
};

void imap_reply_init(struct imap_reply_reader *r, const struct imap_reply_limits *limits);
void imap_reply_fini(struct imap_reply_reader *r);
/* Reads from the front of @in up to the next event. */
enum imap_reply_event imap_reply(struct imap_reply_reader *r, struct str *in);

/* An atom in any case. */
bool imap_token_is(const struct imap_token *t, struct str atom);
/* An atom that is a number. */
bool imap_token_number(const struct imap_token *t, uint64_t *n);
/* In a list of name, value, name, value...: the value, or NULL. */
const struct imap_token *imap_token_value(const struct imap_token *list, struct str name);
