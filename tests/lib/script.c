#include "tests/lib/script.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/clock.h"

enum { FILE_MAX = 1 << 20, PEERS_MAX = 9 };

struct in {
	struct script *s;
	unsigned line;
	char *error;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct in *in, const char *format,
							...)
{
	va_list args;
	int n = snprintf(in->error, SCRIPT_ERROR_LEN, "%s:%u: ", in->s->name, in->line);

	va_start(args, format);
	vsnprintf(in->error + n, SCRIPT_ERROR_LEN - (size_t)n, format, args);
	va_end(args);
	return false;
}

static char *skip_space(char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* ---- times ---- */

/* "1.5" in nanoseconds; true, and moves on, when there is such a number. */
static bool take_seconds(char **p, uint64_t *ns)
{
	uint64_t unit = NS_PER_S, v = 0;
	char *at = *p;

	if (!isdigit((unsigned char)*at) && *at != '.')
		return false;
	for (; isdigit((unsigned char)*at); at++)
		v = v * 10 + (uint64_t)(*at - '0') * NS_PER_S;
	/* "0...1" is a range, not a fraction. */
	if (*at == '.' && isdigit((unsigned char)at[1])) {
		for (at++; isdigit((unsigned char)*at); at++) {
			unit /= 10;
			v += (uint64_t)(*at - '0') * unit;
		}
	}
	if (at == *p)
		return false;
	*p = at;
	*ns = v;
	return true;
}

/* "+.1", "0.5", "+0~+.2", "+0...1" */
static bool take_time(struct in *in, char **p, struct script_event *e)
{
	e->relative = **p == '+';
	*p += e->relative;
	if (!take_seconds(p, &e->from_ns))
		return wrong(in, "a line begins with its time: \"%.20s\"", *p);
	e->to_ns = e->from_ns;
	if (**p == '~')
		*p += 1;
	else if (strncmp(*p, "...", 3) == 0)
		*p += 3, e->waits = true;
	else
		return isspace((unsigned char)**p) ||
		       wrong(in, "a blank follows the time: \"%.20s\"", *p);
	*p += **p == '+';
	if (!take_seconds(p, &e->to_ns) || e->to_ns < e->from_ns)
		return wrong(in, "the end of a range is no later time: \"%.20s\"", *p);
	return true;
}

/* ---- lines ---- */

static bool add_event(struct in *in, char *p)
{
	struct script_event e = { .line = in->line, .peer = 1 };

	if (!take_time(in, &p, &e))
		return false;
	p = skip_space(p);
	if (isdigit((unsigned char)*p) && strchr("<>", p[1])) {
		e.peer = (unsigned)(*p++ - '0');
		if (e.peer < 1 || e.peer > PEERS_MAX)
			return wrong(in, "peers are 1 to %d", PEERS_MAX);
	}
	switch (*p) {
	case '<': e.kind = SCRIPT_IN, p++; break;
	case '>': e.kind = SCRIPT_OUT, p++; break;
	case '?': e.kind = SCRIPT_LOOK, p++; break;
	default: e.kind = SCRIPT_CALL; break;
	}
	if (e.waits && e.kind != SCRIPT_CALL)
		return wrong(in, "only calls wait; times of packets are T~T");
	if (!e.waits && e.to_ns != e.from_ns && e.kind != SCRIPT_OUT)
		return wrong(in, "only what the stack sends may have a range of times");
	e.text = skip_space(p);
	in->s->events[in->s->n_events++] = e;
	return true;
}

static bool set_families(struct in *in, const char *value)
{
	in->s->families = strcmp(value, "4,6") == 0 ? SCRIPT_IP4 | SCRIPT_IP6 :
			  strcmp(value, "4") == 0   ? SCRIPT_IP4 :
			  strcmp(value, "6") == 0   ? SCRIPT_IP6 :
						      0;
	return in->s->families || wrong(in, "families are 4, 6 or 4,6");
}

/* "--name=value" */
static bool add_option(struct in *in, char *p)
{
	char *value = strchr(p, '=');

	if (in->s->n_events)
		return wrong(in, "options come before all that happens");
	if (!value)
		return wrong(in, "options are --NAME=VALUE");
	*value++ = '\0';
	if (strcmp(p + 2, "families") == 0)
		return set_families(in, value);
	in->s->options[in->s->n_options++] =
		(struct script_option){ in->line, p + 2, value };
	return true;
}

static bool add_line(struct in *in, char *p)
{
	return strncmp(p, "--", 2) == 0 ? add_option(in, p) : add_event(in, p);
}

/* Blanks are blanks, and there are none at the end. */
static void clean(char *line)
{
	size_t len = strlen(line);

	for (char *p = line; *p; p++)
		*p = *p == '\t' ? ' ' : *p;

	while (len && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
}

static bool read_lines(struct in *in)
{
	char *next = in->s->text, *whole = NULL;
	unsigned n = 0;

	while (next) {
		char *line = strsep(&next, "\n"), *comment = strstr(line, "//");

		n++;
		if (comment)
			*comment = '\0';
		clean(line);
		if (!line[strspn(line, " \t")])
			continue;
		/* What is indented goes on with the line before. */
		if (whole && isspace((unsigned char)*line)) {
			memmove(whole + strlen(whole) + 1, line, strlen(line) + 1);
			whole[strlen(whole)] = ' ';
			continue;
		}
		if (whole && !add_line(in, whole))
			return false;
		whole = skip_space(line);
		in->line = n;
	}
	return (!whole || add_line(in, whole)) &&
	       (in->s->n_events || wrong(in, "nothing happens"));
}

static void set_name(struct script *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dot;

	snprintf(s->name, sizeof(s->name), "%s", slash ? slash + 1 : path);
	dot = strrchr(s->name, '.');
	if (dot && strcmp(dot, ".pkt") == 0)
		*dot = '\0';
}

struct script *script_parse(const char *name, const char *text,
			    char error[static SCRIPT_ERROR_LEN])
{
	struct script *s = calloc(1, sizeof(*s));
	struct in in = { .s = s, .error = error };
	size_t n_lines = 1;

	for (const char *p = text; *p; p++)
		n_lines += *p == '\n';
	snprintf(error, SCRIPT_ERROR_LEN, "no memory");
	if (!s)
		return NULL;
	set_name(s, name);
	s->families = SCRIPT_IP4 | SCRIPT_IP6;
	s->text = strdup(text);
	s->options = calloc(n_lines, sizeof(*s->options));
	s->events = calloc(n_lines, sizeof(*s->events));
	if (!s->text || !s->options || !s->events || !read_lines(&in)) {
		script_free(s);
		return NULL;
	}
	return s;
}

struct script *script_read(const char *path, char error[static SCRIPT_ERROR_LEN])
{
	FILE *f = fopen(path, "r");
	struct script *s = NULL;
	char *text = NULL;
	size_t n = 0;

	if (!f) {
		snprintf(error, SCRIPT_ERROR_LEN, "%s: %s", path, strerror(errno));
		return NULL;
	}
	text = malloc(FILE_MAX + 1);
	snprintf(error, SCRIPT_ERROR_LEN, "%s: longer than %d bytes", path, FILE_MAX);
	if (text)
		n = fread(text, 1, FILE_MAX + 1, f);
	if (text && n <= FILE_MAX) {
		text[n] = '\0';
		s = script_parse(path, text, error);
	}
	free(text);
	fclose(f);
	return s;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	free(s->text);
	free(s->options);
	free(s->events);
	free(s);
}
