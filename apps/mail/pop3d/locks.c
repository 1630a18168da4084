/*
 * Which maildrops are open: a table for all threads of a process.  It is asked at each
 * login and its end, so one mutex does.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"

enum { LOCKS_SLOTS = 1024 };

struct pop3d_lock {
	struct list node;
	char user[POP3D_USER_MAX + 1];
};

struct pop3d_locks {
	pthread_mutex_t mutex;
	unsigned n, n_max;
	struct list slots[LOCKS_SLOTS];
};

int pop3d_locks_new(unsigned n_max, struct pop3d_locks **locks)
{
	struct pop3d_locks *l = malloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->mutex, NULL);
	l->n = 0;
	l->n_max = n_max;
	for (unsigned i = 0; i < LOCKS_SLOTS; i++)
		list_init(&l->slots[i]);
	*locks = l;
	return 0;
}

void pop3d_locks_free(struct pop3d_locks *locks)
{
	if (!locks)
		return;
	ASSERT(locks->n == 0);
	pthread_mutex_destroy(&locks->mutex);
	free(locks);
}

/* Only names of our own users come here, so no key is needed. */
static struct list *slot_of(struct pop3d_locks *locks, const char *user)
{
	static const struct hash_key key = { { 0, 0 } };

	return &locks->slots[hash_siphash13(&key, user, strlen(user)) % LOCKS_SLOTS];
}

static bool is_locked(const struct list *slot, const char *user)
{
	for (const struct list *at = slot->next; at != slot; at = at->next)
		if (strcmp(container_of(at, struct pop3d_lock, node)->user, user) == 0)
			return true;
	return false;
}

struct pop3d_lock *pop3d_lock(struct pop3d_locks *locks, const char *user)
{
	struct pop3d_lock *lock = malloc(sizeof(*lock));
	struct list *slot = slot_of(locks, user);

	if (!lock)
		return NULL;
	strcpy(lock->user, user);
	pthread_mutex_lock(&locks->mutex);
	if (locks->n >= locks->n_max || is_locked(slot, user)) {
		free(lock);
		lock = NULL;
	} else {
		list_insert(slot, &lock->node);
		locks->n++;
	}
	pthread_mutex_unlock(&locks->mutex);
	return lock;
}

void pop3d_unlock(struct pop3d_locks *locks, struct pop3d_lock *lock)
{
	if (!lock)
		return;
	pthread_mutex_lock(&locks->mutex);
	list_remove(&lock->node);
	locks->n--;
	pthread_mutex_unlock(&locks->mutex);
	free(lock);
}
