/*
 * Users in a file: one line each,
 *
 *	name:hash:address[,address...]
 *
 * with the hash as crypt(3) writes it (yescrypt).  Lines beginning with '#' are
 * comments.  The file is read whole, checked whole, and replaced whole by rename;
 * a running server looks for a new one every second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

enum {
	USER_NAME_MAX = 64,
	USER_HASH_MAX = 256,
	USER_ADDRS_MAX = 64, /* addresses of one user */
	USERS_MAX = 1000000,
	USERS_ERROR_LEN = 256,
};

struct user {
	char *name;
	char *hash;
	char **addrs;
	size_t n_addrs;
};

struct users;

/* Reads @path.  0; or -errno and "file:line: what, what is allowed" in @error. */
int users_load(const char *path, struct users **users, char error[USERS_ERROR_LEN]);
void users_free(struct users *users);
size_t users_count(const struct users *users);
const struct user *users_at(const struct users *users, size_t i);
const struct user *users_by_name(const struct users *users, struct str name);
/* The owner of an address: domain without case, local part without case too (we treat
 * "Postmaster" and "postmaster" alike, RFC 5321 4.5.1). */
const struct user *users_by_addr(const struct users *users, struct str addr);
/* True when some user has an address in @domain. */
bool users_has_domain(const struct users *users, struct str domain);

/* 0; -EEXIST, -EINVAL (name, address or hash that cannot stand in the file). */
int users_add(struct users *users, const struct user *user);
int users_remove(struct users *users, struct str name);
int users_set_hash(struct users *users, struct str name, const char *hash);
/* Writes @path anew: temporary file 0600, fsync, rename, fsync of the directory. */
int users_save(const struct users *users, const char *path);

/* A yescrypt hash of @password with a random salt.  0 or -errno. */
int users_hash(struct str password, char hash[USER_HASH_MAX]);
/*
 * True when @password is that of the hash.  Slow on purpose (milliseconds): servers
 * call it in a worker thread.  With hash NULL it takes as long, and is false.
 */
bool users_verify(const char *hash, struct str password);
