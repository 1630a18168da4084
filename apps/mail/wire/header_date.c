#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"

struct date {
	unsigned year, month, day, hour, minute, second;
};

static bool number(struct str *in, unsigned max_digits, unsigned *n, unsigned *n_digits)
{
	unsigned digits = 0, value = 0;

	lex_cfws(in, NULL);
	while (in->len > 0 && in->p[0] >= '0' && in->p[0] <= '9' && digits < max_digits) {
		value = value * 10 + (unsigned)(in->p[0] - '0');
		in->p++;
		in->len--;
		digits++;
	}
	if (digits == 0 || (in->len > 0 && in->p[0] >= '0' && in->p[0] <= '9'))
		return false;
	*n = value;
	*n_digits = digits;
	return true;
}

static bool small(struct str *in, unsigned *n)
{
	unsigned digits;

	return number(in, 2, n, &digits);
}

static bool letters(struct str *in, struct str *word)
{
	size_t n = 0;

	lex_cfws(in, NULL);
	while (n < in->len && ((in->p[n] | 0x20) >= 'a' && (in->p[n] | 0x20) <= 'z'))
		n++;
	*word = (struct str){ in->p, n };
	in->p += n;
	in->len -= n;
	return n > 0;
}

/* month = "Jan" / "Feb" / ...; whole names are read too. */
static bool month(struct str *in, unsigned *n)
{
	static const struct str names = STR("janfebmaraprmayjunjulaugsepoctnovdec");
	struct str word;

	if (!letters(in, &word) || word.len < 3)
		return false;
	word.len = 3;
	for (unsigned i = 0; i < 12; i++) {
		if (!str_eq_nocase(word, (struct str){ names.p + 3 * i, 3 }))
			continue;
		*n = i + 1;
		return true;
	}
	return false;
}

/* RFC 5322 4.3: years of two and three digits. */
static bool year(struct str *in, unsigned *n)
{
	unsigned digits;

	if (!number(in, 4, n, &digits) || digits < 2)
		return false;
	if (digits == 2)
		*n += *n < 50 ? 2000 : 1900;
	else if (digits == 3)
		*n += 1900;
	return *n > 0;
}

/* time-of-day = hour ":" minute [ ":" second ] */
static bool time_of_day(struct str *in, struct date *d)
{
	d->second = 0;
	if (!small(in, &d->hour))
		return false;
	lex_cfws(in, NULL);
	if (!lex_eat(in, ':') || !small(in, &d->minute))
		return false;
	lex_cfws(in, NULL);
	if (lex_eat(in, ':') && !small(in, &d->second))
		return false;
	/* 60: a leap second */
	return d->hour < 24 && d->minute < 60 && d->second <= 60;
}

static unsigned days_of_month(unsigned year_no, unsigned month_no)
{
	static const uint8_t days[12] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool is_leap = year_no % 4 == 0 && (year_no % 100 != 0 || year_no % 400 == 0);

	return days[month_no - 1] + (month_no == 2 && is_leap ? 1U : 0U);
}

/* Days since 1 January 1970; years are counted from March, see rfc5322.c. */
static int64_t days_of_date(const struct date *d)
{
	unsigned from_march = d->month > 2 ? d->month - 3 : d->month + 9;
	int64_t years = (int64_t)d->year - (d->month <= 2);

	return years * 365 + years / 4 - years / 100 + years / 400 +
	       (153 * from_march + 2) / 5 + d->day - 1 - 719468;
}

/* zone = (FWS ( "+" / "-" ) 4DIGIT) / obs-zone */
static bool zone(struct str *in, struct header_date *date)
{
	static const struct {
		struct str name;
		int hours;
	} named[] = {
		{ STR("UT"), 0 },   { STR("GMT"), 0 },	{ STR("UTC"), 0 },
		{ STR("EST"), -5 }, { STR("EDT"), -4 }, { STR("CST"), -6 },
		{ STR("CDT"), -5 }, { STR("MST"), -7 }, { STR("MDT"), -6 },
		{ STR("PST"), -8 }, { STR("PDT"), -7 },
	};
	unsigned hhmm, digits;
	struct str word;
	bool is_minus;

	date->zone_s = 0;
	date->has_zone = false;
	lex_cfws(in, NULL);
	is_minus = in->len > 0 && in->p[0] == '-';
	if (lex_eat(in, '+') || lex_eat(in, '-')) {
		if (!number(in, 4, &hhmm, &digits) || digits != 4 || hhmm % 100 > 59)
			return false;
		date->zone_s = (int32_t)(hhmm / 100 * 3600 + hhmm % 100 * 60);
		if (is_minus)
			date->zone_s = -date->zone_s;
		/* RFC 5322 3.3: "-0000" says that the zone is not known. */
		date->has_zone = !is_minus || hhmm != 0;
		return true;
	}
	/* RFC 5322 4.3: letters of the military and other words mean "-0000". */
	if (!letters(in, &word))
		return in->len == 0;
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		if (!str_eq_nocase(word, named[i].name))
			continue;
		date->zone_s = named[i].hours * 3600;
		date->has_zone = true;
	}
	return true;
}

/* date-time = [ day-of-week "," ] date time [CFWS] ; date = day month year */
bool header_date(struct str value, struct header_date *date)
{
	struct header_date result;
	struct str in = value, word;
	struct date d;

	if (letters(&in, &word))
		lex_cfws(&in, NULL);
	lex_eat(&in, ',');
	if (!small(&in, &d.day))
		return false;
	/* Some write 22-Aug-2026, as IMAP does. */
	lex_cfws(&in, NULL);
	lex_eat(&in, '-');
	if (!month(&in, &d.month))
		return false;
	lex_cfws(&in, NULL);
	lex_eat(&in, '-');
	if (!year(&in, &d.year) || !time_of_day(&in, &d) || !zone(&in, &result))
		return false;
	if (d.day == 0 || d.day > days_of_month(d.year, d.month))
		return false;
	result.utc_s = days_of_date(&d) * 86400 + d.hour * 3600 + d.minute * 60 +
		       d.second - result.zone_s;
	*date = result;
	return true;
}
