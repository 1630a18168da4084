/*
 * Checks passwords in a thread of its own: a hash takes milliseconds on purpose, and
 * no core waits so long.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/lib/worker.h"
#include "apps/mail/auth/users.h"

enum { VERIFY_QUEUE_MAX = 128 }; /* checks that may wait: some seconds' worth */

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
	struct str password;
	enum verify_verdict verdict;
	/* In the checking thread: usually posts to a net. */
	void (*done)(struct verify_job *job);
};

/* 0 or -errno. */
int verify_new(unsigned n_threads, struct verify **verify);
/*
 * Checks @job->password against @user's hash; with @user NULL it takes as long, and is
 * wrong.  False: too many wait, and nothing will be called.
 */
bool verify_submit(struct verify *verify, const struct user *user,
		   struct verify_job *job);
/* From now on checks, also those that wait, are answered with VERIFY_UNSURE at once. */
void verify_give_up(struct verify *verify);
/* Gives up, and waits for the check that is under way. */
void verify_free(struct verify *verify);

/* clang-format off */
#define VERIFY_COUNTERS(C)					\
	C(right,   "passwords that were right")			\
	C(wrong,   "passwords that were wrong, or of nobody")	\
	C(unsure,  "checks given up because the server ends")	\
	C(refused, "checks refused because too many waited")
/* clang-format on */

struct verify_stats {
#define C(name, text) uint64_t name;
	VERIFY_COUNTERS(C)
#undef C
};

/* From any thread. */
void verify_stats(const struct verify *verify, struct verify_stats *stats);
