#include "tcp/fo_cache.h"

#include "stack/base/check.h"
#include "stack/base/clock.h"

/* How to ask a server that gave no cookie. */
enum form {
	FORM_FIRST, /* by the number of RFC 7413 */
	FORM_EXP,   /* that was refused: in the form of the experiment, once */
	FORM_BOTH,  /* both were: by the number again */
};

struct entry {
	struct list node; /* in fc->age */
	struct addr dst;
	uint32_t hash;
	uint64_t lost_ns; /* the last time */
	uint16_t mss;
	uint8_t n_lost; /* SYNs in a row */
	uint8_t form;	/* enum form */
	struct fo_cookie cookie;
};

static bool eq(const void *ctx, uint32_t id, const void *key)
{
	const struct fo_cache *fc = ctx;
	const struct entry *e = pool_at(&fc->entries, id);

	return addr_eq(&e->dst, key);
}

static uint32_t hash_of(const struct fo_cache *fc, const struct addr *dst)
{
	return (uint32_t)hash_siphash13(&fc->key, dst, sizeof(*dst));
}

/* Moves it to the end of the list: it was asked for. */
static struct entry *find(struct fo_cache *fc, const struct addr *dst)
{
	uint32_t id;
	struct entry *e;

	if (!fc->entries.n_out)
		return NULL;
	id = map_find(&fc->by_dst, hash_of(fc, dst), eq, fc, dst);
	if (id == MAP_NONE)
		return NULL;
	e = pool_at(&fc->entries, id);
	list_remove(&e->node);
	list_push(&fc->age, &e->node);
	return e;
}

static void drop(struct fo_cache *fc, struct entry *e)
{
	list_remove(&e->node);
	map_del(&fc->by_dst, e->hash, pool_id(&fc->entries, e));
	pool_put(&fc->entries, e);
}

int fo_cache_init(struct fo_cache *fc, uint32_t max, uint32_t pause_s,
		  const struct hash_key *key)
{
	int err = pool_init(&fc->entries, sizeof(struct entry), 8, max);

	if (err)
		return err;
	err = map_init(&fc->by_dst, 16);
	if (err) {
		pool_fini(&fc->entries);
		fc->entries.arena = NULL;
		return err;
	}
	list_init(&fc->age);
	fc->key = *key;
	fc->pause_s = pause_s;
	return 0;
}

void fo_cache_fini(struct fo_cache *fc)
{
	while (!list_empty(&fc->age))
		drop(fc, container_of(fc->age.next, struct entry, node));
	map_fini(&fc->by_dst);
	pool_fini(&fc->entries);
}

/* NULL: no memory. */
static struct entry *find_or_make(struct fo_cache *fc, const struct addr *dst)
{
	struct entry *e = find(fc, dst);

	if (e)
		return e;
	if (!pool_left(&fc->entries))
		drop(fc, container_of(fc->age.next, struct entry, node));
	e = pool_get(&fc->entries);
	*e = (struct entry){ .dst = *dst, .hash = hash_of(fc, dst) };
	list_init(&e->node);
	if (map_add(&fc->by_dst, e->hash, pool_id(&fc->entries, e))) {
		pool_put(&fc->entries, e);
		return NULL;
	}
	list_push(&fc->age, &e->node);
	return e;
}

/* RFC 7413 4.1.3.1: where SYNs are lost, ordinary ones for a while */
static bool is_paused(const struct fo_cache *fc, const struct entry *e, uint64_t now_ns)
{
	unsigned more;

	if (e->n_lost < FO_LOST_MAX)
		return false;
	more = e->n_lost - FO_LOST_MAX;
	if (more > FO_PAUSE_SHIFT)
		more = FO_PAUSE_SHIFT;
	return now_ns - e->lost_ns < (fc->pause_s * NS_PER_S) << more;
}

void fo_cache_get(struct fo_cache *fc, const struct addr *dst, uint64_t now_ns,
		  struct fo_hint *hint)
{
	const struct entry *e = find(fc, dst);

	*hint = (struct fo_hint){ 0 };
	if (!e)
		return;
	hint->mss = e->mss;
	hint->paused = is_paused(fc, e, now_ns);
	hint->cookie = e->cookie;
	if (!e->cookie.len)
		hint->cookie.exp = e->form == FORM_EXP;
}

static void count_lost(struct entry *e, uint64_t now_ns)
{
	e->n_lost += e->n_lost < UINT8_MAX;
	e->lost_ns = now_ns;
}

void fo_cache_learn(struct fo_cache *fc, const struct addr *dst,
		    const struct fo_answer *answer, uint64_t now_ns)
{
	struct entry *e = find_or_make(fc, dst);

	if (!e)
		return;
	if (answer->mss)
		e->mss = answer->mss;
	if (answer->cookie.len)
		e->cookie = answer->cookie;
	else if (answer->refused && !e->cookie.len)
		e->form =
			answer->asked_exp || e->form == FORM_BOTH ? FORM_BOTH : FORM_EXP;
	if (answer->lost)
		count_lost(e, now_ns);
	else
		e->n_lost = 0;
}

void fo_cache_lost(struct fo_cache *fc, const struct addr *dst, uint64_t now_ns)
{
	struct entry *e = find_or_make(fc, dst);

	if (!e)
		return;
	/* Its handshake went well, and will again: it is enough. */
	if (e->n_lost < FO_LOST_MAX)
		e->n_lost = FO_LOST_MAX - 1;
	count_lost(e, now_ns);
}
