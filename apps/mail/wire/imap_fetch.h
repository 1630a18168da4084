/*
 * What FETCH asks for (RFC 3501 6.4.5), in the arena of the command it came with.
 *
 *	BODY.PEEK[1.2.HEADER.FIELDS (From To)]<0.100>
 *	     peek  part what        fields    offset, len
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_set.h"

enum {
	IMAP_ITEMS_MAX = 128,  /* what one FETCH asks for */
	IMAP_FIELDS_MAX = 256, /* header fields in one of them */
	IMAP_PARTS_MAX = 64,   /* numbers in "1.2.3" */
};

enum imap_section_what {
	IMAP_SECTION_ALL, /* BODY[], BODY[1.2] */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,
	IMAP_SECTION_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,
};

struct imap_section {
	enum imap_section_what what;
	uint32_t n_parts, n_fields;
	const uint32_t *parts; /* 1.2.3 */
	const struct str *fields;
};

enum imap_fetch_kind {
	IMAP_FETCH_UID,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_RFC822_SIZE,
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_BODY, /* BODYSTRUCTURE without extension data */
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_MODSEQ,
	/* From here on @section says which octets; names differ, and what sets \Seen. */
	IMAP_FETCH_SECTION,	  /* BODY[...], BODY.PEEK[...] */
	IMAP_FETCH_RFC822,	  /* BODY[] */
	IMAP_FETCH_RFC822_HEADER, /* BODY.PEEK[HEADER] */
	IMAP_FETCH_RFC822_TEXT,	  /* BODY[TEXT] */
};

struct imap_fetch_item {
	enum imap_fetch_kind kind;
	bool sets_seen;
	bool is_partial;
	uint32_t offset, len; /* <offset.len>, len from 1 */
	struct imap_section section;
};

struct imap_fetch {
	struct imap_set set;
	unsigned kinds; /* 1 << enum imap_fetch_kind: what is among the items */
	uint32_t n_items;
	const struct imap_fetch_item *items; /* as asked; without a section, each once */
	bool has_changed_since, vanished;    /* RFC 7162 3.1.4.1, 3.2.6 */
	uint64_t changed_since;
};
