#include "ip/pmtu.h"

#include "ip/ip.h"
#include "ip/ip6_wire.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

struct entry {
	struct list node; /* in pmtu.age */
	struct addr dst;
	uint32_t hash;
	uint64_t ends_ns;
	struct pmtu_info info;
};

static bool eq(const void *ctx, uint32_t id, const void *key)
{
	const struct pmtu *pm = ctx;
	const struct entry *e = pool_at(&pm->entries, id);

	return addr_eq(&e->dst, key);
}

static uint32_t hash_of(const struct pmtu *pm, const struct addr *dst)
{
	return (uint32_t)hash_siphash13(&pm->key, dst, sizeof(*dst));
}

static struct entry *find(const struct pmtu *pm, const struct addr *dst)
{
	uint32_t id;

	if (pm->entries.n_out == 0)
		return NULL;
	id = map_find(&pm->by_dst, hash_of(pm, dst), eq, pm, dst);
	return id == MAP_NONE ? NULL : pool_at(&pm->entries, id);
}

static struct entry *oldest(struct pmtu *pm)
{
	return list_empty(&pm->age) ? NULL :
				      container_of(pm->age.next, struct entry, node);
}

static void drop(struct pmtu *pm, struct entry *e)
{
	list_remove(&e->node);
	map_del(&pm->by_dst, e->hash, pool_id(&pm->entries, e));
	pool_put(&pm->entries, e);
	++*pm->generation;
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct pmtu *pm = container_of(t, struct pmtu, timer);
	struct entry *e = oldest(pm);

	for (; e && e->ends_ns <= now_ns; e = oldest(pm))
		drop(pm, e);
	if (e)
		timer_arm(pm->wheel, &pm->timer, e->ends_ns);
}

int pmtu_init(struct pmtu *pm, struct wheel *wheel, const struct hash_key *key,
	      uint32_t *generation)
{
	int err = pool_init(&pm->entries, sizeof(struct entry), 8, IP_PMTU_MAX);

	if (err)
		return err;
	err = map_init(&pm->by_dst, 16);
	if (err) {
		pool_fini(&pm->entries);
		return err;
	}
	list_init(&pm->age);
	timer_init(&pm->timer, fire);
	pm->wheel = wheel;
	pm->key = *key;
	pm->generation = generation;
	return 0;
}

void pmtu_fini(struct pmtu *pm)
{
	struct entry *e;

	while ((e = oldest(pm)))
		drop(pm, e);
	timer_stop(pm->wheel, &pm->timer);
	map_fini(&pm->by_dst);
	pool_fini(&pm->entries);
}

struct pmtu_info pmtu_get(const struct pmtu *pm, const struct addr *dst)
{
	const struct entry *e = find(pm, dst);

	return e ? e->info : (struct pmtu_info){ 0 };
}

static struct entry *make(struct pmtu *pm, const struct addr *dst)
{
	struct entry *e;

	if (pool_left(&pm->entries) == 0)
		drop(pm, oldest(pm));
	e = pool_get(&pm->entries);
	*e = (struct entry){ .dst = *dst, .hash = hash_of(pm, dst) };
	list_init(&e->node);
	if (map_add(&pm->by_dst, e->hash, pool_id(&pm->entries, e))) {
		pool_put(&pm->entries, e);
		return NULL;
	}
	return e;
}

bool pmtu_set(struct pmtu *pm, const struct addr *dst, unsigned mtu, unsigned link_mtu,
	      uint64_t now_ns)
{
	bool is_ip6 = dst->family == ADDR_IP6;
	/* RFC 8201 4: no path of IPv6 is narrower than its least MTU. */
	unsigned min = is_ip6 ? (unsigned)IP6_MTU_MIN : (unsigned)IP_PMTU_MIN;
	struct pmtu_info info = { .below_min = !is_ip6 && mtu < min };
	struct entry *e = find(pm, dst);
	bool news;

	mtu = mtu < min ? min : mtu;
	news = mtu < link_mtu || info.below_min;
	info.mtu = (uint16_t)mtu;
	if (e)
		news = info.mtu < e->info.mtu || (info.below_min && !e->info.below_min);
	if (!news)
		return false;
	if (!e)
		e = make(pm, dst);
	if (!e)
		return false;
	e->info = info;
	e->ends_ns = now_ns + IP_PMTU_SECONDS * NS_PER_S;
	list_remove(&e->node);
	list_push(&pm->age, &e->node);
	timer_arm(pm->wheel, &pm->timer, oldest(pm)->ends_ns);
	++*pm->generation;
	return true;
}
