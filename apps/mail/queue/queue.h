/*
 * The queue: what lies in the spool, and who takes it from there when.
 *
 * One struct queue serves one net, on its thread.  A sender (apps/mail/relay) asks it for
 * work and says what became of it:
 *
 *	queue_next()  ->  a run: one way to one destination, as a connection will be
 *	  queue_run_item()  ->  an item that is due, with its message
 *	    queue_item_rcpt()	what was said of a recipient
 *	    queue_item_done()	behind it the item is the queue's
 *	  queue_run_fail()	nobody there takes mail now, or ever
 *	queue_run_end()
 *
 * What became of an item is one commit: it is taken out, or its envelope and time are
 * changed, and the bounce is delivered to its sender here, or begins its own way.  A commit
 * that fails is tried again until it succeeds: what was sent is not sent twice for that.
 *
 * A destination has a window of runs, which grows with each item that goes through and
 * shrinks when one fails; one that cannot be reached is put off as a whole, longer each time, and
 * what comes for it meanwhile waits without a try.  Memory is bounded by the number of
 * destinations at work (dests_max), whatever waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/queue/envelope.h"
#include "apps/mail/queue/mail_to.h"
#include "apps/mail/store/store.h"

struct log;
struct net;
struct queue;
struct queue_run;

/* clang-format off */
/* Name, default, least, most, what it bounds. */
#define QUEUE_LIMITS(L)								\
	L(retry_first_s,      300,  1,     86400,				\
	  "seconds to the second attempt; each further wait is twice as long")	\
	L(retry_most_s,	    14400,  1,   10 * 86400,				\
	  "the longest wait between two attempts")				\
	L(warn_s,	    14400,  0,   30 * 86400,				\
	  "age at which the sender is told that it takes long; 0: never")	\
	L(give_up_s,	5 * 86400,  1,  365 * 86400,				\
	  "age at which a message is given up (RFC 5321 4.5.4.1: 4 to 5 days)")	\
	L(dests_max,	     1000,  1,   1 << 20,				\
	  "destinations at work at once")					\
	L(per_dest_max,	       20,  1,      1000,				\
	  "connections to one destination at once")				\
	L(bounce_whole_max, 50000,  0,   1 << 30,				\
	  "octets of a message that a bounce gives whole, not only its header")
/* clang-format on */

struct queue_limits {
#define L(name, initial, least, most, text) uint64_t name;
	QUEUE_LIMITS(L)
#undef L
};

struct queue_conf {
	const char *host;      /* ours: in bounces */
	const struct log *log; /* one line an item that is done; NULL: none */
	uint64_t seed;
	struct queue_limits limits;
};

/* The defaults; @host is still to be set. */
void queue_conf_init(struct queue_conf *conf);

struct queue_ops {
	/* Where does a report to "local@domain" go?  How many are in *to, valid until the
	 * net's next turn or the next find(); 0: to nobody. */
	size_t (*find)(void *arg, struct str addr, const struct mail_to **to);
	/* As store_submit(). */
	bool (*submit)(void *arg, struct store_op *op);
	/* Milliseconds since 1970. */
	uint64_t (*wall_ms)(void *arg);
	/* There may be something for queue_next() and queue_run_item().  Called from the net's
	 * loop, not from inside a function of the queue. */
	void (*work)(void *arg);
};

/* @store is read; texts of @conf stay the caller's.  0 or -errno. */
int queue_new(struct net *net, struct store *store, const struct queue_conf *conf,
	      const struct queue_ops *ops, void *ops_arg, struct queue **queue);
/* No commit is awaited and no walk goes on. */
bool queue_busy(const struct queue *queue);
/* No new commits but those that say what became of items. */
void queue_stop(struct queue *queue);
/* All runs have ended, and it is not busy. */
void queue_free(struct queue *queue);
/* These items were committed just now. */
void queue_spooled(struct queue *queue, const struct spool_op *op);

/* A destination that has something to do and may have one more run.  NULL: none, work()
 * will be called. */
struct queue_run *queue_next(struct queue *queue);
/*
 * A run for who calls for the mail for @dest, in letters of any case, and takes it himself
 * (RFC 2645): it has every item that is not held, due or not, each once, and is never failed
 * (queue_run_fail()).  0; -ENOENT: nothing waits; -EBUSY: something is done with all of it
 * already; or another -errno.
 */
int queue_run_called(struct queue *queue, struct str dest, struct queue_run **run);
/* It has as many items out as may be: work() is called when there may be one more. */
bool queue_run_is_full(const struct queue_run *run);
/* Valid as long as the run. */
struct str queue_run_dest(const struct queue_run *run);

struct queue_item {
	uint64_t id;
	struct envelope env; /* its recipients are those to send to */
	struct str message;
};

/* The next item that is due, the run's until it is done.  NULL: none now. */
struct queue_item *queue_run_item(struct queue_run *run);

enum queue_result {
	QUEUE_LATER, /* what nobody said anything about, too */
	QUEUE_SENT,
	QUEUE_FAILED,
};

/* What became of recipient @i, and who said it in which words; texts are copied. */
void queue_item_rcpt(struct queue_run *run, size_t i, enum queue_result result,
		     const struct envelope_reply *reply);
/*
 * The attempt is over; those who were not spoken of are QUEUE_LATER, with @reply.
 * @remote: who answered.
 */
void queue_item_done(struct queue_run *run, struct str remote,
		     const struct envelope_reply *reply);
/* There was no attempt: it is due as before. */
void queue_item_back(struct queue_run *run);
/*
 * The destination cannot be reached (QUEUE_LATER), or takes no mail (QUEUE_FAILED): so it is for
 * everything that is due there.  Only this run fails when others get through.
 */
void queue_run_fail(struct queue_run *run, enum queue_result result, struct str remote,
		    const struct envelope_reply *reply);
/* An item that was taken goes back. */
void queue_run_end(struct queue_run *run);

/* For those who keep the queue.  Done with the next commit.  0, -ENOENT; or as
 * store_read_begin(). */
int queue_hold(struct queue *queue, uint64_t id);
/* Also of an item that is held. */
int queue_retry(struct queue *queue, uint64_t id);
/* Without a word to its sender. */
int queue_remove(struct queue *queue, uint64_t id);
/* All items of a destination that are not held, now.  0; -EBUSY: too many such at once;
 * -ENOENT: it cannot be one; -ENOMEM. */
int queue_retry_dest(struct queue *queue, struct str dest);

enum {
	QUEUE_CALL_DESTS = 16,	/* destinations that are called at once */
	QUEUE_CALL_COUNT = 100, /* items that are counted of each */
};

/*
 * The same for who calls for its mail (RFC 1985): @dest, in letters of any case; with
 * @below, also destinations whose names end in "." and that, as many as QUEUE_CALL_DESTS.
 * What waits is in *n, or as much as was counted.  0; as queue_retry_dest(), or as
 * store_read_begin().
 */
int queue_call(struct queue *queue, struct str dest, bool below, uint64_t *n);

/* clang-format off */
#define QUEUE_COUNTERS(C)						\
	C(dests_open,	"destinations at work now")			\
	C(runs_open,	"connections, or attempts at them, now")	\
	C(items_taken,	"items being sent or committed now")		\
	C(attempts,	"items that were tried")			\
	C(sent,		"recipients delivered to other hosts")		\
	C(failed,	"recipients given up or refused for good")	\
	C(deferred,	"recipients left for another attempt")		\
	C(expired,	"recipients given up because of their age")	\
	C(bounces,	"reports of failure to senders")		\
	C(warnings,	"reports of delay to senders")			\
	C(no_bounce,	"failures of which nobody could be told")	\
	C(put_off,	"times a destination was put off")		\
	C(damaged,	"items that cannot be read")			\
	C(commit_again,	"commits that were tried again")
/* clang-format on */

struct queue_stats {
#define C(name, text) uint64_t name;
	QUEUE_COUNTERS(C)
#undef C
};

/* Valid as long as @queue; for its own thread. */
const struct queue_stats *queue_stats(const struct queue *queue);
