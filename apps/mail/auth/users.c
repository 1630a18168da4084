/*
 * Users in memory: the entries in the order of the file, and three indexes with
 * numbers, so that reading a name or an address touches what it finds and no more.
 */
#include "apps/mail/auth/users.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/auth/users_impl.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"

/* Who adds to the table may write the file anyway: no secret is needed. */
static const struct hash_key hash_key = { { 0x7573657273, 0x61646472 } };

static uint32_t hash_of(struct str s)
{
	return (uint32_t)hash_siphash13(&hash_key, s.p, s.len);
}

static struct str domain_of(const char *addr)
{
	return str_of(strchr(addr, '@') + 1);
}

static const char *addr_at(const struct users *users, uint32_t id)
{
	const struct users_addr *a = &users->addrs[id];

	return users->entries[a->user].user.addrs[a->addr];
}

static bool eq_name(const void *ctx, uint32_t id, const void *key)
{
	const struct users *users = ctx;

	return str_eq(str_of(users->entries[id].user.name), *(const struct str *)key);
}

static bool eq_addr(const void *ctx, uint32_t id, const void *key)
{
	return str_eq_nocase(str_of(addr_at(ctx, id)), *(const struct str *)key);
}

static bool eq_domain(const void *ctx, uint32_t id, const void *key)
{
	return str_eq_nocase(domain_of(addr_at(ctx, id)), *(const struct str *)key);
}

static int index_init(struct users *users)
{
	if (map_init(&users->by_name, 16) < 0)
		return -ENOMEM;
	if (map_init(&users->by_addr, 16) < 0) {
		map_fini(&users->by_name);
		return -ENOMEM;
	}
	if (map_init(&users->by_domain, 16) < 0) {
		map_fini(&users->by_addr);
		map_fini(&users->by_name);
		return -ENOMEM;
	}
	return 0;
}

static void index_fini(struct users *users)
{
	map_fini(&users->by_domain);
	map_fini(&users->by_addr);
	map_fini(&users->by_name);
}

struct users *users_new(void)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users && index_init(users) < 0) {
		free(users);
		return NULL;
	}
	return users;
}

static void user_fini(struct user *user)
{
	for (size_t i = 0; i < user->n_addrs; i++)
		free(user->addrs[i]);
	free(user->addrs);
	free(user->name);
	free(user->hash);
	free(user->scram);
}

static void entry_fini(struct users_entry *entry)
{
	user_fini(&entry->user);
	free(entry->comment);
}

void users_free(struct users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->n; i++)
		entry_fini(&users->entries[i]);
	index_fini(users);
	free(users->entries);
	free(users->addrs);
	free(users->tail);
	free(users);
}

size_t users_count(const struct users *users)
{
	return users->n;
}

const struct user *users_at(const struct users *users, size_t i)
{
	return &users->entries[i].user;
}

static uint32_t find_name(const struct users *users, struct str name)
{
	return map_find(&users->by_name, hash_of(name), eq_name, users, &name);
}

const struct user *users_by_name(const struct users *users, struct str name)
{
	uint32_t id = find_name(users, name);

	return id == MAP_NONE ? NULL : &users->entries[id].user;
}

const struct user *users_by_addr(const struct users *users, struct str addr)
{
	uint32_t id = map_find(&users->by_addr, str_hash_nocase(&hash_key, addr), eq_addr,
			       users, &addr);

	return id == MAP_NONE ? NULL : &users->entries[users->addrs[id].user].user;
}

static bool has_domain(const struct users *users, struct str domain)
{
	return map_find(&users->by_domain, str_hash_nocase(&hash_key, domain), eq_domain,
			users, &domain) != MAP_NONE;
}

bool users_has_domain(const struct users *users, struct str domain)
{
	return has_domain(users, domain);
}

/* Enters the addresses of entry @id. */
static int index_addrs(struct users *users, uint32_t id)
{
	const struct user *user = &users->entries[id].user;

	for (uint32_t i = 0; i < user->n_addrs; i++) {
		struct str addr = str_of(user->addrs[i]), domain = domain_of(addr.p);
		uint32_t number = (uint32_t)users->n_addrs;

		users->addrs[users->n_addrs++] = (struct users_addr){ id, i };
		if (map_add(&users->by_addr, str_hash_nocase(&hash_key, addr), number) <
		    0)
			return -ENOMEM;
		if (!has_domain(users, domain) &&
		    map_add(&users->by_domain, str_hash_nocase(&hash_key, domain),
			    number) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int index_entry(struct users *users, uint32_t id)
{
	struct str name = str_of(users->entries[id].user.name);

	if (map_add(&users->by_name, hash_of(name), id) < 0)
		return -ENOMEM;
	return index_addrs(users, id);
}

/* Builds all indexes anew. */
static int reindex(struct users *users)
{
	index_fini(users);
	users->n_addrs = 0;
	if (index_init(users) < 0) {
		/* An empty table that can be freed. */
		users->by_name = users->by_addr = users->by_domain = (struct map){ 0 };
		return -ENOMEM;
	}
	for (uint32_t id = 0; id < users->n; id++)
		if (index_entry(users, id) < 0)
			return -ENOMEM;
	return 0;
}

static int make_room(struct users *users, size_t n_addrs)
{
	if (users->n == users->room) {
		size_t room = users->room ? users->room * 2 : 16;
		void *bigger = realloc(users->entries, room * sizeof(*users->entries));

		if (!bigger)
			return -ENOMEM;
		users->entries = bigger;
		users->room = room;
	}
	if (users->n_addrs + n_addrs > users->addrs_room) {
		size_t room = (users->n_addrs + n_addrs) * 2;
		void *bigger = realloc(users->addrs, room * sizeof(*users->addrs));

		if (!bigger)
			return -ENOMEM;
		users->addrs = bigger;
		users->addrs_room = room;
	}
	return 0;
}

static int user_copy(const struct user *from, struct user *to)
{
	*to = (struct user){
		.name = strdup(from->name),
		.hash = strdup(from->hash),
		.scram = from->scram ? strdup(from->scram) : NULL,
		.addrs = calloc(from->n_addrs, sizeof(*to->addrs)),
	};
	if (!to->name || !to->hash || !to->addrs || (from->scram && !to->scram))
		return -ENOMEM;
	for (to->n_addrs = 0; to->n_addrs < from->n_addrs; to->n_addrs++) {
		to->addrs[to->n_addrs] = strdup(from->addrs[to->n_addrs]);
		if (!to->addrs[to->n_addrs])
			return -ENOMEM;
	}
	return 0;
}

/* Name and addresses are nobody's yet, and no address stands twice. */
static int check_new(const struct users *users, const struct user *user, char *error)
{
	char quoted[USERS_QUOTE_LEN];

	if (users_by_name(users, str_of(user->name))) {
		snprintf(error, USERS_ERROR_LEN,
			 "name '%s' is there already; allowed: each name once",
			 user->name);
		return -EEXIST;
	}
	for (size_t i = 0; i < user->n_addrs; i++) {
		struct str addr = str_of(user->addrs[i]);
		const struct user *other = users_by_addr(users, addr);

		for (size_t j = 0; j < i && !other; j++)
			if (str_eq_nocase(addr, str_of(user->addrs[j])))
				other = user;
		if (!other)
			continue;
		snprintf(error, USERS_ERROR_LEN,
			 "address '%s' is %s's already; allowed: each address once",
			 users_quote(addr, quoted), other->name);
		return -EEXIST;
	}
	return 0;
}

int users_add(struct users *users, const struct user *user, char error[USERS_ERROR_LEN])
{
	struct users_entry *entry;
	int r = users_check(user, error);

	if (r == 0)
		r = check_new(users, user, error);
	if (r < 0)
		return r;
	if (users->n >= USERS_MAX) {
		snprintf(error, USERS_ERROR_LEN, "too many users; allowed: %d",
			 USERS_MAX);
		return -ENOSPC;
	}
	snprintf(error, USERS_ERROR_LEN, "no memory");
	if (make_room(users, user->n_addrs) < 0)
		return -ENOMEM;
	entry = &users->entries[users->n];
	entry->comment = NULL;
	if (user_copy(user, &entry->user) < 0) {
		entry_fini(entry);
		return -ENOMEM;
	}
	users->n++;
	if (index_entry(users, (uint32_t)users->n - 1) < 0) {
		entry_fini(&users->entries[--users->n]);
		reindex(users);
		return -ENOMEM;
	}
	error[0] = '\0';
	return 0;
}

int users_remove(struct users *users, struct str name)
{
	uint32_t id = find_name(users, name);

	if (id == MAP_NONE)
		return -ENOENT;
	entry_fini(&users->entries[id]);
	users->n--;
	memmove(&users->entries[id], &users->entries[id + 1],
		(users->n - id) * sizeof(*users->entries));
	return reindex(users);
}

int users_set_hash(struct users *users, struct str name, const char *hash,
		   const char *scram)
{
	uint32_t id = find_name(users, name);
	char error[USERS_ERROR_LEN];
	struct user changed, *user;
	int r = 0;

	if (id == MAP_NONE)
		return -ENOENT;
	user = &users->entries[id].user;
	changed = *user;
	changed.hash = strdup(hash);
	changed.scram = scram ? strdup(scram) : NULL;
	if (!changed.hash || (scram && !changed.scram))
		r = -ENOMEM;
	else if (users_check(&changed, error) < 0)
		r = -EINVAL;
	if (r < 0) {
		free(changed.hash);
		free(changed.scram);
		return r;
	}
	free(user->hash);
	free(user->scram);
	*user = changed;
	return 0;
}
