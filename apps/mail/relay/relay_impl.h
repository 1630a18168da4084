/*
 * The inside of the relay: relay.c has sessions, and connects; turn.c those that came to us.
 */
#pragma once

#include "apps/lib/dns.h"
#include "apps/lib/net.h"
#include "apps/lib/race.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/relay/mx.h"
#include "apps/mail/relay/relay.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"
#include "stack/base/rng.h"

enum { RELAY_DOWN_PLACES = 1024 };

/* A host that did not answer; or not in TLS, though it had offered it. */
struct relay_down {
	uint64_t until_ns;
	char where[NET_ADDR_TEXT_LEN];
};

struct relay {
	struct net *net;
	struct queue *queue;
	struct dns *dns;
	struct relay_conf conf;
	struct client_conf client;
	struct relay_stats stats;
	struct rng rng;
	struct hash_key key;
	struct list sessions;
	struct net_timer again; /* a session ended */
	bool stopped;
	/* By hash; the last one counts. */
	struct relay_down downs[RELAY_DOWN_PLACES], clears[RELAY_DOWN_PLACES];
};

/* Domains of which the mail goes to who called for it. */
struct relay_turn {
	size_t at, n;
	struct str domains[RELAY_TURN_MAX];
	char text[RELAY_TURN_MAX][SPOOL_DEST_MAX];
};

struct relay_session {
	struct list node;
	struct relay *relay;
	struct queue_run *run;	 /* NULL: one that was turned has none at the moment */
	struct relay_turn *turn; /* NULL: we called */
	struct mx mx;
	struct race race;
	/* Addresses that lost: they were slow, not wrong, and have another turn when who
	 * won is of no use. */
	char lost[RACE_TRIES_MAX][NET_ADDR_TEXT_LEN];
	unsigned n_lost;
	struct client *client; /* NULL: looking for an address */
	struct net_timer idle;
	bool ready; /* the client waits for a message */
	struct queue_item *item;
	struct client_message message;
	struct str rcpts[ENVELOPE_RCPTS_MAX];
	unsigned n_messages;
	/* What was the matter with the addresses so far. */
	bool any_transient, any_failed;
	struct client_said said;
	char said_text[SMTP_REPLY_TEXT_MAX + 1];
	char where[NET_ADDR_TEXT_LEN], host[DNS_NAME_MAX + 1];
};

/* relay.c */
/* NULL: no memory.  @run may be NULL, of one that is turned. */
struct relay_session *relay_session_new(struct relay *r, struct queue_run *run);
void relay_session_end(struct relay_session *s);
extern const struct client_ops relay_client_ops;

/* turn.c: the run for the next domain of one that was turned.  0; or why there is none. */
int relay_turn_next(struct relay_session *s);
