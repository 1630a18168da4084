#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/plot.h"

Test(plot, has_round_steps)
{
	cr_assert_float_eq(plot_step(1, 10), 0.1, 1e-12);
	cr_assert_float_eq(plot_step(9, 10), 1, 1e-12);
	cr_assert_float_eq(plot_step(30, 10), 5, 1e-12);
	cr_assert_float_eq(plot_step(100, 8), 20, 1e-12);
	cr_assert_float_eq(plot_step(0.003, 8), 0.0005, 1e-12);
}

static char *drawn(const struct plot *p)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	plot_write(p, f);
	fclose(f);
	return text;
}

Test(plot, tells_its_axes_and_who_is_who)
{
	const double x[] = { 0, 1, 2 }, y[] = { 0, 10, 5 };
	const struct plot_series series[] = {
		{ "a > b", PLOT_STEP, 3, x, y },
		{ "again", PLOT_MARK, 1, x + 1, y + 1 },
	};
	const struct plot p = { "title", "time, s", "kB", 2, series, NULL, 0 };
	char *text = drawn(&p);

	cr_assert(strstr(text, ">title<"));
	cr_assert(strstr(text, ">time, s<"));
	cr_assert(strstr(text, ">kB<"));
	cr_assert(strstr(text, ">a &gt; b<"));
	cr_assert(strstr(text, ">again<"));
	cr_assert(strstr(text, "</svg>"));
	free(text);
}

Test(plot, of_many_points_has_no_more_than_can_be_seen)
{
	enum { N = 1000000 };
	double *x = calloc(N, sizeof(double)), *y = calloc(N, sizeof(double));
	const struct plot_series series = { "s", PLOT_LINE, N, x, y };
	const struct plot p = { "t", "x", "y", 1, &series, NULL, 0 };
	char *text;

	for (unsigned i = 0; i < N; i++) {
		x[i] = i;
		y[i] = i % 1000;
	}
	text = drawn(&p);
	cr_assert_lt(strlen(text), 100000);
	free(text);
	free(x);
	free(y);
}

Test(plot, has_names_below_it)
{
	static const char *const ticks[] = { "0%", "1%" };
	const double x[] = { 0, 1 }, y[] = { 3, 1 };
	const struct plot_series series = { "s", PLOT_LINE, 2, x, y };
	const struct plot p = { "t", "x", "y", 1, &series, ticks, 2 };
	char *text = drawn(&p);

	cr_assert(strstr(text, ">0%<"));
	cr_assert(strstr(text, ">1%<"));
	free(text);
}

Test(plot, of_nothing_is_empty)
{
	const struct plot_series series = { "s", PLOT_STEP, 0, NULL, NULL };
	const struct plot p = { "t", "x", "y", 1, &series, NULL, 0 };
	char *text = drawn(&p);

	cr_assert(strstr(text, "</svg>"));
	cr_assert_not(strstr(text, "nan"));
	cr_assert_not(strstr(text, "inf"));
	free(text);
}
