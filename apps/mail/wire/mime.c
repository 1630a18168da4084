/*
 * The walk over the bytes of a message.
 *
 * In a header each line is looked at; in a body only one that begins with "-", and the
 * rest goes by in long runs (mime_scan.h).  What a line is follows from its first
 * MIME_HEAD_MAX octets, which are kept when they come in pieces: so cuts change nothing.
 */
#include "apps/mail/wire/mime.h"

#include <stdlib.h>

#include "apps/mail/wire/mime_impl.h"

const char *mime_odd_text(enum mime_odd_bit bit)
{
	static const char *const texts[] = {
#define M(name, text) text,
		MIME_ODDITIES(M)
#undef M
	};

	return texts[bit];
}

void mime_note(struct mime *m, uint32_t part, uint32_t odd)
{
	m->parts[part].odd |= odd;
	m->odd |= odd;
}

struct mime *mime_new(const struct mime_limits *limits)
{
	struct mime *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	m->limits = *limits;
	m->open = calloc(limits->depth ? limits->depth : 1, sizeof(*m->open));
	if (!m->open) {
		free(m);
		return NULL;
	}
	imap_arena_init(&m->arena, limits->memory);
	mime_reset(m);
	return m;
}

void mime_free(struct mime *m)
{
	if (!m)
		return;
	imap_arena_reset(&m->arena);
	free(m->open);
	free(m);
}

void mime_reset(struct mime *m)
{
	imap_arena_reset(&m->arena);
	m->odd = 0;
	m->n_open = 0;
	m->at = 0;
	m->last4 = 0;
	m->scan = (struct mime_scan){ .prev = '\n' };
	m->head_len = 0;
	mime_tree_begin(m);
}

/* What the scan noted since it was asked last goes to the part it was in. */
static void take_notes(struct mime *m, uint32_t part, bool in_header)
{
	uint32_t odd = 0;

	if (m->scan.has_8bit)
		odd |= in_header ? MIME_ODD_HEADER_8BIT : MIME_ODD_BODY_8BIT;
	if (m->scan.has_nul)
		odd |= MIME_ODD_NUL;
	if (m->scan.has_bare)
		odd |= MIME_ODD_BARE;
	if (odd == 0)
		return;
	mime_note(m, part, odd);
	m->scan.has_8bit = m->scan.has_nul = m->scan.has_bare = false;
}

static void passed(struct mime *m, const char *p, size_t n)
{
	m->at += n;
	for (size_t i = n < 4 ? n : 4; i > 0; i--)
		m->last4 = m->last4 << 8 | (uint8_t)p[n - i];
}

/* Goes over all of @line, which has no line end but its last octet. */
static void pass_line(struct mime *m, struct str line)
{
	mime_scan_run(&m->scan, line.p, line.len);
	take_notes(m, m->now, m->in_header);
	passed(m, line.p, line.len);
}

/* It belongs to the multipart; what comes now may be the header of a part. */
static void pass_delimiter(struct mime *m, struct str line)
{
	uint32_t part = m->in_header ? mime_now(m)->parent : m->now;

	mime_scan_run(&m->scan, line.p, line.len);
	take_notes(m, part, false);
	passed(m, line.p, line.len);
}

static size_t pass_text(struct mime *m, struct str text)
{
	size_t n = mime_scan_run(&m->scan, text.p, text.len);

	take_notes(m, m->now, m->in_header);
	passed(m, text.p, n);
	return n;
}

static void add_to_field(struct mime *m, struct str s)
{
	size_t room = sizeof(m->field) - m->field_len;

	if (!m->in_field)
		return;
	if (s.len > room) {
		mime_note(m, m->now, MIME_ODD_LIMIT_FIELD);
		s.len = room;
	}
	memcpy(m->field + m->field_len, s.p, s.len);
	m->field_len += s.len;
}

/* field = field-name *WSP ":" (RFC 5322 4.5.8).  The name's length; 0: it is no field. */
static size_t field_name_len(struct str line)
{
	size_t n = 0, blanks = 0;

	while (n < line.len && line.p[n] > ' ' && line.p[n] < 127 && line.p[n] != ':')
		n++;
	while (n + blanks < line.len &&
	       (line.p[n + blanks] == ' ' || line.p[n + blanks] == '\t'))
		blanks++;
	return n + blanks < line.len && line.p[n + blanks] == ':' ? n : 0;
}

static bool is_from_line(struct str line)
{
	return (line.len >= 5 && memcmp(line.p, "From ", 5) == 0) ||
	       (line.len >= 6 && memcmp(line.p, ">From ", 6) == 0);
}

static bool is_empty(struct str line)
{
	return line.p[0] == '\n' ||
	       (line.len > 1 && line.p[0] == '\r' && line.p[1] == '\n');
}

static void begin_field(struct mime *m, struct str name)
{
	mime_fields_end_field(m);
	m->n_fields++;
	m->in_field = mime_fields_wants(name);
	if (m->in_field && m->at - mime_now(m)->header_at > m->limits.header_len) {
		mime_note(m, m->now, MIME_ODD_LIMIT_HEADER);
		m->in_field = false;
	}
}

/* True: the line belongs to the header.  False: it is the first of the body. */
static bool header_line(struct mime *m, struct str line)
{
	size_t name_len;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return m->n_fields > 0;
	name_len = field_name_len(line);
	if (name_len > 0) {
		begin_field(m, (struct str){ line.p, name_len });
		return true;
	}
	if (!is_from_line(line))
		return false;
	mime_fields_end_field(m);
	mime_note(m, m->now, MIME_ODD_FROM_LINE);
	return true;
}

static void in_header(struct mime *m, struct str line)
{
	if (!m->header_begun)
		mime_now(m)->header_at = m->at;
	m->header_begun = true;
	if (is_empty(line)) {
		pass_line(m, line);
		mime_tree_body(m);
	} else if (header_line(m, line)) {
		add_to_field(m, line);
		pass_line(m, line);
	} else {
		/* A message in this part has a header of its own, which may begin here. */
		mime_note(m, m->now, MIME_ODD_HEADER_END);
		mime_tree_body(m);
		if (m->in_header)
			in_header(m, line);
		else
			pass_line(m, line);
	}
}

/* The beginning of a line, whole or MIME_HEAD_MAX of it. */
static void line_begins(struct mime *m, struct str line)
{
	if (m->n_open > 0 && line.len >= 2 && line.p[0] == '-' && line.p[1] == '-' &&
	    mime_tree_delimiter(m, line)) {
		pass_delimiter(m, line);
	} else if (m->in_header) {
		in_header(m, line);
	} else {
		pass_line(m, line);
	}
}

/* Octets of @bytes up to the end of the line, or those that decide about it. */
static size_t head_of(struct str bytes, size_t have, bool *is_whole)
{
	size_t most = MIME_HEAD_MAX - have, n = bytes.len < most ? bytes.len : most;
	const char *lf = memchr(bytes.p, '\n', n);

	*is_whole = lf || n == most;
	return lf ? (size_t)(lf + 1 - bytes.p) : n;
}

/* At the beginning of a line that must be looked at, or in what was kept of it. */
static size_t take_head(struct mime *m, struct str bytes)
{
	bool is_whole;
	size_t n = head_of(bytes, m->head_len, &is_whole);

	if (is_whole && m->head_len == 0) {
		line_begins(m, (struct str){ bytes.p, n });
		return n;
	}
	memcpy(m->head + m->head_len, bytes.p, n);
	m->head_len += n;
	if (is_whole) {
		struct str line = { m->head, m->head_len };

		m->head_len = 0;
		line_begins(m, line);
	}
	return n;
}

/* The rest of a line in a header whose beginning was already looked at. */
static size_t take_rest(struct mime *m, struct str bytes)
{
	const char *lf = memchr(bytes.p, '\n', bytes.len);
	size_t n = lf ? (size_t)(lf + 1 - bytes.p) : bytes.len;

	add_to_field(m, (struct str){ bytes.p, n });
	pass_line(m, (struct str){ bytes.p, n });
	return n;
}

void mime_feed(struct mime *m, struct str bytes)
{
	while (bytes.len > 0) {
		bool at_line = m->scan.prev == '\n';
		size_t n;

		if (m->head_len > 0 || (at_line && (m->in_header || bytes.p[0] == '-')))
			n = take_head(m, bytes);
		else if (m->in_header)
			n = take_rest(m, bytes);
		else
			n = pass_text(m, bytes);
		bytes.p += n;
		bytes.len -= n;
	}
}

void mime_end(struct mime *m)
{
	if (m->head_len > 0) {
		struct str line = { m->head, m->head_len };

		m->head_len = 0;
		line_begins(m, line);
	}
	mime_tree_end(m);
}

void mime_parse(struct mime *m, struct str message)
{
	mime_reset(m);
	mime_feed(m, message);
	mime_end(m);
}

uint32_t mime_n_parts(const struct mime *m)
{
	return m->n_parts;
}

const struct mime_part *mime_part(const struct mime *m, uint32_t i)
{
	return i < m->n_parts ? &m->parts[i] : NULL;
}

uint32_t mime_odd(const struct mime *m)
{
	return m->odd;
}

bool mime_is(const struct mime_part *p, struct str type, struct str subtype)
{
	return str_eq_nocase(p->type, type) && str_eq_nocase(p->subtype, subtype);
}
