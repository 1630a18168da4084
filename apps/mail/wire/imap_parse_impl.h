/*
 * The grammar of commands, for imap_parse.c: which reads tags and names, and then lets
 * one of these read the arguments into lex's command.  Each begins behind the command's
 * name, at the space or at the end, and gives true at the end of what it knows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_cmd.h"
#include "apps/mail/wire/imap_lex.h"
#include "apps/mail/wire/imap_names.h"

enum imap_grammar_result {
	IMAP_GRAMMAR_WHOLE,
	IMAP_GRAMMAR_OPEN,    /* right up to the literal that comes now */
	IMAP_GRAMMAR_MESSAGE, /* ... which is the message of APPEND */
	IMAP_GRAMMAR_BAD,
};

/* Reads a command, or one up to a literal: @ends_open.  *bad: what is wrong. */
enum imap_grammar_result imap_parse_grammar(struct str text, bool ends_open,
					    struct imap_arena *arena,
					    struct imap_cmd *cmd, const char **bad);
/* The tag in front of a text that may be cut anywhere; false: there is none. */
bool imap_parse_tag(struct str text, struct str *tag);

typedef bool imap_parse_args(struct imap_lex *lex, struct imap_cmd *cmd);

imap_parse_args imap_parse_list, imap_parse_lsub, imap_parse_status;
imap_parse_args imap_parse_append_args;
imap_parse_args imap_parse_search;
imap_parse_args imap_parse_fetch;
imap_parse_args imap_parse_store;
imap_parse_args imap_parse_select;

/* "(" flag *(SP flag) ")", in parentheses or, where RFC 3501 allows it, without. */
bool imap_parse_flags(struct imap_lex *lex, bool needs_parens, struct imap_flags *flags);

/* "(" word *(SP word) ")", each in the table: their values or'd; may be empty. */
bool imap_parse_bits(struct imap_lex *lex, const struct imap_name *names, size_t n,
		     const char *why_not, unsigned *bits);
