/*
 * One line on standard error: time, level, program, `event key=value ...`.
 *
 * Programs log what they decided; libraries log at debug only.  Lines that a
 * peer can cause pass a struct log_limit, which lets a few a second through and
 * then says how many it held back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log {
	enum log_level level; /* lines above are not written */
	int fd;		      /* where they go */
	const char *program;
};

struct log_limit {
	uint64_t second;
	uint32_t n_now, n_held;
};

enum { LOG_LINE_LEN = 1024, LOG_VALUE_LEN = 320, LOG_LIMIT_PER_S = 20 };

/* What is no printable UTF-8 becomes '?', so that a line stays one line and a terminal is
 * told nothing, whatever a peer sent. */
void log_line(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * The @value of a key that a peer chose: as it is, or, where it could be taken for more
 * than one value, in quotes, with '\\' before quotes and '\\'.  Too long a one is cut.
 */
const char *log_value(char out[static LOG_VALUE_LEN], const char *value, size_t len);
/* True when one more line may be written at @now_ns. */
bool log_allowed(struct log_limit *limit, uint64_t now_ns, uint32_t *n_held);
