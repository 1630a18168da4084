#include "apps/packetboat/table.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *cells[TABLE_COLUMNS_MAX];
	size_t n;
};

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_lines; i++)
		free(t->lines[i]);
	free(t->lines);
	*t = (struct table){ 0 };
}

void table_add(void *arg, const char *line)
{
	struct table *t = arg;

	if (t->n_lines == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char **bigger = realloc(t->lines, room * sizeof(*bigger));

		if (!bigger) {
			t->failed = true;
			return;
		}
		t->lines = bigger;
		t->room = room;
	}
	t->lines[t->n_lines] = strdup(line);
	if (t->lines[t->n_lines])
		t->n_lines++;
	else
		t->failed = true;
}

/* Cuts a copy of the line into cells; the copy is to free(). */
static char *cut(const char *line, struct row *row)
{
	char *copy = strdup(line), *at = copy;

	row->n = 0;
	while (at && row->n < TABLE_COLUMNS_MAX)
		row->cells[row->n++] = strsep(&at, "\t");
	return copy;
}

static bool wanted(const struct row *row, const char *pattern)
{
	return row->n > 0 && (!pattern || fnmatch(pattern, row->cells[0], 0) == 0);
}

static bool is_number(const char *cell)
{
	size_t len = strlen(cell);

	/* JSON has no leading zeros, and readers no more than 19 digits. */
	return len > 0 && len < 20 && strspn(cell, "0123456789") == len &&
	       (cell[0] != '0' || len == 1);
}

static void put_json_text(const char *text, FILE *to)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void put_json(const struct row *head, const struct row *row, bool first, FILE *to)
{
	fputs(first ? "[\n  {" : ",\n  {", to);
	for (size_t i = 0; i < row->n && i < head->n; i++) {
		fputs(i > 0 ? ", " : "", to);
		put_json_text(head->cells[i], to);
		fputs(": ", to);
		if (is_number(row->cells[i]))
			fputs(row->cells[i], to);
		else
			put_json_text(row->cells[i], to);
	}
	fputc('}', to);
}

/* Numbers to the right, texts to the left, nothing behind the last column. */
static void put_aligned(const struct row *row, const size_t *widths, FILE *to)
{
	for (size_t i = 0; i < row->n; i++) {
		int width = (int)widths[i];

		if (i + 1 == row->n && !is_number(row->cells[i]))
			width = 0;
		fprintf(to, "%s%*s", i > 0 ? "  " : "",
			is_number(row->cells[i]) ? width : -width, row->cells[i]);
	}
	fputc('\n', to);
}

static void measure(const struct row *row, size_t *widths)
{
	for (size_t i = 0; i < row->n; i++)
		if (strlen(row->cells[i]) > widths[i])
			widths[i] = strlen(row->cells[i]);
}

struct printing {
	const char *pattern;
	bool json;
	FILE *to;
	struct row head;
	size_t widths[TABLE_COLUMNS_MAX];
	size_t n; /* rows printed */
};

static void put_row(struct printing *pr, const struct row *row)
{
	if (pr->json)
		put_json(&pr->head, row, pr->n == 0, pr->to);
	else
		put_aligned(row, pr->widths, pr->to);
	pr->n++;
}

static void each_row(const struct table *t, struct printing *pr, bool print)
{
	for (size_t i = 1; i < t->n_lines; i++) {
		struct row row;
		char *text = cut(t->lines[i], &row);

		if (wanted(&row, pr->pattern)) {
			if (print)
				put_row(pr, &row);
			else
				measure(&row, pr->widths);
		}
		free(text);
	}
}

size_t table_print(const struct table *t, const char *pattern, bool json, FILE *to)
{
	struct printing pr = { .pattern = pattern, .json = json, .to = to };
	char *head_text = cut(t->n_lines > 0 ? t->lines[0] : "", &pr.head);

	measure(&pr.head, pr.widths);
	each_row(t, &pr, false);
	if (!json)
		put_aligned(&pr.head, pr.widths, to);
	each_row(t, &pr, true);
	if (json)
		fputs(pr.n > 0 ? "\n]\n" : "[]\n", to);
	free(head_text);
	return pr.n;
}
