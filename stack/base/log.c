#include "stack/base/log.h"

#include <stdarg.h>
#include <stdio.h>
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

/* One line stays one line, and a terminal is told nothing, whatever a peer sent. */
static void blank_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
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
	blank_controls(line + head);
	line[head + (size_t)n] = '\n';
	/* One write, so that lines of several threads do not mix. */
	if (write(log->fd, line, head + (size_t)n + 1) < 0)
		return; /* and where should that be said? */
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
