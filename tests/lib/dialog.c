#include "tests/lib/dialog.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/mem_tls.h"
#include "tests/lib/net_mem.h"

enum { LINE_MAX_LEN = 16384 };

struct player {
	struct dialog *d;
	const char *path;
	unsigned line_no;
	struct mem_peer *clients[DIALOG_CLIENTS + 1];
	struct mem_tls *tls[DIALOG_CLIENTS + 1]; /* NULL: it speaks in clear */
	size_t cut;
	const char *found_at; /* rest of d->found */
};

static bool fail(struct player *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct player *p, const char *format, ...)
{
	size_t n = (size_t)snprintf(p->d->error, DIALOG_ERROR_LEN, "%s:%u: ", p->path,
				    p->line_no);
	va_list args;

	va_start(args, format);
	vsnprintf(p->d->error + n, DIALOG_ERROR_LEN - n, format, args);
	va_end(args);
	return false;
}

static void carry(struct player *p)
{
	mem_settle(p->d->net);
	for (unsigned i = 1; i <= DIALOG_CLIENTS; i++)
		if (p->tls[i])
			mem_tls_settle(p->tls[i]);
}

static void settle(struct player *p)
{
	carry(p);
	while (p->d->busy && p->d->busy(p->d)) {
		ASSERT(mem_wait(p->d->net));
		carry(p);
	}
}

static struct mem_peer *client(struct player *p, unsigned i)
{
	char from[NET_ADDR_TEXT_LEN];

	if (p->clients[i])
		return p->clients[i];
	snprintf(from, sizeof(from), "192.0.2.9:%u", 4000 + i);
	p->clients[i] = mem_connect(p->d->net, p->d->where, from);
	if (p->clients[i]) {
		mem_cut(p->clients[i], p->cut);
		settle(p);
	}
	return p->clients[i];
}

size_t dialog_unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		char code[3] = { 0 };

		if (*at != '\\') {
			*to++ = *at;
			continue;
		}
		switch (*++at) {
		case 'r': *to++ = '\r'; break;
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case '0': *to++ = '\0'; break;
		case 'x':
			memcpy(code, at + 1, 2);
			*to++ = (char)strtoul(code, NULL, 16);
			at += 2;
			break;
		default: *to++ = *at; break;
		}
	}
	return (size_t)(to - text);
}

static bool matches(char kind, struct str line, char *want)
{
	char text[LINE_MAX_LEN];
	regex_t re;
	bool does;
	size_t len;

	if (kind != '~') {
		len = dialog_unescape(want);
		return kind == '^' ? line.len >= len && memcmp(line.p, want, len) == 0 :
				     str_eq(line, (struct str){ want, len });
	}
	snprintf(text, sizeof(text), "^(%s)$", want);
	ASSERT(regcomp(&re, text, REG_EXTENDED | REG_NOSUB) == 0);
	snprintf(text, sizeof(text), "%.*s", (int)line.len, line.p);
	does = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return does;
}

/* The line at the front of @text, which must end in CRLF. */
static bool first_line(struct str text, struct str *line)
{
	const char *end = text.len > 0 ? memmem(text.p, text.len, "\r\n", 2) : NULL;

	if (!end)
		return false;
	*line = (struct str){ text.p, (size_t)(end - text.p) };
	return true;
}

static struct str heard_of(struct player *p, unsigned i)
{
	return p->tls[i] ? mem_tls_heard(p->tls[i]) : mem_heard(p->clients[i]);
}

static void take(struct player *p, unsigned i, size_t n)
{
	if (p->tls[i])
		mem_tls_take(p->tls[i], n);
	else
		mem_take(p->clients[i], n);
}

static void say(struct player *p, unsigned i, const char *text, size_t len)
{
	if (p->tls[i])
		mem_tls_send(p->tls[i], text, len);
	else
		mem_send(p->clients[i], text, len);
}

static bool expect(struct player *p, unsigned i, char kind, const char *text)
{
	struct str heard = heard_of(p, i), line;
	char want[LINE_MAX_LEN];

	snprintf(want, sizeof(want), "%s", text);
	if (!first_line(heard, &line))
		return fail(p, "heard \"%.*s\", no line; wanted %c \"%s\"",
			    (int)heard.len, heard.p, kind, text);
	if (!matches(kind, line, want))
		return fail(p, "heard \"%.*s\", wanted %c \"%s\"", (int)line.len, line.p,
			    kind, text);
	take(p, i, line.len + 2);
	return true;
}

/* "100 NOOP": how often, and what. */
static unsigned take_times(char **text)
{
	unsigned n = (unsigned)strtoul(*text, text, 10);

	*text += **text == ' ';
	return n;
}

static bool client_line(struct player *p, unsigned i, char kind, char *text)
{
	unsigned n = kind == '*' ? take_times(&text) : 1;
	size_t len = dialog_unescape(text);

	while (n-- > 0) {
		say(p, i, text, len);
		if (kind != '|')
			say(p, i, "\r\n", 2);
	}
	return true;
}

static bool server_line(struct player *p, unsigned i, char kind, char *text)
{
	unsigned n = kind == '*' ? take_times(&text) : 1;

	settle(p);
	while (n-- > 0)
		if (!expect(p, i, kind == '*' ? '^' : kind, text))
			return false;
	return true;
}

static bool found_line(struct player *p, char kind, const char *text)
{
	struct str rest = str_of(p->found_at ? p->found_at : ""), line;
	char want[LINE_MAX_LEN];

	snprintf(want, sizeof(want), "%s", text);
	if (!first_line(rest, &line))
		return fail(p, "found \"%s\", no line; wanted %c \"%s\"", rest.p, kind,
			    text);
	if (!matches(kind, line, want))
		return fail(p, "found \"%.*s\", wanted %c \"%s\"", (int)line.len, line.p,
			    kind, text);
	p->found_at += line.len + 2;
	return true;
}

static bool quiet(struct player *p, unsigned i)
{
	struct str heard = heard_of(p, i);

	return heard.len == 0 ||
	       fail(p, "heard \"%.*s\", wanted nothing", (int)heard.len, heard.p);
}

static bool is_word(const char *line, const char *word, unsigned *i)
{
	size_t len = strlen(word);

	if (strncmp(line, word, len) != 0)
		return false;
	line += len;
	*i = *line >= '1' && *line <= '9' ? (unsigned)(*line++ - '0') : 1;
	return *line == '\0' || *line == ' ';
}

static bool pass_time(struct player *p, const char *text)
{
	char *unit;
	uint64_t n = strtoull(text, &unit, 10);

	if (strcmp(unit, "s") == 0)
		n *= NS_PER_S;
	else if (strcmp(unit, "ms") == 0)
		n *= NS_PER_MS;
	else
		return fail(p, "no unit of time: %s", text);
	settle(p);
	mem_advance(p->d->net, n);
	settle(p);
	return true;
}

static bool run_hook(struct player *p, const char *words)
{
	settle(p);
	free(p->d->found);
	p->d->found = NULL;
	if (!p->d->hook || !p->d->hook(p->d, words))
		return fail(p, "nobody knows how to %s", words);
	p->found_at = p->d->found;
	settle(p);
	return true;
}

/* "TLS", or "TLS 1.1" of a client that speaks nothing newer, and is refused. */
static bool begin_tls(struct player *p, unsigned i, const char *line)
{
	bool is_old = strstr(line, " 1.1") != NULL;

	p->tls[i] = mem_tls_client(p->d->net, p->clients[i], is_old ? TLS1_1_VERSION : 0);
	settle(p);
	return mem_tls_up(p->tls[i]) != is_old ||
	       fail(p, is_old ? "TLS 1.1 was accepted" : "no TLS");
}

/* What is about the state of a client, not about a line. */
static bool client_word(struct player *p, const char *line)
{
	static const char *const words[] = { "NOTHING", "CLOSED", "RESET", "FIN",
					     "GONE",	"WINDOW", "TLS" };
	struct mem_peer *peer;
	size_t word = 0;
	unsigned i;

	while (word < ARRAY_LEN(words) && !is_word(line, words[word], &i))
		word++;
	if (word == ARRAY_LEN(words))
		return fail(p, "what is \"%s\"?", line);
	settle(p);
	peer = client(p, i);
	if (!peer)
		return fail(p, "nobody listens at %s", p->d->where);
	switch (word) {
	case 0: return quiet(p, i);
	case 1: return quiet(p, i) && (mem_finished(peer) || fail(p, "it is still open"));
	case 2: return mem_was_reset(peer) || fail(p, "it was not reset");
	case 3: mem_fin(peer); break;
	case 4: mem_reset(peer); break;
	case 6: return begin_tls(p, i, line);
	default: mem_window(peer, strtoul(strchr(line, ' '), NULL, 10)); break;
	}
	return true;
}

static bool set_cut(struct player *p, const char *text)
{
	if (p->d->cut > 0)
		return true;
	p->cut = strtoul(text, NULL, 10);
	for (unsigned i = 1; i <= DIALOG_CLIENTS; i++)
		if (p->clients[i])
			mem_cut(p->clients[i], p->cut);
	return true;
}

/* "C: text", "S2^ text", "M~ text" */
static bool said_line(struct player *p, char *line)
{
	char who = *line++;
	unsigned i = *line >= '1' && *line <= '9' ? (unsigned)(*line++ - '0') : 1;
	char kind = *line++;

	line += *line == ' ';
	if (who == 'M')
		return found_line(p, kind, line);
	if (!client(p, i))
		return fail(p, "nobody listens at %s", p->d->where);
	return who == 'C' ? client_line(p, i, kind, line) : server_line(p, i, kind, line);
}

static bool is_said(const char *line)
{
	if (!strchr("CSM", *line))
		return false;
	line++;
	line += *line >= '1' && *line <= '9';
	return *line != '\0' && strchr(":|*^~", *line);
}

static bool play_line(struct player *p, char *line)
{
	if (line[0] == '\0' || line[0] == '#')
		return true;
	if (line[0] == '!')
		return run_hook(p, line + 1 + (line[1] == ' '));
	if (is_said(line))
		return said_line(p, line);
	if (strncmp(line, "TIME_PASSES ", 12) == 0)
		return pass_time(p, line + 12);
	if (strncmp(line, "CUT ", 4) == 0)
		return set_cut(p, line + 4);
	if (strcmp(line, "MEND") == 0)
		return !p->found_at || !*p->found_at ||
		       fail(p, "found \"%s\", wanted no more", p->found_at);
	return client_word(p, line);
}

bool dialog_play(struct dialog *d, const char *path)
{
	struct player p = { .d = d, .path = path, .cut = d->cut };
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "r");
	bool good = true;

	if (!f)
		return fail(&p, "%s", strerror(errno));
	while (good && fgets(line, sizeof(line), f)) {
		p.line_no++;
		line[strcspn(line, "\n")] = '\0';
		good = play_line(&p, line);
	}
	fclose(f);
	for (unsigned i = 1; i <= DIALOG_CLIENTS; i++) {
		mem_tls_free(p.tls[i]);
		if (p.clients[i])
			mem_free(p.clients[i]);
	}
	mem_settle(d->net);
	free(d->found);
	d->found = NULL;
	return good;
}
