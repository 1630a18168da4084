/*
 * Mail made up from a seed, for tests and measurements that need much of it.
 *
 * Ordinary mail is what a mailbox holds: text, text beside its HTML, attachments, now and
 * then a forwarded message; short mail is that without attachments.  Odd mail is a tree of parts of any shape, with all that
 * senders and those between them do wrong.
 */
#pragma once

#include <stddef.h>

#include "stack/base/rng.h"

enum mail_gen_kind { MAIL_GEN_ORDINARY, MAIL_GEN_SHORT, MAIL_GEN_ODD };

enum { MAIL_GEN_MAX = 1 << 20 }; /* octets of a message */

/* Writes a message; @out has MAIL_GEN_MAX.  Returns its length. */
size_t mail_gen(struct rng *rng, enum mail_gen_kind kind, char *out);
