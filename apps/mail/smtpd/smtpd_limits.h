/*
 * What bounds a client of smtpd, and all of them: every limit has a name, a default, and
 * what it may be set to.  packetboatd makes an option of each (packetboatd.conf(5)).
 */
#pragma once

#include <stdint.h>

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define SMTPD_LIMITS(L)								\
	L(message_max,	   50 << 20, 1 << 16, 1 << 30,				\
	  "octets of a message, as SIZE tells (RFC 1870)")			\
	L(memory_max,	  256 << 20, 1 << 20, UINT64_C(1) << 40,		\
	  "octets of all messages being received or committed")			\
	L(client_memory_max, 64 << 20, 1 << 16, UINT64_C(1) << 40,		\
	  "octets of those that one client address sends")			\
	L(rcpts_max,	       1000,	 100,	10000,				\
	  "recipients of a message (RFC 5321 4.5.3.1.8: at least 100)")		\
	L(line_max,	       2048,	 512,	32768,				\
	  "octets of a command with its CRLF (RFC 5321 4.5.3.1.4: at least 512)") \
	L(header_max,	    1 << 20, 1 << 12,  1 << 30,				\
	  "octets of a message's header")					\
	L(header_fields_max,   1000,	 100, 1000000,				\
	  "fields of a message's header")					\
	L(header_line_max,     8192,	1000,  1 << 20,				\
	  "octets of a header line with its CRLF (RFC 5322 2.1.1: at least 1000)") \
	L(hops_max,		100,	  10,	10000,				\
	  "Received fields: more is a loop (RFC 5321 6.3: at least 100)")	\
	L(errors_max,		 20,	   1,  1 << 20,				\
	  "refused commands of a session without a message between")		\
	L(junk_max,		100,	  10,  1 << 20,				\
	  "commands that lead to nothing, NOOP and such, likewise")		\
	L(login_fails_max,	  3,	   1,	 1000,				\
	  "wrong passwords of a session")					\
	L(login_delay_ms,      2000,	   0,	60000,				\
	  "wait before a wrong password is answered")				\
	L(per_client_max,	 50,	   1,  1 << 20,				\
	  "sessions of one client address at once")				\
	L(command_s,		300,	   1,	86400,				\
	  "seconds until a command must have come whole (RFC 5321 4.5.3.2.7)")	\
	L(data_rate_min,	500,	   0,  1 << 30,				\
	  "octets a second a message must come with, but for command_s in all") \
	L(greet_delay_ms,	  0,	   0,	60000,				\
	  "wait before the greeting, for those who do not wait for it")		\
	L(busy_percent,		 80,	   1,	  100,				\
	  "of sessions, memory or commits in use: beyond, greetings come late")	\
	L(busy_delay_ms,      10000,	   0,	60000,				\
	  "how late when all is in use; it grows from busy_percent on")
/* clang-format on */

struct smtpd_limits {
#define L(name, initial, least, most, text) uint64_t name;
	SMTPD_LIMITS(L)
#undef L
};
