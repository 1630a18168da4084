#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "apps/pbsim/output.h"
#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/report.h"
#include "apps/pbsim/scene.h"
#include "apps/pbsim/value.h"
#include "stack/base/clock.h"

struct args {
	const char *file, *folder;
	uint64_t every_ns;
	bool csv, capture, verbose;
};

static const char usage_text[] =
	"usage: pbsim [-cpv] [-D name=value]... [-i interval] [-o folder] scenario\n";

/* A stack has two descriptors. */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 0, or the exit status. */
static int read_args(int argc, char **argv, struct scene *sc, struct args *a)
{
	int c;

	while ((c = getopt(argc, argv, "cD:i:o:pv")) != -1) {
		switch (c) {
		case 'c': a->csv = true; break;
		case 'o': a->folder = optarg; break;
		case 'p': a->capture = true; break;
		case 'v': a->verbose = true; break;
		case 'D':
			if (scene_define(sc, optarg))
				return usage();
			break;
		case 'i':
			if (!value_time(optarg, &a->every_ns) || !a->every_ns)
				return usage();
			break;
		default: return usage();
		}
	}
	if (optind + 1 != argc)
		return usage();
	a->file = argv[optind];
	return 0;
}

static void report(const struct args *a, const struct scene_run *run)
{
	if (a->csv) {
		report_flows_csv(run, stdout);
		return;
	}
	report_flows(run, stdout);
	printf("\n");
	report_lines(run, stdout);
}

static void tell_cost(const struct scene_run *run, double begun_s)
{
	double s = cpu_s() - begun_s, n = (double)pbsim_n_events(run->sim);

	fprintf(stderr,
		"%.0f events in %.2f s of CPU: %.0f a second; %.4f s of CPU for a second "
		"of the network; digest %016llx\n",
		n, s, n / s, s * 1e9 / (double)(pbsim_now(run->sim) + 1),
		(unsigned long long)pbsim_digest(run->sim));
}

/* One simulation; its values go to @study. */
static int one(const struct args *a, struct scene *sc, struct study *study)
{
	struct output *out = NULL;
	double begun_s = cpu_s();
	struct scene_run *run = malloc(sizeof(*run));
	int err;

	if (!run)
		return -ENOMEM;
	err = scene_build(sc, run);
	if (!err && a->folder && !sc->n_tables)
		err = output_open(run, a->folder, a->every_ns, a->capture, &out);
	if (!err)
		err = scene_run(run);
	if (!err) {
		if (sc->n_tables)
			study_add(study, run);
		else
			report(a, run);
		if (a->verbose)
			tell_cost(run, begun_s);
	}
	if (out) {
		int bad = output_close(out);

		err = err ? err : bad;
	}
	scene_run_end(run);
	free(run);
	return err;
}

static int all(const struct args *a, struct scene *sc)
{
	struct study study;
	int err = scene_load(sc, a->file);

	if (err)
		return err;
	if (sc->n_vary && !sc->n_tables)
		return scene_fail(sc, 0, "something varies, and there is no table");
	err = study_init(&study, sc);
	scene_first(sc);
	do {
		if (!err)
			err = one(a, sc, &study);
	} while (!err && scene_next(sc));
	if (!err && sc->n_tables && a->folder)
		err = output_study(&study, a->folder);
	if (!err && sc->n_tables && a->csv)
		study_csv(&study, stdout);
	else if (!err && sc->n_tables)
		study_print(&study, stdout);
	study_fini(&study);
	return err;
}

int main(int argc, char **argv)
{
	struct args a = { .every_ns = 0 };
	struct scene *sc = scene_new();
	int status;

	if (!sc)
		return 1;
	raise_limit();
	status = read_args(argc, argv, sc, &a);
	if (!status && all(&a, sc)) {
		fprintf(stderr, "pbsim: %s\n", sc->error[0] ? sc->error : "no memory");
		status = 1;
	}
	if (fflush(stdout) != 0 && !status) {
		perror("pbsim");
		status = 1;
	}
	scene_free(sc);
	return status;
}
