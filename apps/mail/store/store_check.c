/*
 * Looks at every record of a snapshot and compares what they say of each other:
 *
 *	each name leads to a mailbox of its own, or has others below it; each mailbox has a
 *	name, and each level above it is one
 *	each mailbox counts what its entries are, and has given no UID or modseq beyond
 *	each expunge that is remembered is of a mailbox, and its UIDs are not there
 *	each entry names a message and knows its size
 *	each message is whole, and named as often as is noted; a dead one by nobody
 *	each item of the spool names a message; spool_check.c compares its tables
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/spool_impl.h"
#include "apps/mail/store/store_impl.h"

enum { LINE_LEN = 512 };

/* One entry's word about a message; an item of the spool knows no size. */
#define ANY_LEN UINT64_MAX
struct word {
	uint64_t msg, len;
};

struct check {
	struct engine_txn *txn;
	struct record_state state;
	void (*say)(void *arg, const char *line);
	void *arg;
	uint64_t n_faults;
	/* Mailboxes that have a name, sorted. */
	uint32_t *boxes;
	size_t n_boxes, room_boxes;
	/* What entries say, sorted by message; @at is the next one to be compared. */
	struct word *words;
	size_t n_words, room_words, at;
	/* The mailbox whose entries are being walked, as they add up. */
	struct store_box_info sum;
	uint32_t box;
	struct store_keywords keywords;
};

__attribute__((format(printf, 2, 3))) static void fault(struct check *c,
							const char *format, ...)
{
	char line[LINE_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	c->n_faults++;
	c->say(c->arg, line);
}

/* Room for one more in an array; false: no memory. */
static bool grow(void **array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 1024;
	void *bigger;

	if (n < *room)
		return true;
	bigger = reallocarray(*array, more, size);
	if (!bigger)
		return false;
	*array = bigger;
	*room = more;
	return true;
}

/* Calls @look for each record of a table. */
static void walk(struct check *c, enum engine_table table, const char *name,
		 void (*look)(struct check *c, struct str key, struct str value))
{
	const struct engine_ops *ops = c->txn->engine->ops;
	struct engine_cursor *cursor;
	struct str key, value;
	int rc = ops->cursor_open(c->txn, table, (struct str){ 0 }, &cursor);

	if (rc == 0) {
		while ((rc = ops->cursor_next(cursor, &key, &value)) == 1)
			look(c, key, value);
		ops->cursor_close(cursor);
	}
	if (rc)
		fault(c, "table %s: %s", name, strerror(-rc));
}

static void look_above(struct check *c, struct str user, struct str mailbox)
{
	const char *slash = memrchr(mailbox.p, '/', mailbox.len);
	uint32_t box;

	if (slash &&
	    mailbox_find(c->txn, user,
			 (struct str){ mailbox.p, (size_t)(slash - mailbox.p) }, &box))
		fault(c, "a name lacks the one above it: %.*s", (int)mailbox.len,
		      mailbox.p);
}

static void look_at_name(struct check *c, struct str key, struct str value)
{
	struct str user, mailbox;
	uint32_t box;

	if (record_parse_name(key, &user, &mailbox))
		look_above(c, user, mailbox);
	else
		fault(c, "a name of %zu bytes is none", key.len);
	if (!record_parse_count(value, &box)) {
		fault(c, "a name leads nowhere");
		return;
	}
	if (box == 0)
		return; /* it was deleted, and others were below */
	if (!grow((void **)&c->boxes, c->n_boxes, &c->room_boxes, sizeof(*c->boxes))) {
		fault(c, "out of memory");
		return;
	}
	c->boxes[c->n_boxes++] = box;
}

static int compare_boxes(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void check_names(struct check *c)
{
	struct store_box_info info;

	walk(c, ENGINE_NAME, "name", look_at_name);
	if (c->n_boxes > 0)
		qsort(c->boxes, c->n_boxes, sizeof(*c->boxes), compare_boxes);
	for (size_t i = 0; i < c->n_boxes; i++) {
		uint32_t box = c->boxes[i];

		if (i > 0 && c->boxes[i - 1] == box)
			fault(c, "mailbox %" PRIu32 " has two names", box);
		if (box >= c->state.next_box)
			fault(c, "mailbox %" PRIu32 " was never given", box);
		if (mailbox_load(c->txn, box, &info))
			fault(c, "mailbox %" PRIu32 " has a name but no record", box);
	}
}

static void add_word(struct check *c, uint64_t msg, uint64_t len)
{
	if (grow((void **)&c->words, c->n_words, &c->room_words, sizeof(*c->words)))
		c->words[c->n_words++] = (struct word){ msg, len };
	else
		fault(c, "out of memory");
}

static void look_at_entry(struct check *c, uint32_t uid, struct str value)
{
	struct record_entry e;

	if (uid == 0 || !record_parse_entry(value, &e)) {
		fault(c, "mailbox %" PRIu32 ", UID %" PRIu32 ": cannot be read", c->box,
		      uid);
		return;
	}
	c->sum.n_messages++;
	c->sum.n_unseen += !(e.msg.flags & STORE_SEEN);
	c->sum.n_bytes += e.msg.size;
	c->sum.uid_next = uid + 1;
	if (e.msg.modseq > c->sum.modseq)
		c->sum.modseq = e.msg.modseq;
	if (e.msg.flags >> STORE_KEYWORD_BIT >> c->keywords.n)
		fault(c, "mailbox %" PRIu32 ", UID %" PRIu32 ": a keyword has no name",
		      c->box, uid);
	add_word(c, e.msg.msg, e.msg.size - e.head.len);
}

static uint32_t count_vanished(struct check *c)
{
	struct record_vanished *v;
	struct record_entry e;
	size_t n;

	if (mailbox_list_vanished(c->txn, c->box, 0, SIZE_MAX, &v, &n))
		return UINT32_MAX;
	for (size_t i = 0; i < n; i++)
		if (v[i].first > v[i].last || v[i].last >= RECORD_UID_BOX ||
		    mailbox_get_entry(c->txn, c->box, v[i].first, &e) != -ENOENT ||
		    mailbox_get_entry(c->txn, c->box, v[i].last, &e) != -ENOENT)
			fault(c, "mailbox %" PRIu32 ": UID %" PRIu32 " is not gone",
			      c->box, v[i].first);
	free(v);
	return (uint32_t)n;
}

static void end_box(struct check *c, struct str value)
{
	const struct store_box_info *sum = &c->sum;
	struct store_box_info info;

	if (!record_parse_box(value, &info)) {
		fault(c, "mailbox %" PRIu32 ": cannot be read", c->box);
		return;
	}
	if (info.n_messages != sum->n_messages || info.n_unseen != sum->n_unseen ||
	    info.n_bytes != sum->n_bytes)
		fault(c,
		      "mailbox %" PRIu32 ": counts %" PRIu32 " messages, %" PRIu32
		      " unseen, %" PRIu64 " bytes; has %" PRIu32 ", %" PRIu32
		      ", %" PRIu64,
		      c->box, info.n_messages, info.n_unseen, info.n_bytes,
		      sum->n_messages, sum->n_unseen, sum->n_bytes);
	if (info.uid_next < sum->uid_next || info.modseq < sum->modseq ||
	    info.uid_next == 0)
		fault(c, "mailbox %" PRIu32 ": will give a UID or modseq again", c->box);
	if (info.n_vanished != count_vanished(c))
		fault(c, "mailbox %" PRIu32 ": remembers other expunges than it says",
		      c->box);
	if (info.uid_recent == 0 || info.uid_recent > info.uid_next ||
	    info.vanished_since > info.modseq || info.modseq_flags > info.modseq)
		fault(c, "mailbox %" PRIu32 ": speaks of what never was", c->box);
	if (info.uid_validity == 0 || info.uid_validity > c->state.last_uid_validity)
		fault(c, "mailbox %" PRIu32 ": its UIDVALIDITY was never given", c->box);
}

static void look_at_box(struct check *c, struct str key, struct str value)
{
	uint32_t box, uid;

	if (!record_parse_box_key(key, &box, &uid)) {
		fault(c, "an entry's key has %zu bytes", key.len);
		return;
	}
	if (box != c->box) {
		c->box = box;
		c->sum = (struct store_box_info){ 0 };
		c->keywords.n = 0;
		if (c->n_boxes == 0 || !bsearch(&box, c->boxes, c->n_boxes,
						sizeof(*c->boxes), compare_boxes))
			fault(c, "mailbox %" PRIu32 " has no name", box);
	}
	if (uid == RECORD_UID_KEYWORDS && record_parse_keywords(value, &c->keywords))
		return;
	if (uid == RECORD_UID_BOX)
		end_box(c, value);
	else
		look_at_entry(c, uid, value);
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return (x->msg > y->msg) - (x->msg < y->msg);
}

/* Entries that name messages below @msg, which are not there. */
static void pass_words(struct check *c, uint64_t msg)
{
	for (; c->at < c->n_words && c->words[c->at].msg < msg; c->at++)
		fault(c, "message %" PRIu64 " has an entry but is not there",
		      c->words[c->at].msg);
}

static void check_count(struct check *c, uint64_t msg, uint32_t n_entries)
{
	char key[RECORD_MSG_KEY_LEN];
	uint32_t n_noted;
	struct str none;
	int rc;

	record_emit_msg_key(key, msg);
	rc = engine_get(c->txn, ENGINE_DEAD, RECORD_STR(key), &none);
	if (rc == -ENOENT)
		rc = message_n_entries(c->txn, msg, &n_noted);
	else
		n_noted = 0;
	if (rc || n_noted != n_entries)
		fault(c, "message %" PRIu64 " has %" PRIu32 " entries, noted %" PRIu32,
		      msg, n_entries, rc ? 0 : n_noted);
}

static void look_at_message(struct check *c, struct str key, struct str value)
{
	struct record_head head = { 0 };
	uint32_t n_entries = 0;
	struct str bytes;
	uint64_t msg;
	bool whole;

	if (!record_parse_msg_key(key, &msg)) {
		fault(c, "a message's key has %zu bytes", key.len);
		return;
	}
	whole = record_parse_head(value, &head, &bytes) &&
		message_is_whole(msg, &head, bytes);
	if (!whole)
		fault(c, "message %" PRIu64 " is damaged", msg);
	if (msg >= c->state.next_msg)
		fault(c, "message %" PRIu64 " was never given", msg);
	pass_words(c, msg);
	for (; c->at < c->n_words && c->words[c->at].msg == msg; c->at++) {
		n_entries++;
		if (whole && c->words[c->at].len != ANY_LEN &&
		    c->words[c->at].len != head.len)
			fault(c, "message %" PRIu64 " has another size in an entry", msg);
	}
	check_count(c, msg, n_entries);
}

static void look_at_note(struct check *c, struct str key, struct str value)
{
	struct str message;

	(void)value;
	if (engine_get(c->txn, ENGINE_MSG, key, &message))
		fault(c, "something is noted of a message that is not there");
}

static void look_at_subscription(struct check *c, struct str key, struct str value)
{
	struct str user, mailbox;

	if (!record_parse_name(key, &user, &mailbox) || value.len != 0)
		fault(c, "a subscription cannot be read");
}

static void look_at_vanished(struct check *c, struct str key, struct str value)
{
	struct record_vanished v;
	uint32_t box;

	if (!record_parse_vanished_key(key, &box, &v) ||
	    !record_parse_count(value, &v.last))
		fault(c, "the memory of an expunge cannot be read");
	else if (c->n_boxes == 0 ||
		 !bsearch(&box, c->boxes, c->n_boxes, sizeof(*c->boxes), compare_boxes))
		fault(c, "mailbox %" PRIu32 " is gone, but remembers an expunge", box);
}

static void item_fault(void *arg, const char *what, uint64_t id)
{
	fault(arg, "item %" PRIu64 ": %s", id, what);
}

static void item_word(void *arg, uint64_t msg)
{
	add_word(arg, msg, ANY_LEN);
}

static void check_all(struct check *c)
{
	struct spool_check spool = {
		.txn = c->txn, .fault = item_fault, .word = item_word, .arg = c
	};
	struct str value;

	if (engine_get(c->txn, ENGINE_STATE, STR("state"), &value) ||
	    !record_parse_state(value, &c->state))
		fault(c, "the store's own record cannot be read");
	check_names(c);
	walk(c, ENGINE_BOX, "box", look_at_box);
	spool.next_msg = c->state.next_msg;
	spool_check(&spool);
	if (c->n_words > 0)
		qsort(c->words, c->n_words, sizeof(*c->words), compare_words);
	walk(c, ENGINE_MSG, "msg", look_at_message);
	pass_words(c, UINT64_MAX);
	walk(c, ENGINE_REF, "ref", look_at_note);
	walk(c, ENGINE_DEAD, "dead", look_at_note);
	walk(c, ENGINE_SUMMARY, "summary", look_at_note);
	walk(c, ENGINE_SUB, "sub", look_at_subscription);
	walk(c, ENGINE_VANISHED, "vanished", look_at_vanished);
}

uint64_t store_check(struct store *store, void (*say)(void *arg, const char *line),
		     void *arg)
{
	struct check c = { .say = say, .arg = arg };
	int rc = store->engine->ops->begin(store->engine, false, &c.txn);

	if (rc) {
		fault(&c, "no snapshot: %s", strerror(-rc));
		return c.n_faults;
	}
	check_all(&c);
	store->engine->ops->abort(c.txn);
	free(c.boxes);
	free(c.words);
	return c.n_faults;
}
