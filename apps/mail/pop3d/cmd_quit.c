/*
 * QUIT (RFC 1939 6): what was marked is deleted, in one operation of the store.
 */
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"

/* Deletes on their way.  They come back, perhaps after their session; until then the
 * maildrop stays locked. */
struct pop3d_update {
	struct handoff_item back;
	struct store_op op;
	struct pop3d *pop3d;
	struct pop3d_session *session; /* NULL: it ended */
	struct pop3d_lock *lock;
	char user[POP3D_USER_MAX + 1];
	uint32_t uids[];
};

static void done(struct store_op *op)
{
	struct pop3d_update *u = container_of(op, struct pop3d_update, op);

	handoff_back(&u->pop3d->updates, &u->back);
}

static struct pop3d_update *update_new(struct pop3d_session *s)
{
	struct pop3d_update *u = malloc(sizeof(*u) + s->n_deleted * sizeof(*u->uids));
	size_t n = 0;

	if (!u)
		return NULL;
	*u = (struct pop3d_update){ .pop3d = s->pop3d, .session = s };
	memcpy(u->user, s->user, sizeof(u->user));
	for (uint32_t i = 0; i < s->n_msgs; i++)
		if (pop3d_is_deleted(s, i))
			u->uids[n++] = s->msgs[i].uid;
	u->op = (struct store_op){ .done = done, .kind = STORE_EXPUNGE };
	u->op.expunge.user = str_of(u->user);
	u->op.expunge.mailbox = STR("INBOX");
	u->op.expunge.uids = u->uids;
	u->op.expunge.n_uids = n;
	return u;
}

static void failed(struct pop3d_session *s)
{
	s->pop3d->stats.delete_failures++;
	pop3d_close(s, "-ERR [SYS/TEMP] Deleted messages were not removed");
}

static void update(struct pop3d_session *s)
{
	struct pop3d *d = s->pop3d;
	struct pop3d_update *u = update_new(s);

	if (!u) {
		failed(s);
		return;
	}
	s->update = u;
	pop3d_enter(s, POP3D_UPDATE);
	handoff_out(&d->updates);
	if (d->ops.submit(d->ops_arg, &u->op))
		return;
	handoff_undo(&d->updates);
	s->update = NULL;
	free(u);
	failed(s);
}

void pop3d_quit(struct pop3d_session *s, const struct str *args, int n)
{
	(void)args;
	(void)n;
	if (s->n_deleted > 0)
		update(s);
	else
		pop3d_close(s, "+OK Bye");
}

void pop3d_update_orphan(struct pop3d_session *s)
{
	s->update->session = NULL;
	s->update->lock = s->lock;
	s->lock = NULL;
	s->update = NULL;
}

void pop3d_updated(void *arg, struct handoff_item *item)
{
	struct pop3d_update *u = container_of(item, struct pop3d_update, back);
	struct pop3d_session *s = u->session;
	struct pop3d *d = arg;
	int result = u->op.result;

	if (result == 0)
		d->stats.deleted += u->op.expunge.n_uids;
	pop3d_unlock(d->conf.locks, u->lock);
	free(u);
	if (!s) {
		d->stats.delete_failures += result != 0;
		return;
	}
	s->update = NULL;
	if (result == 0)
		pop3d_close(s, "+OK Bye");
	else
		failed(s);
	pop3d_resume(s);
}
