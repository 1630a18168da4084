/*
 * Entries are packed to one cache line.  The end of a wait is cut to its low 16 bits of
 * ticks; as all ends lie within an hour of the latest, it can be made whole beside that.
 */
#include "tcp/timewait.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"

enum {
	TICK_SHIFT = 26, /* of nanoseconds: 67 ms */
	TICKS_MAX = UINT16_MAX,
	ID_NONE = TIMEWAIT_MAX, /* in 24 bits */
	MAP_FIRST = 64,
};

struct entry {
	/* An IPv4 address in the first bytes, then zeros; a link-local IPv6 address with its
	 * zone in the last byte of those that are zero in such. */
	struct ip6 local, remote;
	uint16_t local_port, remote_port;
	struct seq snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint16_t window; /* scaled as on the wire */
	uint8_t wscale : 4, is_ip6 : 1, timestamps : 1;
	uint64_t next : 24, prev : 24,
		end : 16; /* numbers in the list; ticks, low bits */
};

static_assert(sizeof(struct entry) <= TIMEWAIT_ENTRY_MAX_LEN, "an entry is small");

struct timewait {
	struct pool entries;
	struct map map;
	const struct hash_key *key;
	uint32_t first, last; /* in the order of their ends */
	uint64_t last_tick;   /* end of @last */
};

static struct entry *entry_at(const struct timewait *t, uint32_t id)
{
	return pool_at(&t->entries, id);
}

int timewait_new(struct timewait **out, uint32_t max, const struct hash_key *key)
{
	struct timewait *t;

	if (!max || max > TIMEWAIT_MAX)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->key = key;
	t->first = t->last = ID_NONE;
	if (pool_init(&t->entries, sizeof(struct entry), TIMEWAIT_ENTRY_MAX_LEN, max))
		goto no_entries;
	if (map_init(&t->map, MAP_FIRST))
		goto no_map;
	*out = t;
	return 0;
no_map:
	pool_fini(&t->entries);
no_entries:
	free(t);
	return -ENOMEM;
}

void timewait_free(struct timewait *t)
{
	while (t->first != ID_NONE)
		timewait_del(t, t->first);
	map_fini(&t->map);
	pool_fini(&t->entries);
	free(t);
}

uint32_t timewait_count(const struct timewait *t)
{
	return t->entries.n_out;
}

/* RFC 4291 2.5.6: 54 bits of a link-local address are zeros; the zone is put there. */
enum { AT_ZONE = 7 };

static struct ip6 bytes_of(const struct addr *a)
{
	struct ip6 bytes = a->ip6;

	if (a->family == ADDR_IP6 && ip6_is_link_local(bytes))
		bytes.b[AT_ZONE] = a->zone;
	return bytes;
}

static struct addr addr_of(const struct entry *e, struct ip6 bytes)
{
	struct addr a = { .family = e->is_ip6 ? ADDR_IP6 : ADDR_IP4, .ip6 = bytes };

	if (e->is_ip6 && ip6_is_link_local(bytes)) {
		a.zone = bytes.b[AT_ZONE];
		a.ip6.b[AT_ZONE] = 0;
	}
	return a;
}

static struct flow flow_of(const struct entry *e)
{
	return (struct flow){
		.local = addr_of(e, e->local),
		.remote = addr_of(e, e->remote),
		.local_port = e->local_port,
		.remote_port = e->remote_port,
	};
}

static bool has_flow(const void *ctx, uint32_t id, const void *key)
{
	struct flow f = flow_of(entry_at(ctx, id));

	return flow_eq(&f, key);
}

uint32_t timewait_find(const struct timewait *t, const struct flow *f)
{
	uint32_t id = map_find(&t->map, hash_flow(t->key, f), has_flow, t, f);

	return id == MAP_NONE ? TIMEWAIT_NONE : id;
}

void timewait_get(const struct timewait *t, uint32_t id, struct tw *tw)
{
	const struct entry *e = entry_at(t, id);

	*tw = (struct tw){
		.flow = flow_of(e),
		.snd_nxt = e->snd_nxt,
		.rcv_nxt = e->rcv_nxt,
		.rcv_wnd = (uint32_t)e->window << e->wscale,
		.ts_recent = e->ts_recent,
		.ts_offset = e->ts_offset,
		.rcv_wscale = e->wscale,
		.timestamps = e->timestamps,
	};
}

/* The whole of an entry's end. */
static uint64_t end_tick(const struct timewait *t, uint32_t id)
{
	return t->last_tick - (uint16_t)(t->last_tick - entry_at(t, id)->end);
}

/* Puts an entry at the end of the list. */
static void enqueue(struct timewait *t, uint32_t id, uint64_t end_ns)
{
	uint64_t tick = (end_ns >> TICK_SHIFT) + 1;
	struct entry *e = entry_at(t, id);

	if (t->first != ID_NONE && tick < t->last_tick)
		tick = t->last_tick;
	/* What nobody asked about for an hour ended long ago. */
	while (t->first != ID_NONE && tick - end_tick(t, t->first) > TICKS_MAX)
		timewait_del(t, t->first);
	t->last_tick = tick;
	e->end = tick & TICKS_MAX;
	e->prev = t->last & ID_NONE;
	e->next = ID_NONE;
	if (t->last == ID_NONE)
		t->first = id;
	else
		entry_at(t, t->last)->next = id & ID_NONE;
	t->last = id;
}

static void dequeue(struct timewait *t, uint32_t id)
{
	const struct entry *e = entry_at(t, id);

	if (e->prev == ID_NONE)
		t->first = e->next;
	else
		entry_at(t, e->prev)->next = e->next;
	if (e->next == ID_NONE)
		t->last = e->prev;
	else
		entry_at(t, e->next)->prev = e->prev;
}

uint32_t timewait_next(const struct timewait *t, uint32_t id)
{
	uint32_t next = id == TIMEWAIT_NONE ? t->first : entry_at(t, id)->next;

	return next == ID_NONE ? TIMEWAIT_NONE : next;
}

bool timewait_add(struct timewait *t, const struct tw *tw, uint64_t end_ns)
{
	bool lost = !pool_left(&t->entries);
	uint32_t window = tw->rcv_wnd >> tw->rcv_wscale, id;
	struct entry *e;

	if (lost)
		timewait_del(t, t->first);
	e = pool_get(&t->entries);
	*e = (struct entry){
		.local = bytes_of(&tw->flow.local),
		.remote = bytes_of(&tw->flow.remote),
		.local_port = tw->flow.local_port,
		.remote_port = tw->flow.remote_port,
		.snd_nxt = tw->snd_nxt,
		.rcv_nxt = tw->rcv_nxt,
		.ts_recent = tw->ts_recent,
		.ts_offset = tw->ts_offset,
		.window = window < UINT16_MAX ? (uint16_t)window : UINT16_MAX,
		.wscale = tw->rcv_wscale & 15,
		.is_ip6 = tw->flow.remote.family == ADDR_IP6,
		.timestamps = tw->timestamps,
	};
	id = pool_id(&t->entries, e);
	if (map_add(&t->map, hash_flow(t->key, &tw->flow), id)) {
		pool_put(&t->entries, e);
		return true;
	}
	enqueue(t, id, end_ns);
	return lost;
}

void timewait_del(struct timewait *t, uint32_t id)
{
	struct entry *e = entry_at(t, id);
	struct flow f = flow_of(e);

	map_del(&t->map, hash_flow(t->key, &f), id);
	dequeue(t, id);
	pool_put(&t->entries, e);
}

void timewait_restart(struct timewait *t, uint32_t id, uint64_t end_ns)
{
	dequeue(t, id);
	enqueue(t, id, end_ns);
}

uint64_t timewait_due(const struct timewait *t)
{
	return t->first == ID_NONE ? UINT64_MAX : end_tick(t, t->first) << TICK_SHIFT;
}

uint32_t timewait_expire(struct timewait *t, uint64_t now_ns)
{
	uint32_t n = 0;

	for (; timewait_due(t) <= now_ns; n++)
		timewait_del(t, t->first);
	return n;
}
