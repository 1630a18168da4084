/* Files that are not as they were left, and who may open them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/mail/store/store_impl.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

enum { PAGE = 4096, MAGIC_AT = 16 };

static struct test_store t;
static char path[STORE_LIB_PATH_LEN];

static void setup(void)
{
	umask(0);
	test_store_init(&t, NULL, 16 << 20);
	test_store_path(&t, path);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_damage, setup, clean);

static void expect_open(int rc, const char *sentence)
{
	char error[STORE_ERROR_LEN] = "";
	struct store *store;

	cr_assert_eq(store_open(&t.conf, &store, error), rc, "%s", error);
	cr_assert_not_null(strstr(error, sentence), "%s", error);
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	cr_assert_eq(stat(file, &st), 0);
	return st.st_mode & 07777;
}

Case(store_damage, files_are_for_their_owner_only)
{
	char fresh[STORE_LIB_PATH_LEN + 8], lock[STORE_LIB_PATH_LEN + 32];
	struct test_store u = { .conf = t.conf };

	snprintf(fresh, sizeof(fresh), "%s.new", t.dir);
	u.conf.dir = fresh;
	test_store_open(&u);
	cr_assert_eq(mode_of(fresh), 0700);
	test_store_close(&u);
	remove_folder(fresh);
	cr_assert_eq(mode_of(path), 0600);
	snprintf(lock, sizeof(lock), "%s/lock.mdb", t.dir);
	cr_assert_eq(mode_of(lock), 0600);
}

Case(store_damage, second_opening_is_refused)
{
	int status;
	pid_t child;

	expect_open(-EBUSY, "another process");
	child = fork();
	if (child == 0) {
		char error[STORE_ERROR_LEN];
		struct store *store;

		_exit(store_open(&t.conf, &store, error) == -EBUSY ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_assert_eq(deliver(&t, "ann", "still works"), 0);
}

Case(store_damage, map_too_small_for_anything_is_refused)
{
	test_store_close(&t);
	t.conf.map_len = 4096;
	expect_open(-EINVAL, "1 MiB");
}

Case(store_damage, file_larger_than_the_map_is_read_but_not_filled)
{
	static char bytes[3 << 20];

	cr_assert_eq(deliver_bytes(&t, "ann", RECORD_STR(bytes)), 0);
	test_store_close(&t);
	t.conf.map_len = 1 << 20;
	test_store_open(&t);
	cr_assert_eq(box_info(&t, "ann").n_messages, 1);
	cr_assert_eq(deliver(&t, "ann", "more"), -ENOSPC);
}

/* The store's file, to be put back at the end of a test. */
static char *file_bytes;
static size_t file_len;

static void save_file(void)
{
	struct stat st;
	int fd;

	test_store_close(&t);
	fd = open(path, O_RDONLY);
	cr_assert_eq(fstat(fd, &st), 0);
	file_len = (size_t)st.st_size;
	file_bytes = malloc(file_len);
	cr_assert_eq(pread(fd, file_bytes, file_len, 0), (ssize_t)file_len);
	close(fd);
}

static void write_file(size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	cr_assert_eq(pwrite(fd, file_bytes, len, 0), (ssize_t)len);
	close(fd);
}

static void restore_file(void)
{
	write_file(file_len);
	free(file_bytes);
	test_store_open(&t);
}

Case(store_damage, cut_off_file_is_refused_and_left_alone)
{
	static char bytes[100000];
	size_t lens[] = { 1, PAGE - 1, PAGE, 2 * PAGE - 1, 2 * PAGE, 0, 0, 0 }, written;

	cr_assert_eq(deliver_bytes(&t, "ann", RECORD_STR(bytes)), 0);
	written = written_len(&t);
	save_file();
	lens[5] = written / 2;
	lens[6] = written - PAGE;
	lens[7] = written - 1;
	for (size_t i = 0; i < 8; i++) {
		struct stat st;

		write_file(lens[i]);
		expect_open(-EUCLEAN, "data.mdb");
		cr_assert_eq(stat(path, &st), 0);
		cr_assert_eq((size_t)st.st_size, lens[i]);
	}
	restore_file();
	cr_assert_eq(box_info(&t, "ann").n_messages, 1);
}

Case(store_damage, file_of_another_kind_is_refused)
{
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	save_file();
	for (size_t page = 0; page < 2; page++)
		for (size_t i = 0; i < 8; i++) { /* magic and version */
			char *at = &file_bytes[page * PAGE + MAGIC_AT + i];

			*at ^= 0x40;
			write_file(file_len);
			expect_open(-EUCLEAN, "data.mdb");
			*at ^= 0x40;
		}
	restore_file();
	cr_assert(message_reads(&t, "ann", 0, "text"));
}

Case(store_damage, damaged_message_is_found_and_spoils_no_other)
{
	struct store_hold *hold;
	struct store_read *read;
	struct store_msg *msgs;
	struct str pieces[2];
	char *at;
	size_t n;

	deliver(&t, "ann", "this is the first message");
	deliver(&t, "ann", "this is the second message");
	save_file();
	while ((at = memmem(file_bytes, file_len, "the second", 10)))
		at[4] ^= 1;
	write_file(file_len);
	test_store_open(&t);
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(n, 2);
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[0], pieces), 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[1], pieces), -EIO);
	store_read_end(read);
	cr_assert_eq(store_hold(t.store, &msgs[1], &hold), -EIO);
	cr_assert_eq(store_hold_unread(t.store, &msgs[1], &hold), 0);
	cr_assert_eq(store_hold_check(hold, 10), 0);
	cr_assert_eq(store_hold_check(hold, 1000), -EIO);
	store_release(t.store, hold);
	cr_assert_eq(test_store_faults(&t), 1);
	/* It can still be deleted. */
	cr_assert_eq(expunge(&t, "ann", &msgs[1].uid, 1), 0);
	deliver(&t, "ann", "a third");
	cr_assert_eq(test_store_faults(&t), 0);
	free(msgs);
	free(file_bytes);
}

Case(store_damage, mailbox_that_cannot_be_read_fails_alone)
{
	struct engine *engine = t.store->engine;
	char key[RECORD_BOX_KEY_LEN];
	struct engine_txn *txn;

	deliver(&t, "ann", "text");
	deliver(&t, "bob", "text");
	record_emit_box_key(key, 1, RECORD_UID_BOX);
	cr_assert_eq(engine->ops->begin(engine, true, &txn), 0);
	cr_assert_eq(engine_put(txn, ENGINE_BOX, RECORD_STR(key), STR("junk")), 0);
	cr_assert_eq(engine->ops->commit(txn), 0);
	cr_assert_eq(deliver(&t, "ann", "more"), -EIO);
	cr_assert_eq(store_health(t.store), STORE_FAILING);
	cr_assert_eq(deliver(&t, "bob", "more"), 0);
	cr_assert_eq(store_health(t.store), STORE_WELL);
	cr_assert_gt(test_store_faults(&t), 0);
	test_store_close(&t);
}

Case(store_damage, unknown_format_of_the_store_is_refused)
{
	static const struct str state = { "state", 5 };
	char value[RECORD_STATE_LEN] = { 9 };
	struct engine_txn *txn;
	struct engine *engine = t.store->engine;

	save_file();
	test_store_open(&t);
	engine = t.store->engine;
	cr_assert_eq(engine->ops->begin(engine, true, &txn), 0);
	cr_assert_eq(engine_put(txn, ENGINE_STATE, state, RECORD_STR(value)), 0);
	cr_assert_eq(engine->ops->commit(txn), 0);
	test_store_close(&t);
	expect_open(-EUCLEAN, t.dir);
	restore_file();
}
