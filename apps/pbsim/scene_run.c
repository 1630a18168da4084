#include <stdlib.h>

#include "apps/pbsim/scene_words.h"

static int change_line(struct scene_run *run, const struct scene_stmt *st)
{
	struct build b = { run->scene, run, st };
	struct names from, to = { 0 };
	struct pbsim_line line[2];
	unsigned n = 0;
	int err = words_pairs(&b, 3, &from, &to, &n);

	if (!err)
		err = words_link(&b, 5, line);
	for (unsigned i = 0; i < n && !err; i++)
		if (pbsim_change(run->sim, words_name(&from, i), words_name(&to, i),
				 &line[0]) ||
		    pbsim_change(run->sim, words_name(&to, i), words_name(&from, i),
				 &line[1]))
			err = scene_fail(b.sc, st->line, "%s", pbsim_error(run->sim));
	free(from.name);
	free(to.name);
	return err;
}

static int run_until(struct scene_run *run, uint64_t ns)
{
	if (pbsim_run(run->sim, ns))
		return scene_fail(run->scene, 0, "%s", pbsim_error(run->sim));
	return 0;
}

/* To @ns, with the changes on the way. */
static int run_to(struct scene_run *run, uint64_t ns)
{
	int err = 0;

	while (!err && run->changed < run->n_changes &&
	       run->change[run->changed].at_ns <= ns) {
		const struct scene_change *c = &run->change[run->changed++];

		err = run_until(run, c->at_ns);
		if (!err)
			err = change_line(run, c->stmt);
	}
	return err ? err : run_until(run, ns);
}

int scene_run(struct scene_run *run)
{
	unsigned n = pbsim_n_flows(run->sim);
	int err;

	if (run->warm_ns) {
		run->warm = calloc(n, sizeof(run->warm[0]));
		if (!run->warm)
			return scene_fail(run->scene, 0, "no memory");
		err = run_to(run, run->warm_ns);
		if (err)
			return err;
		for (unsigned i = 0; i < n; i++)
			run->warm[i] = pbsim_result(run->sim, i)->delivered;
	}
	return run_to(run, run->time_ns);
}

void scene_run_end(struct scene_run *run)
{
	if (run->sim)
		pbsim_free(run->sim);
	free(run->warm);
	*run = (struct scene_run){ 0 };
}

double scene_goodput(const struct scene_run *run, unsigned flow)
{
	const struct pbsim_result *r = pbsim_result(run->sim, flow);
	uint64_t end_ns = r->ended_ns ? r->ended_ns : pbsim_now(run->sim);

	if (!run->warm)
		return pbsim_goodput(run->sim, flow);
	if (end_ns <= run->warm_ns)
		return 0;
	return (double)(r->delivered - run->warm[flow]) * 8 * 1e9 /
	       (double)(end_ns - run->warm_ns);
}
