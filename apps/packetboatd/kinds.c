#include "apps/packetboatd/kinds.h"

#include "apps/mail/auth/users.h"
#include "apps/mail/deliver/aliases.h"

_Static_assert((int)USERS_ERROR_LEN <= (int)FILEDB_ERROR_LEN, "errors fit");
_Static_assert((int)ALIASES_ERROR_LEN <= (int)FILEDB_ERROR_LEN, "errors fit");

static int load_users(const char *path, void **value, char error[FILEDB_ERROR_LEN])
{
	struct users *users;
	int r = users_load(path, &users, error);

	if (r == 0)
		*value = users;
	return r;
}

static void *no_users(void)
{
	return users_new();
}

static void free_users(void *value)
{
	users_free(value);
}

static size_t count_users(const void *value)
{
	return users_count(value);
}

const struct filedb_kind kind_users = {
	.name = "users",
	.is_needed = true,
	.load = load_users,
	.none = no_users,
	.free = free_users,
	.count = count_users,
};

static int load_aliases(const char *path, void **value, char error[FILEDB_ERROR_LEN])
{
	struct aliases *aliases;
	int r = aliases_load(path, &aliases, error);

	if (r == 0)
		*value = aliases;
	return r;
}

static void *no_aliases(void)
{
	return aliases_new();
}

static void free_aliases(void *value)
{
	aliases_free(value);
}

static size_t count_aliases(const void *value)
{
	return aliases_count(value);
}

const struct filedb_kind kind_aliases = {
	.name = "aliases",
	.load = load_aliases,
	.none = no_aliases,
	.free = free_aliases,
	.count = count_aliases,
};
