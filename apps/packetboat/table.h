/*
 * Tables as packetboatd answers them: lines of cells with tabs between, the names of
 * the columns first.  Printed with aligned columns for people, or as JSON, an array of
 * objects, for programs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 32 };

struct table {
	char **lines;
	size_t n_lines, room;
	bool failed; /* no memory */
};

void table_fini(struct table *t);
/* A ctl_take_row: @t is the struct table. */
void table_add(void *t, const char *line);
/* @pattern: rows whose first cell matches, as file names do (fnmatch(3)); NULL: all.
 * How many there were. */
size_t table_print(const struct table *t, const char *pattern, bool json, FILE *to);
