#include "apps/mail/wire/enc_impl.h"

static const struct str names[] = {
	[ENC_7BIT] = STR("7bit"),     [ENC_8BIT] = STR("8bit"),
	[ENC_BINARY] = STR("binary"), [ENC_QP] = STR("quoted-printable"),
	[ENC_BASE64] = STR("base64"),
};

enum enc enc_of_name(struct str name)
{
	for (enum enc e = ENC_7BIT; e < ENC_OTHER; e++)
		if (str_eq_nocase(name, names[e]))
			return e;
	return ENC_OTHER;
}

struct str enc_name(enum enc e)
{
	return names[e == ENC_OTHER ? ENC_BINARY : e];
}

void enc_decode_init(struct enc_decoder *d, enum enc e)
{
	*d = (struct enc_decoder){ .enc = e };
}

static size_t copy(struct str in, char *out)
{
	if (in.len > 0)
		memcpy(out, in.p, in.len);
	return in.len;
}

size_t enc_decode(struct enc_decoder *d, struct str in, char *out)
{
	switch (d->enc) {
	case ENC_QP: return enc_qp_decode(d, in, out);
	case ENC_BASE64: return enc_b64_decode(d, in, out);
	case ENC_7BIT:
	case ENC_8BIT:
	case ENC_BINARY:
	case ENC_OTHER: break;
	}
	return copy(in, out);
}

size_t enc_decode_end(struct enc_decoder *d, char *out)
{
	switch (d->enc) {
	case ENC_QP: return enc_qp_decode_end(d, out);
	case ENC_BASE64: return enc_b64_decode_end(d, out);
	case ENC_7BIT:
	case ENC_8BIT:
	case ENC_BINARY:
	case ENC_OTHER: break;
	}
	return 0;
}

void enc_encode_init(struct enc_encoder *e, enum enc enc, bool is_text)
{
	*e = (struct enc_encoder){ .enc = enc, .is_text = is_text };
}

size_t enc_encode(struct enc_encoder *e, struct str in, char *out)
{
	switch (e->enc) {
	case ENC_QP: return enc_qp_encode(e, in, out);
	case ENC_BASE64: return enc_b64_encode(e, in, out);
	case ENC_7BIT:
	case ENC_8BIT:
	case ENC_BINARY:
	case ENC_OTHER: break;
	}
	return copy(in, out);
}

size_t enc_encode_end(struct enc_encoder *e, char *out)
{
	switch (e->enc) {
	case ENC_QP: return enc_qp_encode_end(e, out);
	case ENC_BASE64: return enc_b64_encode_end(e, out);
	case ENC_7BIT:
	case ENC_8BIT:
	case ENC_BINARY:
	case ENC_OTHER: break;
	}
	return 0;
}

void enc_survey_feed(struct enc_survey *s, struct str bytes)
{
	s->len += bytes.len;
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.p[i];
		bool ends_line = c == '\n' && s->after_cr;

		/* The CR of a line end was counted as if it were none. */
		s->line_len -= ends_line;
		if (s->line_len > s->longest_line)
			s->longest_line = s->line_len;
		s->has_bare |= (c == '\n') != s->after_cr;
		s->has_nul |= c == '\0';
		s->has_8bit |= (unsigned char)c > 127;
		s->n_escapes += c != '\r' && c != '\n' && enc_qp_escapes(c);
		s->after_cr = c == '\r';
		s->line_len = ends_line ? 0 : s->line_len + 1;
	}
}

enum enc enc_survey_best(const struct enc_survey *s, bool is_text, bool allow_8bit)
{
	uint64_t last = s->line_len, longest = s->longest_line;
	bool is_lines = !s->has_nul && !s->has_bare && !s->after_cr;

	if (last > longest)
		longest = last;
	if (is_lines && longest <= ENC_TEXT_LINE_MAX && (!s->has_8bit || allow_8bit))
		return s->has_8bit ? ENC_8BIT : ENC_7BIT;
	/* An escape costs two characters; base64 one for three bytes.  Bare line ends are
	 * not text that quoted-printable could show. */
	if (is_text && is_lines && s->n_escapes * 6 <= s->len)
		return ENC_QP;
	return ENC_BASE64;
}
