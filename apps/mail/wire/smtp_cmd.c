#include "apps/mail/wire/smtp_cmd.h"

#include <errno.h>

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9');
}

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static void skip_blanks(struct str *s)
{
	while (s->len > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		skip(s, 1);
}

/* command = verb [SP argument] *WSP ; RFC 5321 4.1.1: blanks at the end are tolerated. */
void smtp_cmd_split(struct str line, struct smtp_cmd *cmd)
{
	size_t n = 0;

	while (n < line.len && is_alpha(line.p[n]))
		n++;
	if (n < line.len && line.p[n] != ' ' && line.p[n] != '\t')
		n = 0;
	cmd->verb = (struct str){ line.p, n };
	skip(&line, n);
	cmd->arg = str_trim(line);
}

/*
 * ehlo = "EHLO" SP ( Domain / address-literal )
 *
 * Names of real clients break that in ways that harm nobody ("_", a dot at the end), and
 * RFC 5321 4.1.4 forbids to refuse mail for them.  So: anything made of the characters
 * of domains and literals.
 */
bool smtp_cmd_is_host(struct str arg)
{
	if (arg.len == 0 || arg.len > MAILADDR_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < arg.len; i++)
		if (!is_alnum(arg.p[i]) &&
		    (arg.p[i] == '\0' || !strchr("-_.:[]", arg.p[i])))
			return false;
	return true;
}

/* keyword ":" path, and what stands behind it; RFC 5321 has no blank behind the colon,
 * many clients do. */
static enum smtp_cmd_result take_path(struct str *arg, struct str keyword,
				      struct mailaddr *addr)
{
	int err;

	if (!str_starts_nocase(*arg, keyword))
		return SMTP_CMD_SYNTAX;
	skip(arg, keyword.len);
	skip_blanks(arg);
	err = mailaddr_path(arg, addr);
	if (err)
		return err == -ENAMETOOLONG ? SMTP_CMD_LONG_ADDR : SMTP_CMD_ADDR;
	if (arg->len > 0 && arg->p[0] != ' ' && arg->p[0] != '\t')
		return SMTP_CMD_ADDR;
	skip_blanks(arg);
	return SMTP_CMD_OK;
}

struct param {
	struct str keyword, value;
	bool has_value;
};

/*
 * esmtp-param = esmtp-keyword ["=" esmtp-value]
 * esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 * esmtp-value = 1*(%d33-60 / %d62-126)
 */
static bool param_parse(struct str word, struct param *p)
{
	p->keyword = str_cut(word, '=', &p->value);
	p->has_value = p->keyword.len < word.len;
	if (p->keyword.len == 0 || p->keyword.p[0] == '-')
		return false;
	for (size_t i = 0; i < p->keyword.len; i++)
		if (!is_alnum(p->keyword.p[i]) && p->keyword.p[i] != '-')
			return false;
	for (size_t i = 0; i < p->value.len; i++)
		if (p->value.p[i] < 33 || p->value.p[i] > 126 || p->value.p[i] == '=')
			return false;
	return p->has_value == (p->value.len > 0);
}

/* Takes the next parameter: words between blanks. */
static bool take_param(struct str *arg, struct param *p)
{
	struct str word = { arg->p, 0 };

	while (word.len < arg->len && arg->p[word.len] != ' ' && arg->p[word.len] != '\t')
		word.len++;
	skip(arg, word.len);
	skip_blanks(arg);
	return param_parse(word, p);
}

/* size-value = 1*20DIGIT (RFC 1870 4); 20 digits are more than any limit. */
static enum smtp_cmd_result set_size(const struct param *p, struct smtp_mail *mail)
{
	if (mail->has_size)
		return SMTP_CMD_PARAM_TWICE;
	mail->has_size = true;
	if (str_to_u64(p->value, &mail->size))
		return SMTP_CMD_OK;
	mail->size = UINT64_MAX;
	for (size_t i = 0; i < p->value.len; i++)
		if (p->value.p[i] < '0' || p->value.p[i] > '9')
			return SMTP_CMD_PARAM_VALUE;
	return p->value.len == 20 ? SMTP_CMD_OK : SMTP_CMD_PARAM_VALUE;
}

/* body-value = "7BIT" / "8BITMIME" (RFC 6152 2) */
static enum smtp_cmd_result set_body(const struct param *p, struct smtp_mail *mail)
{
	if (mail->has_body)
		return SMTP_CMD_PARAM_TWICE;
	mail->has_body = true;
	mail->is_8bit = str_eq_nocase(p->value, STR("8BITMIME"));
	return mail->is_8bit || str_eq_nocase(p->value, STR("7BIT")) ?
		       SMTP_CMD_OK :
		       SMTP_CMD_PARAM_VALUE;
}

/* auth-value = "<>" / xtext, of which param_parse() has seen that it is there */
static enum smtp_cmd_result set_auth(const struct param *p, struct smtp_mail *mail)
{
	if (mail->has_auth)
		return SMTP_CMD_PARAM_TWICE;
	mail->has_auth = true;
	return p->has_value ? SMTP_CMD_OK : SMTP_CMD_PARAM_VALUE;
}

static enum smtp_cmd_result set_param(const struct param *p, struct smtp_mail *mail)
{
	if (str_eq_nocase(p->keyword, STR("SIZE")))
		return set_size(p, mail);
	if (str_eq_nocase(p->keyword, STR("BODY")))
		return set_body(p, mail);
	if (str_eq_nocase(p->keyword, STR("AUTH")))
		return set_auth(p, mail);
	return SMTP_CMD_PARAM_UNKNOWN;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] */
enum smtp_cmd_result smtp_cmd_mail(struct str arg, struct smtp_mail *mail)
{
	struct smtp_mail m = { .has_size = false };
	enum smtp_cmd_result r = take_path(&arg, STR("FROM:"), &m.from);

	while (r == SMTP_CMD_OK && arg.len > 0) {
		struct param p;

		r = take_param(&arg, &p) ? set_param(&p, &m) : SMTP_CMD_SYNTAX;
	}
	/* Only a recipient may be a postmaster without domain. */
	if (r == SMTP_CMD_OK && m.from.kind == MAILADDR_POSTMASTER)
		r = SMTP_CMD_ADDR;
	if (r == SMTP_CMD_OK)
		*mail = m;
	return r;
}

/* rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )
 *	  [SP Rcpt-parameters] */
enum smtp_cmd_result smtp_cmd_rcpt(struct str arg, struct mailaddr *to)
{
	struct mailaddr a;
	enum smtp_cmd_result r = take_path(&arg, STR("TO:"), &a);
	struct param p;

	if (r != SMTP_CMD_OK)
		return r;
	if (arg.len > 0)
		return take_param(&arg, &p) ? SMTP_CMD_PARAM_UNKNOWN : SMTP_CMD_SYNTAX;
	if (a.kind == MAILADDR_NULL)
		return SMTP_CMD_ADDR;
	*to = a;
	return SMTP_CMD_OK;
}
