#include "apps/lib/handoff.h"

#include <stddef.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"

static void look_fire(struct net_timer *t, uint64_t now_ns);

void handoff_init(struct handoff *h, struct net *net, handoff_take *take, void *arg)
{
	h->net = net;
	h->take = take;
	h->arg = arg;
	h->n_out = 0;
	net_timer_init(&h->look, look_fire);
	atomic_init(&h->posted, false);
	atomic_init(&h->n_inside, 0);
	atomic_init(&h->back, NULL);
}

void handoff_fini(struct handoff *h)
{
	ASSERT(!handoff_busy(h));
	net_timer_stop(h->net, &h->look);
}

static void arm(struct handoff *h)
{
	net_timer_arm(h->net, &h->look, net_now_ns(h->net) + HANDOFF_LOOK_MS * NS_PER_MS);
}

void handoff_out(struct handoff *h)
{
	if (h->n_out++ == 0)
		arm(h);
}

void handoff_undo(struct handoff *h)
{
	ASSERT(h->n_out > 0);
	if (--h->n_out == 0)
		net_timer_stop(h->net, &h->look);
}

/* The list as it came: oldest first. */
static struct handoff_item *reverse(struct handoff_item *item)
{
	struct handoff_item *done = NULL;

	while (item) {
		struct handoff_item *next = item->next;

		item->next = done;
		done = item;
		item = next;
	}
	return done;
}

static void take_all(struct handoff *h)
{
	struct handoff_item *item = reverse(atomic_exchange(&h->back, NULL));

	while (item) {
		struct handoff_item *next = item->next;

		handoff_undo(h);
		h->take(h->arg, item);
		item = next;
	}
}

static void job(void *arg)
{
	struct handoff *h = arg;

	/* First this, then the list: what comes back from here on posts anew. */
	atomic_store(&h->posted, false);
	take_all(h);
}

static void look_fire(struct net_timer *t, uint64_t now_ns)
{
	struct handoff *h = container_of(t, struct handoff, look);

	(void)now_ns;
	arm(h);
	take_all(h);
}

void handoff_back(struct handoff *h, struct handoff_item *item)
{
	atomic_fetch_add(&h->n_inside, 1);
	item->next = atomic_load_explicit(&h->back, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&h->back, &item->next, item))
		;
	if (!atomic_exchange(&h->posted, true) && !net_post(h->net, job, h))
		atomic_store(&h->posted, false);
	/* From here on @h may be gone. */
	atomic_fetch_sub(&h->n_inside, 1);
}

bool handoff_busy(const struct handoff *h)
{
	return h->n_out > 0 || atomic_load(&h->posted) || atomic_load(&h->n_inside) > 0;
}
