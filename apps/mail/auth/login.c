#include "apps/mail/auth/login.h"

#include <stdlib.h>
#include <string.h>

static void verified(struct verify_job *job)
{
	struct login *l = container_of(job, struct login, job);

	handoff_back(l->checks, &l->back);
}

struct login *login_new(struct handoff *checks, void *session, struct str name,
			struct str password, const char *client)
{
	size_t len = name.len + password.len;
	struct login *l = malloc(sizeof(*l) + len);

	if (!l)
		return NULL;
	*l = (struct login){ .checks = checks, .session = session, .len = len };
	memcpy(l->bytes, name.p, name.len);
	memcpy(l->bytes + name.len, password.p, password.len);
	l->job.name = (struct str){ l->bytes, name.len };
	l->job.password = (struct str){ l->bytes + name.len, password.len };
	l->job.client = client;
	l->job.done = verified;
	return l;
}

bool login_send(struct login *l, login_verify *verify, void *arg)
{
	struct handoff *checks = l->checks;

	handoff_out(checks);
	if (verify(arg, &l->job))
		return true;
	handoff_undo(checks);
	login_free(l);
	return false;
}

void login_orphan(struct login *l, login_cancel *cancel, void *arg)
{
	l->session = NULL;
	cancel(arg, &l->job);
}

void login_free(struct login *l)
{
	explicit_bzero(l->bytes, l->len);
	free(l);
}
