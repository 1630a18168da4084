#include <criterion/criterion.h>

#include "stack/base/pkt.h"

static struct pkt_pool pool;

static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, 256, 64), 0);
}

static void clean(void)
{
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

TestSuite(pkt, .init = setup, .fini = clean);

static struct pkt *bytes(const char *text)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 16);

	cr_assert(p && pkt_append(p, text, (uint32_t)strlen(text)));
	return p;
}

Test(pkt, headers_go_in_front_without_a_buffer)
{
	struct pkt *p = pkt_new(&pool, PKT_CONTROL);

	memcpy(pkt_push(p, 3), "tcp", 3);
	memcpy(pkt_push(p, 2), "ip", 2);
	cr_assert_eq(p->total_len, 5);
	cr_assert_arr_eq(p->data, "iptcp", 5);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_free(p);
}

Test(pkt, chain_is_read_and_trimmed_as_one)
{
	struct pkt *p = bytes("abc");
	char out[8] = { 0 };

	pkt_chain(p, bytes("defg"));
	cr_assert_eq(p->total_len, 7);
	cr_assert_eq(pkt_read(p, 2, out, 4), 4);
	cr_assert_str_eq(out, "cdef");
	pkt_trim_front(p, 4);
	pkt_trim_to(p, 2);
	cr_assert_eq(pkt_read(p, 0, out, 8), 2);
	cr_assert_arr_eq(out, "ef", 2);
	pkt_free(p);
}

Test(pkt, shared_buffer_lives_until_its_last_reader)
{
	struct pkt *p = bytes("hello");
	struct pkt *q = pkt_share(p, p->data + 1, 3);

	pkt_free(p);
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_arr_eq(q->data, "ell", 3);
	pkt_free(q);
}

Test(pkt, data_leaves_the_reserve_to_control)
{
	struct pkt *all[256];
	unsigned n = 0;

	while ((all[n] = pkt_new(&pool, PKT_DATA)))
		n++;
	cr_assert_eq(n, 256 - 16);
	cr_assert_not_null(all[n] = pkt_new(&pool, PKT_CONTROL));
	for (unsigned i = 0; i <= n; i++)
		pkt_free(all[i]);
}
