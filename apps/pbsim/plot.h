/*
 * Charts as SVG: lines and marks over two axes with their units, a grid and a legend.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum plot_style {
	PLOT_LINE,
	PLOT_STEP, /* keeps its value until the next point */
	PLOT_DASH, /* thin, of the same colour as the series before it, not in the legend */
	PLOT_MARK, /* a small cross at each point, no line */
};

enum { PLOT_SERIES_MAX = 256, PLOT_LEGEND_MAX = 16 };

struct plot_series {
	const char *name;
	enum plot_style style;
	unsigned n;
	const double *x, *y;
};

struct plot {
	const char *title, *x_name, *y_name; /* names with their units */
	unsigned n;
	const struct plot_series *series;
	/* What stands below x = 0, 1, and so on; NULL: numbers do. */
	const char *const *tick;
	unsigned n_ticks;
};

/* A step of 1, 2 or 5 times a power of ten, so that @range has at most @n of them. */
double plot_step(double range, unsigned n);
void plot_write(const struct plot *p, FILE *to);
