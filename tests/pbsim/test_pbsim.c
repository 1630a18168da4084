#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "apps/pbsim/pbsim.h"
#include "stack/base/clock.h"
#include "tcp/tcp_stat.h"

static const struct pbsim_line plain = {
	.rate_bps = 10000000,
	.delay_ns = 10 * NS_PER_MS,
	.queue.limit_bytes = 100000,
};

static struct pbsim *two(uint64_t seed, const struct pbsim_line *ab,
			 const struct pbsim_line *ba)
{
	struct pbsim *s = pbsim_new(seed);

	cr_assert_not_null(s);
	cr_assert_eq(pbsim_host(s, "a", NULL), 0);
	cr_assert_eq(pbsim_host(s, "b", NULL), 0);
	cr_assert_eq(pbsim_link(s, "a", "b", ab, ba), 0, "%s", pbsim_error(s));
	return s;
}

static void add(struct pbsim *s, struct pbsim_flow f)
{
	f.from = f.from ? f.from : "a";
	f.to = f.to ? f.to : "b";
	cr_assert_eq(pbsim_flow(s, &f), 0, "%s", pbsim_error(s));
}

static void run(struct pbsim *s, uint64_t ns)
{
	cr_assert_eq(pbsim_run(s, ns), 0, "%s", pbsim_error(s));
}

static struct pbsim_line_stats line_of(struct pbsim *s, unsigned i)
{
	struct pbsim_line_stats st;

	cr_assert(pbsim_line_stats(s, i, &st));
	return st;
}

Test(pbsim, bulk_arrives_whole_and_takes_as_long_as_its_bits)
{
	struct pbsim *s = two(1, &plain, &plain);
	const struct pbsim_result *r;

	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 5000000 });
	run(s, 60 * NS_PER_S);
	r = pbsim_result(s, 0);
	cr_assert_eq(r->delivered, 5000000);
	cr_assert_eq(r->error, 0);
	/* 1448 of each 1500 bytes, at 10 Mbit/s: 4.14 s, and slow start. */
	cr_assert_gt(r->ended_ns, 4140 * NS_PER_MS);
	cr_assert_lt(r->ended_ns, 4600 * NS_PER_MS);
	cr_assert_geq(r->min_rtt_us, 20000);
	cr_assert_lt(r->min_rtt_us, 22000);
	pbsim_free(s);
}

Test(pbsim, bulk_stops_when_it_is_told)
{
	struct pbsim *s = two(1, &plain, &plain);

	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK,
				    .start_ns = NS_PER_S,
				    .stop_ns = 3 * NS_PER_S });
	run(s, 60 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->begun_ns, NS_PER_S);
	cr_assert_gt(pbsim_result(s, 0)->ended_ns, 3 * NS_PER_S);
	cr_assert_lt(pbsim_result(s, 0)->ended_ns, 8 * NS_PER_S);
	pbsim_free(s);
}

Test(pbsim, an_answer_takes_a_round_trip)
{
	struct pbsim_line wire = { .delay_ns = 10 * NS_PER_MS };
	struct pbsim *s = two(1, &wire, &wire);
	const struct pbsim_result *r;

	add(s, (struct pbsim_flow){
		       .kind = PBSIM_RR, .size = 64, .reply = 1000, .count = 50 });
	run(s, 60 * NS_PER_S);
	r = pbsim_result(s, 0);
	cr_assert_eq(r->count, 50);
	cr_assert_eq(r->p50_ns, 20 * NS_PER_MS);
	cr_assert_eq(r->p99_ns, 20 * NS_PER_MS);
	cr_assert_eq(r->ended_ns, 20 * NS_PER_MS * 51);
	pbsim_free(s);
}

Test(pbsim, questions_come_at_their_interval)
{
	struct pbsim *s = two(1, &plain, &plain);

	add(s,
	    (struct pbsim_flow){
		    .kind = PBSIM_RR, .size = 10, .reply = 10, .interval_ns = NS_PER_S });
	run(s, 10 * NS_PER_S + NS_PER_S / 2);
	cr_assert_eq(pbsim_result(s, 0)->count, 11);
	pbsim_free(s);
}

Test(pbsim, onoff_is_on_for_its_share)
{
	struct pbsim *s = two(3, &plain, &plain);

	add(s, (struct pbsim_flow){ .kind = PBSIM_ONOFF,
				    .rate_bps = 1000000,
				    .on_ns = NS_PER_S / 10,
				    .off_ns = 3 * NS_PER_S / 10 });
	run(s, 400 * NS_PER_S);
	cr_assert_float_eq(pbsim_goodput(s, 0) / 1e6, 0.25, 0.03);
	pbsim_free(s);
}

Test(pbsim, mail_is_a_dialogue_of_round_trips)
{
	struct pbsim_line wire = { .delay_ns = 50 * NS_PER_MS };
	struct pbsim *s = two(1, &wire, &wire);
	const struct pbsim_result *r;

	add(s, (struct pbsim_flow){ .kind = PBSIM_MAIL, .size = 5000, .count = 3 });
	run(s, 60 * NS_PER_S);
	r = pbsim_result(s, 0);
	cr_assert_eq(r->count, 3);
	cr_assert_eq(r->error, 0);
	/* MAIL, RCPT, DATA and the body. */
	cr_assert_eq(r->p50_ns, 400 * NS_PER_MS);
	cr_assert_gt(r->delivered, 15000);
	pbsim_free(s);
}

Test(pbsim, losses_are_as_many_as_asked_for)
{
	struct pbsim_line lossy = plain;
	struct pbsim_line_stats st;
	struct pbsim *s;

	lossy.rate_bps = 0;
	lossy.loss = 0.02;
	s = two(1, &lossy, &plain);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 20000000 });
	run(s, 600 * NS_PER_S);
	st = line_of(s, 0);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 20000000);
	cr_assert_float_eq((double)st.lost / (double)st.sent, 0.02, 0.004);
	cr_assert_gt(pbsim_result(s, 0)->retrans, 0);
	pbsim_free(s);
}

Test(pbsim, losses_of_gilbert_come_in_bursts)
{
	struct pbsim_line lossy = plain;
	struct pbsim_line_stats st;
	struct pbsim *s;

	lossy.rate_bps = 0;
	lossy.to_bad = 0.005;
	lossy.to_good = 0.25;
	s = two(1, &lossy, &plain);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 20000000 });
	run(s, 3600 * NS_PER_S);
	st = line_of(s, 0);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 20000000);
	/* Gilbert 1960: p / (p + r) */
	cr_assert_float_eq((double)st.lost / (double)st.sent, 0.0196, 0.005);
	pbsim_free(s);
}

Test(pbsim, what_is_broken_or_late_or_twice_arrives_once_and_whole)
{
	struct pbsim_line bad = plain;
	struct pbsim_line_stats st;
	struct pbsim *s;

	bad.jitter_ns = NS_PER_MS;
	bad.corrupt = bad.duplicate = bad.reorder = 0.02;
	bad.reorder_ns = 3 * NS_PER_MS;
	s = two(1, &bad, &bad);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 2000000 });
	run(s, 600 * NS_PER_S);
	st = line_of(s, 0);
	cr_assert_gt(st.corrupted, 0);
	cr_assert_gt(st.duplicated, 0);
	cr_assert_gt(st.reordered, 0);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 2000000);
	cr_assert_gt(pbsim_result(s, 0)->ended_ns, 0);
	pbsim_free(s);
}

static void dumbbell(struct pbsim *s, unsigned n, const struct pbsim_line *middle)
{
	struct pbsim_line fast = { .rate_bps = 1000000000, .delay_ns = NS_PER_MS };
	char name[2][16];

	pbsim_router(s, "l");
	pbsim_router(s, "r");
	pbsim_link(s, "l", "r", middle, middle);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name[0], sizeof(name[0]), "s%u", i);
		snprintf(name[1], sizeof(name[1]), "d%u", i);
		pbsim_host(s, name[0], NULL);
		pbsim_host(s, name[1], NULL);
		cr_assert_eq(pbsim_link(s, name[0], "l", &fast, &fast), 0);
		cr_assert_eq(pbsim_link(s, name[1], "r", &fast, &fast), 0);
		add(s, (struct pbsim_flow){
			       .kind = PBSIM_BULK, .from = name[0], .to = name[1] });
	}
}

Test(pbsim, routers_share_a_bottleneck)
{
	struct pbsim *s = pbsim_new(1);
	double sum = 0;

	dumbbell(s, 8, &plain);
	run(s, 20 * NS_PER_S);
	for (unsigned i = 0; i < 8; i++) {
		cr_assert_gt(pbsim_goodput(s, i), 200000);
		sum += pbsim_goodput(s, i);
	}
	cr_assert_gt(sum, 9000000);
	cr_assert_lt(sum, 10000000);
	pbsim_free(s);
}

Test(pbsim, hundreds_of_stacks_live_in_one_process)
{
	struct pbsim *s = pbsim_new(1);
	struct pbsim_line wide = plain;

	wide.rate_bps = 100000000;
	wide.queue.limit_bytes = 4000000;
	dumbbell(s, 150, &wide);
	run(s, 5 * NS_PER_S);
	for (unsigned i = 0; i < 150; i++)
		cr_assert_gt(pbsim_result(s, i)->delivered, 0, "%u", i);
	pbsim_free(s);
}

/* a -- r -- b, and r -- q -- c, where only the way to q is narrow: c's SYN cannot tell. */
static void narrow_way(unsigned family)
{
	struct pbsim_host host = { .family = family };
	struct pbsim_line narrow = plain;
	struct pbsim *s = pbsim_new(1);

	narrow.mtu = 1300;
	pbsim_host(s, "a", &host);
	pbsim_host(s, "c", &host);
	pbsim_router(s, "r");
	pbsim_router(s, "q");
	pbsim_link(s, "a", "r", &plain, &plain);
	pbsim_link(s, "r", "q", &narrow, &narrow);
	pbsim_link(s, "q", "c", &plain, &plain);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .to = "c", .bytes = 1000000 });
	run(s, 60 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 1000000);
	cr_assert_gt(line_of(s, 2).too_long, 0);
	cr_assert_lt(line_of(s, 2).too_long, 50);
	pbsim_free(s);
}

Test(pbsim, a_narrow_link_behind_a_router_is_found)
{
	narrow_way(4);
}

Test(pbsim, a_narrow_link_behind_a_router_is_found_by_ipv6)
{
	narrow_way(6);
}

Test(pbsim, hosts_of_ipv6_are_as_fast)
{
	struct pbsim_host host = { .addr = "2001:db8::1" };
	struct pbsim_line fq = plain;
	struct pbsim *s = pbsim_new(1);

	fq.queue.kind = AQM_FQ_CODEL;
	pbsim_host(s, "a", &host);
	host.addr = "2001:db8:1::1";
	pbsim_host(s, "b", &host);
	cr_assert_eq(pbsim_link(s, "a", "b", &fq, &fq), 0);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 5000000 });
	run(s, 60 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 5000000);
	/* 1428 of each 1500 bytes. */
	cr_assert_gt(pbsim_result(s, 0)->ended_ns, 4200 * NS_PER_MS);
	cr_assert_lt(pbsim_result(s, 0)->ended_ns, 5500 * NS_PER_MS);
	pbsim_free(s);
}

struct told {
	uint64_t drops, marks;
};

static struct told marked(const char *ecn)
{
	struct pbsim_host host = { .ecn = ecn };
	struct pbsim_line line = plain;
	struct pbsim *s = pbsim_new(1);
	const struct aqm_stats *q;
	struct told told;

	line.queue = (struct aqm_conf){ .kind = AQM_CODEL, .ecn = true };
	pbsim_host(s, "a", &host);
	pbsim_host(s, "b", &host);
	cr_assert_eq(pbsim_link(s, "a", "b", &line, &line), 0);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK });
	run(s, 20 * NS_PER_S);
	cr_assert_gt(pbsim_goodput(s, 0), 8000000);
	q = line_of(s, 0).queue;
	told = (struct told){ q->early + q->full, q->marked };
	cr_assert_gt(told.drops + told.marks, 0);
	pbsim_free(s);
	return told;
}

Test(pbsim, streams_with_ecn_are_marked_and_lose_nothing)
{
	cr_assert_eq(marked("off").marks, 0);
	cr_assert_eq(marked("on").drops, 0);
	cr_assert_eq(marked("accecn").drops, 0);
	cr_assert_eq(marked("l4s").drops, 0);
}

static uint64_t digest_of(uint64_t seed)
{
	struct pbsim_line bad = plain;
	struct pbsim *s;
	uint64_t digest;

	bad.loss = bad.reorder = 0.01;
	bad.reorder_ns = NS_PER_MS;
	bad.jitter_ns = NS_PER_MS;
	bad.queue.kind = AQM_FQ_CODEL;
	s = two(seed, &bad, &bad);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK });
	add(s, (struct pbsim_flow){ .kind = PBSIM_RR, .size = 100, .reply = 100 });
	add(s, (struct pbsim_flow){
		       .kind = PBSIM_ONOFF, .on_ns = NS_PER_S, .off_ns = NS_PER_S });
	run(s, 10 * NS_PER_S);
	digest = pbsim_digest(s);
	pbsim_free(s);
	return digest;
}

Test(pbsim, a_seed_is_a_run)
{
	cr_assert_eq(digest_of(7), digest_of(7));
	cr_assert_neq(digest_of(7), digest_of(8));
}

Test(pbsim, an_mtu_of_super_frames_is_one_frame)
{
	struct pbsim_line whole = plain;
	struct pbsim *s;

	whole.super = true;
	s = two(1, &whole, &whole);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 5000000 });
	run(s, 60 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->delivered, 5000000);
	/* Not faster than its bits, and in fewer frames than the 3425 segments. */
	cr_assert_gt(pbsim_result(s, 0)->ended_ns, 4140 * NS_PER_MS);
	cr_assert_lt(line_of(s, 0).sent, 2500);
	pbsim_free(s);
}

Test(pbsim, a_held_line_delivers_at_multiples)
{
	struct pbsim_line held = { .delay_ns = 10 * NS_PER_MS, .hold_ns = 7 * NS_PER_MS };
	struct pbsim *s = two(1, &held, &held);

	add(s,
	    (struct pbsim_flow){ .kind = PBSIM_RR, .size = 1, .reply = 1, .count = 5 });
	run(s, 60 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->p50_ns, 28 * NS_PER_MS);
	pbsim_free(s);
}

Test(pbsim, a_line_changes_while_it_runs)
{
	struct pbsim_line down = plain;
	struct pbsim *s = two(1, &plain, &plain);
	uint64_t before;

	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK });
	run(s, 2 * NS_PER_S);
	down.loss = 1;
	cr_assert_eq(pbsim_change(s, "a", "b", &down), 0);
	run(s, 2 * NS_PER_S + NS_PER_S / 10);
	before = pbsim_result(s, 0)->delivered;
	run(s, 4 * NS_PER_S);
	cr_assert_eq(pbsim_result(s, 0)->delivered, before);
	cr_assert_eq(pbsim_change(s, "a", "b", &plain), 0);
	run(s, 20 * NS_PER_S);
	cr_assert_gt(pbsim_result(s, 0)->delivered, before);
	pbsim_free(s);
}

static void look(void *ctx, struct pbsim *s, uint64_t now_ns)
{
	struct tcp_conn_info info;

	(void)now_ns;
	if (pbsim_flow_info(s, 0, &info) && info.cwnd > 0)
		++*(unsigned *)ctx;
}

struct bytes {
	uint64_t first, again, edge;
};

static void segment(void *ctx, unsigned flow, uint64_t now_ns, uint64_t offset,
		    uint32_t len, bool again)
{
	struct bytes *b = ctx;

	(void)flow;
	(void)now_ns;
	if (again)
		b->again += len;
	else
		b->first += len;
	if (offset + len > b->edge)
		b->edge = offset + len;
}

Test(pbsim, who_looks_on_sees_the_connection_and_its_segments)
{
	struct pbsim_line lossy = plain;
	struct bytes bytes = { 0 };
	unsigned n = 0;
	struct pbsim *s;

	lossy.loss = 0.01;
	s = two(1, &lossy, &plain);
	add(s, (struct pbsim_flow){ .kind = PBSIM_BULK, .bytes = 3000000 });
	pbsim_on_look(s, 100 * NS_PER_MS, look, &n);
	pbsim_on_segment(s, segment, &bytes);
	run(s, 60 * NS_PER_S);
	cr_assert_gt(n, 20);
	cr_assert_eq(bytes.edge, 3000000);
	cr_assert_eq(bytes.first, 3000000);
	cr_assert_eq(bytes.again, pbsim_result(s, 0)->retrans);
	cr_assert_gt(bytes.again, 0);
	pbsim_free(s);
}

Test(pbsim, mistakes_are_told)
{
	struct pbsim_host bad = { .addr = "10.0.0" };
	struct pbsim_flow f = { .kind = PBSIM_BULK, .from = "a", .to = "c" };
	struct pbsim *s = two(1, &plain, &plain);

	cr_assert_eq(pbsim_host(s, "a", NULL), -EEXIST);
	cr_assert_eq(pbsim_host(s, "", NULL), -EINVAL);
	cr_assert_eq(pbsim_host(s, "x", &bad), -EINVAL);
	cr_assert_str_eq(pbsim_error(s), "\"10.0.0\" is no address");
	bad = (struct pbsim_host){ .family = 5 };
	cr_assert_eq(pbsim_host(s, "x", &bad), -EINVAL);
	bad = (struct pbsim_host){ .ecn = "yes" };
	cr_assert_eq(pbsim_host(s, "x", &bad), -EINVAL);
	bad = (struct pbsim_host){ .cc = "none" };
	cr_assert_eq(pbsim_host(s, "x", &bad), -EINVAL);
	cr_assert_eq(pbsim_link(s, "a", "b", &plain, &plain), -EEXIST);
	cr_assert_eq(pbsim_link(s, "a", "z", &plain, &plain), -ENOENT);
	cr_assert_eq(pbsim_link(s, "a", "a", &plain, &plain), -EINVAL);
	cr_assert_eq(pbsim_flow(s, &f), -ENOENT);
	f.to = "b";
	f.cc = "none";
	cr_assert_eq(pbsim_flow(s, &f), -EINVAL);
	cr_assert_eq(pbsim_capture(s, "a", "c", "/dev/null"), -ENOENT);
	cr_assert_eq(pbsim_host(s, "c", NULL), 0);
	cr_assert_eq(pbsim_run(s, NS_PER_S), -EINVAL);
	cr_assert_str_eq(pbsim_error(s), "c has no link");
	pbsim_free(s);
}
