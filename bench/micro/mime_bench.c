/*
 * How fast the structure of mail is found: our parser and GMime, on the same messages,
 * made from a seed, in memory.
 *
 *	mime_bench [-n MEGABYTES] [-r ROUNDS] ordinary|short
 *
 * Prints a JSON line for each round: MB/s of ours and of GMime, in turns.
 */
#include <err.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/mail/wire/mime.h"
#include "tests/lib/mail_gen.h"

struct corpus {
	char *bytes;
	size_t len, room, n;
	size_t *end; /* of each message */
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void make(struct corpus *c, enum mail_gen_kind kind, size_t len)
{
	struct rng rng;

	rng_init(&rng, 1);
	c->room = len + MAIL_GEN_MAX;
	c->bytes = malloc(c->room);
	c->end = calloc(len / 1024 + 1, sizeof(*c->end));
	if (!c->bytes || !c->end)
		err(1, "memory");
	while (c->len < len) {
		c->len += mail_gen(&rng, kind, c->bytes + c->len);
		c->end[c->n++] = c->len;
	}
}

static struct str message(const struct corpus *c, size_t i)
{
	size_t at = i ? c->end[i - 1] : 0;

	return (struct str){ c->bytes + at, c->end[i] - at };
}

static double ours(const struct corpus *c, struct mime *m, uint64_t *n_parts)
{
	double began = now_s();

	*n_parts = 0;
	for (size_t i = 0; i < c->n; i++) {
		mime_parse(m, message(c, i));
		*n_parts += mime_n_parts(m);
	}
	return (double)c->len / 1e6 / (now_s() - began);
}

static double theirs(const struct corpus *c)
{
	double began = now_s();

	for (size_t i = 0; i < c->n; i++) {
		struct str s = message(c, i);
		GMimeStream *stream = g_mime_stream_mem_new_with_buffer(s.p, s.len);
		GMimeParser *parser = g_mime_parser_new_with_stream(stream);
		GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);

		g_object_unref(m);
		g_object_unref(parser);
		g_object_unref(stream);
	}
	return (double)c->len / 1e6 / (now_s() - began);
}

int main(int argc, char **argv)
{
	size_t megabytes = 64, rounds = 3;
	struct mime *m = mime_new(&mime_limits_default);
	struct corpus c = { .len = 0 };
	enum mail_gen_kind kind = MAIL_GEN_ORDINARY;
	int opt;

	while ((opt = getopt(argc, argv, "n:r:")) != -1) {
		if (opt == 'n')
			megabytes = strtoul(optarg, NULL, 10);
		else if (opt == 'r')
			rounds = strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
	if (optind < argc && strcmp(argv[optind], "short") == 0)
		kind = MAIL_GEN_SHORT;
	if (!m)
		err(1, "memory");
	g_mime_init();
	make(&c, kind, megabytes * 1000000);
	for (size_t i = 0; i < rounds; i++) {
		uint64_t n_parts;
		double a = ours(&c, m, &n_parts), b = theirs(&c);

		printf("{\"ours\": %.1f, \"theirs\": %.1f, \"messages\": %zu, \"parts\": "
		       "%llu}\n",
		       a, b, c.n, (unsigned long long)n_parts);
		fflush(stdout);
	}
	mime_free(m);
	free(c.bytes);
	free(c.end);
	return 0;
}
