#include <errno.h>

#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/sasl_client.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool keys(void *arg, struct str name, struct users_scram *keys)
{
	(void)arg;
	return str_eq(name, STR("alice")) &&
	       users_scram_parse("SCRAM-SHA-256$4096$c2FsdA==$"
				 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=$"
				 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
				 keys);
}

/* Of alice: what no digest in these words is made with. */
static bool password(void *arg, struct str name, char out[static USERS_CLEAR_MAX + 1])
{
	(void)arg;
	strcpy(out, "MTxmxC4Txv7wFf");
	return str_eq(name, STR("alice"));
}

/* Nobody knows a password that has these keys. */
static bool told(void *arg, const char *client, struct str name, bool is_right)
{
	(void)arg;
	(void)client;
	(void)name;
	ASSERT(!is_right);
	return true;
}

/* The first line is the mechanism, each other one a word of the client. */
static void serve(struct sasl *sasl, struct str text)
{
	enum sasl_result result = SASL_MORE;
	struct sasl_talk *talk;
	struct str mech = str_cut(text, '\n', &text), line;

	if (sasl_talk_new(sasl, mech, SASL_SHOWN | SASL_CRAM_MD5, "192.0.2.9", &talk) < 0)
		return;
	line = str_cut(text, '\n', &text);
	result = sasl_begin(talk, line.len > 0 ? &line : NULL);
	while (result == SASL_MORE && text.len > 0) {
		ASSERT(strlen(sasl_out(talk)) <= SASL_LINE_MAX);
		result = sasl_step(talk, str_cut(text, '\n', &text));
	}
	ASSERT(result != SASL_RIGHT);
	ASSERT(result != SASL_PASSWORD || sasl_name(talk).len <= SASL_LINE_MAX);
	sasl_talk_free(talk);
}

/* ... and what a client makes of these words. */
static void ask(struct str text)
{
	struct sasl_client *c;
	struct str answer;

	if (sasl_client_new(str_cut(text, '\n', &text), true, "alice", "secret", &c) < 0)
		return;
	while (text.len > 0 &&
	       sasl_client_step(c, str_cut(text, '\n', &text), &answer) == 0)
		ASSERT(answer.len <= SASL_CLIENT_LINE_MAX);
	sasl_client_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct sasl_ops ops = { keys, password, told };
	static const uint8_t seed[SASL_SEED_LEN] = "seed";
	struct str text = { (const char *)bytes, len };
	struct sasl *sasl;

	if (len == 0)
		return 0;
	ASSERT(sasl_new(seed, &ops, NULL, &sasl) == 0);
	serve(sasl, text);
	sasl_free(sasl);
	ask(text);
	return 0;
}
