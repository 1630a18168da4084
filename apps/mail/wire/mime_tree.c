/*
 * The parts of a message, and the stack of those that have children and are not at their
 * end:
 *
 *	open[0]  multipart/mixed, boundary "a"
 *	open[1]  message/rfc822
 *	open[2]  multipart/alternative, boundary "b"
 *	now	 text/html
 *
 * A delimiter of "a" ends all above it.  Behind its last delimiter a multipart stays
 * open, without boundary: what comes then is its epilogue.
 */
#include "apps/mail/wire/mime_impl.h"

static struct mime_part *new_part(struct mime *m, uint32_t parent)
{
	struct mime_part *p = &m->parts[m->n_parts++];

	*p = (struct mime_part){
		.parent = parent,
		.child = MIME_NONE,
		.next = MIME_NONE,
		.header_at = m->at,
		.body_at = m->at,
		.enc = ENC_7BIT,
		.enc_name = STR("7bit"),
	};
	m->now = m->n_parts - 1;
	m->in_header = true;
	m->header_begun = false;
	m->in_field = false;
	m->field_len = 0;
	m->n_fields = 0;
	m->seen = 0;
	m->has_version = false;
	return p;
}

/* Room for one part more. */
static bool has_room(struct mime *m)
{
	struct mime_part *parts;

	if (m->n_parts >= m->limits.n_parts)
		return false;
	parts = imap_arena_more(&m->arena, m->parts, m->n_parts, sizeof(*parts));
	if (!parts)
		return false;
	m->parts = parts;
	return true;
}

void mime_tree_begin(struct mime *m)
{
	m->parts = NULL;
	m->n_parts = 0;
	if (!has_room(m))
		m->parts = &m->root;
	new_part(m, MIME_NONE);
}

/* A child of the part on top of the stack; false: the limit is reached, noted there. */
static bool begin_child(struct mime *m)
{
	struct mime_open *top = &m->open[m->n_open - 1];

	if (m->parts == &m->root || !has_room(m)) {
		mime_note(m, top->part, MIME_ODD_LIMIT_PARTS);
		return false;
	}
	if (top->last_child == MIME_NONE)
		m->parts[top->part].child = m->n_parts;
	else
		m->parts[top->last_child].next = m->n_parts;
	top->last_child = m->n_parts;
	m->parts[top->part].n_children++;
	new_part(m, top->part);
	return true;
}

static bool push(struct mime *m, struct str boundary)
{
	if (m->n_open == m->limits.depth) {
		mime_note(m, m->now, MIME_ODD_LIMIT_DEPTH);
		return false;
	}
	m->open[m->n_open++] = (struct mime_open){
		.part = m->now,
		.last_child = MIME_NONE,
		.boundary = boundary,
	};
	return true;
}

static void begin_multipart(struct mime *m)
{
	struct mime_part *p = mime_now(m);
	struct str boundary = param_find(p->params.param, p->params.n, STR("boundary"));

	if (boundary.len == 0 || boundary.len > MIME_BOUNDARY_MAX) {
		mime_note(m, m->now, MIME_ODD_NO_BOUNDARY);
		return;
	}
	if (push(m, boundary))
		p->kind = MIME_MULTIPART;
}

static void begin_message(struct mime *m)
{
	uint32_t part = m->now;

	if (!push(m, (struct str){ NULL, 0 }))
		return;
	if (begin_child(m))
		m->parts[part].kind = MIME_MESSAGE;
	else
		m->n_open--;
}

void mime_tree_body(struct mime *m)
{
	struct mime_part *p;
	bool is_identity;

	mime_fields_end_header(m);
	p = mime_now(m);
	if (!m->header_begun)
		p->header_at = m->at;
	p->header_len = m->at - p->header_at;
	p->body_at = m->at;
	p->n_lines = m->scan.n_lf; /* until the end is known: those before it */
	m->in_header = false;
	is_identity = p->enc != ENC_QP && p->enc != ENC_BASE64;
	if (str_eq_nocase(p->type, STR("multipart"))) {
		/* RFC 2045 6.4 forbids it, and nobody who writes so means it. */
		if (!is_identity)
			mime_note(m, m->now, MIME_ODD_ENC_NESTED);
		begin_multipart(m);
	} else if (mime_is(p, STR("message"), STR("rfc822")) ||
		   mime_is(p, STR("message"), STR("global"))) {
		/* Here it may be meant: what is encoded has no structure to see. */
		if (is_identity)
			begin_message(m);
		else if (mime_is(p, STR("message"), STR("rfc822")))
			mime_note(m, m->now, MIME_ODD_ENC_NESTED);
	}
}

/* How a line matches the delimiter of a level. */
enum match {
	NO_MATCH,
	PART,
	LAST_PART,
	/* With more behind it: RFC 2046 5.1.1 says that this is a delimiter too. */
	PART_AND_MORE,
	LAST_PART_AND_MORE,
};

static bool is_blank(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

/*
 * delimiter := CRLF "--" boundary ; close-delimiter := delimiter "--"
 * transport-padding := *LWSP-char
 */
static enum match match(struct str boundary, struct str line)
{
	struct str tail = { line.p + 2, line.len - 2 };
	bool is_last;

	if (boundary.len == 0 || tail.len < boundary.len ||
	    memcmp(tail.p, boundary.p, boundary.len) != 0)
		return NO_MATCH;
	tail.p += boundary.len;
	tail.len -= boundary.len;
	if (is_blank(tail))
		return PART;
	is_last = tail.len >= 2 && tail.p[0] == '-' && tail.p[1] == '-';
	if (is_last && is_blank((struct str){ tail.p + 2, tail.len - 2 }))
		return LAST_PART;
	return is_last ? LAST_PART_AND_MORE : PART_AND_MORE;
}

/* The level whose delimiter this is: the innermost that is meant exactly, or else the one
 * of which most stands there. */
static enum match find_level(const struct mime *m, struct str line, uint32_t *level)
{
	enum match best = NO_MATCH;
	size_t best_len = 0;

	for (uint32_t i = m->n_open; i-- > 0;) {
		struct str boundary = m->open[i].boundary;
		enum match how = match(boundary, line);

		if (how == PART || how == LAST_PART) {
			*level = i;
			return how;
		}
		if (how != NO_MATCH && boundary.len > best_len) {
			*level = i;
			best = how;
			best_len = boundary.len;
		}
	}
	return best;
}

struct end {
	uint64_t at;
	bool in_line;	 /* the last line has no end */
	uint64_t n_more; /* lines counted that are no part of the body */
};

/* RFC 2046 5.1.1: the line end before a delimiter belongs to the delimiter. */
static struct end end_before_delimiter(const struct mime *m)
{
	bool has_cr = (m->last4 & 0xffff) == ('\r' << 8 | '\n');
	uint32_t before = has_cr ? m->last4 >> 16 & 0xff : m->last4 >> 8 & 0xff;

	return (struct end){
		.at = m->at - (has_cr ? 2 : 1),
		.in_line = before != '\n',
		.n_more = 1,
	};
}

static void finish(struct mime *m, uint32_t part, struct end end)
{
	struct mime_part *p = &m->parts[part];
	uint64_t n_lf_before = p->n_lines;

	p->n_lines = 0;
	p->body_len = 0;
	if (end.at <= p->body_at)
		return;
	p->body_len = end.at - p->body_at;
	p->n_lines = m->scan.n_lf - n_lf_before - end.n_more + end.in_line;
}

/* Ends the part that is now, and those that are open above @n. */
static void finish_down_to(struct mime *m, uint32_t n, struct end end)
{
	if (m->n_open == 0 || m->now != m->open[m->n_open - 1].part)
		finish(m, m->now, end);
	while (m->n_open > n) {
		struct mime_open *top = &m->open[--m->n_open];
		struct mime_part *p = &m->parts[top->part];

		if (p->kind == MIME_MULTIPART && p->n_children == 0)
			mime_note(m, top->part, MIME_ODD_NO_PARTS);
		if (top->boundary.len > 0)
			mime_note(m, top->part, MIME_ODD_NO_END);
		finish(m, top->part, end);
	}
}

bool mime_tree_delimiter(struct mime *m, struct str line)
{
	uint32_t level;
	enum match how = find_level(m, line, &level);
	struct mime_open *open;

	if (how == NO_MATCH)
		return false;
	while (m->in_header) {
		mime_note(m, m->now, MIME_ODD_HEADER_END);
		mime_tree_body(m);
	}
	finish_down_to(m, level + 1, end_before_delimiter(m));
	open = &m->open[level];
	m->now = open->part;
	if (how == PART_AND_MORE || how == LAST_PART_AND_MORE)
		mime_note(m, open->part, MIME_ODD_TAIL);
	if (how == LAST_PART || how == LAST_PART_AND_MORE)
		open->boundary.len = 0;
	else
		begin_child(m);
	return true;
}

void mime_tree_end(struct mime *m)
{
	struct end end = { .at = m->at };

	/* A message may be a header only; a part that stops there was cut. */
	while (m->in_header) {
		if (m->n_open > 0)
			mime_note(m, m->now, MIME_ODD_HEADER_END);
		mime_tree_body(m);
	}
	end.in_line = m->scan.prev != '\n';
	finish_down_to(m, 0, end);
}
