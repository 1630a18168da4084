/*
 * What came of a run, for people and for programs; and the tables of a study.
 */
#pragma once

#include <stdio.h>

struct scene;
struct scene_run;

/* Flows and lines, aligned; or as CSV, each with a line of names first. */
void report_flows(const struct scene_run *run, FILE *to);
void report_lines(const struct scene_run *run, FILE *to);
void report_flows_csv(const struct scene_run *run, FILE *to);
void report_lines_csv(const struct scene_run *run, FILE *to);

/* Values of the tables of all runs, in the order of scene_next(). */
struct study {
	struct scene *scene;
	unsigned n_runs, n_values; /* values of a run: of all tables */
	double *value;
};

/* 0 or -ENOMEM. */
int study_init(struct study *st, struct scene *scene);
void study_fini(struct study *st);
/* One more run. */
void study_add(struct study *st, const struct scene_run *run);
void study_print(const struct study *st, FILE *to);
/* A line for each run: what varied, and every value. */
void study_csv(const struct study *st, FILE *to);
/* Of table @i, which has columns, its value @k as a chart: a line for each row. */
void study_plot(const struct study *st, unsigned i, unsigned k, FILE *to);
