/* Full disks and full maps: refused in time, nothing lost, and over when space is back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

enum { LEN = 100000, TRIES = 5 };

static struct test_store t;
static char bytes[4 << 20];
static const struct str big = { bytes, LEN };

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_space, NULL, clean);

/* Space that a transaction gave up comes back some transactions later. */
static int deliver_soon(const char *user, struct str text)
{
	int rc = -ENOSPC;

	for (int i = 0; i < TRIES && rc == -ENOSPC; i++)
		rc = deliver_bytes(&t, user, text);
	return rc;
}

Case(store_space, full_map_refuses_mail_and_recovers_after_deletion)
{
	struct store_stats stats;
	uint32_t n = 0, uid;
	int rc;

	test_store_init(&t, NULL, 4 << 20);
	cr_assert_gt(store_room(t.store), 2 << 20);
	cr_assert_eq(store_health(t.store), STORE_WELL);
	while ((rc = deliver_bytes(&t, "ann", big)) == 0)
		n++;
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_gt(n, 25);
	cr_assert_lt(store_room(t.store), LEN);
	cr_assert_eq(store_health(t.store), STORE_FULL);
	store_stats(t.store, &stats);
	cr_assert_eq(stats.refused_space, 1);
	cr_assert_eq(box_info(&t, "ann").n_messages, n);
	cr_assert_eq(test_store_faults(&t), 0);
	/* Deletions and flags have a reserve. */
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN), 0);
	for (uid = 1; uid <= n; uid += 2)
		cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	cr_assert_eq(deliver_soon("ann", big), 0);
	cr_assert_gt(store_room(t.store), LEN);
	cr_assert_eq(store_health(t.store), STORE_WELL);
}

Case(store_space, full_map_survives_filling_and_emptying_many_times)
{
	uint32_t uids[64], next = 1, n = 0;

	test_store_init(&t, NULL, 4 << 20);
	for (int round = 0; round < 20; round++) {
		struct str part = { bytes, LEN - (size_t)round * 4000 };

		cr_assert_eq(deliver_soon("ann", part), 0);
		uids[n++] = next++;
		while (n < 64 && deliver_bytes(&t, "ann", part) == 0)
			uids[n++] = next++;
		cr_assert_gt(n, 10);
		cr_assert_eq(expunge(&t, "ann", uids, n), 0);
		n = 0;
	}
	cr_assert_eq(box_info(&t, "ann").n_messages, 0);
	cr_assert_eq(deliver_soon("ann", big), 0);
}

Case(store_space, small_mail_passes_beside_one_too_large)
{
	struct str user = STR("ann"), small = STR("small"),
		   large = { bytes, sizeof(bytes) };
	struct waited_op ops[3];
	struct gate gate;

	test_store_init(&t, NULL, 4 << 20);
	gate_close(&gate, &t);
	waited_op_deliver(&ops[0], &user, &small);
	waited_op_deliver(&ops[1], &user, &large);
	waited_op_deliver(&ops[2], &user, &small);
	for (int i = 0; i < 3; i++)
		waited_op_submit(&t, &ops[i]);
	gate_open(&gate);
	cr_assert_eq(waited_op_wait(&ops[0]), 0);
	cr_assert_eq(waited_op_wait(&ops[1]), -ENOSPC);
	cr_assert_eq(waited_op_wait(&ops[2]), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 2);
	/* What fits does not hide that something did not. */
	cr_assert_eq(store_health(t.store), STORE_FULL);
}

/* Nothing can be written beyond @more bytes behind what is written now. */
static void limit_file(uint64_t more)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur =
		more == UINT64_MAX ? limit.rlim_max : (rlim_t)written_len(&t) + more;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Case(store_space, failed_commit_spoils_neither_its_neighbours_nor_the_store)
{
	struct str user = STR("ann"), small = STR("small"),
		   large = { bytes, sizeof(bytes) };
	struct waited_op ops[5];
	struct gate gate;

	signal(SIGXFSZ, SIG_IGN);
	test_store_init(&t, NULL, 64 << 20);
	gate_close(&gate, &t);
	for (int i = 0; i < 5; i++) {
		waited_op_deliver(&ops[i], &user, i == 2 ? &large : &small);
		waited_op_submit(&t, &ops[i]);
	}
	/* Room enough, as far as one can see before; but the write will fail. */
	limit_file(1 << 20);
	gate_open(&gate);
	for (int i = 0; i < 5; i++) {
		int rc = waited_op_wait(&ops[i]);

		if (i == 2)
			cr_assert(rc == -ENOSPC || rc == -EIO);
		else
			cr_assert_eq(rc, 0);
	}
	cr_assert_eq(test_store_faults(&t), 0);
	limit_file(UINT64_MAX);
	cr_assert_eq(deliver_bytes(&t, "ann", large), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 5);
	test_store_reopen(&t);
	cr_assert_eq(box_info(&t, "ann").n_messages, 5);
}

Case(store_space, keeps_the_free_space_that_was_asked_for)
{
	uint32_t uid = 1;

	test_store_init(&t, NULL, 4 << 20);
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
	t.conf.free_min = UINT64_MAX;
	test_store_reopen(&t);
	cr_assert_eq(store_room(t.store), 0);
	cr_assert_eq(deliver(&t, "ann", "text"), -ENOSPC);
	cr_assert(message_reads(&t, "ann", 0, "text"));
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	t.conf.free_min = 0;
	test_store_reopen(&t);
	cr_assert_eq(deliver(&t, "ann", "text"), 0);
}

/* A disk of 4 MiB of this process's own. */
static void mount_disk(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/mnt", "tmpfs", 0, "size=4m"))
		cr_skip_test("cannot mount a small disk: needs root");
}

static void fill_disk(void)
{
	int fd = open("/mnt/filler", O_CREAT | O_WRONLY, 0600);

	cr_assert_geq(fd, 0);
	while (write(fd, bytes, 4096) > 0)
		;
	close(fd);
}

Case(store_space, full_disk_refuses_mail_and_recovers_with_space)
{
	uint32_t uid = 1, n = 0;
	int rc;

	mount_disk();
	test_store_init(&t, "/mnt", 64 << 20);
	cr_assert_eq(deliver_bytes(&t, "ann", big), 0);
	cr_assert_eq(deliver_bytes(&t, "ann", big), 0);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	fill_disk();
	cr_assert_eq(deliver_bytes(&t, "ann", big), -ENOSPC);
	cr_assert_eq(store_room(t.store), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 1);
	cr_assert_eq(test_store_faults(&t), 0);
	uid = 2;
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	cr_assert_eq(unlink("/mnt/filler"), 0);
	while ((rc = deliver_bytes(&t, "ann", big)) == 0)
		n++;
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_gt(n, 20);
	cr_assert_eq(test_store_faults(&t), 0);
	test_store_reopen(&t);
	cr_assert_eq(box_info(&t, "ann").n_messages, n);
}
