/*
 * Messages whose every byte follows from the number, so that whoever knows the number
 * knows what must be in the store.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum {
	CRASH_USERS = 12, /* mailboxes in all */
	CRASH_TO_MAX = 3, /* recipients of one message */
	CRASH_NAME_LEN = 16,
	CRASH_HEAD_LEN = 32,
};

struct crash_mail {
	uint32_t id;
	unsigned n_to;
	unsigned to[CRASH_TO_MAX]; /* numbers of users, all different */
	char *bytes;
	size_t len;
};

void crash_user(unsigned user, char name[CRASH_NAME_LEN]);
/* What stands before the message for this user. */
void crash_head(unsigned user, char head[CRASH_HEAD_LEN]);
/* free() m->bytes. */
void crash_mail_make(struct crash_mail *m, uint64_t seed, uint32_t id);
/* The number in the first line; false: there is none. */
bool crash_mail_id(struct str bytes, uint32_t *id);
