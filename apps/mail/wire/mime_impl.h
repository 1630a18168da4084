/*
 * The parser of mime.h behind its face: mime.c walks over the bytes, mime_tree.c keeps
 * the parts, mime_fields.c reads what their headers say.
 */
#pragma once

#include "apps/mail/wire/imap_arena.h"
#include "apps/mail/wire/mime.h"
#include "apps/mail/wire/mime_scan.h"

enum {
	MIME_HEAD_MAX = 1024, /* octets of a line that decide what it is */
};

/* A part that has children, and is not at its end. */
struct mime_open {
	uint32_t part, last_child;
	struct str boundary; /* empty: of a message, or behind the last delimiter */
};

struct mime {
	struct mime_limits limits;
	struct imap_arena arena; /* texts, parameters, parts */
	struct mime_part *parts;
	uint32_t n_parts;
	uint32_t odd;
	struct mime_part root; /* stands in where there is no memory for any */

	struct mime_open *open; /* limits.depth of them */
	uint32_t n_open;

	/* Where we are. */
	bool in_header;
	bool header_begun; /* a line of it was seen */
	uint32_t now;	   /* the part that what comes now belongs to */
	uint64_t at;	   /* octets before */
	uint32_t last4;	   /* octets, the last one lowest */
	struct mime_scan scan;

	/* The field that is being read, if it says something to us. */
	bool in_field;
	uint32_t n_fields;
	uint32_t seen; /* bits of fields that came */
	bool has_version;
	size_t field_len;
	char field[MIME_FIELD_MAX];

	size_t head_len; /* a line of which the beginning was fed */
	char head[MIME_HEAD_MAX];
};

/* The part at the top: the one that gets its header or body now. */
static inline struct mime_part *mime_now(struct mime *m)
{
	return &m->parts[m->now];
}

void mime_note(struct mime *m, uint32_t part, uint32_t odd);

/* mime_tree.c */
void mime_tree_begin(struct mime *m);
/* The header of the part is over, at m->at: begins the body, and a message in it. */
void mime_tree_body(struct mime *m);
/*
 * A line that begins with two dashes.  True: it is a delimiter; the parts that it ends
 * are closed, and the next is begun.
 */
bool mime_tree_delimiter(struct mime *m, struct str line);
void mime_tree_end(struct mime *m);

/* mime_fields.c: whether a field says something to us; at its end, what it says. */
bool mime_fields_wants(struct str name);
void mime_fields_end_field(struct mime *m);
void mime_fields_end_header(struct mime *m);
