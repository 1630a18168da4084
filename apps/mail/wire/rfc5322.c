#include "apps/mail/wire/rfc5322.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

void rfc5322_scan_init(struct rfc5322_scan *s, const struct rfc5322_limits *limits)
{
	*s = (struct rfc5322_scan){ .limits = *limits, .where = RFC5322_LINE };
}

/* Names that we look for. */
enum { RECEIVED, DATE, MESSAGE_ID, LOOP, N_NAMES };

enum { MARK_DIGITS = 16 };

static const struct str names[N_NAMES] = {
	[RECEIVED] = { "received", 8 },
	[DATE] = { "date", 4 },
	[MESSAGE_ID] = { "message-id", 10 },
	[LOOP] = { "x-loop", 6 },
};

/* ftext = %d33-57 / %d59-126 (RFC 5322 3.6.8) */
static bool is_ftext(char c)
{
	return c >= 33 && c <= 126 && c != ':';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void match_name(struct rfc5322_scan *s, char c)
{
	char low = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);

	if (s->may_be == 0)
		return;
	for (size_t i = 0; i < N_NAMES; i++)
		if (s->name_len >= names[i].len || names[i].p[s->name_len] != low)
			s->may_be &= (uint8_t) ~(1U << i);
	s->name_len++;
}

static bool is_name(const struct rfc5322_scan *s, unsigned i)
{
	return (s->may_be >> i & 1) && s->name_len == names[i].len;
}

static enum rfc5322_where line_begins(struct rfc5322_scan *s, char c)
{
	s->name_len = 0;
	s->may_be = (1 << N_NAMES) - 1;
	if (c == '\r')
		return RFC5322_EMPTY;
	if (is_blank(c))
		return s->n_fields > 0 ? RFC5322_TEXT : RFC5322_BODY;
	if (!is_ftext(c))
		return RFC5322_BODY;
	match_name(s, c);
	return RFC5322_NAME;
}

static enum rfc5322_where field_begins(struct rfc5322_scan *s)
{
	s->n_received += is_name(s, RECEIVED);
	s->has_date |= is_name(s, DATE);
	s->has_message_id |= is_name(s, MESSAGE_ID);
	if (++s->n_fields > s->limits.n_fields)
		s->fault = RFC5322_TOO_MANY_FIELDS;
	else if (s->n_received > s->limits.n_received)
		s->fault = RFC5322_TOO_MANY_HOPS;
	s->n_digits = 0;
	s->mark = 0;
	return is_name(s, LOOP) ? RFC5322_MARK : RFC5322_TEXT;
}

static enum rfc5322_where mark_goes_on(struct rfc5322_scan *s, char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (is_blank(c) && s->n_digits == 0)
		return RFC5322_MARK;
	if (at && s->n_digits < MARK_DIGITS) {
		s->mark = s->mark << 4 | (uint64_t)(at - digits);
		s->n_digits++;
		return RFC5322_MARK;
	}
	if (c == '@' && s->n_digits == MARK_DIGITS && s->n_loops < RFC5322_LOOPS_MAX)
		s->loops[s->n_loops++] = s->mark;
	return RFC5322_TEXT;
}

static enum rfc5322_where name_goes_on(struct rfc5322_scan *s, char c)
{
	if (c == ':')
		return field_begins(s);
	if (is_blank(c))
		return RFC5322_SPACE;
	if (s->where == RFC5322_SPACE || !is_ftext(c))
		return RFC5322_BODY;
	match_name(s, c);
	return RFC5322_NAME;
}

/* One byte that is not in the run of a TEXT. */
static void scan_byte(struct rfc5322_scan *s, char c)
{
	switch (s->where) {
	case RFC5322_LINE: s->where = line_begins(s, c); break;
	case RFC5322_NAME:
	case RFC5322_SPACE: s->where = name_goes_on(s, c); break;
	case RFC5322_MARK: s->where = mark_goes_on(s, c); break;
	case RFC5322_EMPTY: s->where = RFC5322_BODY; break;
	case RFC5322_TEXT:
	case RFC5322_BODY: break;
	}
}

static void count(struct rfc5322_scan *s, size_t n)
{
	s->header_len += n;
	s->line_len += n;
	if (s->fault == RFC5322_FINE &&
	    (s->header_len > s->limits.header_len || s->line_len > s->limits.line_len))
		s->fault = RFC5322_TOO_LONG;
}

void rfc5322_scan_feed(struct rfc5322_scan *s, struct str bytes)
{
	size_t at = 0;

	while (at < bytes.len && s->where != RFC5322_BODY && s->fault == RFC5322_FINE) {
		const char *lf;
		size_t run;

		if (s->where != RFC5322_TEXT) {
			scan_byte(s, bytes.p[at++]);
			count(s, 1);
			continue;
		}
		lf = memchr(bytes.p + at, '\n', bytes.len - at);
		run = lf ? (size_t)(lf + 1 - bytes.p) - at : bytes.len - at;
		count(s, run);
		at += run;
		if (lf) {
			s->where = RFC5322_LINE;
			s->line_len = 0;
		}
	}
}

size_t rfc5322_loop(uint64_t mark, struct str host, char out[static RFC5322_LOOP_LEN])
{
	int n = snprintf(out, RFC5322_LOOP_LEN, "X-Loop: %016" PRIx64 "@%.*s\r\n", mark,
			 (int)host.len, host.p);

	ASSERT(n < RFC5322_LOOP_LEN);
	return (size_t)n;
}

bool rfc5322_scan_has_loop(const struct rfc5322_scan *s, uint64_t mark)
{
	for (size_t i = 0; i < s->n_loops; i++)
		if (s->loops[i] == mark)
			return true;
	return false;
}

void rfc5322_top_init(struct rfc5322_top *top, uint64_t n_lines)
{
	*top = (struct rfc5322_top){ .n_lines = n_lines };
}

/* A line ended before @next.  True: it was the last to be shown. */
static bool end_line(struct rfc5322_top *top, size_t next)
{
	bool is_empty = next - top->line == 2;

	top->line = top->len = next;
	if (top->in_body)
		return --top->n_lines == 0;
	top->in_body = is_empty;
	return is_empty && top->n_lines == 0;
}

bool rfc5322_top_feed(struct rfc5322_top *top, struct str message, size_t n)
{
	size_t end = message.len - top->len > n ? top->len + n : message.len;

	while (top->len < end) {
		const char *from = message.p + top->len;
		const char *lf = memchr(from, '\n', end - top->len);
		size_t at = lf ? (size_t)(lf - message.p) : end;

		if (!lf || at == top->line || lf[-1] != '\r')
			top->len = lf ? at + 1 : end; /* only CRLF ends a line */
		else if (end_line(top, at + 1))
			return true;
	}
	return end == message.len;
}

size_t rfc5322_top_len(struct str message, uint64_t n_lines)
{
	struct rfc5322_top top;

	rfc5322_top_init(&top, n_lines);
	(void)rfc5322_top_feed(&top, message, SIZE_MAX);
	return top.len;
}

struct date {
	unsigned year, month, day; /* month and day from 1 */
};

/*
 * Days since 1 January 1970 to a date.  Years are counted from March, so that the day
 * a leap year has more is its last; 400 of them have 146,097 days.
 */
static struct date date_of_days(uint64_t days)
{
	uint64_t from_march_0 = days + 719468;
	uint64_t era = from_march_0 / 146097;
	unsigned day_of_era = (unsigned)(from_march_0 % 146097);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				day_of_era / 146096) /
			       365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153; /* from March, 0 to 11 */
	struct date d = {
		.year = (unsigned)(era * 400) + year_of_era + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};

	return d;
}

size_t rfc5322_date(uint64_t seconds_since_1970, char out[static RFC5322_DATE_LEN])
{
	static const char day_names[7][4] = { "Thu", "Fri", "Sat", "Sun",
					      "Mon", "Tue", "Wed" };
	static const char month_names[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	const uint64_t last = UINT64_C(253402300799); /* of the year 9999 */
	uint64_t s = seconds_since_1970 < last ? seconds_since_1970 : last;
	struct date d = date_of_days(s / 86400);
	unsigned of_day = (unsigned)(s % 86400);
	int n = snprintf(out, RFC5322_DATE_LEN, "%s, %u %s %04u %02u:%02u:%02u +0000",
			 day_names[s / 86400 % 7], d.day, month_names[d.month - 1],
			 d.year, of_day / 3600, of_day / 60 % 60, of_day % 60);

	ASSERT(n > 0 && n < RFC5322_DATE_LEN);
	return (size_t)n;
}

/*
 * Time-stamp-line = "Received:" FWS Stamp
 * Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
 * From-domain = "FROM" FWS Extended-Domain
 * Extended-Domain = Domain / ( ( Domain / address-literal ) FWS "(" TCP-info ")" )
 * TCP-info = address-literal / ( Domain FWS address-literal )
 * Opt-info = [Via] [With] [ID] [For]
 *
 * Without an address there is no TCP-info, but a comment.
 */
size_t rfc5322_received(const struct rfc5322_received *r,
			char out[static RFC5322_RECEIVED_LEN])
{
	bool is_user = str_starts_nocase(r->from_addr, STR("uid:"));
	bool is_ip6 = !is_user && r->from_addr.len > 0 &&
		      memchr(r->from_addr.p, ':', r->from_addr.len) != NULL;
	bool has_for = r->for_addr.len > 0;
	char date[RFC5322_DATE_LEN];
	int n;

	rfc5322_date(r->date_s, date);
	n = snprintf(out, RFC5322_RECEIVED_LEN,
		     "Received: from %.*s (%s%s%.*s%s)\r\n"
		     "\tby %.*s with %s%s%s id %.*s%s%.*s%s;\r\n"
		     "\t%s\r\n",
		     (int)r->helo.len, r->helo.p, is_user ? "" : "[",
		     is_ip6 ? "IPv6:" : "", (int)r->from_addr.len, r->from_addr.p,
		     is_user ? "" : "]", (int)r->by.len, r->by.p,
		     r->is_esmtp ? "ESMTP" : "SMTP", r->is_esmtp && r->is_tls ? "S" : "",
		     r->is_esmtp && r->is_auth ? "A" : "", (int)r->id.len, r->id.p,
		     has_for ? "\r\n\tfor <" : "", (int)r->for_addr.len, r->for_addr.p,
		     has_for ? ">" : "", date);
	ASSERT(n > 0 && n < RFC5322_RECEIVED_LEN);
	return (size_t)n;
}
