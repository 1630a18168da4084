#include "tests/mail/store_lib.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/mail/store/engine_lmdb_impl.h"
#include "apps/mail/store/store_box.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"

void test_store_open(struct test_store *t)
{
	char error[STORE_ERROR_LEN] = "";

	cr_assert_eq(store_open(&t->conf, &t->store, error), 0, "%s", error);
}

void test_store_close(struct test_store *t)
{
	store_close(t->store);
	t->store = NULL;
}

void test_store_reopen(struct test_store *t)
{
	test_store_close(t);
	test_store_open(t);
}

const char *test_store_parent(void)
{
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

void test_store_init(struct test_store *t, const char *parent, uint64_t map_len)
{
	snprintf(t->dir, sizeof(t->dir), "%s/store.XXXXXX",
		 parent ? parent : test_store_parent());
	cr_assert_not_null(mkdtemp(t->dir));
	t->conf = (struct store_conf){
		.dir = t->dir,
		.map_len = map_len,
		.now_s = STORE_LIB_NOW_S,
	};
	test_store_open(t);
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "# %s\n", line);
}

uint64_t test_store_faults(struct test_store *t)
{
	return store_check(t->store, say, NULL);
}

void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	cr_assert_not_null(dir);
	while ((d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	cr_assert_eq(rmdir(path), 0);
}

void test_store_fini(struct test_store *t)
{
	if (t->store) {
		cr_assert_eq(test_store_faults(t), 0);
		test_store_close(t);
	}
	remove_folder(t->dir);
}

void test_store_path(const struct test_store *t, char path[STORE_LIB_PATH_LEN])
{
	snprintf(path, STORE_LIB_PATH_LEN, "%.200s/data.mdb", t->dir);
}

static void answer(struct store_op *op)
{
	sem_post(&container_of(op, struct waited_op, op)->answered);
}

void waited_op_deliver(struct waited_op *w, const struct str *user,
		       const struct str *part)
{
	*w = (struct waited_op){
		.op.kind = STORE_DELIVER,
		.op.deliver = { .users = user,
				.n_users = 1,
				.parts = part,
				.n_parts = 1,
				.date_s = 77 },
	};
}

void waited_op_submit(struct test_store *t, struct waited_op *w)
{
	sem_init(&w->answered, 0, 0);
	w->op.done = answer;
	cr_assert(store_submit(t->store, &w->op));
}

int waited_op_wait(struct waited_op *w)
{
	while (sem_wait(&w->answered))
		;
	sem_destroy(&w->answered);
	return w->op.result;
}

static void answer_gate(struct store_op *op)
{
	struct waited_op *w = container_of(op, struct waited_op, op);
	struct gate *g = container_of(w, struct gate, waited);

	sem_post(&g->reached);
	sem_wait(&g->opened);
	sem_post(&w->answered);
}

void gate_close(struct gate *g, struct test_store *t)
{
	static const struct str user = { "gate", 4 }, text = { "x", 1 };

	waited_op_deliver(&g->waited, &user, &text);
	sem_init(&g->waited.answered, 0, 0);
	sem_init(&g->reached, 0, 0);
	sem_init(&g->opened, 0, 0);
	g->waited.op.done = answer_gate;
	cr_assert(store_submit(t->store, &g->waited.op));
	sem_wait(&g->reached);
}

void gate_open(struct gate *g)
{
	sem_post(&g->opened);
	cr_assert_eq(waited_op_wait(&g->waited), 0);
}

static int run(struct test_store *t, struct waited_op *w)
{
	waited_op_submit(t, w);
	return waited_op_wait(w);
}

int deliver_bytes(struct test_store *t, const char *user, struct str bytes)
{
	struct str to = str_of(user);
	struct waited_op w;

	waited_op_deliver(&w, &to, &bytes);
	return run(t, &w);
}

int deliver(struct test_store *t, const char *user, const char *text)
{
	return deliver_bytes(t, user, str_of(text));
}

int deliver_many(struct test_store *t, const struct str *users, const struct str *head,
		 size_t n_users, const char *text, uint32_t *uids)
{
	/* In two pieces, to see that they come together. */
	struct str parts[2] = { { text, strlen(text) / 2 } };
	struct waited_op w = {
		.op.kind = STORE_DELIVER,
		.op.deliver = { .users = users,
				.n_users = n_users,
				.head = head,
				.parts = parts,
				.n_parts = 2,
				.date_s = 77,
				.uids = uids },
	};

	parts[1] = str_of(text + parts[0].len);
	return run(t, &w);
}

int expunge(struct test_store *t, const char *user, const uint32_t *uids, size_t n)
{
	struct waited_op w = {
		.op.kind = STORE_EXPUNGE,
		.op.expunge = { .user = str_of(user),
				.mailbox = STR("INBOX"),
				.uids = uids,
				.n_uids = n },
	};

	return run(t, &w);
}

int set_flags(struct test_store *t, const char *user, uint32_t uid, uint32_t remove,
	      uint32_t add)
{
	struct waited_op w = {
		.op.kind = STORE_FLAGS,
		.op.flags = { .user = str_of(user),
			      .mailbox = STR("INBOX"),
			      .uids = &uid,
			      .n_uids = 1,
			      .remove = remove,
			      .add = add },
	};

	return run(t, &w);
}

int run_op(struct test_store *t, struct store_op *op)
{
	struct waited_op w = { .op = *op };

	run(t, &w);
	*op = w.op;
	return op->result;
}

int create(struct test_store *t, const char *user, const char *mailbox)
{
	struct store_op op = { .kind = STORE_CREATE,
			       .create = { .user = str_of(user),
					   .mailbox = str_of(mailbox) } };

	return run_op(t, &op);
}

int delete (struct test_store *t, const char *user, const char *mailbox)
{
	struct store_op op = { .kind = STORE_DELETE,
			       .delete = { str_of(user), str_of(mailbox) } };

	return run_op(t, &op);
}

int rename_box(struct test_store *t, const char *user, const char *from, const char *to)
{
	struct store_op op = { .kind = STORE_RENAME,
			       .rename = { str_of(user), str_of(from), str_of(to) } };

	return run_op(t, &op);
}

int subscribe(struct test_store *t, const char *user, const char *mailbox, bool off)
{
	struct store_op op = { .kind = STORE_SUBSCRIBE,
			       .subscribe = { str_of(user), str_of(mailbox), off } };

	return run_op(t, &op);
}

int append(struct test_store *t, const char *user, const char *mailbox, const char *text,
	   uint32_t flags)
{
	struct str part = str_of(text);
	struct store_op op = { .kind = STORE_APPEND,
			       .append = { .user = str_of(user),
					   .mailbox = str_of(mailbox),
					   .parts = &part,
					   .n_parts = 1,
					   .flags = flags } };

	return run_op(t, &op);
}

uint32_t box_number(struct test_store *t, const char *user, const char *mailbox)
{
	struct store_read *read;
	uint32_t box;
	int rc;

	cr_assert_eq(store_read_begin(t->store, &read), 0);
	rc = store_box_find(read, str_of(user), str_of(mailbox), &box);
	store_read_end(read);
	cr_assert(rc == 0 || rc == -ENOENT);
	return rc ? 0 : box;
}

struct store_box_info box_of(struct test_store *t, uint32_t box)
{
	struct store_box_info info;
	struct store_read *read;

	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_box_load(read, box, &info), 0);
	store_read_end(read);
	return info;
}

enum { LISTING_LEN = 8192 };

static bool add_name(void *arg, const struct store_mailbox *m)
{
	char *text = arg;
	size_t at = strlen(text);

	at += (size_t)snprintf(text + at, LISTING_LEN - at, "%s%.*s=", at ? " " : "",
			       (int)m->name.len, m->name.p);
	if (m->box == 0)
		snprintf(text + at, LISTING_LEN - at, "-");
	else
		snprintf(text + at, LISTING_LEN - at, "%u", m->info.n_messages);
	return true;
}

const char *box_names(struct test_store *t, const char *user)
{
	static char text[LISTING_LEN];
	struct store_read *read;

	text[0] = '\0';
	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_each_mailbox(read, str_of(user), add_name, text), 0);
	store_read_end(read);
	return text;
}

const char *box_uids(struct test_store *t, uint32_t box, uint64_t since)
{
	static char text[LISTING_LEN];
	struct store_read *read;
	struct store_msg *msgs;
	size_t n, at = 0;

	text[0] = '\0';
	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_box_changes(read, box, 1, since, &msgs, &n), 0);
	store_read_end(read);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, LISTING_LEN - at, "%s%u", i ? " " : "",
				       msgs[i].uid);
	free(msgs);
	return text;
}

struct store_box_info box_info(struct test_store *t, const char *user)
{
	struct store_box_info info;
	struct store_read *read;

	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_box_info(read, str_of(user), STR("INBOX"), &info), 0);
	store_read_end(read);
	return info;
}

struct store_msg *box_list(struct test_store *t, const char *user, size_t *n)
{
	struct store_msg *msgs;
	struct store_read *read;

	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_box_list(read, str_of(user), STR("INBOX"), &msgs, n), 0);
	store_read_end(read);
	return msgs;
}

static bool reads(const struct str pieces[2], const char *text)
{
	size_t len = strlen(text);

	return pieces[0].len + pieces[1].len == len &&
	       (pieces[0].len == 0 || memcmp(text, pieces[0].p, pieces[0].len) == 0) &&
	       (pieces[1].len == 0 ||
		memcmp(text + pieces[0].len, pieces[1].p, pieces[1].len) == 0);
}

bool message_reads(struct test_store *t, const char *user, size_t i, const char *text)
{
	struct store_read *read;
	struct store_msg *msgs;
	struct str pieces[2];
	bool same;
	size_t n;

	msgs = box_list(t, user, &n);
	cr_assert_lt(i, n);
	cr_assert_eq(store_read_begin(t->store, &read), 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[i], pieces), 0);
	same = reads(pieces, text) && msgs[i].size == strlen(text);
	store_read_end(read);
	free(msgs);
	return same;
}

size_t count_records(struct test_store *t, enum engine_table table)
{
	const struct engine_ops *ops = t->store->engine->ops;
	struct engine_cursor *cursor;
	struct engine_txn *txn;
	struct str key, value;
	size_t n = 0;

	cr_assert_eq(ops->begin(t->store->engine, false, &txn), 0);
	cr_assert_eq(ops->cursor_open(txn, table, (struct str){ 0 }, &cursor), 0);
	while (ops->cursor_next(cursor, &key, &value) == 1)
		n++;
	ops->cursor_close(cursor);
	ops->abort(txn);
	return n;
}

size_t written_len(struct test_store *t)
{
	struct lmdb *l = container_of(t->store->engine, struct lmdb, engine);
	MDB_envinfo info;

	mdb_env_info(l->env, &info);
	return (info.me_last_pgno + 1) * l->page_len;
}
