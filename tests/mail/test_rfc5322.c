#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "apps/mail/wire/rfc5322.h"
#include "stack/base/check.h"

static const struct rfc5322_limits limits = {
	.header_len = 2000,
	.line_len = 1000,
	.n_fields = 10,
	.n_received = 3,
};

static struct rfc5322_scan scan_cut(struct str s, size_t step)
{
	struct rfc5322_scan scan;

	rfc5322_scan_init(&scan, &limits);
	for (size_t at = 0; at < s.len; at += step) {
		size_t n = s.len - at < step ? s.len - at : step;

		rfc5322_scan_feed(&scan, (struct str){ s.p + at, n });
	}
	return scan;
}

static struct rfc5322_scan scan(struct str s)
{
	struct rfc5322_scan whole = scan_cut(s, s.len ? s.len : 1);

	for (size_t step = 1; step < s.len; step++) {
		struct rfc5322_scan cut = scan_cut(s, step);

		cr_assert_eq(cut.fault, whole.fault);
		if (cut.fault == RFC5322_FINE) {
			cr_assert_eq(cut.where, whole.where);
			cr_assert_eq(cut.header_len, whole.header_len);
		}
		cr_assert_eq(cut.n_fields, whole.n_fields);
		cr_assert_eq(cut.n_received, whole.n_received);
		cr_assert_eq(cut.n_loops, whole.n_loops);
		cr_assert_arr_eq(cut.loops, whole.loops, sizeof(whole.loops));
	}
	return whole;
}

Test(rfc5322, counts_fields_and_hops)
{
	struct rfc5322_scan s = scan(STR("Received: by a\r\n\twith SMTP\r\n"
					 "RECEIVED : by b\r\n"
					 "Received-SPF: no\r\n"
					 "Receive: no\r\n"
					 "X: Received: no\r\n"
					 " Received: folded\r\n"
					 "received:\r\n"
					 "\r\n"
					 "Received: in the body\r\n"));

	cr_assert_eq(s.where, RFC5322_BODY);
	cr_assert_eq(s.n_fields, 6);
	cr_assert_eq(s.n_received, 3);
	cr_assert_eq(s.fault, RFC5322_FINE);
}

Test(rfc5322, reads_the_marks_of_places_where_it_was)
{
	char field[RFC5322_LOOP_LEN], text[RFC5322_LOOP_LEN + 256];
	struct rfc5322_scan s;

	cr_assert_eq(rfc5322_loop(0x0123456789abcdef, STR("mx.b.example"), field),
		     strlen(field));
	cr_assert_str_eq(field, "X-Loop: 0123456789abcdef@mx.b.example\r\n");
	snprintf(text, sizeof(text),
		 "x-loop:fedcba9876543210@a\r\n%sX-Loop: 0123\r\n"
		 "X-Loop: 00000000000000001@a\r\nX-Loop: 000000000000000g@a\r\n"
		 "X-Looped: 0000000000000000@a\r\nX-Loop:\r\n"
		 "X-Loop: 0000000000000000\r\n\r\nX-Loop: 0000000000000000@a\r\n",
		 field);
	s = scan(str_of(text));
	cr_assert_eq(s.n_loops, 2);
	cr_assert(rfc5322_scan_has_loop(&s, 0xfedcba9876543210));
	cr_assert(rfc5322_scan_has_loop(&s, 0x0123456789abcdef));
	cr_assert(!rfc5322_scan_has_loop(&s, 0));
}

Test(rfc5322, of_many_marks_it_reads_the_first)
{
	static const struct rfc5322_limits wide = { 1 << 20, 1000, 1000, 3 };
	struct rfc5322_scan s;
	char field[RFC5322_LOOP_LEN];

	rfc5322_scan_init(&s, &wide);
	for (uint64_t i = 1; i <= RFC5322_LOOPS_MAX + 1; i++)
		rfc5322_scan_feed(
			&s, (struct str){ field, rfc5322_loop(i, STR("a"), field) });
	cr_assert_eq(s.n_fields, RFC5322_LOOPS_MAX + 1);
	cr_assert(rfc5322_scan_has_loop(&s, RFC5322_LOOPS_MAX));
	cr_assert(!rfc5322_scan_has_loop(&s, RFC5322_LOOPS_MAX + 1));
}

Test(rfc5322, measures_the_header)
{
	struct rfc5322_scan s = scan(STR("A: 1\r\nBb: 22\r\n\r\nbody"));

	cr_assert_eq(s.header_len, strlen("A: 1\r\nBb: 22\r\n\r\n"));
	s = scan(STR("A: 1\r\nnever-en"));
	cr_assert_neq(s.where, RFC5322_BODY);
	cr_assert_eq(s.header_len, 14);
}

/* @n times @field, then what ends the header. */
static enum rfc5322_fault fault_of(size_t n, const char *field)
{
	static char text[8192];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "%s\r\n", field);
	len += (size_t)sprintf(text + len, "\r\nbody\r\n");
	return scan((struct str){ text, len }).fault;
}

Test(rfc5322, stops_at_each_limit)
{
	char field[1100];

	cr_assert_eq(fault_of(10, "A: 1"), RFC5322_FINE);
	cr_assert_eq(fault_of(11, "A: 1"), RFC5322_TOO_MANY_FIELDS);
	cr_assert_eq(fault_of(3, "Received: x"), RFC5322_FINE);
	cr_assert_eq(fault_of(4, "Received: x"), RFC5322_TOO_MANY_HOPS);
	snprintf(field, sizeof(field), "A: %0995d", 0);
	cr_assert_eq(fault_of(1, field), RFC5322_FINE);
	snprintf(field, sizeof(field), "A: %0996d", 0);
	cr_assert_eq(fault_of(1, field), RFC5322_TOO_LONG);
	/* 9 times 222 and the empty line; then one more octet in each. */
	snprintf(field, sizeof(field), "A: %0217d", 0);
	cr_assert_eq(fault_of(9, field), RFC5322_FINE);
	snprintf(field, sizeof(field), "A: %0218d", 0);
	cr_assert_eq(fault_of(9, field), RFC5322_TOO_LONG);
}

Test(rfc5322, sees_no_header_where_there_is_none)
{
	static const struct str none[] = {
		STR("\r\nReceived: x\r\n"),
		STR("Just text\r\nReceived: x\r\n"),
		STR(" Received: folded first\r\n"),
		STR(": no name\r\nReceived: x\r\n"),
		STR("no-colon\r\nReceived: x\r\n"),
		STR("a b: x\r\nReceived: x\r\n"),
		STR("\xc3\xa9: x\r\nReceived: x\r\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct rfc5322_scan s = scan(none[i]);

		cr_assert_eq(s.where, RFC5322_BODY, "case %zu", i);
		cr_assert_eq(s.n_received, 0, "case %zu", i);
	}
}

/* How much of @text TOP shows, looked at @n octets at a time. */
static size_t top_cut(struct str text, uint64_t n_lines, size_t n)
{
	struct rfc5322_top top;

	rfc5322_top_init(&top, n_lines);
	while (!rfc5322_top_feed(&top, text, n))
		cr_assert_lt(top.len, text.len);
	return top.len;
}

/* The same however it is cut. */
static size_t top_len(struct str text, uint64_t n_lines)
{
	size_t len = rfc5322_top_len(text, n_lines);

	for (size_t n = 1; n <= text.len; n++)
		cr_assert_eq(top_cut(text, n_lines, n), len);
	return len;
}

Test(rfc5322, shows_the_top_of_a_message)
{
	static const char text[] = "A: 1\r\nB: 2\r\n\r\none\r\ntwo\r\n\r\nfour";
	static const size_t len[] = { 14, 19, 24, 26, 30, 30 };

	for (size_t n = 0; n < ARRAY_LEN(len); n++)
		cr_assert_eq(top_len(str_of(text), n), len[n], "%zu lines", n);
	cr_assert_eq(top_len(str_of(text), UINT64_MAX), strlen(text));
}

Test(rfc5322, shows_the_top_of_odd_messages)
{
	cr_assert_eq(top_len(STR(""), 0), 0);
	cr_assert_eq(top_len(STR("\r\nbody\r\nmore\r\n"), 0), 2);
	cr_assert_eq(top_len(STR("\r\nbody\r\nmore\r\n"), 1), 8);
	cr_assert_eq(top_len(STR("A: 1\r\n"), 5), 6);
	cr_assert_eq(top_len(STR("A: 1\r\n\r\n"), 5), 8);
}

Test(rfc5322, writes_dates_as_the_c_library_does)
{
	for (uint64_t s = 0; s < UINT64_C(8000000000); s += 86399 * 7 + 1) {
		char ours[RFC5322_DATE_LEN], theirs[64];
		time_t t = (time_t)s;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(theirs, sizeof(theirs), "%a, %-d %b %Y %H:%M:%S +0000", &tm);
		cr_assert_eq(rfc5322_date(s, ours), strlen(theirs));
		cr_assert_str_eq(ours, theirs);
	}
}

Test(rfc5322, writes_leap_days_and_the_last_second)
{
	char date[RFC5322_DATE_LEN];

	rfc5322_date(951782400, date);
	cr_assert_str_eq(date, "Tue, 29 Feb 2000 00:00:00 +0000");
	rfc5322_date(UINT64_MAX, date);
	cr_assert_str_eq(date, "Fri, 31 Dec 9999 23:59:59 +0000");
}

static const struct rfc5322_received field = {
	.helo = STR("client.example"),
	.from_addr = STR("192.0.2.1"),
	.by = STR("mx.example"),
	.is_esmtp = true,
	.id = STR("68a8f3c1-0-1"),
	.for_addr = STR("a@b.example"),
	.date_s = 0,
};

Test(rfc5322, writes_a_trace_field)
{
	char out[RFC5322_RECEIVED_LEN];
	size_t n = rfc5322_received(&field, out);

	cr_assert_str_eq(out, "Received: from client.example ([192.0.2.1])\r\n"
			      "\tby mx.example with ESMTP id 68a8f3c1-0-1\r\n"
			      "\tfor <a@b.example>;\r\n"
			      "\tThu, 1 Jan 1970 00:00:00 +0000\r\n");
	cr_assert_eq(n, strlen(out));
}

Test(rfc5322, says_which_user_of_this_host_a_message_came_from)
{
	struct rfc5322_received r = field;
	char out[RFC5322_RECEIVED_LEN];

	r.from_addr = STR("uid:1000");
	rfc5322_received(&r, out);
	cr_assert_not_null(strstr(out, "from client.example (uid:1000)\r\n"), "%s", out);
}

Test(rfc5322, says_by_which_protocol_a_message_came)
{
	static const char *const with[] = { " ESMTP id ", " ESMTPS id ", " ESMTPA id ",
					    " ESMTPSA id " };
	struct rfc5322_received r = field;
	char out[RFC5322_RECEIVED_LEN];

	for (unsigned i = 0; i < 4; i++) {
		r.is_tls = i & 1;
		r.is_auth = i & 2;
		rfc5322_received(&r, out);
		cr_assert_not_null(strstr(out, with[i]), "%s", out);
	}
}

Test(rfc5322, sees_whether_date_and_message_id_are_there)
{
	static const struct {
		const char *header;
		bool has_date, has_message_id;
	} cases[] = {
		{ "Date: x\r\nMessage-ID: y\r\n\r\n", true, true },
		{ "DATE : x\r\nmessage-id:\r\n\r\n", true, true },
		{ "Dat: x\r\nMessage-I: y\r\n\r\n", false, false },
		{ "Dates: x\r\nMessage-IDs: y\r\n\r\n", false, false },
		{ "A: x\r\n Date: x\r\n\r\nMessage-ID: y\r\n", false, false },
		{ "received: x\r\nDate: x\r\n\r\n", true, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rfc5322_scan s;

		rfc5322_scan_init(&s, &(struct rfc5322_limits){ 1000, 1000, 10, 10 });
		for (const char *at = cases[i].header; *at; at++)
			rfc5322_scan_feed(&s, (struct str){ at, 1 });
		cr_assert_eq(s.has_date, cases[i].has_date, "case %zu", i);
		cr_assert_eq(s.has_message_id, cases[i].has_message_id, "case %zu", i);
	}
}

Test(rfc5322, names_no_recipient_among_several_and_no_esmtp_after_helo)
{
	struct rfc5322_received r = field;
	char out[RFC5322_RECEIVED_LEN];

	r.for_addr.len = 0;
	r.is_esmtp = false;
	r.from_addr = STR("2001:db8::1");
	rfc5322_received(&r, out);
	cr_assert_str_eq(out, "Received: from client.example ([IPv6:2001:db8::1])\r\n"
			      "\tby mx.example with SMTP id 68a8f3c1-0-1;\r\n"
			      "\tThu, 1 Jan 1970 00:00:00 +0000\r\n");
}

Test(rfc5322, has_room_for_the_longest_trace_field)
{
	char name[256], out[RFC5322_RECEIVED_LEN];
	struct rfc5322_received r = field;
	struct rfc5322_scan s;

	memset(name, 'x', sizeof(name));
	r.helo = r.by = (struct str){ name, 255 };
	r.for_addr = (struct str){ name, 254 };
	r.id = (struct str){ name, RFC5322_ID_MAX };
	r.from_addr = STR("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	s = scan((struct str){ out, rfc5322_received(&r, out) });
	cr_assert_eq(s.n_received, 1);
	cr_assert_eq(s.fault, RFC5322_FINE); /* no line is too long */
}
