#include <criterion/criterion.h>

#include "apps/mail/store/record.h"

static const char state_bytes[RECORD_STATE_LEN] = {
	2, 0, 0, 0,		/* format */
	0, 0, 0, 1, 0, 0, 0, 2, /* next message */
	0, 0, 0, 3,		/* next box */
	0, 0, 0, 4,		/* last uidvalidity */
};

static const char box_bytes[RECORD_BOX_LEN] = {
	2, 0, 0, 0,		/* format */
	0, 0, 0, 5,		/* uidvalidity */
	0, 0, 0, 9,		/* next uid */
	0, 0, 0, 8,		/* messages */
	0, 0, 0, 7,		/* unseen */
	0, 0, 0, 2,		/* uses */
	0, 0, 0, 0, 0, 0, 1, 0, /* modseq */
	0, 0, 1, 0, 0, 0, 0, 0, /* bytes */
	0, 0, 0, 6,		/* recent */
	0, 0, 0, 3,		/* vanished */
	0, 0, 0, 0, 0, 0, 0, 9, /* since */
	0, 0, 0, 0, 0, 0, 0, 8, /* modseq of flags */
};

/* As stores without IMAP have them. */
static const char old_box_bytes[40] = {
	1, 0, 0, 0,		/* format */
	0, 0, 0, 5,		/* uidvalidity */
	0, 0, 0, 9,		/* next uid */
	0, 0, 0, 8,		/* messages */
	0, 0, 0, 7,		/* unseen */
	0, 0, 0, 0,		/* zero */
	0, 0, 0, 0, 0, 0, 1, 0, /* modseq */
	0, 0, 1, 0, 0, 0, 0, 0, /* bytes */
};

static const char keywords_bytes[] = { 1, 'a', 3, '$', 'B', 'c' };

static const char entry_bytes[RECORD_ENTRY_LEN + 3] = {
	1,   0,	  0,   3,	      /* format, head length */
	0,   0,	  0,   1,	      /* flags */
	0,   0,	  0,   0, 0, 0, 0, 6, /* message */
	0,   0,	  0,   0, 0, 0, 2, 0, /* size */
	0,   0,	  0,   0, 0, 0, 3, 0, /* date */
	0,   0,	  0,   0, 0, 0, 4, 0, /* modseq */
	'a', 'b', 'c',		      /* head */
};

static const char head_bytes[RECORD_HEAD_LEN + 2] = {
	1,   0,	  0, 0,		    /* format */
	1,   2,	  3, 4,		    /* checksum */
	0,   0,	  0, 0, 0, 0, 0, 2, /* length */
	'h', 'i',		    /* bytes */
};

/* One record's parser, without the result. */
typedef bool parses(struct str value);

static bool parses_state(struct str value)
{
	struct record_state s;

	return record_parse_state(value, &s);
}

static bool parses_box(struct str value)
{
	struct store_box_info info;

	return record_parse_box(value, &info);
}

static bool parses_entry(struct str value)
{
	struct record_entry e;

	return record_parse_entry(value, &e);
}

static bool parses_head(struct str value)
{
	struct record_head h;
	struct str bytes;

	return record_parse_head(value, &h, &bytes);
}

static bool parses_count(struct str value)
{
	uint32_t n;

	return record_parse_count(value, &n);
}

static bool parses_box_key(struct str value)
{
	uint32_t box, uid;

	return record_parse_box_key(value, &box, &uid);
}

static bool parses_msg_key(struct str value)
{
	uint64_t msg;

	return record_parse_msg_key(value, &msg);
}

static bool parses_vanished_key(struct str value)
{
	struct record_vanished v;
	uint32_t box;

	return record_parse_vanished_key(value, &box, &v);
}

Test(record, parses_each_byte_for_byte_and_emits_the_same)
{
	char out[64];
	struct record_state s;
	struct store_box_info i;
	struct record_entry e;
	struct record_head h;
	struct str bytes;

	cr_assert(record_parse_state(RECORD_STR(state_bytes), &s));
	cr_assert_eq(s.next_msg, 0x100000002);
	cr_assert_eq(s.next_box, 3);
	cr_assert_eq(s.last_uid_validity, 4);
	record_emit_state(out, &s);
	cr_assert_arr_eq(out, state_bytes, RECORD_STATE_LEN);

	cr_assert(record_parse_box(RECORD_STR(box_bytes), &i));
	cr_assert_eq(i.uid_validity, 5);
	cr_assert_eq(i.uid_next, 9);
	cr_assert_eq(i.n_messages, 8);
	cr_assert_eq(i.n_unseen, 7);
	cr_assert_eq(i.modseq, 0x100);
	cr_assert_eq(i.n_bytes, 0x10000000000);
	cr_assert_eq(i.uses, STORE_USE_SENT);
	cr_assert_eq(i.uid_recent, 6);
	cr_assert_eq(i.n_vanished, 3);
	cr_assert_eq(i.vanished_since, 9);
	cr_assert_eq(i.modseq_flags, 8);
	record_emit_box(out, &i);
	cr_assert_arr_eq(out, box_bytes, RECORD_BOX_LEN);

	cr_assert(record_parse_entry(RECORD_STR(entry_bytes), &e));
	cr_assert(str_eq(e.head, STR("abc")));
	cr_assert_eq(e.msg.flags, STORE_SEEN);
	cr_assert_eq(e.msg.msg, 6);
	cr_assert_eq(e.msg.size, 0x200);
	cr_assert_eq(e.msg.date_s, 0x300);
	cr_assert_eq(e.msg.modseq, 0x400);
	record_emit_entry(out, &e);
	cr_assert_arr_eq(out, entry_bytes, RECORD_ENTRY_LEN);

	cr_assert(record_parse_head(RECORD_STR(head_bytes), &h, &bytes));
	cr_assert_eq(h.crc, 0x01020304);
	cr_assert(str_eq(bytes, STR("hi")));
	record_emit_head(out, &h);
	cr_assert_arr_eq(out, head_bytes, RECORD_HEAD_LEN);
}

Test(record, refuses_every_other_length)
{
	static const struct {
		parses *parses;
		struct str value;
	} records[] = {
		{ parses_state, RECORD_STR(state_bytes) },
		{ parses_box, RECORD_STR(box_bytes) },
		{ parses_entry, RECORD_STR(entry_bytes) },
		{ parses_head, RECORD_STR(head_bytes) },
		{ parses_count, { "\0\0\0\1", 4 } },
		{ parses_box_key, { "\0\0\0\1\0\0\0\2", 8 } },
		{ parses_msg_key, { "\0\0\0\1\0\0\0\2", 8 } },
		{ parses_vanished_key, { "\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\3", 16 } },
	};

	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		size_t len = records[i].value.len;
		char bytes[80] = { 0 };

		memcpy(bytes, records[i].value.p, len);
		for (size_t n = 0; n < sizeof(bytes); n++)
			cr_assert_eq(records[i].parses((struct str){ bytes, n }),
				     n == len, "record %zu, %zu bytes", i, n);
	}
}

Test(record, refuses_what_another_format_would_say)
{
	static const struct {
		parses *parses;
		struct str value;
		size_t at;
		char byte;
	} strange[] = {
		{ parses_state, RECORD_STR(state_bytes), 0, 3 },
		{ parses_state, RECORD_STR(state_bytes), 2, 1 },
		{ parses_box, RECORD_STR(box_bytes), 0, 0 },
		{ parses_box, RECORD_STR(box_bytes), 3, 1 },
		{ parses_box, RECORD_STR(box_bytes), 0, 3 },
		{ parses_box, RECORD_STR(box_bytes), 0, 1 },
		{ parses_box, RECORD_STR(old_box_bytes), 0, 2 },
		{ parses_box, RECORD_STR(old_box_bytes), 23, 1 },
		{ parses_entry, RECORD_STR(entry_bytes), 0, 9 },
		{ parses_entry, RECORD_STR(entry_bytes), 1, 1 },
		{ parses_entry, RECORD_STR(entry_bytes), 3, 2 },
		{ parses_head, RECORD_STR(head_bytes), 0, 0 },
		{ parses_head, RECORD_STR(head_bytes), 1, 1 },
		{ parses_head, RECORD_STR(head_bytes), 15, 3 },
		{ parses_head, RECORD_STR(head_bytes), 8, (char)0x80 },
	};

	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
		char bytes[64];
		struct str value = { bytes, strange[i].value.len };

		memcpy(bytes, strange[i].value.p, value.len);
		cr_assert(strange[i].parses(value));
		bytes[strange[i].at] = strange[i].byte;
		cr_assert(!strange[i].parses(value), "case %zu", i);
	}
}

Test(record, reads_state_and_box_of_stores_without_imap)
{
	char old_state[RECORD_STATE_LEN];
	struct store_box_info i;
	struct record_state s;

	memcpy(old_state, state_bytes, sizeof(old_state));
	old_state[0] = 1;
	cr_assert(record_parse_state(RECORD_STR(old_state), &s));
	cr_assert_eq(s.next_box, 3);
	cr_assert(record_parse_box(RECORD_STR(old_box_bytes), &i));
	cr_assert_eq(i.n_bytes, 0x10000000000);
	cr_assert_eq(i.uses, 0);
	cr_assert_eq(i.uid_recent, 1);
	cr_assert_eq(i.n_vanished, 0);
	cr_assert_eq(i.vanished_since, 0x100);
	cr_assert_eq(i.modseq_flags, 0x100);
}

Test(record, keywords_come_back_as_they_went)
{
	struct str value = RECORD_STR(keywords_bytes);
	char out[RECORD_KEYWORDS_MAX];
	struct store_keywords k;
	size_t len;

	cr_assert(record_parse_keywords(value, &k));
	cr_assert_eq(k.n, 2);
	cr_assert(str_eq(k.names[0], STR("a")));
	cr_assert(str_eq(k.names[1], STR("$Bc")));
	record_emit_keywords(out, &len, &k);
	cr_assert(str_eq(value, (struct str){ out, len }));
	for (size_t n = 1; n < value.len; n++)
		cr_assert_eq(record_parse_keywords((struct str){ value.p, n }, &k),
			     n == 2);
	cr_assert(record_parse_keywords((struct str){ NULL, 0 }, &k));
	cr_assert_eq(k.n, 0);
}

Test(record, keywords_have_limits)
{
	char many[2 * STORE_KEYWORDS_MAX + 2];
	char name[STORE_KEYWORD_LEN_MAX + 1];
	struct store_keywords k;

	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "\1a", 2);
	cr_assert(record_parse_keywords((struct str){ many, sizeof(many) - 2 }, &k));
	cr_assert(!record_parse_keywords(RECORD_STR(many), &k));
	cr_assert(!record_parse_keywords((struct str){ "\0", 1 }, &k));
	cr_assert(!record_parse_keywords((struct str){ "\2a b", 4 }, &k));
	memset(name, 'x', sizeof(name));
	cr_assert(store_keyword_ok((struct str){ name, STORE_KEYWORD_LEN_MAX }));
	cr_assert(!store_keyword_ok(RECORD_STR(name)));
	cr_assert(!store_keyword_ok(STR("")));
	cr_assert(!store_keyword_ok(STR("\\Seen")));
	cr_assert(!store_keyword_ok(STR("\xc3\xa9")));
}

Test(record, keys_sort_as_their_numbers_do)
{
	char low[8], high[8];

	record_emit_box_key(low, 1, RECORD_UID_BOX - 1);
	record_emit_box_key(high, 1, RECORD_UID_BOX);
	cr_assert_lt(memcmp(low, high, 8), 0);
	record_emit_box_key(low, 255, RECORD_UID_BOX);
	record_emit_box_key(high, 256, 0);
	cr_assert_lt(memcmp(low, high, 8), 0);
	record_emit_msg_key(low, 0xffffffff);
	record_emit_msg_key(high, 0x100000000);
	cr_assert_lt(memcmp(low, high, 8), 0);
}

Test(record, names_come_back_as_they_went)
{
	char key[RECORD_NAME_MAX];
	struct str user, mailbox;
	size_t len;

	cr_assert(record_emit_name(key, &len, STR("ann"), STR("Lists/c")));
	cr_assert_eq(len, 11);
	cr_assert(record_parse_name((struct str){ key, len }, &user, &mailbox));
	cr_assert(str_eq(user, STR("ann")));
	cr_assert(str_eq(mailbox, STR("Lists/c")));
	cr_assert(!record_parse_name(STR("ann"), &user, &mailbox));
	cr_assert(!record_parse_name(STR("ann\0"), &user, &mailbox));
	cr_assert(!record_parse_name(STR("\0INBOX"), &user, &mailbox));
	cr_assert(!record_parse_name(STR("ann\0a\0b"), &user, &mailbox));
}

Test(record, names_have_limits)
{
	static char many[STORE_MAILBOX_NAME_MAX + 1];
	char key[RECORD_NAME_MAX];
	size_t len;

	memset(many, 'm', sizeof(many));
	cr_assert(record_emit_name(key, &len, (struct str){ many, STORE_USER_MAX },
				   (struct str){ many, STORE_MAILBOX_NAME_MAX }));
	cr_assert_eq(len, RECORD_NAME_MAX);
	cr_assert(!record_emit_name(key, &len, (struct str){ many, STORE_USER_MAX + 1 },
				    STR("INBOX")));
	cr_assert(!record_emit_name(key, &len, STR("ann"),
				    (struct str){ many, STORE_MAILBOX_NAME_MAX + 1 }));
	cr_assert(!record_emit_name(key, &len, STR("ann"), (struct str){ many, 0 }));
	cr_assert(!record_emit_name(key, &len, STR("a\0b"), STR("INBOX")));
}

Test(record, checksum_is_of_number_and_bytes_however_they_are_cut)
{
	static const struct str cut[] = { { "mes", 3 }, { NULL, 0 }, { "sage", 4 } };
	struct str whole = STR("message");
	uint32_t crc = record_crc(7, &whole, 1);

	cr_assert_eq(record_crc(7, cut, 3), crc);
	cr_assert_neq(record_crc(8, &whole, 1), crc);
	whole.len--;
	cr_assert_neq(record_crc(7, &whole, 1), crc);
}

/* "Item" of message 2, due at 3, on its way to "b.example". */
static const char item_bytes[] = "\1\0\0\0\0\0\0\11\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"
				 "b.exampleitem";

Test(record, items_come_back_as_they_went)
{
	struct spool_item item = { 0 };
	char value[RECORD_ITEM_LEN];

	cr_assert(record_parse_item(STR(item_bytes), &item));
	cr_assert_eq(item.msg, 2);
	cr_assert_eq(item.due_ms, 3);
	cr_assert(str_eq(item.dest, STR("b.example")));
	cr_assert(str_eq(item.bytes, STR("item")));
	record_emit_item(value, &item);
	cr_assert_arr_eq(value, item_bytes, RECORD_ITEM_LEN);
	/* The bytes may be none; the destination may not. */
	for (size_t len = 0; len < RECORD_ITEM_LEN + 9; len++)
		cr_assert(!record_parse_item((struct str){ item_bytes, len }, &item));
	cr_assert(record_parse_item((struct str){ item_bytes, RECORD_ITEM_LEN + 9 },
				    &item));
	cr_assert(!record_parse_item(
		STR("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"), &item));
}

Test(record, destinations_come_back_as_they_went)
{
	static const char bytes[] = "\1\0\0\0\0\0\0\5\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\6";
	char value[RECORD_DEST_LEN];
	struct spool_dest dest;

	cr_assert(record_parse_dest(STR(bytes), &dest));
	cr_assert_eq(dest.fails, 5);
	cr_assert_eq(dest.ready_ms, 7);
	cr_assert_eq(dest.put_off_ms, 6);
	record_emit_dest(value, &dest);
	cr_assert_arr_eq(value, bytes, RECORD_DEST_LEN);
	for (size_t len = 0; len < RECORD_DEST_LEN; len++)
		cr_assert(!record_parse_dest((struct str){ bytes, len }, &dest));
}

Test(record, keys_of_the_spool_sort_by_destination_and_time)
{
	char low[RECORD_DUE_MAX], high[RECORD_DUE_MAX];
	uint64_t due_ms, id;
	struct str dest;
	size_t len = record_emit_due(low, STR("b"), UINT64_MAX, 1);

	cr_assert(record_parse_due((struct str){ low, len }, &dest, &due_ms, &id));
	cr_assert(str_eq(dest, STR("b")));
	cr_assert_eq(due_ms, UINT64_MAX);
	cr_assert_eq(id, 1);
	record_emit_due(high, STR("b.a"), 0, 0);
	cr_assert_lt(memcmp(low, high, len), 0);
	for (size_t n = 0; n < len; n++)
		cr_assert(!record_parse_due((struct str){ low, n }, &dest, &due_ms, &id));
	len = record_emit_ready(low, STR("z"), 255);
	cr_assert(record_parse_ready((struct str){ low, len }, &dest, &due_ms));
	cr_assert(str_eq(dest, STR("z")));
	cr_assert_eq(due_ms, 255);
	record_emit_ready(high, STR("a"), 256);
	cr_assert_lt(memcmp(low, high, len), 0);
	cr_assert(!record_parse_ready((struct str){ low, 8 }, &dest, &due_ms));
}
