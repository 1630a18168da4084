#include "apps/mail/store/record.h"

#include <zlib.h>

#include "stack/base/byte.h"

/* Of entries and messages; and of what has changed since the first. */
enum { FORMAT = 1, FORMAT_NOW = 2, BOX_LEN_1 = 40 };

bool record_emit_name(char key[RECORD_NAME_MAX], size_t *len, struct str user,
		      struct str mailbox)
{
	if (user.len == 0 || user.len > STORE_USER_MAX || mailbox.len == 0 ||
	    mailbox.len > STORE_MAILBOX_NAME_MAX || memchr(user.p, 0, user.len) ||
	    memchr(mailbox.p, 0, mailbox.len))
		return false;
	memcpy(key, user.p, user.len);
	key[user.len] = 0;
	memcpy(key + user.len + 1, mailbox.p, mailbox.len);
	*len = user.len + 1 + mailbox.len;
	return true;
}

bool record_parse_name(struct str key, struct str *user, struct str *mailbox)
{
	const char *nul = memchr(key.p, 0, key.len);
	char again[RECORD_NAME_MAX];
	struct str u, m;
	size_t len;

	if (!nul)
		return false;
	u = (struct str){ key.p, (size_t)(nul - key.p) };
	m = (struct str){ nul + 1, key.len - u.len - 1 };
	if (!record_emit_name(again, &len, u, m))
		return false;
	*user = u;
	*mailbox = m;
	return true;
}

void record_emit_box_key(char key[RECORD_BOX_KEY_LEN], uint32_t box, uint32_t uid)
{
	struct wr w = wr_of(key, RECORD_BOX_KEY_LEN);

	wr32(&w, box);
	wr32(&w, uid);
}

bool record_parse_box_key(struct str key, uint32_t *box, uint32_t *uid)
{
	struct rd r = rd_of(key.p, key.len);

	if (key.len != RECORD_BOX_KEY_LEN)
		return false;
	*box = rd32(&r);
	*uid = rd32(&r);
	return true;
}

void record_emit_msg_key(char key[RECORD_MSG_KEY_LEN], uint64_t msg)
{
	struct wr w = wr_of(key, RECORD_MSG_KEY_LEN);

	wr64(&w, msg);
}

bool record_parse_msg_key(struct str key, uint64_t *msg)
{
	struct rd r = rd_of(key.p, key.len);

	if (key.len != RECORD_MSG_KEY_LEN)
		return false;
	*msg = rd64(&r);
	return true;
}

void record_emit_count(char value[RECORD_COUNT_LEN], uint32_t n)
{
	struct wr w = wr_of(value, RECORD_COUNT_LEN);

	wr32(&w, n);
}

bool record_parse_count(struct str value, uint32_t *n)
{
	struct rd r = rd_of(value.p, value.len);

	if (value.len != RECORD_COUNT_LEN)
		return false;
	*n = rd32(&r);
	return true;
}

void record_emit_vanished_key(char key[RECORD_VANISHED_KEY_LEN], uint32_t box,
			      const struct record_vanished *v)
{
	struct wr w = wr_of(key, RECORD_VANISHED_KEY_LEN);

	wr32(&w, box);
	wr64(&w, v->modseq);
	wr32(&w, v->first);
}

bool record_parse_vanished_key(struct str key, uint32_t *box, struct record_vanished *v)
{
	struct rd r = rd_of(key.p, key.len);

	if (key.len != RECORD_VANISHED_KEY_LEN)
		return false;
	*box = rd32(&r);
	v->modseq = rd64(&r);
	v->first = rd32(&r);
	return true;
}

/* What every record begins with: the format, and zeros up to @len bytes. */
static void emit_format(struct wr *w, uint8_t format, size_t len)
{
	wr8(w, format);
	while (--len > 0)
		wr8(w, 0);
}

/* The format, or 0: zeros were missing. */
static uint8_t parse_format(struct rd *r, size_t len)
{
	uint8_t format = rd8(r);

	while (--len > 0)
		if (rd8(r) != 0)
			format = 0;
	return format;
}

void record_emit_state(char value[RECORD_STATE_LEN], const struct record_state *s)
{
	struct wr w = wr_of(value, RECORD_STATE_LEN);

	emit_format(&w, FORMAT_NOW, 4);
	wr64(&w, s->next_msg);
	wr32(&w, s->next_box);
	wr32(&w, s->last_uid_validity);
}

bool record_parse_state(struct str value, struct record_state *s)
{
	struct rd r = rd_of(value.p, value.len);
	uint8_t format = parse_format(&r, 4);

	if (value.len != RECORD_STATE_LEN || (format != FORMAT && format != FORMAT_NOW))
		return false;
	s->next_msg = rd64(&r);
	s->next_box = rd32(&r);
	s->last_uid_validity = rd32(&r);
	return true;
}

void record_emit_box(char value[RECORD_BOX_LEN], const struct store_box_info *info)
{
	struct wr w = wr_of(value, RECORD_BOX_LEN);

	emit_format(&w, FORMAT_NOW, 4);
	wr32(&w, info->uid_validity);
	wr32(&w, info->uid_next);
	wr32(&w, info->n_messages);
	wr32(&w, info->n_unseen);
	wr32(&w, info->uses);
	wr64(&w, info->modseq);
	wr64(&w, info->n_bytes);
	wr32(&w, info->uid_recent);
	wr32(&w, info->n_vanished);
	wr64(&w, info->vanished_since);
	wr64(&w, info->modseq_flags);
}

/* Behind what both formats have. */
static void parse_box_now(struct rd *r, struct store_box_info *i)
{
	i->uid_recent = rd32(r);
	i->n_vanished = rd32(r);
	i->vanished_since = rd64(r);
	i->modseq_flags = rd64(r);
}

bool record_parse_box(struct str value, struct store_box_info *info)
{
	struct rd r = rd_of(value.p, value.len);
	struct store_box_info i = { 0 };
	uint8_t format = parse_format(&r, 4);

	i.uid_validity = rd32(&r);
	i.uid_next = rd32(&r);
	i.n_messages = rd32(&r);
	i.n_unseen = rd32(&r);
	i.uses = rd32(&r);
	i.modseq = rd64(&r);
	i.n_bytes = rd64(&r);
	if (format == FORMAT_NOW && value.len == RECORD_BOX_LEN) {
		parse_box_now(&r, &i);
	} else if (format == FORMAT && value.len == BOX_LEN_1 && i.uses == 0) {
		/* Nothing was noted of expunges and flags until now. */
		i.uid_recent = 1;
		i.vanished_since = i.modseq_flags = i.modseq;
	} else {
		return false;
	}
	*info = i;
	return true;
}

void record_emit_keywords(char value[RECORD_KEYWORDS_MAX], size_t *len,
			  const struct store_keywords *k)
{
	struct wr w = wr_of(value, RECORD_KEYWORDS_MAX);

	for (unsigned i = 0; i < k->n; i++) {
		wr8(&w, (uint8_t)k->names[i].len);
		wr_copy(&w, k->names[i].p, k->names[i].len);
	}
	*len = (size_t)((char *)w.p - value);
}

bool record_parse_keywords(struct str value, struct store_keywords *k)
{
	struct rd r = rd_of(value.p, value.len);
	struct store_keywords got = { 0 };

	while (rd_left(&r) > 0) {
		size_t len = rd8(&r);
		struct str name = { (const char *)r.p, len };

		if (got.n == STORE_KEYWORDS_MAX || len > rd_left(&r) ||
		    !store_keyword_ok(name))
			return false;
		got.names[got.n++] = name;
		r.p += len;
	}
	*k = got;
	return true;
}

void record_emit_entry(char value[RECORD_ENTRY_LEN], const struct record_entry *e)
{
	struct wr w = wr_of(value, RECORD_ENTRY_LEN);

	emit_format(&w, FORMAT, 2);
	wr16(&w, (uint16_t)e->head.len);
	wr32(&w, e->msg.flags);
	wr64(&w, e->msg.msg);
	wr64(&w, e->msg.size);
	wr64(&w, e->msg.date_s);
	wr64(&w, e->msg.modseq);
}

bool record_parse_entry(struct str value, struct record_entry *e)
{
	struct rd r = rd_of(value.p, value.len);
	bool known = parse_format(&r, 2) == FORMAT;
	uint16_t head_len = rd16(&r);

	if (!known || head_len > STORE_HEAD_MAX ||
	    value.len != RECORD_ENTRY_LEN + (size_t)head_len)
		return false;
	e->msg.flags = rd32(&r);
	e->msg.msg = rd64(&r);
	e->msg.size = rd64(&r);
	e->msg.date_s = rd64(&r);
	e->msg.modseq = rd64(&r);
	e->head = (struct str){ value.p + RECORD_ENTRY_LEN, head_len };
	return true;
}

void record_emit_head(char value[RECORD_HEAD_LEN], const struct record_head *h)
{
	struct wr w = wr_of(value, RECORD_HEAD_LEN);

	emit_format(&w, FORMAT, 4);
	wr32(&w, h->crc);
	wr64(&w, h->len);
}

bool record_parse_head(struct str value, struct record_head *h, struct str *bytes)
{
	struct rd r = rd_of(value.p, value.len);
	struct record_head got;
	bool known;

	known = parse_format(&r, 4) == FORMAT;
	got.crc = rd32(&r);
	got.len = rd64(&r);
	if (!known || r.bad || got.len != rd_left(&r))
		return false;
	*h = got;
	*bytes = (struct str){ value.p + RECORD_HEAD_LEN, (size_t)got.len };
	return true;
}

void record_emit_item(char value[RECORD_ITEM_LEN], const struct spool_item *item)
{
	struct wr w = wr_of(value, RECORD_ITEM_LEN);

	emit_format(&w, FORMAT, 6);
	wr16(&w, (uint16_t)item->dest.len);
	wr64(&w, item->msg);
	wr64(&w, item->due_ms);
}

bool record_parse_item(struct str value, struct spool_item *item)
{
	struct rd r = rd_of(value.p, value.len);
	bool known = parse_format(&r, 6) == FORMAT;
	uint16_t dest_len = rd16(&r);
	const char *at;
	size_t left;

	if (!known || dest_len == 0 || dest_len > SPOOL_DEST_MAX ||
	    value.len < RECORD_ITEM_LEN + (size_t)dest_len)
		return false;
	item->msg = rd64(&r);
	item->due_ms = rd64(&r);
	at = value.p + RECORD_ITEM_LEN;
	left = value.len - RECORD_ITEM_LEN - dest_len;
	item->dest = (struct str){ at, dest_len };
	item->bytes = (struct str){ at + dest_len, left };
	return !memchr(at, 0, dest_len);
}

void record_emit_dest(char value[RECORD_DEST_LEN], const struct spool_dest *dest)
{
	struct wr w = wr_of(value, RECORD_DEST_LEN);

	emit_format(&w, FORMAT, 4);
	wr32(&w, dest->fails);
	wr64(&w, dest->ready_ms);
	wr64(&w, dest->put_off_ms);
}

bool record_parse_dest(struct str value, struct spool_dest *dest)
{
	struct rd r = rd_of(value.p, value.len);

	if (value.len != RECORD_DEST_LEN || parse_format(&r, 4) != FORMAT)
		return false;
	dest->fails = rd32(&r);
	dest->ready_ms = rd64(&r);
	dest->put_off_ms = rd64(&r);
	return true;
}

size_t record_emit_due(char key[RECORD_DUE_MAX], struct str dest, uint64_t due_ms,
		       uint64_t id)
{
	struct wr w = wr_of(key, RECORD_DUE_MAX);

	wr_copy(&w, dest.p, dest.len);
	wr8(&w, 0);
	wr64(&w, due_ms);
	wr64(&w, id);
	return dest.len + 1 + 16;
}

bool record_parse_due(struct str key, struct str *dest, uint64_t *due_ms, uint64_t *id)
{
	size_t len = key.len > 17 ? key.len - 17 : 0;
	struct rd r = rd_of(key.p + len, key.len - len);

	if (len == 0 || len > SPOOL_DEST_MAX || rd8(&r) != 0 || memchr(key.p, 0, len))
		return false;
	*dest = (struct str){ key.p, len };
	*due_ms = rd64(&r);
	*id = rd64(&r);
	return true;
}

size_t record_emit_ready(char key[RECORD_READY_MAX], struct str dest, uint64_t ready_ms)
{
	struct wr w = wr_of(key, RECORD_READY_MAX);

	wr64(&w, ready_ms);
	wr_copy(&w, dest.p, dest.len);
	return 8 + dest.len;
}

bool record_parse_ready(struct str key, struct str *dest, uint64_t *ready_ms)
{
	struct rd r = rd_of(key.p, key.len);

	if (key.len <= 8 || key.len > RECORD_READY_MAX ||
	    memchr(key.p + 8, 0, key.len - 8))
		return false;
	*ready_ms = rd64(&r);
	*dest = (struct str){ key.p + 8, key.len - 8 };
	return true;
}

uint32_t record_crc_begin(uint64_t msg)
{
	char key[RECORD_MSG_KEY_LEN];

	/* With its number, so that one message's bytes never pass for another's. */
	record_emit_msg_key(key, msg);
	return (uint32_t)crc32_z(0, (const uint8_t *)key, sizeof(key));
}

uint32_t record_crc_more(uint32_t crc, struct str part)
{
	if (part.len == 0)
		return crc;
	return (uint32_t)crc32_z(crc, (const uint8_t *)part.p, part.len);
}

uint32_t record_crc(uint64_t msg, const struct str *parts, size_t n_parts)
{
	uint32_t crc = record_crc_begin(msg);

	for (size_t i = 0; i < n_parts; i++)
		crc = record_crc_more(crc, parts[i]);
	return crc;
}
