/*
 * What a response says.  Servers bend the grammar in small ways that do no harm (a
 * space at the end, no text behind OK), so this reads somewhat more than RFC 3501 9 has.
 */
#include "apps/mail/wire/imap_lex.h"
#include "apps/mail/wire/imap_reply_impl.h"

struct tokens {
	struct imap_lex *lex;
	struct imap_token *first, **at; /* where the next goes */
	struct imap_token *last;
	struct imap_token *open[IMAP_REPLY_DEPTH_MAX]; /* lists, the innermost last */
	unsigned depth;
};

static struct imap_token *add(struct tokens *t, enum imap_token_kind kind)
{
	struct imap_token *token = imap_lex_get(t->lex, sizeof(*token));

	if (!token)
		return NULL;
	token->kind = kind;
	*t->at = token;
	t->at = &token->next;
	t->last = token;
	return token;
}

static bool list_begins(struct tokens *t)
{
	struct imap_token *list;

	if (t->depth == IMAP_REPLY_DEPTH_MAX)
		return imap_lex_fail(t->lex, "Lists are nested too deep");
	list = add(t, IMAP_TOKEN_LIST);
	if (!list)
		return false;
	imap_lex_skip(t->lex, '(');
	t->open[t->depth++] = list;
	t->at = &list->kids;
	return true;
}

static bool list_ends(struct tokens *t)
{
	if (t->depth == 0)
		return imap_lex_fail(t->lex, "A list ends that did not begin");
	imap_lex_skip(t->lex, ')');
	t->last = t->open[--t->depth];
	t->at = &t->last->next;
	return true;
}

/* The length of "[...]" at the front, which may have spaces and quotes in it; 0: it does
 * not end. */
static size_t bracket_len(struct str s)
{
	bool in_quotes = false;

	for (size_t i = 1; i < s.len; i++) {
		if (in_quotes && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			in_quotes = !in_quotes;
		else if (s.p[i] == ']' && !in_quotes)
			return i + 1;
	}
	return 0;
}

/* Anything up to what ends an atom; sections are part of it: "BODY[HEADER (A)]<0>". */
static bool take_atom(struct tokens *t)
{
	struct str *text = &t->lex->text, s = { text->p, 0 };
	struct imap_token *token;

	while (s.len < text->len) {
		char c = text->p[s.len];
		size_t n = 1;

		if (c == ' ' || c == '(' || c == ')' || c == '"' || c == '{' ||
		    (unsigned char)c < ' ')
			break;
		if (c == '[')
			n = bracket_len(
				(struct str){ text->p + s.len, text->len - s.len });
		if (n == 0)
			return imap_lex_fail(t->lex, "A bracket is not closed");
		s.len += n;
	}
	if (s.len == 0)
		return imap_lex_fail(t->lex, "Something stands where a word should");
	text->p += s.len;
	text->len -= s.len;
	token = add(t, IMAP_TOKEN_ATOM);
	if (token)
		token->text = s;
	return token != NULL;
}

static bool take_string(struct tokens *t)
{
	bool is_passed = false;
	struct imap_token *token;
	struct str s;

	if (imap_lex_at(t->lex, '"') ? !imap_lex_quoted(t->lex, &s) :
				       !imap_lex_literal(t->lex, &s, &is_passed))
		return false;
	token = add(t, is_passed ? IMAP_TOKEN_PASSED : IMAP_TOKEN_STRING);
	if (!token)
		return false;
	if (is_passed)
		token->size = t->lex->size;
	else
		token->text = s;
	return true;
}

/* Tokens up to the end; between lists there may be no space (RFC 3501 9: body-type-mpart). */
static bool take_tokens(struct tokens *t)
{
	bool ok = true;

	while (ok && !imap_lex_at_end(t->lex)) {
		if (imap_lex_skip(t->lex, ' '))
			continue;
		if (imap_lex_at(t->lex, '('))
			ok = list_begins(t);
		else if (imap_lex_at(t->lex, ')'))
			ok = list_ends(t);
		else if (imap_lex_at(t->lex, '"') || imap_lex_at(t->lex, '{'))
			ok = take_string(t);
		else
			ok = take_atom(t);
	}
	if (ok && t->depth > 0)
		return imap_lex_fail(t->lex, "A list is not closed");
	return ok;
}

/* The tokens of @lex; all up to where it stopped, also when that is not the end. */
static bool tokens(struct imap_lex *lex, struct imap_token **first,
		   struct imap_token **last)
{
	struct tokens t = { .lex = lex };
	bool ok;

	t.at = &t.first;
	ok = take_tokens(&t);
	*first = t.first;
	*last = t.last;
	return ok;
}

static struct str take_word(struct imap_lex *lex)
{
	struct str rest, word = str_cut(lex->text, ' ', &rest);

	lex->text = rest;
	return word;
}

/* resp-text = ["[" resp-text-code "]" SP] text */
static bool take_resp_text(struct imap_lex *lex, struct imap_reply *reply)
{
	struct imap_token *last;
	struct imap_lex inside;
	size_t n;

	if (imap_lex_at(lex, '[')) {
		n = bracket_len(lex->text);
		/* BADCHARSET may have literals in its list. */
		lex->is_open = n == 0 && lex->ends_open;
		if (lex->is_open)
			return false;
		if (n > 0) {
			imap_lex_init(&inside, (struct str){ lex->text.p + 1, n - 2 },
				      false, lex->arena);
			reply->code = take_word(&inside);
			reply->code_text = inside.text;
			/* RFC 3501 7.1: clients pass over codes they do not know. */
			if (!tokens(&inside, &reply->code_args, &last))
				reply->code_args = NULL;
			lex->text.p += n;
			lex->text.len -= n;
			imap_lex_skip(lex, ' ');
		}
	}
	reply->text = lex->text;
	return true;
}

static enum imap_reply_status status_of(struct str word)
{
	static const struct {
		const char *name;
		enum imap_reply_status status;
	} known[] = {
		{ "OK", IMAP_REPLY_OK },	   { "NO", IMAP_REPLY_NO },
		{ "BAD", IMAP_REPLY_BAD },	   { "BYE", IMAP_REPLY_BYE },
		{ "PREAUTH", IMAP_REPLY_PREAUTH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq_nocase(str_of(known[i].name), word))
			return known[i].status;
	return IMAP_REPLY_DATA;
}

/* response-data = "*" SP (resp-cond-state / resp-cond-bye / mailbox-data / message-data /
 *		   capability-data) CRLF */
static bool take_data(struct imap_lex *lex, struct imap_reply *reply,
		      struct imap_token **before)
{
	uint64_t number;

	reply->name = take_word(lex);
	reply->has_number = str_to_u64(reply->name, &number);
	if (reply->has_number) {
		if (number > UINT32_MAX)
			return imap_lex_fail(lex, "A number is too big");
		reply->number = (uint32_t)number;
		reply->name = take_word(lex);
	}
	if (reply->name.len == 0)
		return imap_lex_fail(lex, "A response has no name");
	return tokens(lex, &reply->args, before);
}

static bool take_reply(struct imap_lex *lex, struct imap_reply *reply,
		       struct imap_token **before)
{
	struct imap_lex at_status;

	reply->tag = take_word(lex);
	if (reply->tag.len == 0)
		return imap_lex_fail(lex, "A response begins with nothing");
	reply->kind = str_eq(reply->tag, STR("*")) ? IMAP_REPLY_UNTAGGED :
		      str_eq(reply->tag, STR("+")) ? IMAP_REPLY_PLUS :
						     IMAP_REPLY_TAGGED;
	if (reply->kind == IMAP_REPLY_PLUS) {
		reply->text = lex->text;
		return true;
	}
	at_status = *lex;
	reply->status = status_of(take_word(&at_status));
	if (reply->status != IMAP_REPLY_DATA) {
		*lex = at_status;
		return take_resp_text(lex, reply);
	}
	if (reply->kind == IMAP_REPLY_TAGGED)
		return imap_lex_fail(lex, "A response has a tag and no status");
	return take_data(lex, reply, before);
}

enum imap_reply_result imap_reply_grammar(struct str text, bool ends_open,
					  struct imap_arena *arena,
					  struct imap_reply *reply,
					  struct imap_token **before, const char **bad)
{
	struct imap_lex lex;

	imap_lex_init(&lex, text, ends_open, arena);
	lex.takes_nul = true;
	*reply = (struct imap_reply){ .kind = IMAP_REPLY_UNTAGGED };
	*before = NULL;
	if (take_reply(&lex, reply, before))
		return ends_open ? IMAP_REPLY_IS_TEXT : IMAP_REPLY_WHOLE;
	*bad = lex.bad;
	return lex.is_open ? IMAP_REPLY_OPEN : IMAP_REPLY_WRONG;
}
