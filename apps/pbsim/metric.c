#include "apps/pbsim/metric.h"

#include <math.h>
#include <string.h>

#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/scene.h"
#include "stack/base/check.h"

/* Flows of the group, or all. */
struct group {
	const struct scene_run *run;
	const char *name; /* NULL: all */
	unsigned next;
};

static const struct pbsim_result *next(struct group *g)
{
	const struct pbsim_result *r;

	while ((r = pbsim_result(g->run->sim, g->next))) {
		g->next++;
		if (!g->name || strcmp(r->name, g->name) == 0)
			return r;
	}
	return NULL;
}

static double mbit(const struct group *g)
{
	return scene_goodput(g->run, g->next - 1) / 1e6;
}

static double goodput(struct group g)
{
	double sum = 0;

	while (next(&g))
		sum += mbit(&g);
	return sum;
}

/* Jain, Chiu and Hawe 1984: (sum x)^2 / (n sum x^2); 1: all have the same. */
static double jain(struct group g)
{
	double sum = 0, squares = 0, n = 0;

	for (; next(&g); n++) {
		sum += mbit(&g);
		squares += mbit(&g) * mbit(&g);
	}
	return squares > 0 ? sum * sum / (n * squares) : NAN;
}

static double retrans(struct group g)
{
	const struct pbsim_result *r;
	double again = 0, sent = 0;

	while ((r = next(&g))) {
		again += (double)r->retrans;
		sent += (double)r->sent;
	}
	return sent > 0 ? 100 * again / sent : NAN;
}

static double rtos(struct group g)
{
	const struct pbsim_result *r;
	double n = 0;

	while ((r = next(&g)))
		n += (double)r->rtos;
	return n;
}

static double p50(struct group g)
{
	const struct pbsim_result *r;
	double worst = NAN;

	while ((r = next(&g)))
		if (r->count)
			worst = fmax(worst, (double)r->p50_ns / 1e6);
	return worst;
}

static double p99(struct group g)
{
	const struct pbsim_result *r;
	double worst = NAN;

	while ((r = next(&g)))
		if (r->count)
			worst = fmax(worst, (double)r->p99_ns / 1e6);
	return worst;
}

static double count(struct group g)
{
	const struct pbsim_result *r;
	double n = 0;

	while ((r = next(&g)))
		n += (double)r->count;
	return n;
}

static double end(struct group g)
{
	const struct pbsim_result *r;
	double last = NAN;

	while ((r = next(&g))) {
		if (!r->ended_ns)
			return NAN;
		last = fmax(last, (double)r->ended_ns / 1e9);
	}
	return last;
}

static double srtt(struct group g)
{
	const struct pbsim_result *r;
	double sum = 0, n = 0;

	for (; (r = next(&g)); n++)
		sum += r->srtt_us / 1e3;
	return n > 0 ? sum / n : NAN;
}

/* ---- of the lines ---- */

static double drops(struct group g)
{
	struct pbsim_line_stats st;
	double n = 0;

	for (unsigned i = 0; pbsim_line_stats(g.run->sim, i, &st); i++)
		n += (double)(st.queue->full + st.queue->early);
	return n;
}

static double marks(struct group g)
{
	struct pbsim_line_stats st;
	double n = 0;

	for (unsigned i = 0; pbsim_line_stats(g.run->sim, i, &st); i++)
		n += (double)st.queue->marked;
	return n;
}

/* Of the line with the longest one. */
static double wait_ms(struct group g)
{
	struct pbsim_line_stats st;
	double worst = 0;

	for (unsigned i = 0; pbsim_line_stats(g.run->sim, i, &st); i++)
		if (st.queue->out)
			worst = fmax(worst, (double)st.queue->waited_ns /
						    (double)st.queue->out / 1e6);
	return worst;
}

static const struct metric {
	const char *name, *text;
	double (*value)(struct group g);
} metrics[] = {
	{ "goodput", "goodput of all flows, Mbit/s", goodput },
	{ "jain", "fairness, Jain's index", jain },
	{ "retrans", "bytes sent again, percent", retrans },
	{ "rtos", "retransmission timeouts", rtos },
	{ "p50", "median answer of the slowest flow, ms", p50 },
	{ "p99", "99th percentile of the slowest flow, ms", p99 },
	{ "count", "answers", count },
	{ "end", "when the last flow was done, s", end },
	{ "srtt", "mean of smoothed round-trip times, ms", srtt },
	{ "drops", "packets dropped by queues", drops },
	{ "marks", "packets marked by queues", marks },
	{ "wait", "mean wait in the worst queue, ms", wait_ms },
};

static const struct metric *find(const char *name)
{
	size_t len = strcspn(name, ":");

	for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
		if (strlen(metrics[i].name) == len &&
		    memcmp(metrics[i].name, name, len) == 0)
			return &metrics[i];
	return NULL;
}

bool metric_known(const char *name)
{
	return find(name);
}

const char *metric_names(void)
{
	return "goodput jain retrans rtos p50 p99 count end srtt drops marks wait, "
	       "with :NAME of flows behind";
}

const char *metric_text(const char *name)
{
	return find(name)->text;
}

double metric_value(const char *name, const struct scene_run *run)
{
	const char *colon = strchr(name, ':');
	struct group g = { .run = run, .name = colon ? colon + 1 : NULL };

	return find(name)->value(g);
}
