#include <criterion/criterion.h>
#include <errno.h>
#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/sasl_client.h"
#include "apps/mail/auth/verify.h"
#include "tests/lib/case.h"

/* 32 octets in base64. */
#define K44 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/*
 * A server that knows alice, whose password is "secret alice", and, from test to test, what
 * it was told of her.
 */
static struct sasl *server;
static struct sasl_talk *talk;
static struct users_scram alice;
static bool is_late;
static char told[256];

static bool keys(void *arg, struct str name, struct users_scram *out)
{
	(void)arg;
	if (!str_eq(name, STR("alice")))
		return false;
	*out = alice;
	return true;
}

static bool password(void *arg, struct str name, char out[static USERS_CLEAR_MAX + 1])
{
	(void)arg;
	strcpy(out, "secret alice");
	return str_eq(name, STR("alice"));
}

static bool tell(void *arg, const char *client, struct str name, bool is_right)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s %.*s %s;", client, (int)name.len,
		 name.p, is_right ? "right" : "wrong");
	return !is_late;
}

static void setup(void)
{
	static const uint8_t seed[SASL_SEED_LEN] = "a seed that nobody else knows..";
	static const struct sasl_ops ops = { keys, password, tell };
	char text[USERS_SCRAM_MAX];

	cr_assert_eq(users_scram(STR("secret alice"), text), 0);
	cr_assert(users_scram_parse(text, &alice), "%s", text);
	cr_assert_eq(sasl_new(seed, &ops, NULL, &server), 0);
}

static void clean(void)
{
	sasl_talk_free(talk);
	sasl_free(server);
}

Cases(sasl, setup, clean);

enum { ALL = SASL_SHOWN | SASL_CRAM_MD5 };

static void begin(const char *mech)
{
	sasl_talk_free(talk);
	talk = NULL;
	cr_assert_eq(sasl_talk_new(server, str_of(mech), ALL, "192.0.2.9", &talk), 0);
}

static const char *b64(const char *bytes, size_t len)
{
	static char *text;
	size_t text_len;

	gsasl_free(text);
	cr_assert_eq(gsasl_base64_to(bytes, len, &text, &text_len), GSASL_OK);
	return text;
}

#define B64(literal) b64(literal, sizeof(literal) - 1)

static enum sasl_result step(const char *line)
{
	return sasl_step(talk, str_of(line));
}

static enum sasl_result first(const char *line)
{
	struct str initial = str_of(line);

	return sasl_begin(talk, &initial);
}

static void is_alice(void)
{
	cr_assert(str_eq(sasl_name(talk), STR("alice")));
	cr_assert(str_eq(sasl_password(talk), STR("secret alice")));
}

Case(sasl, names_stand_behind_their_prefix)
{
	char out[SASL_NAMES_LEN];

	cr_assert_str_eq(sasl_names(SASL_SHOWN, "", out), " SCRAM-SHA-256 PLAIN LOGIN");
	cr_assert_str_eq(sasl_names(0, "AUTH=", out), " AUTH=SCRAM-SHA-256");
	cr_assert_str_eq(sasl_names(SASL_CRAM_MD5, "", out), " SCRAM-SHA-256 CRAM-MD5");
	cr_assert_lt(strlen(sasl_names(ALL, "AUTH=", out)), SASL_NAMES_LEN - 1);
}

Case(sasl, what_shows_the_password_needs_leave)
{
	cr_assert_eq(sasl_talk_new(server, STR("plain"), SASL_CRAM_MD5, "", &talk),
		     -EACCES);
	cr_assert_eq(sasl_talk_new(server, STR("LOGIN"), SASL_CRAM_MD5, "", &talk),
		     -EACCES);
	cr_assert_eq(sasl_talk_new(server, STR("CRAM-MD5"), SASL_SHOWN, "", &talk),
		     -EOPNOTSUPP);
	cr_assert_null(talk);
	cr_assert_eq(sasl_talk_new(server, STR("scram-sha-256"), 0, "", &talk), 0);
}

Case(sasl, plain_comes_with_the_name_or_behind_it)
{
	begin("PLAIN");
	cr_assert_eq(first(B64("\0alice\0secret alice")), SASL_PASSWORD);
	is_alice();
	begin("plain");
	cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
	cr_assert_str_eq(sasl_out(talk), "");
	cr_assert_eq(step(B64("alice\0alice\0secret alice")), SASL_PASSWORD);
	is_alice();
	cr_assert_str_eq(told, "");
}

Case(sasl, nobody_is_somebody_else)
{
	begin("PLAIN");
	cr_assert_eq(first(B64("bob\0alice\0secret alice")), SASL_OTHER);
}

Case(sasl, login_asks_twice)
{
	begin("LOGIN");
	cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
	cr_assert_str_eq(sasl_out(talk), "VXNlciBOYW1l"); /* User Name */
	cr_assert_eq(step(B64("alice")), SASL_MORE);
	cr_assert_str_eq(sasl_out(talk), "UGFzc3dvcmQ="); /* Password */
	cr_assert_eq(step(B64("secret alice")), SASL_PASSWORD);
	is_alice();
}

Case(sasl, login_asks_once_when_the_name_is_there)
{
	begin("LOGIN");
	cr_assert_eq(first(B64("alice")), SASL_MORE);
	cr_assert_str_eq(sasl_out(talk), "UGFzc3dvcmQ=");
	cr_assert_eq(step(B64("secret alice")), SASL_PASSWORD);
	is_alice();
}

Case(sasl, what_is_no_base64_or_no_word_of_the_mechanism_is_bad)
{
	static const char *const mechs[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256" };
	char big[SASL_LINE_MAX + 5];

	memset(big, 'A', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (size_t i = 0; i < 3; i++) {
		begin(mechs[i]);
		cr_assert_eq(first("!"), SASL_BAD, "%s", mechs[i]);
		begin(mechs[i]);
		cr_assert_eq(first("YQ"), SASL_BAD, "%s", mechs[i]);
		begin(mechs[i]);
		cr_assert_eq(first(B64("a\0b\0c\0d")), SASL_BAD, "%s", mechs[i]);
		begin(mechs[i]);
		cr_assert_eq(first(big), SASL_BAD, "%s", mechs[i]);
		begin(mechs[i]);
		cr_assert_eq(step("*"), SASL_CANCELLED);
	}
	begin("PLAIN");
	cr_assert_eq(first(B64("alice")), SASL_BAD);
	begin("SCRAM-SHA-256");
	cr_assert_eq(first(B64("n,,n=alice")), SASL_BAD);
	cr_assert_str_eq(told, "");
}

/* Client and server to the end, the first word with the name or not. */
static enum sasl_result converse(const char *user, const char *password, bool initial)
{
	struct sasl_client *client;
	enum sasl_result result;
	struct str answer;

	begin("SCRAM-SHA-256");
	cr_assert_eq(sasl_client_new(STR("LOGIN PLAIN SCRAM-SHA-256"), true, user,
				     password, &client),
		     0);
	cr_assert_str_eq(sasl_client_mech(client), "SCRAM-SHA-256");
	if (!initial) {
		cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
		cr_assert_str_eq(sasl_out(talk), "");
	}
	cr_assert_eq(sasl_client_step(client, STR(""), &answer), 0);
	result = initial ? sasl_begin(talk, &answer) : sasl_step(talk, answer);
	while (result == SASL_MORE) {
		cr_assert(!sasl_client_done(client));
		cr_assert_eq(sasl_client_step(client, str_of(sasl_out(talk)), &answer),
			     0);
		result = sasl_step(talk, answer);
	}
	cr_assert_eq(sasl_client_done(client), result == SASL_RIGHT);
	sasl_client_free(client);
	return result;
}

Case(sasl, scram_shows_both_that_the_other_knows)
{
	cr_assert_eq(converse("alice", "secret alice", true), SASL_RIGHT);
	cr_assert(str_eq(sasl_name(talk), STR("alice")));
	cr_assert_eq(converse("alice", "secret alice", false), SASL_RIGHT);
	cr_assert_str_eq(told, "192.0.2.9 alice right;192.0.2.9 alice right;");
}

Case(sasl, scram_is_wrong_for_who_does_not_know_and_who_is_not)
{
	cr_assert_eq(converse("alice", "secret bob", true), SASL_WRONG);
	cr_assert_eq(converse("nobody", "secret alice", true), SASL_WRONG);
	cr_assert_str_eq(told, "192.0.2.9 alice wrong;192.0.2.9 nobody wrong;");
}

Case(sasl, scram_does_not_say_who_was_wrong_too_often)
{
	is_late = true;
	cr_assert_eq(converse("alice", "secret alice", true), SASL_LATE);
	cr_assert_str_eq(sasl_out(talk), "");
	cr_assert_eq(converse("alice", "secret bob", true), SASL_LATE);
}

/* The server's first word: salt and count, without the nonce. */
static void challenge(const char *user, char out[128])
{
	char text[128], *bytes;
	const char *salt;
	size_t len;

	begin("SCRAM-SHA-256");
	snprintf(text, sizeof(text), "n,,n=%s,r=abcdefgh", user);
	cr_assert_eq(first(b64(text, strlen(text))), SASL_MORE);
	cr_assert_eq(
		gsasl_base64_from(sasl_out(talk), strlen(sasl_out(talk)), &bytes, &len),
		GSASL_OK);
	salt = memmem(bytes, len, ",s=", 3);
	cr_assert_not_null(salt);
	snprintf(out, 128, "%.*s", (int)(len - (size_t)(salt - bytes)), salt);
	gsasl_free(bytes);
}

Case(sasl, scram_asks_a_stranger_as_it_asks_a_user)
{
	char user[128], stranger[128], again[128], other[128];

	challenge("alice", user);
	challenge("nobody", stranger);
	challenge("nobody", again);
	challenge("somebody", other);
	cr_assert_str_eq(stranger, again, "the same salt each time");
	cr_assert_str_neq(stranger, other);
	cr_assert_eq(strlen(user), strlen(stranger));
	cr_assert_str_eq(strstr(user, ",i="), strstr(stranger, ",i="));
}

/* What CRAM-MD5 answers to the challenge in sasl_out(): "name digest". */
static const char *cram(const char *user, const char *secret)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char text[256], *challenge;
	size_t len;
	int n;

	cr_assert_eq(gsasl_base64_from(sasl_out(talk), strlen(sasl_out(talk)), &challenge,
				       &len),
		     GSASL_OK);
	cr_assert(len > 2 && challenge[0] == '<' && challenge[len - 1] == '>');
	cr_assert_not_null(HMAC(EVP_md5(), secret, (int)strlen(secret),
				(const uint8_t *)challenge, len, digest, NULL));
	gsasl_free(challenge);
	n = snprintf(text, sizeof(text), "%s ", user);
	for (int i = 0; i < 16; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", digest[i]);
	return b64(text, (size_t)n);
}

static enum sasl_result cram_of(const char *user, const char *secret)
{
	begin("CRAM-MD5");
	cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
	return step(cram(user, secret));
}

Case(sasl, cram_md5_is_right_for_who_knows_what_is_kept)
{
	cr_assert_eq(cram_of("alice", "secret alice"), SASL_RIGHT);
	cr_assert(str_eq(sasl_name(talk), STR("alice")));
	cr_assert_eq(cram_of("alice", "secret bob"), SASL_WRONG);
	cr_assert_eq(cram_of("bob", "secret alice"), SASL_WRONG);
	cr_assert_str_eq(told, "192.0.2.9 alice right;192.0.2.9 alice wrong;"
			       "192.0.2.9 bob wrong;");
	is_late = true;
	cr_assert_eq(cram_of("alice", "secret alice"), SASL_LATE);
}

Case(sasl, cram_md5_asks_something_else_each_time)
{
	char before[SASL_LINE_MAX];

	begin("CRAM-MD5");
	cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
	snprintf(before, sizeof(before), "%s", sasl_out(talk));
	begin("CRAM-MD5");
	cr_assert_eq(sasl_begin(talk, NULL), SASL_MORE);
	cr_assert_str_neq(before, sasl_out(talk));
	cr_assert_eq(step("!"), SASL_BAD);
}

Case(sasl, client_takes_the_best_that_is_offered)
{
	struct sasl_client *c;
	struct str answer;

	cr_assert_eq(sasl_client_new(STR("LOGIN PLAIN"), true, "a", "b", &c), 0);
	cr_assert_str_eq(sasl_client_mech(c), "PLAIN");
	cr_assert(sasl_client_begins(c));
	cr_assert_eq(sasl_client_step(c, STR(""), &answer), 0);
	cr_assert(str_eq(answer, str_of(B64("\0a\0b"))));
	cr_assert(sasl_client_done(c));
	sasl_client_free(c);
	cr_assert_eq(sasl_client_new(STR("GSSAPI login"), true, "a", "b", &c), 0);
	cr_assert_str_eq(sasl_client_mech(c), "LOGIN");
	cr_assert(!sasl_client_begins(c));
	sasl_client_free(c);
	cr_assert_eq(sasl_client_new(STR("LOGIN PLAIN"), false, "a", "b", &c),
		     -EOPNOTSUPP);
	cr_assert_eq(sasl_client_new(STR("PLAINER"), true, "a", "b", &c), -EOPNOTSUPP);
	cr_assert_eq(sasl_client_new(STR(""), true, "a", "b", &c), -EOPNOTSUPP);
}

/* What a client answers to a server's first word that asks for @count rounds. */
static int ask_for(const char *count)
{
	struct sasl_client *c;
	char text[256], *first_word;
	const char *nonce;
	struct str answer;
	size_t len;
	int r;

	cr_assert_eq(sasl_client_new(STR("SCRAM-SHA-256"), false, "a", "b", &c), 0);
	cr_assert_eq(sasl_client_step(c, STR(""), &answer), 0);
	cr_assert_eq(gsasl_base64_from(answer.p, answer.len, &first_word, &len), 0);
	nonce = memmem(first_word, len, "r=", 2);
	cr_assert_not_null(nonce);
	snprintf(text, sizeof(text), "%.*sserver,s=c2FsdA==,i=%s",
		 (int)(len - (size_t)(nonce - first_word)), nonce, count);
	gsasl_free(first_word);
	r = sasl_client_step(c, str_of(b64(text, strlen(text))), &answer);
	/* A server that has not shown that it knows us has not. */
	cr_assert(!sasl_client_done(c));
	if (r == 0)
		cr_assert_eq(sasl_client_step(c, str_of(B64("v=AAAA")), &answer),
			     -EPROTO);
	sasl_client_free(c);
	return r;
}

Case(sasl, client_does_not_work_for_hours)
{
	cr_assert_eq(ask_for("4096"), 0);
	cr_assert_eq(ask_for("1048577"), -EPROTO);
	cr_assert_eq(ask_for("99999999999999999999"), -EPROTO);
}

Case(sasl, keys_of_scram_are_text)
{
	static const char *const wrong[] = {
		"",
		"SCRAM-SHA-256",
		"SCRAM-SHA-1$4096$c2FsdA==$" K44 "$" K44,
		"SCRAM-SHA-256$4095$c2FsdA==$" K44 "$" K44,
		"SCRAM-SHA-256$1048577$c2FsdA==$" K44 "$" K44,
		"SCRAM-SHA-256$4096$$" K44 "$" K44,
		"SCRAM-SHA-256$4096$c2Fs dA=$" K44 "$" K44,
		"SCRAM-SHA-256$4096$c2FsdA==$" K44 "$",
		"SCRAM-SHA-256$4096$c2FsdA==$" K44 "$" K44 "$x",
	};
	struct users_scram s;
	char text[USERS_SCRAM_MAX];

	cr_assert(users_scram_parse("SCRAM-SHA-256$4096$c2FsdA==$" K44 "$" K44, &s));
	cr_assert_eq(s.iterations, 4096);
	cr_assert_str_eq(s.salt, "c2FsdA==");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert(!users_scram_parse(wrong[i], &s), "case %zu", i);
	cr_assert_eq(users_scram(STR("caf\xc3\xa9"), text), 0);
	cr_assert_eq(users_scram(STR("caf\xe9"), text), -EINVAL, "no UTF-8");
	cr_assert_eq(users_scram(STR(""), text), -EINVAL);
	cr_assert_eq(users_scram((struct str){ "a\0b", 3 }, text), -EINVAL);
}
