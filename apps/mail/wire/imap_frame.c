#include "apps/mail/wire/imap_frame.h"

#include <stdlib.h>

#include "stack/base/check.h"

enum { TEXT_FIRST = 256 };

void imap_frame_init(struct imap_frame *f, const struct imap_frame_limits *limits)
{
	*f = (struct imap_frame){ .limits = *limits, .state = IMAP_FRAME_IN_LINE };
}

void imap_frame_reset(struct imap_frame *f)
{
	free(f->text);
	*f = (struct imap_frame){ .limits = f->limits, .state = IMAP_FRAME_IN_LINE };
}

struct str imap_frame_text(const struct imap_frame *f)
{
	return (struct str){ f->text ? f->text : "", f->len };
}

/* The room doubles: it follows what came, not what was announced. */
static bool append(struct imap_frame *f, const char *p, size_t n)
{
	size_t cap = f->cap > 0 ? f->cap : TEXT_FIRST;
	char *text = f->text;

	while (cap - f->len < n)
		cap *= 2;
	if (cap > f->cap) {
		text = realloc(f->text, cap);
		if (!text)
			return false;
		f->text = text;
		f->cap = cap;
	}
	memcpy(text + f->len, p, n);
	f->len += n;
	return true;
}

static void add_digit(uint64_t *n, char c)
{
	unsigned digit = (unsigned)(c - '0');

	if (*n > (UINT64_MAX - digit) / 10)
		*n = UINT64_MAX;
	else
		*n = *n * 10 + digit;
}

/* literal = "{" number ["+"] "}" CRLF *CHAR8 ; the octets up to LF walk through here */
static enum imap_literal_at literal_octet(struct imap_literal *l, char c)
{
	bool is_digit = c >= '0' && c <= '9';

	if (c == '{') {
		*l = (struct imap_literal){ .size = 0 };
		return IMAP_LITERAL_OPEN;
	}
	switch (l->at) {
	case IMAP_LITERAL_OPEN:
	case IMAP_LITERAL_DIGITS:
		if (is_digit) {
			add_digit(&l->size, c);
			return IMAP_LITERAL_DIGITS;
		}
		if (l->at == IMAP_LITERAL_DIGITS && c == '+') {
			l->is_plus = true;
			return IMAP_LITERAL_PLUS;
		}
		return l->at == IMAP_LITERAL_DIGITS && c == '}' ? IMAP_LITERAL_CLOSED :
								  IMAP_LITERAL_NONE;
	case IMAP_LITERAL_PLUS: return c == '}' ? IMAP_LITERAL_CLOSED : IMAP_LITERAL_NONE;
	case IMAP_LITERAL_CLOSED: return c == '\r' ? IMAP_LITERAL_CR : IMAP_LITERAL_NONE;
	case IMAP_LITERAL_CR:
		return c == '\n' ? IMAP_LITERAL_ANNOUNCED : IMAP_LITERAL_NONE;
	case IMAP_LITERAL_NONE:
	case IMAP_LITERAL_ANNOUNCED: break;
	}
	return IMAP_LITERAL_NONE;
}

static void line_begins(struct imap_frame *f)
{
	f->line_len = 0;
	f->has_cr = false;
	f->literal = (struct imap_literal){ .at = IMAP_LITERAL_NONE };
}

/* Takes octets of a line, at most @max and not beyond an LF. */
static struct str take_line(struct imap_frame *f, struct str *in, size_t max, bool *ends,
			    bool *is_bare)
{
	struct str piece = { in->p, in->len < max ? in->len : max };
	const char *lf = memchr(piece.p, '\n', piece.len);

	if (lf)
		piece.len = (size_t)(lf - piece.p) + 1;
	*ends = *is_bare = false;
	for (size_t i = 0; i < piece.len; i++) {
		char c = piece.p[i];

		f->literal.at = literal_octet(&f->literal, c);
		*ends = c == '\n' && f->has_cr;
		*is_bare = c == '\n' && !f->has_cr;
		f->has_cr = c == '\r';
	}
	in->p += piece.len;
	in->len -= piece.len;
	return piece;
}

void imap_frame_end(struct imap_frame *f)
{
	f->len -= 2;
	f->state = IMAP_FRAME_DONE;
}

static enum imap_frame_event in_line(struct imap_frame *f, struct str *in)
{
	size_t line_room = f->limits.line_len - f->line_len;
	size_t room = f->limits.len - f->len;
	bool ends, is_bare;
	struct str piece;

	if (line_room < room)
		room = line_room;
	if (room == 0)
		return IMAP_FRAME_TOO_LONG;
	piece = take_line(f, in, room, &ends, &is_bare);
	f->line_len += piece.len;
	if (ends)
		f->state = f->literal.at == IMAP_LITERAL_ANNOUNCED ? IMAP_FRAME_DECIDE :
								     IMAP_FRAME_DONE;
	if (!append(f, piece.p, piece.len))
		return IMAP_FRAME_NO_MEMORY;
	if (is_bare)
		return IMAP_FRAME_BARE_LF;
	if (f->state == IMAP_FRAME_DECIDE)
		return IMAP_FRAME_LITERAL;
	if (f->state == IMAP_FRAME_IN_LINE)
		return IMAP_FRAME_MORE;
	imap_frame_end(f);
	return IMAP_FRAME_END;
}

/* Takes what is there of a literal. */
static struct str take_octets(struct imap_frame *f, struct str *in,
			      enum imap_frame_state behind)
{
	struct str piece = { in->p, in->len };

	if (piece.len > f->left)
		piece.len = (size_t)f->left;
	in->p += piece.len;
	in->len -= piece.len;
	f->left -= piece.len;
	if (f->left == 0) {
		f->state = behind;
		line_begins(f);
	}
	return piece;
}

static void octets_begin(struct imap_frame *f, enum imap_frame_state state,
			 enum imap_frame_state behind)
{
	f->left = f->literal.size;
	f->state = f->left > 0 ? state : behind;
	if (f->left == 0)
		line_begins(f);
}

static enum imap_frame_event skip_line(struct imap_frame *f, struct str *in)
{
	uint64_t room = f->limits.skip_len - f->n_skipped;
	bool ends, is_bare;

	if (room == 0)
		return IMAP_FRAME_ENDLESS;
	f->n_skipped +=
		take_line(f, in, room < in->len ? (size_t)room : in->len, &ends, &is_bare)
			.len;
	if (!ends)
		return IMAP_FRAME_MORE;
	if (f->literal.at == IMAP_LITERAL_ANNOUNCED && f->literal.is_plus) {
		octets_begin(f, IMAP_FRAME_SKIP_OCTETS, IMAP_FRAME_SKIP_LINE);
		return IMAP_FRAME_MORE;
	}
	imap_frame_reset(f);
	return IMAP_FRAME_SKIPPED;
}

static enum imap_frame_event skip_octets(struct imap_frame *f, struct str *in)
{
	if (f->left > f->limits.skip_len - f->n_skipped)
		return IMAP_FRAME_ENDLESS;
	f->n_skipped += take_octets(f, in, IMAP_FRAME_SKIP_LINE).len;
	return IMAP_FRAME_MORE;
}

static enum imap_frame_event step(struct imap_frame *f, struct str *in, struct str *piece)
{
	struct str octets;

	switch (f->state) {
	case IMAP_FRAME_IN_LINE: return in_line(f, in);
	case IMAP_FRAME_HOLD:
		octets = take_octets(f, in, IMAP_FRAME_IN_LINE);
		return append(f, octets.p, octets.len) ? IMAP_FRAME_MORE :
							 IMAP_FRAME_NO_MEMORY;
	case IMAP_FRAME_PASS:
		*piece = take_octets(f, in, IMAP_FRAME_IN_LINE);
		return IMAP_FRAME_OCTETS;
	case IMAP_FRAME_SKIP_LINE: return skip_line(f, in);
	case IMAP_FRAME_SKIP_OCTETS: return skip_octets(f, in);
	case IMAP_FRAME_DECIDE: return IMAP_FRAME_LITERAL;
	case IMAP_FRAME_DONE: imap_frame_reset(f); return IMAP_FRAME_MORE;
	}
	return IMAP_FRAME_MORE;
}

enum imap_frame_event imap_frame_feed(struct imap_frame *f, struct str *in,
				      struct str *piece)
{
	enum imap_frame_event e = IMAP_FRAME_MORE;

	while (e == IMAP_FRAME_MORE && in->len > 0)
		e = step(f, in, piece);
	return e;
}

bool imap_frame_hold(struct imap_frame *f)
{
	ASSERT(f->state == IMAP_FRAME_DECIDE);
	if (f->literal.size > f->limits.len - f->len)
		return false;
	octets_begin(f, IMAP_FRAME_HOLD, IMAP_FRAME_IN_LINE);
	return true;
}

void imap_frame_pass(struct imap_frame *f)
{
	ASSERT(f->state == IMAP_FRAME_DECIDE);
	f->text[--f->len - 1] = '\n';
	octets_begin(f, IMAP_FRAME_PASS, IMAP_FRAME_IN_LINE);
}

bool imap_frame_skip(struct imap_frame *f)
{
	free(f->text);
	f->text = NULL;
	f->len = f->cap = 0;
	switch (f->state) {
	case IMAP_FRAME_IN_LINE: f->state = IMAP_FRAME_SKIP_LINE; return false;
	case IMAP_FRAME_HOLD:
	case IMAP_FRAME_PASS: f->state = IMAP_FRAME_SKIP_OCTETS; return false;
	case IMAP_FRAME_DECIDE:
		if (!f->literal.is_plus)
			break;
		octets_begin(f, IMAP_FRAME_SKIP_OCTETS, IMAP_FRAME_SKIP_LINE);
		return false;
	case IMAP_FRAME_SKIP_LINE:
	case IMAP_FRAME_SKIP_OCTETS: return false;
	case IMAP_FRAME_DONE: break;
	}
	imap_frame_reset(f);
	return true;
}
