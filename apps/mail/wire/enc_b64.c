/*
 * Base64 in pieces (RFC 2045 6.8).  The inner loops of enc_b64_loops.c take the runs of
 * whole groups, here are the ends of lines, of pieces, and of the body.
 */
#include "apps/mail/wire/enc_impl.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Gives the whole bytes of a group that is not full. */
static size_t end_group(struct enc_decoder *d, char *out)
{
	size_t n = 0;

	for (unsigned left = d->n_bits; left >= 8; left -= 8)
		out[n++] = (char)(d->bits >> (left - 8));
	d->bits = 0;
	d->n_bits = 0;
	return n;
}

static size_t padding(struct enc_decoder *d, char *out)
{
	d->padded = true;
	if (d->n_bits >= 12) {
		d->n_pads = d->n_bits == 12;
		return end_group(d, out);
	}
	if (d->n_bits == 0 && d->n_pads > 0) {
		d->n_pads--;
		return 0;
	}
	d->odd |= ENC_ODD_PADDING;
	return end_group(d, out);
}

/* A letter, when the loops do not take it. */
static size_t letter(struct enc_decoder *d, unsigned value, char *out)
{
	if (d->padded) {
		d->odd |= ENC_ODD_AFTER;
		if (d->n_pads > 0)
			d->odd |= ENC_ODD_PADDING;
		d->padded = false;
		d->n_pads = 0;
	}
	d->bits = d->bits << 6 | value;
	d->n_bits = (uint8_t)(d->n_bits + 6);
	return d->n_bits == 24 ? end_group(d, out) : 0;
}

static size_t decode_char(struct enc_decoder *d, char c, char *out)
{
	int value = value_of(c);

	if (c == '\n') {
		d->line_len = 0;
		return 0;
	}
	if (c == '\r')
		return 0;
	if (++d->line_len > ENC_LINE_MAX)
		d->odd |= ENC_ODD_LONG_LINE;
	if (value >= 0)
		return letter(d, (unsigned)value, out);
	if (c == '=')
		return padding(d, out);
	/* RFC 2045 6.8: what is no letter is passed over.  Blanks are no reason to warn. */
	if (c != ' ' && c != '\t')
		d->odd |= ENC_ODD_CHAR;
	return 0;
}

size_t enc_b64_decode(struct enc_decoder *d, struct str in, char *out)
{
	const struct enc_b64_loops *loops = enc_b64_best();
	size_t at = 0, n = 0;

	while (at < in.len) {
		size_t used = 0;

		if (d->n_bits == 0 && !d->padded) {
			n += loops->decode((struct str){ in.p + at, in.len - at }, &used,
					   out + n);
			at += used;
			d->line_len += used;
			if (d->line_len > ENC_LINE_MAX)
				d->odd |= ENC_ODD_LONG_LINE;
		}
		/* What stopped it, up to where a group begins again. */
		while (at < in.len) {
			n += decode_char(d, in.p[at++], out + n);
			if (d->n_bits == 0 && at < in.len && value_of(in.p[at]) >= 0)
				break;
		}
	}
	return n;
}

size_t enc_b64_decode_end(struct enc_decoder *d, char *out)
{
	if (d->n_bits > 0 || d->n_pads > 0)
		d->odd |= ENC_ODD_PADDING;
	return end_group(d, out);
}

size_t enc_b64_block(struct str in, char *out)
{
	const struct enc_b64_loops *loops = enc_b64_loops(0);
	size_t whole = in.len / 3 * 3, left = in.len - whole, n = in.len / 3 * 4;
	char last[3] = { 0 };

	/* The plain loop writes no byte too far, and blocks are short. */
	loops->encode(in.p, whole, in.p + in.len, out);
	if (left == 0)
		return n;
	memcpy(last, in.p + whole, left);
	loops->encode(last, 3, last + 3, out + n);
	memset(out + n + 1 + left, '=', 3 - left);
	return n + 4;
}

/* One full line. */
static size_t encode_line(const struct enc_b64_loops *loops, const char *in,
			  const char *end, char *out)
{
	size_t done = loops->encode(in, ENC_LINE_BYTES, end, out);

	enc_b64_block((struct str){ in + done, ENC_LINE_BYTES - done },
		      out + done / 3 * 4);
	memcpy(out + ENC_LINE_MAX, "\r\n", 2);
	return ENC_LINE_MAX + 2;
}

size_t enc_b64_encode(struct enc_encoder *e, struct str in, char *out)
{
	const struct enc_b64_loops *loops = enc_b64_best();
	size_t at = 0, n = 0;

	if (e->n_held > 0) {
		at = ENC_LINE_BYTES - (size_t)e->n_held;
		if (at > in.len)
			at = in.len;
		if (at > 0)
			memcpy(e->held + e->n_held, in.p, at);
		e->n_held = (uint8_t)(e->n_held + at);
		if (e->n_held < ENC_LINE_BYTES)
			return 0;
		n = encode_line(loops, e->held, e->held + ENC_LINE_BYTES, out);
		e->n_held = 0;
	}
	for (; in.len - at >= ENC_LINE_BYTES; at += ENC_LINE_BYTES)
		n += encode_line(loops, in.p + at, in.p + in.len, out + n);
	e->n_held = (uint8_t)(in.len - at);
	if (e->n_held > 0)
		memcpy(e->held, in.p + at, e->n_held);
	return n;
}

size_t enc_b64_encode_end(struct enc_encoder *e, char *out)
{
	size_t n;

	if (e->n_held == 0)
		return 0;
	n = enc_b64_block((struct str){ e->held, e->n_held }, out);
	memcpy(out + n, "\r\n", 2);
	e->n_held = 0;
	return n + 2;
}
