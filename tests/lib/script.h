/*
 * A .pkt script: what happens when, as text that the player (player.h) plays.
 *
 * The language is a part of packetdrill's; tests/script/README.md tells all of it.
 *
 *	--cc=reno				an option, before all events
 *	0	socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 *	+.1	< S 0:0(0) win 65535 <mss 1460>	the peer sends
 *	+0	> S. 0:0(0) ack 1 <mss 1460>	the stack must have sent
 *	+0~+.2	> . 1:1(0) ack 1001		... at some time in a range
 *	+0...1	accept(3, ..., ...) = 4		a call that waits, and when it is through
 *	+0	? cwnd 10, state ESTABLISHED	what must be true
 *
 * This file finds lines, times and what kind a line is; what it says is read when it is
 * played.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_ERROR_LEN = 1024, SCRIPT_NAME_LEN = 128 };

enum script_kind { SCRIPT_CALL, SCRIPT_IN, SCRIPT_OUT, SCRIPT_LOOK };

enum script_family { SCRIPT_IP4 = 1 << 0, SCRIPT_IP6 = 1 << 1 };

struct script_event {
	unsigned line;
	enum script_kind kind;
	unsigned peer; /* of packets: 1 when the line names none */
	bool relative; /* to the event before; else to the beginning */
	bool waits;    /* a call that blocks until @to_ns */
	uint64_t from_ns, to_ns;
	char *text; /* behind the time and the sign of the kind */
};

struct script_option {
	unsigned line;
	char *name, *value;
};

struct script {
	char name[SCRIPT_NAME_LEN]; /* of the file, without folders and ".pkt" */
	unsigned families;	    /* enum script_family: where it is played */
	char *text;		    /* all others point into it */
	unsigned n_options, n_events;
	struct script_option *options;
	struct script_event *events;
};

/* A script from @text, which is copied; NULL and a sentence in @error. */
struct script *script_parse(const char *name, const char *text,
			    char error[static SCRIPT_ERROR_LEN]);
/* The same from a file. */
struct script *script_read(const char *path, char error[static SCRIPT_ERROR_LEN]);
void script_free(struct script *s);
