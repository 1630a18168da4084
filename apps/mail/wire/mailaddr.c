#include "apps/mail/wire/mailaddr.h"

#include <errno.h>

#include "stack/base/addr.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Let-dig = ALPHA / DIGIT */
static bool is_let_dig(char c)
{
	return is_alpha(c) || is_digit(c);
}

/* atext of RFC 5322 3.2.3 */
static bool is_atext(char c)
{
	return is_let_dig(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_print(char c)
{
	return c >= 32 && c <= 126;
}

/* qtextSMTP = %d32-33 / %d35-91 / %d93-126 */
static bool is_qtext(char c)
{
	return is_print(c) && c != '"' && c != '\\';
}

/* dcontent = %d33-90 / %d94-126 */
static bool is_dcontent(char c)
{
	return c >= 33 && c <= 126 && (c < '[' || c > ']');
}

static bool all(struct str s, bool (*is)(char c))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is(s.p[i]))
			return false;
	return s.len > 0;
}

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static bool eat(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	skip(s, 1);
	return true;
}

/* What stands in front of where @rest begins. */
static struct str before(struct str all_of_it, struct str rest)
{
	return (struct str){ all_of_it.p, (size_t)(rest.p - all_of_it.p) };
}

/* sub-domain = Let-dig [Ldh-str] ; Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig */
static bool is_sub_domain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_let_dig(s.p[i]) && s.p[i] != '-')
			return false;
	return s.len > 0 && s.p[0] != '-' && s.p[s.len - 1] != '-';
}

/* Domain = sub-domain *("." sub-domain), with the limits of names. */
static int domain_check(struct str s)
{
	bool more = true, is_long = s.len > MAILADDR_DOMAIN_MAX;

	while (more) {
		struct str rest, label = str_cut(s, '.', &rest);

		if (!is_sub_domain(label))
			return -EINVAL;
		is_long |= label.len > MAILADDR_LABEL_MAX;
		more = label.len < s.len;
		s = rest;
	}
	return is_long ? -ENAMETOOLONG : 0;
}

bool mailaddr_is_domain(struct str s)
{
	return domain_check(s) == 0;
}

/* IPv4-address-literal = Snum 3("." Snum) ; Snum = 1*3DIGIT, 0 to 255 */
static bool is_ip4(struct str s)
{
	for (int i = 0; i < 4; i++) {
		struct str rest, num = str_cut(s, '.', &rest);
		uint64_t value;

		if (num.len > 3 || !str_to_u64(num, &value) || value > 255)
			return false;
		/* A dot behind the first three, none behind the last. */
		if ((i < 3) != (num.len < s.len))
			return false;
		s = rest;
	}
	return true;
}

static bool is_ip6(struct str s)
{
	char text[ADDR_TEXT_LEN];
	struct addr a;

	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.p, '\0', s.len))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return addr_parse(text, &a) && a.family == ADDR_IP6;
}

/*
 * address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr /
 *		     Standardized-tag ":" 1*dcontent ) "]"
 * Standardized-tag = Ldh-str
 */
bool mailaddr_is_literal(struct str s)
{
	struct str tag, content;

	if (s.len < 2 || s.len > MAILADDR_DOMAIN_MAX || s.p[0] != '[' ||
	    s.p[s.len - 1] != ']')
		return false;
	s = (struct str){ s.p + 1, s.len - 2 };
	tag = str_cut(s, ':', &content);
	if (tag.len == s.len)
		return is_ip4(s);
	if (str_eq_nocase(tag, STR("IPv6")))
		return is_ip6(content);
	return is_sub_domain(tag) && all(content, is_dcontent);
}

/* Takes the run of characters that a domain is made of. */
static struct str take_domain_chars(struct str *in)
{
	struct str all_of_it = *in;

	while (in->len > 0 &&
	       (is_let_dig(in->p[0]) || in->p[0] == '-' || in->p[0] == '.'))
		skip(in, 1);
	return before(all_of_it, *in);
}

/* Domain / address-literal */
static int take_host(struct str *in, struct str *host)
{
	if (in->len > 0 && in->p[0] == '[') {
		const char *close = memchr(in->p, ']', in->len);

		if (!close)
			return -EINVAL;
		*host = (struct str){ in->p, (size_t)(close + 1 - in->p) };
		skip(in, host->len);
		if (host->len > MAILADDR_DOMAIN_MAX)
			return -ENAMETOOLONG;
		return mailaddr_is_literal(*host) ? 0 : -EINVAL;
	}
	*host = take_domain_chars(in);
	return domain_check(*host);
}

/* Dot-string = Atom *("." Atom) ; Atom = 1*atext */
static bool take_dot_string(struct str *in)
{
	do {
		if (in->len == 0 || !is_atext(in->p[0]))
			return false;
		while (in->len > 0 && is_atext(in->p[0]))
			skip(in, 1);
	} while (eat(in, '.'));
	return true;
}

/*
 * Quoted-string = DQUOTE *QcontentSMTP DQUOTE
 * QcontentSMTP = qtextSMTP / quoted-pairSMTP ; quoted-pairSMTP = %d92 %d32-126
 */
static bool take_quoted_string(struct str *in)
{
	if (!eat(in, '"'))
		return false;
	while (!eat(in, '"')) {
		bool pair = eat(in, '\\');

		if (in->len == 0 || !(pair ? is_print(in->p[0]) : is_qtext(in->p[0])))
			return false;
		skip(in, 1);
	}
	return true;
}

/* Local-part = Dot-string / Quoted-string */
static bool take_local(struct str *in, struct str *local)
{
	struct str all_of_it = *in;
	bool quoted = in->len > 0 && in->p[0] == '"';

	if (!(quoted ? take_quoted_string(in) : take_dot_string(in)))
		return false;
	*local = before(all_of_it, *in);
	return true;
}

/* A-d-l ":" ; A-d-l = At-domain *( "," At-domain ) ; At-domain = "@" Domain */
static int skip_route(struct str *in)
{
	do {
		int err = eat(in, '@') ? domain_check(take_domain_chars(in)) : -EINVAL;

		if (err)
			return err;
	} while (eat(in, ','));
	return eat(in, ':') ? 0 : -EINVAL;
}

/*
 * Mailbox = Local-part "@" ( Domain / address-literal )
 * "Postmaster" needs no domain (RFC 5321 4.1.1.3).
 */
static int take_mailbox(struct str *in, struct mailaddr *addr)
{
	if (!take_local(in, &addr->local))
		return -EINVAL;
	if (eat(in, '@')) {
		addr->kind = MAILADDR_MAILBOX;
		return take_host(in, &addr->domain);
	}
	addr->kind = MAILADDR_POSTMASTER;
	return str_eq_nocase(addr->local, STR("postmaster")) ? 0 : -EINVAL;
}

/*
 * Path = "<" [ A-d-l ":" ] Mailbox ">"
 * Reverse-path = Path / "<>"
 */
int mailaddr_path(struct str *in, struct mailaddr *addr)
{
	struct mailaddr a = { .kind = MAILADDR_NULL };
	struct str rest = *in;
	int err = 0;

	if (!eat(&rest, '<'))
		return -EINVAL;
	if (!eat(&rest, '>')) {
		/* RFC 5321 C: source routes are accepted and ignored. */
		if (rest.len > 0 && rest.p[0] == '@')
			err = skip_route(&rest);
		if (!err)
			err = take_mailbox(&rest, &a);
		if (err)
			return err;
		if (!eat(&rest, '>'))
			return -EINVAL;
	}
	if (a.local.len > MAILADDR_LOCAL_MAX || in->len - rest.len > MAILADDR_PATH_MAX)
		return -ENAMETOOLONG;
	*in = rest;
	*addr = a;
	return 0;
}

/* The characters that a quoted string means; returns how many. */
static size_t unquote(struct str quoted, char out[static MAILADDR_LOCAL_MAX])
{
	size_t n = 0;

	for (size_t i = 1; i + 1 < quoted.len; i++) {
		if (quoted.p[i] == '\\')
			i++;
		out[n++] = quoted.p[i];
	}
	return n;
}

static size_t emit_local(struct str local, char *out)
{
	char meant[MAILADDR_LOCAL_MAX];
	struct str text, rest;
	size_t n = 0;

	if (local.len == 0 || local.p[0] != '"') {
		memcpy(out, local.p, local.len);
		return local.len;
	}
	text = rest = (struct str){ meant, unquote(local, meant) };
	if (take_dot_string(&rest) && rest.len == 0) {
		memcpy(out, text.p, text.len);
		return text.len;
	}
	out[n++] = '"';
	for (size_t i = 0; i < text.len; i++) {
		if (!is_qtext(text.p[i]))
			out[n++] = '\\';
		out[n++] = text.p[i];
	}
	out[n++] = '"';
	return n;
}

size_t mailaddr_emit(const struct mailaddr *addr, char out[static MAILADDR_TEXT_LEN])
{
	size_t n = 0;

	if (addr->kind != MAILADDR_NULL)
		n = emit_local(addr->local, out);
	if (addr->kind == MAILADDR_MAILBOX) {
		out[n++] = '@';
		memcpy(out + n, addr->domain.p, addr->domain.len);
		n += addr->domain.len;
	}
	out[n] = '\0';
	return n;
}
