/*
 * Passwords and their hashes, by crypt(3).
 */
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/auth/users.h"

/* Of nobody's password: what is hashed when there is no user, to take as long. */
#define NOBODY                           \
	"$y$j9T$WkZ5SjQ5Wl5FlqbVYBpEf1$" \
	"0000000000000000000000000000000000000000000"

static bool is_password(struct str password)
{
	return password.len > 0 && password.len <= USERS_PASSWORD_MAX &&
	       !memchr(password.p, '\0', password.len);
}

/* @setting: a hash, or the beginning of one. */
static bool hash_with(const char *setting, struct str password, char hash[USER_HASH_MAX])
{
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
	char text[USERS_PASSWORD_MAX + 1];
	const char *out;
	bool ok;

	if (!data)
		return false;
	memcpy(text, password.p, password.len);
	text[password.len] = '\0';
	out = crypt_r(text, setting, data);
	ok = out && out[0] != '*' && strlen(out) < USER_HASH_MAX;
	if (ok)
		strcpy(hash, out);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(data, sizeof(*data));
	free(data);
	return ok;
}

int users_hash(struct str password, char hash[USER_HASH_MAX])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!is_password(password))
		return -EINVAL;
	/* Random bytes from the kernel, and the method's own default cost. */
	if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)))
		return -errno;
	return hash_with(setting, password, hash) ? 0 : -ENOMEM;
}

/* In a time that tells nothing of where they differ. */
static bool same_text(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned differ = 0;

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

bool users_verify(const char *hash, struct str password)
{
	bool real = hash && hash[0] == '$' && is_password(password);
	char computed[USER_HASH_MAX];

	if (!real)
		password = STR("nobody's");
	if (!hash_with(real ? hash : NOBODY, password, computed))
		return false;
	return real && same_text(hash, computed);
}
