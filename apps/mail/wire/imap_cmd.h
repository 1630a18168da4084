/*
 * An IMAP command as a struct: RFC 3501 6, with IDLE (RFC 2177), NAMESPACE (2342), ID
 * (2971), UNSELECT (3691), UIDPLUS (4315), SASL-IR (4959), ENABLE (5161), extended LIST
 * (5258, 5819), SPECIAL-USE (6154), MOVE (6851), and CONDSTORE and QRESYNC (7162).
 *
 * imap_parse.h makes it out of bytes.  Slices point into the reader's memory.  A
 * mailbox is named as it was written, in modified UTF-7 (utf7.h), but INBOX always so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_fetch.h"
#include "apps/mail/wire/imap_search.h"
#include "apps/mail/wire/imap_set.h"

enum {
	IMAP_KEYWORDS_MAX = 256, /* flags in one list */
	IMAP_WORDS_MAX = 64,	 /* capabilities to enable, patterns to list */
	IMAP_ID_PAIRS_MAX = 30,	 /* RFC 2971 3.3 */
};

enum imap_cmd_kind {
	IMAP_CAPABILITY,
	IMAP_NOOP,
	IMAP_LOGOUT,
	IMAP_ID,
	IMAP_STARTTLS,
	IMAP_AUTHENTICATE,
	IMAP_LOGIN,
	IMAP_ENABLE,
	IMAP_SELECT,
	IMAP_EXAMINE,
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_RENAME,
	IMAP_SUBSCRIBE,
	IMAP_UNSUBSCRIBE,
	IMAP_LIST,
	IMAP_LSUB,
	IMAP_NAMESPACE,
	IMAP_STATUS,
	IMAP_APPEND,
	IMAP_IDLE,
	IMAP_CHECK,
	IMAP_CLOSE,
	IMAP_UNSELECT,
	IMAP_EXPUNGE,
	IMAP_SEARCH,
	IMAP_FETCH,
	IMAP_STORE,
	IMAP_COPY,
	IMAP_MOVE,
	IMAP_N_CMDS,
};

/* The first five as the store numbers them. */
enum imap_flag {
	IMAP_SEEN = 1 << 0,
	IMAP_ANSWERED = 1 << 1,
	IMAP_FLAGGED = 1 << 2,
	IMAP_DELETED = 1 << 3,
	IMAP_DRAFT = 1 << 4,
	IMAP_RECENT = 1 << 5, /* never in what a client sets */
};

struct imap_flags {
	unsigned system; /* enum imap_flag */
	uint32_t n_keywords;
	const struct str *keywords; /* as written; may hold one twice */
};

struct imap_words {
	uint32_t n;
	const struct str *v;
};

/* RFC 6154 2. */
enum imap_use {
	IMAP_USE_ALL = 1 << 0,
	IMAP_USE_ARCHIVE = 1 << 1,
	IMAP_USE_DRAFTS = 1 << 2,
	IMAP_USE_FLAGGED = 1 << 3,
	IMAP_USE_JUNK = 1 << 4,
	IMAP_USE_SENT = 1 << 5,
	IMAP_USE_TRASH = 1 << 6,
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UIDNEXT = 1 << 2,
	IMAP_STATUS_UIDVALIDITY = 1 << 3,
	IMAP_STATUS_UNSEEN = 1 << 4,
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 5, /* RFC 7162 3.1.7 */
	IMAP_STATUS_N = 6,
};

enum imap_list_option {
	IMAP_LIST_SUBSCRIBED = 1 << 0,
	IMAP_LIST_REMOTE = 1 << 1,
	IMAP_LIST_RECURSIVEMATCH = 1 << 2, /* never alone */
	IMAP_LIST_SPECIAL_USE = 1 << 3,
	IMAP_LIST_CHILDREN = 1 << 4,
	IMAP_LIST_STATUS = 1 << 5,
};

struct imap_list {
	bool is_extended;	    /* it has what RFC 3501 has not */
	unsigned selects, returns;  /* enum imap_list_option */
	unsigned status;	    /* enum imap_status_item, with IMAP_LIST_STATUS */
	struct str reference;	    /* a prefix of the patterns */
	struct imap_words patterns; /* one or more; imap_pattern.h */
};

/* RFC 7162 3.2.5: what the client knows. */
struct imap_qresync {
	uint32_t uid_validity;
	uint64_t modseq;
	bool has_uids, has_match;
	struct imap_set uids;
	struct imap_set match_numbers, match_uids;
};

struct imap_select {
	struct str mailbox;
	bool condstore;
	bool has_qresync;
	struct imap_qresync qresync;
};

enum imap_store_how { IMAP_STORE_SET, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_store {
	struct imap_set set;
	enum imap_store_how how;
	bool is_silent;
	bool has_unchanged_since; /* RFC 7162 3.1.3 */
	uint64_t unchanged_since;
	struct imap_flags flags;
};

struct imap_append {
	struct str mailbox;
	struct imap_flags flags;
	bool has_date;
	int64_t date_s; /* since 1970 */
	uint64_t size;	/* octets of the message */
};

struct imap_cmd {
	enum imap_cmd_kind kind;
	bool is_uid; /* UID FETCH, UID STORE, ... UID EXPUNGE: its set holds UIDs */
	struct str tag;
	union {
		struct str mailbox; /* DELETE, SUBSCRIBE, UNSUBSCRIBE */
		struct {
			struct str mailbox;
			unsigned uses; /* enum imap_use (RFC 6154 3) */
		} create;
		struct {
			struct str from, to;
		} rename;
		struct {
			struct str user, password;
		} login;
		struct {
			struct str mechanism;
			bool has_initial;
			struct str initial; /* base64; empty for "=" */
		} authenticate;
		struct imap_words enable;
		/* Name, value, name, value...; a value that is NIL has a NULL p. */
		struct imap_words id;
		struct imap_select select; /* and EXAMINE */
		struct imap_list list;	   /* and LSUB */
		struct {
			struct str mailbox;
			unsigned items; /* enum imap_status_item */
		} status;
		struct imap_append append;
		struct imap_set expunge; /* with is_uid */
		struct imap_search search;
		struct imap_fetch fetch;
		struct imap_store store;
		struct {
			struct imap_set set;
			struct str mailbox;
		} copy; /* and MOVE */
	};
};
