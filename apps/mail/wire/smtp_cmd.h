/*
 * SMTP commands as bytes (RFC 5321 4.1), one line each, already without its CRLF.
 *
 *	MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME
 *	verb -------------- argument -----------------
 *
 * Which verbs there are and when they may come is the server's business; here are the
 * grammars of their arguments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/mailaddr.h"

/* Splits a line.  An empty verb: the line does not begin with a word. */
struct smtp_cmd {
	struct str verb; /* letters only */
	struct str arg;	 /* behind the space, without blanks at its end */
};

void smtp_cmd_split(struct str line, struct smtp_cmd *cmd);

/* The argument of HELO and EHLO may stand in Received. */
bool smtp_cmd_is_host(struct str arg);

enum smtp_cmd_result {
	SMTP_CMD_OK,
	SMTP_CMD_SYNTAX,	/* 501 5.5.4 */
	SMTP_CMD_ADDR,		/* 501 5.1.7 of a sender, 5.1.3 of a recipient */
	SMTP_CMD_LONG_ADDR,	/* the same, RFC 5321 4.5.3.1 */
	SMTP_CMD_PARAM_VALUE,	/* 501 5.5.4 */
	SMTP_CMD_PARAM_TWICE,	/* 501 5.5.4 */
	SMTP_CMD_PARAM_UNKNOWN, /* 555 5.5.4 */
};

struct smtp_mail {
	struct mailaddr from;
	bool has_size;
	uint64_t size; /* RFC 1870 */
	bool has_body;
	bool is_8bit;  /* RFC 6152 */
	bool has_auth; /* RFC 4954 5; whoever said it is no concern of ours */
};

/* "FROM:" path and parameters.  *mail and *to are changed only with SMTP_CMD_OK. */
enum smtp_cmd_result smtp_cmd_mail(struct str arg, struct smtp_mail *mail);
/* "TO:" path; no parameter is known. */
enum smtp_cmd_result smtp_cmd_rcpt(struct str arg, struct mailaddr *to);
