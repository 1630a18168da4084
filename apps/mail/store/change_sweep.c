#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/change.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"

/* The first dead messages that nobody holds; held ones wake the writer later. */
static int find_dead(struct change *c, struct store *store, uint64_t msgs[], size_t *n)
{
	const struct engine_ops *ops = c->txn->engine->ops;
	struct engine_cursor *cursor;
	struct str key, value;
	int rc = ops->cursor_open(c->txn, ENGINE_DEAD, (struct str){ 0 }, &cursor);

	if (rc)
		return rc;
	*n = 0;
	while ((rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		uint64_t msg;

		if (!record_parse_msg_key(key, &msg) || store_hold_defers(store, msg))
			continue;
		if (*n == CHANGE_SWEEP_MAX) {
			c->more_dead = true;
			rc = 0;
			break;
		}
		msgs[(*n)++] = msg;
	}
	ops->cursor_close(cursor);
	return rc;
}

int change_sweep(struct change *c, struct store *store)
{
	uint64_t *msgs = malloc(CHANGE_SWEEP_MAX * sizeof(*msgs)), bytes = 0;
	size_t n;
	int rc;

	if (!msgs)
		return -ENOMEM;
	rc = find_dead(c, store, msgs, &n);
	for (size_t i = 0; i < n && !rc; i++) {
		uint64_t len;

		/* A transaction notes each page it gives up, and must stay small. */
		if (bytes > CHANGE_SWEEP_BYTES_MAX) {
			c->more_dead = true;
			break;
		}
		c->written = true;
		rc = message_remove(c->txn, msgs[i], &len);
		if (rc == 0)
			bytes += len;
	}
	free(msgs);
	return rc;
}
