#include <criterion/criterion.h>

#include "tcp/isn.h"

static const struct hash_key key = { { 1, 2 } }, other_key = { { 1, 3 } };

static struct flow flow(uint8_t last, uint16_t local_port, uint16_t remote_port)
{
	return (struct flow){
		.local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
		.remote = addr_ip4((struct ip4){ { 192, 0, 2, last } }),
		.local_port = local_port,
		.remote_port = remote_port,
	};
}

Test(isn, counts_every_four_microseconds)
{
	struct flow f = flow(2, 25, 40000);
	struct seq a = isn_new(&key, &f, 0);

	cr_assert_eq(seq_dist(a, isn_new(&key, &f, 3999)), 0);
	cr_assert_eq(seq_dist(a, isn_new(&key, &f, 4000)), 1);
	cr_assert_eq(seq_dist(a, isn_new(&key, &f, UINT64_C(1000000000))), 250000);
	/* once round in 4.77 hours (RFC 9293 3.4.1) */
	cr_assert_eq(seq_dist(a, isn_new(&key, &f, UINT64_C(4000) << 32)), 0);
}

Test(isn, every_part_of_the_flow_and_the_key_decide)
{
	struct flow flows[] = { flow(2, 25, 40000), flow(3, 25, 40000),
				flow(2, 26, 40000), flow(2, 25, 40001) };
	struct seq first = isn_new(&key, &flows[0], 0);

	for (unsigned i = 1; i < 4; i++) {
		cr_assert_neq(isn_new(&key, &flows[i], 0).n, first.n);
		cr_assert_neq(isn_ts_offset(&key, &flows[i]),
			      isn_ts_offset(&key, &flows[0]));
	}
	cr_assert_neq(isn_new(&other_key, &flows[0], 0).n, first.n);
	cr_assert_neq(isn_ts_offset(&other_key, &flows[0]),
		      isn_ts_offset(&key, &flows[0]));
}

Test(isn, timestamps_say_nothing_about_numbers)
{
	struct flow f = flow(2, 25, 40000);

	cr_assert_neq(isn_ts_offset(&key, &f), isn_new(&key, &f, 0).n);
	cr_assert_eq(isn_ts_offset(&key, &f), isn_ts_offset(&key, &f));
}
