/*
 * Statements of studies: what varies, and the tables of what came of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/metric.h"
#include "apps/pbsim/scene.h"
#include "tcp/cc.h"

enum { DIGITS = 2, DIGITS_MAX = 6 };

static int add_value(struct scene *sc, struct scene_vary *v, unsigned line,
		     const char *value)
{
	const char **grown = realloc(v->value, (v->n + 1) * sizeof(char *));
	const char *kept = scene_keep(sc, value);

	if (grown)
		v->value = grown;
	if (!grown || !kept)
		return scene_fail(sc, line, "no memory");
	v->value[v->n++] = kept;
	return 0;
}

/* "@cc" stands for every congestion control that there is. */
static int add_all_cc(struct scene *sc, struct scene_vary *v, unsigned line)
{
	int err = 0;

	for (unsigned i = 0; cc_at(i) && !err; i++)
		err = add_value(sc, v, line, cc_at(i)->name);
	return err;
}

static int find_vary(const struct scene *sc, const char *name)
{
	for (unsigned i = 0; i < sc->n_vary; i++)
		if (strcmp(sc->vary[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* "vary NAME VALUE ..." */
static int read_vary(struct scene *sc, const struct scene_stmt *st)
{
	struct scene_vary *v = &sc->vary[sc->n_vary];
	const char *fixed;
	int err = 0;

	if (st->n_words < 3)
		return scene_fail(sc, st->line, "vary NAME VALUE ... is meant");
	if (sc->n_vary == SCENE_VARY_MAX)
		return scene_fail(sc, st->line, "more than %d vary", SCENE_VARY_MAX);
	if (find_vary(sc, st->word[1]) >= 0)
		return scene_fail(sc, st->line, "%s varies already", st->word[1]);
	*v = (struct scene_vary){ .name = st->word[1] };
	sc->n_vary++;
	fixed = scene_var(&sc->fixed, v->name, strlen(v->name));
	if (fixed)
		return add_value(sc, v, st->line, fixed);
	for (unsigned i = 2; i < st->n_words && !err; i++)
		err = strcmp(st->word[i], "@cc") == 0 ?
			      add_all_cc(sc, v, st->line) :
			      add_value(sc, v, st->line, st->word[i]);
	return err;
}

/* The number of what varies under the name of word @i. */
static int varying(struct scene *sc, const struct scene_stmt *st, unsigned i, int *number)
{
	const char *name = i < st->n_words ? st->word[i] : "nothing";

	*number = find_vary(sc, name);
	return *number < 0 ? scene_fail(sc, st->line, "%s does not vary", name) : 0;
}

static int read_values(struct scene *sc, struct scene_table *t, unsigned *i)
{
	const struct scene_stmt *st = t->stmt;

	for (; *i < st->n_words && strcmp(st->word[*i], "rows") != 0; ++*i) {
		const char *value = st->word[*i];

		if (t->n_values == SCENE_VARY_MAX)
			return scene_fail(sc, st->line, "more than %d values",
					  SCENE_VARY_MAX);
		if (!metric_known(value))
			return scene_fail(sc, st->line, "\"%.40s\" is none of: %s", value,
					  metric_names());
		t->value[t->n_values++] = value;
	}
	return t->n_values ? 0 : scene_fail(sc, st->line, "a table of nothing");
}

static int read_digits(struct scene *sc, struct scene_table *t, unsigned i)
{
	const struct scene_stmt *st = t->stmt;
	const char *text = i < st->n_words ? st->word[i] : "";

	if (strlen(text) != 1 || text[0] < '0' || text[0] > '0' + DIGITS_MAX)
		return scene_fail(sc, st->line, "digits: 0 to %d are meant", DIGITS_MAX);
	t->digits = (unsigned)(text[0] - '0');
	return 0;
}

/* "table VALUE ... rows NAME ... [columns NAME] [digits N]" */
static int read_table(struct scene *sc, const struct scene_stmt *st)
{
	struct scene_table *t = &sc->table[sc->n_tables];
	unsigned i = 1;
	int err, number;

	if (sc->n_tables == SCENE_TABLES_MAX)
		return scene_fail(sc, st->line, "more than %d tables", SCENE_TABLES_MAX);
	*t = (struct scene_table){ .stmt = st, .column = -1, .digits = DIGITS };
	sc->n_tables++;
	err = read_values(sc, t, &i);
	for (i++; i < st->n_words && !err; i++) {
		if (strcmp(st->word[i], "columns") == 0) {
			err = varying(sc, st, ++i, &t->column);
		} else if (strcmp(st->word[i], "digits") == 0) {
			err = read_digits(sc, t, ++i);
		} else {
			err = varying(sc, st, i, &number);
			if (!err && t->n_rows == SCENE_VARY_MAX)
				err = scene_fail(sc, st->line, "too many rows");
			if (!err)
				t->row[t->n_rows++] = (unsigned)number;
		}
	}
	if (!err && t->n_rows + (t->column >= 0) != sc->n_vary)
		err = scene_fail(sc, st->line,
				 "all that varies must be rows or columns, once");
	return err;
}

int scene_read_study(struct scene *sc)
{
	uint64_t n_runs = 1;
	int err = 0;

	for (unsigned i = 0; i < sc->n_stmts && !err; i++)
		if (strcmp(sc->stmt[i].word[0], "vary") == 0)
			err = read_vary(sc, &sc->stmt[i]);
	for (unsigned i = 0; i < sc->n_stmts && !err; i++)
		if (strcmp(sc->stmt[i].word[0], "table") == 0)
			err = read_table(sc, &sc->stmt[i]);
	for (unsigned i = 0; i < sc->n_vary && !err; i++) {
		n_runs *= sc->vary[i].n;
		if (n_runs > SCENE_RUNS_MAX)
			err = scene_fail(sc, 0, "more than %d runs", SCENE_RUNS_MAX);
	}
	return err;
}

void scene_first(struct scene *sc)
{
	for (unsigned i = 0; i < sc->n_vary; i++)
		sc->vary[i].at = 0;
}

bool scene_next(struct scene *sc)
{
	for (unsigned i = sc->n_vary; i-- > 0;) {
		if (++sc->vary[i].at < sc->vary[i].n)
			return true;
		sc->vary[i].at = 0;
	}
	return false;
}
