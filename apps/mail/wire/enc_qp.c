/*
 * Quoted-printable (RFC 2045 6.7): a byte is itself or "=" and two hexadecimal digits;
 * "=" at the end of a line joins it with the next; blanks at the end of a line were put
 * there by somebody on the way and are no part of the text.
 *
 * The decoder, with what walks each arrow; any other character there is no escape, and
 * what was read of it stands as it is:
 *
 *	TEXT --"="--> ESCAPE --digit--> DIGIT --digit--> TEXT
 *	  ^              | \--blank--> BLANKS --blank--> BLANKS
 *	  |              CR               |
 *	  |              v                CR
 *	  +-----LF----- CR <--------------+
 *
 * An LF without CR ends a line too.
 */
#include "apps/mail/wire/enc_impl.h"

#include "stack/base/check.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Stands for itself, and says nothing about what is around it. */
static bool is_plain(char c)
{
	return c > ' ' && c < 127 && c != '=';
}

bool enc_qp_escapes(char c)
{
	return !is_plain(c) && !is_blank(c);
}

/* The blanks held back were not at the end of a line. */
static size_t give_held(struct enc_decoder *d, char *out)
{
	size_t n = d->n_held;

	memcpy(out, d->held, n);
	d->n_held = 0;
	return n;
}

static void hold(struct enc_decoder *d, char c)
{
	d->held[d->n_held++] = c;
}

static size_t text_char(struct enc_decoder *d, char c, char *out)
{
	size_t n = 0;

	if (c == '\r' || c == '\n') {
		if (d->n_held > 0)
			d->odd |= ENC_ODD_BLANKS;
		d->n_held = 0;
		if (c == '\n')
			d->line_len = 0;
		out[0] = c;
		return 1;
	}
	if (d->n_held == ENC_LINE_MAX || !is_blank(c))
		n = give_held(d, out);
	if (is_blank(c)) {
		hold(d, c);
		return n;
	}
	if (c == '=') {
		d->qp = ENC_QP_ESCAPE;
		return n;
	}
	if (!is_plain(c))
		d->odd |= ENC_ODD_CHAR;
	out[n] = c;
	return n + 1;
}

static size_t no_escape(struct enc_decoder *d, char c, char *out)
{
	size_t n;

	d->odd |= ENC_ODD_ESCAPE;
	d->qp = ENC_QP_TEXT;
	out[0] = '=';
	n = 1 + give_held(d, out + 1);
	return n + text_char(d, c, out + n);
}

static size_t escape_char(struct enc_decoder *d, char c, char *out)
{
	if (c == '\r') {
		d->qp = ENC_QP_CR;
		return 0;
	}
	if (c == '\n') {
		d->qp = ENC_QP_TEXT;
		d->n_held = 0;
		d->line_len = 0;
		return 0;
	}
	if (is_blank(c) && d->n_held < ENC_LINE_MAX) {
		d->qp = ENC_QP_BLANKS;
		d->odd |= ENC_ODD_BLANKS;
		hold(d, c);
		return 0;
	}
	if (d->qp == ENC_QP_ESCAPE && digit(c) >= 0) {
		d->qp = ENC_QP_DIGIT;
		hold(d, c);
		return 0;
	}
	return no_escape(d, c, out);
}

static size_t second_digit(struct enc_decoder *d, char c, char *out)
{
	char first = d->held[0];

	if (digit(c) < 0)
		return no_escape(d, c, out);
	/* RFC 2045 6.7 (1): lower case is wrong, and read all the same. */
	if (first >= 'a' || c >= 'a')
		d->odd |= ENC_ODD_CASE;
	out[0] = (char)(digit(first) << 4 | digit(c));
	d->n_held = 0;
	d->qp = ENC_QP_TEXT;
	return 1;
}

static size_t after_soft_cr(struct enc_decoder *d, char c, char *out)
{
	d->qp = ENC_QP_TEXT;
	d->n_held = 0;
	d->line_len = 0;
	if (c == '\n')
		return 0;
	d->odd |= ENC_ODD_ESCAPE;
	return text_char(d, c, out);
}

static size_t decode_char(struct enc_decoder *d, char c, char *out)
{
	if (c != '\r' && c != '\n' && ++d->line_len > ENC_LINE_MAX)
		d->odd |= ENC_ODD_LONG_LINE;
	switch (d->qp) {
	case ENC_QP_TEXT: return text_char(d, c, out);
	case ENC_QP_ESCAPE:
	case ENC_QP_BLANKS: return escape_char(d, c, out);
	case ENC_QP_DIGIT: return second_digit(d, c, out);
	case ENC_QP_CR: return after_soft_cr(d, c, out);
	}
	return 0;
}

static size_t plain_run(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_plain(p[n]))
		n++;
	return n;
}

size_t enc_qp_decode(struct enc_decoder *d, struct str in, char *out)
{
	size_t at = 0, n = 0;

	while (at < in.len) {
		if (d->qp == ENC_QP_TEXT && is_plain(in.p[at])) {
			size_t run = plain_run(in.p + at, in.len - at);

			n += give_held(d, out + n);
			memcpy(out + n, in.p + at, run);
			d->line_len += run;
			if (d->line_len > ENC_LINE_MAX)
				d->odd |= ENC_ODD_LONG_LINE;
			n += run;
			at += run;
			continue;
		}
		n += decode_char(d, in.p[at++], out + n);
	}
	return n;
}

size_t enc_qp_decode_end(struct enc_decoder *d, char *out)
{
	size_t n = 0;

	if (d->qp != ENC_QP_TEXT)
		d->odd |= ENC_ODD_END;
	if (d->qp == ENC_QP_DIGIT) {
		out[0] = '=';
		out[1] = d->held[0];
		n = 2;
	}
	d->n_held = 0;
	d->qp = ENC_QP_TEXT;
	return n;
}

/* @n characters that must stay together, behind a soft line break where needed. */
static size_t put(struct enc_encoder *e, const char *unit, size_t n, char *out)
{
	size_t at = 0;

	/* RFC 2045 6.7 (5): 76 characters, with the "=" that may still have to come. */
	if (e->line_len + n > ENC_LINE_MAX - 1) {
		memcpy(out, "=\r\n", 3);
		at = 3;
		e->line_len = 0;
	}
	memcpy(out + at, unit, n);
	e->line_len += n;
	return at + n;
}

static size_t put_escape(struct enc_encoder *e, char c, char *out)
{
	static const char digits[16] = "0123456789ABCDEF";
	char unit[3] = { '=', digits[(unsigned char)c >> 4],
			 digits[(unsigned char)c & 15] };

	return put(e, unit, sizeof(unit), out);
}

/* A blank or a CR was held: it was no end of a line. */
static size_t put_held(struct enc_encoder *e, char *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < e->n_held; i++)
		n += is_blank(e->held[i]) ? put(e, &e->held[i], 1, out + n) :
					    put_escape(e, e->held[i], out + n);
	e->n_held = 0;
	return n;
}

/* CRLF: blanks before it must be escaped. */
static size_t put_line_end(struct enc_encoder *e, char *out)
{
	size_t n = e->n_held == 2 ? put_escape(e, e->held[0], out) : 0;

	memcpy(out + n, "\r\n", 2);
	e->n_held = 0;
	e->line_len = 0;
	return n + 2;
}

static size_t encode_char(struct enc_encoder *e, char c, char *out)
{
	bool holds_cr = e->n_held > 0 && e->held[e->n_held - 1] == '\r';
	size_t n;

	if (c == '\n' && holds_cr)
		return put_line_end(e, out);
	if (e->is_text && c == '\r' && !holds_cr) {
		e->held[e->n_held++] = c;
		return 0;
	}
	n = put_held(e, out);
	if (is_blank(c) || (e->is_text && c == '\r')) {
		e->held[e->n_held++] = c;
		return n;
	}
	/* A dot alone on a line ends mail on some ways. */
	if (!is_plain(c) || (c == '.' && e->line_len == 0))
		return n + put_escape(e, c, out + n);
	return n + put(e, &c, 1, out + n);
}

size_t enc_qp_encode(struct enc_encoder *e, struct str in, char *out)
{
	size_t n = 0;

	for (size_t at = 0; at < in.len; at++)
		n += encode_char(e, in.p[at], out + n);
	return n;
}

size_t enc_qp_encode_end(struct enc_encoder *e, char *out)
{
	size_t n = 0;

	/* What comes behind may be a line end. */
	for (unsigned i = 0; i < e->n_held; i++)
		n += put_escape(e, e->held[i], out + n);
	e->n_held = 0;
	return n;
}
