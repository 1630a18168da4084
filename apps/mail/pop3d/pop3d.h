/*
 * The POP3 server (RFC 1939 without APOP, CAPA of RFC 2449, STLS of RFC 2595, AUTH of
 * RFC 5034).
 *
 * One struct pop3d serves one net, on its thread; all of a process share one struct
 * pop3d_locks, since a maildrop is one session's at a time (RFC 1939 section 4).  Whoever
 * composes the program gives it the functions of struct pop3d_ops.
 *
 * Messages go from the store's map to the network by reference; a message being sent is
 * held in the store until the network has all of it.  Deletes happen at QUIT, in one
 * operation, and +OK is said when that is committed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct io;
struct log;
struct net;
struct pop3d;
struct pop3d_locks;
struct sasl;
struct store_hold;
struct store_msg;
struct store_op;
struct tls;
struct verify_job;

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define POP3D_LIMITS(L)								\
	L(line_max,	       512,  255,   4096,				\
	  "octets of a command with its CRLF (RFC 2449 4: at least 255)")	\
	L(messages_max,	    100000, 1000, 1 << 24,				\
	  "messages a session sees; later ones show when these are gone")	\
	L(idle_s,	       600,    1,  86400,				\
	  "seconds without a command or progress (RFC 1939 3: at least 600)")	\
	L(login_s,		60,    1,  86400,				\
	  "seconds from the greeting to a login")				\
	L(login_fails_max,	 3,    1,   1000,				\
	  "wrong passwords of a session")					\
	L(login_delay_ms,     2000,    0,  60000,				\
	  "wait before a wrong password is answered")				\
	L(errors_max,		20,    1, 1 << 20,				\
	  "refused commands of a session")					\
	L(per_client_max,	50,    1, 1 << 20,				\
	  "sessions of one client address at once")
/* clang-format on */

struct pop3d_limits {
#define L(name, initial, least, most, text) uint64_t name;
	POP3D_LIMITS(L)
#undef L
};

struct pop3d_conf {
	const char *host;	   /* our name, in the greeting */
	const struct log *log;	   /* one line a login; NULL: none */
	struct pop3d_locks *locks; /* of the whole process */
	uint64_t seed;		   /* of the table of clients */
	bool allow_plain;	   /* a password may be shown without TLS */
	struct pop3d_limits limits;
};

/* The defaults; @host and @locks are still to be set. */
void pop3d_conf_init(struct pop3d_conf *conf);

/* Any thread may use them: at most so many maildrops are open at once. */
int pop3d_locks_new(unsigned n_max, struct pop3d_locks **locks);
void pop3d_locks_free(struct pop3d_locks *locks);

struct pop3d_ops {
	/*
	 * As verify_submit(), for the user that @job->name is, and verify_cancel():
	 * @job->done is called on any thread, perhaps before they return.
	 */
	bool (*verify)(void *arg, struct verify_job *job);
	void (*cancel)(void *arg, struct verify_job *job);
	/*
	 * The messages in @user's INBOX by rising UID, to free(), and its uidvalidity.
	 * 0 or -errno.
	 */
	int (*list)(void *arg, struct str user, uint32_t *uid_validity,
		    struct store_msg **msgs, size_t *n);
	/* As store_hold_unread(), store_hold_check(), store_release(), store_submit(). */
	int (*hold)(void *arg, const struct store_msg *msg, struct store_hold **hold);
	int (*check)(void *arg, struct store_hold *hold, size_t n);
	void (*release)(void *arg, struct store_hold *hold);
	bool (*submit)(void *arg, struct store_op *op);
};

/* @conf and @ops are copied, the texts they point to are not.  0 or -errno. */
int pop3d_new(struct net *net, const struct pop3d_conf *conf, const struct pop3d_ops *ops,
	      void *ops_arg, struct pop3d **pop3d);
/* For connections from now on; NULL: STLS is not offered.  It stays the caller's. */
void pop3d_set_tls(struct pop3d *pop3d, struct tls *tls);
/* Before the first session, and until pop3d_free(); without it there is no AUTH. */
void pop3d_set_sasl(struct pop3d *pop3d, struct sasl *sasl);
/* net_accept functions: @pop3d is their argument.  The second for connections that begin
 * with TLS (RFC 8314), if there is some. */
void pop3d_accept(void *pop3d, struct io *io);
void pop3d_accept_tls(void *pop3d, struct io *io);

/*
 * The end, in order: pop3d_stop() ends every session, once what it has with the store
 * or the verifier is back, and refuses new ones; the program turns the net until
 * pop3d_busy() is false; pop3d_free() aborts what is left.  Messages still being sent
 * stay held until their connections are gone: with net_free() at the latest.
 */
void pop3d_stop(struct pop3d *pop3d);
/* Something is with the store or the verifier, or on its way back. */
bool pop3d_busy(const struct pop3d *pop3d);
void pop3d_free(struct pop3d *pop3d);

/* clang-format off */
#define POP3D_COUNTERS(C)						\
	C(sessions,	   "sessions begun")				\
	C(sessions_open,   "sessions open now")				\
	C(refused_excess,  "sessions refused: too many at once")	\
	C(refused_client,  "sessions refused: too many of one client")	\
	C(tls_sessions,	   "sessions secured by TLS")			\
	C(tls_failures,	   "sessions ended: no agreement on TLS")	\
	C(logins,	   "logins")					\
	C(login_failures,  "wrong passwords")				\
	C(in_use,	   "logins refused: the maildrop is in use")	\
	C(unavailable,	   "logins refused: store or verifier not ready") \
	C(messages,	   "messages sent by RETR")			\
	C(bytes,	   "octets of messages sent by RETR")		\
	C(tops,		   "messages sent in part by TOP")		\
	C(deleted,	   "messages deleted at QUIT")			\
	C(delete_failures, "QUITs whose deletes failed")		\
	C(bad_commands,	   "commands refused")				\
	C(timeouts,	   "sessions ended: nothing came for too long")	\
	C(too_many_errors, "sessions ended: too many refused commands")	\
	C(lost,		   "sessions ended by the client without QUIT")
/* clang-format on */

struct pop3d_stats {
#define C(name, text) uint64_t name;
	POP3D_COUNTERS(C)
#undef C
};

/* Valid as long as @pop3d; for its own thread. */
const struct pop3d_stats *pop3d_stats(const struct pop3d *pop3d);
