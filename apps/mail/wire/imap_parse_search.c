/*
 * Arguments of SEARCH: a tree of keys.
 */
#include "apps/mail/wire/imap_date.h"
#include "apps/mail/wire/imap_parse.h"
#include "apps/mail/wire/imap_parse_impl.h"
#include "stack/base/check.h"

enum arg {
	ARG_NONE,
	ARG_FLAG, /* none is read: the row has it */
	ARG_NEW,
	ARG_TEXT,
	ARG_FIELD, /* a text; the row has the field */
	ARG_HEADER,
	ARG_KEYWORD,
	ARG_DATE,
	ARG_SIZE,
	ARG_SET,
	ARG_MODSEQ,
	ARG_OR,
};

struct row {
	const char *name;
	enum imap_key_kind kind;
	enum arg arg;
	bool is_not;
	unsigned flag;
	const char *field;
};

/* clang-format off */
static const struct row rows[] = {
	{ "ALL",	IMAP_KEY_ALL,	      ARG_NONE,	   .is_not = false },
	{ "ANSWERED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_ANSWERED },
	{ "DELETED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_DELETED },
	{ "DRAFT",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_DRAFT },
	{ "FLAGGED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_FLAGGED },
	{ "RECENT",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_RECENT },
	{ "SEEN",	IMAP_KEY_FLAG,	      ARG_FLAG,	   .flag = IMAP_SEEN },
	{ "UNANSWERED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_ANSWERED, NULL },
	{ "UNDELETED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_DELETED, NULL },
	{ "UNDRAFT",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_DRAFT, NULL },
	{ "UNFLAGGED",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_FLAGGED, NULL },
	{ "OLD",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_RECENT, NULL },
	{ "UNSEEN",	IMAP_KEY_FLAG,	      ARG_FLAG,	   true, IMAP_SEEN, NULL },
	{ "NEW",	IMAP_KEY_AND,	      ARG_NEW,	   .is_not = false },
	{ "KEYWORD",	IMAP_KEY_KEYWORD,     ARG_KEYWORD, .is_not = false },
	{ "UNKEYWORD",	IMAP_KEY_KEYWORD,     ARG_KEYWORD, .is_not = true },
	{ "BCC",	IMAP_KEY_HEADER,      ARG_FIELD,   .field = "Bcc" },
	{ "CC",		IMAP_KEY_HEADER,      ARG_FIELD,   .field = "Cc" },
	{ "FROM",	IMAP_KEY_HEADER,      ARG_FIELD,   .field = "From" },
	{ "SUBJECT",	IMAP_KEY_HEADER,      ARG_FIELD,   .field = "Subject" },
	{ "TO",		IMAP_KEY_HEADER,      ARG_FIELD,   .field = "To" },
	{ "HEADER",	IMAP_KEY_HEADER,      ARG_HEADER,  .is_not = false },
	{ "BODY",	IMAP_KEY_BODY,	      ARG_TEXT,	   .is_not = false },
	{ "TEXT",	IMAP_KEY_TEXT,	      ARG_TEXT,	   .is_not = false },
	{ "BEFORE",	IMAP_KEY_BEFORE,      ARG_DATE,	   .is_not = false },
	{ "ON",		IMAP_KEY_ON,	      ARG_DATE,	   .is_not = false },
	{ "SINCE",	IMAP_KEY_SINCE,	      ARG_DATE,	   .is_not = false },
	{ "SENTBEFORE",	IMAP_KEY_SENTBEFORE,  ARG_DATE,	   .is_not = false },
	{ "SENTON",	IMAP_KEY_SENTON,      ARG_DATE,	   .is_not = false },
	{ "SENTSINCE",	IMAP_KEY_SENTSINCE,   ARG_DATE,	   .is_not = false },
	{ "LARGER",	IMAP_KEY_LARGER,      ARG_SIZE,	   .is_not = false },
	{ "SMALLER",	IMAP_KEY_SMALLER,     ARG_SIZE,	   .is_not = false },
	{ "UID",	IMAP_KEY_UID,	      ARG_SET,	   .is_not = false },
	{ "MODSEQ",	IMAP_KEY_MODSEQ,      ARG_MODSEQ,  .is_not = false },
	{ "OR",		IMAP_KEY_OR,	      ARG_OR,	   .is_not = false },
};
/* clang-format on */

struct search {
	struct imap_lex *lex;
	unsigned n_keys, depth;
};

static struct imap_key *key_new(struct search *s, enum imap_key_kind kind)
{
	struct imap_key *key;

	if (s->n_keys++ == IMAP_SEARCH_KEYS_MAX) {
		imap_lex_fail(s->lex, "The search has too many keys");
		return NULL;
	}
	key = imap_lex_get(s->lex, sizeof(*key));
	if (key)
		key->kind = kind;
	return key;
}

/* date = date-text / DQUOTE date-text DQUOTE */
static bool take_date(struct imap_lex *lex, int32_t *days)
{
	struct str text;

	if (imap_lex_at(lex, '"') ? !imap_lex_quoted(lex, &text) :
				    !imap_lex_atom(lex, &text))
		return false;
	return imap_date_parse(text, days) || imap_lex_fail(lex, "That is no date");
}

/*
 * search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer
 * search-modseq-ext = SP entry-name SP entry-type-req (RFC 7162 7)
 *
 * We keep one mod-sequence a message, so RFC 7162 3.1.5 lets us pass over what entry is
 * meant.
 */
static bool take_modseq(struct imap_lex *lex, uint64_t *modseq)
{
	struct str entry, type;

	if (!imap_lex_at(lex, '"'))
		return imap_lex_number64(lex, modseq);
	if (!imap_lex_quoted(lex, &entry) || !imap_lex_space(lex) ||
	    !imap_lex_word(lex, &type))
		return false;
	if (!str_eq_nocase(type, STR("all")) && !str_eq_nocase(type, STR("priv")) &&
	    !str_eq_nocase(type, STR("shared")))
		return imap_lex_fail(lex, "That type of an entry is unknown");
	return imap_lex_space(lex) && imap_lex_number64(lex, modseq);
}

static struct imap_key *take_key(struct search *s);

/* One level down and up again; at most IMAP_SEARCH_DEPTH_MAX. */
static bool enter(struct search *s)
{
	return s->depth++ < IMAP_SEARCH_DEPTH_MAX ||
	       imap_lex_fail(s->lex, "The search is nested too deep");
}

/* search-key SP search-key */
static bool take_two(struct search *s, struct imap_key * or)
{
	if (!enter(s))
		return false;
	or->kids = take_key(s);
	if (! or->kids || !imap_lex_space(s->lex))
		return false;
	or->kids->next = take_key(s);
	s->depth--;
	return or->kids->next != NULL;
}

/* RFC 3501 6.4.4: NEW is the same as (RECENT UNSEEN). */
static bool add_new(struct search *s, struct imap_key *and)
{
	struct imap_key *recent = key_new(s, IMAP_KEY_FLAG);
	struct imap_key *unseen = key_new(s, IMAP_KEY_FLAG);

	if (!recent || !unseen)
		return false;
	recent->flag = IMAP_RECENT;
	unseen->flag = IMAP_SEEN;
	unseen->is_not = true;
	recent->next = unseen;
	and->kids = recent;
	return true;
}

/* The arguments behind a key's name and a space. */
static bool take_arg(struct search *s, enum arg arg, struct imap_key *key)
{
	switch (arg) {
	case ARG_TEXT: return imap_lex_astring(s->lex, &key->text);
	case ARG_FIELD: return imap_lex_astring(s->lex, &key->header.text);
	case ARG_HEADER:
		return imap_lex_astring(s->lex, &key->header.name) &&
		       imap_lex_space(s->lex) &&
		       imap_lex_astring(s->lex, &key->header.text);
	case ARG_KEYWORD: return imap_lex_atom(s->lex, &key->keyword);
	case ARG_DATE: return take_date(s->lex, &key->days);
	case ARG_SIZE: return imap_lex_number(s->lex, &key->size);
	case ARG_SET: return imap_lex_set(s->lex, &key->set);
	case ARG_MODSEQ: return take_modseq(s->lex, &key->modseq);
	case ARG_OR: return take_two(s, key);
	case ARG_NONE:
	case ARG_FLAG:
	case ARG_NEW: break;
	}
	return true;
}

static bool take_row(struct search *s, const struct row *row, struct imap_key *key)
{
	key->kind = row->kind;
	key->is_not = row->is_not;
	if (row->arg == ARG_FLAG)
		key->flag = row->flag;
	if (row->arg == ARG_FIELD)
		key->header.name = str_of(row->field);
	if (row->arg == ARG_NEW)
		return add_new(s, key);
	return row->arg == ARG_NONE || row->arg == ARG_FLAG ||
	       (imap_lex_space(s->lex) && take_arg(s, row->arg, key));
}

/* search-key *(SP search-key) ; up to ")" or the end */
static bool take_list(struct search *s, struct imap_key *and)
{
	struct imap_key **at = &and->kids;

	do {
		*at = take_key(s);
		if (!*at)
			return false;
		at = &(*at)->next;
	} while (imap_lex_skip(s->lex, ' '));
	return true;
}

static bool take_group(struct search *s, struct imap_key *and)
{
	if (!enter(s) || !imap_lex_char(s->lex, '(') || !take_list(s, and))
		return false;
	s->depth--;
	return imap_lex_char(s->lex, ')');
}

static bool take_named(struct search *s, struct str name, struct imap_key *key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq_nocase(str_of(rows[i].name), name))
			return take_row(s, &rows[i], key);
	return imap_lex_fail(s->lex, "That search key is unknown");
}

/*
 * search-key = "NOT" SP search-key / sequence-set / "(" search-key *(SP search-key) ")" /
 *		a row of the table
 */
static struct imap_key *take_key(struct search *s)
{
	struct imap_key *key = key_new(s, IMAP_KEY_AND);
	struct imap_lex *lex = s->lex;
	bool is_not = false, ok;
	struct str name;

	if (!key)
		return NULL;
	for (;;) {
		if (imap_lex_at(lex, '(')) {
			ok = take_group(s, key);
			break;
		}
		if (imap_lex_at(lex, '*') ||
		    (!imap_lex_at_end(lex) && lex->text.p[0] >= '0' &&
		     lex->text.p[0] <= '9')) {
			key->kind = IMAP_KEY_SEQ;
			ok = imap_lex_set(lex, &key->set);
			break;
		}
		if (!imap_lex_word(lex, &name))
			return NULL;
		if (!str_eq_nocase(name, STR("NOT"))) {
			ok = take_named(s, name, key);
			break;
		}
		is_not = !is_not;
		if (!imap_lex_space(lex))
			return NULL;
	}
	key->is_not ^= is_not;
	return ok ? key : NULL;
}

/* search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key) */
bool imap_parse_search(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct search s = { .lex = lex };
	struct imap_key *all = key_new(&s, IMAP_KEY_AND);

	if (!all || !imap_lex_space(lex))
		return false;
	if (str_starts_nocase(lex->text, STR("CHARSET "))) {
		lex->text.p += 8;
		lex->text.len -= 8;
		if (!imap_lex_astring(lex, &cmd->search.charset) || !imap_lex_space(lex))
			return false;
	}
	if (!take_list(&s, all))
		return false;
	cmd->search.key = all->kids->next ? all : all->kids;
	return true;
}
