#include "apps/pbsim/value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit times[] = {
	{ "ns", 1 },	 { "us", 1e3 },	  { "ms", 1e6 }, { "s", 1e9 },
	{ "min", 60e9 }, { "h", 3600e9 }, { NULL, 0 },
};
static const struct unit rates[] = {
	{ "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 1e3 },
	{ "kb", 1e3 },
	{ "m", 1e6 },
	{ "mb", 1e6 },
	{ "g", 1e9 },
	{ "gb", 1e9 },
	{ "ki", 1024 },
	{ "kib", 1024 },
	{ "mi", 1048576 },
	{ "mib", 1048576 },
	{ "gi", 1073741824 },
	{ "gib", 1073741824 },
	{ NULL, 0 },
};
static const struct unit counts[] = { { "", 1 }, { NULL, 0 } };
static const struct unit chances[] = { { "", 1 }, { "%", 0.01 }, { NULL, 0 } };

/* Digits with a point: what strtod() reads beside is no number here. */
static bool number(const char **text, double *v)
{
	char *end;

	if (!isdigit((unsigned char)**text) || (*text)[1] == 'x')
		return false;
	*v = strtod(*text, &end);
	*text = end;
	return isfinite(*v);
}

static bool unit_of(const char **text, const struct unit *units, double *v)
{
	size_t len = strcspn(*text, "*/");

	for (; units->name; units++) {
		if (strlen(units->name) != len || memcmp(units->name, *text, len) != 0)
			continue;
		*v *= units->factor;
		*text += len;
		return true;
	}
	return false;
}

static bool read_value(const char *text, const struct unit *units, double *v)
{
	double factor;

	if (!number(&text, v))
		return false;
	/* Of nothing there need be no unit. */
	if (!unit_of(&text, units, v) && (*v > 0 || *text))
		return false;
	while (*text) {
		char op = *text++;

		if (!number(&text, &factor) || (op == '/' && factor <= 0))
			return false;
		if (*text && *text != '*' && *text != '/')
			return false;
		*v = op == '*' ? *v * factor : *v / factor;
	}
	return isfinite(*v);
}

static bool whole(const char *text, const struct unit *units, uint64_t *n)
{
	double v;

	if (!read_value(text, units, &v) || v > 9e18)
		return false;
	*n = (uint64_t)(v + 0.5);
	return true;
}

bool value_time(const char *text, uint64_t *ns)
{
	return whole(text, times, ns);
}

bool value_rate(const char *text, uint64_t *bps)
{
	return whole(text, rates, bps);
}

bool value_size(const char *text, uint64_t *bytes)
{
	return whole(text, sizes, bytes);
}

bool value_count(const char *text, uint64_t *n)
{
	double v;

	if (!read_value(text, counts, &v) || v > 9e15 || v != floor(v))
		return false;
	*n = (uint64_t)v;
	return true;
}

bool value_chance(const char *text, double *p)
{
	double v;

	if (!read_value(text, chances, &v) || v > 1)
		return false;
	*p = v;
	return true;
}
