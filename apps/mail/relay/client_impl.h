/*
 * The inside of the client.
 *
 *	CONNECT --> GREETING --220--> EHLO --250--> READY <--> ENVELOPE --354--> TEXT
 *				       |  ^		^      |		   |
 *				      5xx |		|    no rcpt, refused	  end
 *				       v  250		|      v		   v
 *				      HELO		+---- RSET	     RESULT (and back to READY)
 *
 * Between CONNECT and GREETING (implicit), or behind EHLO, there may be TLS; behind the last
 * EHLO, AUTH:
 *
 *	CONNECT --> TLS --> GREETING	EHLO --> STARTTLS --220--> TLS --> EHLO --> AUTH --> READY
 *
 *	CLOSED <-- from anywhere
 *
 * In ENVELOPE replies come in the order of the commands: MAIL, each RCPT, DATA.  @n_sent
 * of them have left, @n_read are answered; without PIPELINING the two differ by one at most.
 * client_enter() walks every arrow and arms the deadline of the state.
 */
#pragma once

#include "apps/lib/io.h"
#include "apps/mail/relay/client.h"
#include "apps/mail/wire/dot.h"

enum client_state {
	CLIENT_ST_CONNECT,
	CLIENT_ST_GREETING,
	CLIENT_ST_EHLO,
	CLIENT_ST_HELO,
	CLIENT_ST_STARTTLS,
	CLIENT_ST_TLS,
	CLIENT_ST_AUTH,
	CLIENT_ST_READY,
	CLIENT_ST_ENVELOPE,
	CLIENT_ST_TEXT,
	CLIENT_ST_RESULT,
	CLIENT_ST_RSET,
	CLIENT_ST_CLOSED,
};

struct client {
	struct io *io; /* NULL: closed */
	struct client_conf conf;
	struct client_ops ops;
	void *arg;
	enum client_state state;
	bool greeted;
	bool ready_soon; /* the deadline is for that */
	bool inside;	 /* a function of ours is below us: it frees */
	bool tls_failed;
	unsigned caps;
	uint64_t size_max; /* of SIZE; 0: not told */
	char mechs[CLIENT_MECHS_MAX + 1];
	struct sasl_client *sasl; /* in AUTH */
	struct smtp_reply reply;

	const struct client_message *message;
	bool accepted[CLIENT_RCPTS_MAX];
	size_t n_accepted;     /* in the message, at RCPT */
	size_t n_sent, n_read; /* commands of the envelope */
	bool mail_refused;
	struct client_said mail_said;
	char mail_text[SMTP_REPLY_TEXT_MAX + 1];
	char *converted; /* text in 7bit, if that was made */
	struct str rest; /* of the text, not written yet */
	struct dot_encoder dot;
};

/* client.c */
void client_enter(struct client *c, enum client_state state);
/* What @c->reply says. */
struct client_said client_said_of(const struct client *c);
/* The connection is over. */
void client_close(struct client *c, const struct client_said *said);
/* ops.ready() in the next turn. */
void client_ready_soon(struct client *c);
/* The word about recipient @i. */
void client_tell(struct client *c, size_t i, const struct client_said *said);
/* All have it. */
void client_done(struct client *c);
/* Ends it for a reason of ours: "4.@subject.@detail" (RFC 3463), or "5..." of what will
 * be no better later. */
void client_give_up(struct client *c, enum client_result result, unsigned subject,
		    unsigned detail, const char *text);
void client_become_ready(struct client *c);

/* client_hello.c: the way to READY. */
/* The io is connected, or speaks TLS now. */
void client_connected(struct client *c);
void client_secured(struct client *c);
/* One line of what EHLO answers. */
void client_note_cap(struct client *c, struct str line);
/* The reply in GREETING, EHLO, HELO, STARTTLS or AUTH. */
void client_hello_reply(struct client *c, const struct client_said *said);

/* client_send.c: a message. */
void client_envelope_reply(struct client *c);
void client_text_more(struct client *c);
void client_result_reply(struct client *c);
void client_early_reply(struct client *c);
