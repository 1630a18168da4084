#include "apps/mail/store/watch.h"

#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"

static struct list *bucket_of(struct store *store, uint32_t box)
{
	return &store->watches[box % STORE_WATCH_BUCKETS];
}

void watch_init(struct store *store)
{
	pthread_mutex_init(&store->watch_lock, NULL);
	for (int i = 0; i < STORE_WATCH_BUCKETS; i++)
		list_init(&store->watches[i]);
}

void watch_fini(struct store *store)
{
	for (int i = 0; i < STORE_WATCH_BUCKETS; i++)
		ASSERT(list_empty(&store->watches[i]));
	pthread_mutex_destroy(&store->watch_lock);
}

void watch_add(struct store *store, struct store_watch *watch, uint32_t box)
{
	watch->box = box;
	pthread_mutex_lock(&store->watch_lock);
	list_push(bucket_of(store, box), &watch->node);
	pthread_mutex_unlock(&store->watch_lock);
}

void watch_remove(struct store *store, struct store_watch *watch)
{
	pthread_mutex_lock(&store->watch_lock);
	list_remove(&watch->node);
	pthread_mutex_unlock(&store->watch_lock);
}

void watch_tell(struct store *store, const uint32_t *boxes, size_t n)
{
	pthread_mutex_lock(&store->watch_lock);
	for (size_t i = 0; i < n; i++) {
		struct list *bucket = bucket_of(store, boxes[i]);

		for (struct list *at = bucket->next; at != bucket; at = at->next) {
			struct store_watch *w =
				container_of(at, struct store_watch, node);

			if (w->box == boxes[i])
				w->changed(w);
		}
	}
	pthread_mutex_unlock(&store->watch_lock);
}
