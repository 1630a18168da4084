/*
 * Arguments of SELECT, LIST, STATUS and APPEND.
 */
#include "apps/mail/wire/imap_date.h"
#include "apps/mail/wire/imap_parse.h"
#include "apps/mail/wire/imap_parse_impl.h"
#include "stack/base/check.h"

/* seq-match-data = "(" known-sequence-set SP known-uid-set ")" (RFC 7162 7) */
static bool take_match(struct imap_lex *lex, struct imap_qresync *q)
{
	q->has_match = true;
	return imap_lex_char(lex, '(') && imap_lex_set(lex, &q->match_numbers) &&
	       imap_lex_space(lex) && imap_lex_set(lex, &q->match_uids) &&
	       imap_lex_char(lex, ')');
}

/* "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" */
static bool take_qresync(struct imap_lex *lex, struct imap_qresync *q)
{
	if (!imap_lex_char(lex, '(') || !imap_lex_nz_number(lex, &q->uid_validity) ||
	    !imap_lex_space(lex) || !imap_lex_number64(lex, &q->modseq))
		return false;
	if (imap_lex_at(lex, ')'))
		return imap_lex_char(lex, ')');
	if (!imap_lex_space(lex))
		return false;
	if (!imap_lex_at(lex, '(')) {
		q->has_uids = true;
		if (!imap_lex_set(lex, &q->uids))
			return false;
		if (imap_lex_skip(lex, ')'))
			return true;
		if (!imap_lex_space(lex))
			return false;
	}
	if (!take_match(lex, q))
		return false;
	/* RFC 7162 7: known-uids holds no "*". */
	return imap_lex_char(lex, ')');
}

/* select-param = "CONDSTORE" / "QRESYNC" SP "(" ... ")" (RFC 7162 7) */
static bool take_select_param(struct imap_lex *lex, struct imap_select *s)
{
	struct str word;

	if (!imap_lex_word(lex, &word))
		return false;
	if (str_eq_nocase(word, STR("CONDSTORE"))) {
		s->condstore = true;
		return true;
	}
	if (!str_eq_nocase(word, STR("QRESYNC")))
		return imap_lex_fail(lex, "That parameter is unknown");
	if (s->has_qresync)
		return imap_lex_fail(lex, "QRESYNC stands twice");
	s->has_qresync = true;
	if (!imap_lex_space(lex) || !take_qresync(lex, &s->qresync))
		return false;
	return (s->qresync.uids.star == 0 && s->qresync.match_numbers.star == 0 &&
		s->qresync.match_uids.star == 0) ||
	       imap_lex_fail(lex, "What is known has no *");
}

/* select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"] */
bool imap_parse_select(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_select *s = &cmd->select;

	if (!imap_lex_space(lex) || !imap_lex_mailbox(lex, &s->mailbox))
		return false;
	if (!imap_lex_skip(lex, ' '))
		return true;
	if (!imap_lex_char(lex, '('))
		return false;
	do {
		if (!take_select_param(lex, s))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

/* "(" status-att *(SP status-att) ")" */
static bool take_status_items(struct imap_lex *lex, unsigned *items)
{
	return imap_parse_bits(lex, imap_status_names, IMAP_STATUS_N,
			       "That item is unknown", items) &&
	       (*items > 0 || imap_lex_fail(lex, "No item is named"));
}

/* status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
bool imap_parse_status(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_mailbox(lex, &cmd->status.mailbox) &&
	       imap_lex_space(lex) && take_status_items(lex, &cmd->status.items);
}

/* list-select-opts = "(" [list-select-option *(SP list-select-option)] ")" */
static bool take_selects(struct imap_lex *lex, struct imap_list *l)
{
	static const struct imap_name known[] = {
		{ "SUBSCRIBED", IMAP_LIST_SUBSCRIBED },
		{ "REMOTE", IMAP_LIST_REMOTE },
		{ "RECURSIVEMATCH", IMAP_LIST_RECURSIVEMATCH },
		{ "SPECIAL-USE", IMAP_LIST_SPECIAL_USE },
	};
	const unsigned modifiers = IMAP_LIST_RECURSIVEMATCH | IMAP_LIST_REMOTE;

	l->is_extended = true;
	if (!imap_parse_bits(lex, known, ARRAY_LEN(known), "That option is unknown",
			     &l->selects))
		return false;
	/* RFC 5258 3: it needs an option that selects. */
	if (l->selects & IMAP_LIST_RECURSIVEMATCH && !(l->selects & ~modifiers))
		return imap_lex_fail(lex, "RECURSIVEMATCH stands alone");
	return true;
}

static bool take_return(struct imap_lex *lex, struct imap_list *l)
{
	static const struct imap_name known[] = {
		{ "SUBSCRIBED", IMAP_LIST_SUBSCRIBED },
		{ "CHILDREN", IMAP_LIST_CHILDREN },
		{ "SPECIAL-USE", IMAP_LIST_SPECIAL_USE },
		{ "STATUS", IMAP_LIST_STATUS },
	};
	const struct imap_name *option;
	struct str name;

	if (!imap_lex_atom(lex, &name))
		return false;
	option = imap_names_find(known, ARRAY_LEN(known), name);
	if (!option)
		return imap_lex_fail(lex, "That option is unknown");
	l->returns |= option->value;
	return option->value != IMAP_LIST_STATUS ||
	       (imap_lex_space(lex) && take_status_items(lex, &l->status));
}

/* list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")" */
static bool take_returns(struct imap_lex *lex, struct imap_list *l)
{
	struct str word;

	l->is_extended = true;
	if (!imap_lex_word(lex, &word))
		return false;
	if (!str_eq_nocase(word, STR("RETURN")))
		return imap_lex_fail(lex, "RETURN is missing");
	if (!imap_lex_space(lex) || !imap_lex_char(lex, '('))
		return false;
	if (imap_lex_skip(lex, ')'))
		return true;
	do {
		if (!take_return(lex, l))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

static bool take_pattern(struct imap_lex *lex, struct imap_words *patterns)
{
	struct str *v;

	if (patterns->n == IMAP_WORDS_MAX)
		return imap_lex_fail(lex, "There are too many patterns");
	v = imap_lex_more(lex, (void *)patterns->v, patterns->n, sizeof(*v));
	if (!v || !imap_lex_pattern(lex, &v[patterns->n]))
		return false;
	patterns->v = v;
	patterns->n++;
	return true;
}

/* mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")" */
static bool take_patterns(struct imap_lex *lex, struct imap_list *l)
{
	if (!imap_lex_skip(lex, '('))
		return take_pattern(lex, &l->patterns);
	l->is_extended = true;
	do {
		if (!take_pattern(lex, &l->patterns))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

/* list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
 * (RFC 5258 6) */
bool imap_parse_list(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_list *l = &cmd->list;

	if (!imap_lex_space(lex))
		return false;
	if (imap_lex_at(lex, '(') && (!take_selects(lex, l) || !imap_lex_space(lex)))
		return false;
	return imap_lex_astring(lex, &l->reference) && imap_lex_space(lex) &&
	       take_patterns(lex, l) &&
	       (!imap_lex_skip(lex, ' ') || take_returns(lex, l));
}

/* lsub = "LSUB" SP mailbox SP list-mailbox */
bool imap_parse_lsub(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_astring(lex, &cmd->list.reference) &&
	       imap_lex_space(lex) && take_pattern(lex, &cmd->list.patterns);
}

/* date-time = DQUOTE ... DQUOTE */
static bool take_date(struct imap_lex *lex, struct imap_append *a)
{
	struct imap_date_time t;
	struct str text;

	if (!imap_lex_quoted(lex, &text))
		return false;
	if (!imap_date_time_parse(text, &t))
		return imap_lex_fail(lex, "That is no date and time");
	a->has_date = true;
	a->date_s = t.s;
	return imap_lex_space(lex);
}

/* The text goes before the message comes; what the server needs stays. */
static bool keep(struct imap_lex *lex, struct imap_append *a)
{
	struct str *keywords = (struct str *)a->flags.keywords;

	for (uint32_t i = 0; i < a->flags.n_keywords; i++)
		if (!imap_lex_keep(lex, &keywords[i]))
			return false;
	return imap_lex_keep(lex, &a->mailbox);
}

/* append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal */
bool imap_parse_append_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_append *a = &cmd->append;

	if (!imap_lex_space(lex) || !imap_lex_mailbox(lex, &a->mailbox) ||
	    !imap_lex_space(lex))
		return false;
	if (imap_lex_at(lex, '(') &&
	    (!imap_parse_flags(lex, true, &a->flags) || !imap_lex_space(lex)))
		return false;
	if (imap_lex_at(lex, '"') && !take_date(lex, a))
		return false;
	if (!imap_lex_announced(lex) || !keep(lex, a))
		return false;
	a->size = lex->size;
	return true;
}
