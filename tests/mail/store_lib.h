/*
 * A store in a folder of its own that goes away with it, and operations that wait for their answer.
 */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/mail/store/engine.h"
#include "apps/mail/store/store.h"

enum { STORE_LIB_PATH_LEN = 256, STORE_LIB_NOW_S = 1000000 };

struct test_store {
	char dir[STORE_LIB_PATH_LEN];
	struct store_conf conf;
	struct store *store;
};

/* An op whose answer is waited for. */
struct waited_op {
	struct store_op op;
	sem_t answered;
};

/* Where folders of tests are made: in memory where that can be. */
const char *test_store_parent(void);
/* Makes the folder (under @parent, NULL: that) and opens a store with such a map. */
void test_store_init(struct test_store *t, const char *parent, uint64_t map_len);
/* Closes, checks that nothing is wrong in it, and removes the folder. */
void test_store_fini(struct test_store *t);
void test_store_open(struct test_store *t);
void test_store_close(struct test_store *t);
void test_store_reopen(struct test_store *t);
/* The file of the store. */
void test_store_path(const struct test_store *t, char path[STORE_LIB_PATH_LEN]);
/* With the files in it. */
void remove_folder(const char *path);
/* Faults, each printed. */
uint64_t test_store_faults(struct test_store *t);

/* An op that delivers @part to @user in INBOX; both stay where they are. */
void waited_op_deliver(struct waited_op *w, const struct str *user,
		       const struct str *part);
void waited_op_submit(struct test_store *t, struct waited_op *w);
/* The result. */
int waited_op_wait(struct waited_op *w);

/*
 * Keeps the writer busy between close and open, in the answer to a message for user
 * "gate": what is submitted meanwhile gathers.
 */
struct gate {
	struct waited_op waited;
	sem_t reached, opened;
};
void gate_close(struct gate *g, struct test_store *t);
void gate_open(struct gate *g);

/* Submits @op, waits, and returns its result. */
int run_op(struct test_store *t, struct store_op *op);
/* Each waits for the commit and returns its result. */
int deliver(struct test_store *t, const char *user, const char *text);
int deliver_bytes(struct test_store *t, const char *user, struct str bytes);
int deliver_many(struct test_store *t, const struct str *users, const struct str *head,
		 size_t n_users, const char *text, uint32_t *uids);
int expunge(struct test_store *t, const char *user, const uint32_t *uids, size_t n);
int set_flags(struct test_store *t, const char *user, uint32_t uid, uint32_t remove,
	      uint32_t add);

int create(struct test_store *t, const char *user, const char *mailbox);
int delete (struct test_store *t, const char *user, const char *mailbox);
int rename_box(struct test_store *t, const char *user, const char *from, const char *to);
int subscribe(struct test_store *t, const char *user, const char *mailbox, bool off);
int append(struct test_store *t, const char *user, const char *mailbox, const char *text,
	   uint32_t flags);
/* The number of a mailbox; 0: no such mailbox. */
uint32_t box_number(struct test_store *t, const char *user, const char *mailbox);
/* Of the mailbox of that number. */
struct store_box_info box_of(struct test_store *t, uint32_t box);
/* "INBOX=2 a=0 a/b=-": messages of each, and - where there is no mailbox. */
const char *box_names(struct test_store *t, const char *user);
/* "1 3 4": UIDs of the mailbox, or of what changed after modseq @since. */
const char *box_uids(struct test_store *t, uint32_t box, uint64_t since);

/* Of INBOX; the calls must succeed. */
struct store_box_info box_info(struct test_store *t, const char *user);
/* free() it. */
struct store_msg *box_list(struct test_store *t, const char *user, size_t *n);
/* Bytes of its file that were written, without what is kept in reserve. */
size_t written_len(struct test_store *t);
/* The engine's table, counted. */
size_t count_records(struct test_store *t, enum engine_table table);
/* True when message @i of the mailbox reads as @text. */
bool message_reads(struct test_store *t, const char *user, size_t i, const char *text);
