/*
 * The store's records as bytes, keys and values of the engine's tables.  Numbers are
 * big-endian, so that keys sort as their numbers do.
 *
 * table           key                             value
 * ENGINE_STATE    "state"                         state, one for the whole store
 * ENGINE_NAME     user NUL mailbox                box u32; 0: no mailbox, only a name
 *                                                 above others
 * ENGINE_BOX      box u32, 0                      keywords of the mailbox, if any
 *                 box u32, uid u32                entry: one message of that mailbox
 *                 box u32, 0xffffffff             box: the mailbox itself
 * ENGINE_MSG      message u64                     head, then the message as it came
 * ENGINE_REF      message u64                     entries that name it u32, if 2 or more
 * ENGINE_DEAD     message u64                     nothing: no entry names it any more
 * ENGINE_SUB      user NUL mailbox                nothing: the user is subscribed
 * ENGINE_VANISHED box u32, modseq u64, uid u32    last uid u32: these were expunged
 * ENGINE_SUMMARY  message u64                     what a service noted about it
 * ENGINE_ITEM     item u64                        item: a message in the spool
 * ENGINE_DUE      dest NUL due u64, item u64      nothing
 * ENGINE_DEST     dest                            dest, one that has items
 * ENGINE_READY    ready u64, dest                 nothing
 * ENGINE_MARK     mark of a delivery              its date u64, seconds since 1970
 * ENGINE_MARK_AGE date u64, mark                  nothing
 *
 * A mailbox's own record sorts behind its last entry, so that a delivery mostly changes
 * one page for both.
 *
 * Format 1 of state and box is that of stores without IMAP: shorter boxes, and none of
 * the tables behind ENGINE_DEAD.  It is read, and written as format 2.
 *
 * state, 20 bytes                       box, 64 bytes
 *   offset  size  field                   offset  size  field
 *        0     1  format, 2                    0     1  format, 2
 *        1     3  zero                         1     3  zero
 *        4     8  next message                 4     4  uidvalidity
 *       12     4  next box                     8     4  next uid
 *       16     4  last uidvalidity            12     4  messages
 *                                             16     4  messages without STORE_SEEN
 * entry, 40 bytes and its head                20     4  special uses
 *   offset  size  field                       24     8  modseq
 *        0     1  format, 1                   32     8  bytes of all messages
 *        1     1  zero                        40     4  first uid that is recent
 *        2     2  length of the head          44     4  records in ENGINE_VANISHED
 *        4     4  flags and keywords          48     8  vanished since
 *        8     8  message                     56     8  modseq of flags
 *       16     8  size, head included             (format 1 ends at 40, with 20 zero)
 *       24     8  internal date
 *       32     8  modseq                  head of a message, 16 bytes
 *       40        head: Return-Path...      offset  size  field
 *                                                0     1  format, 1
 * keywords: for each, in the order of            1     3  zero
 * their bits, a byte of length and as            4     4  CRC-32 of number and bytes
 * many of text                                   8     8  length of the bytes
 *
 * item, 24 bytes, dest and the queue's    dest, 24 bytes
 *   offset  size  field                     offset  size  field
 *        0     1  format, 1                      0     1  format, 1
 *        1     5  zero                           1     3  zero
 *        6     2  length of the dest             4     4  fails in a row
 *        8     8  message                        8     8  ready, as in ENGINE_READY
 *       16     8  due, ms since 1970            16     8  put off until, or 0
 *       24        dest, then the queue's bytes
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/store/store.h"

enum {
	RECORD_NAME_MAX = STORE_USER_MAX + 1 + STORE_MAILBOX_NAME_MAX,
	RECORD_BOX_KEY_LEN = 8,
	RECORD_MSG_KEY_LEN = 8,
	RECORD_COUNT_LEN = 4, /* of ENGINE_NAME and ENGINE_REF */
	RECORD_VANISHED_KEY_LEN = 16,
	RECORD_STATE_LEN = 20,
	RECORD_BOX_LEN = 64,
	RECORD_KEYWORDS_MAX = STORE_KEYWORDS_MAX * (1 + STORE_KEYWORD_LEN_MAX),
	RECORD_ENTRY_LEN = 40,
	RECORD_HEAD_LEN = 16,
	RECORD_ITEM_KEY_LEN = 8,
	RECORD_ITEM_LEN = 24,
	RECORD_DUE_MAX = SPOOL_DEST_MAX + 1 + 16,
	RECORD_READY_MAX = 8 + SPOOL_DEST_MAX,
	RECORD_DEST_LEN = 24,
};

/* A key or value that fills its array. */
#define RECORD_STR(array) ((struct str){ (array), sizeof(array) })
#define RECORD_UID_BOX UINT32_MAX /* "uid" of a mailbox's own record */
enum { RECORD_UID_KEYWORDS = 0 }; /* "uid" of its keywords */

struct record_state {
	uint64_t next_msg;
	uint32_t next_box, last_uid_validity;
};

struct record_vanished {
	uint64_t modseq; /* when it was */
	uint32_t first, last;
};

struct record_entry {
	struct store_msg msg; /* box and uid come from the key */
	struct str head;
};

struct record_head {
	uint32_t crc;
	uint64_t len;
};

/* False: not a name that a key can hold. */
bool record_emit_name(char key[RECORD_NAME_MAX], size_t *len, struct str user,
		      struct str mailbox);
bool record_parse_name(struct str key, struct str *user, struct str *mailbox);
void record_emit_box_key(char key[RECORD_BOX_KEY_LEN], uint32_t box, uint32_t uid);
bool record_parse_box_key(struct str key, uint32_t *box, uint32_t *uid);
void record_emit_msg_key(char key[RECORD_MSG_KEY_LEN], uint64_t msg);
bool record_parse_msg_key(struct str key, uint64_t *msg);
void record_emit_vanished_key(char key[RECORD_VANISHED_KEY_LEN], uint32_t box,
			      const struct record_vanished *v);
/* Fills all but v->last, which is the value: a count. */
bool record_parse_vanished_key(struct str key, uint32_t *box, struct record_vanished *v);

/* False, here and below: damaged, or of another format. */
void record_emit_count(char value[RECORD_COUNT_LEN], uint32_t n);
bool record_parse_count(struct str value, uint32_t *n);
void record_emit_state(char value[RECORD_STATE_LEN], const struct record_state *s);
bool record_parse_state(struct str value, struct record_state *s);
void record_emit_box(char value[RECORD_BOX_LEN], const struct store_box_info *info);
bool record_parse_box(struct str value, struct store_box_info *info);
/* Names that fit, see store_keyword_ok(). */
void record_emit_keywords(char value[RECORD_KEYWORDS_MAX], size_t *len,
			  const struct store_keywords *k);
/* The names point into @value. */
bool record_parse_keywords(struct str value, struct store_keywords *k);
/* The head's bytes are put behind by the caller. */
void record_emit_entry(char value[RECORD_ENTRY_LEN], const struct record_entry *e);
/* Fills all but e->msg.box and .uid; e->head points into @value. */
bool record_parse_entry(struct str value, struct record_entry *e);
void record_emit_head(char value[RECORD_HEAD_LEN], const struct record_head *h);
/* *bytes is what stands behind the head; its length is right, its checksum not looked at. */
bool record_parse_head(struct str value, struct record_head *h, struct str *bytes);

/* Keys of items are as those of messages.  Where dest and bytes go is the caller's. */
void record_emit_item(char value[RECORD_ITEM_LEN], const struct spool_item *item);
/* Fills all but the id; slices point into @value. */
bool record_parse_item(struct str value, struct spool_item *item);
void record_emit_dest(char value[RECORD_DEST_LEN], const struct spool_dest *dest);
bool record_parse_dest(struct str value, struct spool_dest *dest);
/* The destination is one that spool_op_ok() let pass.  Return the length. */
size_t record_emit_due(char key[RECORD_DUE_MAX], struct str dest, uint64_t due_ms,
		       uint64_t id);
bool record_parse_due(struct str key, struct str *dest, uint64_t *due_ms, uint64_t *id);
size_t record_emit_ready(char key[RECORD_READY_MAX], struct str dest, uint64_t ready_ms);
bool record_parse_ready(struct str key, struct str *dest, uint64_t *ready_ms);

/* The checksum of message @msg, whose bytes come in pieces. */
uint32_t record_crc(uint64_t msg, const struct str *parts, size_t n_parts);
/* The same piece by piece. */
uint32_t record_crc_begin(uint64_t msg);
uint32_t record_crc_more(uint32_t crc, struct str part);
