#include "apps/pbsim/scene_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/keys.h"
#include "stack/base/clock.h"

/* Struct pbsim_line, and what it is made from. */
struct line_words {
	struct pbsim_line line;
	uint64_t limit_ns, mark_ns; /* a queue's length as a time */
	uint64_t least;		    /* bytes that it has room for in any case */
};

#define LINE(field) offsetof(struct line_words, line.field)
static const struct key line_keys[] = {
	{ "rate", KEY_RATE, LINE(rate_bps), 0 },
	{ "delay", KEY_TIME, LINE(delay_ns), 0 },
	{ "jitter", KEY_TIME, LINE(jitter_ns), 0 },
	{ "hold", KEY_TIME, LINE(hold_ns), 0 },
	{ "mtu", KEY_MTU, LINE(mtu), 0 },
	{ "queue", KEY_QUEUE, LINE(queue.kind), 0 },
	{ "limit", KEY_LIMIT, LINE(queue.limit_bytes),
	  offsetof(struct line_words, limit_ns) },
	{ "least", KEY_SIZE, offsetof(struct line_words, least), 0 },
	{ "mark", KEY_LIMIT, LINE(queue.mark_bytes),
	  offsetof(struct line_words, mark_ns) },
	{ "ecn", KEY_FLAG, LINE(queue.ecn), 0 },
	{ "gentle", KEY_FLAG, LINE(queue.gentle), 0 },
	{ "min", KEY_SIZE, LINE(queue.min_bytes), 0 },
	{ "max", KEY_SIZE, LINE(queue.max_bytes), 0 },
	{ "maxp", KEY_CHANCE, LINE(queue.max_p), 0 },
	{ "weight", KEY_CHANCE, LINE(queue.weight), 0 },
	{ "target", KEY_TIME, LINE(queue.target_ns), 0 },
	{ "interval", KEY_TIME, LINE(queue.interval_ns), 0 },
	{ "quantum", KEY_SIZE32, LINE(queue.quantum), 0 },
	{ "flows", KEY_COUNT32, LINE(queue.n_flows), 0 },
	{ "loss", KEY_CHANCE, LINE(loss), 0 },
	{ "to-bad", KEY_CHANCE, LINE(to_bad), 0 },
	{ "to-good", KEY_CHANCE, LINE(to_good), 0 },
	{ "bad-loss", KEY_CHANCE, LINE(loss_bad), 0 },
	{ "reorder", KEY_CHANCE, LINE(reorder), 0 },
	{ "late", KEY_TIME, LINE(reorder_ns), 0 },
	{ "duplicate", KEY_CHANCE, LINE(duplicate), 0 },
	{ "corrupt", KEY_CHANCE, LINE(corrupt), 0 },
	{ "super", KEY_FLAG, LINE(super), 0 },
	{ NULL, 0, 0, 0 },
};

#define HOST(field) offsetof(struct pbsim_host, field)
static const struct key host_keys[] = {
	{ "addr", KEY_TEXT, HOST(addr), 0 },
	{ "ecn", KEY_TEXT, HOST(ecn), 0 },
	{ "family", KEY_COUNT32, HOST(family), 0 },
	{ "cc", KEY_TEXT, HOST(cc), 0 },
	{ "rcvbuf", KEY_SIZE32, HOST(rcvbuf), 0 },
	{ "sndbuf", KEY_SIZE32, HOST(sndbuf), 0 },
	{ "bufs", KEY_COUNT32, HOST(n_bufs), 0 },
	{ NULL, 0, 0, 0 },
};

#define FLOW(field) offsetof(struct pbsim_flow, field)
#define FLOW_KEYS                                                           \
	{ "as", KEY_TEXT, FLOW(name), 0 }, { "cc", KEY_TEXT, FLOW(cc), 0 }, \
		{ "start", KEY_TIME, FLOW(start_ns), 0 },                   \
	{                                                                   \
		"stop", KEY_TIME, FLOW(stop_ns), 0                          \
	}

static const struct key bulk_keys[] = {
	FLOW_KEYS,
	{ "bytes", KEY_SIZE, FLOW(bytes), 0 },
	{ NULL, 0, 0, 0 },
};
static const struct key rr_keys[] = {
	FLOW_KEYS,
	{ "size", KEY_SIZE32, FLOW(size), 0 },
	{ "reply", KEY_SIZE32, FLOW(reply), 0 },
	{ "count", KEY_COUNT, FLOW(count), 0 },
	{ "every", KEY_TIME, FLOW(interval_ns), 0 },
	{ NULL, 0, 0, 0 },
};
static const struct key onoff_keys[] = {
	FLOW_KEYS,
	{ "on", KEY_TIME, FLOW(on_ns), 0 },
	{ "off", KEY_TIME, FLOW(off_ns), 0 },
	{ "rate", KEY_RATE, FLOW(rate_bps), 0 },
	{ NULL, 0, 0, 0 },
};
static const struct key mail_keys[] = {
	FLOW_KEYS,
	{ "size", KEY_SIZE32, FLOW(size), 0 },
	{ "count", KEY_COUNT, FLOW(count), 0 },
	{ "every", KEY_TIME, FLOW(interval_ns), 0 },
	{ NULL, 0, 0, 0 },
};

int words_at(const struct build *b, unsigned i, const char *what,
	     char out[static SCENE_WORD_MAX])
{
	if (i >= b->st->n_words)
		return scene_fail(b->sc, b->st->line, "%s is missing", what);
	return scene_word(b->sc, &b->run->vars, b->st, i, out);
}

static struct keys keys_of(const struct build *b, unsigned from)
{
	return (struct keys){
		.sc = b->sc, .vars = &b->run->vars, .stmt = b->st, .word = from
	};
}

/* ---- names ---- */

/* "s[1-8]x" is s1x to s8x; a word without brackets is itself. */
int words_names(const struct build *b, unsigned i, struct names *names)
{
	char w[SCENE_WORD_MAX], tail[SCENE_WORD_MAX] = "";
	unsigned from = 0, to = 0;
	int err = words_at(b, i, "a name", w), used = 0;
	char *open = strchr(w, '[');

	*names = (struct names){ 0 };
	if (err)
		return err;
	if (open) {
		if (sscanf(open, "[%u-%u]%n", &from, &to, &used) != 2 || !used ||
		    from > to || to - from >= PBSIM_NODES_MAX)
			return scene_fail(b->sc, b->st->line,
					  "\"%.60s\" is no range of names, as s[1-8]", w);
		snprintf(tail, sizeof(tail), "%s", open + used);
		*open = 0;
	}
	names->n = to - from + 1;
	names->name = calloc(names->n, PBSIM_NAME_LEN);
	if (!names->name)
		return scene_fail(b->sc, b->st->line, "no memory");
	for (unsigned k = 0; k < names->n; k++) {
		char whole[2 * SCENE_WORD_MAX + 12];

		if (open)
			snprintf(whole, sizeof(whole), "%s%u%s", w, from + k, tail);
		else
			snprintf(whole, sizeof(whole), "%s", w);
		if (strlen(whole) >= PBSIM_NAME_LEN)
			return scene_fail(b->sc, b->st->line,
					  "a name of more than %d letters",
					  PBSIM_NAME_LEN - 1);
		strcpy(names->name[k], whole);
	}
	return 0;
}

const char *words_name(const struct names *names, unsigned i)
{
	return names->name[names->n == 1 ? 0 : i];
}

/* Both ends of links or flows, one each, or one for all. */
int words_pairs(const struct build *b, unsigned i, struct names *from, struct names *to,
		unsigned *n)
{
	int err = words_names(b, i, from);

	*to = (struct names){ 0 };
	if (!err)
		err = words_names(b, i + 1, to);
	if (err)
		return err;
	*n = from->n > to->n ? from->n : to->n;
	if (from->n != to->n && from->n != 1 && to->n != 1)
		return scene_fail(b->sc, b->st->line, "%u names against %u", from->n,
				  to->n);
	return 0;
}

static uint64_t bytes_in(uint64_t rate_bps, uint64_t ns)
{
	return (uint64_t)((double)rate_bps / 8 * (double)ns / NS_PER_S) + 1;
}

/* A queue that is given as a time, and what must go together. */
static int complete(const struct build *b, struct line_words *w)
{
	struct pbsim_line *l = &w->line;

	if (w->limit_ns)
		l->queue.limit_bytes = bytes_in(l->rate_bps, w->limit_ns);
	if (l->queue.limit_bytes < w->least)
		l->queue.limit_bytes = w->least;
	if (w->mark_ns)
		l->queue.mark_bytes = bytes_in(l->rate_bps, w->mark_ns);
	if (!l->rate_bps && (l->queue.limit_bytes || l->queue.kind != AQM_TAIL))
		return scene_fail(b->sc, b->st->line, "a queue, but no rate");
	if (l->queue.n_flows > AQM_FLOWS_MAX)
		return scene_fail(b->sc, b->st->line, "more than %d flows",
				  AQM_FLOWS_MAX);
	if ((l->to_bad > 0) != (l->to_good > 0))
		return scene_fail(b->sc, b->st->line, "to-bad and to-good go together");
	if (l->reorder > 0 && !l->reorder_ns)
		return scene_fail(b->sc, b->st->line, "reorder: late is missing");
	return 0;
}

int words_link(const struct build *b, unsigned from, struct pbsim_line line[2])
{
	struct keys keys = keys_of(b, from);
	struct line_words w[2] = { { .limit_ns = 0 } };
	int err;

	keys.stop = "back";
	err = keys_read(&keys, line_keys, &w[0]);
	/* What differs on the way back. */
	w[1] = w[0];
	keys.stop = NULL;
	if (!err)
		err = keys_read(&keys, line_keys, &w[1]);
	for (unsigned i = 0; i < 2 && !err; i++) {
		err = complete(b, &w[i]);
		line[i] = w[i].line;
	}
	return err;
}

int words_host(const struct build *b, struct pbsim_host *host)
{
	struct keys keys = keys_of(b, 2);
	char w[SCENE_WORD_MAX];
	int err = 0;

	*host = (struct pbsim_host){ 0 };
	/* "host a 10.0.0.1": the key is understood. */
	if (b->st->n_words > 2 && isxdigit((unsigned char)b->st->word[2][0]) &&
	    strpbrk(b->st->word[2], ".:")) {
		err = words_at(b, 2, "an address", w);
		host->addr = scene_keep(b->sc, w);
		keys.word++;
	}
	return err ? err : keys_read(&keys, host_keys, host);
}

int words_flow(const struct build *b, enum pbsim_kind kind, struct pbsim_flow *flow)
{
	static const struct key *const keys[PBSIM_N_KINDS] = {
		[PBSIM_BULK] = bulk_keys,
		[PBSIM_RR] = rr_keys,
		[PBSIM_ONOFF] = onoff_keys,
		[PBSIM_MAIL] = mail_keys,
	};
	struct keys k = keys_of(b, 3);
	unsigned line = b->st->line;
	int err;

	*flow = (struct pbsim_flow){ .kind = kind };
	err = keys_read(&k, keys[kind], flow);
	if (err)
		return err;
	if (kind == PBSIM_RR && (!flow->size || !flow->reply))
		return scene_fail(b->sc, line, "rr needs size and reply");
	if (kind == PBSIM_MAIL && !flow->size)
		return scene_fail(b->sc, line, "mail needs size");
	if (kind == PBSIM_ONOFF && (!flow->on_ns || !flow->off_ns))
		return scene_fail(b->sc, line, "onoff needs on and off");
	if (flow->stop_ns && flow->stop_ns <= flow->start_ns)
		return scene_fail(b->sc, line, "it stops before it starts");
	return 0;
}
