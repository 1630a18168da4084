/*
 * A store in a folder of its own under /tmp, and operations that wait for their answer.
 */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Makes the folder (under @parent) and opens a store with a map of @map_len bytes. */
void test_store_init(struct test_store *t, const char *parent, uint64_t map_len);
/* Closes, checks that nothing is wrong in it, and removes the folder. */
void test_store_fini(struct test_store *t);
void test_store_open(struct test_store *t);
void test_store_close(struct test_store *t);
void test_store_reopen(struct test_store *t);
/* The file of the store. */
void test_store_path(const struct test_store *t, char path[STORE_LIB_PATH_LEN]);
/* Faults, each printed. */
uint64_t test_store_faults(struct test_store *t);

void waited_op_submit(struct test_store *t, struct waited_op *w);
/* The result. */
int waited_op_wait(struct waited_op *w);

/* Each waits for the commit and returns its result. */
int deliver(struct test_store *t, const char *user, const char *text);
int deliver_bytes(struct test_store *t, const char *user, struct str bytes);
int deliver_many(struct test_store *t, const struct str *users, const struct str *head,
		 size_t n_users, const char *text, uint32_t *uids);
int expunge(struct test_store *t, const char *user, const uint32_t *uids, size_t n);
int set_flags(struct test_store *t, const char *user, uint32_t uid, uint32_t remove,
	      uint32_t add);

/* Of INBOX; the calls must succeed. */
struct store_box_info box_info(struct test_store *t, const char *user);
/* free() it. */
struct store_msg *box_list(struct test_store *t, const char *user, size_t *n);
/* True when message @i of the mailbox reads as @text. */
bool message_reads(struct test_store *t, const char *user, size_t i, const char *text);
