/*
 * Arguments of FETCH and STORE.
 */
#include "apps/mail/wire/imap_parse.h"
#include "apps/mail/wire/imap_parse_impl.h"
#include "stack/base/check.h"

/* section-part = nz-number *("." nz-number) ; with the "." before what follows */
static bool take_parts(struct imap_lex *lex, struct imap_section *s, bool *wants_text)
{
	uint32_t *parts = NULL;

	do {
		if (s->n_parts == IMAP_PARTS_MAX)
			return imap_lex_fail(lex, "The part is nested too deep");
		parts = imap_lex_more(lex, parts, s->n_parts, sizeof(*parts));
		if (!parts || !imap_lex_nz_number(lex, &parts[s->n_parts]))
			return false;
		s->n_parts++;
		*wants_text = imap_lex_skip(lex, '.');
	} while (*wants_text && !imap_lex_at_end(lex) && lex->text.p[0] >= '0' &&
		 lex->text.p[0] <= '9');
	s->parts = parts;
	return true;
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" ; each an astring */
static bool take_fields(struct imap_lex *lex, struct imap_section *s)
{
	struct str *fields = NULL;

	if (!imap_lex_space(lex) || !imap_lex_char(lex, '('))
		return false;
	do {
		if (s->n_fields == IMAP_FIELDS_MAX)
			return imap_lex_fail(lex, "There are too many header fields");
		fields = imap_lex_more(lex, fields, s->n_fields, sizeof(*fields));
		if (!fields || !imap_lex_astring(lex, &fields[s->n_fields]))
			return false;
		s->n_fields++;
	} while (imap_lex_skip(lex, ' '));
	s->fields = fields;
	return imap_lex_char(lex, ')');
}

/*
 * section-text = section-msgtext / "MIME"
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 */
static bool take_section_text(struct imap_lex *lex, struct imap_section *s)
{
	const struct imap_name *known;
	struct str name;

	if (!imap_lex_word(lex, &name))
		return false;
	known = imap_names_find(imap_section_names, IMAP_N_SECTION_NAMES, name);
	/* RFC 3501 6.4.5: MIME must be prefixed by numbers. */
	if (!known || (known->value == IMAP_SECTION_MIME && s->n_parts == 0))
		return imap_lex_fail(lex, "That section is unknown");
	s->what = (enum imap_section_what)known->value;
	return (s->what != IMAP_SECTION_FIELDS && s->what != IMAP_SECTION_FIELDS_NOT) ||
	       take_fields(lex, s);
}

/* section-spec = section-msgtext / (section-part ["." section-text]) ; then "]" */
static bool take_section(struct imap_lex *lex, struct imap_section *s)
{
	bool wants_text = true;

	if (imap_lex_skip(lex, ']'))
		return true;
	if (!imap_lex_at_end(lex) && lex->text.p[0] >= '0' && lex->text.p[0] <= '9' &&
	    !take_parts(lex, s, &wants_text))
		return false;
	if (wants_text && !take_section_text(lex, s))
		return false;
	return imap_lex_skip(lex, ']') || imap_lex_fail(lex, "A section is not closed");
}

/* "<" number "." nz-number ">" */
static bool take_partial(struct imap_lex *lex, struct imap_fetch_item *item)
{
	if (!imap_lex_skip(lex, '<'))
		return true;
	item->is_partial = true;
	return imap_lex_number(lex, &item->offset) && imap_lex_char(lex, '.') &&
	       imap_lex_nz_number(lex, &item->len) && imap_lex_char(lex, '>');
}

static bool add(struct imap_lex *lex, struct imap_fetch *f,
		const struct imap_fetch_item *item)
{
	unsigned bit = 1u << item->kind;
	struct imap_fetch_item *items;

	if (item->kind < IMAP_FETCH_SECTION && f->kinds & bit)
		return true;
	if (f->n_items == IMAP_ITEMS_MAX)
		return imap_lex_fail(lex, "There are too many items");
	items = imap_lex_more(lex, (void *)f->items, f->n_items, sizeof(*items));
	if (!items)
		return false;
	items[f->n_items++] = *item;
	f->items = items;
	f->kinds |= bit;
	return true;
}

static bool is_body(struct str name, struct imap_fetch_item *item)
{
	item->sets_seen = str_eq_nocase(name, STR("BODY"));
	return item->sets_seen || str_eq_nocase(name, STR("BODY.PEEK"));
}

/*
 * fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "UID" / "MODSEQ" /
 *	       "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] / "BODY" ["STRUCTURE"] /
 *	       "BODY" [".PEEK"] section ["<" number "." nz-number ">"]
 */
static bool take_item(struct imap_lex *lex, struct str name, struct imap_fetch *f)
{
	struct imap_fetch_item item = { .kind = IMAP_FETCH_SECTION };
	const struct imap_name *known;

	if (imap_lex_at(lex, '[') && is_body(name, &item)) {
		imap_lex_skip(lex, '[');
		return take_section(lex, &item.section) && take_partial(lex, &item) &&
		       add(lex, f, &item);
	}
	known = imap_names_find(imap_fetch_names, IMAP_N_FETCH_NAMES, name);
	if (!known)
		return imap_lex_fail(lex, "That item is unknown");
	item.kind = (enum imap_fetch_kind)known->value;
	item.sets_seen =
		item.kind == IMAP_FETCH_RFC822 || item.kind == IMAP_FETCH_RFC822_TEXT;
	if (item.kind == IMAP_FETCH_RFC822_HEADER)
		item.section.what = IMAP_SECTION_HEADER;
	if (item.kind == IMAP_FETCH_RFC822_TEXT)
		item.section.what = IMAP_SECTION_TEXT;
	return add(lex, f, &item);
}

/* RFC 3501 6.4.5: the names of three lists, each the one before and one more. */
static unsigned macro_items(struct str name)
{
	return str_eq_nocase(name, STR("FAST")) ? 3 :
	       str_eq_nocase(name, STR("ALL"))	? 4 :
	       str_eq_nocase(name, STR("FULL")) ? 5 :
						  0;
}

/* "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")" */
static bool take_items(struct imap_lex *lex, struct imap_fetch *f)
{
	static const enum imap_fetch_kind macro[] = {
		IMAP_FETCH_FLAGS,    IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE,
		IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY,
	};
	bool is_list = imap_lex_skip(lex, '(');
	unsigned n_macro;
	struct str name;

	if (!imap_lex_word(lex, &name))
		return false;
	n_macro = is_list ? 0 : macro_items(name);
	for (unsigned i = 0; i < n_macro; i++)
		if (!add(lex, f, &(struct imap_fetch_item){ .kind = macro[i] }))
			return false;
	if (n_macro == 0 && !take_item(lex, name, f))
		return false;
	while (is_list && imap_lex_skip(lex, ' '))
		if (!imap_lex_word(lex, &name) || !take_item(lex, name, f))
			return false;
	return !is_list || imap_lex_char(lex, ')');
}

/* fetch-modifiers = "(" "CHANGEDSINCE" SP mod-sequence-value [SP "VANISHED"] ")"
 * (RFC 7162 7), in either order */
static bool take_modifier(struct imap_lex *lex, struct imap_fetch *f)
{
	struct str word;

	if (!imap_lex_word(lex, &word))
		return false;
	if (str_eq_nocase(word, STR("VANISHED"))) {
		f->vanished = true;
		return true;
	}
	if (!str_eq_nocase(word, STR("CHANGEDSINCE")) || f->has_changed_since)
		return imap_lex_fail(lex, "That modifier is unknown");
	f->has_changed_since = true;
	return imap_lex_space(lex) && imap_lex_number64(lex, &f->changed_since);
}

static bool take_modifiers(struct imap_lex *lex, struct imap_fetch *f)
{
	if (!imap_lex_char(lex, '('))
		return false;
	do {
		if (!take_modifier(lex, f))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

/* fetch = "FETCH" SP sequence-set SP items [SP fetch-modifiers] */
bool imap_parse_fetch(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_fetch *f = &cmd->fetch;

	if (!imap_lex_space(lex) || !imap_lex_set(lex, &f->set) || !imap_lex_space(lex) ||
	    !take_items(lex, f))
		return false;
	if (imap_lex_skip(lex, ' ') && !take_modifiers(lex, f))
		return false;
	/* RFC 7162 3.2.6: only with UID FETCH and CHANGEDSINCE. */
	return !f->vanished || (cmd->is_uid && f->has_changed_since) ||
	       imap_lex_fail(lex, "VANISHED needs UID FETCH and CHANGEDSINCE");
}

/* flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword */
static bool take_flag(struct imap_lex *lex, struct imap_flags *flags)
{
	const struct imap_name *known;
	struct str name, *keywords;

	if (!imap_lex_flag(lex, &name))
		return false;
	known = imap_names_find(imap_flag_names, IMAP_N_FLAG_NAMES, name);
	if (known && known->value != IMAP_RECENT) {
		flags->system |= known->value;
		return true;
	}
	/* RFC 3501 2.3.2: no other begins with a backslash that a client may set. */
	if (name.p[0] == '\\')
		return imap_lex_fail(lex, "That flag cannot be set");
	if (flags->n_keywords == IMAP_KEYWORDS_MAX)
		return imap_lex_fail(lex, "There are too many flags");
	keywords = imap_lex_more(lex, (void *)flags->keywords, flags->n_keywords,
				 sizeof(*keywords));
	if (!keywords)
		return false;
	keywords[flags->n_keywords++] = name;
	flags->keywords = keywords;
	return true;
}

/* flag-list = "(" [flag *(SP flag)] ")" */
bool imap_parse_flags(struct imap_lex *lex, bool needs_parens, struct imap_flags *flags)
{
	bool has_parens = needs_parens || imap_lex_at(lex, '(');

	if (has_parens && !imap_lex_char(lex, '('))
		return false;
	if (has_parens && imap_lex_skip(lex, ')'))
		return true;
	do {
		if (!take_flag(lex, flags))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return !has_parens || imap_lex_char(lex, ')');
}

/* store-modifiers = "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" (RFC 7162 7) */
static bool take_unchanged_since(struct imap_lex *lex, struct imap_store *s)
{
	struct str word;

	if (!imap_lex_char(lex, '(') || !imap_lex_word(lex, &word))
		return false;
	if (!str_eq_nocase(word, STR("UNCHANGEDSINCE")))
		return imap_lex_fail(lex, "That modifier is unknown");
	s->has_unchanged_since = true;
	return imap_lex_space(lex) && imap_lex_number64(lex, &s->unchanged_since) &&
	       imap_lex_char(lex, ')') && imap_lex_space(lex);
}

/*
 * store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
 */
bool imap_parse_store(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_store *s = &cmd->store;
	struct str word;

	if (!imap_lex_space(lex) || !imap_lex_set(lex, &s->set) || !imap_lex_space(lex))
		return false;
	if (imap_lex_at(lex, '(') && !take_unchanged_since(lex, s))
		return false;
	if (imap_lex_skip(lex, '+'))
		s->how = IMAP_STORE_ADD;
	else if (imap_lex_skip(lex, '-'))
		s->how = IMAP_STORE_REMOVE;
	if (!imap_lex_word(lex, &word))
		return false;
	s->is_silent = str_eq_nocase(word, STR("FLAGS.SILENT"));
	if (!s->is_silent && !str_eq_nocase(word, STR("FLAGS")))
		return imap_lex_fail(lex, "FLAGS is missing");
	return imap_lex_space(lex) && imap_parse_flags(lex, false, &s->flags);
}
