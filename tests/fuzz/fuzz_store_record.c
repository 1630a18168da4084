#include "apps/mail/store/record.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void expect(struct str value, const char *out, size_t out_len)
{
	ASSERT(value.len >= out_len && memcmp(value.p, out, out_len) == 0);
}

static void values(struct str value)
{
	char out[RECORD_BOX_LEN];
	struct store_box_info info;
	struct record_entry entry;
	struct record_state state;
	struct record_head head;
	struct str rest;

	/* What the first format says is written in the second. */
	if (value.len > 0 && value.p[0] == 2 && record_parse_state(value, &state)) {
		record_emit_state(out, &state);
		expect(value, out, RECORD_STATE_LEN);
	}
	if (record_parse_box(value, &info) && value.p[0] == 2) {
		record_emit_box(out, &info);
		expect(value, out, RECORD_BOX_LEN);
	}
	if (record_parse_entry(value, &entry)) {
		record_emit_entry(out, &entry);
		expect(value, out, RECORD_ENTRY_LEN);
		ASSERT(entry.head.p + entry.head.len == value.p + value.len);
	}
	if (record_parse_head(value, &head, &rest)) {
		record_emit_head(out, &head);
		expect(value, out, RECORD_HEAD_LEN);
		ASSERT(rest.p + rest.len == value.p + value.len);
		(void)record_crc(1, &rest, 1);
	}
}

static void spool(struct str input)
{
	char out[RECORD_DUE_MAX];
	struct spool_item item;
	struct spool_dest info;
	uint64_t ms, id;
	struct str dest;

	if (record_parse_item(input, &item)) {
		record_emit_item(out, &item);
		expect(input, out, RECORD_ITEM_LEN);
		ASSERT(item.bytes.p + item.bytes.len == input.p + input.len);
	}
	if (record_parse_dest(input, &info)) {
		record_emit_dest(out, &info);
		expect(input, out, RECORD_DEST_LEN);
	}
	if (record_parse_due(input, &dest, &ms, &id))
		ASSERT(str_eq(input,
			      (struct str){ out, record_emit_due(out, dest, ms, id) }));
	if (record_parse_ready(input, &dest, &ms))
		ASSERT(str_eq(input,
			      (struct str){ out, record_emit_ready(out, dest, ms) }));
}

static void keys(struct str key)
{
	char out[RECORD_NAME_MAX];
	struct record_vanished v;
	struct str user, mailbox;
	uint32_t box, uid, n;
	uint64_t msg;
	size_t len;

	if (record_parse_name(key, &user, &mailbox)) {
		ASSERT(record_emit_name(out, &len, user, mailbox));
		ASSERT(str_eq(key, (struct str){ out, len }));
	}
	if (record_parse_box_key(key, &box, &uid)) {
		record_emit_box_key(out, box, uid);
		expect(key, out, RECORD_BOX_KEY_LEN);
	}
	if (record_parse_msg_key(key, &msg)) {
		record_emit_msg_key(out, msg);
		expect(key, out, RECORD_MSG_KEY_LEN);
	}
	if (record_parse_vanished_key(key, &box, &v)) {
		record_emit_vanished_key(out, box, &v);
		expect(key, out, RECORD_VANISHED_KEY_LEN);
	}
	if (record_parse_count(key, &n)) {
		record_emit_count(out, n);
		expect(key, out, RECORD_COUNT_LEN);
	}
}

static void keywords(struct str value)
{
	char out[RECORD_KEYWORDS_MAX];
	struct store_keywords k;
	size_t len;

	if (record_parse_keywords(value, &k)) {
		record_emit_keywords(out, &len, &k);
		ASSERT(str_eq(value, (struct str){ out, len }));
	}
}

/* Whatever is understood, as any kind of record, is written as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len };

	values(input);
	keys(input);
	keywords(input);
	spool(input);
	return 0;
}
