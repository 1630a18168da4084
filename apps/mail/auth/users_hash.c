/*
 * Passwords and their hashes, by crypt(3); or the password itself, where its user has only
 * mechanisms for which that must be known.
 */
#include <crypt.h>
#include <errno.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/auth/users.h"

/* Of nobody's password: what is hashed when there is no user, to take as long. */
#define NOBODY                           \
	"$y$j9T$WkZ5SjQ5Wl5FlqbVYBpEf1$" \
	"0000000000000000000000000000000000000000000"

#define CLEAR "{PLAIN.b64}"

static bool is_password(struct str password)
{
	return password.len > 0 && password.len <= USERS_PASSWORD_MAX &&
	       !memchr(password.p, '\0', password.len);
}

/* RFC 4013: text that SASLprep leaves as it is, so that a mechanism does with the client's
 * what it does with ours. */
static bool is_clear(struct str password)
{
	char copy[USERS_CLEAR_MAX + 1], *prepared = NULL;
	bool ok;

	if (!is_password(password) || password.len > USERS_CLEAR_MAX)
		return false;
	memcpy(copy, password.p, password.len);
	copy[password.len] = '\0';
	ok = gsasl_saslprep(copy, 0, &prepared, NULL) == GSASL_OK &&
	     strcmp(copy, prepared) == 0;
	explicit_bzero(copy, sizeof(copy));
	if (prepared)
		explicit_bzero(prepared, strlen(prepared));
	gsasl_free(prepared);
	return ok;
}

int users_clear(struct str password, char hash[USER_HASH_MAX])
{
	char *text;
	size_t len;

	if (!is_clear(password))
		return -EINVAL;
	if (gsasl_base64_to(password.p, password.len, &text, &len) != GSASL_OK)
		return -ENOMEM;
	snprintf(hash, USER_HASH_MAX, CLEAR "%s", text);
	explicit_bzero(text, len);
	gsasl_free(text);
	return 0;
}

bool users_clear_parse(const char *hash, char password[static USERS_CLEAR_MAX + 1])
{
	struct str text = str_of(hash);
	char *bytes = NULL;
	size_t len = 0;
	bool ok;

	if (!str_starts_nocase(text, STR(CLEAR)))
		return false;
	text.p += sizeof(CLEAR) - 1;
	text.len -= sizeof(CLEAR) - 1;
	ok = gsasl_base64_from(text.p, text.len, &bytes, &len) == GSASL_OK &&
	     is_clear((struct str){ bytes, len });
	if (ok) {
		memcpy(password, bytes, len);
		password[len] = '\0';
	}
	if (bytes)
		explicit_bzero(bytes, len);
	gsasl_free(bytes);
	return ok;
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
static bool same_text(struct str a, struct str b)
{
	unsigned differ = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differ |= (unsigned char)(a.p[i] ^ b.p[i]);
	return differ == 0;
}

static bool is_clear_of(const char *hash, struct str password)
{
	char kept[USERS_CLEAR_MAX + 1];
	bool ok = hash && users_clear_parse(hash, kept);

	if (!ok)
		return false;
	ok = same_text(str_of(kept), password);
	explicit_bzero(kept, sizeof(kept));
	return ok;
}

bool users_verify(const char *hash, struct str password)
{
	bool real = hash && hash[0] == '$' && is_password(password);
	bool is_kept = is_clear_of(hash, password);
	char computed[USER_HASH_MAX];

	if (!real)
		password = STR("nobody's");
	if (!hash_with(real ? hash : NOBODY, password, computed))
		return false;
	return is_kept || (real && same_text(str_of(hash), str_of(computed)));
}
