/*
 * Statements become a simulation.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/keys.h"
#include "apps/pbsim/scene_words.h"
#include "apps/pbsim/value.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static int build_fail(const struct build *b)
{
	return scene_fail(b->sc, b->st->line, "%s", pbsim_error(b->run->sim));
}

/* ---- what there is ---- */

static int do_host(struct build *b)
{
	struct pbsim_host conf;
	struct names names;
	int err = words_names(b, 1, &names);

	if (!err)
		err = words_host(b, &conf);
	if (!err && conf.addr && names.n > 1)
		err = scene_fail(b->sc, b->st->line, "one address for %u hosts", names.n);
	for (unsigned i = 0; i < names.n && !err; i++)
		if (pbsim_host(b->run->sim, names.name[i], &conf))
			err = build_fail(b);
	free(names.name);
	return err;
}

static int do_router(struct build *b)
{
	struct names names;
	int err = words_names(b, 1, &names);

	if (!err && b->st->n_words > 2)
		err = scene_fail(b->sc, b->st->line, "\"%.40s\" is too much",
				 b->st->word[2]);
	for (unsigned i = 0; i < names.n && !err; i++)
		if (pbsim_router(b->run->sim, names.name[i]))
			err = build_fail(b);
	free(names.name);
	return err;
}

static int do_link(struct build *b)
{
	struct names from, to = { 0 };
	struct pbsim_line line[2];
	unsigned n = 0;
	int err = words_pairs(b, 1, &from, &to, &n);

	if (!err)
		err = words_link(b, 3, line);
	for (unsigned i = 0; i < n && !err; i++)
		if (pbsim_link(b->run->sim, words_name(&from, i), words_name(&to, i),
			       &line[0], &line[1]))
			err = build_fail(b);
	free(from.name);
	free(to.name);
	return err;
}

static int do_flow(struct build *b, enum pbsim_kind kind)
{
	struct names from, to = { 0 };
	struct pbsim_flow flow;
	unsigned n = 0;
	int err = words_pairs(b, 1, &from, &to, &n);

	if (!err)
		err = words_flow(b, kind, &flow);
	for (unsigned i = 0; i < n && !err; i++) {
		flow.from = words_name(&from, i);
		flow.to = words_name(&to, i);
		if (pbsim_flow(b->run->sim, &flow))
			err = build_fail(b);
	}
	free(from.name);
	free(to.name);
	return err;
}

static int do_bulk(struct build *b)
{
	return do_flow(b, PBSIM_BULK);
}

static int do_rr(struct build *b)
{
	return do_flow(b, PBSIM_RR);
}

static int do_onoff(struct build *b)
{
	return do_flow(b, PBSIM_ONOFF);
}

static int do_mail(struct build *b)
{
	return do_flow(b, PBSIM_MAIL);
}

/* ---- what holds for all ---- */

static int one_value(struct build *b, enum key_kind kind, uint64_t *to)
{
	const struct key keys[] = { { b->st->word[0], kind, 0, 0 }, { NULL, 0, 0, 0 } };
	struct keys k = { .sc = b->sc, .vars = &b->run->vars, .stmt = b->st };

	return keys_read(&k, keys, to);
}

static int do_seed(struct build *b)
{
	return one_value(b, KEY_COUNT, &b->run->seed);
}

static int do_time(struct build *b)
{
	return one_value(b, KEY_TIME, &b->run->time_ns);
}

static int do_warm(struct build *b)
{
	return one_value(b, KEY_TIME, &b->run->warm_ns);
}

/* "set NAME VALUE", unless the command line says it or it varies. */
static int do_set(struct build *b)
{
	char value[SCENE_WORD_MAX];
	int err = words_at(b, 2, "set: NAME or VALUE", value);

	if (err)
		return err;
	if (b->st->n_words > 3)
		return scene_fail(b->sc, b->st->line, "\"%.40s\" is too much",
				  b->st->word[3]);
	if (scene_var(&b->sc->fixed, b->st->word[1], strlen(b->st->word[1])))
		return 0;
	for (unsigned i = 0; i < b->sc->n_vary; i++)
		if (strcmp(b->sc->vary[i].name, b->st->word[1]) == 0)
			return scene_fail(b->sc, b->st->line, "%s varies",
					  b->st->word[1]);
	return scene_set(b->sc, &b->run->vars, b->st->line, b->st->word[1], value);
}

/* "at TIME link A B KEYS": from then on the line is that. */
static int do_at(struct build *b)
{
	struct scene_run *run = b->run;
	char at[SCENE_WORD_MAX];
	uint64_t at_ns;
	int err = words_at(b, 1, "a time", at);

	if (err)
		return err;
	if (!value_time(at, &at_ns))
		return scene_fail(b->sc, b->st->line, "\"%.40s\" is not a time", at);
	if (b->st->n_words < 5 || strcmp(b->st->word[2], "link") != 0)
		return scene_fail(b->sc, b->st->line, "at TIME link A B ... is meant");
	if (run->n_changes == SCENE_CHANGES_MAX)
		return scene_fail(b->sc, b->st->line, "more than %d changes",
				  SCENE_CHANGES_MAX);
	if (run->n_changes && run->change[run->n_changes - 1].at_ns > at_ns)
		return scene_fail(b->sc, b->st->line,
				  "earlier than the change before it");
	run->change[run->n_changes++] = (struct scene_change){ at_ns, b->st };
	return 0;
}

static int do_nothing(struct build *b)
{
	(void)b;
	return 0;
}

static const struct statement {
	const char *name;
	bool early; /* read before there is a simulation */
	int (*run)(struct build *b);
} statements[] = {
	{ "set", true, do_set },	{ "seed", true, do_seed },
	{ "time", true, do_time },	{ "warm", true, do_warm },
	{ "at", true, do_at },		{ "vary", true, do_nothing },
	{ "table", true, do_nothing },	{ "host", false, do_host },
	{ "router", false, do_router }, { "link", false, do_link },
	{ "bulk", false, do_bulk },	{ "rr", false, do_rr },
	{ "onoff", false, do_onoff },	{ "mail", false, do_mail },
};

static int run_statement(struct build *b, bool early)
{
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (strcmp(statements[i].name, b->st->word[0]) == 0)
			return statements[i].early == early ? statements[i].run(b) : 0;
	return scene_fail(b->sc, b->st->line, "\"%.40s\" is no statement",
			  b->st->word[0]);
}

static int run_all(struct scene_run *run, bool early)
{
	struct scene *sc = run->scene;
	int err = 0;

	for (unsigned i = 0; i < sc->n_stmts && !err; i++) {
		struct build b = { sc, run, &sc->stmt[i] };

		err = run_statement(&b, early);
	}
	return err;
}

static int settings(struct scene_run *run)
{
	struct scene *sc = run->scene;
	int err = 0;

	run->vars = sc->fixed;
	for (unsigned i = 0; i < sc->n_vary && !err; i++)
		err = scene_set(sc, &run->vars, 0, sc->vary[i].name,
				sc->vary[i].value[sc->vary[i].at]);
	if (!err)
		err = run_all(run, true);
	if (!err && run->warm_ns >= run->time_ns)
		err = scene_fail(sc, 0, "the warm-up is longer than the time");
	return err;
}

int scene_build(struct scene *sc, struct scene_run *run)
{
	int err;

	*run = (struct scene_run){ .scene = sc, .seed = 1, .time_ns = 60 * NS_PER_S };
	err = settings(run);
	if (err)
		return err;
	run->sim = pbsim_new(run->seed);
	if (!run->sim)
		return scene_fail(sc, 0, "no memory");
	err = run_all(run, false);
	if (!err && pbsim_n_flows(run->sim) == 0)
		err = scene_fail(sc, 0, "there is no flow");
	return err;
}
