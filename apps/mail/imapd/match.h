/*
 * Whether a message is what a SEARCH looks for (RFC 3501 6.4.4).
 *
 * Texts are compared as UTF-8 without case, decoded: encoded words of header fields,
 * transfer encodings and character sets of text parts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/mail/store/store_box.h"
#include "apps/mail/wire/imap_search.h"

struct imapd_view;
struct match;

/* Puts in what "*" means, and folds the texts.  Once for each search. */
void match_prepare(struct imap_key *key, const struct imapd_view *view);
/* Messages must be read for it. */
bool match_reads(const struct imap_key *key);
/* RFC 7162 keys are in it. */
bool match_has_modseq(const struct imap_key *key);

/* For one thread at a time.  NULL: no memory. */
struct match *match_new(const struct imapd_view *view);
void match_free(struct match *m);
/* @read may be NULL when nothing must be read; what cannot be read does not match. */
bool match_message(struct match *m, struct store_read *read, const struct imap_key *key,
		   uint32_t i);
