#include "apps/mail/wire/imap_parse.h"

#include "apps/mail/wire/imap_parse_impl.h"
#include "stack/base/check.h"

const struct imap_parse_limits imap_parse_user_limits = {
	.line_len = 64 << 10,
	.literal_len = 64 << 10,
	.len = 256 << 10,
	.skip_len = 128 << 20,
};

const struct imap_parse_limits imap_parse_stranger_limits = {
	.line_len = 8 << 10,
	.literal_len = 4 << 10,
	.len = 16 << 10,
	.skip_len = 64 << 10,
};

/* Frees what the last command needed. */
static void begin(struct imap_parse *p, enum imap_parse_state state)
{
	imap_arena_reset(&p->arena);
	imap_frame_reset(&p->frame);
	p->frame.limits = (struct imap_frame_limits){
		.line_len = p->limits.line_len,
		.len = p->limits.len,
		.skip_len = p->limits.skip_len,
	};
	p->n_literals = 0;
	p->state = state;
}

void imap_parse_init(struct imap_parse *p, const struct imap_parse_limits *limits)
{
	*p = (struct imap_parse){ .limits = *limits };
	imap_arena_init(&p->arena, IMAP_PARSE_MEMORY);
	begin(p, IMAP_PARSE_IN_COMMAND);
}

void imap_parse_fini(struct imap_parse *p)
{
	imap_arena_reset(&p->arena);
	imap_frame_reset(&p->frame);
}

size_t imap_parse_memory(const struct imap_parse *p)
{
	return p->arena.len + p->frame.cap;
}

/* The tag outlives the text: a line that the command wants may come in its place. */
static void keep_tag(struct imap_parse *p)
{
	struct str tag = { p->tag, 0 };

	if (imap_parse_tag(imap_frame_text(&p->frame), &tag))
		memcpy(p->tag, tag.p, tag.len);
	p->cmd.tag = (struct str){ p->tag, tag.len };
}

static enum imap_parse_event refuse(struct imap_parse *p, const char *why)
{
	if (p->state == IMAP_PARSE_IN_COMMAND)
		keep_tag(p);
	p->bad = why;
	p->state = imap_frame_skip(&p->frame) ? IMAP_PARSE_OVER : IMAP_PARSE_IN_SKIPPED;
	return IMAP_PARSE_BAD;
}

static enum imap_grammar_result read_command(struct imap_parse *p, bool ends_open)
{
	imap_arena_reset(&p->arena);
	return imap_parse_grammar(imap_frame_text(&p->frame), ends_open, &p->arena,
				  &p->cmd, &p->bad);
}

static enum imap_parse_event at_announcement(struct imap_parse *p)
{
	const struct imap_literal literal = p->frame.literal;

	if (++p->n_literals > IMAP_LITERALS_MAX)
		return refuse(p, "[LIMIT] The command has too many literals");
	switch (read_command(p, true)) {
	case IMAP_GRAMMAR_BAD: return refuse(p, p->bad);
	case IMAP_GRAMMAR_MESSAGE:
		keep_tag(p);
		p->needs_plus = !literal.is_plus;
		p->state = IMAP_PARSE_AT_MESSAGE;
		return IMAP_PARSE_APPEND;
	case IMAP_GRAMMAR_WHOLE: return refuse(p, "A literal is wrong");
	case IMAP_GRAMMAR_OPEN: break;
	}
	if (literal.size > p->limits.literal_len || !imap_frame_hold(&p->frame))
		return refuse(p, "[TOOBIG] The literal is too long");
	return literal.is_plus ? IMAP_PARSE_MORE : IMAP_PARSE_CONTINUE;
}

static enum imap_parse_event line_ends(struct imap_parse *p)
{
	p->state = IMAP_PARSE_OVER;
	p->piece = imap_frame_text(&p->frame);
	return IMAP_PARSE_LINE;
}

/* RFC 3501 6.3.11: behind the message stands nothing. */
static enum imap_parse_event message_ends(struct imap_parse *p)
{
	if (p->frame.line_len > 2)
		return refuse(p, "Something stands behind the message");
	p->state = IMAP_PARSE_OVER;
	return IMAP_PARSE_COMMAND;
}

static enum imap_parse_event line_announces(struct imap_parse *p)
{
	switch (p->state) {
	case IMAP_PARSE_IN_LINE: imap_frame_end(&p->frame); return line_ends(p);
	case IMAP_PARSE_IN_MESSAGE: return message_ends(p);
	case IMAP_PARSE_IN_COMMAND: return at_announcement(p);
	case IMAP_PARSE_AT_MESSAGE:
	case IMAP_PARSE_IN_SKIPPED:
	case IMAP_PARSE_OVER: break;
	}
	return IMAP_PARSE_MORE;
}

static enum imap_parse_event end(struct imap_parse *p)
{
	if (p->state == IMAP_PARSE_IN_LINE)
		return line_ends(p);
	if (p->state == IMAP_PARSE_IN_MESSAGE)
		return message_ends(p);
	if (read_command(p, false) == IMAP_GRAMMAR_BAD)
		return refuse(p, p->bad);
	keep_tag(p);
	p->state = IMAP_PARSE_OVER;
	return IMAP_PARSE_COMMAND;
}

/* IMAP_PARSE_MORE: nothing that the server must know. */
static enum imap_parse_event look(struct imap_parse *p, enum imap_frame_event e)
{
	switch (e) {
	case IMAP_FRAME_MORE: break;
	case IMAP_FRAME_LITERAL: return line_announces(p);
	case IMAP_FRAME_OCTETS: return IMAP_PARSE_OCTETS;
	case IMAP_FRAME_END: return end(p);
	case IMAP_FRAME_BARE_LF: return refuse(p, "Lines must end in CRLF");
	case IMAP_FRAME_TOO_LONG: return refuse(p, "[TOOBIG] The command is too long");
	case IMAP_FRAME_NO_MEMORY: return refuse(p, "[UNAVAILABLE] Out of memory");
	case IMAP_FRAME_SKIPPED: begin(p, IMAP_PARSE_IN_COMMAND); break;
	case IMAP_FRAME_ENDLESS: p->bad = "The command has no end"; return IMAP_PARSE_BYE;
	}
	return IMAP_PARSE_MORE;
}

enum imap_parse_event imap_parse(struct imap_parse *p, struct str *in)
{
	enum imap_parse_event result = IMAP_PARSE_MORE;

	ASSERT(p->state != IMAP_PARSE_AT_MESSAGE);
	if (p->state == IMAP_PARSE_OVER)
		begin(p, IMAP_PARSE_IN_COMMAND);
	while (result == IMAP_PARSE_MORE) {
		enum imap_frame_event e = imap_frame_feed(&p->frame, in, &p->piece);

		if (e == IMAP_FRAME_MORE)
			break;
		result = look(p, e);
	}
	return result;
}

void imap_parse_append(struct imap_parse *p, bool is_taken)
{
	ASSERT(p->state == IMAP_PARSE_AT_MESSAGE);
	if (is_taken) {
		imap_frame_pass(&p->frame);
		p->state = IMAP_PARSE_IN_MESSAGE;
	} else {
		p->state = imap_frame_skip(&p->frame) ? IMAP_PARSE_OVER :
							IMAP_PARSE_IN_SKIPPED;
	}
}

void imap_parse_want_line(struct imap_parse *p)
{
	ASSERT(p->state == IMAP_PARSE_OVER);
	begin(p, IMAP_PARSE_IN_LINE);
}
