#include "tests/lib/tcp_line.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/byte.h"

static const char flag_letters[] = "FSRP.UEWA";

enum { ACE_SHIFT = 6, ACE_DIGITS = 8 }; /* ECE is its lowest bit */

/* ---- text to segment ---- */

struct in {
	const char *p;
	bool bad;
};

static void skip_space(struct in *in)
{
	while (*in->p == ' ')
		in->p++;
}

/* True, and reads it, when @word comes next. */
static bool take(struct in *in, const char *word)
{
	size_t len = strlen(word);

	skip_space(in);
	if (strncmp(in->p, word, len) != 0)
		return false;
	in->p += len;
	return true;
}

static void need(struct in *in, const char *word)
{
	if (!take(in, word))
		in->bad = true;
}

static uint32_t number(struct in *in)
{
	char *end;
	unsigned long v;

	skip_space(in);
	if (!isdigit((unsigned char)*in->p)) {
		in->bad = true;
		return 0;
	}
	v = strtoul(in->p, &end, 10);
	in->p = end;
	return (uint32_t)v;
}

static void put_option(struct tcp_line *l, const uint8_t *bytes, uint8_t len)
{
	if (l->options_len + len > sizeof(l->options))
		return;
	memcpy(l->options + l->options_len, bytes, len);
	l->options_len = (uint8_t)(l->options_len + len);
}

static void store32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static void timestamps(struct in *in, struct tcp_line *l, const struct tcp_bases *b)
{
	uint8_t bytes[10] = { 8, 10 };

	l->has_ts = true;
	if (!take(in, "val")) {
		l->any_ts = true;
		return;
	}
	l->ts_val = number(in) + b->ts_val;
	need(in, "ecr");
	l->ts_ecr = number(in) + b->ts_ecr;
	store32(bytes + 2, l->ts_val);
	store32(bytes + 6, l->ts_ecr);
	put_option(l, bytes, sizeof(bytes));
}

static void sack(struct in *in, struct tcp_line *l, const struct tcp_bases *b)
{
	uint8_t bytes[2 + 8 * TCP_LINE_SACKS] = { 5 };

	while (l->n_sack < TCP_LINE_SACKS) {
		uint32_t *block = l->sack[l->n_sack];

		skip_space(in);
		if (!isdigit((unsigned char)*in->p))
			break;
		block[0] = number(in) + b->sack;
		need(in, ":");
		block[1] = number(in) + b->sack;
		store32(bytes + 2 + 8 * l->n_sack, block[0]);
		store32(bytes + 6 + 8 * l->n_sack, block[1]);
		l->n_sack++;
	}
	bytes[1] = (uint8_t)(2 + 8 * l->n_sack);
	put_option(l, bytes, bytes[1]);
}

static unsigned hex_digit(char c)
{
	return isdigit((unsigned char)c) ?
		       (unsigned)(c - '0') :
		       (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* RFC 7413 4.1.1 and, as an experiment's option, RFC 6994 3.1. */
static void fast_open(struct in *in, struct tcp_line *l, bool experiment)
{
	uint8_t bytes[4 + TCP_LINE_COOKIE] = { 34, 2 };
	unsigned head = 2;

	if (experiment) {
		memcpy(bytes, (uint8_t[]){ 254, 4, 0xf9, 0x89 }, 4);
		head = 4;
	}
	l->has_fo = true;
	l->has_foexp = experiment;
	if (take(in, "cookie")) {
		l->any_fo = true;
		return;
	}
	skip_space(in);
	for (; isxdigit((unsigned char)in->p[0]) && l->fo_len < TCP_LINE_COOKIE;
	     in->p += 2) {
		if (!isxdigit((unsigned char)in->p[1])) {
			in->bad = true;
			return;
		}
		l->fo[l->fo_len++] =
			(uint8_t)(hex_digit(in->p[0]) << 4 | hex_digit(in->p[1]));
	}
	memcpy(bytes + head, l->fo, l->fo_len);
	bytes[1] = (uint8_t)(head + l->fo_len);
	put_option(l, bytes, bytes[1]);
}

/* RFC 9768 3.2.3 */
static void accecn(struct in *in, struct tcp_line *l, uint8_t kind)
{
	uint8_t bytes[11] = { kind, 2 };

	l->acc = kind;
	for (skip_space(in); isdigit((unsigned char)*in->p) && l->n_acc < 3;
	     skip_space(in)) {
		uint32_t v = number(in);
		uint8_t *at = bytes + bytes[1];

		l->count[l->n_acc++] = v;
		at[0] = (uint8_t)(v >> 16);
		at[1] = (uint8_t)(v >> 8);
		at[2] = (uint8_t)v;
		bytes[1] = (uint8_t)(bytes[1] + 3);
	}
	put_option(l, bytes, bytes[1]);
}

static void option(struct in *in, struct tcp_line *l, const struct tcp_bases *b)
{
	if (take(in, "nop")) {
		put_option(l, (uint8_t[]){ 1 }, 1);
	} else if (take(in, "mss")) {
		l->has_mss = true;
		l->mss = number(in);
		put_option(l,
			   (uint8_t[]){ 2, 4, (uint8_t)(l->mss >> 8), (uint8_t)l->mss },
			   4);
	} else if (take(in, "wscale")) {
		l->has_wscale = true;
		l->wscale = number(in);
		put_option(l, (uint8_t[]){ 3, 3, (uint8_t)l->wscale }, 3);
	} else if (take(in, "sackOK")) {
		l->has_sack_ok = true;
		put_option(l, (uint8_t[]){ 4, 2 }, 2);
	} else if (take(in, "TS")) {
		timestamps(in, l, b);
	} else if (take(in, "sack")) {
		sack(in, l, b);
	} else if (take(in, "ECN0")) {
		accecn(in, l, 172);
	} else if (take(in, "ECN1")) {
		accecn(in, l, 174);
	} else if (take(in, "FOEXP")) {
		fast_open(in, l, true);
	} else if (take(in, "FO")) {
		fast_open(in, l, false);
	} else {
		in->bad = true;
	}
}

static void options(struct in *in, struct tcp_line *l, const struct tcp_bases *b)
{
	l->has_options = true;
	if (take(in, ">"))
		return;
	do
		option(in, l, b);
	while (!in->bad && take(in, ","));
	need(in, ">");
	while (l->options_len % 4)
		put_option(l, (uint8_t[]){ 0 }, 1);
}

static void flags(struct in *in, struct tcp_line *l)
{
	const char *letter;

	skip_space(in);
	for (; *in->p && *in->p != ' '; in->p++) {
		if (isdigit((unsigned char)*in->p) && *in->p < '0' + ACE_DIGITS) {
			l->flags |= (uint16_t)((*in->p - '0') << ACE_SHIFT);
			continue;
		}
		letter = strchr(flag_letters, *in->p);
		if (!letter) {
			in->bad = true;
			return;
		}
		l->flags |= (uint16_t)(1 << (letter - flag_letters));
	}
}

bool tcp_line_parse(struct tcp_line *l, const char *text, const struct tcp_bases *b,
		    const char **bad)
{
	struct in in = { .p = text };
	uint32_t end;

	*l = (struct tcp_line){ 0 };
	flags(&in, l);
	l->seq = number(&in) + b->seq;
	need(&in, ":");
	end = number(&in) + b->seq;
	need(&in, "(");
	l->len = number(&in);
	need(&in, ")");
	if (end != l->seq + l->len)
		in.bad = true;
	if (take(&in, "ack")) {
		l->has_ack = true;
		l->ack = number(&in) + b->ack;
	}
	if (take(&in, "win")) {
		l->has_win = true;
		l->win = number(&in);
	}
	if (take(&in, "urg")) {
		l->has_urgent = true;
		l->urgent = number(&in);
	}
	if (take(&in, "<"))
		options(&in, l, b);
	skip_space(&in);
	*bad = in.p;
	return !in.bad && !*in.p;
}

/* ---- bytes to segment ---- */

static void read_option(struct tcp_line *l, const uint8_t *o)
{
	switch (o[0]) {
	case 1: break;
	case 2:
		l->has_mss = true;
		l->mss = be16(o + 2);
		break;
	case 3:
		l->has_wscale = true;
		l->wscale = o[2];
		break;
	case 4: l->has_sack_ok = true; break;
	case 5:
		for (; l->n_sack < TCP_LINE_SACKS && 2 + 8 * l->n_sack < o[1];
		     l->n_sack++) {
			l->sack[l->n_sack][0] = be32(o + 2 + 8 * l->n_sack);
			l->sack[l->n_sack][1] = be32(o + 6 + 8 * l->n_sack);
		}
		break;
	case 8:
		l->has_ts = true;
		l->ts_val = be32(o + 2);
		l->ts_ecr = be32(o + 6);
		break;
	case 172:
	case 174:
		l->acc = o[0];
		for (; l->n_acc < 3 && 5 + 3 * l->n_acc <= o[1]; l->n_acc++)
			l->count[l->n_acc] = be32(o + 1 + 3 * l->n_acc) & 0xffffff;
		break;
	case 34:
		l->has_fo = true;
		l->fo_len = (uint8_t)(o[1] - 2);
		break;
	case 254:
		if (o[1] >= 4 && be16(o + 2) == 0xf989) {
			l->has_fo = l->has_foexp = true;
			l->fo_len = (uint8_t)(o[1] - 4);
			break;
		}
		l->unknown = o[0];
		break;
	default: l->unknown = o[0]; break;
	}
	if (l->fo_len > TCP_LINE_COOKIE)
		l->unknown = o[0];
	else if (o[0] == 34 || o[0] == 254)
		memcpy(l->fo, o + o[1] - l->fo_len, l->fo_len);
}

bool tcp_line_read(struct tcp_line *l, const uint8_t *h, uint32_t total_len)
{
	uint32_t header_len;

	if (total_len < 20)
		return false;
	header_len = (uint32_t)(h[12] >> 4) * 4;
	if (header_len < 20 || header_len > total_len)
		return false;
	*l = (struct tcp_line){
		.flags = be16(h + 12) & 0x1ff,
		.seq = be32(h + 4),
		.len = total_len - header_len,
		.ack = be32(h + 8),
		.win = be16(h + 14),
		.urgent = be16(h + 18),
		.has_ack = h[13] & 16,
		.has_win = true,
		.has_urgent = h[13] & 32,
		.has_options = true,
	};
	for (uint32_t at = 20; at < header_len && h[at];) {
		uint8_t len = h[at] == 1 ? 1 : h[at + 1];

		if (len == 0 || at + len > header_len)
			return false;
		read_option(l, h + at);
		at += len;
	}
	return true;
}

/* ---- comparing and showing ---- */

static bool same_options(const struct tcp_line *want, const struct tcp_line *got)
{
	if (want->has_mss != got->has_mss || want->mss != got->mss ||
	    want->has_wscale != got->has_wscale || want->wscale != got->wscale ||
	    want->has_sack_ok != got->has_sack_ok || want->has_ts != got->has_ts ||
	    want->n_sack != got->n_sack ||
	    memcmp(want->sack, got->sack, sizeof(want->sack)) != 0 ||
	    want->acc != got->acc || want->n_acc != got->n_acc ||
	    memcmp(want->count, got->count, sizeof(want->count)) != 0 ||
	    want->has_fo != got->has_fo || want->has_foexp != got->has_foexp ||
	    got->unknown)
		return false;
	if (!want->any_fo && (want->fo_len != got->fo_len ||
			      memcmp(want->fo, got->fo, sizeof(want->fo)) != 0))
		return false;
	return want->any_ts ||
	       (want->ts_val == got->ts_val && want->ts_ecr == got->ts_ecr);
}

bool tcp_line_matches(const struct tcp_line *want, const struct tcp_line *got)
{
	return want->flags == got->flags && want->seq == got->seq &&
	       want->len == got->len && (!want->has_ack || want->ack == got->ack) &&
	       (!want->has_win || want->win == got->win) &&
	       (!want->has_urgent || want->urgent == got->urgent) &&
	       (!want->has_options || same_options(want, got));
}

struct out {
	char *p;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void say(struct out *o, const char *format,
						      ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(o->p, o->left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->left)
		return;
	o->p += n;
	o->left -= (size_t)n;
}

static void say_options(struct out *o, const struct tcp_line *l,
			const struct tcp_bases *b)
{
	const char *comma = "";

	say(o, " <");
	if (l->has_mss)
		say(o, "mss %u", l->mss), comma = ",";
	if (l->has_sack_ok)
		say(o, "%ssackOK", comma), comma = ",";
	if (l->has_ts && l->any_ts)
		say(o, "%sTS", comma), comma = ",";
	else if (l->has_ts)
		say(o, "%sTS val %u ecr %u", comma, l->ts_val - b->ts_val,
		    l->ts_ecr - b->ts_ecr),
			comma = ",";
	if (l->has_wscale)
		say(o, "%swscale %u", comma, l->wscale), comma = ",";
	if (l->n_sack)
		say(o, "%ssack", comma);
	for (unsigned i = 0; i < l->n_sack; i++)
		say(o, " %u:%u", l->sack[i][0] - b->sack, l->sack[i][1] - b->sack);
	if (l->n_sack)
		comma = ",";
	if (l->acc)
		say(o, "%sECN%u", comma, l->acc == 174), comma = ",";
	for (unsigned i = 0; i < l->n_acc; i++)
		say(o, " %u", l->count[i]);
	if (l->has_fo)
		say(o, l->has_foexp ? "%sFOEXP " : "%sFO ", comma), comma = ",";
	for (unsigned i = 0; i < l->fo_len; i++)
		say(o, "%02x", l->fo[i]);
	if (l->unknown)
		say(o, "%skind %u", comma, l->unknown);
	say(o, ">");
}

const char *tcp_line_text(const struct tcp_line *l, const struct tcp_bases *b,
			  char out[static TCP_LINE_LEN])
{
	struct out o = { out, TCP_LINE_LEN };
	uint32_t seq = l->seq - b->seq;

	for (unsigned i = 0; flag_letters[i]; i++)
		if (l->flags & 1 << i)
			say(&o, "%c", flag_letters[i]);
	say(&o, " %u:%u(%u)", seq, seq + l->len, l->len);
	if (l->has_ack)
		say(&o, " ack %u", l->ack - b->ack);
	if (l->has_win)
		say(&o, " win %u", l->win);
	if (l->has_urgent)
		say(&o, " urg %u", l->urgent);
	if (l->has_options)
		say_options(&o, l, b);
	return out;
}
