/*
 * The file of aliases: what is read finds itself, and every walk ends within its limits.
 */
#include <stdint.h>
#include <stdlib.h>

#include "apps/mail/auth/users.h"
#include "apps/mail/deliver/aliases.h"
#include "apps/mail/deliver/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char users_text[] = "alice:!:alice@b.example\nbob:!:bob@b.example\n";

static void check(const struct aliases *a, const struct users *users,
		  const struct alias *alias)
{
	struct str domain;
	struct expand *e = malloc(sizeof(*e));
	enum expand_result result;

	str_cut(alias->addr, '@', &domain);
	if (!e || aliases_find(a, alias->addr) != alias ||
	    !aliases_has_domain(a, domain) || alias->n_targets == 0 ||
	    alias->n_targets > ALIASES_TARGETS_MAX)
		abort();
	result = expand_walk(e, a, users, alias->addr);
	if ((result == EXPAND_FOUND) != (e->n_to > 0 && result != EXPAND_TOO_FAR) ||
	    result == EXPAND_ELSEWHERE)
		abort();
	for (size_t i = 0; i < e->n_to; i++)
		if (e->to[i].user.len == 0 && !users_is_addr(e->to[i].addr))
			abort();
	free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	char error[ALIASES_ERROR_LEN] = "", users_error[USERS_ERROR_LEN];
	struct users *users;
	struct aliases *a;

	if (aliases_parse("aliases", text, &a, error) < 0) {
		if (!error[0])
			abort();
		return 0;
	}
	if (users_parse("users", str_of(users_text), &users, users_error) < 0)
		abort();
	for (size_t i = 0; i < aliases_count(a); i++)
		check(a, users, aliases_at(a, i));
	users_free(users);
	aliases_free(a);
	return 0;
}
