#include "apps/lib/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/str.h"
#include "stack/base/check.h"

enum { QUOTE_LEN = 64, PLACE_LEN = 512 };

/* One reading of a file. */
struct reading {
	struct conf *conf;
	FILE *file;
	unsigned line;
	bool others_too;
	int error;
};

static void *value_of(const struct conf *c, const struct conf_opt *opt)
{
	return (char *)c->values + opt->offset;
}

static const char *quote(const char *text, char out[static QUOTE_LEN])
{
	size_t n = 0;

	for (; text[n] && n < QUOTE_LEN - 4; n++)
		out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	strcpy(out + n, text[n] ? "..." : "");
	return out;
}

const char *conf_number_text(uint64_t n, char out[static CONF_NUMBER_LEN])
{
	static const char units[] = { '\0', 'K', 'M', 'G', 'T' };
	unsigned unit = 0;

	while (n > 0 && n % 1024 == 0 && unit < ARRAY_LEN(units) - 1) {
		n /= 1024;
		unit++;
	}
	snprintf(out, CONF_NUMBER_LEN, "%llu%c", (unsigned long long)n, units[unit]);
	return out;
}

/* Digits and at most one unit, of either case. */
static bool parse_number(const char *text, uint64_t *n)
{
	static const char units[] = "KkMmGgTt";
	struct str digits = str_of(text);
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t sum;

	if (digits.len > 0)
		unit = memchr(units, digits.p[digits.len - 1], sizeof(units) - 1);
	if (unit) {
		digits.len--;
		shift = 10 * ((unsigned)(unit - units) / 2 + 1);
	}
	if (!str_to_u64(digits, &sum) || sum > UINT64_MAX >> shift)
		return false;
	*n = sum << shift;
	return true;
}

/* "FILE:12", "--net". */
static const char *place(const struct conf *c, size_t i, char out[static PLACE_LEN])
{
	if (c->where[i])
		snprintf(out, PLACE_LEN, "%s", c->where[i]);
	else if (c->lines[i])
		snprintf(out, PLACE_LEN, "%s:%u", c->path, c->lines[i]);
	else
		snprintf(out, PLACE_LEN, "%s", c->path ? c->path : "configuration");
	return out;
}

/* "FILE:12: smtp.listen is 'x'; allowed: ...". */
static int refuse(struct conf *c, size_t i, const char *value, const char *allowed)
{
	const struct conf_opt *opt = &c->opts[i];
	char at[PLACE_LEN], quoted[QUOTE_LEN];

	snprintf(c->error, sizeof(c->error), "%s: %s%s%s is '%s'; allowed: %s",
		 place(c, i, at), opt->section, *opt->section ? "." : "", opt->name,
		 quote(value, quoted), allowed);
	return -EINVAL;
}

static int put_number(struct conf *c, size_t i, const char *value)
{
	const struct conf_opt *opt = &c->opts[i];
	char least[CONF_NUMBER_LEN], most[CONF_NUMBER_LEN], allowed[64];
	uint64_t n;

	if (parse_number(value, &n) && n >= opt->least && n <= opt->most) {
		memcpy(value_of(c, opt), &n, sizeof(n));
		return 0;
	}
	snprintf(allowed, sizeof(allowed), "%s to %s",
		 conf_number_text(opt->least, least), conf_number_text(opt->most, most));
	return refuse(c, i, value, allowed);
}

static int put_bool(struct conf *c, size_t i, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return refuse(c, i, value, "yes, no");
	memcpy(value_of(c, &c->opts[i]), &yes, sizeof(yes));
	return 0;
}

static int no_memory(struct conf *c)
{
	snprintf(c->error, sizeof(c->error), "no memory");
	return -ENOMEM;
}

static int put_text(struct conf *c, size_t i, const char *value)
{
	const struct conf_opt *opt = &c->opts[i];
	char **to = value_of(c, opt);
	char *copy;

	if (!*value || (opt->ok && !opt->ok(value)))
		return refuse(c, i, value, opt->ok ? opt->allowed : "some text");
	copy = strdup(value);
	if (!copy)
		return no_memory(c);
	free(*to);
	*to = copy;
	return 0;
}

static int put_item(struct conf *c, size_t i, struct str item)
{
	const struct conf_opt *opt = &c->opts[i];
	struct conf_list *list = value_of(c, opt);
	char *copy = str_dup(item);
	int r = 0;

	if (!copy)
		return no_memory(c);
	if (!*copy || (opt->ok && !opt->ok(copy)))
		r = refuse(c, i, copy,
			   opt->ok ? opt->allowed : "texts with commas between");
	else if (list->n == CONF_LIST_MAX)
		r = refuse(c, i, copy, "64 values at most");
	if (r < 0) {
		free(copy);
		return r;
	}
	list->at[list->n++] = copy;
	return 0;
}

_Static_assert(CONF_LIST_MAX == 64, "the message says so");

static void clear_list(struct conf_list *list)
{
	while (list->n > 0)
		free(list->at[--list->n]);
}

static int put_list(struct conf *c, size_t i, const char *value)
{
	struct str rest = str_of(value);
	int r;

	do {
		/* Also behind a last comma there must be something. */
		bool more = memchr(rest.p, ',', rest.len) != NULL;

		r = put_item(c, i, str_trim(str_cut(rest, ',', &rest)));
		if (r == 0 && !more)
			return 0;
	} while (r == 0);
	return r;
}

static int put(struct conf *c, size_t i, const char *value)
{
	switch (c->opts[i].kind) {
	case CONF_TEXT: return put_text(c, i, value);
	case CONF_NUMBER: return put_number(c, i, value);
	case CONF_BOOL: return put_bool(c, i, value);
	case CONF_LIST: return put_list(c, i, value);
	}
	return -EINVAL;
}

static int put_initial(struct conf *c, size_t i)
{
	const struct conf_opt *opt = &c->opts[i];

	if (opt->kind == CONF_NUMBER)
		memcpy(value_of(c, opt), &opt->initial_n, sizeof(opt->initial_n));
	else if (opt->initial)
		return put(c, i, opt->initial);
	return 0;
}

int conf_init(struct conf *c, const struct conf_opt *opts, size_t n_opts, void *values)
{
	*c = (struct conf){ .opts = opts, .n_opts = n_opts, .values = values };
	c->lines = calloc(n_opts, sizeof(*c->lines));
	c->where = calloc(n_opts, sizeof(*c->where));
	for (size_t i = 0; i < n_opts; i++)
		if (opts[i].kind == CONF_LIST)
			*(struct conf_list *)value_of(c, &opts[i]) =
				(struct conf_list){ 0 };
		else if (opts[i].kind == CONF_TEXT)
			*(char **)value_of(c, &opts[i]) = NULL;
		else if (opts[i].kind == CONF_BOOL)
			*(bool *)value_of(c, &opts[i]) = false;
	for (size_t i = 0; i < n_opts; i++)
		if (!c->lines || !c->where || put_initial(c, i) < 0) {
			conf_fini(c);
			return -ENOMEM;
		}
	return 0;
}

void conf_fini(struct conf *c)
{
	for (size_t i = 0; i < c->n_opts; i++) {
		const struct conf_opt *opt = &c->opts[i];

		if (opt->kind == CONF_LIST)
			clear_list(value_of(c, opt));
		else if (opt->kind == CONF_TEXT)
			free(*(char **)value_of(c, opt));
	}
	free(c->lines);
	free(c->where);
	*c = (struct conf){ 0 };
}

static bool find(const struct conf *c, const char *section, const char *name, size_t *i)
{
	for (*i = 0; *i < c->n_opts; ++*i)
		if (strcmp(c->opts[*i].section, section) == 0 &&
		    strcmp(c->opts[*i].name, name) == 0)
			return true;
	return false;
}

static bool has_section(const struct conf *c, const char *section)
{
	for (size_t i = 0; i < c->n_opts; i++)
		if (strcmp(c->opts[i].section, section) == 0)
			return true;
	return false;
}

/* ... and the names that there are: sections, or the options of one. */
static int unknown(struct conf *c, const char *at, const char *what, const char *name,
		   const char *section)
{
	char quoted[QUOTE_LEN];
	const char *last = "";
	int n;

	n = snprintf(c->error, sizeof(c->error), "%s: no %s '%s'%s%s; allowed:", at, what,
		     quote(name, quoted), section && *section ? " in section " : "",
		     section ? section : "");
	for (size_t i = 0; i < c->n_opts && n < (int)sizeof(c->error); i++) {
		const char *s = c->opts[i].section;
		bool named = section ? strcmp(s, section) == 0 : strcmp(s, last) != 0;

		last = s;
		if (named)
			n += snprintf(c->error + n, sizeof(c->error) - (size_t)n, " %s",
				      section ? c->opts[i].name : s);
	}
	return -EINVAL;
}

static int fail(struct reading *rd, const char *what, const char *allowed)
{
	snprintf(rd->conf->error, CONF_ERROR_LEN, "%s:%u: %s; allowed: %s",
		 rd->conf->path, rd->line, what, allowed);
	return -EINVAL;
}

static int handle(struct reading *rd, const char *section, const char *name,
		  const char *value)
{
	struct conf *c = rd->conf;
	char at[PLACE_LEN], quoted[QUOTE_LEN], what[128];
	size_t i;

	if (!find(c, section, name, &i)) {
		if (rd->others_too)
			return 0;
		snprintf(at, sizeof(at), "%s:%u", c->path, rd->line);
		return unknown(c, at, "option", name, section);
	}
	if (c->lines[i] && c->opts[i].kind != CONF_LIST) {
		snprintf(what, sizeof(what), "%s%s%s is here again, after line %u",
			 section, *section ? "." : "", quote(name, quoted), c->lines[i]);
		return fail(rd, what, "each option once");
	}
	if (!c->lines[i] && c->opts[i].kind == CONF_LIST)
		clear_list(value_of(c, &c->opts[i])); /* what was there at first */
	c->lines[i] = rd->line;
	return put(c, i, value);
}

/* inih's: nonzero goes on. */
static int handle_one(void *user, const char *section, const char *name,
		      const char *value)
{
	struct reading *rd = user;

	if (rd->error == 0)
		rd->error = handle(rd, section, name, value);
	return rd->error == 0;
}

static int check_section(struct reading *rd, char *line)
{
	const char *name = line + 1;
	char *close = strchr(line, ']');
	char at[PLACE_LEN];

	if (*line != '[')
		return 0;
	if (!close)
		return fail(rd, "a '[' without ']'", "[section]");
	*close = '\0';
	snprintf(at, sizeof(at), "%s:%u", rd->conf->path, rd->line);
	if (*name && (rd->others_too || has_section(rd->conf, name))) {
		*close = ']';
		return 0;
	}
	return unknown(rd->conf, at, "section", name, NULL);
}

/* Reads one line, as fgets() does, and looks at what inih would let pass. */
static char *read_line(char *to, int room, void *stream)
{
	struct reading *rd = stream;
	size_t len;

	if (rd->error || !fgets(to, room, rd->file))
		return NULL;
	rd->line++;
	/* Without blanks in front: to inih, they would continue the line before. */
	memmove(to, to + strspn(to, " \t"), strlen(to + strspn(to, " \t")) + 1);
	len = strlen(to);
	if (len == 0 || (to[len - 1] != '\n' && !feof(rd->file)))
		rd->error = fail(rd, "a line too long or with a NUL byte in it",
				 "197 bytes of text");
	else
		rd->error = check_section(rd, to);
	return rd->error ? NULL : to;
}

static int parse(struct reading *rd)
{
	int line = ini_parse_stream(read_line, rd, handle_one, rd);

	if (rd->error)
		return rd->error;
	if (ferror(rd->file)) {
		snprintf(rd->conf->error, CONF_ERROR_LEN, "%s: %s", rd->conf->path,
			 strerror(errno));
		return -EIO;
	}
	if (line == 0)
		return 0;
	rd->line = (unsigned)line;
	return fail(rd, "neither option, section nor comment",
		    "name = value, [section], # comment");
}

int conf_load(struct conf *c, const char *path, bool others_too)
{
	struct reading rd = { .conf = c, .others_too = others_too };
	int r;

	c->path = path;
	rd.file = fopen(path, "re");
	if (!rd.file) {
		r = -errno;
		snprintf(c->error, sizeof(c->error), "%s: %s", path, strerror(errno));
		return r;
	}
	r = parse(&rd);
	fclose(rd.file);
	return r;
}

int conf_set(struct conf *c, const char *name, const char *value, const char *where)
{
	struct str option, section = str_cut(str_of(name), '.', &option);
	char section_text[64] = "";
	size_t i;

	if (option.len == 0)
		option = section;
	else
		snprintf(section_text, sizeof(section_text), "%.*s", (int)section.len,
			 section.p);
	if (*section_text && !has_section(c, section_text))
		return unknown(c, where, "section", section_text, NULL);
	if (!find(c, section_text, option.p, &i))
		return unknown(c, where, "option", option.p, section_text);
	if (c->opts[i].kind == CONF_LIST)
		clear_list(value_of(c, &c->opts[i]));
	c->where[i] = where;
	return put(c, i, value);
}

static size_t option_at(const struct conf *c, size_t offset)
{
	size_t i = 0;

	while (i < c->n_opts && c->opts[i].offset != offset)
		i++;
	ASSERT(i < c->n_opts);
	return i;
}

int conf_refuse_value(struct conf *c, size_t offset, const char *value,
		      const char *allowed)
{
	return refuse(c, option_at(c, offset), value, allowed);
}

int conf_refuse(struct conf *c, size_t offset, const char *allowed)
{
	char number[CONF_NUMBER_LEN];
	size_t i = option_at(c, offset);
	const char *value = "";

	switch (c->opts[i].kind) {
	case CONF_TEXT: value = *(char **)value_of(c, &c->opts[i]); break;
	case CONF_NUMBER:
		value = conf_number_text(*(uint64_t *)value_of(c, &c->opts[i]), number);
		break;
	case CONF_BOOL: value = *(bool *)value_of(c, &c->opts[i]) ? "yes" : "no"; break;
	case CONF_LIST: break; /* which of them was looked at is not known here */
	}
	return refuse(c, i, value ? value : "", allowed);
}
