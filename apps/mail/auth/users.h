/*
 * Users in a file: one line each,
 *
 *	name:hash:address[,address...][:scram]
 *
 * with the hash as crypt(3) writes it (yescrypt), or "!" for a user without a password, or
 * "{PLAIN.b64}" and the password itself in base64, for who must log in by CRAM-MD5;
 * and, for who may log in by SCRAM-SHA-256, the keys for that (users_scram.c).
 * Blank lines and lines beginning with '#' are comments, and kept.  The file is read
 * whole, checked whole, and replaced whole by rename; whoever has it loaded looks with
 * users_stamp() whether there is a new one.
 *
 *	name      letters, digits, '.', '_', '-', '+', '@'; a letter or digit first
 *	address   Dot-string "@" Domain (RFC 5321 4.1.2), or Dot-string "@[192.0.2.1]"
 *
 * A struct users belongs to one thread; reading one that nobody changes is for any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "apps/lib/str.h"

enum {
	USER_NAME_MAX = 64,
	USER_HASH_MAX = 256,
	USER_LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1 */
	USER_DOMAIN_MAX = 255, /* RFC 5321 4.5.3.1.2 */
	USER_ADDR_MAX = USER_LOCAL_MAX + 1 + USER_DOMAIN_MAX,
	USER_ADDRS_MAX = 64, /* addresses of one user */
	USERS_MAX = 1000000,
	USERS_FILE_MAX = 1 << 30, /* bytes of the file */
	USERS_PASSWORD_MAX = 511, /* bytes; what crypt(3) takes */
	USERS_CLEAR_MAX = 180,	  /* bytes of a password that is kept itself */
	USERS_ERROR_LEN = 512,
	/* Of SCRAM; RFC 7677 4: at least 4096, and those of ours are all alike, so that a
	 * stranger cannot tell from them who is a user. */
	USERS_SCRAM_ITERATIONS_MIN = 4096,
	USERS_SCRAM_ITERATIONS = 16384,
	USERS_SCRAM_ITERATIONS_MAX = 1 << 20,
	USERS_SCRAM_KEY_LEN = 44, /* 32 octets in base64 */
	USERS_SCRAM_MAX = 192,
};

struct user {
	char *name;
	char *hash;
	char *scram; /* NULL: none */
	char **addrs;
	size_t n_addrs;
};

/* The keys for SCRAM, in base64. */
struct users_scram {
	uint32_t iterations;
	char salt[USERS_SCRAM_KEY_LEN + 1];
	char stored_key[USERS_SCRAM_KEY_LEN + 1];
	char server_key[USERS_SCRAM_KEY_LEN + 1];
};

struct users;

/* Tells one state of the file from another. */
struct users_stamp {
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};

/* No users.  NULL: no memory. */
struct users *users_new(void);
/* Reads @path.  0; or -errno and "file:line: what, what is allowed" in @error. */
int users_load(const char *path, struct users **users, char error[USERS_ERROR_LEN]);
/* The same from memory; @name stands for the file in messages. */
int users_parse(const char *name, struct str text, struct users **users,
		char error[USERS_ERROR_LEN]);
void users_free(struct users *users);
/* 0 or -errno. */
int users_stamp(const char *path, struct users_stamp *stamp);

size_t users_count(const struct users *users);
/* In the order of the file. */
const struct user *users_at(const struct users *users, size_t i);
const struct user *users_by_name(const struct users *users, struct str name);
/* The owner of an address: domain without case, local part without case too (we treat
 * "Postmaster" and "postmaster" alike, RFC 5321 4.5.1). */
const struct user *users_by_addr(const struct users *users, struct str addr);
/* True when some user has an address in @domain. */
bool users_has_domain(const struct users *users, struct str domain);

/*
 * Adds a copy.  0; or what is wrong in @error, and -EINVAL (name, address or hash that
 * cannot stand in the file), -EEXIST (name or address of another), -ENOMEM, -ENOSPC.
 */
int users_add(struct users *users, const struct user *user, char error[USERS_ERROR_LEN]);
/* 0 or -ENOENT, -EINVAL, -ENOMEM. */
int users_remove(struct users *users, struct str name);
/* The password is another: its hash, and its keys for SCRAM, or NULL. */
int users_set_hash(struct users *users, struct str name, const char *hash,
		   const char *scram);
/* Text for a message: at most 60 bytes, controls and other sets as '?'. */
enum { USERS_QUOTE_LEN = 64 };
const char *users_quote(struct str text, char out[static USERS_QUOTE_LEN]);
/* What may be a name; what may be an address. */
bool users_is_name(struct str name);
bool users_is_addr(struct str addr);

/* The text of the file.  0 or -EIO. */
int users_emit(const struct users *users, FILE *to);
/* Writes @path anew: temporary file 0600, with the owner of the one it replaces, fsync,
 * rename, fsync of the directory.  0 or -errno. */
int users_save(const struct users *users, const char *path);

/* A yescrypt hash of @password with a random salt.  0; -EINVAL: empty, too long or with
 * a NUL in it; -errno. */
int users_hash(struct str password, char hash[USER_HASH_MAX]);
/* What stands in the place of a hash for the password itself.  0; -EINVAL: empty, longer
 * than USERS_CLEAR_MAX, or nothing that SASLprep (RFC 4013) leaves as it is; -ENOMEM. */
int users_clear(struct str password, char hash[USER_HASH_MAX]);
/* The password that is kept so.  False: it is a hash. */
bool users_clear_parse(const char *hash, char password[static USERS_CLEAR_MAX + 1]);
/*
 * True when @password is that of the hash.  Slow on purpose (milliseconds): servers
 * call it in a worker thread (verify.h).  With hash NULL it takes as long, and is false.
 */
bool users_verify(const char *hash, struct str password);

/* Keys for SCRAM of @password, with a random salt.  0; -EINVAL: a password that SASLprep
 * (RFC 4013) does not allow, as one that is not UTF-8; -errno. */
int users_scram(struct str password, char scram[USERS_SCRAM_MAX]);
/* False: it is not what users_scram() writes. */
bool users_scram_parse(const char *text, struct users_scram *scram);
