#include <criterion/criterion.h>
#include <errno.h>

#include "tcp/lport.h"

enum { N_PORTS = LPORT_LAST - LPORT_FIRST + 1 };

static const struct hash_key key = { { 7, 9 } };

static struct lport lport;
static bool used[65536];
static uint32_t n_asked;

static void setup(void)
{
	lport_init(&lport, &key, 42);
}

TestSuite(lport, .init = setup);

static struct flow flow(uint8_t last)
{
	return (struct flow){
		.local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
		.remote = addr_ip4((struct ip4){ { 192, 0, 2, last } }),
		.remote_port = 25,
	};
}

static bool is_used(void *ctx, const struct flow *f)
{
	struct flow *want = ctx;

	cr_assert(addr_eq(&f->remote, &want->remote));
	cr_assert_eq(f->remote_port, want->remote_port);
	n_asked++;
	return used[f->local_port];
}

static int choose(struct flow *f)
{
	return lport_choose(&lport, f, is_used, f);
}

Test(lport, ports_are_ephemeral_and_differ_in_a_row)
{
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct flow f = flow(2);

		cr_assert_eq(choose(&f), 0);
		cr_assert(f.local_port >= LPORT_FIRST && f.local_port <= LPORT_LAST);
		cr_assert(!used[f.local_port]);
		used[f.local_port] = true;
	}
	/* one question each: no port comes again before all have been had */
	cr_assert_eq(n_asked, N_PORTS);
}

Test(lport, taken_ports_are_passed_over_until_none_is_left)
{
	struct flow f = flow(2);

	memset(used, true, sizeof(used));
	used[50000] = false;
	cr_assert_eq(choose(&f), 0);
	cr_assert_eq(f.local_port, 50000);
	used[50000] = true;
	f = flow(2);
	cr_assert_eq(choose(&f), -EADDRNOTAVAIL);
	cr_assert_eq(f.local_port, 0);
}

Test(lport, peers_see_ports_that_do_not_tell_of_each_other)
{
	unsigned n_next = 0;

	/* RFC 6056 2.1: whoever sees his own port must not know the next peer's */
	for (unsigned i = 0; i < 200; i++) {
		struct flow a = flow((uint8_t)i), b = flow((uint8_t)(i + 1));

		cr_assert_eq(choose(&a), 0);
		cr_assert_eq(choose(&b), 0);
		n_next += b.local_port == a.local_port + 1;
	}
	cr_assert_leq(n_next, 2);
}

Test(lport, same_seed_gives_the_same_ports)
{
	struct lport twin, other;
	unsigned n_same = 0;

	lport_init(&twin, &key, 42);
	lport_init(&other, &key, 43);
	for (unsigned i = 0; i < 100; i++) {
		struct flow a = flow((uint8_t)i), b = a, c = a;

		cr_assert_eq(choose(&a), 0);
		cr_assert_eq(lport_choose(&twin, &b, is_used, &b), 0);
		cr_assert_eq(lport_choose(&other, &c, is_used, &c), 0);
		cr_assert_eq(a.local_port, b.local_port);
		n_same += a.local_port == c.local_port;
	}
	cr_assert_leq(n_same, 2);
}

Test(lport, key_decides_and_what_stood_in_the_port_does_not)
{
	static const struct hash_key other_key = { { 7, 10 } };
	struct lport twin, other;
	unsigned n_same = 0;

	lport_init(&twin, &key, 42);
	lport_init(&other, &other_key, 42);
	for (unsigned i = 0; i < 100; i++) {
		struct flow a = flow((uint8_t)i), b = a, c = a;

		b.local_port = (uint16_t)(i + 1);
		cr_assert_eq(choose(&a), 0);
		cr_assert_eq(lport_choose(&twin, &b, is_used, &b), 0);
		cr_assert_eq(lport_choose(&other, &c, is_used, &c), 0);
		cr_assert_eq(a.local_port, b.local_port);
		n_same += a.local_port == c.local_port;
	}
	cr_assert_leq(n_same, 2);
}
