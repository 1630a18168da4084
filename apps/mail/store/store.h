/*
 * The mail store: messages in wire form and mailboxes that name them.
 *
 * Writes go to one writer thread, which commits everything that waits in one
 * transaction (adaptive group commit: alone, at once; in a crowd, together), and are
 * answered when they are on stable storage, not before.  Reads are done by any
 * thread on a snapshot, straight from the map.
 *
 * Layout (engine_lmdb.c), all numbers big-endian so that keys sort:
 *   "msg"    message number u64           -> checksum u32, flags, bytes as they came
 *   "box"    user NUL mailbox             -> uidvalidity, uidnext, modseq, counts, box id
 *   "idx"    box id u32, uid u32          -> message, flags, size, date, modseq
 * A message is stored once for all its recipients and goes with its last index entry.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum {
	STORE_MAILBOX_NAME_MAX = 255,
	STORE_QUEUE_MAX = 4096, /* writes that may wait */
	STORE_ERROR_LEN = 256,
};

enum store_flag {
	STORE_SEEN = 1 << 0,
	STORE_ANSWERED = 1 << 1,
	STORE_FLAGGED = 1 << 2,
	STORE_DELETED = 1 << 3,
	STORE_DRAFT = 1 << 4,
};

struct store_conf {
	const char *dir;   /* made when missing, 0700 */
	uint64_t map_len;  /* most bytes the store may ever have */
	uint64_t free_min; /* refuse new mail with fewer bytes free on the disk */
};

struct store;

/* 0; or -errno and a sentence in @error. */
int store_open(const struct store_conf *conf, struct store **store,
	       char error[STORE_ERROR_LEN]);
/* Commits what waits, then closes. */
void store_close(struct store *store);

/* A write that waits; the caller keeps it until @done was called. */
struct store_op {
	struct store_op *next; /* the store's */
	int result;	       /* 0; -ENOSPC, -EIO, -EBUSY (queue full), -ENOENT */
	/*
	 * Called by the writer thread after the commit (or the failure), with all other
	 * operations of the same commit right before or behind.  Usually posts to a net.
	 */
	void (*done)(struct store_op *op);
	enum store_op_kind { STORE_DELIVER, STORE_EXPUNGE } kind;
	union {
		struct {
			const struct str *users; /* each gets it in INBOX */
			size_t n_users;
			const struct str *head; /* per user: bytes put before the message
						   (Return-Path, Delivered-To); may be NULL */
			const struct str
				*parts; /* the message, in pieces; one copy is stored */
			size_t n_parts;
			uint64_t date_s; /* internal date, seconds since 1970 */
		} deliver;
		struct {
			struct str user, mailbox;
			const uint32_t *uids; /* sorted */
			size_t n_uids;
		} expunge;
	};
};

/* Queues @op.  False: the queue is full, nothing will be called. */
bool store_submit(struct store *store, struct store_op *op);

/* One message of a mailbox, as its index says. */
struct store_msg {
	uint32_t uid;
	uint32_t flags; /* enum store_flag */
	uint64_t size;	/* octets as sent to a client */
	uint64_t date_s, modseq;
	uint64_t msg; /* number of the message */
};

struct store_box_info {
	uint32_t uid_validity, uid_next, n_messages;
	uint64_t modseq, n_bytes;
};

/* A snapshot for reading, of one thread; short-lived (it keeps old pages alive). */
struct store_read;
int store_read_begin(struct store *store, struct store_read **read);
void store_read_end(struct store_read *read);
/* 0 or -ENOENT.  INBOX always exists for every user. */
int store_box_info(struct store_read *read, struct str user, struct str mailbox,
		   struct store_box_info *info);
/* All messages of a mailbox by rising UID.  0 or -errno; free() *msgs. */
int store_box_list(struct store_read *read, struct str user, struct str mailbox,
		   struct store_msg **msgs, size_t *n);
/*
 * The bytes of a message, in the map: valid until store_read_end().  0; -ENOENT; -EIO
 * when its checksum does not fit.  Two pieces: what stands before it for this user,
 * and the message itself.
 */
int store_msg_bytes(struct store_read *read, struct str user, const struct store_msg *msg,
		    struct str pieces[2]);

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

void store_stats(struct store *store, struct store_stats *stats);
/* Walks everything and checks that it fits together: `packetboat fsck` and the crash
 * test.  Number of faults; each is given to @say. */
uint64_t store_check(struct store *store, void (*say)(void *arg, const char *line),
		     void *arg);
