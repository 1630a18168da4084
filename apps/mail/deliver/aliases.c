/*
 * The text of the file is kept as one piece, into which everything points; targets of all
 * aliases are one array, of which each has a part.
 */
#include "apps/mail/deliver/aliases.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/file.h"
#include "apps/mail/auth/users.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"
#include "stack/base/map.h"

struct aliases {
	char *text;
	struct alias *entries;
	struct str *targets;
	size_t n, room, n_targets, targets_room;
	struct map by_addr;   /* numbers of entries */
	struct map by_domain; /* the same: the first in that domain */
};

/* What is being read. */
struct reader {
	struct aliases *aliases;
	const char *name;
	size_t line;
	char *error;
};

/* Who adds to the table may write the file anyway: no secret is needed. */
static const struct hash_key hash_key = { { 0x616c6961736573, 0x6d6f766564 } };

static struct str domain_of(struct str addr)
{
	struct str domain;

	str_cut(addr, '@', &domain);
	return domain;
}

static bool eq_addr(const void *ctx, uint32_t id, const void *key)
{
	const struct aliases *a = ctx;

	return str_eq_nocase(a->entries[id].addr, *(const struct str *)key);
}

static bool eq_domain(const void *ctx, uint32_t id, const void *key)
{
	const struct aliases *a = ctx;

	return str_eq_nocase(domain_of(a->entries[id].addr), *(const struct str *)key);
}

struct aliases *aliases_new(void)
{
	struct aliases *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	if (map_init(&a->by_addr, 16) < 0) {
		free(a);
		return NULL;
	}
	if (map_init(&a->by_domain, 16) < 0) {
		map_fini(&a->by_addr);
		free(a);
		return NULL;
	}
	return a;
}

void aliases_free(struct aliases *a)
{
	if (!a)
		return;
	map_fini(&a->by_domain);
	map_fini(&a->by_addr);
	free(a->targets);
	free(a->entries);
	free(a->text);
	free(a);
}

size_t aliases_count(const struct aliases *a)
{
	return a->n;
}

const struct alias *aliases_at(const struct aliases *a, size_t i)
{
	return &a->entries[i];
}

const struct alias *aliases_find(const struct aliases *a, struct str addr)
{
	uint32_t id = map_find(&a->by_addr, str_hash_nocase(&hash_key, addr), eq_addr, a,
			       &addr);

	return id == MAP_NONE ? NULL : &a->entries[id];
}

bool aliases_has_domain(const struct aliases *a, struct str domain)
{
	return map_find(&a->by_domain, str_hash_nocase(&hash_key, domain), eq_domain, a,
			&domain) != MAP_NONE;
}

static int fail(const struct reader *rd, int r, const char *what)
{
	int n = snprintf(rd->error, ALIASES_ERROR_LEN, "%s:%zu: %s", rd->name, rd->line,
			 what);

	if (n >= ALIASES_ERROR_LEN) /* the name is very long: then the reason counts */
		snprintf(rd->error, ALIASES_ERROR_LEN, "line %zu: %.*s", rd->line,
			 ALIASES_ERROR_LEN - 32, what);
	return r;
}

static int refuse(const struct reader *rd, const char *what, struct str read,
		  const char *allowed)
{
	char quoted[USERS_QUOTE_LEN], text[ALIASES_ERROR_LEN / 2];

	snprintf(text, sizeof(text), "%s '%s' cannot be; allowed: %s", what,
		 users_quote(read, quoted), allowed);
	return fail(rd, -EINVAL, text);
}

#define AN_ADDR "local@domain as RFC 5321 4.1.2 has it, without quotes"

static int check_addr(const struct reader *rd, const char *what, struct str addr)
{
	return users_is_addr(addr) ? 0 : refuse(rd, what, addr, AN_ADDR);
}

/* Takes the first word off @in, and the blanks behind it. */
static struct str word(struct str *in)
{
	struct str trimmed = str_trim(*in);
	size_t n = 0;

	while (n < trimmed.len && trimmed.p[n] != ' ' && trimmed.p[n] != '\t')
		n++;
	*in = str_trim((struct str){ trimmed.p + n, trimmed.len - n });
	return (struct str){ trimmed.p, n };
}

/* "dev@b.example owner alice@b.example" */
static int read_list(const struct reader *rd, struct str head, struct alias *alias)
{
	struct str keyword;
	int r;

	alias->kind = ALIAS_LIST;
	alias->addr = word(&head);
	keyword = word(&head);
	alias->owner = head;
	if (!str_eq(keyword, STR("owner")))
		return refuse(rd, "list", alias->addr,
			      "list ADDRESS owner ADDRESS: members");
	r = check_addr(rd, "owner", alias->owner);
	/* What could not be delivered would go to everybody. */
	if (r == 0 && str_eq_nocase(alias->owner, alias->addr))
		r = refuse(rd, "owner", alias->owner, "another address than the list's");
	return r;
}

/* "smith@b.example 251" */
static int read_moved(const struct reader *rd, struct str head, struct alias *alias)
{
	alias->addr = word(&head);
	if (str_eq(head, STR("251")))
		alias->kind = ALIAS_MOVED_ON;
	else if (str_eq(head, STR("551")))
		alias->kind = ALIAS_MOVED_AWAY;
	else
		return refuse(rd, "moved", head, "moved ADDRESS 251 or 551: new address");
	return 0;
}

/* What stands before the colon. */
static int read_head(const struct reader *rd, struct str head, struct alias *alias)
{
	struct str rest = head, first = word(&rest);
	int r = 0;

	*alias = (struct alias){ .kind = ALIAS_PLAIN, .addr = head };
	if (str_eq(first, STR("list")))
		r = read_list(rd, rest, alias);
	else if (str_eq(first, STR("moved")))
		r = read_moved(rd, rest, alias);
	if (r == 0)
		r = check_addr(rd, "address", alias->addr);
	if (r == 0 && aliases_find(rd->aliases, alias->addr))
		r = refuse(rd, "address", alias->addr, "each address once");
	return r;
}

/* @p: an array with room for *room things of @size.  0 or -ENOMEM. */
static int make_room(void **p, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *bigger;

	if (n < *room)
		return 0;
	bigger = realloc(*p, more * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*room = more;
	return 0;
}

static int add_target(const struct reader *rd, struct str target)
{
	struct aliases *a = rd->aliases;
	struct alias *alias = &a->entries[a->n - 1];
	bool is_moved = alias->kind == ALIAS_MOVED_ON || alias->kind == ALIAS_MOVED_AWAY;

	if (is_moved && (alias->n_targets > 0 || !users_is_addr(target)))
		return refuse(rd, "new address", target, "one address");
	if (!users_is_addr(target) &&
	    (!users_is_name(target) || memchr(target.p, '@', target.len)))
		return refuse(rd, "target", target,
			      "the name of a user, or an address; with commas between");
	if (str_eq_nocase(target, alias->addr))
		return refuse(rd, "target", target,
			      "another address, or the user's name for the mailbox");
	if (alias->n_targets == ALIASES_TARGETS_MAX)
		return fail(rd, -EINVAL, "more than 1000 targets; allowed: 1 to 1000");
	if (make_room((void **)&a->targets, a->n_targets, &a->targets_room,
		      sizeof(*a->targets)) < 0)
		return fail(rd, -ENOMEM, "no memory");
	a->targets[a->n_targets++] = target;
	alias->n_targets++;
	return 0;
}

_Static_assert(ALIASES_TARGETS_MAX == 1000, "the message says so");

/* The last one of a line may be followed by a comma. */
static int add_targets(const struct reader *rd, struct str list)
{
	int r = 0;

	list = str_trim(list);
	while (r == 0 && list.len > 0)
		r = add_target(rd, str_trim(str_cut(list, ',', &list)));
	return r;
}

static int add_entry(const struct reader *rd, const struct alias *alias)
{
	struct aliases *a = rd->aliases;
	struct str domain = domain_of(alias->addr);
	uint32_t id = (uint32_t)a->n;

	if (a->n == ALIASES_MAX)
		return fail(rd, -ENOSPC, "more than 1000000 addresses");
	if (make_room((void **)&a->entries, a->n, &a->room, sizeof(*a->entries)) < 0)
		return fail(rd, -ENOMEM, "no memory");
	a->entries[a->n++] = *alias;
	if (map_add(&a->by_addr, str_hash_nocase(&hash_key, alias->addr), id) < 0 ||
	    (!aliases_has_domain(a, domain) &&
	     map_add(&a->by_domain, str_hash_nocase(&hash_key, domain), id) < 0))
		return fail(rd, -ENOMEM, "no memory");
	return 0;
}

_Static_assert(ALIASES_MAX == 1000000, "the message says so");

/* No other line comes to the alias read last. */
static int end_entry(const struct reader *rd)
{
	const struct aliases *a = rd->aliases;

	if (a->n > 0 && a->entries[a->n - 1].n_targets == 0)
		return refuse(rd, "nothing", STR(""),
			      "behind the colon of the address above, who gets its mail");
	return 0;
}

static int read_line(const struct reader *rd, struct str line)
{
	struct str head, targets, text = str_trim(line);
	struct alias alias;
	int r;

	if (text.len == 0 || text.p[0] == '#')
		return 0;
	if (line.p[0] == ' ' || line.p[0] == '\t') {
		if (rd->aliases->n == 0)
			return fail(rd, -EINVAL,
				    "it goes on with nothing; allowed: no blank first");
		return add_targets(rd, text);
	}
	r = end_entry(rd);
	if (r < 0)
		return r;
	head = str_cut(text, ':', &targets);
	if (head.len == text.len)
		return fail(rd, -EINVAL, "no colon in it; allowed: address: targets");
	r = read_head(rd, str_trim(head), &alias);
	if (r == 0)
		r = add_entry(rd, &alias);
	return r < 0 ? r : add_targets(rd, targets);
}

static int read_text(struct reader *rd, struct str text)
{
	int r = 0;

	if (text.len > 0 && memchr(text.p, '\0', text.len))
		return fail(rd, -EINVAL, "a NUL byte in it; allowed: lines of text");
	while (r == 0 && text.len > 0) {
		rd->line++;
		r = read_line(rd, str_cut(text, '\n', &text));
	}
	return r < 0 ? r : end_entry(rd);
}

/* The array of targets has its place now. */
static void place_targets(struct aliases *a)
{
	const struct str *at = a->targets;

	for (size_t i = 0; i < a->n; i++) {
		a->entries[i].targets = at;
		at += a->entries[i].n_targets;
	}
}

int aliases_parse(const char *name, struct str text, struct aliases **aliases,
		  char error[ALIASES_ERROR_LEN])
{
	struct reader rd = { .aliases = aliases_new(), .name = name, .error = error };
	int r;

	if (rd.aliases)
		rd.aliases->text = str_dup(text);
	if (!rd.aliases || !rd.aliases->text) {
		aliases_free(rd.aliases);
		return fail(&rd, -ENOMEM, "no memory");
	}
	r = read_text(&rd, (struct str){ rd.aliases->text, text.len });
	if (r < 0) {
		aliases_free(rd.aliases);
		return r;
	}
	place_targets(rd.aliases);
	*aliases = rd.aliases;
	return 0;
}

int aliases_load(const char *path, struct aliases **aliases,
		 char error[ALIASES_ERROR_LEN])
{
	char *bytes = NULL;
	size_t len = 0;
	int r = file_read(path, ALIASES_FILE_MAX, &bytes, &len);

	if (r < 0) {
		snprintf(error, ALIASES_ERROR_LEN, "%s: %s", path,
			 r == -EINVAL ? "not a regular file" : strerror(-r));
		return r;
	}
	r = aliases_parse(path, (struct str){ bytes, len }, aliases, error);
	free(bytes);
	return r;
}
