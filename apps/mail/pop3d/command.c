/*
 * The table of commands: when each may come, what it takes, and who runs it; and the
 * ones that only look at the session.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"

enum { AUTH = 1 << POP3D_AUTH, TRANS = 1 << POP3D_TRANS };

struct command {
	const char *name;
	unsigned states; /* in which it may come */
	int args_least, args_most;
	bool takes_rest; /* all behind the space is one argument */
	void (*run)(struct pop3d_session *s, const struct str *args, int n);
};

/* RFC 2449; EXPIRE NEVER: what is left here stays. */
static void capa(struct pop3d_session *s, const struct str *args, int n)
{
	char mechs[SASL_NAMES_LEN];

	(void)args;
	(void)n;
	io_puts(s->io, "+OK Capabilities follow\r\n"
		       "TOP\r\n"
		       "UIDL\r\n");
	if (pop3d_may_show(s))
		io_puts(s->io, "USER\r\n");
	if (pop3d_offers_tls(s))
		io_puts(s->io, "STLS\r\n");
	if (s->pop3d->sasl)
		io_printf(s->io, "SASL%s\r\n",
			  sasl_names(pop3d_may_show(s) ? SASL_SHOWN : 0, "", mechs));
	io_puts(s->io, "PIPELINING\r\n"
		       "RESP-CODES\r\n"
		       "AUTH-RESP-CODE\r\n"
		       "EXPIRE NEVER\r\n"
		       "IMPLEMENTATION Packetboat\r\n"
		       ".\r\n");
}

static void stat(struct pop3d_session *s, const struct str *args, int n)
{
	(void)args;
	(void)n;
	io_printf(s->io, "+OK %u %" PRIu64 "\r\n", s->n_msgs - s->n_deleted, s->n_octets);
}

static void noop(struct pop3d_session *s, const struct str *args, int n)
{
	(void)args;
	(void)n;
	pop3d_reply(s, "+OK");
}

static void dele(struct pop3d_session *s, const struct str *args, int n)
{
	uint32_t i = pop3d_message(s, args[0]);

	(void)n;
	if (i == UINT32_MAX)
		return;
	if (!s->deleted)
		s->deleted = calloc(s->n_msgs / 64 + 1, sizeof(*s->deleted));
	if (!s->deleted) {
		pop3d_reply(s, "-ERR [SYS/TEMP] Out of memory");
		return;
	}
	s->deleted[i / 64] |= UINT64_C(1) << i % 64;
	s->n_deleted++;
	s->n_octets -= s->msgs[i].size;
	io_printf(s->io, "+OK Message %u will be deleted at QUIT\r\n", i + 1);
}

static void rset(struct pop3d_session *s, const struct str *args, int n)
{
	(void)args;
	(void)n;
	free(s->deleted);
	s->deleted = NULL;
	s->n_deleted = 0;
	s->n_octets = s->n_octets_all;
	stat(s, NULL, 0);
}

/* clang-format off */
static const struct command commands[] = {
	{ "USER", AUTH,		1, 1, false, pop3d_user },
	{ "PASS", AUTH,		1, 1, true,  pop3d_pass },
	{ "STLS", AUTH,		0, 0, false, pop3d_stls },
	{ "AUTH", AUTH,		1, 2, false, pop3d_auth },
	{ "CAPA", AUTH | TRANS, 0, 0, false, capa },
	{ "QUIT", AUTH | TRANS, 0, 0, false, pop3d_quit },
	{ "STAT", TRANS,	0, 0, false, stat },
	{ "LIST", TRANS,	0, 1, false, pop3d_list },
	{ "UIDL", TRANS,	0, 1, false, pop3d_uidl },
	{ "RETR", TRANS,	1, 1, false, pop3d_retr },
	{ "TOP",  TRANS,	2, 2, false, pop3d_top },
	{ "DELE", TRANS,	1, 1, false, dele },
	{ "NOOP", TRANS,	0, 0, false, noop },
	{ "RSET", TRANS,	0, 0, false, rset },
};
/* clang-format on */

void pop3d_command(struct pop3d_session *s, struct str line)
{
	struct str args[POP3_ARGS_MAX] = { 0 };
	const struct command *c = commands;
	struct pop3_cmd cmd;
	int n;

	pop3_split(line, &cmd);
	while (c < commands + ARRAY_LEN(commands) &&
	       !str_eq_nocase(cmd.keyword, str_of(c->name)))
		c++;
	if (c == commands + ARRAY_LEN(commands)) {
		pop3d_refuse(s, "-ERR Command unknown");
		return;
	}
	if (!(c->states >> s->state & 1)) {
		pop3d_refuse(s, s->state == POP3D_AUTH ? "-ERR Log in first" :
							 "-ERR You are logged in");
		return;
	}
	args[0] = cmd.rest;
	n = c->takes_rest ? cmd.has_rest : pop3_args(&cmd, args);
	if (n < c->args_least || n > c->args_most) {
		pop3d_refuse(s, "-ERR Wrong arguments");
		return;
	}
	c->run(s, args, n);
}

bool pop3d_is_deleted(const struct pop3d_session *s, uint32_t i)
{
	return s->deleted && s->deleted[i / 64] >> i % 64 & 1;
}

uint32_t pop3d_message(struct pop3d_session *s, struct str arg)
{
	uint32_t number;

	if (!pop3_number(arg, &number)) {
		pop3d_refuse(s, "-ERR That is no message number");
		return UINT32_MAX;
	}
	if (number > s->n_msgs) {
		io_printf(s->io, "-ERR There are %u messages\r\n", s->n_msgs);
		return UINT32_MAX;
	}
	if (pop3d_is_deleted(s, number - 1)) {
		io_printf(s->io, "-ERR Message %u is deleted\r\n", number);
		return UINT32_MAX;
	}
	return number - 1;
}
