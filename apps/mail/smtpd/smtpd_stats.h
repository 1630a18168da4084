/*
 * What smtpd counts.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
#define SMTPD_COUNTERS(C)						\
	C(sessions,	   "sessions begun")				\
	C(sessions_open,   "sessions open now")				\
	C(refused_excess,  "sessions refused: too many at once")	\
	C(refused_client,  "sessions refused: too many of one client")	\
	C(refused_busy,	   "sessions refused: memory or store full of messages") \
	C(late_greetings,  "greetings that came late, since we were busy") \
	C(early_talkers,   "sessions refused: spoke before the greeting") \
	C(tls_sessions,	   "sessions secured by TLS")			\
	C(tls_failures,	   "sessions ended: no agreement on TLS")	\
	C(logins,	   "logins")					\
	C(login_failures,  "wrong passwords")				\
	C(unavailable,	   "logins refused: verifier not ready, or too many wrong") \
	C(strangers,	   "messages refused: nobody had logged in")	\
	C(not_owned,	   "messages refused: the sender is another user") \
	C(messages,	   "messages accepted and committed")		\
	C(recipients,	   "recipients of accepted messages")		\
	C(relayed,	   "recipients of them at other hosts")		\
	C(bytes,	   "octets of accepted messages")		\
	C(again,	   "messages that had come before, not stored again") \
	C(messages_open,   "messages being received or committed now")	\
	C(memory,	   "octets of messages in memory now")		\
	C(rcpt_unknown,	   "recipients refused: no such user")		\
	C(rcpt_relay,	   "recipients refused: not our domain")	\
	C(expanded,	   "recipients that were aliases")		\
	C(moved,	   "recipients refused: the user moved, 551")	\
	C(rcpt_alias,	   "recipients refused: aliases loop, or lead too far") \
	C(called,	   "times somebody called for mail, ETRN")	\
	C(turned,	   "sessions turned, to take mail: ATRN and TURN") \
	C(rcpt_limit,	   "recipients refused: too many of one message") \
	C(bad_commands,	   "commands refused: syntax, order or parameter") \
	C(bare_line_ends,  "messages refused: bare CR, bare LF or NUL")	\
	C(too_big,	   "messages refused: bigger than SIZE")	\
	C(bad_header,	   "messages refused: header beyond its limits") \
	C(loops,	   "messages refused: too many hops, or sent on from here before")		\
	C(no_memory,	   "messages deferred: memory limit reached")	\
	C(no_share,	   "... because of the limit of one client")	\
	C(no_storage,	   "messages deferred: store full or failing")	\
	C(timeouts,	   "sessions ended: client too slow")		\
	C(too_many_errors, "sessions ended: too many refused commands")	\
	C(lost,		   "sessions ended by the client without QUIT")	\
	C(orphans,	   "messages committed after their session had ended")
/* clang-format on */

struct smtpd_stats {
#define C(name, text) uint64_t name;
	SMTPD_COUNTERS(C)
#undef C
};
