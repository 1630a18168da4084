/*
 * Address lists (RFC 5322 3.4, 4.4).
 *
 * What the words at the front of an element are is known only by what ends them: before
 * "<" or ":" they are a name, before "@" a local part.  So they are passed once to find
 * the end, and read once as what they are.
 */
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"

void header_addrs_init(struct header_addrs *it, struct str value)
{
	*it = (struct header_addrs){ .rest = value };
}

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static void cfws(struct header_addrs *it, struct str *in, struct wr *comment)
{
	if (!lex_cfws(in, comment))
		it->odd |= HEADER_ODD_SYNTAX;
}

/* domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS] ; kept with its brackets */
static void literal(struct str *in, struct wr *text)
{
	bool more = true;

	while (more && in->len > 0) {
		more = in->p[0] != ']';
		if (!lex_is_blank(in->p[0]))
			wr8(text, (uint8_t)in->p[0]);
		skip(in, 1);
	}
}

static bool is_special(char c)
{
	return c == '<' || c == '>' || c == ':' || c == ',' || c == ';' || c == '@';
}

enum spaces { NO_SPACES, ONE_SPACE };

/*
 * word = atom / quoted-string, and dots between; all words up to a special character.
 * With ONE_SPACE, blanks and comments between two of them are one blank.
 */
static void words(struct header_addrs *it, struct str *in, enum spaces spaces,
		  struct wr *text, struct wr *comment)
{
	const uint8_t *from = text->p;

	for (;;) {
		const char *before = in->p;
		struct str atom;

		cfws(it, in, comment);
		if (in->len == 0 || is_special(in->p[0]))
			return;
		if (spaces == ONE_SPACE && in->p != before && text->p != from)
			lex_put(text, STR(" "));
		if (lex_eat(in, '"')) {
			if (!lex_quoted(in, text))
				it->odd |= HEADER_ODD_SYNTAX;
		} else if (in->p[0] == '[') {
			literal(in, text);
		} else if (lex_atom(in, &atom)) {
			lex_put(text, atom);
		} else {
			if (in->p[0] != '.')
				it->odd |= HEADER_ODD_SYNTAX;
			lex_put(text, (struct str){ in->p, 1 });
			skip(in, 1);
		}
	}
}

/* What ends the words at the front: a special character, or NUL for the end. */
static char end_of_words(struct str in, bool *has_at)
{
	uint8_t scrap[1];

	*has_at = false;
	for (;;) {
		struct wr nowhere = wr_of(scrap, 0);
		struct header_addrs unused = { .odd = 0 };

		words(&unused, &in, NO_SPACES, &nowhere, NULL);
		if (in.len == 0)
			return '\0';
		if (in.p[0] != '@' && in.p[0] != '>')
			return in.p[0];
		*has_at |= in.p[0] == '@';
		skip(&in, 1);
	}
}

static struct str read_words(struct header_addrs *it, enum spaces spaces, struct wr *text,
			     struct wr *comment)
{
	const uint8_t *from = text->p;

	words(it, &it->rest, spaces, text, comment);
	return lex_since(text, from);
}

/* A phrase: all up to @end, and "@" is a character like others there. */
static struct str phrase(struct header_addrs *it, char end, struct wr *text)
{
	const uint8_t *from = text->p;

	for (;;) {
		words(it, &it->rest, ONE_SPACE, text, NULL);
		if (it->rest.len == 0 || it->rest.p[0] == end)
			return lex_since(text, from);
		it->odd |= HEADER_ODD_SYNTAX;
		lex_put(text, (struct str){ it->rest.p, 1 });
		skip(&it->rest, 1);
	}
}

/* obs-route = obs-domain-list ":" ; obs-domain-list = "@" domain *("," [CFWS] ["@" domain]) */
static struct str route(struct header_addrs *it, struct wr *text)
{
	const uint8_t *from = text->p;

	for (;;) {
		cfws(it, &it->rest, NULL);
		if (lex_eat(&it->rest, '@'))
			lex_put(text, STR("@"));
		else if (lex_eat(&it->rest, ','))
			lex_put(text, STR(","));
		else if (it->rest.len == 0 || is_special(it->rest.p[0]))
			break;
		words(it, &it->rest, NO_SPACES, text, NULL);
	}
	if (!lex_eat(&it->rest, ':'))
		it->odd |= HEADER_ODD_SYNTAX;
	return lex_since(text, from);
}

/* addr-spec = local-part "@" domain */
static void addr_spec(struct header_addrs *it, struct wr *text, struct wr *comment,
		      struct header_addr *addr)
{
	addr->local = read_words(it, NO_SPACES, text, comment);
	if (lex_eat(&it->rest, '@'))
		addr->domain = read_words(it, NO_SPACES, text, comment);
	else
		it->odd |= HEADER_ODD_NO_DOMAIN;
}

/* angle-addr = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr; behind its "<" */
static void angle_addr(struct header_addrs *it, struct wr *text, struct header_addr *addr)
{
	cfws(it, &it->rest, NULL);
	if (it->rest.len > 0 && it->rest.p[0] == '@')
		addr->route = route(it, text);
	addr_spec(it, text, NULL, addr);
	if (!lex_eat(&it->rest, '>'))
		it->odd |= HEADER_ODD_SYNTAX;
}

/* Nothing may stand between an address and the comma behind it but comments. */
static void to_next(struct header_addrs *it)
{
	uint8_t scrap[1];

	cfws(it, &it->rest, NULL);
	while (it->rest.len > 0 && it->rest.p[0] != ',' && it->rest.p[0] != ';') {
		struct wr nowhere = wr_of(scrap, 0);

		it->odd |= HEADER_ODD_SYNTAX;
		if (is_special(it->rest.p[0]))
			skip(&it->rest, 1);
		words(it, &it->rest, NO_SPACES, &nowhere, NULL);
	}
	lex_eat(&it->rest, ',');
}

static bool end_group(struct header_addrs *it, struct header_addr *addr)
{
	it->in_group = false;
	addr->kind = HEADER_GROUP_END;
	return true;
}

/* group = display-name ":" [group-list] ";" [CFWS] */
static bool begin_group(struct header_addrs *it, struct wr *text,
			struct header_addr *addr)
{
	addr->kind = HEADER_GROUP_BEGIN;
	addr->name = phrase(it, ':', text);
	lex_eat(&it->rest, ':');
	it->in_group = true;
	return true;
}

static void mailbox(struct header_addrs *it, char end, bool has_at, struct wr *text,
		    struct header_addr *addr)
{
	const uint8_t *from;

	if (end == '<') {
		addr->name = phrase(it, '<', text);
		lex_eat(&it->rest, '<');
		angle_addr(it, text, addr);
	} else if (has_at) {
		uint8_t comment_text[256];
		struct wr comment = wr_of(comment_text, sizeof(comment_text));

		addr_spec(it, text, &comment, addr);
		from = text->p;
		lex_put(text, lex_since(&comment, comment_text));
		addr->name = lex_since(text, from);
	} else {
		addr->local = read_words(it, ONE_SPACE, text, NULL);
		it->odd |= HEADER_ODD_NO_DOMAIN;
	}
	to_next(it);
}

bool header_addrs_next(struct header_addrs *it, struct wr *text, struct header_addr *addr)
{
	bool has_at;
	char end;

	*addr = (struct header_addr){ .kind = HEADER_MAILBOX };
	/* RFC 5322 4.4: elements of a list may be empty. */
	do {
		cfws(it, &it->rest, NULL);
		if (lex_eat(&it->rest, ';')) {
			if (it->in_group)
				return end_group(it, addr);
			it->odd |= HEADER_ODD_SYNTAX;
		}
		cfws(it, &it->rest, NULL);
	} while (lex_eat(&it->rest, ',') || (it->rest.len > 0 && it->rest.p[0] == ';'));
	if (it->rest.len == 0) {
		if (!it->in_group)
			return false;
		it->odd |= HEADER_ODD_GROUP;
		return end_group(it, addr);
	}
	end = end_of_words(it->rest, &has_at);
	if (end == ':' && !has_at) {
		if (!it->in_group)
			return begin_group(it, text, addr);
		it->odd |= HEADER_ODD_GROUP;
	}
	mailbox(it, end, has_at, text, addr);
	if (text->bad)
		it->odd |= HEADER_ODD_ROOM;
	return true;
}
