/*
 * What SCRAM-SHA-256 (RFC 7677, RFC 5802 5.1) needs to know of a password:
 *
 *	SCRAM-SHA-256$16384$salt$StoredKey$ServerKey		all three in base64
 *
 * With that a server recognizes who knows the password, and is recognized; it can
 * neither say what the password is, nor say that it knows it elsewhere.
 */
#include <errno.h>
#include <gsasl.h>
#include <stdlib.h>
#include <sys/random.h>

#include "apps/mail/auth/users_impl.h"
#include "stack/base/check.h"

enum { SALT_LEN = 16, KEY_LEN = 32 };

#define METHOD "SCRAM-SHA-256"

static bool is_base64(struct str text)
{
	char *bytes = NULL;
	size_t len;
	bool ok = gsasl_base64_from(text.p, text.len, &bytes, &len) == GSASL_OK;

	gsasl_free(bytes);
	return ok;
}

/* One base64 part of it; true when it fits @out. */
static bool take(struct str *rest, char *out, size_t room, size_t least)
{
	struct str part = str_cut(*rest, '$', rest);

	if (part.len < least || part.len >= room || !is_base64(part))
		return false;
	memcpy(out, part.p, part.len);
	out[part.len] = '\0';
	return true;
}

bool users_scram_parse(const char *text, struct users_scram *scram)
{
	struct str rest, method = str_cut(str_of(text), '$', &rest);
	struct str iterations = str_cut(rest, '$', &rest);
	struct users_scram s = { 0 };
	uint64_t n;

	if (!str_eq(method, STR(METHOD)) || !str_to_u64(iterations, &n) ||
	    n < USERS_SCRAM_ITERATIONS_MIN || n > USERS_SCRAM_ITERATIONS_MAX)
		return false;
	s.iterations = (uint32_t)n;
	if (!take(&rest, s.salt, sizeof(s.salt), 1) ||
	    !take(&rest, s.stored_key, sizeof(s.stored_key), USERS_SCRAM_KEY_LEN) ||
	    !take(&rest, s.server_key, sizeof(s.server_key), USERS_SCRAM_KEY_LEN) ||
	    rest.len > 0)
		return false;
	*scram = s;
	return true;
}

/* In base64, into @out, which has room for USERS_SCRAM_KEY_LEN octets and a NUL. */
static bool put(const char *bytes, size_t len, char *out)
{
	size_t text_len;
	char *text;

	if (gsasl_base64_to(bytes, len, &text, &text_len) != GSASL_OK)
		return false;
	ASSERT(text_len <= USERS_SCRAM_KEY_LEN);
	memcpy(out, text, text_len + 1);
	gsasl_free(text);
	return true;
}

/* @password is what SASLprep made of it. */
static int make(const char *password, char scram[USERS_SCRAM_MAX])
{
	char salted[KEY_LEN], client_key[KEY_LEN], server_key[KEY_LEN],
		stored_key[KEY_LEN];
	struct users_scram s;
	char salt[SALT_LEN];
	bool ok;

	if (getrandom(salt, SALT_LEN, 0) != SALT_LEN)
		return -EIO;
	ok = gsasl_scram_secrets_from_password(
		     GSASL_HASH_SHA256, password, USERS_SCRAM_ITERATIONS, salt, SALT_LEN,
		     salted, client_key, server_key, stored_key) == GSASL_OK &&
	     put(salt, SALT_LEN, s.salt) && put(stored_key, KEY_LEN, s.stored_key) &&
	     put(server_key, KEY_LEN, s.server_key);
	explicit_bzero(salted, KEY_LEN);
	explicit_bzero(client_key, KEY_LEN);
	if (!ok)
		return -ENOMEM;
	snprintf(scram, USERS_SCRAM_MAX, METHOD "$%d$%s$%s$%s", USERS_SCRAM_ITERATIONS,
		 s.salt, s.stored_key, s.server_key);
	return 0;
}

int users_scram(struct str password, char scram[USERS_SCRAM_MAX])
{
	char *copy, *prepared = NULL;
	int r = -EINVAL;

	if (password.len == 0 || memchr(password.p, '\0', password.len))
		return -EINVAL;
	copy = str_dup(password);
	if (!copy)
		return -ENOMEM;
	/* RFC 5802 2.2, RFC 4013: both sides must mean the same octets. */
	if (gsasl_saslprep(copy, 0, &prepared, NULL) == GSASL_OK && prepared[0] != '\0')
		r = make(prepared, scram);
	if (prepared)
		explicit_bzero(prepared, strlen(prepared));
	gsasl_free(prepared);
	explicit_bzero(copy, password.len);
	free(copy);
	return r;
}
