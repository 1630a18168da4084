/*
 * The mail store: messages in wire form and mailboxes that name them.
 *
 * Writes go to one writer thread, which commits everything that waits in one
 * transaction (adaptive group commit: alone, at once; in a crowd, together), and are
 * answered when they are on stable storage, not before.  Reads are done by any
 * thread on a snapshot, straight from the map.
 *
 * A message is stored once for all its recipients, as it came (lines end in CRLF), and
 * never changes; it goes with the last index entry that names it.  record.h draws the
 * bytes, engine.h is what keeps them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/mail/store/store_op.h"

enum {
	STORE_MSG_MAX = 1 << 30,	/* bytes of a message */
	STORE_HEAD_MAX = 1024,		/* bytes before a message, per recipient */
	STORE_QUEUE_MAX = 4096,		/* writes that may wait */
	STORE_TXN_OPS_MAX = 512,	/* writes in one transaction */
	STORE_TXN_BYTES_MAX = 32 << 20, /* and bytes, beyond its first write */
	STORE_ERROR_LEN = 256,
};

struct store_conf {
	const char *dir;   /* made when missing, 0700 */
	uint64_t map_len;  /* most bytes the store may ever have */
	uint64_t free_min; /* refuse new mail with fewer bytes free on the disk */
	uint64_t now_s; /* seconds since 1970: new mailboxes' UIDVALIDITY begins here */
};

struct store;

/*
 * 0; or -errno and a sentence in @error: -EBUSY, another process has it open; -EUCLEAN,
 * the file is not a store or is damaged (it is left as it is).
 */
int store_open(const struct store_conf *conf, struct store **store,
	       char error[STORE_ERROR_LEN]);
/* Commits what waits, then closes.  No snapshot and no hold may be out. */
void store_close(struct store *store);

/* Queues @op, from any thread.  False: the queue is full, nothing will be called. */
bool store_submit(struct store *store, struct store_op *op);
/* Bytes of mail that would be accepted now: for MAIL FROM with SIZE.  From any thread. */
uint64_t store_room(struct store *store);

/* How the store is, for a line in the log when that changes.  From any thread. */
enum store_health {
	STORE_WELL,
	STORE_FULL,    /* mail was or would be refused for want of space */
	STORE_FAILING, /* the disk failed the last write, or a record cannot be read */
};
enum store_health store_health(struct store *store);

/* One message of a mailbox, as its index says. */
struct store_msg {
	uint64_t msg;	 /* number of the message */
	uint64_t size;	 /* octets as sent to a client */
	uint64_t date_s; /* internal date */
	uint64_t modseq; /* RFC 7162; of its last change */
	uint32_t box;	 /* number of the mailbox */
	uint32_t uid;
	uint32_t flags; /* enum store_flag, and keywords */
};

struct store_box_info {
	uint32_t uid_validity; /* never the same for two mailboxes of one name */
	uint32_t uid_next;
	uint32_t n_messages, n_unseen;
	uint32_t uses;		 /* enum store_use */
	uint32_t uid_recent;	 /* messages from here on were told to nobody */
	uint64_t modseq;	 /* highest given to any change of this mailbox */
	uint64_t modseq_flags;	 /* ... and to a change of flags */
	uint64_t vanished_since; /* expunges up to here are not remembered */
	uint32_t n_vanished;	 /* records of expunges */
	uint64_t n_bytes;
};

/*
 * A snapshot for reading, used by one thread at a time; short-lived, since it keeps every
 * page alive that is given up meanwhile.  What must last longer is held, see below.
 * 0; -EAGAIN: too many at once; -EIO; -ENOMEM.
 */
struct store_read;
int store_read_begin(struct store *store, struct store_read **read);
void store_read_end(struct store_read *read);
/*
 * 0, -ENOENT or -EIO.  INBOX always exists for every user: before its first message it
 * is empty and its uid_validity is 0, "not yet given".
 */
int store_box_info(struct store_read *read, struct str user, struct str mailbox,
		   struct store_box_info *info);
/* All messages of a mailbox by rising UID.  0 or -errno; free() *msgs. */
int store_box_list(struct store_read *read, struct str user, struct str mailbox,
		   struct store_msg **msgs, size_t *n);
/*
 * The bytes of a message, in the map: valid until store_read_end().  0; -ENOENT; -EIO
 * when its checksum does not fit.  Two pieces: what stands before it for this recipient,
 * and the message itself.
 */
int store_msg_bytes(struct store_read *read, const struct store_msg *msg,
		    struct str pieces[2]);

/*
 * A message whose bytes stay where they are until it is released, without a snapshot: a
 * slow client costs the writer nothing.  If it is expunged meanwhile, it is gone from its
 * mailbox at once and from the disk after the release.
 */
struct store_hold {
	struct str pieces[2]; /* as store_msg_bytes() gives them */
};
/* From any thread.  0; -ENOENT: expunged since it was listed; -EIO, -EAGAIN, -ENOMEM. */
int store_hold(struct store *store, const struct store_msg *msg,
	       struct store_hold **hold);
/* The same, but its bytes are not to be used before store_hold_check() said that they
 * are whole: for a thread that cannot wait until a large message is read. */
int store_hold_unread(struct store *store, const struct store_msg *msg,
		      struct store_hold **hold);
/* Reads @n more bytes.  1: they are whole; 0: ask again; -EIO: the checksum does not fit. */
int store_hold_check(struct store_hold *hold, size_t n);
/* From any thread. */
void store_release(struct store *store, struct store_hold *hold);

/* clang-format off */
#define STORE_COUNTERS(C)						\
	C(commits,	"transactions committed to stable storage")	\
	C(delivered,	"messages delivered, by recipient")		\
	C(expunged,	"messages deleted")				\
	C(failed,	"operations that failed")			\
	C(batch_max,	"most operations in one transaction")		\
	C(bytes_in,	"bytes of messages stored")			\
	C(refused_full,	"operations refused because the queue was full") \
	C(refused_space, "operations refused for want of space")
/* clang-format on */

struct store_stats {
#define C(name, text) uint64_t name;
	STORE_COUNTERS(C)
#undef C
};

/* From any thread. */
void store_stats(struct store *store, struct store_stats *stats);
/*
 * Walks everything, reads every message, and checks that it fits together: for the crash
 * test, and for whoever doubts a store.  Number of faults; each is given to @say.
 */
uint64_t store_check(struct store *store, void (*say)(void *arg, const char *line),
		     void *arg);
