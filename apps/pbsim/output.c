#include "apps/pbsim/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/plot.h"
#include "apps/pbsim/report.h"
#include "apps/pbsim/scene.h"
#include "stack/base/clock.h"
#include "tcp/tcp_stat.h"

enum {
	LOOKS = 1000,
	RATE_LOOKS = 5,	   /* a point in the plot of rates is a mean of so many */
	AGAIN_MAX = 20000, /* marks of one flow in the plot of sequence numbers */
	PATH_LEN = 512,
	QUEUE_SHARE = 20, /* shorter than this part of the longest: not plotted */
};

/* Points of one line in a plot. */
struct curve {
	unsigned n, room;
	double *x, *y;
};

struct flow_curves {
	struct curve cwnd, ssthresh, srtt, rate, delivered, again;
	uint64_t acked, mean_acked,
		mean_ns; /* at the last look; the last point of @rate */
	uint64_t last_ns;
};

struct output {
	struct scene_run *run;
	char folder[PATH_LEN / 2];
	FILE *series;
	unsigned n_flows, n_lines;
	struct flow_curves *flow;
	struct curve *queue;
	uint64_t every_ns;
	bool no_memory;
};

static void curve_add(struct output *o, struct curve *c, double x, double y)
{
	if (c->n == c->room) {
		unsigned room = c->room ? 2 * c->room : 256;
		double *xs = realloc(c->x, room * sizeof(double));
		double *ys = xs ? realloc(c->y, room * sizeof(double)) : NULL;

		c->x = xs ? xs : c->x;
		if (!ys) {
			o->no_memory = true;
			return;
		}
		c->y = ys;
		c->room = room;
	}
	c->x[c->n] = x;
	c->y[c->n++] = y;
}

static void curve_free(struct curve *c)
{
	free(c->x);
	free(c->y);
}

/* A file in a folder, which is made where it is missing; NULL: the scene has an error. */
static FILE *create_in(struct scene *sc, const char *folder, const char *name)
{
	char path[PATH_LEN];
	FILE *f;

	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		scene_fail(sc, 0, "%s: %s", folder, strerror(errno));
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f)
		scene_fail(sc, 0, "%s: %s", path, strerror(errno));
	return f;
}

static FILE *create(struct output *o, const char *name)
{
	return create_in(o->run->scene, o->folder, name);
}

/* 0, or -EIO when not all was written. */
static int finish(struct scene *sc, FILE *f, const char *name)
{
	int bad = ferror(f);

	if (fclose(f) != 0 || bad) {
		scene_fail(sc, 0, "%s: not all was written", name);
		return -EIO;
	}
	return 0;
}

/* ---- looks ---- */

static void write_series(const struct output *o, unsigned i, double t, double rate,
			 const struct tcp_conn_info *info)
{
	uint32_t gone = info->sacked + info->lost;
	uint32_t pipe = info->unacked > gone ? info->unacked - gone + info->retrans :
					       info->retrans;
	char ssthresh[16] = "null";

	if (info->ssthresh < UINT32_MAX / 2)
		snprintf(ssthresh, sizeof(ssthresh), "%" PRIu32, info->ssthresh);
	fprintf(o->series,
		"{\"t\":%.6f,\"flow\":%u,\"name\":\"%s\",\"cwnd\":%" PRIu32
		",\"ssthresh\":%s,\"srtt_us\":%" PRIu32 ",\"rate_bps\":%.0f,"
		"\"in_flight\":%" PRIu32 ",\"delivered\":%" PRIu64 ",\"retrans\":%" PRIu64
		"}\n",
		t, i, pbsim_result(o->run->sim, i)->name, info->cwnd, ssthresh,
		info->srtt_us, rate, pipe, info->bytes_acked, info->bytes_retrans);
}

static void look_at_flow(struct output *o, unsigned i, uint64_t now_ns)
{
	struct flow_curves *f = &o->flow[i];
	struct tcp_conn_info info;
	double t = (double)now_ns / 1e9, rate = 0;

	if (!pbsim_flow_info(o->run->sim, i, &info))
		return;
	if (now_ns > f->last_ns)
		rate = (double)(info.bytes_acked - f->acked) * 8e9 /
		       (double)(now_ns - f->last_ns);
	f->acked = info.bytes_acked;
	f->last_ns = now_ns;
	write_series(o, i, t, rate, &info);
	curve_add(o, &f->cwnd, t, info.cwnd / 1e3);
	if (info.ssthresh < UINT32_MAX / 2)
		curve_add(o, &f->ssthresh, t, info.ssthresh / 1e3);
	if (info.srtt_us)
		curve_add(o, &f->srtt, t, info.srtt_us / 1e3);
	if (now_ns - f->mean_ns >= RATE_LOOKS * o->every_ns) {
		if (f->mean_ns)
			curve_add(o, &f->rate, t,
				  (double)(info.bytes_acked - f->mean_acked) * 8e3 /
					  (double)(now_ns - f->mean_ns));
		f->mean_acked = info.bytes_acked;
		f->mean_ns = now_ns;
	}
	curve_add(o, &f->delivered, t, (double)info.bytes_acked / 1e6);
}

static void look(void *ctx, struct pbsim *s, uint64_t now_ns)
{
	struct output *o = ctx;

	for (unsigned i = 0; i < o->n_flows; i++)
		look_at_flow(o, i, now_ns);
	for (unsigned i = 0; i < o->n_lines; i++)
		curve_add(o, &o->queue[i], (double)now_ns / 1e9,
			  (double)pbsim_line_peak(s, i) / 1e3);
}

static void segment(void *ctx, unsigned flow, uint64_t now_ns, uint64_t offset,
		    uint32_t len, bool again)
{
	struct output *o = ctx;
	struct curve *c = &o->flow[flow].again;

	(void)len;
	if (again && c->n < AGAIN_MAX)
		curve_add(o, c, (double)now_ns / 1e9, (double)offset / 1e6);
}

/* ---- plots ---- */

static int write_plot(struct output *o, const char *file, const struct plot *p)
{
	FILE *f = create(o, file);

	if (!f)
		return -EIO;
	plot_write(p, f);
	return finish(o->run->scene, f, file);
}

static struct plot_series series_of(const struct curve *c, const char *name,
				    enum plot_style style)
{
	return (struct plot_series){
		.name = name, .style = style, .n = c->n, .x = c->x, .y = c->y
	};
}

/* What a flow is called in a legend. */
static const char *flow_name(struct output *o, unsigned i, char out[static 64])
{
	const struct pbsim_result *r = pbsim_result(o->run->sim, i);

	snprintf(out, 64, "%u %.20s %.16s", i, r->name, r->cc);
	return out;
}

/*
 * One curve of each flow, at @at in its struct flow_curves, and one that goes with it at
 * @with in the style @how (0: none).
 */
static int plot_flows(struct output *o, const char *file, struct plot p, size_t at,
		      size_t with, enum plot_style how)
{
	struct plot_series series[2 * PLOT_SERIES_MAX];
	char name[PLOT_SERIES_MAX][64];

	p.series = series;
	p.x_name = "time, s";
	for (unsigned i = 0; i < o->n_flows && i < PLOT_SERIES_MAX; i++) {
		const char *base = (const char *)&o->flow[i];
		const struct curve *c = (const void *)(base + at);
		const struct curve *w = (const void *)(base + with);

		series[p.n++] = series_of(c, flow_name(o, i, name[i]), PLOT_STEP);
		if (with && w->n && (how != PLOT_MARK || o->n_flows <= 8))
			series[p.n++] = series_of(w, "sent again", how);
	}
	return write_plot(o, file, &p);
}

static int plot_queues(struct output *o)
{
	struct plot_series series[PLOT_SERIES_MAX];
	char name[PLOT_SERIES_MAX][2 * PBSIM_NAME_LEN + 4];
	struct plot p = { .title = "queues",
			  .x_name = "time, s",
			  .y_name = "longest in each interval, kB",
			  .series = series };
	struct pbsim_line_stats st;
	uint64_t longest = 0;

	for (unsigned i = 0; pbsim_line_stats(o->run->sim, i, &st); i++)
		longest = st.queue->peak > longest ? st.queue->peak : longest;
	for (unsigned i = 0; i < o->n_lines && p.n < PLOT_SERIES_MAX; i++) {
		pbsim_line_stats(o->run->sim, i, &st);
		if (st.queue->peak <= longest / QUEUE_SHARE)
			continue;
		snprintf(name[p.n], sizeof(name[0]), "%s > %s", st.from, st.to);
		series[p.n] = series_of(&o->queue[i], name[p.n], PLOT_STEP);
		p.n++;
	}
	return write_plot(o, "queue.svg", &p);
}

#define CURVE(name) offsetof(struct flow_curves, name)

static int plots(struct output *o)
{
	int err =
		plot_flows(o, "cwnd.svg",
			   (struct plot){ .title = "congestion window (dashed: ssthresh)",
					  .y_name = "kB" },
			   CURVE(cwnd), CURVE(ssthresh), PLOT_DASH);

	if (!err)
		err = plot_flows(
			o, "sequence.svg",
			(struct plot){ .title = "bytes acknowledged", .y_name = "MB" },
			CURVE(delivered), CURVE(again), PLOT_MARK);
	if (!err)
		err = plot_flows(o, "rtt.svg",
				 (struct plot){ .title = "smoothed round-trip time",
						.y_name = "ms" },
				 CURVE(srtt), 0, PLOT_LINE);
	if (!err)
		err = plot_flows(o, "rate.svg",
				 (struct plot){ .title = "rate of acknowledged bytes",
						.y_name = "Mbit/s" },
				 CURVE(rate), 0, PLOT_LINE);
	return err ? err : plot_queues(o);
}

/* ---- life ---- */

static int open_captures(struct output *o)
{
	struct pbsim_line_stats st;
	char path[PATH_LEN];

	for (unsigned i = 0; i < o->n_lines; i += 2) {
		pbsim_line_stats(o->run->sim, i, &st);
		snprintf(path, sizeof(path), "%s/%s-%s.pcapng", o->folder, st.from,
			 st.to);
		if (pbsim_capture(o->run->sim, st.from, st.to, path))
			return scene_fail(o->run->scene, 0, "%s",
					  pbsim_error(o->run->sim));
	}
	return 0;
}

static void output_free(struct output *o)
{
	for (unsigned i = 0; i < o->n_flows && o->flow; i++) {
		struct flow_curves *f = &o->flow[i];

		curve_free(&f->cwnd);
		curve_free(&f->ssthresh);
		curve_free(&f->srtt);
		curve_free(&f->rate);
		curve_free(&f->delivered);
		curve_free(&f->again);
	}
	for (unsigned i = 0; i < o->n_lines && o->queue; i++)
		curve_free(&o->queue[i]);
	free(o->flow);
	free(o->queue);
	free(o);
}

static int prepare(struct output *o, const char *folder)
{
	struct scene *sc = o->run->scene;
	struct pbsim_line_stats st;

	o->n_flows = pbsim_n_flows(o->run->sim);
	while (pbsim_line_stats(o->run->sim, o->n_lines, &st))
		o->n_lines++;
	o->flow = calloc(o->n_flows + 1, sizeof(o->flow[0]));
	o->queue = calloc(o->n_lines + 1, sizeof(o->queue[0]));
	if (!o->flow || !o->queue)
		return scene_fail(sc, 0, "no memory");
	if (strlen(folder) >= sizeof(o->folder))
		return scene_fail(sc, 0, "%.60s...: too long a path", folder);
	strcpy(o->folder, folder);
	o->series = create(o, "series.jsonl");
	return o->series ? 0 : -EIO;
}

int output_open(struct scene_run *run, const char *folder, uint64_t every_ns,
		bool capture, struct output **out)
{
	struct output *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return scene_fail(run->scene, 0, "no memory");
	o->run = run;
	err = prepare(o, folder);
	if (!err && capture)
		err = open_captures(o);
	if (err) {
		if (o->series)
			fclose(o->series);
		output_free(o);
		return err;
	}
	o->every_ns = every_ns ? every_ns : run->time_ns / LOOKS + 1;
	pbsim_on_look(run->sim, o->every_ns, look, o);
	pbsim_on_segment(run->sim, segment, o);
	*out = o;
	return 0;
}

static int write_csv(struct output *o, const char *name,
		     void (*report)(const struct scene_run *run, FILE *to))
{
	FILE *f = create(o, name);

	if (!f)
		return -EIO;
	report(o->run, f);
	return finish(o->run->scene, f, name);
}

int output_close(struct output *o)
{
	int err = finish(o->run->scene, o->series, "series.jsonl");

	if (!err)
		err = write_csv(o, "flows.csv", report_flows_csv);
	if (!err)
		err = write_csv(o, "lines.csv", report_lines_csv);
	if (!err)
		err = plots(o);
	if (!err && o->no_memory)
		err = scene_fail(o->run->scene, 0, "no memory for all of the plots");
	pbsim_on_look(o->run->sim, 0, NULL, NULL);
	pbsim_on_segment(o->run->sim, NULL, NULL);
	output_free(o);
	return err;
}

/* One chart, as TABLE-VALUE.svg. */
static int write_chart(const struct study *study, const char *folder, unsigned i,
		       unsigned k)
{
	const struct scene_table *t = &study->scene->table[i];
	char name[PATH_LEN / 2];
	FILE *f;

	snprintf(name, sizeof(name), "%u-%.60s.svg", i + 1, t->value[k]);
	for (char *p = name; *p; p++)
		if (*p == '/' || *p == ':')
			*p = '-';
	f = create_in(study->scene, folder, name);
	if (!f)
		return -EIO;
	study_plot(study, i, k, f);
	return finish(study->scene, f, name);
}

int output_study(const struct study *study, const char *folder)
{
	struct scene *sc = study->scene;
	FILE *f = create_in(sc, folder, "study.csv");
	int err = -EIO;

	if (f) {
		study_csv(study, f);
		err = finish(sc, f, "study.csv");
	}
	for (unsigned i = 0; i < sc->n_tables; i++)
		for (unsigned k = 0; k < sc->table[i].n_values && !err; k++)
			if (sc->table[i].column >= 0)
				err = write_chart(study, folder, i, k);
	return err;
}
