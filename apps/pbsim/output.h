/*
 * The folder of a run: flows.csv, lines.csv, series.jsonl, the plots, and a capture of
 * each link when it is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct output;
struct scene_run;
struct study;

/*
 * Looks at the run, which is ready, every @every_ns (0: a thousand times).  The folder is
 * made where it is missing.  0 and *@out; or -errno, and the scene's error.
 */
int output_open(struct scene_run *run, const char *folder, uint64_t every_ns,
		bool capture, struct output **out);
/* The run came to its end: writes everything.  0, or -errno and the scene's error. */
int output_close(struct output *out);

/* Of a study: study.csv, and a chart of each table that has columns.  As output_close(). */
int output_study(const struct study *study, const char *folder);
