/*
 * The way of a connection to READY: greeting, EHLO, TLS, EHLO again, AUTH.
 *
 * RFC 3207 4.2: what the server said before TLS is forgotten, and what it sent behind
 * its 220 was thrown away by the io.  Whoever can change what it says in clear can also
 * take STARTTLS out of it: then nothing is encrypted with CLIENT_TLS_IF_OFFERED, but no
 * password is shown either.
 */
#include <errno.h>
#include <stdio.h>

#include "apps/lib/tls.h"
#include "apps/mail/auth/sasl_client.h"
#include "apps/mail/relay/client_impl.h"
#include "stack/base/check.h"

enum {
	AUTH_LINE_MAX = 500, /* RFC 5321 4.5.3.1.4: 512 for a command, with its CRLF */
};

static void say_hello(struct client *c, const char *verb, enum client_state state)
{
	c->caps = 0;
	c->size_max = 0;
	c->mechs[0] = '\0';
	io_printf(c->io, "%s %s\r\n", verb, c->conf.host);
	client_enter(c, state);
}

static void begin_tls(struct client *c)
{
	if (io_tls_client(c->io, c->conf.tls, c->conf.tls_host) < 0)
		client_give_up(c, CLIENT_TRANSIENT, 3, 0, "No memory for TLS");
	else
		client_enter(c, CLIENT_ST_TLS);
}

void client_connected(struct client *c)
{
	if (c->conf.tls_mode == CLIENT_TLS_IMPLICIT)
		begin_tls(c);
	else
		client_enter(c, CLIENT_ST_GREETING);
}

void client_secured(struct client *c)
{
	if (c->conf.tls_mode == CLIENT_TLS_IMPLICIT)
		client_enter(c, CLIENT_ST_GREETING);
	else
		say_hello(c, "EHLO", CLIENT_ST_EHLO);
}

/* Keyword and parameters (RFC 5321 4.1.1.1). */
void client_note_cap(struct client *c, struct str line)
{
	static const struct {
		struct str keyword;
		unsigned cap;
	} known[] = {
		{ { "PIPELINING", 10 }, CLIENT_PIPELINING },
		{ { "8BITMIME", 8 }, CLIENT_8BITMIME },
		{ { "SIZE", 4 }, CLIENT_SIZE },
		{ { "ENHANCEDSTATUSCODES", 19 }, CLIENT_ENHANCED },
		{ { "STARTTLS", 8 }, CLIENT_STARTTLS },
		{ { "AUTH", 4 }, CLIENT_AUTH },
	};
	struct str param, keyword = str_cut(str_trim(line), ' ', &param);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(keyword, known[i].keyword))
			c->caps |= known[i].cap;
	/* RFC 1870 4: no number, or 0: no limit that it tells. */
	if (str_eq_nocase(keyword, STR("SIZE")) && !str_to_u64(param, &c->size_max))
		c->size_max = 0;
	if (str_eq_nocase(keyword, STR("AUTH")))
		snprintf(c->mechs, sizeof(c->mechs), "%.*s", (int)param.len, param.p);
}

/* Says what the mechanism answers to @challenge: behind @command, or alone. */
static void auth_say(struct client *c, const char *command, struct str challenge)
{
	struct str answer;

	if (sasl_client_step(c->sasl, challenge, &answer) < 0) {
		client_give_up(c, CLIENT_PERMANENT, 7, 0,
			       "It does not know our password");
		return;
	}
	if (command)
		io_printf(c->io, "%s %.*s\r\n", command, (int)answer.len, answer.p);
	else
		io_printf(c->io, "%.*s\r\n", (int)answer.len, answer.p);
	client_enter(c, CLIENT_ST_AUTH);
}

/* RFC 4954 4: the first word of the client stands beside the mechanism, if it fits. */
static void auth_begin(struct client *c)
{
	const char *mech = sasl_client_mech(c->sasl);
	size_t len = strlen(c->conf.user) + strlen(c->conf.password);
	char command[32];

	snprintf(command, sizeof(command), "AUTH %s", mech);
	if (sasl_client_begins(c->sasl) && len * 2 < AUTH_LINE_MAX) {
		auth_say(c, command, STR(""));
		return;
	}
	io_printf(c->io, "%s\r\n", command);
	client_enter(c, CLIENT_ST_AUTH);
}

static void auth(struct client *c)
{
	bool clear_ok = io_is_secure(c->io) || c->conf.tls_mode == CLIENT_TLS_NONE;
	int r = sasl_client_new(str_of(c->mechs), clear_ok, c->conf.user,
				c->conf.password, &c->sasl);

	if (r == -EOPNOTSUPP)
		client_give_up(c, CLIENT_PERMANENT, 7, 4,
			       "It offers no way to log in that we would use");
	else if (r < 0)
		client_give_up(c, CLIENT_TRANSIENT, 3, 0, "Out of memory");
	else
		auth_begin(c);
}

/* What it can do is known, and TLS is not to come any more. */
static void go_on(struct client *c)
{
	if (c->conf.user)
		auth(c);
	else
		client_become_ready(c);
}

static void hello_done(struct client *c)
{
	enum client_tls mode = c->conf.tls_mode;
	bool wants = !io_is_secure(c->io) &&
		     (mode == CLIENT_TLS_IF_OFFERED || mode == CLIENT_TLS_REQUIRED);

	if (wants && (c->caps & CLIENT_STARTTLS)) {
		io_puts(c->io, "STARTTLS\r\n");
		client_enter(c, CLIENT_ST_STARTTLS);
	} else if (wants && mode == CLIENT_TLS_REQUIRED) {
		/* RFC 5248 3: X.7.10, encryption is needed */
		client_give_up(c, CLIENT_PERMANENT, 7, 10, "It offers no TLS");
	} else {
		go_on(c);
	}
}

/* RFC 5321 4.1.1.1: the first word of the answer is the server's name. */
static bool is_self(const struct client *c, const struct client_said *said)
{
	struct str rest, name = str_cut(str_of(said->text), ' ', &rest);

	return c->conf.no_self && str_eq_nocase(name, str_of(c->conf.host));
}

/* RFC 5321 3.2: a server that does not know EHLO is told HELO. */
static void hello_reply(struct client *c, const struct client_said *said)
{
	if (said->result == CLIENT_OK && is_self(c, said))
		/* RFC 3463 3.5: X.4.6, routing loop */
		client_give_up(c, CLIENT_PERMANENT, 4, 6, "Its mail host is this one");
	else if (said->result == CLIENT_OK)
		hello_done(c);
	else if (c->state == CLIENT_ST_EHLO && said->result == CLIENT_PERMANENT)
		say_hello(c, "HELO", CLIENT_ST_HELO);
	else
		client_close(c, said);
}

static void starttls_reply(struct client *c, const struct client_said *said)
{
	if (said->code == 220)
		begin_tls(c);
	else if (c->conf.tls_mode == CLIENT_TLS_IF_OFFERED)
		go_on(c);
	else
		client_close(c, said);
}

static void auth_reply(struct client *c, const struct client_said *said)
{
	if (said->code == 334) {
		auth_say(c, NULL, str_trim(str_of(said->text)));
		return;
	}
	if (said->result != CLIENT_OK) {
		client_close(c, said);
		return;
	}
	/* RFC 5802 3: whoever does not prove to know us is not our server. */
	if (!sasl_client_done(c->sasl)) {
		client_give_up(c, CLIENT_PERMANENT, 7, 0,
			       "It does not know our password");
		return;
	}
	sasl_client_free(c->sasl);
	c->sasl = NULL;
	client_become_ready(c);
}

void client_hello_reply(struct client *c, const struct client_said *said)
{
	if (c->state == CLIENT_ST_STARTTLS)
		starttls_reply(c, said);
	else if (c->state == CLIENT_ST_AUTH)
		auth_reply(c, said);
	else if (c->state != CLIENT_ST_GREETING)
		hello_reply(c, said);
	else if (said->result == CLIENT_OK)
		say_hello(c, "EHLO", CLIENT_ST_EHLO);
	else
		client_close(c, said);
}
