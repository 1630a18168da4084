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
