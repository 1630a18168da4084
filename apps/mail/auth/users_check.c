/*
 * What may stand in the file of users.
 */
#include <crypt.h>
#include <errno.h>
#include <stdio.h>

#include "apps/mail/auth/users_impl.h"
#include "stack/base/addr.h"
#include "stack/base/check.h"

enum { QUOTE_MAX = 60, LABEL_MAX = 63 };

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* True when every byte is a letter, a digit or one of @others. */
static bool consists_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter_or_digit(s.p[i]) && (!s.p[i] || !strchr(others, s.p[i])))
			return false;
	return true;
}

const char *users_quote(struct str text, char out[static USERS_QUOTE_LEN])
{
	size_t n = text.len < QUOTE_MAX ? text.len : QUOTE_MAX;

	for (size_t i = 0; i < n; i++)
		out[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
	strcpy(out + n, n < text.len ? "..." : "");
	return out;
}

static int refuse(char *error, const char *what, struct str read, const char *allowed)
{
	char quoted[USERS_QUOTE_LEN];

	snprintf(error, USERS_ERROR_LEN, "%s '%s' cannot be; allowed: %s", what,
		 users_quote(read, quoted), allowed);
	return -EINVAL;
}

bool users_is_name(struct str name)
{
	return name.len >= 1 && name.len <= USER_NAME_MAX &&
	       is_letter_or_digit(name.p[0]) && consists_of(name, "._-+@");
}

static bool is_hash(const char *hash)
{
	char password[USERS_CLEAR_MAX + 1];
	size_t len = strlen(hash);
	bool is_clear = users_clear_parse(hash, password);

	explicit_bzero(password, sizeof(password));
	if (is_clear || strcmp(hash, "!") == 0)
		return true;
	return len < USER_HASH_MAX && hash[0] == '$' &&
	       consists_of(str_of(hash), "$./=,-") &&
	       crypt_checksalt(hash) == CRYPT_SALT_OK;
}

/* Dot-string = Atom *("." Atom) (RFC 5321 4.1.2); but no ',', which ends it here. */
static bool is_local(struct str local)
{
	if (local.len > USER_LOCAL_MAX || !consists_of(local, ".!#$%&'*+-/=?^_`{|}~"))
		return false;
	do {
		if (str_cut(local, '.', &local).len == 0)
			return false;
	} while (local.len > 0);
	return true;
}

/* sub-domain = Let-dig [Ldh-str] (RFC 5321 4.1.2), of at most 63 (RFC 1035 2.3.4). */
static bool is_label(struct str label)
{
	return label.len >= 1 && label.len <= LABEL_MAX && consists_of(label, "-") &&
	       label.p[0] != '-' && label.p[label.len - 1] != '-';
}

static bool is_literal(struct str domain)
{
	char text[ADDR_TEXT_LEN];
	struct addr addr;

	if (domain.len < 2 || domain.len > sizeof(text) || domain.p[0] != '[' ||
	    domain.p[domain.len - 1] != ']')
		return false;
	memcpy(text, domain.p + 1, domain.len - 2);
	text[domain.len - 2] = '\0';
	return addr_parse(text, &addr) && addr.family == ADDR_IP4;
}

static bool is_domain(struct str domain)
{
	struct str rest = domain;

	if (is_literal(domain))
		return true;
	if (domain.len == 0 || domain.len > USER_DOMAIN_MAX ||
	    domain.p[domain.len - 1] == '.')
		return false;
	while (rest.len > 0)
		if (!is_label(str_cut(rest, '.', &rest)))
			return false;
	return true;
}

bool users_is_addr(struct str addr)
{
	struct str domain, local = str_cut(addr, '@', &domain);

	/* A trailing dot would leave nothing behind it for str_cut() to show. */
	return local.len > 0 && local.p[local.len - 1] != '.' && is_local(local) &&
	       is_domain(domain);
}

static bool is_scram(const char *text)
{
	struct users_scram scram;

	return users_scram_parse(text, &scram);
}

int users_check(const struct user *user, char error[USERS_ERROR_LEN])
{
	const struct str hidden = STR("..."); /* what is there may be a password */

	if (!users_is_name(str_of(user->name)))
		return refuse(
			error, "name", str_of(user->name),
			"1 to 64 letters, digits and ._-+@, a letter or digit first");
	if (!is_hash(user->hash))
		return refuse(
			error, "hash", hidden,
			"what 'packetboat user' writes, a crypt(5) hash of a method "
			"that is not out of date ($y$, $7$, $2b$, $6$), "
			"{PLAIN.b64} and a password in base64, or ! for none");
	if (user->scram && !is_scram(user->scram))
		return refuse(
			error, "keys", hidden,
			"what 'packetboat user' writes for SCRAM-SHA-256, or nothing");
	if (user->n_addrs < 1 || user->n_addrs > USER_ADDRS_MAX) {
		snprintf(error, USERS_ERROR_LEN,
			 "%zu addresses cannot be; allowed: 1 to %d, with commas between",
			 user->n_addrs, USER_ADDRS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < user->n_addrs; i++)
		if (!users_is_addr(str_of(user->addrs[i])))
			return refuse(error, "address", str_of(user->addrs[i]),
				      "local@domain as RFC 5321 4.1.2 has it, without "
				      "quotes, or local@[192.0.2.1]");
	return 0;
}
