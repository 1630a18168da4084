#include "apps/pbsim/plot.h"

#include <math.h>

#include "stack/base/check.h"

enum {
	WIDTH = 960,
	HEIGHT = 440,
	LEFT = 76,
	RIGHT = 190, /* the legend stands there */
	TOP = 36,
	BOTTOM = 52,
	COLUMNS = WIDTH - LEFT - RIGHT,
	ROWS = HEIGHT - TOP - BOTTOM,
	X_TICKS = 10,
	Y_TICKS = 8,
};

/* Told apart by those who see few colours, too (Okabe and Ito 2008). */
static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7",
				       "#e69f00", "#56b4e9", "#000000", "#999933" };

#define MARK_COLOUR "#cc0000"

struct chart {
	const struct plot *p;
	FILE *to;
	double x0, x1, y1; /* y begins at 0 */
};

double plot_step(double range, unsigned n)
{
	double power = pow(10, floor(log10(range / n)));
	double step = power;

	if (step * n < range)
		step = 2 * power;
	if (step * n < range)
		step = 5 * power;
	return step * n < range ? 10 * power : step;
}

static double x_at(const struct chart *c, double x)
{
	return LEFT + (x - c->x0) / (c->x1 - c->x0) * COLUMNS;
}

static double y_at(const struct chart *c, double y)
{
	return TOP + ROWS - y / c->y1 * ROWS;
}

static void find_range(struct chart *c)
{
	double step;

	c->x0 = INFINITY;
	c->x1 = c->y1 = -INFINITY;
	for (unsigned i = 0; i < c->p->n; i++) {
		const struct plot_series *s = &c->p->series[i];

		for (unsigned k = 0; k < s->n; k++) {
			c->x0 = fmin(c->x0, s->x[k]);
			c->x1 = fmax(c->x1, s->x[k]);
			c->y1 = fmax(c->y1, s->y[k]);
		}
	}
	if (!(c->x0 < c->x1)) {
		c->x0 = isfinite(c->x0) ? c->x0 : 0;
		c->x1 = c->x0 + 1;
	}
	if (!(c->y1 > 0))
		c->y1 = 1;
	if (c->p->tick) {
		c->x0 = -0.5;
		c->x1 = c->p->n_ticks - 0.5;
	}
	/* The beginning belongs to it, if it is near; and the end, to its tick. */
	if (c->x0 > 0 && c->x0 < c->x1 / 10)
		c->x0 = 0;
	step = plot_step(c->x1 - c->x0, X_TICKS);
	if (ceil(c->x1 / step) * step - c->x1 < (c->x1 - c->x0) / 50)
		c->x1 = ceil(c->x1 / step) * step;
	step = plot_step(c->y1, Y_TICKS);
	c->y1 = ceil(c->y1 / step - 1e-9) * step;
}

static void text(FILE *to, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<': fputs("&lt;", to); break;
		case '>': fputs("&gt;", to); break;
		case '&': fputs("&amp;", to); break;
		default: fputc(*s, to); break;
		}
	}
}

static void label(const struct chart *c, double x, double y, const char *how,
		  const char *s)
{
	fprintf(c->to, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, how);
	text(c->to, s);
	fputs("</text>\n", c->to);
}

static void grid_line(const struct chart *c, double xa, double ya, double xb, double yb)
{
	fprintf(c->to,
		"<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\" fill=\"none\"/>\n", xa,
		ya, xb, yb);
}

static void x_tick(const struct chart *c, double at, const char *name)
{
	double x = x_at(c, at);

	grid_line(c, x, TOP, x, TOP + ROWS);
	label(c, x, TOP + ROWS + 18, "text-anchor=\"middle\"", name);
}

static void x_axis(const struct chart *c)
{
	double step = plot_step(c->x1 - c->x0, X_TICKS);
	char number[32];

	for (unsigned i = 0; i < c->p->n_ticks; i++)
		x_tick(c, i, c->p->tick[i]);
	if (c->p->tick)
		return;
	for (double i = ceil(c->x0 / step); i * step <= c->x1 + step * 1e-9; i++) {
		snprintf(number, sizeof(number), "%g", i * step);
		x_tick(c, i * step, number);
	}
}

static void axes(const struct chart *c)
{
	double step = plot_step(c->y1, Y_TICKS);
	char number[32];

	x_axis(c);
	for (double i = 0; i * step <= c->y1 + step * 1e-9; i++) {
		double y = y_at(c, i * step);

		grid_line(c, LEFT, y, LEFT + COLUMNS, y);
		snprintf(number, sizeof(number), "%g", i * step);
		label(c, LEFT - 8, y + 4, "text-anchor=\"end\"", number);
	}
	fprintf(c->to,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
		"stroke=\"#444\"/>\n",
		LEFT, TOP, COLUMNS, ROWS);
	label(c, LEFT + COLUMNS / 2.0, HEIGHT - 12, "text-anchor=\"middle\"",
	      c->p->x_name);
	fprintf(c->to, "<g transform=\"translate(18 %.1f) rotate(-90)\">\n",
		TOP + ROWS / 2.0);
	label(c, 0, 0, "text-anchor=\"middle\"", c->p->y_name);
	fputs("</g>\n", c->to);
	label(c, LEFT, 22, "font-size=\"15\" font-weight=\"bold\"", c->p->title);
}

/* Of points in one column of pixels the least and the greatest are enough. */
static void points(const struct chart *c, const struct plot_series *s)
{
	bool step = s->style != PLOT_LINE;

	for (unsigned i = 0; i < s->n;) {
		double x = x_at(c, s->x[i]), column = floor(x), low = s->y[i], high = low;
		double last = low, first = low;

		for (; i < s->n && floor(x_at(c, s->x[i])) == column; i++) {
			low = fmin(low, s->y[i]);
			high = fmax(high, s->y[i]);
			last = s->y[i];
		}
		if (x > LEFT + 1e-9 && step && fputc('H', c->to) != EOF)
			fprintf(c->to, "%.1f", x);
		fprintf(c->to, "L%.1f %.1f", x, y_at(c, first));
		if (low < first)
			fprintf(c->to, "L%.1f %.1f", x, y_at(c, low));
		if (high > first || (high > last && low < first))
			fprintf(c->to, "L%.1f %.1f", x, y_at(c, high));
		if (last < high || last > low)
			fprintf(c->to, "L%.1f %.1f", x, y_at(c, last));
	}
}

static void draw_line(const struct chart *c, const struct plot_series *s,
		      const char *colour)
{
	if (!s->n)
		return;
	fprintf(c->to,
		"<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s "
		"d=\"M%.1f %.1f",
		colour, s->style == PLOT_DASH ? "0.8" : "1.4",
		s->style == PLOT_DASH ? " stroke-dasharray=\"4 3\"" : "",
		x_at(c, s->x[0]), y_at(c, s->y[0]));
	points(c, s);
	fputs("\"/>\n", c->to);
}

static void draw_marks(const struct chart *c, const struct plot_series *s,
		       const char *colour)
{
	double last_x = -1, last_y = -1;

	fprintf(c->to, "<path fill=\"none\" stroke=\"%s\" d=\"", colour);
	for (unsigned i = 0; i < s->n; i++) {
		double x = round(x_at(c, s->x[i])), y = round(y_at(c, s->y[i]));

		if (x == last_x && y == last_y)
			continue;
		last_x = x;
		last_y = y;
		fprintf(c->to, "M%g %gl6 6m0 -6l-6 6", x - 3, y - 3);
	}
	fputs("\"/>\n", c->to);
}

static void legend(const struct chart *c, unsigned row, const char *colour,
		   const char *name)
{
	double y = TOP + 10 + row * 19.0;

	fprintf(c->to, "<path d=\"M%d %.1fh18\" stroke=\"%s\" stroke-width=\"3\"/>\n",
		LEFT + COLUMNS + 12, y, colour);
	label(c, LEFT + COLUMNS + 36, y + 4, "", name);
}

static bool has_legend(const struct plot *p, unsigned i)
{
	const struct plot_series *s = &p->series[i];

	if (s->style == PLOT_DASH)
		return false;
	/* All marks look alike: the first tells. */
	for (unsigned k = 0; k < i && s->style == PLOT_MARK; k++)
		if (p->series[k].style == PLOT_MARK)
			return false;
	return true;
}

static void draw(const struct chart *c)
{
	unsigned n = 0, row = 0;

	for (unsigned i = 0; i < c->p->n; i++) {
		const struct plot_series *s = &c->p->series[i];
		const char *colour;

		n += s->style != PLOT_DASH && s->style != PLOT_MARK;
		colour = colours[(n ? n - 1 : 0) % ARRAY_LEN(colours)];
		if (s->style == PLOT_MARK)
			draw_marks(c, s, colour = MARK_COLOUR);
		else
			draw_line(c, s, colour);
		if (!has_legend(c->p, i))
			continue;
		if (row < PLOT_LEGEND_MAX)
			legend(c, row, colour, s->name);
		else if (row == PLOT_LEGEND_MAX)
			legend(c, row, "none", "and more");
		row++;
	}
}

void plot_write(const struct plot *p, FILE *to)
{
	struct chart c = { .p = p, .to = to };

	find_range(&c);
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	axes(&c);
	draw(&c);
	fputs("</svg>\n", to);
}
