/*
 * The tables of a study.  Runs are numbered in the order of scene_next(): what varies
 * last is the fastest, as digits of a number.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/metric.h"
#include "apps/pbsim/plot.h"
#include "apps/pbsim/report.h"
#include "apps/pbsim/scene.h"

enum { CELL = 10, NAME_LEN = 48 };

int study_init(struct study *st, struct scene *scene)
{
	size_t n = 1;

	*st = (struct study){ .scene = scene };
	for (unsigned i = 0; i < scene->n_tables; i++)
		st->n_values += scene->table[i].n_values;
	for (unsigned i = 0; i < scene->n_vary; i++)
		n *= scene->vary[i].n;
	st->value = calloc(n * st->n_values + 1, sizeof(double));
	return st->value ? 0 : -ENOMEM;
}

void study_fini(struct study *st)
{
	free(st->value);
}

void study_add(struct study *st, const struct scene_run *run)
{
	double *v = st->value + (size_t)st->n_runs++ * st->n_values;

	for (unsigned i = 0; i < st->scene->n_tables; i++)
		for (unsigned k = 0; k < st->scene->table[i].n_values; k++)
			*v++ = metric_value(st->scene->table[i].value[k], run);
}

/* The run in which each thing that varies has its value number @at[]. */
static unsigned run_of(const struct scene *sc, const unsigned *at)
{
	unsigned run = 0;

	for (unsigned i = 0; i < sc->n_vary; i++)
		run = run * sc->vary[i].n + at[i];
	return run;
}

static void print_cell(FILE *to, double value, unsigned digits)
{
	if (isnan(value))
		fprintf(to, " %*s", CELL, "-");
	else
		fprintf(to, " %*.*f", CELL, (int)digits, value);
}

/* What stands in front of a row; NULL: the names. */
static void print_front(const struct scene *sc, const struct scene_table *t,
			const unsigned *at, FILE *to)
{
	for (unsigned i = 0; i < t->n_rows; i++) {
		const struct scene_vary *v = &sc->vary[t->row[i]];

		fprintf(to, "%-8s ", at ? v->value[at[t->row[i]]] : v->name);
	}
}

/* The next row, the last of them first; false: there is none. */
static bool next_row(const struct scene *sc, const struct scene_table *t, unsigned *at)
{
	for (unsigned i = t->n_rows; i-- > 0;) {
		if (++at[t->row[i]] < sc->vary[t->row[i]].n)
			return true;
		at[t->row[i]] = 0;
	}
	return false;
}

/* Columns are values of one thing that varies; one block for each metric. */
static void print_blocks(const struct study *st, const struct scene_table *t,
			 unsigned first, FILE *to)
{
	const struct scene *sc = st->scene;
	const struct scene_vary *column = &sc->vary[t->column];

	for (unsigned m = 0; m < t->n_values; m++) {
		unsigned at[SCENE_VARY_MAX] = { 0 };

		fprintf(to, "\n%s: %s\n", t->value[m], metric_text(t->value[m]));
		print_front(sc, t, NULL, to);
		for (unsigned c = 0; c < column->n; c++)
			fprintf(to, " %*s", CELL, column->value[c]);
		fprintf(to, "   %s\n", column->name);
		do {
			print_front(sc, t, at, to);
			for (unsigned c = 0; c < column->n; c++) {
				at[t->column] = c;
				print_cell(
					to,
					st->value[(size_t)run_of(sc, at) * st->n_values +
						  first + m],
					t->digits);
			}
			at[t->column] = 0;
			fprintf(to, "\n");
		} while (next_row(sc, t, at));
	}
}

/* Columns are metrics. */
static void print_plain(const struct study *st, const struct scene_table *t,
			unsigned first, FILE *to)
{
	const struct scene *sc = st->scene;
	unsigned at[SCENE_VARY_MAX] = { 0 };

	fprintf(to, "\n");
	for (unsigned m = 0; m < t->n_values; m++)
		fprintf(to, "%s: %s\n", t->value[m], metric_text(t->value[m]));
	print_front(sc, t, NULL, to);
	for (unsigned m = 0; m < t->n_values; m++)
		fprintf(to, " %*s", CELL, t->value[m]);
	fprintf(to, "\n");
	do {
		const double *v = st->value + (size_t)run_of(sc, at) * st->n_values;

		print_front(sc, t, at, to);
		for (unsigned m = 0; m < t->n_values; m++)
			print_cell(to, v[first + m], t->digits);
		fprintf(to, "\n");
	} while (next_row(sc, t, at));
}

void study_print(const struct study *st, FILE *to)
{
	unsigned first = 0;

	for (unsigned i = 0; i < st->scene->n_tables; i++) {
		const struct scene_table *t = &st->scene->table[i];

		if (t->column >= 0)
			print_blocks(st, t, first, to);
		else
			print_plain(st, t, first, to);
		first += t->n_values;
	}
}

static void csv_names(const struct study *st, FILE *to)
{
	const struct scene *sc = st->scene;

	for (unsigned i = 0; i < sc->n_vary; i++)
		fprintf(to, "%s%s", i ? "," : "", sc->vary[i].name);
	for (unsigned i = 0; i < sc->n_tables; i++)
		for (unsigned k = 0; k < sc->table[i].n_values; k++)
			fprintf(to, ",%s", sc->table[i].value[k]);
	fprintf(to, "\n");
}

void study_csv(const struct study *st, FILE *to)
{
	const struct scene *sc = st->scene;

	csv_names(st, to);
	for (unsigned run = 0; run < st->n_runs; run++) {
		unsigned left = run;
		unsigned at[SCENE_VARY_MAX];

		for (unsigned i = sc->n_vary; i-- > 0;) {
			at[i] = left % sc->vary[i].n;
			left /= sc->vary[i].n;
		}
		for (unsigned i = 0; i < sc->n_vary; i++)
			fprintf(to, "%s%s", i ? "," : "", sc->vary[i].value[at[i]]);
		for (unsigned k = 0; k < st->n_values; k++) {
			double v = st->value[(size_t)run * st->n_values + k];

			if (isnan(v))
				fprintf(to, ",");
			else
				fprintf(to, ",%.6g", v);
		}
		fprintf(to, "\n");
	}
}

/* A row in a legend. */
static void row_name(const struct scene *sc, const struct scene_table *t,
		     const unsigned *at, char out[static NAME_LEN])
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < t->n_rows && n < NAME_LEN; i++)
		n += (size_t)snprintf(out + n, NAME_LEN - n, "%s%.16s", i ? " " : "",
				      sc->vary[t->row[i]].value[at[t->row[i]]]);
}

/* Number of the first value of table @i among those of a run. */
static unsigned first_value(const struct scene *sc, unsigned i)
{
	unsigned first = 0;

	while (i-- > 0)
		first += sc->table[i].n_values;
	return first;
}

/* The points of one row; what has no value is left out. */
static struct plot_series row_points(const struct study *st, const struct scene_table *t,
				     unsigned *at, unsigned value, double *x, double *y)
{
	const struct scene *sc = st->scene;
	struct plot_series s = { .style = PLOT_LINE, .x = x, .y = y };

	for (unsigned c = 0; c < sc->vary[t->column].n; c++) {
		double v;

		at[t->column] = c;
		v = st->value[(size_t)run_of(sc, at) * st->n_values + value];
		if (isnan(v))
			continue;
		x[s.n] = c;
		y[s.n++] = v;
	}
	at[t->column] = 0;
	return s;
}

void study_plot(const struct study *st, unsigned i, unsigned k, FILE *to)
{
	const struct scene *sc = st->scene;
	const struct scene_table *t = &sc->table[i];
	const struct scene_vary *column = &sc->vary[t->column];
	double *points = calloc(PLOT_SERIES_MAX * 2 * (size_t)column->n, sizeof(double));
	struct plot_series series[PLOT_SERIES_MAX];
	char name[PLOT_SERIES_MAX][NAME_LEN];
	unsigned at[SCENE_VARY_MAX] = { 0 };
	struct plot p = {
		.title = metric_text(t->value[k]),
		.x_name = column->name,
		.y_name = t->value[k],
		.series = series,
		.tick = column->value,
		.n_ticks = column->n,
	};

	if (!points)
		return;
	do {
		double *x = points + (size_t)p.n * 2 * column->n;

		series[p.n] =
			row_points(st, t, at, first_value(sc, i) + k, x, x + column->n);
		row_name(sc, t, at, name[p.n]);
		series[p.n].name = name[p.n];
		p.n++;
	} while (p.n < PLOT_SERIES_MAX && next_row(sc, t, at));
	plot_write(&p, to);
	free(points);
}
