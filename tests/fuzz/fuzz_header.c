#include <stdlib.h>

#include "apps/mail/wire/header.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_inside(struct str s, struct str all)
{
	return s.p >= all.p && s.p + s.len <= all.p + all.len;
}

static void parse_value(struct str value, char *text, size_t room)
{
	struct wr w = wr_of(text, room);
	struct header_addrs it;
	struct header_addr addr;
	struct header_type type;
	struct header_date date;
	struct str id, name, rest = value;
	enum enc enc;
	int depth = 0;

	header_unfold(value, &w);
	w = wr_of(text, room);
	for (header_addrs_init(&it, value); header_addrs_next(&it, &w, &addr);) {
		depth += addr.kind == HEADER_GROUP_BEGIN;
		depth -= addr.kind == HEADER_GROUP_END;
		ASSERT(depth == 0 || depth == 1);
	}
	ASSERT(depth == 0);
	w = wr_of(text, room);
	while (header_msgid_next(&rest, &w, &id))
		ASSERT(w.bad || id.p[0] == '<');
	w = wr_of(text, room);
	header_content_type(value, &w, &type);
	header_content_disposition(value, &w, &type);
	header_content_encoding(value, &name, &enc);
	if (header_date(value, &date))
		ASSERT(date.zone_s > -100 * 3600 && date.zone_s < 100 * 3600);
}

/* The first byte is the room for text.  Each value is read as each kind of field. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str all = { (const char *)bytes + 1, len - 1 }, rest = all;
	struct header_field f;
	size_t room;
	char *text;

	if (len < 1)
		return 0;
	room = (size_t)bytes[0] * 16;
	text = malloc(room + 1);
	ASSERT(header_len(all) <= all.len);
	while (header_next(&rest, &f)) {
		ASSERT(is_inside(f.whole, all) && is_inside(f.name, f.whole));
		ASSERT(is_inside(f.value, f.whole) && f.whole.p + f.whole.len == rest.p);
		parse_value(f.value, text, room);
	}
	parse_value(all, text, room);
	free(text);
	return 0;
}
