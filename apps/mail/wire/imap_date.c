#include "apps/mail/wire/imap_date.h"

#include <stdio.h>
#include <time.h>

#include "stack/base/check.h"

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static const int64_t year_0_s = INT64_C(-62167219200);
static const int64_t year_9999_end_s = INT64_C(253402300799);

/* @n digits off the front. */
static bool take_digits(struct str *s, size_t n, int *number)
{
	*number = 0;
	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*number = *number * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->len -= n;
	return true;
}

static bool take_char(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

/* "-" date-month "-" date-year */
static bool take_month_year(struct str *s, struct tm *tm)
{
	struct str name;

	if (s->len < 4 || !take_char(s, '-'))
		return false;
	name = (struct str){ s->p, 3 };
	for (tm->tm_mon = 0; tm->tm_mon < 12; tm->tm_mon++)
		if (str_eq_nocase(name, str_of(month_names[tm->tm_mon])))
			break;
	s->p += 3;
	s->len -= 3;
	if (tm->tm_mon == 12 || !take_char(s, '-') || !take_digits(s, 4, &tm->tm_year))
		return false;
	tm->tm_year -= 1900;
	return true;
}

/* False: the month has no such day. */
static bool to_seconds(struct tm tm, int64_t *s)
{
	int day = tm.tm_mday;

	*s = timegm(&tm);
	return day > 0 && tm.tm_mday == day;
}

/*
 * date-text = date-day "-" date-month "-" date-year
 * date-day = 1*2DIGIT
 */
bool imap_date_parse(struct str text, int32_t *days)
{
	struct tm tm = { .tm_mday = 0 };
	bool is_short = text.len > 1 && text.p[1] == '-';
	int64_t s;

	if (!take_digits(&text, is_short ? 1 : 2, &tm.tm_mday) ||
	    !take_month_year(&text, &tm) || text.len > 0 || !to_seconds(tm, &s))
		return false;
	/* Midnight, so nothing is rounded. */
	*days = (int32_t)(s / 86400);
	return true;
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT ; a leap second is the next minute's first */
static bool take_time(struct str *s, int64_t *of_day)
{
	int hour, minute, second;

	if (!take_digits(s, 2, &hour) || !take_char(s, ':') ||
	    !take_digits(s, 2, &minute) || !take_char(s, ':') ||
	    !take_digits(s, 2, &second))
		return false;
	*of_day = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second <= 60;
}

/* zone = ("+" / "-") 4DIGIT ; hours and minutes */
static bool take_zone(struct str *s, int32_t *zone_min)
{
	bool is_west = take_char(s, '-');
	int hours, minutes;

	if (!is_west && !take_char(s, '+'))
		return false;
	if (!take_digits(s, 2, &hours) || !take_digits(s, 2, &minutes) || minutes > 59)
		return false;
	*zone_min = (hours * 60 + minutes) * (is_west ? -1 : 1);
	return true;
}

/*
 * date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 * date-day-fixed = (SP DIGIT) / 2DIGIT
 */
bool imap_date_time_parse(struct str text, struct imap_date_time *t)
{
	bool is_short = take_char(&text, ' ');
	struct tm tm = { .tm_mday = 0 };
	struct imap_date_time got;
	int64_t of_day;

	if (!take_digits(&text, is_short ? 1 : 2, &tm.tm_mday) ||
	    !take_month_year(&text, &tm) || !to_seconds(tm, &got.s) ||
	    !take_char(&text, ' ') || !take_time(&text, &of_day) ||
	    !take_char(&text, ' ') || !take_zone(&text, &got.zone_min) || text.len > 0)
		return false;
	got.s += of_day - got.zone_min * INT64_C(60);
	*t = got;
	return true;
}

size_t imap_date_time_emit(int64_t s, char out[static IMAP_DATE_TIME_LEN])
{
	time_t at = s < year_0_s ? year_0_s : s > year_9999_end_s ? year_9999_end_s : s;
	struct tm tm;
	int n;

	gmtime_r(&at, &tm);
	n = snprintf(out, IMAP_DATE_TIME_LEN, "%2d-%s-%04d %02d:%02d:%02d +0000",
		     tm.tm_mday, month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
		     tm.tm_min, tm.tm_sec);
	ASSERT(n == IMAP_DATE_TIME_LEN - 1);
	return (size_t)n;
}
