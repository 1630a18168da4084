#include "apps/mail/queue/envelope.h"

#include "stack/base/byte.h"
#include "stack/base/check.h"

enum { FORMAT = 1, FLAG_WARNED = 1 };

static struct str cut(struct str s, size_t most)
{
	return (struct str){ s.p, s.len < most ? s.len : most };
}

static void put_bytes(struct wr *w, struct str s)
{
	if (s.len > 0)
		wr_copy(w, s.p, s.len);
}

static void put_short(struct wr *w, struct str s)
{
	s = cut(s, ENVELOPE_TEXT_MAX);
	wr8(w, (uint8_t)s.len);
	put_bytes(w, s);
}

static void put_rcpt(struct wr *w, const struct envelope_rcpt *r)
{
	struct str text = cut(r->last.text, SMTP_REPLY_TEXT_MAX);

	put_short(w, r->addr);
	wr16(w, r->last.code);
	wr8(w, r->last.enhanced.class);
	wr16(w, r->last.enhanced.subject);
	wr16(w, r->last.enhanced.detail);
	wr16(w, (uint16_t)text.len);
	put_bytes(w, text);
}

size_t envelope_emit(const struct envelope *e, char out[static ENVELOPE_LEN_MAX])
{
	struct wr w = wr_of(out, ENVELOPE_LEN_MAX);

	ASSERT(e->n_rcpts >= 1 && e->n_rcpts <= ENVELOPE_RCPTS_MAX);
	wr8(&w, FORMAT);
	wr8(&w, e->warned ? FLAG_WARNED : 0);
	wr16(&w, (uint16_t)e->n_rcpts);
	wr32(&w, e->n_attempts);
	wr64(&w, e->arrived_ms);
	wr64(&w, e->last_ms);
	put_short(&w, e->from);
	put_short(&w, e->id);
	put_short(&w, e->remote);
	for (size_t i = 0; i < e->n_rcpts; i++)
		put_rcpt(&w, &e->rcpts[i]);
	ASSERT(!w.bad);
	return (size_t)(w.p - (uint8_t *)out);
}

/* The next @len bytes, in place, as many as they are. */
static struct str take(struct rd *r, size_t len)
{
	struct str s = { (const char *)r->p, len };

	if (r->bad || len > rd_left(r)) {
		r->bad = true;
		s.len = 0;
		return s;
	}
	r->p += len;
	return s;
}

static void take_rcpt(struct rd *r, struct envelope_rcpt *rcpt)
{
	size_t text_len;

	rcpt->addr = take(r, rd8(r));
	rcpt->last.code = rd16(r);
	rcpt->last.enhanced.class = rd8(r);
	rcpt->last.enhanced.subject = rd16(r);
	rcpt->last.enhanced.detail = rd16(r);
	text_len = rd16(r);
	r->bad |= rcpt->addr.len == 0 || text_len > SMTP_REPLY_TEXT_MAX;
	rcpt->last.text = take(r, text_len);
}

bool envelope_parse(struct str bytes, struct envelope *e)
{
	struct rd r = rd_of(bytes.p, bytes.len);
	bool known = rd8(&r) == FORMAT;
	uint8_t flags = rd8(&r);

	e->n_rcpts = rd16(&r);
	known &= flags <= FLAG_WARNED && e->n_rcpts >= 1 &&
		 e->n_rcpts <= ENVELOPE_RCPTS_MAX;
	if (!known)
		return false;
	e->warned = flags & FLAG_WARNED;
	e->n_attempts = rd32(&r);
	e->arrived_ms = rd64(&r);
	e->last_ms = rd64(&r);
	e->from = take(&r, rd8(&r));
	e->id = take(&r, rd8(&r));
	e->remote = take(&r, rd8(&r));
	for (size_t i = 0; i < e->n_rcpts && !r.bad; i++)
		take_rcpt(&r, &e->rcpts[i]);
	return !r.bad && rd_left(&r) == 0;
}
