#include "apps/mail/wire/imap_reply.h"

#include "apps/mail/wire/imap_reply_impl.h"

const struct imap_reply_limits imap_reply_default_limits = {
	.line_len = 8 << 20,
	.len = 16 << 20,
	.hold_len = 64 << 10,
	.memory = 64 << 20,
};

static void begin(struct imap_reply_reader *r)
{
	imap_arena_reset(&r->arena);
	imap_frame_reset(&r->frame);
	r->is_over = false;
	r->is_data = false;
}

void imap_reply_init(struct imap_reply_reader *r, const struct imap_reply_limits *limits)
{
	const struct imap_frame_limits frame = { .line_len = limits->line_len,
						 .len = limits->len };

	*r = (struct imap_reply_reader){ .limits = *limits };
	imap_arena_init(&r->arena, limits->memory);
	imap_frame_init(&r->frame, &frame);
}

void imap_reply_fini(struct imap_reply_reader *r)
{
	begin(r);
}

static enum imap_reply_event broken(struct imap_reply_reader *r, const char *why)
{
	r->bad = why;
	return IMAP_REPLY_BROKEN;
}

static enum imap_reply_result read_reply(struct imap_reply_reader *r, bool ends_open)
{
	imap_arena_reset(&r->arena);
	return imap_reply_grammar(imap_frame_text(&r->frame), ends_open, &r->arena,
				  &r->reply, &r->before, &r->bad);
}

static enum imap_reply_event line_ends(struct imap_reply_reader *r)
{
	if (read_reply(r, false) != IMAP_REPLY_WHOLE)
		return IMAP_REPLY_BROKEN;
	r->is_over = true;
	return IMAP_REPLY_READY;
}

/*
 * A line ends in what looks like a literal.  In a status response that is text; what
 * it is the tokens tell, which are looked at once, and again when the caller must see
 * them.
 */
static enum imap_reply_event line_announces(struct imap_reply_reader *r)
{
	uint64_t size = r->frame.literal.size;
	bool passes = size > r->limits.hold_len;

	if (passes || !r->is_data) {
		switch (read_reply(r, true)) {
		case IMAP_REPLY_IS_TEXT: imap_frame_end(&r->frame); return line_ends(r);
		case IMAP_REPLY_OPEN: r->is_data = true; break;
		case IMAP_REPLY_WHOLE:
		case IMAP_REPLY_WRONG: return IMAP_REPLY_BROKEN;
		}
	}
	if (passes) {
		imap_frame_pass(&r->frame);
		r->size = size;
		return IMAP_REPLY_LITERAL;
	}
	return imap_frame_hold(&r->frame) ? IMAP_REPLY_MORE :
					    broken(r, "The response is too long");
}

static enum imap_reply_event look(struct imap_reply_reader *r, enum imap_frame_event e)
{
	switch (e) {
	case IMAP_FRAME_LITERAL: return line_announces(r);
	case IMAP_FRAME_OCTETS: return IMAP_REPLY_OCTETS;
	case IMAP_FRAME_END: return line_ends(r);
	case IMAP_FRAME_BARE_LF: return broken(r, "A line does not end in CRLF");
	case IMAP_FRAME_TOO_LONG: return broken(r, "The response is too long");
	case IMAP_FRAME_NO_MEMORY: return broken(r, "Out of memory");
	case IMAP_FRAME_MORE:
	case IMAP_FRAME_SKIPPED:
	case IMAP_FRAME_ENDLESS: break;
	}
	return IMAP_REPLY_MORE;
}

enum imap_reply_event imap_reply(struct imap_reply_reader *r, struct str *in)
{
	enum imap_reply_event result = IMAP_REPLY_MORE;

	if (r->is_over)
		begin(r);
	while (result == IMAP_REPLY_MORE) {
		enum imap_frame_event e = imap_frame_feed(&r->frame, in, &r->piece);

		if (e == IMAP_FRAME_MORE)
			break;
		result = look(r, e);
	}
	return result;
}

bool imap_token_is(const struct imap_token *t, struct str atom)
{
	return t && t->kind == IMAP_TOKEN_ATOM && str_eq_nocase(t->text, atom);
}

bool imap_token_number(const struct imap_token *t, uint64_t *n)
{
	return t && t->kind == IMAP_TOKEN_ATOM && str_to_u64(t->text, n);
}

const struct imap_token *imap_token_value(const struct imap_token *list, struct str name)
{
	const struct imap_token *t =
		list && list->kind == IMAP_TOKEN_LIST ? list->kids : NULL;

	while (t && t->next && !imap_token_is(t, name))
		t = t->next->next;
	return t ? t->next : NULL;
}
