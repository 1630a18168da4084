/*
 * A mailbox of the user's, wherever it is: by IMAP, or by POP3, which has but INBOX.
 *
 * By IMAP a message keeps its number, its UID; by POP3 they have numbers from 1, as long as
 * the mailbox is open.  All functions return 0 or a status of sysexits(3), and have said what
 * went wrong.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct box;
struct pbmail;

struct box_ops {
	int (*select)(struct box *b, const char *mailbox, bool to_change);
	int (*headers)(struct box *b);
	int (*fetch)(struct box *b, uint32_t n);
	int (*remove)(struct box *b, const uint32_t *numbers, size_t n);
	int (*move)(struct box *b, const uint32_t *numbers, size_t n,
		    const char *mailbox);
	int (*append)(struct box *b, struct str message);
	int (*manage)(struct box *b, const char *verb, const char *name,
		      const char *new_name);
	void (*close)(struct box *b);
};

/* Of box_headers(): a message, with the fields From, Date, Subject and Content-Type. */
typedef void box_seen(void *arg, uint32_t n, bool is_new, struct str header);

struct box {
	const struct box_ops *ops;
	uint32_t n_messages;
	box_seen *seen;
	void *arg;
	struct {
		char *p;
		size_t len, room;
	} message; /* that is being fetched */
};

/* @mailbox NULL: none is opened, for box_manage(). */
int box_open(struct pbmail *p, const char *mailbox, bool to_change, struct box **box);
void box_close(struct box *b);

/* Tells all messages in their order. */
int box_headers(struct box *b, box_seen *seen, void *arg);
/* A message, to free(). */
int box_fetch(struct box *b, uint32_t n, char **message, size_t *len);
int box_remove(struct box *b, const uint32_t *numbers, size_t n);
int box_move(struct box *b, const uint32_t *numbers, size_t n, const char *mailbox);
/* One more message in the mailbox. */
int box_append(struct box *b, struct str message);
/* "create", "delete", "rename" or "list". */
int box_manage(struct box *b, const char *verb, const char *name, const char *new_name);

/* For the two kinds: more octets of the message.  0 or a status. */
int box_add(struct box *b, struct str octets);
/* There is no message of that number.  A status. */
int box_none(uint32_t n);

int box_imap_new(struct pbmail *p, struct box **box);
int box_pop3_new(struct pbmail *p, struct box **box);
