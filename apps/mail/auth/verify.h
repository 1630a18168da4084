/*
 * Checks passwords in a thread of its own: a hash takes milliseconds on purpose, and
 * no core waits so long.
 *
 * Clients take turns, and each has but a few checks waiting.  Whoever was wrong too often
 * of late is refused without a look, whatever became of the sessions in which that was:
 * a client address, and a user whom many addresses try.  The latter does not concern
 * addresses at which that user was right within a day, so nobody can lock him out there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/lib/worker.h"
#include "apps/mail/auth/users.h"

enum {
	VERIFY_QUEUE_MAX = 128,	      /* checks that may wait: some seconds' worth */
	VERIFY_CLIENT_QUEUE_MAX = 4,  /* ... of one client */
	VERIFY_CLIENT_WRONG_MAX = 20, /* wrong ones of a client in a row, */
	VERIFY_USER_WRONG_MAX = 100,  /* and of all for one user, at once; */
	VERIFY_WRONG_S = 10,	      /* one is forgotten each so many seconds */
	VERIFY_KNOWN_S = 86400,	      /* where a user was right he is known so long */
};

enum verify_verdict {
	VERIFY_RIGHT,
	VERIFY_WRONG,
	VERIFY_UNSURE, /* the server ends: nobody looked */
};

struct verify;

/* One check: the caller's, who keeps it and the password until @done was called. */
struct verify_job {
	struct work work;
	struct verify *verify;
	char hash[USER_HASH_MAX];
	struct str name, password; /* as they were given */
	const char *client;	   /* "192.0.2.1"; only for verify_submit() to look at */
	uint64_t now_ns;	   /* any clock, but of all jobs the same */
	enum verify_verdict verdict;
	uint64_t by_client, by_name, by_both; /* verify's own */
	/* In the checking thread: usually posts to a net. */
	void (*done)(struct verify_job *job);
};

/* @seed: of the table of failures.  0 or -errno. */
int verify_new(unsigned n_threads, uint64_t seed, struct verify **verify);
/*
 * Checks @job->password against @user's hash; with @user NULL it takes as long, and is
 * wrong.  False: too many wait, or too many were wrong, and nothing will be called.
 */
bool verify_submit(struct verify *verify, const struct user *user,
		   struct verify_job *job);
/*
 * The same for whoever has found out by itself (SCRAM) whether @job->name knows its
 * password: it is counted, at once, in this thread.  False: too many were wrong before,
 * and what was found out must not be told.
 */
bool verify_told(struct verify *verify, struct verify_job *job, bool is_right);
/* Nobody wants the answer any more: a check that still waits is VERIFY_UNSURE, and
 * @job->done is called before this returns. */
void verify_cancel(struct verify *verify, struct verify_job *job);
/* From now on checks, also those that wait, are answered with VERIFY_UNSURE at once. */
void verify_give_up(struct verify *verify);
/* Gives up, and waits for the check that is under way. */
void verify_free(struct verify *verify);

/* clang-format off */
#define VERIFY_COUNTERS(C)					\
	C(right,   "passwords that were right")			\
	C(wrong,   "passwords that were wrong, or of nobody")	\
	C(unsure,  "checks given up: the client went, or the server ends") \
	C(refused, "checks refused because too many waited")	\
	C(late,	   "checks refused because too many were wrong before")
/* clang-format on */

struct verify_stats {
#define C(name, text) uint64_t name;
	VERIFY_COUNTERS(C)
#undef C
};

/* From any thread. */
void verify_stats(const struct verify *verify, struct verify_stats *stats);
