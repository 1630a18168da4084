/*
 * pbmail: writes, sends, reads and files mail.  pbmail(1) says what it is to its user.
 *
 * Functions that can fail for the user's eyes return an exit status of sysexits(3), 0 when
 * all went well, and have said on standard error what went wrong.
 */
#pragma once

#include "apps/lib/str.h"
#include "apps/pbmail/account.h"

/* clang-format off */
/* Name, value, what it bounds. */
#define PBMAIL_LIMITS(L)						\
	L(MESSAGE_MAX,	256 << 20, "octets of a message")		\
	L(MESSAGES_MAX,	1 << 20,   "messages of a mailbox")		\
	L(HEADER_MAX,	64 << 10,  "octets of a header in a list")	\
	L(LINE_MAX_LEN,	8192,	   "octets of a line of a server")	\
	L(WAIT_S,	120,	   "seconds for a server to say something")
/* clang-format on */

enum {
#define L(name, value, text) PBMAIL_##name = (value),
	PBMAIL_LIMITS(L)
#undef L
};

struct net;
struct pb_stack;
struct tls;

struct pbmail {
	struct account account;
	const char *from; /* -f; NULL: the account's */
	const char *mailbox;
	struct pb_stack *stack;
	struct net *net;
	struct tls *tls; /* NULL: not needed yet */
};

/* "pbmail: TEXT", without what could harm the terminal.  Returns @status. */
int pbmail_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int pbmail_usage(void);

/* The network of the account, once.  0 or a status. */
int pbmail_net(struct pbmail *p);
/* Whom the account believes. */
int pbmail_tls(struct pbmail *p);

/* A message number, from 1.  0 or a status. */
int pbmail_number(const char *text, uint32_t *n);

/* The commands; argv[0] is their name. */
int send_command(struct pbmail *p, int argc, char **argv);
int reply_command(struct pbmail *p, int argc, char **argv);
int forward_command(struct pbmail *p, int argc, char **argv);
int list_command(struct pbmail *p, int argc, char **argv);
int read_command(struct pbmail *p, int argc, char **argv);
int save_command(struct pbmail *p, int argc, char **argv);
int delete_command(struct pbmail *p, int argc, char **argv);
int move_command(struct pbmail *p, int argc, char **argv);
int burst_command(struct pbmail *p, int argc, char **argv);
int mailbox_command(struct pbmail *p, int argc, char **argv);
