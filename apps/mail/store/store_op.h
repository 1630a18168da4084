/*
 * What can be asked of the store's writer: one struct store_op for each change.
 *
 * An operation happens as a whole or not at all.  The caller keeps it, and all it points
 * to, from store_submit() until ->done; then what it asks to be told is filled in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/mail/store/store_words.h"

enum {
	STORE_MAILBOXES_MAX = 1000,	/* names of one user */
	STORE_SUBSCRIPTIONS_MAX = 1000, /* of one user */
	STORE_VANISHED_MAX = 16384,	/* expunges that a mailbox remembers */
	STORE_SUMMARY_MAX = 64 << 10,	/* bytes noted about a message */
	STORE_LAZY_MS = 1000,		/* so long may a lazy operation wait for others */
};

enum store_op_kind {
	STORE_DELIVER,
	STORE_EXPUNGE,
	STORE_FLAGS,
	STORE_APPEND,
	STORE_COPY,
	STORE_CREATE,
	STORE_DELETE,
	STORE_RENAME,
	STORE_SUBSCRIBE,
	STORE_CLAIM,
	STORE_SUMMARY,
	STORE_SPOOL, /* nothing but @spool */
};

/* To each of @users in INBOX. */
struct store_deliver {
	const struct str *users;
	size_t n_users;		 /* may be 0 when it is for the spool */
	const struct str *head;	 /* per user: bytes put before the message (Return-Path,
				    Delivered-To); may be NULL */
	const struct str *parts; /* the message, in pieces; one copy is stored */
	size_t n_parts;
	uint64_t date_s; /* internal date, seconds since 1970 */
	uint32_t *uids;	 /* per user: its UID, filled in; may be NULL */
};

/* UIDs that are not there (any more) are passed over. */
struct store_expunge {
	struct str user, mailbox;
	uint32_t box;	      /* this mailbox instead, when not 0 */
	const uint32_t *uids; /* rising */
	size_t n_uids;
	uint64_t modseq; /* filled in: of the mailbox, now */
};

struct store_flags {
	struct str user, mailbox;
	uint32_t box;	      /* this mailbox instead, when not 0 */
	const uint32_t *uids; /* rising; passed over when not there */
	size_t n_uids;
	uint32_t remove, add; /* enum store_flag and known keywords, in this order */
	/* Keywords to add, which the mailbox may have to learn; -EDQUOT: too many. */
	const struct store_keywords *learn;
	/* UNCHANGEDSINCE of RFC 7162: with @modified, messages that changed after this
	 * stay as they are and are entered there, where there is room for all. */
	uint64_t unchanged_since;
	uint32_t *modified;
	size_t n_modified; /* filled in */
	uint64_t modseq;   /* filled in: of the mailbox, now */
};

/* Into a mailbox that must exist, INBOX excepted. */
struct store_append {
	struct str user, mailbox;
	const struct str *parts;
	size_t n_parts;
	uint64_t date_s;
	uint32_t flags;			       /* enum store_flag */
	const struct store_keywords *keywords; /* may be NULL */
	struct str summary;		       /* may be empty, see store_summarize */
	uint32_t uid_validity, uid;	       /* filled in */
};

/*
 * From one mailbox of @user to another that must exist, INBOX excepted; flags and dates
 * go along, keywords as far as there is room for them.
 */
struct store_copy {
	struct str user, mailbox; /* to where */
	uint32_t box;		  /* from where */
	bool move;
	const uint32_t *uids; /* rising; passed over when not there */
	size_t n_uids;
	uint32_t uid_validity; /* filled in: of the mailbox to which they went */
	uint32_t *from, *to;   /* filled in: UIDs there and here; room for all */
	size_t n_copied;       /* filled in */
};

/* With the levels above it.  -EEXIST; -EDQUOT. */
struct store_create {
	struct str user, mailbox;
	uint32_t uses; /* enum store_use */
};

/*
 * The mailbox with its messages; its name stays while there are others below it, but
 * nothing is in it.  -EPERM: INBOX.  -ENOTEMPTY: it is but a name already.
 */
struct store_delete {
	struct str user, mailbox;
};

/*
 * With all below it, and the levels above the new name.  INBOX (RFC 3501 6.3.5) stays,
 * with what is below it, and its messages move.  -EEXIST; -EDQUOT; -EINVAL: also when a
 * name would become too long, or come below itself.
 */
struct store_rename {
	struct str user, mailbox, to;
};

/* Any name, also of no mailbox.  -EDQUOT. */
struct store_subscribe {
	struct str user, mailbox;
	bool off; /* unsubscribe; -ENOENT */
};

/* The caller takes what is recent (RFC 3501 2.3.2) as told to it alone. */
struct store_claim {
	uint32_t box;
	uint32_t uid_next;   /* it was told of messages below this one */
	uint32_t uid_recent; /* filled in: those from here on are the caller's */
};

/* Notes about messages, for any reader; of a message that is gone it is dropped. */
struct store_summary {
	uint64_t msg;
	struct str bytes; /* at most STORE_SUMMARY_MAX */
};

struct store_summarize {
	const struct store_summary *at;
	size_t n;
};

struct spool_op;

struct store_op {
	struct store_op *next; /* the store's, as is the next */
	uint64_t bytes;	       /* of the message */
	/*
	 * 0; -ENOSPC: disk or map is full; -EIO: the disk failed; -ENOENT: no such
	 * mailbox; -EINVAL: a name or head that cannot be stored; -ENOMEM; and what the
	 * kind says.
	 */
	int result;
	/*
	 * Called by the writer thread after the commit (or the failure), in the order
	 * of submission, with all other operations of the same commit right before or
	 * behind.  Must not block; usually posts to a net.  The op is the caller's again.
	 */
	void (*done)(struct store_op *op);
	enum store_op_kind kind;
	struct spool_op *spool; /* done in the same transaction (spool.h); may be NULL */
	bool lazy; /* may wait STORE_LAZY_MS for others, and go with their commit */
	union {
		struct store_deliver deliver;
		struct store_expunge expunge;
		struct store_flags flags;
		struct store_append append;
		struct store_copy copy;
		struct store_create create;
		struct store_delete delete;
		struct store_rename rename;
		struct store_subscribe subscribe;
		struct store_claim claim;
		struct store_summarize summarize;
	};
};
