#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/pbsim/metric.h"
#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/report.h"
#include "apps/pbsim/scene.h"
#include "stack/base/clock.h"

#define TWO "host a; host b; link a b rate 10mbit delay 5ms limit 100k;"

static struct scene *sc;
static struct scene_run run;
static char path[] = "/tmp/pbsim-scene-XXXXXX";

static void write_scene(const char *text)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	sc = scene_new();
	cr_assert_not_null(sc);
}

static void end(void)
{
	scene_run_end(&run);
	scene_free(sc);
	unlink(path);
	strcpy(path, "/tmp/pbsim-scene-XXXXXX");
}

/* Reads and builds @text. */
static int build(const char *text)
{
	int err;

	write_scene(text);
	err = scene_load(sc, path);
	if (!err)
		scene_first(sc);
	return err ? err : scene_build(sc, &run);
}

static void refused(const char *text, unsigned line, const char *why)
{
	char front[64];

	cr_assert_neq(build(text), 0, "%s", text);
	snprintf(front, sizeof(front), "%s:%u: ", path, line);
	cr_assert(strncmp(sc->error, front, strlen(front)) == 0, "%s", sc->error);
	cr_assert(strstr(sc->error, why), "\"%s\" does not say \"%s\"", sc->error, why);
	end();
}

Test(scene, becomes_a_network_and_runs)
{
	cr_assert_eq(build("# two hosts\nseed 3; time 10s\n"
			   "host a 192.0.2.1 cc cubic\nhost b 192.0.2.2 rcvbuf 1mi\n"
			   "link a b rate 10mbit delay 10ms queue codel limit 50ms "
			   "back rate 1mbit\n"
			   "bulk a b bytes 1mb as x\nrr a b size 10 reply 10 count 5\n"),
		     0, "%s", sc->error);
	cr_assert_eq(run.seed, 3);
	cr_assert_eq(scene_run(&run), 0, "%s", sc->error);
	cr_assert_eq(pbsim_now(run.sim), 10 * NS_PER_S);
	cr_assert_str_eq(pbsim_result(run.sim, 0)->name, "x");
	cr_assert_str_eq(pbsim_result(run.sim, 0)->cc, "cubic");
	cr_assert_eq(pbsim_result(run.sim, 0)->delivered, 1000000);
	cr_assert_eq(pbsim_result(run.sim, 1)->count, 5);
	end();
}

Test(scene, has_ranges_and_variables)
{
	cr_assert_eq(build("set n 4; set d 3ms; time 2s\n"
			   "host s[1-$n]; host t; router r\n"
			   "link s[1-$n] r rate 10mbit delay $d*2; link r t delay $d/3\n"
			   "bulk s[1-$n] t\n"),
		     0, "%s", sc->error);
	cr_assert_eq(pbsim_n_flows(run.sim), 4);
	cr_assert_eq(scene_run(&run), 0);
	/* Twice 6 ms and 1 ms, with some bits. */
	cr_assert_geq(pbsim_result(run.sim, 3)->min_rtt_us, 14000);
	cr_assert_lt(pbsim_result(run.sim, 3)->min_rtt_us, 15500);
	end();
}

Test(scene, changes_lines_on_its_way)
{
	cr_assert_eq(build("time 4s;" TWO "bulk a b\n"
			   "at 1s link a b rate 10mbit delay 5ms loss 100%\n"
			   "at 2s link a b rate 10mbit delay 5ms\n"),
		     0, "%s", sc->error);
	cr_assert_eq(scene_run(&run), 0, "%s", sc->error);
	cr_assert_gt(metric_value("rtos", &run), 0);
	cr_assert_gt(metric_value("goodput", &run), 3);
	cr_assert_lt(metric_value("goodput", &run), 8);
	end();
}

Test(scene, counts_behind_its_warm_up)
{
	cr_assert_eq(build("time 4s; warm 2s;" TWO "bulk a b bytes 100k start 1s"), 0);
	cr_assert_eq(scene_run(&run), 0);
	cr_assert_gt(pbsim_result(run.sim, 0)->delivered, 0);
	cr_assert_float_eq(metric_value("goodput", &run), 0, 1e-9);
	end();
}

Test(scene, of_the_command_line_wins)
{
	write_scene("set n 2\nhost a[1-$n]; host b; router r\n"
		    "link a[1-$n] r; link r b\nbulk a[1-$n] b\n");
	cr_assert_eq(scene_define(sc, "n=5"), 0);
	cr_assert_neq(scene_define(sc, "n"), 0);
	cr_assert_eq(scene_load(sc, path), 0);
	cr_assert_eq(scene_build(sc, &run), 0, "%s", sc->error);
	cr_assert_eq(pbsim_n_flows(run.sim), 5);
	end();
}

Test(scene, mistakes_are_told_with_their_line)
{
	refused("host a\nhots b\n", 2, "\"hots\" is no statement");
	refused("host a\nhost a\n", 2, "there is a \"a\" already");
	refused("host a; host b\n\nlink a b dealy 1ms\n", 3,
		"\"dealy\" is none of: rate");
	refused("host a; host b\nlink a b delay\n", 2, "behind delay is missing a time");
	refused("host a; host b\nlink a b delay 5\n", 2, "delay: \"5\" is not a time");
	refused("host a; host b\nlink a b delay 5ms delay 5ms\n", 2, "delay twice");
	refused("host a; host b\nlink a b mtu 20\n", 2, "an MTU of 68");
	refused("host a; host b\nlink a b rate 1mbit queue sfq\n", 2, "fq_codel");
	refused("host a; host b\nlink a b queue red\n", 2, "a queue, but no rate");
	refused("host a; host b\nlink a b to-bad 1%\n", 2, "go together");
	refused("host a; host b\nlink a b reorder 1%\n", 2, "late is missing");
	refused("host a; host b\nlink a c\n", 2, "there is no \"c\"");
	refused("host a[1-x]\n", 1, "is no range of names");
	refused("host a[1-3]; host b[1-2]\nlink a[1-3] b[1-2]\n", 2, "3 names against 2");
	refused("host a[1-2] 10.1.1.1\n", 1, "one address for 2 hosts");
	refused("host a 10.1.1.300\n", 1, "is no address");
	refused("host a cc vegas\n", 1, "no congestion control");
	refused("host $a\n", 1, "$a has no value");
	refused("set 1 2\n", 1, "cannot be a variable's name");
	refused(TWO "\nbulk a c\n", 2, "there is no host \"c\"");
	refused(TWO "\nbulk a\n", 2, "a name is missing");
	refused(TWO "\nrr a b size 10\n", 2, "rr needs size and reply");
	refused(TWO "\nonoff a b on 1s\n", 2, "onoff needs on and off");
	refused(TWO "\nmail a b\n", 2, "mail needs size");
	refused(TWO "\nbulk a b start 2s stop 1s\n", 2, "stops before it starts");
	refused(TWO "\nbulk a b\nat 2s link a b rate 1mbit\nat 1s link a b rate 1mbit\n",
		4, "earlier than the change before it");
	refused(TWO, 0, "there is no flow");
	refused("time 1s; warm 1s\n" TWO "bulk a b\n", 0, "the warm-up is longer");
}

Test(scene, mistakes_of_studies_are_told)
{
	refused("vary a\n", 1, "vary NAME VALUE");
	refused("vary a 1\nvary a 1\n", 2, "a varies already");
	refused("vary a 1\nset a 1\n", 2, "a varies");
	refused("table goodput rows a\n", 1, "a does not vary");
	refused("vary a 1\ntable godput rows a\n", 2, "\"godput\" is none of");
	refused("vary a 1\ntable goodput\n", 2,
		"all that varies must be rows or columns");
	refused("vary a 1\ntable goodput rows a digits 9\n", 2, "digits: 0 to 6");
	refused("vary a 1\ntable rows a\n", 2, "a table of nothing");
}

Test(scene, study_runs_every_combination)
{
	static const char wanted[] = "\ncount: answers\n"
				     "cc             100ms      200ms   every\n"
				     "reno              50         25\n"
				     "cubic             50         25\n";
	struct study study;
	char *text;
	size_t len;
	FILE *f;

	write_scene("vary cc reno cubic; vary every 100ms 200ms\ntime 5s\n"
		    "host a; host b\nlink a b rate 1mbit delay 1ms\n"
		    "rr a b size 100 reply 100 every $every cc $cc\n"
		    "table count rows cc columns every digits 0\n");
	cr_assert_eq(scene_load(sc, path), 0, "%s", sc->error);
	cr_assert_eq(study_init(&study, sc), 0);
	scene_first(sc);
	do {
		cr_assert_eq(scene_build(sc, &run), 0, "%s", sc->error);
		cr_assert_eq(scene_run(&run), 0);
		study_add(&study, &run);
		scene_run_end(&run);
	} while (scene_next(sc));
	cr_assert_eq(study.n_runs, 4);
	f = open_memstream(&text, &len);
	study_print(&study, f);
	fclose(f);
	cr_assert_str_eq(text, wanted);
	free(text);
	study_fini(&study);
	end();
}
