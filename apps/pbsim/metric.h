/*
 * One number of what came of a run, by name: "goodput", or of the flows of one name,
 * "goodput:cubic".
 */
#pragma once

#include <stdbool.h>

struct scene_run;

bool metric_known(const char *name);
/* All names, for a sentence; and what "goodput" is, with its unit. */
const char *metric_names(void);
const char *metric_text(const char *name);
/* NAN: it has none, as a mean of nothing. */
double metric_value(const char *name, const struct scene_run *run);
