/*
 * A mailbox as a session sees it: message numbers, and what the client was told of them.
 *
 * The store goes on without us.  view_sync() takes in what changed: new messages behind
 * the others, flags in their place; what was expunged stays, marked, since its number is
 * the client's until EXPUNGE is said.  view_tell() says what is to be said, in an order
 * that RFC 3501 7.4.1 and 5.2 allow.
 *
 *	number     1      2      3      4      5
 *	msgs[]   told | told | told | new  | new
 *	                gone          <- n_told
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/mail/store/store_box.h"
#include "apps/mail/wire/imap_emit.h"

struct imapd_news;

enum {
	VIEW_RECENT = 1 << 0,
	VIEW_GONE = 1 << 1,    /* expunged, and not told */
	VIEW_CHANGED = 1 << 2, /* flags to be told */
};

struct view_msg {
	uint64_t msg, size, date_s, modseq;
	uint32_t uid, flags, marks;
};

struct imapd_view {
	uint32_t box;
	uint32_t uid_validity, uid_next;
	uint64_t modseq;
	bool is_read_only;
	bool has_new_keywords; /* to be told */
	struct imapd_news *news;
	struct view_msg *msgs;
	uint32_t n, room, n_max;
	uint32_t n_told, n_gone, n_changed, n_recent;
	struct store_keywords keywords;
	char keyword_text[STORE_KEYWORDS_MAX * STORE_KEYWORD_LEN_MAX];
};

/* Reads mailbox @box.  0; -ENOENT; -EFBIG: more than @n_max messages; or as store_box.h. */
int view_open(struct store_read *read, uint32_t box, uint32_t n_max,
	      struct imapd_view **view);
void view_free(struct imapd_view *v);

/* 0; -ENOENT: the mailbox is gone; or as above. */
int view_sync(struct imapd_view *v, struct store_read *read);
/* Only the names of keywords. */
int view_sync_keywords(struct imapd_view *v, struct store_read *read);
/* Marks messages from UID @uid_recent on. */
void view_mark_recent(struct imapd_view *v, uint32_t uid_recent);

/* The index of the message with that UID, or of the next one. */
uint32_t view_find(const struct imapd_view *v, uint32_t uid);
/* The index of the next message of a set, which is resolved; UINT32_MAX: no more. */
uint32_t view_next(const struct imapd_view *v, const struct imap_set *set, bool is_uid,
		   struct imap_set_at *at, uint32_t *index);
/* Puts the largest number in.  False: it names numbers that are not there (RFC 3501
 * 6.4.8: UIDs may). */
bool view_resolve(const struct imapd_view *v, struct imap_set *set, bool is_uid);

void view_mark_changed(struct imapd_view *v, uint32_t i);
/* The flags are told, or about to be.  True: they had to be. */
bool view_take_changed(struct imapd_view *v, uint32_t i);
/* "(\Seen $x)" */
void view_emit_flags(const struct imapd_view *v, uint32_t i, struct imap_emit *e);
/* Untagged FLAGS and PERMANENTFLAGS. */
void view_emit_all_flags(const struct imapd_view *v, struct imap_emit *e);
/* What is to be said; with @with_uid, FETCH says UIDs too.  True: new messages. */
bool view_tell(struct imapd_view *v, struct imap_emit *e, bool may_expunge,
	       bool with_uid);
