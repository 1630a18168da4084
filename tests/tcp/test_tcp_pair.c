#include <criterion/criterion.h>

#include "tests/lib/tcp_pair.h"

enum { N_SEEDS = 200 };

Test(tcp_pair, brings_every_byte_through_bad_links)
{
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct pair_result result;
		struct pair_conf conf;

		pair_conf_random(&conf, seed);
		pair_run(&conf, &result);
	}
}

Test(tcp_pair, says_the_same_again_for_the_same_seed)
{
	struct pair_result one, two;
	struct pair_conf conf;

	pair_conf_random(&conf, 7);
	pair_run(&conf, &one);
	pair_run(&conf, &two);
	cr_assert_gt(one.n_packets, 0);
	cr_assert_eq(one.digest, two.digest);
	cr_assert_eq(one.end_ns, two.end_ns);
}

Test(tcp_pair, marks_and_fast_open_are_tried_by_it)
{
	uint64_t n_marked = 0, n_reduced = 0, n_fast = 0;

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct pair_result result;
		struct pair_conf conf;

		pair_conf_random(&conf, seed);
		pair_run(&conf, &result);
		n_marked += result.n_marked;
		n_reduced += result.ecn_reduced;
		n_fast += result.fastopen_in;
		if (conf.mark == 0)
			cr_assert_eq(result.ecn_reduced, 0);
	}
	cr_assert_gt(n_marked, 200);
	cr_assert_gt(n_reduced, 100);
	cr_assert_gt(n_fast, 30);
}
