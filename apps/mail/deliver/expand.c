#include "apps/mail/deliver/expand.h"

#include "apps/mail/auth/users.h"
#include "apps/mail/deliver/aliases.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"

/* The names are those of a file that is ours: no secret is needed. */
static const struct hash_key hash_key = { { 0x657870616e64, 0x77616c6b } };

/* Names of users have their case. */
static bool same(struct str a, struct str b)
{
	return str_eq(a, b) || (str_eq_nocase(a, b) && memchr(a.p, '@', a.len));
}

/* The slot of @name, or the empty one in which it would be. */
static uint16_t *slot_of(struct expand *e, struct str name)
{
	uint32_t i = str_hash_nocase(&hash_key, name) % ARRAY_LEN(e->slots);

	while (e->slots[i] > 0 && !same(e->steps[e->slots[i] - 1].name, name))
		i = (i + 1) % ARRAY_LEN(e->slots);
	return &e->slots[i];
}

/* Will go to @name, unless it did.  False: that is too far. */
static bool go_to(struct expand *e, struct str name, struct str owner, unsigned depth)
{
	uint16_t *slot = slot_of(e, name);

	if (*slot > 0)
		return true;
	if (e->n_steps == EXPAND_MAX || depth > EXPAND_DEPTH)
		return false;
	e->steps[e->n_steps++] = (struct expand_step){ name, owner, depth };
	*slot = (uint16_t)e->n_steps;
	return true;
}

static bool go_through(struct expand *e, const struct alias *alias,
		       const struct expand_step *step)
{
	/* RFC 5321 3.9.2: the list's owner is the sender; of a list in a list, its own. */
	struct str owner = alias->kind == ALIAS_LIST ? alias->owner : step->owner;

	for (size_t i = 0; i < alias->n_targets; i++)
		if (!go_to(e, alias->targets[i], owner, step->depth + 1))
			return false;
	return true;
}

/* A user can be met by name and by each address: the slot of the one of that name, or the
 * empty one. */
static uint16_t *slot_of_user(struct expand *e, struct str user)
{
	uint32_t i = str_hash_nocase(&hash_key, user) % ARRAY_LEN(e->users);

	while (e->users[i] > 0 && !str_eq(e->to[e->users[i] - 1].user, user))
		i = (i + 1) % ARRAY_LEN(e->users);
	return &e->users[i];
}

static void found(struct expand *e, struct str user, struct str addr, struct str owner)
{
	uint16_t *slot = user.len > 0 ? slot_of_user(e, user) : NULL;

	if (slot && *slot > 0)
		return;
	e->to[e->n_to++] = (struct mail_to){ user, addr, owner };
	if (slot)
		*slot = (uint16_t)e->n_to;
}

static struct str domain_of(struct str addr)
{
	const char *at = memrchr(addr.p, '@', addr.len);

	return (struct str){ at + 1, addr.len - (size_t)(at + 1 - addr.p) };
}

/* Neither alias nor address here: a user by name, or elsewhere, or nobody. */
static void look(struct expand *e, const struct aliases *aliases,
		 const struct users *users, const struct expand_step *step)
{
	const struct user *user;
	struct str domain;

	if (!memchr(step->name.p, '@', step->name.len)) {
		user = users_by_name(users, step->name);
		if (user)
			found(e, str_of(user->name), str_of(user->addrs[0]), step->owner);
		return;
	}
	user = users_by_addr(users, step->name);
	if (user) {
		found(e, str_of(user->name), step->name, step->owner);
		return;
	}
	domain = domain_of(step->name);
	if (!users_has_domain(users, domain) && !aliases_has_domain(aliases, domain))
		found(e, (struct str){ "", 0 }, step->name, step->owner);
}

/* The address itself is no alias. */
static enum expand_result direct(struct expand *e, const struct aliases *aliases,
				 const struct users *users)
{
	look(e, aliases, users, &e->steps[0]);
	if (e->n_to == 0)
		return EXPAND_NOBODY;
	return e->to[0].user.len > 0 ? EXPAND_FOUND : EXPAND_ELSEWHERE;
}

enum expand_result expand_walk(struct expand *e, const struct aliases *aliases,
			       const struct users *users, struct str addr)
{
	bool any_end = false;

	memset(e->slots, 0, sizeof(e->slots));
	memset(e->users, 0, sizeof(e->users));
	e->n_steps = e->n_to = 0;
	e->moved_to = (struct str){ "", 0 };
	e->first = aliases_find(aliases, addr);
	go_to(e, addr, (struct str){ "", 0 }, 0);
	if (!e->first)
		return direct(e, aliases, users);
	if (e->first->kind == ALIAS_MOVED_ON || e->first->kind == ALIAS_MOVED_AWAY)
		e->moved_to = e->first->targets[0];
	if (e->first->kind == ALIAS_MOVED_AWAY)
		return EXPAND_AWAY;
	for (size_t i = 0; i < e->n_steps; i++) {
		const struct expand_step *step = &e->steps[i];
		const struct alias *alias = aliases_find(aliases, step->name);

		/* Whoever asks for another address cannot be asked by an alias. */
		if (!alias || alias->kind == ALIAS_MOVED_AWAY) {
			any_end = true;
			if (!alias)
				look(e, aliases, users, step);
		} else if (!go_through(e, alias, step)) {
			return EXPAND_TOO_FAR;
		}
	}
	if (e->n_to > 0)
		return EXPAND_FOUND;
	return any_end ? EXPAND_NOBODY : EXPAND_LOOP;
}
