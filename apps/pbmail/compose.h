/*
 * A message that is being written: from words and files to octets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"
#include "apps/mail/relay/client.h"
#include "apps/mail/wire/mime_build.h"

enum { COMPOSE_FILES_MAX = 100 };

struct compose {
	struct str name, from; /* the sender's; UTF-8, and an address */
	struct str subject, text;
	struct mime_build_addr to[CLIENT_RCPTS_MAX], cc[CLIENT_RCPTS_MAX];
	size_t n_to, n_cc;
	struct str rcpts[CLIENT_RCPTS_MAX]; /* with those that only the envelope has */
	size_t n_rcpts;
	const char *files[COMPOSE_FILES_MAX];
	size_t n_files;
	struct str in_reply_to, references; /* empty: it is none */
	struct str forwarded;		    /* a message to be part of it; empty: none */
};

/*
 * "Ann <a@b.example>, c@d.example" to one of the lists, and to the recipients; @kind 't',
 * 'c' or 'b'.  0 or a status.  The slices point into @text's copy, which stays.
 */
int compose_addrs(struct compose *c, char kind, struct str text);
/* Of the sender: it goes into an SMTP path as it is. */
bool compose_is_address(struct str addr);
/* The message, to free().  0 or a status. */
int compose_build(const struct compose *c, char **message, size_t *len);
/* Message-IDs and the like: "random@domain of the sender". */
void compose_id(const struct compose *c, char *out, size_t room);
