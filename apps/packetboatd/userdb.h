/*
 * The users of a running server: the file is looked at every second, and a new one is
 * read by a thread, checked whole, and taken; one that is wrong is said once, and the
 * users stay as they were.
 *
 * Belongs to the thread of its net.
 */
#pragma once

#include <stdbool.h>

#include "apps/mail/auth/users.h"

enum { USERDB_LOOK_MS = 1000 };

struct log;
struct net;
struct userdb;

/*
 * 0; or -errno and what is wrong with the file.  No file yet is no error: then there are
 * no users.
 */
int userdb_new(struct net *net, const struct log *log, const char *path,
	       struct userdb **db, char error[USERS_ERROR_LEN]);
void userdb_free(struct userdb *db);
/* Calls @fn when a new file was taken; not for the first. */
void userdb_on_new(struct userdb *db, void (*fn)(void *arg), void *arg);
/* The users now, valid until the net's next turn. */
const struct users *userdb_users(const struct userdb *db);
/* Reads the file anew, whether it changed or not. */
void userdb_reload(struct userdb *db);
/* How often the file was read and taken, and how often it was wrong. */
void userdb_counts(const struct userdb *db, uint64_t *n_loaded, uint64_t *n_refused);
