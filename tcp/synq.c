/*
 * Entries are packed to 48 bytes.  Times are cut: the moment of the first SYN-ACK to its
 * low 32 bits of microseconds, the deadline to its low 32 bits of ticks.  An entry lives
 * for a few minutes, so both can be made whole again beside a whole time that is near.
 */
#include "tcp/synq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"

enum { TICK_SHIFT = 24 /* of nanoseconds: 16.8 ms */, MAP_FIRST = 64 };

/* The addresses of a flow that is not IPv4. */
struct far {
	struct addr local, remote;
};

struct entry {
	union {
		struct {
			struct ip4 local, remote;
		};
		uint32_t far; /* number of a struct far */
	};
	uint16_t local_port, remote_port;
	struct seq irs, iss;
	uint32_t ts_recent;
	uint32_t listener;
	uint32_t at_us;	     /* low bits */
	uint32_t due;	     /* low bits, in ticks */
	uint32_t next, prev; /* in the list of its tries */
	uint16_t mss;
	uint8_t has : 4, wscale : 4;
	uint8_t tries : 3, is_far : 1, ecn : 3, acked : 1;
};

static_assert(sizeof(struct entry) <= SYNQ_ENTRY_MAX_LEN, "an entry is small");

struct fifo {
	uint32_t first, last; /* SYNQ_NONE: empty */
};

struct synq {
	struct pool entries, fars;
	struct map map;
	const struct hash_key *key;
	uint64_t newest_us; /* the latest time that an entry was made */
	uint64_t tick;	    /* of the latest deadline given: all are near it */
	struct fifo by_tries[SYNQ_TRIES_MAX + 1];
};

static struct entry *entry_at(const struct synq *q, uint32_t id)
{
	return pool_at(&q->entries, id);
}

static struct far *far_of(const struct synq *q, const struct entry *e)
{
	return pool_at(&q->fars, e->far);
}

int synq_new(struct synq **out, uint32_t max, const struct hash_key *key)
{
	struct synq *q;

	if (!max)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->key = key;
	for (unsigned i = 0; i <= SYNQ_TRIES_MAX; i++)
		q->by_tries[i] = (struct fifo){ SYNQ_NONE, SYNQ_NONE };
	if (pool_init(&q->entries, sizeof(struct entry), _Alignof(struct entry), max))
		goto no_entries;
	if (pool_init(&q->fars, sizeof(struct far), _Alignof(uint32_t), max))
		goto no_fars;
	if (map_init(&q->map, MAP_FIRST))
		goto no_map;
	*out = q;
	return 0;
no_map:
	pool_fini(&q->fars);
no_fars:
	pool_fini(&q->entries);
no_entries:
	free(q);
	return -ENOMEM;
}

void synq_free(struct synq *q)
{
	for (unsigned i = 0; i <= SYNQ_TRIES_MAX; i++)
		while (q->by_tries[i].first != SYNQ_NONE)
			synq_del(q, q->by_tries[i].first);
	map_fini(&q->map);
	pool_fini(&q->fars);
	pool_fini(&q->entries);
	free(q);
}

uint32_t synq_count(const struct synq *q)
{
	return q->entries.n_out;
}

static void get_flow(const struct synq *q, const struct entry *e, struct flow *f)
{
	f->local_port = e->local_port;
	f->remote_port = e->remote_port;
	if (e->is_far) {
		f->local = far_of(q, e)->local;
		f->remote = far_of(q, e)->remote;
	} else {
		f->local = addr_ip4(e->local);
		f->remote = addr_ip4(e->remote);
	}
}

static bool has_flow(const void *ctx, uint32_t id, const void *key)
{
	const struct synq *q = ctx;
	struct flow f;

	get_flow(q, entry_at(q, id), &f);
	return flow_eq(&f, key);
}

uint32_t synq_find(const struct synq *q, const struct flow *f)
{
	uint32_t id = map_find(&q->map, hash_flow(q->key, f), has_flow, q, f);

	return id == MAP_NONE ? SYNQ_NONE : id;
}

void synq_get(const struct synq *q, uint32_t id, struct syn *syn)
{
	const struct entry *e = entry_at(q, id);
	uint64_t at_us = q->newest_us - (uint32_t)((uint32_t)q->newest_us - e->at_us);

	*syn = (struct syn){
		.irs = e->irs,
		.iss = e->iss,
		.ts_recent = e->ts_recent,
		.listener = e->listener,
		.at_ns = at_us * NS_PER_US,
		.mss = e->mss,
		.has = e->has,
		.snd_wscale = e->wscale,
		.tries = e->tries,
		.ecn = e->ecn,
		.acked = e->acked,
	};
	get_flow(q, e, &syn->flow);
}

/* The whole of a deadline. */
static uint64_t due_tick(const struct synq *q, const struct entry *e)
{
	return q->tick + (uint64_t)(int64_t)(int32_t)(e->due - (uint32_t)q->tick);
}

/* Puts an entry in the list of its tries.  All there were given the same time to wait,
 * so its place is at the end but for a clock that was asked late. */
static void enqueue(struct synq *q, uint32_t id, uint64_t due_ns)
{
	struct entry *e = entry_at(q, id);
	struct fifo *list = &q->by_tries[e->tries];
	uint32_t before = list->last;

	q->tick = due_ns >> TICK_SHIFT;
	e->due = (uint32_t)q->tick;
	while (before != SYNQ_NONE && due_tick(q, entry_at(q, before)) > q->tick)
		before = entry_at(q, before)->prev;
	e->prev = before;
	e->next = before == SYNQ_NONE ? list->first : entry_at(q, before)->next;
	if (before == SYNQ_NONE)
		list->first = id;
	else
		entry_at(q, before)->next = id;
	if (e->next == SYNQ_NONE)
		list->last = id;
	else
		entry_at(q, e->next)->prev = id;
}

static void dequeue(struct synq *q, uint32_t id)
{
	struct entry *e = entry_at(q, id);
	struct fifo *list = &q->by_tries[e->tries];

	if (e->prev == SYNQ_NONE)
		list->first = e->next;
	else
		entry_at(q, e->prev)->next = e->next;
	if (e->next == SYNQ_NONE)
		list->last = e->prev;
	else
		entry_at(q, e->next)->prev = e->prev;
}

static void set_flow(struct synq *q, struct entry *e, const struct flow *f)
{
	struct far *far;

	e->local_port = f->local_port;
	e->remote_port = f->remote_port;
	e->is_far = f->remote.family != ADDR_IP4;
	if (!e->is_far) {
		e->local = f->local.ip4;
		e->remote = f->remote.ip4;
		return;
	}
	far = pool_get(&q->fars);
	ASSERT(far); /* there are as many as entries */
	*far = (struct far){ f->local, f->remote };
	e->far = pool_id(&q->fars, far);
}

static void give_back(struct synq *q, struct entry *e)
{
	if (e->is_far)
		pool_put(&q->fars, far_of(q, e));
	pool_put(&q->entries, e);
}

uint32_t synq_add(struct synq *q, const struct syn *syn, uint64_t due_ns)
{
	struct entry *e = pool_get(&q->entries);
	uint64_t at_us = syn->at_ns / NS_PER_US;
	uint32_t id;

	if (!e)
		return SYNQ_NONE;
	ASSERT(syn->tries <= SYNQ_TRIES_MAX);
	*e = (struct entry){
		.irs = syn->irs,
		.iss = syn->iss,
		.ts_recent = syn->ts_recent,
		.listener = syn->listener,
		.at_us = (uint32_t)at_us,
		.mss = syn->mss,
		.has = syn->has & 15,
		.wscale = syn->snd_wscale & 15,
		.tries = syn->tries & 7,
		.ecn = syn->ecn & 7,
	};
	set_flow(q, e, &syn->flow);
	id = pool_id(&q->entries, e);
	if (map_add(&q->map, hash_flow(q->key, &syn->flow), id)) {
		give_back(q, e);
		return SYNQ_NONE;
	}
	if (at_us > q->newest_us)
		q->newest_us = at_us;
	enqueue(q, id, due_ns);
	return id;
}

void synq_del(struct synq *q, uint32_t id)
{
	struct entry *e = entry_at(q, id);
	struct flow f;

	get_flow(q, e, &f);
	map_del(&q->map, hash_flow(q->key, &f), id);
	dequeue(q, id);
	give_back(q, e);
}

void synq_touch(struct synq *q, uint32_t id, uint32_t ts_recent, uint8_t ecn)
{
	entry_at(q, id)->ts_recent = ts_recent;
	entry_at(q, id)->ecn = ecn & 7;
}

void synq_put_off(struct synq *q, uint32_t id)
{
	entry_at(q, id)->acked = true;
}

/* The entry with the earliest deadline. */
static uint32_t earliest(const struct synq *q)
{
	uint32_t id = SYNQ_NONE;

	for (unsigned i = 0; i <= SYNQ_TRIES_MAX; i++) {
		uint32_t first = q->by_tries[i].first;

		if (first == SYNQ_NONE)
			continue;
		if (id == SYNQ_NONE ||
		    due_tick(q, entry_at(q, first)) < due_tick(q, entry_at(q, id)))
			id = first;
	}
	return id;
}

uint64_t synq_due(const struct synq *q)
{
	uint32_t id = earliest(q);

	return id == SYNQ_NONE ? UINT64_MAX : due_tick(q, entry_at(q, id)) << TICK_SHIFT;
}

uint32_t synq_next(const struct synq *q, uint32_t id)
{
	uint32_t next = SYNQ_NONE;
	unsigned tries = 0;

	if (id != SYNQ_NONE) {
		next = entry_at(q, id)->next;
		tries = entry_at(q, id)->tries + 1U;
	}
	for (; next == SYNQ_NONE && tries <= SYNQ_TRIES_MAX; tries++)
		next = q->by_tries[tries].first;
	return next;
}

uint32_t synq_next_due(struct synq *q, uint64_t now_ns)
{
	return synq_due(q) <= now_ns ? earliest(q) : SYNQ_NONE;
}

void synq_again(struct synq *q, uint32_t id, uint64_t due_ns)
{
	struct entry *e = entry_at(q, id);

	dequeue(q, id);
	if (e->tries < SYNQ_TRIES_MAX)
		e->tries++;
	enqueue(q, id, due_ns);
}

void synq_drop_listener(struct synq *q, uint32_t listener)
{
	for (unsigned i = 0; i <= SYNQ_TRIES_MAX; i++) {
		uint32_t id = q->by_tries[i].first;

		while (id != SYNQ_NONE) {
			uint32_t next = entry_at(q, id)->next;

			if (entry_at(q, id)->listener == listener)
				synq_del(q, id);
			id = next;
		}
	}
}
