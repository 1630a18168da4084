#include "apps/packetboatd/control_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/ctl.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/wire/rfc5322.h"
#include "apps/packetboatd/appliance.h"
#include "stack/base/clock.h"

enum { CELL_LEN = 512, LIST_CELLS = 8, ID_DIGITS_MAX = 16 };

const char *const control_queue_columns[] = { "item",  "destination", "from",
					      "rcpts", "age_s",	      "attempts",
					      "next",  "last",	      NULL };
const char *const control_item_columns[] = { "what", "value", NULL };

struct walk {
	struct ctl_reply *to;
	struct store_read *read;
	uint64_t now_ms;
	unsigned n;
};

static const char *slice(struct str s, char out[static CELL_LEN])
{
	snprintf(out, CELL_LEN, "%.*s", (int)s.len, s.p);
	return out;
}

static const char *number(uint64_t n, char out[static CELL_LEN])
{
	snprintf(out, CELL_LEN, "%" PRIu64, n);
	return out;
}

/* When it is tried: "held", "now", or in so many seconds.  With its destination put off,
 * not before that is over. */
static const char *next(struct store_read *read, const struct spool_item *item,
			uint64_t now_ms, char out[static CELL_LEN])
{
	struct spool_dest dest = { 0 };
	uint64_t at_ms = item->due_ms;

	if (at_ms == SPOOL_NEVER)
		return "held";
	if (spool_get_dest(read, item->dest, &dest) == 0 && dest.put_off_ms > at_ms)
		at_ms = dest.put_off_ms;
	if (at_ms <= now_ms)
		return "now";
	snprintf(out, CELL_LEN, "%" PRIu64 "s", (at_ms - now_ms) / 1000);
	return out;
}

static const char *reply(const struct envelope_reply *r, char out[static CELL_LEN])
{
	if (r->code > 0)
		snprintf(out, CELL_LEN, "%u %.*s", r->code, (int)r->text.len, r->text.p);
	else
		slice(r->text, out);
	return out;
}

static bool list_item(void *arg, const struct spool_item *item)
{
	char texts[LIST_CELLS][CELL_LEN];
	struct envelope *env = malloc(sizeof(*env));
	struct walk *l = arg;
	bool more;

	if (!env || !envelope_parse(item->bytes, env)) {
		free(env);
		return true; /* counted as damaged when its time comes */
	}
	snprintf(texts[0], CELL_LEN, "%" PRIx64, item->id);
	more = ctl_row(l->to,
		       (const char *[]){
			       texts[0],
			       slice(item->dest, texts[1]),
			       slice(env->from, texts[2]),
			       number(env->n_rcpts, texts[3]),
			       number((l->now_ms - env->arrived_ms) / 1000, texts[4]),
			       number(env->n_attempts, texts[5]),
			       next(l->read, item, l->now_ms, texts[6]),
			       reply(&env->rcpts[0].last, texts[7]),
		       },
		       LIST_CELLS);
	free(env);
	return more && ++l->n < CONTROL_QUEUE_ROWS_MAX;
}

void control_queue_list(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;
	struct walk l = { .to = to, .now_ms = clock_wall_ns() / NS_PER_MS };

	if (store_read_begin(a->store, &l.read) < 0) {
		ctl_fail(to, "the store cannot be read now");
		return;
	}
	(void)spool_each(l.read, 0, list_item, &l);
	store_read_end(l.read);
}

static bool parse_id(struct str words, uint64_t *id)
{
	char text[ID_DIGITS_MAX + 1], *end;

	if (words.len == 0 || words.len > ID_DIGITS_MAX)
		return false;
	memcpy(text, words.p, words.len);
	text[words.len] = '\0';
	if (strspn(text, "0123456789abcdef") != words.len)
		return false;
	*id = strtoull(text, &end, 16);
	return true;
}

static void row(struct ctl_reply *to, const char *what, const char *value)
{
	ctl_row(to, (const char *[]){ what, value }, 2);
}

static void date_row(struct ctl_reply *to, const char *what, uint64_t ms)
{
	char date[RFC5322_DATE_LEN];

	rfc5322_date(ms / 1000, date);
	row(to, what, ms > 0 ? date : "never");
}

static void show(struct ctl_reply *to, struct store_read *read,
		 const struct spool_item *item, const struct envelope *env)
{
	char text[CELL_LEN];

	row(to, "destination", slice(item->dest, text));
	row(to, "from", slice(env->from, text));
	row(to, "id", slice(env->id, text));
	date_row(to, "arrived", env->arrived_ms);
	row(to, "attempts", number(env->n_attempts, text));
	date_row(to, "last attempt", env->last_ms);
	row(to, "next attempt", next(read, item, clock_wall_ns() / NS_PER_MS, text));
	row(to, "sender warned", env->warned ? "yes" : "no");
	row(to, "remote", slice(env->remote, text));
	for (size_t i = 0; i < env->n_rcpts; i++) {
		row(to, "to", slice(env->rcpts[i].addr, text));
		row(to, "said", reply(&env->rcpts[i].last, text));
	}
}

void control_queue_show(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;
	struct envelope *env = malloc(sizeof(*env));
	struct store_read *read;
	struct spool_item item;
	uint64_t id;

	if (!env || !parse_id(ctl_words(to), &id)) {
		ctl_fail(to, "that is no item; allowed: a number as in queue list");
	} else if (store_read_begin(a->store, &read) < 0) {
		ctl_fail(to, "the store cannot be read now");
	} else {
		if (spool_get(read, id, &item) < 0)
			ctl_fail(to, "there is no such item");
		else if (!envelope_parse(item.bytes, env))
			ctl_fail(to, "the item is damaged");
		else
			show(to, read, &item, env);
		store_read_end(read);
	}
	free(env);
}

/* Tells what was done with what. */
static void say_done(struct ctl_reply *to, int r, const char *what)
{
	char text[CELL_LEN];

	if (r == -ENOENT)
		ctl_fail(to, "there is no such item");
	else if (r == -EBUSY)
		ctl_fail(to, "another destination is being retried, try again");
	else if (r < 0)
		ctl_fail(to, strerror(-r));
	else
		row(to, what, slice(ctl_words(to), text));
}

static void change(struct appliance *a, struct ctl_reply *to,
		   int (*fn)(struct queue *queue, uint64_t id), const char *what)
{
	uint64_t id;

	say_done(to, parse_id(ctl_words(to), &id) ? fn(a->queue, id) : -ENOENT, what);
}

void control_queue_retry(void *arg, struct ctl_reply *to)
{
	struct appliance *a = arg;
	struct str words = ctl_words(to);
	uint64_t id, n = 0;
	int r;

	relay_called(a->relay);
	/* A domain has a dot, or is a literal; an item has digits only. */
	if (words.len == 0 || parse_id(words, &id)) {
		change(a, to, queue_retry, "retried");
		return;
	}
	r = queue_call(a->queue, words, false, &n);
	if (r == -ENOENT || (r == 0 && n == 0))
		ctl_fail(to, "nothing waits for it that is not held");
	else
		say_done(to, r, "retried");
}

void control_queue_hold(void *arg, struct ctl_reply *to)
{
	change(arg, to, queue_hold, "held");
}

void control_queue_remove(void *arg, struct ctl_reply *to)
{
	change(arg, to, queue_remove, "removed");
}
