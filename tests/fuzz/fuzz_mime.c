#include <stdlib.h>

#include "apps/mail/wire/mime.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void same_text(struct str a, struct str b)
{
	ASSERT(a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0));
}

static void same_part(const struct mime_part *a, const struct mime_part *b)
{
	ASSERT(a->kind == b->kind && a->parent == b->parent && a->child == b->child);
	ASSERT(a->next == b->next && a->n_children == b->n_children && a->odd == b->odd);
	ASSERT(a->header_at == b->header_at && a->header_len == b->header_len);
	ASSERT(a->body_at == b->body_at && a->body_len == b->body_len);
	ASSERT(a->n_lines == b->n_lines && a->enc == b->enc);
	ASSERT(a->params.n == b->params.n);
	same_text(a->type, b->type);
	same_text(a->subtype, b->subtype);
	same_text(a->description, b->description);
}

static void check(const struct mime *m, size_t len)
{
	ASSERT(mime_n_parts(m) >= 1);
	for (uint32_t i = 0; i < mime_n_parts(m); i++) {
		const struct mime_part *p = mime_part(m, i);
		const struct mime_part *up = mime_part(m, p->parent);

		ASSERT(p->header_at + p->header_len <= p->body_at);
		ASSERT(p->body_at + p->body_len <= len && p->n_lines <= p->body_len);
		ASSERT((i == MIME_ROOT) == !up && (!up || p->parent < i));
		ASSERT(!up ||
		       (p->header_at >= up->body_at &&
			p->body_at + p->body_len <= up->body_at + up->body_len) ||
		       p->body_len == 0);
		ASSERT(p->kind != MIME_MESSAGE || p->n_children == 1);
		ASSERT(p->kind != MIME_LEAF || p->n_children == 0);
	}
}

/* The first byte is the size of pieces and the limits.  Cuts change nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct mime_limits limits = mime_limits_default;
	struct mime *whole, *cut;
	struct str s;
	size_t step;

	if (len < 1)
		return 0;
	s = (struct str){ (const char *)bytes + 1, len - 1 };
	step = 1 + bytes[0] % 32;
	if (bytes[0] & 0x80)
		limits = (struct mime_limits){ 3, 5, 200, 4096 };
	whole = mime_new(&limits);
	cut = mime_new(&limits);
	mime_parse(whole, s);
	for (size_t at = 0; at < s.len; at += step)
		mime_feed(cut, (struct str){ s.p + at,
					     s.len - at < step ? s.len - at : step });
	mime_end(cut);
	check(whole, s.len);
	ASSERT(mime_n_parts(whole) == mime_n_parts(cut) &&
	       mime_odd(whole) == mime_odd(cut));
	for (uint32_t i = 0; i < mime_n_parts(whole); i++)
		same_part(mime_part(whole, i), mime_part(cut, i));
	ASSERT(mime_find(whole, s) == mime_find(cut, s));
	mime_free(whole);
	mime_free(cut);
	return 0;
}
