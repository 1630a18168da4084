#include "tests/lib/login_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/lib/tls.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "stack/base/check.h"

enum { PATH_LEN = 64, PASSWORD_LEN = 64 };

struct tls *login_test_tls(void)
{
	char dir[PATH_LEN] = "/tmp/login_test.XXXXXX", error[TLS_ERROR_LEN];
	char cert[PATH_LEN + 8], key[PATH_LEN + 8];
	struct tls *tls;

	ASSERT(mkdtemp(dir));
	snprintf(cert, sizeof(cert), "%s/cert", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	ASSERT(tls_self_signed("mx.b.example", 2, cert, key, error) == 0);
	ASSERT(tls_server_new(cert, key, &tls, error) == 0);
	unlink(cert);
	unlink(key);
	rmdir(dir);
	return tls;
}

static bool is_user(struct str name)
{
	return str_eq(name, STR("alice")) || str_eq(name, STR("bob"));
}

_Static_assert((int)PASSWORD_LEN <= (int)USERS_CLEAR_MAX, "it fits");

static struct str password_of(struct str name, char out[static PASSWORD_LEN])
{
	snprintf(out, PASSWORD_LEN, "secret %.*s", (int)name.len, name.p);
	return str_of(out);
}

static bool keys(void *arg, struct str name, struct users_scram *keys)
{
	char password[PASSWORD_LEN], text[USERS_SCRAM_MAX];

	(void)arg;
	return is_user(name) && users_scram(password_of(name, password), text) == 0 &&
	       users_scram_parse(text, keys);
}

static bool password(void *arg, struct str name, char out[static USERS_CLEAR_MAX + 1])
{
	(void)arg;
	password_of(name, out);
	return is_user(name);
}

static bool told(void *arg, const char *client, struct str name, bool is_right)
{
	(void)arg;
	(void)client;
	(void)name;
	(void)is_right;
	return true;
}

struct sasl *login_test_sasl(void)
{
	static const uint8_t seed[SASL_SEED_LEN] = "a seed";
	static const struct sasl_ops ops = { keys, password, told };
	struct sasl *sasl;

	ASSERT(sasl_new(seed, &ops, NULL, &sasl) == 0);
	return sasl;
}

void login_test_verify(struct verify_job *job)
{
	char password[PASSWORD_LEN];

	job->verdict = is_user(job->name) && str_eq(job->password,
						    password_of(job->name, password)) ?
			       VERIFY_RIGHT :
			       VERIFY_WRONG;
}
