#include "apps/mail/wire/smtp_reply.h"

#include <errno.h>
#include <stdio.h>

#include "stack/base/check.h"

enum { CODE_LEN = 3 };

void smtp_reply_init(struct smtp_reply *r)
{
	*r = (struct smtp_reply){ 0 };
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reply-code = %x32-35 %x30-35 %x30-39; the second digit of some servers is beyond. */
static bool parse_code(struct str line, uint16_t *code)
{
	if (line.len < CODE_LEN || line.p[0] < '2' || line.p[0] > '5' ||
	    !is_digit(line.p[1]) || !is_digit(line.p[2]))
		return false;
	*code = (uint16_t)((line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
			   (line.p[2] - '0'));
	return true;
}

/* One to three digits off the front of @s (RFC 3463 2). */
static bool take_number(struct str *s, uint16_t *n)
{
	size_t len = 0;
	uint16_t value = 0;

	while (len < s->len && is_digit(s->p[len]) && len < 3) {
		value = (uint16_t)(value * 10 + (s->p[len] - '0'));
		len++;
	}
	if (len == 0)
		return false;
	s->p += len;
	s->len -= len;
	*n = value;
	return true;
}

static bool take_dot(struct str *s)
{
	if (s->len == 0 || s->p[0] != '.')
		return false;
	s->p++;
	s->len--;
	return true;
}

/*
 * status-code = class "." subject "." detail
 * class = "2" / "4" / "5" ; subject = 1*3DIGIT ; detail = 1*3DIGIT
 */
struct smtp_enhanced smtp_reply_enhanced(struct str text, struct str *rest)
{
	const struct smtp_enhanced none = { 0 };
	struct smtp_enhanced e = none;
	struct str at = text;

	*rest = text;
	if (at.len == 0 || (at.p[0] != '2' && at.p[0] != '4' && at.p[0] != '5'))
		return none;
	e.class = (uint8_t)(at.p[0] - '0');
	at.p++;
	at.len--;
	if (!take_dot(&at) || !take_number(&at, &e.subject) || !take_dot(&at) ||
	    !take_number(&at, &e.detail) || (at.len > 0 && at.p[0] != ' '))
		return none;
	*rest = str_trim(at);
	return e;
}

void smtp_reply_enhanced_text(struct smtp_enhanced e, char out[static SMTP_ENHANCED_LEN])
{
	int n = snprintf(out, SMTP_ENHANCED_LEN, "%u.%u.%u", e.class % 10U,
			 e.subject % 1000U, e.detail % 1000U);

	ASSERT(n > 0 && n < SMTP_ENHANCED_LEN);
}

/* What a stranger says goes into bounces, tables and logs: printable ASCII only. */
static void add_text(struct smtp_reply *r, struct str text)
{
	if (r->text_len > 0 && text.len > 0 && r->text_len < SMTP_REPLY_TEXT_MAX)
		r->text[r->text_len++] = ' ';
	for (size_t i = 0; i < text.len && r->text_len < SMTP_REPLY_TEXT_MAX; i++)
		r->text[r->text_len++] =
			text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
	r->text[r->text_len] = '\0';
}

/*
 * Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 */
int smtp_reply_line(struct smtp_reply *r, struct str line, struct str *rest)
{
	struct smtp_enhanced enhanced;
	struct str text = { line.p, 0 };
	uint16_t code;

	if (r->n_lines == SMTP_REPLY_LINES_MAX)
		return -EMSGSIZE;
	if (!parse_code(line, &code) || (r->n_lines > 0 && code != r->code) ||
	    (line.len > CODE_LEN && line.p[CODE_LEN] != ' ' && line.p[CODE_LEN] != '-'))
		return -EBADMSG;
	r->code = code;
	r->n_lines++;
	r->last = line.len == CODE_LEN || line.p[CODE_LEN] == ' ';
	if (line.len > CODE_LEN)
		text = (struct str){ line.p + CODE_LEN + 1, line.len - CODE_LEN - 1 };
	if (rest)
		*rest = text;
	enhanced = smtp_reply_enhanced(text, &text);
	/* RFC 2034 4: every line has the code; its class is that of the reply's. */
	if (r->n_lines == 1 && enhanced.class == code / 100)
		r->enhanced = enhanced;
	add_text(r, text);
	return r->last;
}
