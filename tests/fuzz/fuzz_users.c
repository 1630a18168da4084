/*
 * The file of users: what is read comes back byte for byte but for a missing last end
 * of line, and every name and address finds its user.
 */
#include <stdint.h>
#include <stdlib.h>

#include "apps/mail/auth/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look_up_all(const struct users *users)
{
	for (size_t i = 0; i < users_count(users); i++) {
		const struct user *user = users_at(users, i);

		if (users_by_name(users, str_of(user->name)) != user)
			abort();
		for (size_t j = 0; j < user->n_addrs; j++) {
			struct str domain, addr = str_of(user->addrs[j]);

			str_cut(addr, '@', &domain);
			if (users_by_addr(users, addr) != user ||
			    !users_has_domain(users, domain))
				abort();
		}
	}
}

static void round_trip(const struct users *users, struct str text)
{
	struct str out;
	char *emitted;
	FILE *to = open_memstream(&emitted, &out.len);

	if (!to || users_emit(users, to) < 0)
		abort();
	fclose(to);
	out.p = emitted;
	/* Comments are kept as they are; only a user's line gets its end. */
	if (out.len > text.len && out.p[out.len - 1] == '\n')
		out.len--;
	if (!str_eq(out, text))
		abort();
	free(emitted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	char error[USERS_ERROR_LEN];
	struct users *users;

	if (users_parse("users", text, &users, error) < 0) {
		if (!error[0])
			abort();
		return 0;
	}
	look_up_all(users);
	round_trip(users, text);
	users_free(users);
	return 0;
}
