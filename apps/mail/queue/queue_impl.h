/*
 * The inside of the queue.
 *
 *	READY row in the store --scan--> dest (in memory) --> runs --> item --> settle
 *
 * queue.c has destinations and runs, load.c their items, settle.c what became of items,
 * report.c what their senders are told, walk.c what befalls all items of a destination,
 * ask.c those who keep the queue, call.c those who call for their mail.
 */
#pragma once

#include "apps/lib/handoff.h"
#include "apps/lib/net.h"
#include "apps/mail/queue/bounce.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/queue/sched.h"
#include "apps/mail/store/spool.h"
#include "stack/base/list.h"
#include "stack/base/log.h"
#include "stack/base/rng.h"

enum {
	QUEUE_FETCH = 32,	/* items of a destination known by number ahead of time */
	QUEUE_TAKEN_MAX = 256,	/* of a destination: being sent or committed */
	QUEUE_WINDOW_FIRST = 2, /* runs of a destination before one got through */
	QUEUE_WALK_BATCH = 64,	/* items changed in one commit */
	QUEUE_WALKS_MAX = 64,	/* of queue_retry_dest(), at once */
	QUEUE_SLEEP_MAX_MS = 60000,
	QUEUE_AGAIN_MS = 1000, /* behind a commit that failed, or a store that is busy */
};

struct queue {
	struct net *net;
	struct store *store;
	struct queue_conf conf;
	struct sched_conf sched;
	struct queue_ops ops;
	void *ops_arg;
	struct queue_stats stats;
	struct rng rng;
	struct log_limit log_limit;
	struct handoff commits; /* settles that are with the store */
	struct list again;	/* settles whose commit is tried again */
	struct list dests;
	struct net_timer wake; /* when the next destination is ready, */
	struct net_timer work; /* ops.work() in the next turn, */
	struct net_timer look; /* and commits once more */
	struct list walks;     /* of queue_retry_dest() */
	unsigned n_walks;
	uint64_t serial; /* of the last report */
	bool stopped;
};

/* A destination at work. */
struct queue_dest {
	struct list node;
	struct queue *queue;
	struct list runs;
	unsigned n_runs, window;
	uint32_t fails;	    /* in a row, as in the store */
	bool got_through;   /* since it is at work */
	bool dry;	    /* nothing more was due when we looked */
	bool failing;	    /* everything is being put off: nobody takes an item */
	bool sick;	    /* something could not be read: not again at once */
	uint64_t called_ms; /* since then one run has it all; 0: nobody called */
	struct queue_walk *walk;
	/* Items that are out: ids, in no order. */
	unsigned n_taken;
	uint64_t taken[QUEUE_TAKEN_MAX];
	/* Items to take next, and where the search goes on. */
	unsigned n_fetched, at_fetched;
	uint64_t fetched[QUEUE_FETCH];
	uint64_t from_due_ms, from_id;
	size_t name_len;
	char name[SPOOL_DEST_MAX];
};

struct queue_run {
	struct list node; /* in dest->runs */
	struct queue_dest *dest;
	struct queue_taken *item;
	bool got_through;
	bool is_called;
};

/* An item that is out, and what is known of it by now. */
struct queue_taken {
	struct queue_item item;
	struct store_hold *hold;
	enum queue_result results[ENVELOPE_RCPTS_MAX];
	bool spoken_of[ENVELOPE_RCPTS_MAX];
	char *texts; /* of all replies; SMTP_REPLY_TEXT_MAX octets each */
	char *bytes; /* in which the envelope's slices are */
};

/* queue.c */
struct queue_dest *queue_dest_find(struct queue *q, struct str name);
/* It is at work; it failed @fails times in a row.  NULL: no memory. */
struct queue_dest *queue_dest_new(struct queue *q, struct str name, uint32_t fails);
/* NULL: no memory, and @d may be gone. */
struct queue_run *queue_run_new(struct queue_dest *d);
/* From now on all items of it are due that nobody holds and that were not tried since
 * @now_ms, and no other run begins; 0: no longer. */
void queue_dest_call(struct queue_dest *d, uint64_t now_ms);
bool queue_is_taken(const struct queue_dest *d, uint64_t id);
/* Notes that it is out.  False: QUEUE_TAKEN_MAX are. */
bool queue_take(struct queue_dest *d, uint64_t id);
void queue_untake(struct queue_dest *d, uint64_t id);
/* Frees @d when nothing of it is out. */
void queue_dest_look(struct queue_dest *d);
/* ops.work() soon. */
void queue_work_soon(struct queue *q);

/* load.c */
/* Something that is due then is for the destination now. */
bool queue_is_due(const struct queue_dest *d, uint64_t due_ms);
/* Loads an item that is due, with its message.  NULL: it is not, or cannot be read; a
 * damaged one is held. */
struct queue_taken *queue_load(struct queue_dest *d, uint64_t id);
void queue_taken_free(struct queue *q, struct queue_taken *t);

/*
 * settle.c: a commit that says what became of items.
 */
struct queue_settle {
	struct handoff_item back;
	struct list again;
	struct store_op op;
	struct spool_op spool;
	struct queue *queue;
	struct queue_dest *dest;  /* of the items, if it is at work */
	struct queue_taken *item; /* of one item: freed with us */
	struct queue_walk *walk;  /* is told */
	/* The report, if there is one. */
	char *text;
	struct str parts[3];
	struct str *users;   /* its readers here, with what stands in front for each */
	struct spool_op *on; /* its way to those elsewhere */
	char *bytes;	     /* the changed envelope, or a name */
	struct spool_change changes[];
};

/* Decides about an item by its results and age, and commits.  0 or -ENOMEM: it is as
 * before, and the caller's. */
int queue_settle_item(struct queue *q, struct queue_dest *d, struct queue_taken *t,
		      struct queue_walk *walk);
/* report.c: what the sender is told of @told, and its way, goes with @s.  0, also when
 * there is nobody to tell; -ENOMEM. */
int queue_report(struct queue_settle *s, const struct queue_taken *t,
		 const struct bounce_rcpt *told, size_t n_told, bool any_failed);
/* For changes of items alone; NULL: no memory.  Room for @n of them. */
struct queue_settle *queue_settle_new(struct queue *q, size_t n);
/* Commits a settle that is filled in. */
void queue_settle_submit(struct queue_settle *s);
/* handoff_take of queue->commits. */
void queue_settled(void *queue, struct handoff_item *item);
/* Tries those again whose commit failed. */
void queue_settle_again(struct queue *q);

/*
 * walk.c: something that befalls all items of a destination, in commits of so many at once.
 */
struct queue_walk {
	struct list node; /* in queue->walks, of queue_retry_dest() */
	struct queue *queue;
	struct queue_dest *dest; /* NULL: for queue_retry_dest() */
	size_t name_len;
	char name[SPOOL_DEST_MAX];
	uint64_t from_due_ms, from_id, until_ms, now_ms;
	unsigned n_out; /* commits that did not come back */
	bool at_end;
	enum queue_result result; /* of a destination that failed */
	struct str remote;
	struct envelope_reply reply;
	char remote_text[ENVELOPE_TEXT_MAX], reply_text[SMTP_REPLY_TEXT_MAX];
};

/* Everything due at @d got the same result.  0 or -ENOMEM. */
int queue_walk_fail(struct queue_dest *d, enum queue_result result, struct str remote,
		    const struct envelope_reply *reply);
/* A commit of it came back. */
void queue_walk_settled(struct queue_walk *w);
