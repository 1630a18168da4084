#include "stack/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"

/* "2026-05-01T12:00:00.123Z info packetboatd: "; returns its length. */
static size_t put_head(char *line, const struct log *log, enum log_level level)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	uint64_t now_ns = clock_wall_ns();
	time_t seconds = (time_t)(now_ns / NS_PER_S);
	struct tm tm;
	size_t n;
	int more;

	gmtime_r(&seconds, &tm);
	n = strftime(line, LOG_LINE_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	more = snprintf(line + n, LOG_LINE_LEN - n,
			".%03uZ %s %.64s: ", (unsigned)(now_ns / NS_PER_MS % 1000),
			names[level], log->program);
	return n + (size_t)more;
}

/*
 * Length of the character that begins at @p, of @left bytes; 0: none does, by RFC 3629 3
 * and 4 (the shortest form of up to U+10FFFF, no surrogates), or it is a control, also of
 * C1 (U+0080 to U+009F), which some terminals obey.
 */
static size_t printable_len(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (len == 1)
		return c >= 0x20 && c != 0x7f;
	if (len == 0 || len > left || c > 0xf4)
		return 0;
	c &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

static void blank_unprintable(char *text, size_t len)
{
	while (len > 0) {
		size_t n = printable_len((const uint8_t *)text, len);

		if (n == 0)
			*text = '?';
		text += n ? n : 1;
		len -= n ? n : 1;
	}
}

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_LEN];
	va_list args;
	size_t head, room;
	int n;

	if (level > log->level)
		return;
	head = put_head(line, log, level);
	room = sizeof(line) - head - 1; /* for the end of the line */
	va_start(args, format);
	n = vsnprintf(line + head, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= room)
		n = (int)room - 1;
	blank_unprintable(line + head, (size_t)n);
	line[head + (size_t)n] = '\n';
	/* One write, so that lines of several threads do not mix. */
	if (write(log->fd, line, head + (size_t)n + 1) < 0)
		return; /* and where should that be said? */
}

/* Letters, digits and what stands in plain addresses, names and numbers. */
static bool is_plain(const char *value, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)value[i] <= ' ' || strchr("\"'=\\", value[i]))
			return false;
	return true;
}

const char *log_value(char out[static LOG_VALUE_LEN], const char *value, size_t len)
{
	const char *end = out + LOG_VALUE_LEN - 2; /* for a quote and the end */
	bool plain = is_plain(value, len);
	char *to = out;

	if (!plain)
		*to++ = '"';
	for (size_t i = 0; i < len && to + 1 < end; i++) {
		if (value[i] == '"' || value[i] == '\\')
			*to++ = '\\';
		/* The end of the text for printf(). */
		*to++ = value[i] ? value[i] : '?';
	}
	if (!plain)
		*to++ = '"';
	*to = '\0';
	return out;
}

bool log_allowed(struct log_limit *limit, uint64_t now_ns, uint32_t *n_held)
{
	uint64_t second = now_ns / NS_PER_S;

	if (second != limit->second) {
		limit->second = second;
		limit->n_now = 0;
	}
	if (limit->n_now >= LOG_LIMIT_PER_S) {
		limit->n_held++;
		return false;
	}
	limit->n_now++;
	*n_held = limit->n_held;
	limit->n_held = 0;
	return true;
}
