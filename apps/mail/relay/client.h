/*
 * An SMTP client (RFC 5321) on one connection: it greets, sends one message after the
 * other, and says what became of each recipient.
 *
 * The owner connects an io, gives it to client_new(), and is told: ready(), each time a
 * message may be sent; for each recipient once, what the server said; closed(), last of
 * all.  It decides what that means; the client retries nothing.
 *
 * Before ready() come, as conf has it, TLS and AUTH (RFC 3207, RFC 4954).
 *
 * With PIPELINING (RFC 2920) MAIL, all RCPT and DATA leave together, else each waits
 * for the reply before.  A server without 8BITMIME gets 8bit text converted (RFC 6152 3,
 * mime_7bit.h).  What the server may do to us has limits: lines and replies
 * (smtp_reply.h), and the time for each reply, which no trickle prolongs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/smtp_reply.h"

struct client;
struct io;
struct tls;

enum {
	CLIENT_RCPTS_MAX = 100, /* of a message: what every server takes */
	CLIENT_MECHS_MAX = 255, /* octets of the names of mechanisms; more is not read */
};

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define CLIENT_LIMITS(L)							\
	L(connect_s,	 30,  1,  3600, "seconds to connect")			\
	L(greeting_s,	300,  1, 86400,						\
	  "seconds for the greeting (RFC 5321 4.5.3.2.1)")			\
	L(command_s,	300,  1, 86400,						\
	  "seconds for a reply to EHLO, AUTH, MAIL and RCPT (4.5.3.2.2, 4.5.3.2.3)") \
	L(data_s,	120,  1, 86400,						\
	  "seconds for a reply to DATA (4.5.3.2.4)")				\
	L(block_s,	180,  1, 86400,						\
	  "seconds for the server to take some of a message (4.5.3.2.5)")	\
	L(end_s,	600,  1, 86400,						\
	  "seconds for the reply to a message (4.5.3.2.6)")
/* clang-format on */

struct client_limits {
#define L(name, initial, least, most, text) uint64_t name;
	CLIENT_LIMITS(L)
#undef L
};

enum client_cap {
	CLIENT_PIPELINING = 1 << 0,
	CLIENT_8BITMIME = 1 << 1,
	CLIENT_SIZE = 1 << 2,
	CLIENT_ENHANCED = 1 << 3,
	CLIENT_STARTTLS = 1 << 4,
	CLIENT_AUTH = 1 << 5,
};

enum client_tls {
	CLIENT_TLS_NONE,
	CLIENT_TLS_IF_OFFERED, /* STARTTLS where the server has it (RFC 7435) */
	CLIENT_TLS_REQUIRED,   /* STARTTLS, or nothing is sent */
	CLIENT_TLS_IMPLICIT,   /* from the first octet on (RFC 8314) */
};

struct client_conf {
	const char *host; /* what we call ourselves */
	bool no_self;	  /* who calls himself so is us: nothing is sent to him */
	struct client_limits limits;
	/*
	 * How, with a client's TLS (tls.h) for all but CLIENT_TLS_NONE, and the name that
	 * the server's certificate must be for.  All texts stay the owner's.
	 */
	enum client_tls tls_mode;
	struct tls *tls;
	const char *tls_host;
	/*
	 * Who we are; NULL: AUTH is not said.  Without TLS a mechanism that shows the
	 * password is used with CLIENT_TLS_NONE only: the owner wanted no secrets.
	 */
	const char *user, *password;
};

struct client_message {
	struct str from; /* "" of a bounce */
	const struct str *rcpts;
	size_t n_rcpts;
	struct str text; /* lines end in CRLF */
};

/* In what a reply, or that there was none, ends for a recipient or a connection. */
enum client_result {
	CLIENT_OK,
	CLIENT_TRANSIENT, /* 4xx, and everything that is nobody's decision */
	CLIENT_PERMANENT, /* 5xx */
};

/* What was said; code 0: by us. */
struct client_said {
	enum client_result result;
	uint16_t code;
	struct smtp_enhanced enhanced;
	const char *text; /* valid while it is told */
};

struct client_ops {
	/* EHLO, TLS and AUTH are done, or a message is: client_send() or client_quit()
	 * may follow. */
	void (*ready)(void *arg);
	/* The last word about recipient @i of the message. */
	void (*rcpt)(void *arg, size_t i, const struct client_said *said);
	/* All recipients of the message have their word. */
	void (*done)(void *arg);
	/*
	 * The connection is over; recipients without a word have none.  The client frees
	 * itself behind it.  @greeted: it had been ready.
	 */
	void (*closed)(void *arg, bool greeted, const struct client_said *said);
};

/* @io is connecting, and the client's.  NULL: no memory, @io is as it was. */
struct client *client_new(struct io *io, const struct client_conf *conf,
			  const struct client_ops *ops, void *arg);
/* The same where the other end, which called, was told to be a server now (RFC 2645 5.3): it
 * greets. */
struct client *client_turn(struct io *io, const struct client_conf *conf,
			   const struct client_ops *ops, void *arg);
/* From ready() on; what @message points to stays until done() or closed(). */
void client_send(struct client *c, const struct client_message *message);
/* Says QUIT, when it is ready; closed() is not called any more. */
void client_quit(struct client *c);
/* At once; closed() is not called any more. */
void client_abort(struct client *c);
/* Octets of the message being sent that have not left yet. */
size_t client_unsent(const struct client *c);
/* What rcpt() tells is about the sender: MAIL was refused. */
bool client_sender_refused(const struct client *c);
/* enum client_cap, of the last EHLO. */
unsigned client_caps(const struct client *c);
/* TLS is spoken; and, from closed() too: it was begun, and came to nothing. */
bool client_is_secure(const struct client *c);
bool client_tls_failed(const struct client *c);
