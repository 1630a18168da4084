#include "apps/pbsim/scene.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int scene_fail(struct scene *sc, unsigned line, const char *format, ...)
{
	size_t n;
	va_list args;

	n = (size_t)snprintf(sc->error, sizeof(sc->error),
			     "%.200s:%u: ", sc->path ? sc->path : "-D", line);
	va_start(args, format);
	vsnprintf(sc->error + n, sizeof(sc->error) - n, format, args);
	va_end(args);
	return -EINVAL;
}

const char *scene_keep(struct scene *sc, const char *text)
{
	char **kept = realloc(sc->kept, (sc->n_kept + 1) * sizeof(char *));
	char *copy = strdup(text);

	if (kept)
		sc->kept = kept;
	if (!kept || !copy) {
		free(copy);
		return NULL;
	}
	sc->kept[sc->n_kept++] = copy;
	return copy;
}

/* ---- variables ---- */

const char *scene_var(const struct scene_vars *vars, const char *name, size_t len)
{
	for (unsigned i = vars->n; i-- > 0;)
		if (strlen(vars->var[i].name) == len &&
		    memcmp(vars->var[i].name, name, len) == 0)
			return vars->var[i].value;
	return NULL;
}

static bool is_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return isalpha((unsigned char)name[0]);
}

int scene_set(struct scene *sc, struct scene_vars *vars, unsigned line, const char *name,
	      const char *value)
{
	if (!is_name(name))
		return scene_fail(sc, line, "\"%.40s\" cannot be a variable's name",
				  name);
	if (vars->n == SCENE_VARS_MAX)
		return scene_fail(sc, line, "more than %d variables", SCENE_VARS_MAX);
	name = scene_keep(sc, name);
	value = scene_keep(sc, value);
	if (!name || !value)
		return scene_fail(sc, line, "no memory");
	vars->var[vars->n++] = (struct scene_var){ name, value };
	return 0;
}

int scene_define(struct scene *sc, const char *text)
{
	const char *equals = strchr(text, '=');
	char name[SCENE_WORD_MAX];

	if (!equals || (size_t)(equals - text) >= sizeof(name))
		return scene_fail(sc, 0, "\"%.60s\" is not NAME=VALUE", text);
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = 0;
	return scene_set(sc, &sc->fixed, 0, name, equals + 1);
}

int scene_word(struct scene *sc, const struct scene_vars *vars,
	       const struct scene_stmt *st, unsigned i, char out[static SCENE_WORD_MAX])
{
	const char *p = st->word[i];
	size_t n = 0;

	while (*p) {
		const char *value = p, *end = p + 1;
		size_t len = 1;

		if (*p == '$') {
			while (isalnum((unsigned char)*end) || *end == '_')
				end++;
			value = scene_var(vars, p + 1, (size_t)(end - p - 1));
			if (!value)
				return scene_fail(sc, st->line, "%.*s has no value",
						  (int)(end - p), p);
			len = strlen(value);
		}
		if (n + len >= SCENE_WORD_MAX)
			return scene_fail(sc, st->line, "a word of more than %d letters",
					  SCENE_WORD_MAX - 1);
		memcpy(out + n, value, len);
		n += len;
		p = end;
	}
	out[n] = 0;
	return 0;
}

/* ---- the file ---- */

static struct scene_stmt *new_stmt(struct scene *sc, unsigned line)
{
	if (sc->n_stmts == sc->stmts_room) {
		unsigned room = sc->stmts_room ? 2 * sc->stmts_room : 64;
		struct scene_stmt *grown = realloc(sc->stmt, room * sizeof(*grown));

		if (!grown)
			return NULL;
		sc->stmt = grown;
		sc->stmts_room = room;
	}
	sc->stmt[sc->n_stmts] = (struct scene_stmt){ .line = line };
	return &sc->stmt[sc->n_stmts++];
}

static int add_word(struct scene *sc, struct scene_stmt *st, char *word)
{
	if (st->n_words == SCENE_WORDS_MAX)
		return scene_fail(sc, st->line, "more than %d words", SCENE_WORDS_MAX);
	if (!st->word)
		st->word = calloc(SCENE_WORDS_MAX, sizeof(char *));
	if (!st->word)
		return scene_fail(sc, st->line, "no memory");
	st->word[st->n_words++] = word;
	return 0;
}

/* One line, which may hold several statements. */
static int read_line(struct scene *sc, char *text, unsigned line)
{
	struct scene_stmt *st = NULL;
	char *save = NULL;
	int err = 0;

	text[strcspn(text, "#")] = 0;
	for (char *part = strtok_r(text, ";", &save); part && !err;
	     part = strtok_r(NULL, ";", &save)) {
		char *save_word = NULL;

		st = NULL;
		for (char *w = strtok_r(part, " \t\r", &save_word); w && !err;
		     w = strtok_r(NULL, " \t\r", &save_word)) {
			if (!st)
				st = new_stmt(sc, line);
			err = st ? add_word(sc, st, w) :
				   scene_fail(sc, line, "no memory");
		}
	}
	return err;
}

static int read_file(struct scene *sc)
{
	FILE *f = fopen(sc->path, "rb");
	size_t n;

	if (!f) {
		snprintf(sc->error, sizeof(sc->error), "%.200s: %s", sc->path,
			 strerror(errno));
		return -errno;
	}
	sc->text = malloc(SCENE_FILE_MAX + 1);
	n = sc->text ? fread(sc->text, 1, SCENE_FILE_MAX + 1, f) : 0;
	fclose(f);
	if (!sc->text)
		return scene_fail(sc, 0, "no memory");
	if (n > SCENE_FILE_MAX)
		return scene_fail(sc, 0, "longer than %d bytes", SCENE_FILE_MAX);
	sc->text[n] = 0;
	if (memchr(sc->text, 0, n))
		return scene_fail(sc, 0, "has a NUL, and is no text");
	return 0;
}

int scene_load(struct scene *sc, const char *path)
{
	unsigned line = 1;
	int err;

	sc->path = strdup(path);
	if (!sc->path)
		return -ENOMEM;
	err = read_file(sc);
	for (char *p = sc->text; p && !err; line++) {
		char *end = strchr(p, '\n');

		if (end)
			*end = 0;
		err = read_line(sc, p, line);
		p = end ? end + 1 : NULL;
	}
	return err ? err : scene_read_study(sc);
}

struct scene *scene_new(void)
{
	return calloc(1, sizeof(struct scene));
}

void scene_free(struct scene *sc)
{
	for (unsigned i = 0; i < sc->n_stmts; i++)
		free(sc->stmt[i].word);
	for (unsigned i = 0; i < sc->n_vary; i++)
		free(sc->vary[i].value);
	for (unsigned i = 0; i < sc->n_kept; i++)
		free(sc->kept[i]);
	free(sc->kept);
	free(sc->stmt);
	free(sc->text);
	free(sc->path);
	free(sc);
}
