#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/lib/peers.h"

Test(peers, counts_sessions_of_each_client)
{
	struct peers *peers;
	struct peer *a, *b;

	cr_assert_eq(peers_new(1, &peers), 0);
	a = peers_add(peers, "192.0.2.1");
	b = peers_add(peers, "192.0.2.2");
	cr_assert_neq(a, b);
	cr_assert_eq(peers_add(peers, "192.0.2.1"), a);
	cr_assert_eq(peers_count(a), 2);
	cr_assert_eq(peers_count(b), 1);
	peers_remove(peers, a);
	cr_assert_eq(peers_count(a), 1);
	peers_remove(peers, a);
	peers_remove(peers, b);
	peers_free(peers);
}

Test(peers, takes_a_network_of_64_bits_for_one_client)
{
	struct peers *peers;
	struct peer *a, *b;

	cr_assert_eq(peers_new(1, &peers), 0);
	a = peers_add(peers, "2001:db8:1:2::1");
	cr_assert_eq(peers_add(peers, "2001:db8:1:2:ffff::9"), a);
	b = peers_add(peers, "2001:db8:1:3::1");
	cr_assert_neq(a, b);
	cr_assert_eq(peers_count(a), 2);
	peers_remove(peers, a);
	peers_remove(peers, a);
	peers_remove(peers, b);
	peers_free(peers);
}

Test(peers, holds_many_clients_and_forgets_them)
{
	enum { N = 20000 };
	static struct peer *all[N];
	struct peers *peers;

	cr_assert_eq(peers_new(7, &peers), 0);
	for (int i = 0; i < N; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.%d.%d.1", i / 256, i % 256);
		all[i] = peers_add(peers, addr);
		cr_assert_eq(peers_count(all[i]), 1);
	}
	for (int i = 0; i < N; i++)
		peers_remove(peers, all[i]);
	peers_free(peers);
}

Test(peers, share_what_there_is)
{
	struct peers *peers;
	struct peer *a, *b;

	cr_assert_eq(peers_new(1, &peers), 0);
	a = peers_add(peers, "192.0.2.1");
	b = peers_add(peers, "192.0.2.2");
	cr_assert(peers_take(a, 60, 100));
	cr_assert(!peers_take(a, 41, 100));
	cr_assert(peers_take(a, 40, 100));
	cr_assert(!peers_take(a, 1, 50));
	cr_assert(!peers_take(a, UINT64_MAX, 100));
	cr_assert(peers_take(b, 100, 100));
	/* It is remembered for as long as the client has something. */
	peers_remove(peers, a);
	cr_assert_eq(peers_add(peers, "192.0.2.1"), a);
	cr_assert(!peers_take(a, 1, 100));
	peers_remove(peers, a);
	peers_give(peers, a, 100);
	peers_give(peers, b, 100);
	peers_remove(peers, b);
	peers_free(peers);
}

Test(peers, takes_each_user_of_this_host_for_a_client)
{
	struct peers *peers;
	struct peer *a, *b;

	cr_assert_eq(peers_new(1, &peers), 0);
	a = peers_add(peers, "uid:1000");
	cr_assert_eq(peers_add(peers, "uid:1000"), a);
	b = peers_add(peers, "uid:1001");
	cr_assert_neq(a, b);
	cr_assert_eq(peers_count(b), 1);
	peers_remove(peers, a);
	peers_remove(peers, a);
	peers_remove(peers, b);
	peers_free(peers);
}
