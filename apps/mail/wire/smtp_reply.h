/*
 * SMTP replies as bytes (RFC 5321 4.2), and their enhanced codes (RFC 2034, RFC 3463),
 * as a client reads them from servers it does not know.
 *
 *	250-5.1.1 No such\r\n		code, '-': more lines follow
 *	250 5.1.1 user\r\n		the same code, ' ': the last line
 *	--- ----- ----
 *	code  |   text			the enhanced code may be missing
 *
 * A reader takes one line after the other, without its CRLF, and is done with the last
 * one.  What a server says is kept as one text, a space for each line end, up to
 * SMTP_REPLY_TEXT_MAX octets of printable ASCII; the lines are for who cares (EHLO).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum {
	/* RFC 5321 4.5.3.1.5 has 512; what servers send may be longer. */
	SMTP_REPLY_LINE_MAX = 2048,
	SMTP_REPLY_LINES_MAX = 100,
	SMTP_REPLY_TEXT_MAX = 400, /* without its NUL */
};

/* RFC 3463 2: class "." subject "." detail; class 0: there was none. */
struct smtp_enhanced {
	uint8_t class;
	uint16_t subject, detail;
};

struct smtp_reply {
	uint16_t code; /* 200 to 599; 0: no line was read */
	bool last;     /* the reply is whole */
	uint16_t n_lines;
	struct smtp_enhanced enhanced;
	uint16_t text_len;
	char text[SMTP_REPLY_TEXT_MAX + 1]; /* without codes, with a NUL */
};

void smtp_reply_init(struct smtp_reply *r);
/*
 * Takes one line; *rest, when it is not NULL, is what stands behind the code and the
 * character behind it.  1: that was the last; 0: more must come; -EBADMSG: not a reply, or another
 * code than the lines before; -EMSGSIZE: SMTP_REPLY_LINES_MAX were read.
 */
int smtp_reply_line(struct smtp_reply *r, struct str line, struct str *rest);

/* The enhanced code with which @text begins, if it does; *rest is what follows. */
struct smtp_enhanced smtp_reply_enhanced(struct str text, struct str *rest);
/* "5.1.1", at most SMTP_ENHANCED_LEN octets with its NUL. */
enum { SMTP_ENHANCED_LEN = 10 };
void smtp_reply_enhanced_text(struct smtp_enhanced e, char out[static SMTP_ENHANCED_LEN]);
