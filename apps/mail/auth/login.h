/*
 * A password on its way from a session to the verifier, and back.  It may come back after
 * its session has ended.
 *
 *	session				verifier's thread
 *	login_new, login_send ----->	checks, verify_job.done
 *	handoff_take: login_of() <-----	handoff_back
 *	login_free
 *
 * All functions are for the thread of the service's net.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/handoff.h"
#include "apps/mail/auth/verify.h"
#include "stack/base/check.h"

struct login {
	struct handoff_item back;
	struct verify_job job;
	struct handoff *checks;
	void *session; /* NULL: it ended */
	size_t len;    /* of bytes */
	char bytes[];  /* name and password */
};

/* As verify_submit() and verify_cancel(), for the user that @job->name is. */
typedef bool login_verify(void *arg, struct verify_job *job);
typedef void login_cancel(void *arg, struct verify_job *job);

/* Copies name and password; it will come back by @checks.  NULL: no memory. */
struct login *login_new(struct handoff *checks, void *session, struct str name,
			struct str password, const char *client);
/* False: it is not taken, does not come back, and is gone. */
bool login_send(struct login *login, login_verify *verify, void *arg);
/* The session ends.  It still comes back. */
void login_orphan(struct login *login, login_cancel *cancel, void *arg);
/* What came back. */
static inline struct login *login_of(struct handoff_item *back)
{
	return container_of(back, struct login, back);
}
/* Nobody finds the password in this memory any more. */
void login_free(struct login *login);
