#include "apps/mail/wire/imap_reply.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uint64_t mix(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t mix_tokens(uint64_t h, const struct imap_token *t)
{
	for (; t; t = t->next) {
		h = mix(h * 31 + t->kind + t->size, t->text);
		if (t->kind == IMAP_TOKEN_LIST)
			h = mix_tokens(h, t->kids);
	}
	return h;
}

static uint64_t mix_reply(uint64_t h, const struct imap_reply *r)
{
	h = mix(h * 31 + r->kind, r->tag) * 31 + r->status + r->number;
	h = mix(mix(mix(h, r->code), r->code_text), r->text);
	return mix_tokens(mix_tokens(mix(h, r->name), r->args), r->code_args);
}

/* All that was read, as one number. */
static uint64_t walk(struct str in, size_t cut)
{
	static const struct imap_reply_limits limits = {
		.line_len = 1000, .len = 2000, .hold_len = 20, .memory = 1 << 20
	};
	enum imap_reply_event e = IMAP_REPLY_MORE;
	struct imap_reply_reader r;
	uint64_t h = 1;

	imap_reply_init(&r, &limits);
	while (in.len > 0 && e != IMAP_REPLY_BROKEN) {
		struct str piece = { in.p, cut < in.len ? cut : in.len };

		in.p += piece.len;
		in.len -= piece.len;
		do {
			e = imap_reply(&r, &piece);
			if (e == IMAP_REPLY_OCTETS)
				h = mix(h, r.piece);
			if (e == IMAP_REPLY_LITERAL || e == IMAP_REPLY_READY)
				h = mix_reply(h * 31 + e, &r.reply);
		} while (e != IMAP_REPLY_MORE && e != IMAP_REPLY_BROKEN);
	}
	imap_reply_fini(&r);
	ASSERT(r.arena.len == 0 && r.frame.cap == 0);
	return h * 2 + (e == IMAP_REPLY_BROKEN);
}

/* The same responses are read however the bytes were cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes, len };

	ASSERT(walk(in, len + 1) == walk(in, 1 + len % 3));
	return 0;
}
