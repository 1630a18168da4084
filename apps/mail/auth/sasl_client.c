#include "apps/mail/auth/sasl_client.h"

#include <errno.h>
#include <gsasl.h>
#include <stdlib.h>

#include "stack/base/check.h"

struct sasl_client {
	Gsasl *gsasl;
	Gsasl_session *session;
	const struct mech *mech;
	bool done;
	char answer[SASL_CLIENT_LINE_MAX + 1];
};

/* The best first. */
static const struct mech {
	const char *name;
	bool shows_password, begins;
} mechs[] = {
	{ "SCRAM-SHA-256", false, true },
	{ "PLAIN", true, true },
	{ "LOGIN", true, false },
};

static bool is_offered(struct str offered, const char *name)
{
	while (offered.len > 0)
		if (str_eq_nocase(str_cut(offered, ' ', &offered), str_of(name)))
			return true;
	return false;
}

static const struct mech *choose(struct str offered, bool clear_ok)
{
	for (size_t i = 0; i < ARRAY_LEN(mechs); i++)
		if ((clear_ok || !mechs[i].shows_password) &&
		    is_offered(offered, mechs[i].name))
			return &mechs[i];
	return NULL;
}

static bool start(struct sasl_client *c, const char *user, const char *password)
{
	return gsasl_init(&c->gsasl) == GSASL_OK &&
	       gsasl_client_start(c->gsasl, c->mech->name, &c->session) == GSASL_OK &&
	       gsasl_property_set(c->session, GSASL_AUTHID, user) == GSASL_OK &&
	       gsasl_property_set(c->session, GSASL_PASSWORD, password) == GSASL_OK;
}

int sasl_client_new(struct str offered, bool clear_ok, const char *user,
		    const char *password, struct sasl_client **client)
{
	const struct mech *mech = choose(offered, clear_ok);
	struct sasl_client *c;

	if (!mech)
		return -EOPNOTSUPP;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->mech = mech;
	if (!start(c, user, password)) {
		sasl_client_free(c);
		return -ENOMEM;
	}
	*client = c;
	return 0;
}

void sasl_client_free(struct sasl_client *c)
{
	if (!c)
		return;
	if (c->session)
		gsasl_finish(c->session);
	if (c->gsasl)
		gsasl_done(c->gsasl);
	explicit_bzero(c->answer, sizeof(c->answer));
	free(c);
}

const char *sasl_client_mech(const struct sasl_client *c)
{
	return c->mech->name;
}

bool sasl_client_begins(const struct sasl_client *c)
{
	return c->mech->begins;
}

/* server-first-message = ... ",i=" iteration-count (RFC 5802 7) */
static bool is_too_much(const char *bytes, size_t len)
{
	struct str rest = { bytes, len };
	uint64_t n;

	while (rest.len > 0) {
		struct str field = str_cut(rest, ',', &rest);

		if (!str_starts_nocase(field, STR("i=")))
			continue;
		field = (struct str){ field.p + 2, field.len - 2 };
		if (!str_to_u64(field, &n) || n > SASL_CLIENT_ITERATIONS_MAX)
			return true;
	}
	return false;
}

/* Puts what the mechanism says into c->answer. */
static int put_answer(struct sasl_client *c, char *bytes, size_t len, struct str *answer)
{
	size_t text_len = 0;
	char *text = NULL;
	int r = -EPROTO;

	if (len == 0) {
		*answer = STR("");
		r = 0;
	} else if (gsasl_base64_to(bytes, len, &text, &text_len) == GSASL_OK &&
		   text_len <= SASL_CLIENT_LINE_MAX) {
		memcpy(c->answer, text, text_len);
		*answer = (struct str){ c->answer, text_len };
		r = 0;
	}
	if (text)
		explicit_bzero(text, text_len);
	if (bytes)
		explicit_bzero(bytes, len);
	gsasl_free(text);
	return r;
}

static int step(struct sasl_client *c, const char *bytes, size_t len, struct str *answer)
{
	size_t out_len = 0;
	char *out = NULL;
	int r;

	if (c->done) {
		/* RFC 4422 3.6: the server says that we are through by an empty one. */
		*answer = STR("");
		return len == 0 ? 0 : -EPROTO;
	}
	if (is_too_much(bytes, len))
		return -EPROTO;
	r = gsasl_step(c->session, bytes, len, &out, &out_len);
	if (r != GSASL_OK && r != GSASL_NEEDS_MORE)
		return -EPROTO;
	c->done = r == GSASL_OK;
	r = put_answer(c, out, out_len, answer);
	gsasl_free(out);
	return r;
}

int sasl_client_step(struct sasl_client *c, struct str challenge, struct str *answer)
{
	char *bytes = NULL;
	size_t len = 0;
	int r;

	if (challenge.len == 0)
		return step(c, "", 0, answer);
	if (challenge.len > SASL_CLIENT_LINE_MAX ||
	    gsasl_base64_from(challenge.p, challenge.len, &bytes, &len) != GSASL_OK)
		return -EPROTO;
	r = step(c, bytes, len, answer);
	gsasl_free(bytes);
	return r;
}

bool sasl_client_done(const struct sasl_client *c)
{
	return c->done;
}
