/*
 * The inside of the player:
 *
 *	player.c	the stack, time, and one event behind the other
 *	player_wire.c	packets as bytes
 *	player_seg.c	what is said about segments and messages in a line
 *	player_call.c	calls of the socket API
 *	player_opt.c	those that set and ask
 *	player_args.c	their arguments, and the names of constants
 *	player_look.c	what is asked about the stack's state
 *	player_info.c	... in the words of TCP_INFO
 */
#pragma once

#include <stdarg.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "tests/lib/player.h"
#include "tests/lib/tcp_line.h"

struct pb_core;
struct pb_stack;
struct port;
struct sim;

enum {
	PLAYER_PEERS = 10, /* number 0 is nobody */
	PLAYER_FDS = 64,
	PLAYER_WAITS = 8,
	PLAYER_PACKET_MAX = 65535,
	PLAYER_PORT = 8080,	  /* of the stack */
	PLAYER_PEER_PORT = 40000, /* and of peer number 0 */
	PLAYER_TICK_NS = 1000000, /* a timer may be late by so much: TCP counts in ms */
};

/* One peer's end of a connection. */
struct player_peer {
	uint16_t port, local_port;
	uint32_t isn, our_isn;
	bool fresh;	      /* the next SYN of ours tells @our_isn */
	uint32_t out_begin;   /* the number that the script gives our SYN ... */
	uint32_t in_begin;    /* ... and the peer's */
	bool know_ts, urgent; /* @ts_base is set; so is @urgent_at */
	uint32_t ts_base;     /* our timestamp that the script calls 0 */
	uint32_t urgent_at;   /* offset of the peer's urgent byte in its stream */
	uint8_t cookie_len,
		cookie[TCP_LINE_COOKIE]; /* of Fast Open, as we were given it */
};

/* A packet that the stack sent: the IP header as fields, then what follows it. */
struct player_sent {
	struct list node;
	uint64_t at_ns;
	uint8_t proto, tos, ttl;
	bool df;
	uint32_t len;
	uint8_t bytes[];
};

struct player_fd {
	int s; /* the stack's number */
	bool is_open, nonblock, oobinline;
	unsigned peer;
	uint32_t n_written, n_read;
};

struct player_call {
	const struct script_event *event; /* NULL: free */
	uint64_t at_ns, until_ns;	  /* a call that waits: so long */
	uint64_t wake_ns;		  /* when it must be tried again; 0: never */
	long result;
	int err;
	bool begun; /* a call that waits was tried before */
	long done;  /* bytes that it wrote before it waited */
};

struct player {
	const struct script *script;
	const struct script_event *event; /* of which errors speak */
	enum script_family family;
	FILE *trace;
	char *error;
	struct sim *sim;
	struct pkt_pool pool;
	struct port *far; /* our end */
	struct pb_stack *stack;
	struct pb_core *core;
	uint64_t start_ns, now_ns, base_ns; /* the script's 0; now; the last event */
	uint64_t tolerance_ns;
	unsigned mtu;
	struct list sent; /* and not yet expected */
	struct player_peer peers[PLAYER_PEERS];
	uint8_t cookie_len,
		cookie[TCP_LINE_COOKIE]; /* of Fast Open, that peers were given */
	struct player_fd fds[PLAYER_FDS];
	int last_fd; /* accepted or connected; -1: none */
	struct player_call waits[PLAYER_WAITS];
};

/* ---- player.c ---- */

/* Writes the sentence, with the event's place, to p->error.  False. */
bool player_fail(struct player *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Seconds since the script began. */
double player_seconds(const struct player *p, uint64_t at_ns);
/* Time goes on to @end_ns.  False: the stack sent something before. */
bool player_run(struct player *p, uint64_t end_ns);

/* ---- player_wire.c ---- */

/* The byte at @offset of either stream. */
uint8_t player_byte(uint32_t offset);
/* What the IP header of a packet says. */
struct player_ip {
	uint8_t proto, tos, ttl;
};
/* A packet of the peer's for the stack. */
void player_put(struct player *p, const struct player_ip *ip, const uint8_t *l4,
		uint32_t len);
/* Puts what the stack sent behind p->sent.  True: there was something. */
bool player_collect(struct player *p);
/* The Internet checksum of @len bytes to the stack (@in) or from it; 0xffff: good. */
uint16_t player_sum(const struct player *p, bool in, uint8_t proto, const uint8_t *l4,
		    uint32_t len);
/* The header that a packet from the stack has, of @len bytes behind it: for quotes.  Its
 * length. */
uint32_t player_header(const struct player *p, bool in, const struct player_ip *ip,
		       uint32_t len, uint8_t *out);
/* The oldest packet that was not expected yet, now the caller's to free(); NULL. */
struct player_sent *player_pop(struct player *p);

/* ---- player_seg.c ---- */

enum { PLAYER_TEXT_LEN = TCP_LINE_LEN + 64 };

bool player_in(struct player *p, const struct script_event *e);
/* @e->text is what @e expects, at a time up to @until_ns. */
bool player_out(struct player *p, const struct script_event *e, uint64_t from_ns,
		uint64_t until_ns);
/* A packet as the line that would expect it. */
const char *player_text(const struct player *p, const struct player_sent *s,
			char out[static PLAYER_TEXT_LEN]);

/* ---- player_args.c ---- */

enum { PLAYER_ARGS = 8 };

struct player_arg {
	const char *p;
	size_t len;
};

/* "name(a, [b], ...) = -1 EAGAIN (words)" taken apart. */
struct player_line {
	struct player_arg name, args[PLAYER_ARGS], result, err;
	unsigned n_args;
};

/* False, and a sentence in p->error. */
bool player_line(struct player *p, const char *text, struct player_line *l);
bool player_arg_is(const struct player_arg *a, const char *word);
/* A number, the name of one, or several with | between.  False: it is none. */
bool player_number(const struct player_arg *a, long *v);
/* What stands between the brackets that @a begins and ends with. */
bool player_inside(const struct player_arg *a, const char brackets[static 2],
		   struct player_arg *in);
/* The value of "name=value" in a list with commas. */
bool player_field(const struct player_arg *list, const char *name, struct player_arg *v);
/* "EAGAIN", or its number. */
const char *player_errno_name(int err);

/* ---- player_call.c ---- */

bool player_call(struct player *p, const struct script_event *e, uint64_t at_ns);
/* Calls that wait try again.  True: one came through. */
bool player_retry(struct player *p);
/* When to try again though nothing happened; UINT64_MAX: never. */
uint64_t player_wake(const struct player *p);
/* Nothing waits any more that should not: when it does, false. */
bool player_waits(struct player *p);
struct player_fd *player_fd(struct player *p, long number);
void player_close_all(struct player *p);

/* ---- player_look.c ---- */

bool player_look(struct player *p, const struct script_event *e);

/* ---- player_info.c ---- */

/* The field of that name of TCP_INFO.  False: there is none. */
bool player_info(int s, const char *name, uint64_t *value);
