#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/mail/store/store_box.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

static struct test_store t;

static void setup(void)
{
	test_store_init(&t, NULL, 32 << 20);
}

static void clean(void)
{
	test_store_fini(&t);
}

Cases(store_copy, setup, clean);

static const struct store_keywords labels = { .names = { STR("$One"), STR("Two") },
					      .n = 2 };

/* As many messages in INBOX, and its number. */
static uint32_t fill_inbox(unsigned n)
{
	char text[32];

	for (unsigned i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "message %u", i);
		cr_assert_eq(append(&t, "ann", "INBOX", text, i % 2 ? STORE_SEEN : 0), 0);
	}
	return box_number(&t, "ann", "INBOX");
}

static struct store_msg msg_of(uint32_t box, uint32_t uid)
{
	struct store_read *read;
	struct store_msg msg;

	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_box_msg(read, box, uid, &msg), 0);
	store_read_end(read);
	return msg;
}

static uint32_t keyword(uint32_t box, const char *name)
{
	struct store_keywords k;
	struct store_read *read;
	uint32_t bit;

	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_box_keywords(read, box, &k), 0);
	bit = store_keyword_bit(&k, str_of(name));
	store_read_end(read);
	return bit;
}

static int copy(uint32_t box, const uint32_t *uids, size_t n, const char *to, bool move,
		struct store_copy *done)
{
	struct store_op op = { .kind = STORE_COPY, .copy = *done };
	int rc;

	op.copy.user = STR("ann");
	op.copy.mailbox = str_of(to);
	op.copy.box = box;
	op.copy.move = move;
	op.copy.uids = uids;
	op.copy.n_uids = n;
	rc = run_op(&t, &op);
	*done = op.copy;
	return rc;
}

Case(store_copy, appends_with_flags_keywords_and_date)
{
	struct str part = STR("text");
	struct store_op op = { .kind = STORE_APPEND,
			       .append = { .user = STR("ann"),
					   .mailbox = STR("a"),
					   .parts = &part,
					   .n_parts = 1,
					   .date_s = 55,
					   .flags = STORE_SEEN | STORE_DRAFT,
					   .keywords = &labels } };
	struct store_msg msg;
	uint32_t box;

	cr_assert_eq(run_op(&t, &op), -ENOENT);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	cr_assert_eq(run_op(&t, &op), 0);
	box = box_number(&t, "ann", "a");
	cr_assert_eq(op.append.uid, 1);
	cr_assert_eq(op.append.uid_validity, box_of(&t, box).uid_validity);
	msg = msg_of(box, 1);
	cr_assert_eq(msg.date_s, 55);
	cr_assert_eq(msg.flags, STORE_SEEN | STORE_DRAFT | keyword(box, "$one") |
					keyword(box, "TWO"));
	cr_assert_eq(box_of(&t, box).n_unseen, 0);
}

Case(store_copy, inbox_is_made_when_something_comes)
{
	cr_assert_eq(append(&t, "ann", "INBOX", "text", 0), 0);
	cr_assert_eq(box_info(&t, "ann").n_messages, 1);
}

Case(store_copy, a_copy_has_the_same_bytes_once)
{
	uint32_t box = fill_inbox(4), from[4], to[4], other;
	const uint32_t uids[] = { 1, 3, 9 };
	struct store_copy done = { .from = from, .to = to };

	cr_assert_eq(create(&t, "ann", "a"), 0);
	other = box_number(&t, "ann", "a");
	cr_assert_eq(copy(box, uids, 3, "a", false, &done), 0);
	cr_assert_eq(done.n_copied, 2);
	cr_assert_eq(done.uid_validity, box_of(&t, other).uid_validity);
	cr_assert_eq(from[1], 3);
	cr_assert_eq(to[1], 2);
	cr_assert_eq(count_records(&t, ENGINE_MSG), 4);
	cr_assert_eq(msg_of(other, 2).msg, msg_of(box, 3).msg);
	cr_assert_eq(msg_of(other, 2).flags, STORE_SEEN);
	cr_assert_eq(box_of(&t, other).n_unseen, 0);
	cr_assert_eq(delete (&t, "ann", "a"), 0);
	cr_assert(message_reads(&t, "ann", 2, "message 3"));
}

Case(store_copy, a_move_leaves_nothing_behind)
{
	uint32_t box = fill_inbox(5), from[5], to[5], other;
	const uint32_t uids[] = { 2, 3, 4 };
	struct store_copy done = { .from = from, .to = to };

	cr_assert_eq(create(&t, "ann", "a"), 0);
	other = box_number(&t, "ann", "a");
	cr_assert_eq(copy(box, uids, 3, "a", true, &done), 0);
	cr_assert_str_eq(box_uids(&t, box, 0), "1 5");
	cr_assert_str_eq(box_uids(&t, other, 0), "1 2 3");
	cr_assert_eq(box_of(&t, box).n_unseen, 0);
	cr_assert_eq(box_of(&t, other).n_unseen, 2);
	cr_assert_eq(count_records(&t, ENGINE_REF), 0);
	cr_assert_eq(count_records(&t, ENGINE_DEAD), 0);
}

Case(store_copy, a_mailbox_takes_copies_of_its_own)
{
	uint32_t box = fill_inbox(3), from[2], to[2];
	const uint32_t uids[] = { 1, 2 };
	struct store_copy done = { .from = from, .to = to };

	cr_assert_eq(copy(box, uids, 2, "INBOX", false, &done), 0);
	cr_assert_str_eq(box_uids(&t, box, 0), "1 2 3 4 5");
	cr_assert_eq(copy(box, uids, 2, "INBOX", true, &done), 0);
	cr_assert_str_eq(box_uids(&t, box, 0), "3 4 5 6 7");
	cr_assert_eq(box_of(&t, box).n_messages, 5);
}

Case(store_copy, a_copy_to_nowhere_does_nothing)
{
	uint32_t box = fill_inbox(2), from[2], to[2];
	const uint32_t uids[] = { 1, 2 };
	struct store_copy done = { .from = from, .to = to };

	cr_assert_eq(copy(box, uids, 2, "none", true, &done), -ENOENT);
	cr_assert_eq(copy(99, uids, 2, "INBOX", true, &done), -ENOENT);
	cr_assert_str_eq(box_uids(&t, box, 0), "1 2");
}

Case(store_copy, keywords_go_along_by_name)
{
	static const struct store_keywords two = { .names = { STR("Two") }, .n = 1 };
	uint32_t box = fill_inbox(1), from[1], to[1], other;
	const uint32_t uid = 1;
	struct store_copy done = { .from = from, .to = to };
	struct store_op op = {
		.kind = STORE_FLAGS,
		.flags = { .box = box, .uids = &uid, .n_uids = 1, .learn = &labels }
	};

	cr_assert_eq(create(&t, "ann", "a"), 0);
	other = box_number(&t, "ann", "a");
	cr_assert_eq(append(&t, "ann", "a", "there", 0), 0);
	cr_assert_eq(run_op(&t, &op), 0);
	op.flags.box = other;
	op.flags.learn = &two;
	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_neq(keyword(box, "Two"), keyword(other, "Two"));
	cr_assert_eq(copy(box, &uid, 1, "a", false, &done), 0);
	cr_assert_eq(msg_of(other, 2).flags,
		     STORE_SEEN | keyword(other, "$One") | keyword(other, "Two"));
}

Case(store_copy, a_mailbox_learns_so_many_keywords)
{
	char text[STORE_KEYWORDS_MAX][8];
	struct store_keywords all = { .n = STORE_KEYWORDS_MAX };
	uint32_t box = fill_inbox(1);
	const uint32_t uid = 1;
	struct store_op op = {
		.kind = STORE_FLAGS,
		.flags = { .box = box, .uids = &uid, .n_uids = 1, .learn = &all }
	};

	for (unsigned i = 0; i < STORE_KEYWORDS_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "k%u", i);
		all.names[i] = str_of(text[i]);
	}
	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_eq(msg_of(box, 1).flags >> STORE_KEYWORD_BIT,
		     (1u << STORE_KEYWORDS_MAX) - 1);
	op.flags.learn = &labels;
	cr_assert_eq(run_op(&t, &op), -EDQUOT);
	op.flags.learn = &all;
	cr_assert_eq(run_op(&t, &op), 0);
}

Case(store_copy, flags_wait_for_nobody_who_came_between)
{
	uint32_t box = fill_inbox(3), modified[3];
	const uint32_t uids[] = { 1, 2, 3 };
	uint64_t before = box_of(&t, box).modseq;
	struct store_op op = { .kind = STORE_FLAGS,
			       .flags = { .box = box,
					  .uids = uids,
					  .n_uids = 3,
					  .add = STORE_FLAGGED,
					  .unchanged_since = before,
					  .modified = modified } };

	cr_assert_eq(set_flags(&t, "ann", 2, 0, STORE_ANSWERED), 0);
	cr_assert_eq(run_op(&t, &op), 0);
	cr_assert_eq(op.flags.n_modified, 1);
	cr_assert_eq(modified[0], 2);
	cr_assert_eq(op.flags.modseq, box_of(&t, box).modseq);
	cr_assert_eq(msg_of(box, 2).flags, STORE_ANSWERED);
	cr_assert_eq(msg_of(box, 3).flags, STORE_SEEN | STORE_FLAGGED);
	cr_assert_str_eq(box_uids(&t, box, op.flags.modseq - 1), "1 3");
	cr_assert_str_eq(box_uids(&t, box, before), "1 2 3");
	cr_assert_eq(box_of(&t, box).modseq_flags, op.flags.modseq);
}

static const char *vanished(uint32_t box, uint64_t since)
{
	static char text[256];
	struct store_range *ranges;
	struct store_read *read;
	size_t n, at = 0;

	text[0] = '\0';
	cr_assert_eq(store_read_begin(t.store, &read), 0);
	cr_assert_eq(store_box_vanished(read, box, since, &ranges, &n), 0);
	store_read_end(read);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u:%u",
				       i ? " " : "", ranges[i].first, ranges[i].last);
	free(ranges);
	return text;
}

Case(store_copy, expunges_are_remembered)
{
	uint32_t box = fill_inbox(9), from[9], to[9];
	const uint32_t first[] = { 2, 3, 4, 8 }, second[] = { 6, 7 };
	struct store_copy done = { .from = from, .to = to };
	uint64_t before = box_of(&t, box).modseq, between;

	cr_assert_eq(expunge(&t, "ann", first, 4), 0);
	between = box_of(&t, box).modseq;
	cr_assert_eq(between, before + 1);
	cr_assert_eq(expunge(&t, "ann", first, 4), 0);
	cr_assert_eq(box_of(&t, box).modseq, between);
	cr_assert_eq(create(&t, "ann", "a"), 0);
	cr_assert_eq(copy(box, second, 2, "a", true, &done), 0);
	test_store_reopen(&t);
	cr_assert_str_eq(vanished(box, before), "2:4 8:8 6:7");
	cr_assert_str_eq(vanished(box, between), "6:7");
	cr_assert_eq(box_of(&t, box).n_vanished, 3);
	cr_assert_eq(box_of(&t, box).vanished_since, 0);
}

Case(store_copy, so_many_expunges_are_remembered)
{
	enum { N = 2 * STORE_VANISHED_MAX + 2 };
	uint32_t *uids = malloc((N / 2) * sizeof(*uids)), *from = malloc(4 * N),
		 *to = malloc(4 * N);
	uint32_t box = fill_inbox(1), one = 1;
	struct store_copy done = { .from = from, .to = to };
	struct store_box_info info;

	while (box_of(&t, box).n_messages < N) {
		uint32_t all[4096], n = box_of(&t, box).n_messages;

		n = n < 4096 ? n : 4096;
		for (uint32_t i = 0; i < n; i++)
			all[i] = i + 1;
		cr_assert_eq(copy(box, all, n, "INBOX", false, &done), 0);
	}
	for (uint32_t i = 0; i < N / 2; i++)
		uids[i] = 2 * i + 1;
	cr_assert_eq(expunge(&t, "ann", &one, 1), 0);
	cr_assert_eq(expunge(&t, "ann", uids + 1, N / 2 - 1), 0);
	info = box_of(&t, box);
	cr_assert_leq(info.n_vanished, STORE_VANISHED_MAX);
	cr_assert_gt(info.n_vanished, STORE_VANISHED_MAX / 2);
	cr_assert_eq(info.vanished_since, info.modseq);
	cr_assert_eq(count_records(&t, ENGINE_VANISHED), info.n_vanished);
	free(uids);
	free(from);
	free(to);
}
