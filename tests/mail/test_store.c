#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

static struct test_store t;

static void setup(void)
{
	test_store_init(&t, NULL, 16 << 20);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store, setup, clean);

Case(store, delivers_lists_and_reads_back)
{
	struct store_msg *msgs;
	size_t n;

	cr_assert_eq(deliver(&t, "ann", "Subject: one\r\n\r\n1\r\n"), 0);
	cr_assert_eq(deliver(&t, "ann", "Subject: two\r\n\r\n22\r\n"), 0);
	cr_assert_eq(deliver(&t, "bob", "Subject: three\r\n\r\n333\r\n"), 0);
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(n, 2);
	cr_assert_eq(msgs[0].uid, 1);
	cr_assert_eq(msgs[1].uid, 2);
	cr_assert_eq(msgs[1].size, strlen("Subject: two\r\n\r\n22\r\n"));
	cr_assert_eq(msgs[0].flags, 0);
	cr_assert_eq(msgs[0].date_s, 77);
	cr_assert_lt(msgs[0].modseq, msgs[1].modseq);
	cr_assert(message_reads(&t, "ann", 0, "Subject: one\r\n\r\n1\r\n"));
	cr_assert(message_reads(&t, "ann", 1, "Subject: two\r\n\r\n22\r\n"));
	cr_assert(message_reads(&t, "bob", 0, "Subject: three\r\n\r\n333\r\n"));
	free(msgs);
}

Case(store, keeps_any_bytes)
{
	char bytes[256], *big = malloc(3 << 20);
	struct str pieces[2];
	struct store_read *read;
	struct store_msg *msgs;
	size_t n;

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (int i = 0; i < 3 << 20; i++)
		big[i] = (char)(i * 7 + i / 1000);
	cr_assert_eq(deliver_bytes(&t, "ann", (struct str){ NULL, 0 }), 0);
	cr_assert_eq(deliver_bytes(&t, "ann", (struct str){ bytes, 256 }), 0);
	cr_assert_eq(deliver_bytes(&t, "ann", (struct str){ big, 3 << 20 }), 0);
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(n, 3);
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[0], pieces), 0);
	cr_assert_eq(pieces[0].len + pieces[1].len, 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[1], pieces), 0);
	cr_assert(str_eq(pieces[1], (struct str){ bytes, 256 }));
	cr_assert_eq(store_msg_bytes(read, &msgs[2], pieces), 0);
	cr_assert(str_eq(pieces[1], (struct str){ big, 3 << 20 }));
	store_read_end(read);
	free(msgs);
	free(big);
}

Case(store, inbox_is_there_before_its_first_message)
{
	struct store_box_info info = box_info(&t, "nobody");
	struct store_read *read;
	struct store_msg *msgs;
	size_t n;

	cr_assert_eq(info.n_messages, 0);
	cr_assert_eq(info.uid_next, 1);
	cr_assert_null(box_list(&t, "nobody", &n));
	cr_assert_eq(n, 0);
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_box_info(read, STR("nobody"), STR("Sent"), &info), -ENOENT);
	cr_assert_eq(store_box_list(read, STR("nobody"), STR("Sent"), &msgs, &n),
		     -ENOENT);
	store_read_end(read);
}

Case(store, mailbox_counts_what_it_holds)
{
	struct store_box_info info;

	deliver(&t, "ann", "12345");
	deliver(&t, "ann", "678");
	info = box_info(&t, "ann");
	cr_assert_eq(info.n_messages, 2);
	cr_assert_eq(info.n_unseen, 2);
	cr_assert_eq(info.n_bytes, 8);
	cr_assert_eq(info.uid_next, 3);
	cr_assert_eq(info.modseq, 2);
	cr_assert_gt(info.uid_validity, STORE_LIB_NOW_S);
}

Case(store, recipients_share_one_copy_with_heads_of_their_own)
{
	static const struct str users[] = { { "ann", 3 }, { "bob", 3 }, { "ann", 3 } };
	static const struct str heads[] = { { "To: a\r\n", 7 },
					    { "To: bob\r\n", 9 },
					    { NULL, 0 } };
	static char text[100000];
	uint32_t uids[3] = { 0 };
	struct store_msg *ann, *bob;
	struct stat before, after;
	char path[STORE_LIB_PATH_LEN];
	size_t n;

	memset(text, 'x', sizeof(text) - 1);
	test_store_path(&t, path);
	stat(path, &before);
	cr_assert_eq(deliver_many(&t, users, heads, 3, text, uids), 0);
	stat(path, &after);
	cr_assert_lt(after.st_size - before.st_size, 200000);
	cr_assert_eq(uids[0], 1);
	cr_assert_eq(uids[1], 1);
	cr_assert_eq(uids[2], 2);
	ann = box_list(&t, "ann", &n);
	bob = box_list(&t, "bob", &n);
	cr_assert_eq(ann[0].msg, bob[0].msg);
	cr_assert_eq(ann[1].msg, bob[0].msg);
	cr_assert_eq(ann[0].size, sizeof(text) - 1 + 7);
	cr_assert_eq(bob[0].size, sizeof(text) - 1 + 9);
	cr_assert(message_reads(&t, "ann", 1, text));
	free(ann);
	free(bob);
}

Case(store, head_stands_before_the_message)
{
	static const struct str users[] = { { "ann", 3 } };
	static const struct str heads[] = { { "Return-Path: <>\r\n", 17 } };

	deliver_many(&t, users, heads, 1, "Subject: x\r\n", NULL);
	cr_assert(message_reads(&t, "ann", 0, "Return-Path: <>\r\nSubject: x\r\n"));
}

Case(store, refuses_names_and_heads_it_cannot_keep)
{
	static char big[STORE_HEAD_MAX + 1];
	char name[STORE_USER_MAX + 2] = { 0 };
	struct str user = { name, STORE_USER_MAX };
	struct str head = { big, STORE_HEAD_MAX };

	memset(name, 'n', STORE_USER_MAX + 1);
	cr_assert_eq(deliver_many(&t, &user, &head, 1, "x", NULL), 0);
	user.len++;
	cr_assert_eq(deliver_many(&t, &user, &head, 1, "x", NULL), -EINVAL);
	user.len = 0;
	cr_assert_eq(deliver_many(&t, &user, &head, 1, "x", NULL), -EINVAL);
	user = (struct str){ "a\0b", 3 };
	cr_assert_eq(deliver_many(&t, &user, &head, 1, "x", NULL), -EINVAL);
	user.len = 1;
	head.len++;
	cr_assert_eq(deliver_many(&t, &user, &head, 1, "x", NULL), -EINVAL);
	cr_assert_eq(deliver_many(&t, &user, &head, 0, "x", NULL), -EINVAL);
}

Case(store, one_bad_recipient_stores_nothing_for_the_others)
{
	static const struct str users[] = { { "ann", 3 }, { "", 0 } };

	cr_assert_eq(deliver_many(&t, users, NULL, 2, "x", NULL), -EINVAL);
	cr_assert_eq(box_info(&t, "ann").n_messages, 0);
}

Case(store, expunge_takes_what_is_there_and_passes_over_the_rest)
{
	static const uint32_t uids[] = { 1, 3, 9 };
	struct store_box_info info;
	struct store_msg *msgs;
	struct store_stats stats;
	size_t n;

	for (int i = 0; i < 4; i++)
		deliver(&t, "ann", "12345");
	cr_assert_eq(expunge(&t, "ann", uids, 3), 0);
	cr_assert_eq(expunge(&t, "ann", uids, 3), 0);
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(n, 2);
	cr_assert_eq(msgs[0].uid, 2);
	cr_assert_eq(msgs[1].uid, 4);
	info = box_info(&t, "ann");
	cr_assert_eq(info.n_messages, 2);
	cr_assert_eq(info.n_bytes, 10);
	cr_assert_eq(info.modseq, 5);
	store_stats(t.store, &stats);
	cr_assert_eq(stats.expunged, 2);
	free(msgs);
}

Case(store, expunge_of_a_mailbox_that_is_not_there_fails)
{
	uint32_t uid = 1;

	cr_assert_eq(expunge(&t, "ann", &uid, 1), -ENOENT);
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN), -ENOENT);
}

Case(store, message_goes_with_its_last_entry)
{
	static const struct str users[] = { { "ann", 3 }, { "bob", 3 }, { "cyd", 3 } };
	uint32_t uid = 1;

	deliver_many(&t, users, NULL, 3, "for three", NULL);
	cr_assert_eq(expunge(&t, "ann", &uid, 1), 0);
	cr_assert(message_reads(&t, "bob", 0, "for three"));
	cr_assert_eq(expunge(&t, "bob", &uid, 1), 0);
	cr_assert(message_reads(&t, "cyd", 0, "for three"));
	cr_assert_eq(expunge(&t, "cyd", &uid, 1), 0);
	/* store_check() at the end finds no message without an entry. */
}

Case(store, uids_are_never_given_twice)
{
	uint32_t uid = 2, validity;
	struct store_msg *msgs;
	size_t n;

	deliver(&t, "ann", "a");
	deliver(&t, "ann", "b");
	validity = box_info(&t, "ann").uid_validity;
	expunge(&t, "ann", &uid, 1);
	test_store_reopen(&t);
	deliver(&t, "ann", "c");
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(n, 2);
	cr_assert_eq(msgs[1].uid, 3);
	cr_assert_eq(box_info(&t, "ann").uid_validity, validity);
	free(msgs);
}

Case(store, mailboxes_differ_in_uidvalidity)
{
	uint32_t ann, bob;

	deliver(&t, "ann", "a");
	deliver(&t, "bob", "b");
	ann = box_info(&t, "ann").uid_validity;
	bob = box_info(&t, "bob").uid_validity;
	cr_assert_lt(ann, bob);
	t.conf.now_s += 1000;
	test_store_reopen(&t);
	deliver(&t, "cyd", "c");
	cr_assert_gt(box_info(&t, "cyd").uid_validity, t.conf.now_s);
	/* A clock that was set back changes nothing. */
	t.conf.now_s = 5;
	test_store_reopen(&t);
	deliver(&t, "dan", "d");
	cr_assert_gt(box_info(&t, "dan").uid_validity, box_info(&t, "cyd").uid_validity);
}

Case(store, flags_change_and_count)
{
	struct store_msg *msgs;
	size_t n;

	deliver(&t, "ann", "a");
	deliver(&t, "ann", "b");
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN | STORE_FLAGGED), 0);
	cr_assert_eq(box_info(&t, "ann").n_unseen, 1);
	cr_assert_eq(set_flags(&t, "ann", 1, STORE_FLAGGED | STORE_SEEN, STORE_SEEN), 0);
	msgs = box_list(&t, "ann", &n);
	cr_assert_eq(msgs[0].flags, STORE_SEEN);
	cr_assert_eq(msgs[0].modseq, 4);
	cr_assert_eq(msgs[1].modseq, 2);
	cr_assert_eq(box_info(&t, "ann").modseq, 4);
	free(msgs);
	/* No change is no news. */
	cr_assert_eq(set_flags(&t, "ann", 1, 0, STORE_SEEN), 0);
	cr_assert_eq(set_flags(&t, "ann", 7, 0, STORE_SEEN), 0);
	cr_assert_eq(box_info(&t, "ann").modseq, 4);
	cr_assert_eq(set_flags(&t, "ann", 1, STORE_SEEN, 0), 0);
	cr_assert_eq(box_info(&t, "ann").n_unseen, 2);
}

Case(store, flags_leave_the_head_alone)
{
	static const struct str users[] = { { "ann", 3 } };
	static const struct str heads[] = { { "Return-Path: <>\r\n", 17 } };

	deliver_many(&t, users, heads, 1, "Subject: x\r\n", NULL);
	set_flags(&t, "ann", 1, 0, STORE_ANSWERED);
	cr_assert(message_reads(&t, "ann", 0, "Return-Path: <>\r\nSubject: x\r\n"));
}

Case(store, snapshot_does_not_see_what_comes_after_it)
{
	struct store_box_info info;
	struct store_read *read;
	struct store_msg *msgs;
	struct str pieces[2];
	uint32_t uid = 1;
	size_t n;

	deliver(&t, "ann", "a");
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	deliver(&t, "ann", "b");
	expunge(&t, "ann", &uid, 1);
	cr_assert_eq(store_box_info(read, STR("ann"), STR("INBOX"), &info), 0);
	cr_assert_eq(info.n_messages, 1);
	cr_assert_eq(store_box_list(read, STR("ann"), STR("INBOX"), &msgs, &n), 0);
	cr_assert_eq(n, 1);
	cr_assert_eq(store_msg_bytes(read, &msgs[0], pieces), 0);
	cr_assert(str_eq(pieces[1], STR("a")));
	store_read_end(read);
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_msg_bytes(read, &msgs[0], pieces), -ENOENT);
	store_read_end(read);
	free(msgs);
}

Case(store, everything_is_there_after_reopening)
{
	static const struct str users[] = { { "ann", 3 }, { "bob", 3 } };

	deliver_many(&t, users, NULL, 2, "for both", NULL);
	set_flags(&t, "ann", 1, 0, STORE_FLAGGED);
	test_store_reopen(&t);
	cr_assert(message_reads(&t, "ann", 0, "for both"));
	cr_assert(message_reads(&t, "bob", 0, "for both"));
	cr_assert_eq(box_info(&t, "ann").modseq, 2);
}
