/*
 * The IMAP server: IMAP4rev1 (RFC 3501), also in TLS, with LITERAL+ (RFC 7888), IDLE
 * (2177), UIDPLUS (4315), NAMESPACE (2342), UNSELECT (3691), ID (2971), SASL-IR (4959),
 * MOVE (6851), SPECIAL-USE (6154), CHILDREN (3348) and ENABLE (5161).
 *
 * One struct imapd serves one net, on its thread.  It reads the store itself, on
 * snapshots, and writes through the store's writer: a tagged OK means that what was asked
 * for is on stable storage.  Sessions learn from the writer, right after the commit, that
 * their mailbox changed.  Searches that must read messages run on a worker's threads.
 *
 * Messages go from the store's map to the network by reference, held in the store until
 * the network has them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct imapd;
struct io;
struct log;
struct net;
struct sasl;
struct store;
struct tls;
struct verify_job;
struct worker;

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define IMAPD_LIMITS(L)								\
	L(line_max,	     65536, 8000, 1 << 20,				\
	  "octets of a line of a command (RFC 2683 3.2.1.5: at least 8000)")	\
	L(literal_max,	     65536, 1024, 1 << 20,				\
	  "octets of a literal that is not a message")				\
	L(command_max,	    262144, 8000, 1 << 24,				\
	  "octets of a command, without a message")				\
	L(message_max,	  52428800, 65536, 1 << 30,				\
	  "octets of a message that is appended")				\
	L(memory_max,	 268435456, 65536, UINT64_C(1) << 40,			\
	  "octets of all messages that are being appended")			\
	L(client_memory_max, 134217728, 65536, UINT64_C(1) << 40,		\
	  "octets of those that one client address appends")			\
	L(messages_max,	   1000000, 1000, 1 << 24,				\
	  "messages of a mailbox that is opened")				\
	L(idle_s,	      1800,    1, 86400,				\
	  "seconds without a command or progress (RFC 3501 5.4: at least 1800)") \
	L(login_s,		60,    1, 86400,				\
	  "seconds from the greeting to a login")				\
	L(login_fails_max,	 3,    1, 1000,					\
	  "wrong passwords of a session")					\
	L(login_delay_ms,     2000,    0, 60000,				\
	  "wait before a wrong password is answered")				\
	L(errors_max,		50,    1, 1 << 20,				\
	  "refused commands of a session")					\
	L(per_client_max,	50,    1, 1 << 20,				\
	  "sessions of one client address at once")				\
	L(per_user_max,		50,    1, 1 << 20,				\
	  "sessions of one user at once")
/* clang-format on */

struct imapd_limits {
#define L(name, initial, least, most, text) uint64_t name;
	IMAPD_LIMITS(L)
#undef L
};

struct imapd_conf {
	const char *host;      /* our name, in the greeting */
	const struct log *log; /* one line a login; NULL: none */
	struct tls *tls;       /* for STARTTLS; NULL: it is not offered */
	uint64_t seed;	       /* of the table of clients */
	bool allow_plain;      /* a password may be shown without TLS */
	struct imapd_limits limits;
};

/* The defaults; @host is still to be set. */
void imapd_conf_init(struct imapd_conf *conf);

struct imapd_ops {
	/*
	 * As verify_submit(), for the user that @job->name is, and verify_cancel():
	 * @job->done is called on any thread, perhaps before they return.
	 */
	bool (*verify)(void *arg, struct verify_job *job);
	void (*cancel)(void *arg, struct verify_job *job);
	/* Seconds since 1970. */
	uint64_t (*wall_s)(void *arg);
};

/* @conf and @ops are copied, the texts they point to are not.  0 or -errno. */
int imapd_new(struct net *net, const struct imapd_conf *conf, const struct imapd_ops *ops,
	      void *ops_arg, struct imapd **imapd);
/* Before the first session, and until imapd_free(). */
void imapd_open(struct imapd *imapd, struct store *store, struct worker *worker);
/* For connections from now on; NULL: STARTTLS is not offered.  It stays the caller's. */
void imapd_set_tls(struct imapd *imapd, struct tls *tls);
/* Before the first session, and until imapd_free(); without it there is no AUTHENTICATE. */
void imapd_set_sasl(struct imapd *imapd, struct sasl *sasl);
/* A net_accept function: @imapd is its argument. */
void imapd_accept(void *imapd, struct io *io);
/* The same for connections that begin with TLS (RFC 8314); only with conf.tls. */
void imapd_accept_tls(void *imapd, struct io *io);
/* The same for @user, who is known already: of a local socket. */
void imapd_accept_user(struct imapd *imapd, struct io *io, const char *user);

/*
 * The end, in order: imapd_stop() ends every session, once what it has with the store,
 * the worker or the verifier is back, and refuses new ones; the program turns the net
 * until imapd_busy() is false; imapd_free() aborts what is left.  Messages still being
 * sent stay held until their connections are gone: with net_free() at the latest.
 */
void imapd_stop(struct imapd *imapd);
/* Something is with the store, the worker or the verifier, or on its way back. */
bool imapd_busy(const struct imapd *imapd);
void imapd_free(struct imapd *imapd);

/* clang-format off */
#define IMAPD_COUNTERS(C)						\
	C(sessions,	   "sessions begun")				\
	C(sessions_open,   "sessions open now")				\
	C(refused_excess,  "sessions refused: too many at once")	\
	C(refused_client,  "sessions refused: too many of one client")	\
	C(refused_user,	   "logins refused: too many sessions of one user") \
	C(tls_sessions,	   "sessions secured by TLS")			\
	C(tls_failures,	   "sessions ended: no agreement on TLS")	\
	C(logins,	   "logins")					\
	C(login_failures,  "wrong passwords")				\
	C(unavailable,	   "commands refused: store, worker or verifier not ready") \
	C(selects,	   "mailboxes opened")				\
	C(fetched,	   "messages asked for by FETCH")		\
	C(bytes,	   "octets of messages sent")			\
	C(appended,	   "messages appended")				\
	C(copied,	   "messages copied")				\
	C(moved,	   "messages moved")				\
	C(expunged,	   "messages deleted")				\
	C(searches,	   "searches")					\
	C(searches_deep,   "searches that read messages")		\
	C(idles,	   "IDLEs begun")				\
	C(news,		   "changes by others told to a session in IDLE") \
	C(summaries,	   "envelopes and structures made")		\
	C(append_memory,   "octets of messages being appended now")	\
	C(bad_commands,	   "commands refused")				\
	C(timeouts,	   "sessions ended: nothing came for too long")	\
	C(too_many_errors, "sessions ended: too many refused commands")	\
	C(lost,		   "sessions ended by the client without LOGOUT")
/* clang-format on */

struct imapd_stats {
#define C(name, text) uint64_t name;
	IMAPD_COUNTERS(C)
#undef C
};

/* Valid as long as @imapd; for its own thread. */
const struct imapd_stats *imapd_stats(const struct imapd *imapd);
