/*
 * The table of commands: when each may come, what it takes, and who runs it.
 */
#include <stdio.h>

#include "apps/mail/smtpd/smtpd_impl.h"
#include "apps/mail/wire/smtp_cmd.h"
#include "stack/base/check.h"

enum arg { ARG_NONE, ARG_MAY, ARG_MUST };

enum {
	ANY = 1 << SMTPD_START | 1 << SMTPD_READY | 1 << SMTPD_MAIL | 1 << SMTPD_RCPT,
};

struct command {
	const char *name;
	unsigned states; /* in which it may come */
	enum arg arg;
	bool is_junk; /* does nothing: only so many without a message */
	void (*run)(struct smtpd_session *s, struct str arg);
	const char *usage;
};

/* clang-format off */
static const struct command commands[] = {
	{ "HELO", ANY, ARG_MUST, true, smtpd_helo, "HELO host" },
	{ "EHLO", ANY, ARG_MUST, true, smtpd_ehlo, "EHLO host" },
	{ "STARTTLS", 1 << SMTPD_READY, ARG_NONE, true, smtpd_starttls, "STARTTLS" },
	{ "AUTH", 1 << SMTPD_READY, ARG_MUST, false, smtpd_auth,
	  "AUTH mechanism [initial-response]" },
	{ "MAIL", 1 << SMTPD_READY, ARG_MUST, false, smtpd_mail,
	  "MAIL FROM:<address> [SIZE=octets] [BODY=7BIT|8BITMIME] "
	  "[AUTH=address]" },
	{ "RCPT", 1 << SMTPD_MAIL | 1 << SMTPD_RCPT, ARG_MUST, false, smtpd_rcpt,
	  "RCPT TO:<address>" },
	{ "DATA", 1 << SMTPD_RCPT, ARG_NONE, false, smtpd_data, "DATA" },
	{ "RSET", ANY, ARG_NONE, true, smtpd_rset, "RSET" },
	{ "NOOP", ANY, ARG_MAY, true, smtpd_noop, "NOOP [text]" },
	{ "VRFY", ANY, ARG_MUST, true, smtpd_vrfy, "VRFY address" },
	{ "EXPN", ANY, ARG_MUST, true, smtpd_expn, "EXPN list" },
	{ "ETRN", 1 << SMTPD_READY, ARG_MUST, true, smtpd_etrn,
	  "ETRN domain|@domain|#queue" },
	{ "ATRN", 1 << SMTPD_READY, ARG_MAY, true, smtpd_atrn,
	  "ATRN [domain[,domain...]]" },
	{ "TURN", 1 << SMTPD_READY, ARG_NONE, true, smtpd_turn, "TURN" },
	{ "HELP", ANY, ARG_MAY, true, smtpd_help, "HELP [command]" },
	{ "QUIT", ANY, ARG_NONE, false, smtpd_quit, "QUIT" },
};
/* clang-format on */

static const struct command *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq_nocase(name, str_of(commands[i].name)))
			return &commands[i];
	return NULL;
}

/* RFC 5321 4.1.4: what the client forgot. */
static const char *out_of_order(const struct smtpd_session *s, const struct command *c)
{
	if (s->state == SMTPD_START)
		return "503 5.5.1 EHLO or HELO comes first";
	if (s->state == SMTPD_READY)
		return "503 5.5.1 MAIL comes first";
	if (c->run == smtpd_mail)
		return "503 5.5.1 A sender was already given";
	/* RFC 4954 4, RFC 1985 5.1: not within a mail transaction */
	if (c->run == smtpd_auth || c->run == smtpd_starttls || c->run == smtpd_etrn ||
	    c->run == smtpd_atrn || c->run == smtpd_turn)
		return "503 5.5.1 Not between MAIL and the message";
	return "503 5.5.1 No recipient was accepted";
}

void smtpd_command(struct smtpd_session *s, struct str line)
{
	const struct command *c;
	struct smtp_cmd cmd;

	smtp_cmd_split(line, &cmd);
	c = find(cmd.verb);
	if (!c) {
		smtpd_refuse(s, "500 5.5.1 Command unknown");
		return;
	}
	if (!(c->states >> s->state & 1)) {
		smtpd_refuse(s, out_of_order(s, c));
		return;
	}
	if ((c->arg == ARG_NONE && cmd.arg.len > 0) ||
	    (c->arg == ARG_MUST && cmd.arg.len == 0)) {
		char text[128];

		snprintf(text, sizeof(text), "501 5.5.4 Syntax: %s", c->usage);
		smtpd_refuse(s, text);
		return;
	}
	s->n_junk += c->is_junk;
	c->run(s, cmd.arg);
}

void smtpd_help(struct smtpd_session *s, struct str arg)
{
	const struct command *c = find(arg);

	if (c) {
		io_printf(s->io, "214 2.0.0 %s\r\n", c->usage);
	} else if (arg.len > 0) {
		smtpd_refuse(s, "504 5.5.1 No such command");
	} else {
		io_puts(s->io, "214 2.0.0");
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			io_printf(s->io, " %s", commands[i].name);
		io_puts(s->io, "; see RFC 5321\r\n");
	}
}
