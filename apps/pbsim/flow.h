/*
 * Flows: two programs and the connection between them.  For flow.c and flow_*.c.
 *
 *	start_ns: the client connects -> begin() -> client() and server() when their
 *	sockets have news, tick() when the client's time has come -> flow_finish()
 *
 * Programs run inside the turn of their host.
 */
#pragma once

#include "apps/pbsim/pbsim_impl.h"

enum {
	FLOW_SAMPLES_MAX = 1 << 22, /* later answers are counted and not dated */
	FLOW_LINE_MAX = 128,
	FLOW_FIRST_PORT = 1024,
};

/* One socket of a flow. */
struct end {
	struct talk *talk;
	struct host *host;
	int sock;	 /* -1: none */
	uint32_t events; /* enum pb_ready_event that it waits for */
	uint32_t told;	 /* what it was told last */
	void (*on)(struct end *e, uint32_t events, uint64_t now_ns);
	uint64_t got; /* bytes read */
	uint64_t
		to_send; /* bytes that mean nothing, to be written; UINT64_MAX: on and on */
};

struct talk_ops {
	const char *name;
	/* The client is connected. */
	void (*begin)(struct talk *t, uint64_t now_ns);
	/* The time of flow_at() has come.  May be NULL. */
	void (*tick)(struct talk *t, uint64_t now_ns);
	/* Both are told enum pb_ready_event. */
	void (*client)(struct end *e, uint32_t events, uint64_t now_ns);
	void (*server)(struct end *e, uint32_t events, uint64_t now_ns);
	/* stop_ns has come. */
	void (*stop)(struct talk *t, uint64_t now_ns);
};

extern const struct talk_ops talk_bulk_ops, talk_rr_ops, talk_onoff_ops, talk_mail_ops;

struct talk {
	struct pbsim *s;
	const struct talk_ops *ops;
	unsigned number;
	struct pbsim_flow conf;
	char name[PBSIM_NAME_LEN], cc[16];
	struct event event; /* the client's clock */
	uint64_t tick_ns;   /* EVENT_NEVER: none */
	struct end client, server, listener;
	uint16_t port; /* 0: not open */
	struct rng rng;
	struct pbsim_result result;
	bool begun, connected, over;
	/* rr, mail: */
	uint64_t asked_ns;   /* when the question was written */
	uint64_t n_answered; /* by the server */
	uint64_t *sample;    /* ns that each answer took */
	uint32_t n_samples, samples_room;
	bool sorted;
	/* onoff: */
	bool on;
	uint64_t toggle_ns;
	/* mail: */
	unsigned step;
	uint64_t body_left;
	bool in_data;
	struct flow_line {
		char text[FLOW_LINE_MAX];
		unsigned len;
	} client_line, server_line;
	/* What pbsim_segment is told: */
	bool seen_syn;
	uint32_t first_seq; /* of the first byte */
	uint64_t edge;	    /* bytes that left so far */
};

/* ---- flow.c ---- */

/* tick() is called at @at_ns, EVENT_NEVER: not any more. */
void flow_at(struct talk *t, uint64_t at_ns);
/* The set tells of these, beside errors. */
void flow_want(struct end *e, uint32_t events);
/* Bytes read and forgotten, up to @max: how many; *eof: the peer is through. */
uint64_t flow_read(struct end *e, uint64_t max, bool *eof);
/* Writes what is to be sent as far as it goes, and waits for room if it must.  True: all
 * is written. */
bool flow_write(struct end *e);
/* An answer came, of a question asked at asked_ns. */
void flow_sample(struct talk *t, uint64_t now_ns);
/* The client sends no more, and waits for the peer's end. */
void flow_shut(struct talk *t);
/* Closes the socket; of the client, notes what became of it. */
void flow_close(struct end *e);
/* All was done. */
void flow_over(struct talk *t, uint64_t now_ns);
