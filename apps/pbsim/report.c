#include "apps/pbsim/report.h"

#include <inttypes.h>
#include <string.h>

#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/scene.h"
#include "stack/base/clock.h"

enum { LINES_FEW = 8, DULL_PEAK = 10000 };

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

static double mean_ms(const struct aqm_stats *q)
{
	return q->out ? (double)q->waited_ns / (double)q->out / 1e6 : 0;
}

/* "12.345" or "-" when there is none. */
static const char *ms(uint64_t ns, uint64_t n, char out[static 32])
{
	if (n)
		snprintf(out, 32, "%.2f", (double)ns / 1e6);
	else
		snprintf(out, 32, "-");
	return out;
}

void report_flows(const struct scene_run *run, FILE *to)
{
	const struct pbsim_result *r;

	fprintf(to, "%4s %-12s %-6s %9s %12s %8s %5s %5s %9s %9s %8s %9s %9s %9s\n",
		"flow", "name", "cc", "Mbit/s", "delivered", "again %", "fast", "rto",
		"min rtt", "srtt ms", "answers", "p50 ms", "p99 ms", "ended s");
	for (unsigned i = 0; (r = pbsim_result(run->sim, i)); i++) {
		char p50[32], p99[32], ended[32] = "-";

		if (r->ended_ns)
			snprintf(ended, sizeof(ended), "%.3f", (double)r->ended_ns / 1e9);
		fprintf(to,
			"%4u %-12s %-6s %9.3f %12" PRIu64 " %8.3f %5" PRIu64 " %5" PRIu64
			" %9.2f %9.2f %8" PRIu64 " %9s %9s %9s%s%s\n",
			i, r->name, r->cc, scene_goodput(run, i) / 1e6, r->delivered,
			percent(r->retrans, r->sent), r->fast_recoveries, r->rtos,
			r->min_rtt_us / 1e3, r->srtt_us / 1e3, r->count,
			ms(r->p50_ns, r->count, p50), ms(r->p99_ns, r->count, p99), ended,
			r->error ? "  " : "", r->error ? strerror(r->error) : "");
	}
}

/* Of many lines only those are shown on which something happened. */
static bool is_dull(const struct pbsim_line_stats *st)
{
	return st->queue->full + st->queue->early + st->queue->marked == 0 &&
	       st->lost + st->too_long + st->no_memory == 0 &&
	       st->queue->peak < DULL_PEAK;
}

void report_lines(const struct scene_run *run, FILE *to)
{
	struct pbsim_line_stats st;
	bool many = pbsim_line_stats(run->sim, LINES_FEW, &st);

	fprintf(to, "%-21s %9s %9s %8s %8s %8s %8s %8s %8s %9s %8s\n", "line", "sent",
		"arrived", "Mbit/s", "full", "early", "marked", "lost", "wait ms",
		"worst ms", "peak kB");
	for (unsigned i = 0; pbsim_line_stats(run->sim, i, &st); i++) {
		char name[2 * PBSIM_NAME_LEN + 4];

		if (many && is_dull(&st))
			continue;
		snprintf(name, sizeof(name), "%s > %s", st.from, st.to);
		fprintf(to,
			"%-21s %9" PRIu64 " %9" PRIu64 " %8.3f %8" PRIu64 " %8" PRIu64
			" %8" PRIu64 " %8" PRIu64 " %8.3f %9.3f %8.1f\n",
			name, st.sent, st.delivered,
			(double)st.delivered_bytes * 8e3 /
				(double)(pbsim_now(run->sim) + 1),
			st.queue->full, st.queue->early, st.queue->marked,
			st.lost + st.too_long + st.no_memory, mean_ms(st.queue),
			(double)st.queue->waited_max_ns / 1e6,
			(double)st.queue->peak / 1e3);
	}
}

void report_flows_csv(const struct scene_run *run, FILE *to)
{
	const struct pbsim_result *r;

	fprintf(to, "flow,name,cc,goodput_bps,delivered_bytes,sent_bytes,retrans_bytes,"
		    "fast_recoveries,rtos,min_rtt_us,srtt_us,answers,p50_ns,p99_ns,"
		    "max_ns,begun_ns,ended_ns,errno\n");
	for (unsigned i = 0; (r = pbsim_result(run->sim, i)); i++)
		fprintf(to,
			"%u,%s,%s,%.0f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d\n",
			i, r->name, r->cc, scene_goodput(run, i), r->delivered, r->sent,
			r->retrans, r->fast_recoveries, r->rtos, r->min_rtt_us,
			r->srtt_us, r->count, r->p50_ns, r->p99_ns, r->max_ns,
			r->begun_ns, r->ended_ns, r->error);
}

void report_lines_csv(const struct scene_run *run, FILE *to)
{
	struct pbsim_line_stats st;

	fprintf(to, "from,to,sent,delivered,delivered_bytes,full,early,marked,lost,"
		    "too_long,no_memory,reordered,duplicated,corrupted,mean_wait_ns,"
		    "worst_wait_ns,peak_bytes\n");
	for (unsigned i = 0; pbsim_line_stats(run->sim, i, &st); i++)
		fprintf(to,
			"%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%.0f,%" PRIu64 ",%" PRIu64 "\n",
			st.from, st.to, st.sent, st.delivered, st.delivered_bytes,
			st.queue->full, st.queue->early, st.queue->marked, st.lost,
			st.too_long, st.no_memory, st.reordered, st.duplicated,
			st.corrupted, mean_ms(st.queue) * 1e6, st.queue->waited_max_ns,
			st.queue->peak);
}
