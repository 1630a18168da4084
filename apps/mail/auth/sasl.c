#include "apps/mail/auth/sasl.h"

#include <errno.h>
#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack/base/addr.h"
#include "stack/base/check.h"

enum { SALT_LEN = 16, KEY_LEN = 32, NUMBER_LEN = 12 };

struct sasl {
	Gsasl *gsasl;
	struct sasl_ops ops;
	void *ops_arg;
	uint8_t seed[SASL_SEED_LEN];
};

struct sasl_talk {
	struct sasl *sasl;
	const struct mech *mech;
	Gsasl_session *session;
	bool has_keys; /* the library was given what it needs to know of the user */
	bool is_over;  /* all but the client's last, empty line was said */
	char addr[ADDR_TEXT_LEN];
	char out[SASL_LINE_MAX + 1];
};

static const struct mech {
	const char *name;
	unsigned needs;	 /* of the ways */
	bool begins;	 /* the first word is the client's */
	unsigned n_nuls; /* in a word of the client */
} mechs[] = {
	{ "SCRAM-SHA-256", 0, true, 0 },
	{ "CRAM-MD5", SASL_CRAM_MD5, false, 0 },
	{ "PLAIN", SASL_SHOWN, true, 2 },
	{ "LOGIN", SASL_SHOWN, false, 0 },
};

static int callback(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property);

int sasl_new(const uint8_t seed[static SASL_SEED_LEN], const struct sasl_ops *ops,
	     void *ops_arg, struct sasl **sasl)
{
	struct sasl *s = calloc(1, sizeof(*s));

	if (!s || gsasl_init(&s->gsasl) != GSASL_OK) {
		free(s);
		return -ENOMEM;
	}
	gsasl_callback_set(s->gsasl, callback);
	s->ops = *ops;
	s->ops_arg = ops_arg;
	memcpy(s->seed, seed, SASL_SEED_LEN);
	*sasl = s;
	return 0;
}

void sasl_free(struct sasl *s)
{
	if (!s)
		return;
	gsasl_done(s->gsasl);
	explicit_bzero(s->seed, SASL_SEED_LEN);
	free(s);
}

const char *sasl_names(unsigned ways, const char *prefix, char out[static SASL_NAMES_LEN])
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(mechs); i++)
		if ((mechs[i].needs & ~ways) == 0)
			n += snprintf(out + n, SASL_NAMES_LEN - (size_t)n, " %s%s",
				      prefix, mechs[i].name);
	ASSERT(n < SASL_NAMES_LEN);
	return out;
}

int sasl_talk_new(struct sasl *s, struct str name, unsigned ways, const char *addr,
		  struct sasl_talk **talk)
{
	const struct mech *mech = mechs;
	struct sasl_talk *t;

	while (mech < mechs + ARRAY_LEN(mechs) &&
	       !str_eq_nocase(name, str_of(mech->name)))
		mech++;
	if (mech == mechs + ARRAY_LEN(mechs) || (mech->needs & ~ways & SASL_CRAM_MD5))
		return -EOPNOTSUPP;
	if (mech->needs & ~ways)
		return -EACCES;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->sasl = s;
	t->mech = mech;
	snprintf(t->addr, sizeof(t->addr), "%s", addr);
	if (gsasl_server_start(s->gsasl, mech->name, &t->session) != GSASL_OK) {
		free(t);
		return -ENOMEM;
	}
	gsasl_session_hook_set(t->session, t);
	*talk = t;
	return 0;
}

static struct str property(const struct sasl_talk *t, Gsasl_property what)
{
	const char *text = gsasl_property_fast(t->session, what);

	return text ? str_of(text) : STR("");
}

/* The library frees it as it is. */
static void wipe_password(struct sasl_talk *t)
{
	struct str password = property(t, GSASL_PASSWORD);

	if (password.len > 0)
		explicit_bzero((void *)(uintptr_t)password.p, password.len);
}

void sasl_talk_free(struct sasl_talk *t)
{
	if (!t)
		return;
	wipe_password(t);
	gsasl_finish(t->session);
	free(t);
}

const char *sasl_out(const struct sasl_talk *t)
{
	return t->out;
}

struct str sasl_name(const struct sasl_talk *t)
{
	return property(t, GSASL_AUTHID);
}

struct str sasl_password(const struct sasl_talk *t)
{
	return property(t, GSASL_PASSWORD);
}

/* Made of the seed, @what and the name: nobody can guess it, and it never changes. */
static bool invent(const struct sasl *s, char what, struct str name, size_t len,
		   char *out)
{
	uint8_t text[1 + SASL_LINE_MAX], digest[KEY_LEN];

	if (name.len > SASL_LINE_MAX)
		return false;
	text[0] = (uint8_t)what;
	if (name.len > 0)
		memcpy(text + 1, name.p, name.len);
	if (!HMAC(EVP_sha256(), s->seed, SASL_SEED_LEN, text, name.len + 1, digest, NULL))
		return false;
	EVP_EncodeBlock((uint8_t *)out, digest, (int)len);
	return true;
}

/* Keys that no password has. */
static bool invent_keys(const struct sasl *s, struct str name, struct users_scram *keys)
{
	keys->iterations = USERS_SCRAM_ITERATIONS;
	return invent(s, 's', name, SALT_LEN, keys->salt) &&
	       invent(s, 'k', name, KEY_LEN, keys->stored_key) &&
	       invent(s, 'v', name, KEY_LEN, keys->server_key);
}

static bool give_keys(struct sasl_talk *t)
{
	struct sasl *s = t->sasl;
	struct str name = sasl_name(t);
	struct users_scram keys;
	char number[NUMBER_LEN];

	if (!s->ops.keys(s->ops_arg, name, &keys) && !invent_keys(s, name, &keys))
		return false;
	snprintf(number, sizeof(number), "%u", keys.iterations);
	t->has_keys =
		gsasl_property_set(t->session, GSASL_SCRAM_ITER, number) == GSASL_OK &&
		gsasl_property_set(t->session, GSASL_SCRAM_SALT, keys.salt) == GSASL_OK &&
		gsasl_property_set(t->session, GSASL_SCRAM_STOREDKEY, keys.stored_key) ==
			GSASL_OK &&
		gsasl_property_set(t->session, GSASL_SCRAM_SERVERKEY, keys.server_key) ==
			GSASL_OK;
	return t->has_keys;
}

/* What CRAM-MD5 compares with: the user's, or what nobody has. */
static bool give_password(struct sasl_talk *t)
{
	struct sasl *s = t->sasl;
	struct str name = sasl_name(t);
	char password[USERS_CLEAR_MAX + 1];
	bool ok = (s->ops.password && s->ops.password(s->ops_arg, name, password)) ||
		  invent(s, 'p', name, KEY_LEN, password);

	ok = ok && gsasl_property_set(t->session, GSASL_PASSWORD, password) == GSASL_OK;
	explicit_bzero(password, sizeof(password));
	return ok;
}

/* What the library asks for. */
static int callback(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	struct sasl_talk *t = gsasl_session_hook_get(session);

	(void)gsasl;
	/* Name and password are there: that is all we want of it. */
	if (property == GSASL_VALIDATE_SIMPLE)
		return GSASL_OK;
	if (property == GSASL_PASSWORD && (t->mech->needs & SASL_CRAM_MD5))
		return give_password(t) ? GSASL_OK : GSASL_NO_CALLBACK;
	if (property != GSASL_SCRAM_ITER && property != GSASL_SCRAM_SALT &&
	    property != GSASL_SCRAM_STOREDKEY && property != GSASL_SCRAM_SERVERKEY)
		return GSASL_NO_CALLBACK;
	return t->has_keys || give_keys(t) ? GSASL_OK : GSASL_NO_CALLBACK;
}

/* RFC 4422 3.4.1: to act for others there is nobody here. */
static bool is_himself(const struct sasl_talk *t)
{
	struct str as = property(t, GSASL_AUTHZID);

	return as.len == 0 || str_eq(as, sasl_name(t));
}

/* The mechanism came to its end with @r of the library. */
static enum sasl_result verdict(struct sasl_talk *t, int r)
{
	const struct sasl *s = t->sasl;
	bool is_right = r == GSASL_OK;

	if (!is_right && r != GSASL_AUTHENTICATION_ERROR)
		return r == GSASL_MALLOC_ERROR ? SASL_NO_MEMORY : SASL_BAD;
	if (t->mech->needs & SASL_SHOWN)
		return is_himself(t) ? SASL_PASSWORD : SASL_OTHER;
	if (!s->ops.told(s->ops_arg, t->addr, sasl_name(t), is_right))
		return SASL_LATE;
	if (!is_right)
		return SASL_WRONG;
	return is_himself(t) ? SASL_RIGHT : SASL_OTHER;
}

static bool put_out(struct sasl_talk *t, const char *bytes, size_t len)
{
	/* 4 for each 3, begun ones too */
	if (len > SASL_LINE_MAX / 4 * 3 - 3)
		return false;
	t->out[EVP_EncodeBlock((uint8_t *)t->out, (const uint8_t *)bytes, (int)len)] =
		'\0';
	return true;
}

static enum sasl_result word(struct sasl_talk *t, const char *bytes, size_t len)
{
	enum sasl_result result = SASL_MORE;
	size_t out_len = 0;
	char *out = NULL;
	int r;

	t->out[0] = '\0';
	if (t->is_over)
		return len == 0 ? SASL_RIGHT : SASL_BAD;
	r = gsasl_step(t->session, bytes, len, &out, &out_len);
	if (r != GSASL_NEEDS_MORE)
		result = verdict(t, r);
	/* What the mechanism has to say may prove that the password was right. */
	if ((result == SASL_MORE || result == SASL_RIGHT) && !put_out(t, out, out_len))
		result = SASL_BAD;
	gsasl_free(out);
	/* RFC 5802 5: the last word is ours, and the client's protocol answers it. */
	t->is_over = result == SASL_RIGHT && t->out[0] != '\0';
	return t->is_over ? SASL_MORE : result;
}

static unsigned count_nuls(const char *bytes, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\0';
	return n;
}

/* The library takes text: a NUL that does not belong there would end it. */
static bool is_text(const struct sasl_talk *t, const char *bytes, size_t len)
{
	return len == 0 || count_nuls(bytes, len) == t->mech->n_nuls;
}

enum sasl_result sasl_step(struct sasl_talk *t, struct str line)
{
	enum sasl_result result = SASL_BAD;
	char *bytes = NULL;
	size_t len = 0;

	if (str_eq(line, STR("*")))
		return SASL_CANCELLED;
	if (line.len == 0)
		return word(t, "", 0);
	if (line.len > SASL_LINE_MAX ||
	    gsasl_base64_from(line.p, line.len, &bytes, &len) != GSASL_OK)
		return SASL_BAD;
	if (is_text(t, bytes, len))
		result = word(t, bytes, len);
	if (bytes)
		explicit_bzero(bytes, len);
	gsasl_free(bytes);
	return result;
}

enum sasl_result sasl_begin(struct sasl_talk *t, const struct str *initial)
{
	/* The first word is ours, and asks for what is there already. */
	if (!t->mech->begins || !initial) {
		enum sasl_result result = word(t, "", 0);

		if (!initial || result != SASL_MORE)
			return result;
	}
	return sasl_step(t, str_eq(*initial, STR("=")) ? STR("") : *initial);
}
