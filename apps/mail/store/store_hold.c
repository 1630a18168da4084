/*
 * Holds: messages read without a snapshot.
 *
 * A hold is entered before its snapshot is opened.  If the message is in that snapshot,
 * then the transaction that makes it dead is not committed yet.  The one that removes it
 * begins after that commit, since a sweep removes only what was dead before its own
 * transaction (writer.c), and will see the hold.  If it is not, there is nothing to hold.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"

struct hold {
	struct store_hold hold;
	struct hold *next, **pprev; /* of its bucket */
	uint64_t msg;
	bool dead;	       /* the writer waits for the release */
	char *copy;	       /* of what would not stay in its place */
	uint32_t crc, crc_now; /* as recorded; of the bytes that were read */
	size_t n_read;	       /* of pieces[1] */
};

static struct hold **bucket_of(struct store *store, uint64_t msg)
{
	return &store->holds[msg % STORE_HOLD_BUCKETS];
}

static void enter(struct store *store, struct hold *h)
{
	struct hold **bucket = bucket_of(store, h->msg);

	pthread_mutex_lock(&store->hold_lock);
	h->next = *bucket;
	h->pprev = bucket;
	if (h->next)
		h->next->pprev = &h->next;
	*bucket = h;
	pthread_mutex_unlock(&store->hold_lock);
}

bool store_hold_defers(struct store *store, uint64_t msg)
{
	bool held = false;

	pthread_mutex_lock(&store->hold_lock);
	for (struct hold *h = *bucket_of(store, msg); h; h = h->next)
		if (h->msg == msg)
			held = h->dead = true;
	pthread_mutex_unlock(&store->hold_lock);
	return held;
}

/* The pieces lie in the snapshot: copies what will not stay there. */
static int keep(struct store *store, struct hold *h)
{
	struct str *piece = h->hold.pieces;
	bool stays = store->engine->ops->stays(store->engine, piece[1]);
	size_t len = piece[0].len + (stays ? 0 : piece[1].len);

	if (len == 0)
		return 0;
	h->copy = malloc(len);
	if (!h->copy)
		return -ENOMEM;
	if (piece[0].len > 0)
		memcpy(h->copy, piece[0].p, piece[0].len);
	piece[0].p = h->copy;
	if (!stays && piece[1].len > 0) {
		memcpy(h->copy + piece[0].len, piece[1].p, piece[1].len);
		piece[1].p = h->copy + piece[0].len;
	}
	return 0;
}

/* Holds message @msg, which @find takes from a snapshot that is younger than the hold. */
static int hold_msg(struct store *store, uint64_t msg,
		    int (*find)(struct store_read *read, const void *what,
				struct record_head *head, struct str pieces[2]),
		    const void *what, struct store_hold **hold)
{
	struct hold *h = calloc(1, sizeof(*h));
	struct store_read *read;
	struct record_head head;
	int rc;

	if (!h)
		return -ENOMEM;
	h->msg = msg;
	enter(store, h);
	rc = store_read_begin(store, &read);
	if (rc == 0) {
		rc = find(read, what, &head, h->hold.pieces);
		if (rc == 0)
			rc = keep(store, h);
		store_read_end(read);
	}
	if (rc) {
		store_release(store, &h->hold);
		return rc;
	}
	h->crc = head.crc;
	h->crc_now = record_crc_begin(msg);
	*hold = &h->hold;
	return 0;
}

int store_hold_check(struct store_hold *hold, size_t n)
{
	struct hold *h = container_of(hold, struct hold, hold);
	struct str rest = hold->pieces[1];

	rest.p += h->n_read;
	rest.len -= h->n_read;
	if (rest.len > n)
		rest.len = n;
	h->crc_now = record_crc_more(h->crc_now, rest);
	h->n_read += rest.len;
	if (h->n_read < hold->pieces[1].len)
		return 0;
	return h->crc_now == h->crc ? 1 : -EIO;
}

/* All of it; what is not whole is let go. */
static int check_all(struct store *store, struct store_hold *new,
		     struct store_hold **hold)
{
	int rc = store_hold_check(new, SIZE_MAX);

	if (rc < 0) {
		store_release(store, new);
		return rc;
	}
	*hold = new;
	return 0;
}

static int find_msg(struct store_read *read, const void *msg, struct record_head *head,
		    struct str pieces[2])
{
	return store_msg_find(read, msg, head, pieces);
}

int store_hold_unread(struct store *store, const struct store_msg *msg,
		      struct store_hold **hold)
{
	return hold_msg(store, msg->msg, find_msg, msg, hold);
}

int store_hold(struct store *store, const struct store_msg *msg, struct store_hold **hold)
{
	struct store_hold *new;
	int rc = store_hold_unread(store, msg, &new);

	return rc ? rc : check_all(store, new, hold);
}

static int find_item(struct store_read *read, const void *id, struct record_head *head,
		     struct str pieces[2])
{
	struct spool_item item;
	struct str bytes;
	int rc = spool_get(read, *(const uint64_t *)id, &item);

	if (rc == 0)
		rc = message_get(read->txn, item.msg, head, &bytes);
	if (rc)
		return rc;
	pieces[0] = (struct str){ bytes.p, 0 };
	pieces[1] = bytes;
	return 0;
}

int spool_hold(struct store *store, uint64_t id, struct store_hold **hold)
{
	struct spool_item item;
	struct store_hold *new;
	struct store_read *read;
	int rc = store_read_begin(store, &read);

	if (rc)
		return rc;
	rc = spool_get(read, id, &item);
	store_read_end(read);
	if (rc == 0)
		rc = hold_msg(store, item.msg, find_item, &id, &new);
	return rc ? rc : check_all(store, new, hold);
}

void store_release(struct store *store, struct store_hold *hold)
{
	struct hold *h = container_of(hold, struct hold, hold);

	pthread_mutex_lock(&store->hold_lock);
	*h->pprev = h->next;
	if (h->next)
		h->next->pprev = h->pprev;
	pthread_mutex_unlock(&store->hold_lock);
	/* Others may hold it still: then the sweep finds nothing, and they wake it. */
	if (h->dead)
		store_sweep_wake(store);
	free(h->copy);
	free(h);
}
