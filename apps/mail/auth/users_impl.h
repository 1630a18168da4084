/*
 * What the files of users share: what may stand in the file.
 */
#pragma once

#include "apps/mail/auth/users.h"
#include "stack/base/map.h"

struct users_entry {
	struct user user;
	char *comment; /* the lines above it, each with its end; NULL: none */
};

/* The number of an address in the index: one of a user's. */
struct users_addr {
	uint32_t user, addr;
};

struct users {
	struct users_entry *entries;
	struct users_addr *addrs;
	size_t n, room, n_addrs, addrs_room;
	struct map by_name;   /* numbers of entries */
	struct map by_addr;   /* numbers of addrs */
	struct map by_domain; /* numbers of addrs: the first in that domain */
	char *tail;	      /* comments behind the last user */
};

/* 0, or -EINVAL and a sentence. */
int users_check(const struct user *user, char error[USERS_ERROR_LEN]);
