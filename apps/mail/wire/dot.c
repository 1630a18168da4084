#include "apps/mail/wire/dot.h"

void dot_decode_init(struct dot_decoder *d)
{
	*d = (struct dot_decoder){ .state = DOT_START };
}

static void fault(struct dot_decoder *d, enum dot_fault f)
{
	if (d->fault == DOT_FINE)
		d->fault = f;
}

/* A byte that begins or goes on a line: where to, and what is wrong with it there. */
static enum dot_state text_byte(struct dot_decoder *d, char c)
{
	if (c == '\r')
		return DOT_CR;
	if (c == '\n')
		fault(d, DOT_BARE_LF);
	else if (c == '\0')
		fault(d, DOT_NUL);
	return DOT_TEXT;
}

/* One arrow of the picture in dot.h.  True when @c is a byte of the message. */
static bool step(struct dot_decoder *d, char c)
{
	switch (d->state) {
	case DOT_START: d->state = c == '.' ? DOT_DOT : text_byte(d, c); return c != '.';
	case DOT_DOT:
		d->state = c == '\r' ? DOT_DOT_CR : text_byte(d, c);
		return c != '\r';
	case DOT_DOT_CR:
	case DOT_CR:
		if (c == '\n') {
			bool is_text = d->state == DOT_CR;

			d->state = is_text ? DOT_START : DOT_END;
			return is_text;
		}
		fault(d, DOT_BARE_CR);
		d->state = text_byte(d, c);
		return true;
	case DOT_TEXT: d->state = text_byte(d, c); return true;
	case DOT_END: return false;
	}
	return false;
}

/* The bytes before the next one that needs a look, inside a line. */
static size_t plain_run(const char *p, size_t len)
{
	const char *stop = memchr(p, '\r', len);

	if (stop)
		len = (size_t)(stop - p);
	stop = memchr(p, '\n', len);
	if (stop)
		len = (size_t)(stop - p);
	stop = memchr(p, '\0', len);
	return stop ? (size_t)(stop - p) : len;
}

size_t dot_decode(struct dot_decoder *d, struct str in, char *out, size_t *n_out)
{
	size_t at = 0, n = 0;

	while (at < in.len && d->state != DOT_END) {
		bool is_text;

		if (d->state == DOT_TEXT) {
			size_t run = plain_run(in.p + at, in.len - at);

			if (out && d->fault == DOT_FINE) {
				memcpy(out + n, in.p + at, run);
				n += run;
			}
			at += run;
			if (at == in.len)
				break;
		}
		is_text = step(d, in.p[at]);
		if (is_text && out && d->fault == DOT_FINE)
			out[n++] = in.p[at];
		at++;
	}
	*n_out = n;
	return at;
}

void dot_encode_init(struct dot_encoder *e)
{
	*e = (struct dot_encoder){ .at_start = true };
}

/* The byte at @i begins a line. */
static bool begins_line(const struct dot_encoder *e, struct str in, size_t i)
{
	if (i == 0)
		return e->at_start;
	if (in.p[i - 1] != '\n')
		return false;
	return i == 1 ? e->after_cr : in.p[i - 2] == '\r';
}

/* Dots are rare in mail, and in base64 there are none: look for them, not for lines. */
static size_t next_dot(const struct dot_encoder *e, struct str in, size_t from)
{
	while (from < in.len) {
		const char *dot = memchr(in.p + from, '.', in.len - from);

		if (!dot)
			break;
		from = (size_t)(dot - in.p);
		if (begins_line(e, in, from))
			return from;
		from++;
	}
	return in.len;
}

bool dot_encode(struct dot_encoder *e, struct str *in, struct str *piece)
{
	bool was_after_cr;
	size_t n;

	if (in->len == 0)
		return false;
	n = next_dot(e, *in, e->stuffed ? 1 : 0);
	if (n == 0) {
		e->stuffed = true;
		*piece = STR(".");
		return true;
	}
	*piece = (struct str){ in->p, n };
	was_after_cr = n == 1 ? e->after_cr : in->p[n - 2] == '\r';
	e->at_start = in->p[n - 1] == '\n' && was_after_cr;
	e->after_cr = in->p[n - 1] == '\r';
	e->stuffed = false;
	in->p += n;
	in->len -= n;
	return true;
}

struct str dot_encode_end(const struct dot_encoder *e)
{
	return e->at_start ? STR(".\r\n") : STR("\r\n.\r\n");
}
