/*
 * Text passed over at the speed of memory: line ends are counted, bytes that are not
 * plain mail are noted, and the search stops where a line may be a delimiter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mime_scan {
	uint64_t n_lf;
	uint8_t prev; /* the last byte; LF at first */
	bool has_8bit, has_nul, has_bare;
};

/*
 * Takes bytes up to a "-" that begins a line, but never one that is the first; all if
 * there is none.  Returns how many.
 */
size_t mime_scan_run(struct mime_scan *s, const char *p, size_t len);
