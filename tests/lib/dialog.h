/*
 * Dialogues with a line-based service, as text files (tests/dialog).
 *
 *	# a comment; empty lines are skipped
 *	C: EHLO client.example		the client says a line (CRLF is added)
 *	C| half a li\x6ee\n		it says just that
 *	C* 100 NOOP			it says a line a hundred times
 *	S: 250 mx.example		the next line the service said is this
 *	S^ 250 2.0.0			... begins with this
 *	S~ 250 .*			... matches this extended regular expression
 *	S* 100 250 2.0.0		the next hundred lines begin with this
 *	C2: NOOP			the same with a second client (1 to 9)
 *	NOTHING				nothing more was said
 *	CLOSED				nothing more was said, and the service said FIN
 *	RESET				the connection was reset by the service
 *	FIN				the client sends no more
 *	GONE				the client resets the connection
 *	CUT 3				from here on bytes arrive three at a time
 *	WINDOW 100			the client reads only so many more bytes
 *	TLS				the client begins TLS; all after that is encrypted
 *	TLS 1.1				... and knows nothing newer; that must fail
 *	TIME_PASSES 300s		or ms
 *	! words				something about the service, for the test's hook
 *	M: text				the next line of what the hook found (M^ and M~, too)
 *	MEND				there is no more of it
 *
 * In a text \r \n \t \0 \\ and \xNN stand for bytes.  A client connects when it is first
 * mentioned.  CLOSED, NOTHING and so on of another client: CLOSED2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/net.h"

enum { DIALOG_ERROR_LEN = 512, DIALOG_CLIENTS = 9 };

struct dialog {
	struct net *net;   /* of tests/lib/net_mem.h */
	const char *where; /* the service: "192.0.2.1:25" */
	size_t cut;	   /* bytes that arrive at a time; 0: as the file says */
	/* Runs "words".  False: it does not know them.  May set @found. */
	bool (*hook)(struct dialog *d, const char *words);
	/* Something is with another thread, which will post it to the net: the player
	 * waits for it before it looks.  May be NULL. */
	bool (*busy)(struct dialog *d);
	void *arg;   /* the hook's */
	char *found; /* text that M lines look at; the hook allocates it */
	char error[DIALOG_ERROR_LEN];
};

/* False: something went otherwise, and @error says "file:line: what".  Clients that are
 * still there at the end go. */
bool dialog_play(struct dialog *d, const char *path);
/* Replaces escapes in place; returns the length.  For hooks. */
size_t dialog_unescape(char *text);
