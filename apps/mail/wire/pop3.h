/*
 * POP3 commands as bytes (RFC 1939 3, RFC 2449 4), one line each, without its CRLF.
 *
 *	TOP 1 10
 *	keyword, then arguments, each behind one space
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum { POP3_ARGS_MAX = 2 };

struct pop3_cmd {
	struct str keyword; /* letters only; empty: the line does not begin with a word */
	bool has_rest;	    /* a space stands behind it */
	struct str rest;    /* all behind that space: a password may have blanks */
};

void pop3_split(struct str line, struct pop3_cmd *cmd);

/*
 * The arguments between the spaces.  Their number; or -EINVAL: more than POP3_ARGS_MAX,
 * or an empty one.
 */
int pop3_args(const struct pop3_cmd *cmd, struct str args[static POP3_ARGS_MAX]);

/* A message number: decimal, from 1. */
bool pop3_number(struct str arg, uint32_t *n);
