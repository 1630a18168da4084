#include <criterion/criterion.h>

#include "apps/mail/wire/imap_date.h"
#include "stack/base/check.h"

Test(imap_date, reads_dates)
{
	static const struct {
		const char *text;
		int32_t days;
	} rows[] = {
		{ "1-Jan-1970", 0 },	   { "01-Jan-1970", 0 },
		{ "31-Dec-1969", -1 },	   { "29-feb-2000", 11016 },
		{ "1-MAR-2000", 11017 },   { "31-Dec-9999", 2932896 },
		{ "1-Jan-0000", -719528 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int32_t days;

		cr_assert(imap_date_parse(str_of(rows[i].text), &days), "%s",
			  rows[i].text);
		cr_assert_eq(days, rows[i].days, "%s: %d", rows[i].text, days);
	}
}

Test(imap_date, refuses_what_is_no_date)
{
	static const char *const wrong[] = {
		"",
		"1",
		"1-Jan",
		"1-Jan-",
		"1-Jan-199",
		"0-Jan-1990",
		"32-Jan-1990",
		"30-Feb-2000",
		"29-Feb-1900",
		"1-Foo-1990",
		"1-Jan-19900",
		"1 Jan 1990",
		"001-Jan-1990",
		"1-January-1990",
		"-1-Jan-1990",
		"1-Jan-1990 ",
		" 1-Jan-1990",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		int32_t days = 7;

		cr_assert(!imap_date_parse(str_of(wrong[i]), &days), "%s", wrong[i]);
		cr_assert_eq(days, 7);
	}
}

Test(imap_date, reads_dates_with_times)
{
	static const struct {
		const char *text;
		int64_t s;
		int32_t zone_min;
	} rows[] = {
		{ " 1-Jan-1970 00:00:00 +0000", 0, 0 },
		{ "01-Jan-1970 00:00:00 +0000", 0, 0 },
		{ " 1-Jan-1970 01:00:00 +0100", 0, 60 },
		{ "31-Dec-1969 19:30:00 -0430", 0, -270 },
		{ "17-Jul-1996 02:44:25 -0700", 837596665, -420 },
		{ "30-Jun-2015 23:59:60 +0000", 1435708800, 0 },
		{ " 1-Jan-1970 00:00:00 -0000", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct imap_date_time t;

		cr_assert(imap_date_time_parse(str_of(rows[i].text), &t), "%s",
			  rows[i].text);
		cr_assert_eq(t.s, rows[i].s, "%s", rows[i].text);
		cr_assert_eq(t.zone_min, rows[i].zone_min, "%s", rows[i].text);
	}
}

Test(imap_date, refuses_every_truncation_and_what_is_wrong)
{
	static const char right[] = "17-Jul-1996 02:44:25 -0700";
	static const char *const wrong[] = {
		"1-Jan-1970 00:00:00 +0000",   "  1-Jan-1970 00:00:00 +0000",
		"31-Feb-1970 00:00:00 +0000",  " 1-Jan-1970 24:00:00 +0000",
		" 1-Jan-1970 00:60:00 +0000",  " 1-Jan-1970 00:00:61 +0000",
		" 1-Jan-1970 00:00:00 0000",   " 1-Jan-1970 00:00:00 +0060",
		" 1-Jan-1970 00:00:00 +0000x", " 1-Jan-1970  00:00:00 +0000",
		" 1-Jan-1970 0:00:00 +0000",   " 1-Jan-1970 00:00:00 GMT",
	};
	struct imap_date_time t;

	for (size_t len = 0; len < sizeof(right) - 1; len++)
		cr_assert(!imap_date_time_parse((struct str){ right, len }, &t));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_assert(!imap_date_time_parse(str_of(wrong[i]), &t), "%s", wrong[i]);
}

Test(imap_date, writes_what_it_reads)
{
	static const int64_t times[] = { 0,
					 1,
					 86399,
					 -1,
					 837596665,
					 951782400,
					 INT64_C(253402300799),
					 1435708799,
					 INT64_C(-62167219200) };
	char text[IMAP_DATE_TIME_LEN];
	struct imap_date_time t;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		cr_assert_eq(imap_date_time_emit(times[i], text), 26);
		cr_assert(imap_date_time_parse((struct str){ text, 26 }, &t), "%s", text);
		cr_assert_eq(t.s, times[i], "%s", text);
	}
}

Test(imap_date, keeps_years_to_four_digits)
{
	char text[IMAP_DATE_TIME_LEN];

	imap_date_time_emit(INT64_MAX, text);
	cr_assert_str_eq(text, "31-Dec-9999 23:59:59 +0000");
	imap_date_time_emit(INT64_MIN, text);
	cr_assert_str_eq(text, " 1-Jan-0000 00:00:00 +0000");
}
