#include <criterion/criterion.h>

#include "stack/base/pkt.h"
#include "tests/lib/case.h"

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

Cases(pkt, setup, clean);

static struct pkt *bytes(const char *text)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 16);

	cr_assert(p && pkt_append(p, text, (uint32_t)strlen(text)));
	return p;
}

Case(pkt, headers_go_in_front_without_a_buffer)
{
	struct pkt *p = pkt_new(&pool, PKT_CONTROL);

	memcpy(pkt_push(p, 3), "tcp", 3);
	memcpy(pkt_push(p, 2), "ip", 2);
	cr_assert_eq(p->total_len, 5);
	cr_assert_arr_eq(p->data, "iptcp", 5);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_free(p);
}

Case(pkt, chain_is_read_and_trimmed_as_one)
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

Case(pkt, shared_buffer_lives_until_its_last_reader)
{
	struct pkt *p = bytes("hello");
	struct pkt *q = pkt_share(p, p->data + 1, 3);

	pkt_free(p);
	cr_assert_eq(pool.bufs.n_out, 1);
	cr_assert_arr_eq(q->data, "ell", 3);
	pkt_free(q);
}

Case(pkt, data_leaves_the_reserve_to_control)
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

Case(pkt, control_may_take_the_last_of_everything_and_then_is_refused)
{
	struct pkt *all[65];
	unsigned n = 0;

	while (n < 64 - 4 && (all[n] = pkt_new_buf(&pool, PKT_DATA, 0)))
		n++;
	cr_assert_eq(n, 64 - 4);
	cr_assert_eq(pkt_pool_level(&pool), 0);
	cr_assert_null(pkt_new_buf(&pool, PKT_DATA, 0));
	while ((all[n] = pkt_new_buf(&pool, PKT_CONTROL, 0)))
		n++;
	cr_assert_eq(n, 64);
	cr_assert_eq(pool.n_refused, 2);
	cr_assert_eq(pool.pkts.n_out, 64, "a refused packet leaves no descriptor out");
	while (n)
		pkt_free(all[--n]);
	cr_assert_eq(pkt_pool_level(&pool), 10);
}

Case(pkt, level_falls_as_buffers_go_out)
{
	struct pkt *all[30];

	for (unsigned i = 0; i < 30; i++)
		cr_assert_not_null(all[i] = pkt_new_buf(&pool, PKT_DATA, 0));
	cr_assert_eq(pkt_pool_level(&pool), 5);
	for (unsigned i = 0; i < 30; i++)
		pkt_free(all[i]);
}

Case(pkt, append_refuses_what_does_not_fit)
{
	static const uint8_t many[PKT_BUF_LEN];
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 96);
	struct pkt *small = pkt_new(&pool, PKT_DATA);

	cr_assert_eq(pkt_room(p), PKT_BUF_LEN - 96);
	cr_assert(!pkt_append(p, many, PKT_BUF_LEN - 95));
	cr_assert_eq(p->total_len, 0);
	cr_assert(pkt_append(p, many, PKT_BUF_LEN - 96));
	cr_assert_eq(pkt_room(p), 0);
	cr_assert_eq(pkt_room(small), 0, "head[] is all headroom");
	pkt_push(p, 96);
	cr_assert_eq(p->data, pkt_buf_bytes(p));
	cr_assert_eq(p->total_len, PKT_BUF_LEN);
	pkt_free(p);
	pkt_free(small);
}

/* "abc" "de" "" "fghi" */
static struct pkt *abc_chain(void)
{
	struct pkt *p = bytes("abc");

	pkt_chain(p, bytes("de"));
	pkt_chain(p, bytes(""));
	pkt_chain(p, bytes("fghi"));
	return p;
}

static void expect_bytes(const struct pkt *p, const char *want)
{
	uint32_t len = (uint32_t)strlen(want), sum = 0;
	char out[16];

	cr_assert_eq(p->total_len, len);
	cr_assert_eq(pkt_read(p, 0, out, sizeof(out)), len);
	cr_assert_arr_eq(out, want, len);
	for (; p; p = p->next)
		sum += p->len;
	cr_assert_eq(sum, len, "total_len is the sum of the descriptors");
}

Case(pkt, every_cut_of_a_chain_leaves_the_rest)
{
	static const char all[] = "abcdefghi";

	for (uint32_t front = 0; front <= 9; front++) {
		for (uint32_t len = 0; len <= 9 - front; len++) {
			struct pkt *p = abc_chain();
			char want[10] = { 0 };

			memcpy(want, all + front, len);
			pkt_trim_front(p, front);
			pkt_trim_to(p, len);
			expect_bytes(p, want);
			pkt_free(p);
		}
	}
}

Case(pkt, read_starts_anywhere_and_stops_at_the_end)
{
	struct pkt *p = abc_chain();
	char out[4];

	for (uint32_t at = 0; at <= 12; at++) {
		uint32_t left = at < 9 ? 9 - at : 0;

		cr_assert_eq(pkt_read(p, at, out, 4), left < 4 ? left : 4);
		cr_assert_arr_eq(out, &"abcdefghi"[at < 9 ? at : 9], left < 4 ? left : 4);
	}
	pkt_free(p);
}

Case(pkt, headers_in_front_of_a_chain_count_once)
{
	struct pkt *p = pkt_new(&pool, PKT_DATA);

	pkt_chain(p, bytes("data"));
	memcpy(pkt_push(p, 2), "hd", 2);
	expect_bytes(p, "hddata");
	pkt_pull(p, 1);
	expect_bytes(p, "ddata");
	pkt_free(p);
}

Case(pkt, copy_of_a_chain_goes_to_another_pool)
{
	struct pkt *p = abc_chain(), *q;
	struct pkt_pool other;

	cr_assert_eq(pkt_pool_init(&other, 16, 16), 0);
	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = 1460;
	q = pkt_copy(&other, PKT_DATA, p);
	pkt_free(p);
	expect_bytes(q, "abcdefghi");
	cr_assert_eq(q->flags, PKT_SUM_PARTIAL);
	cr_assert_eq(q->gso_len, 1460);
	pkt_free(q);
	cr_assert_eq(other.pkts.n_out, 0);
	cr_assert_eq(other.bufs.n_out, 0);
	pkt_pool_fini(&other);
}

Case(pkt, copy_that_finds_the_pool_empty_leaves_nothing_out)
{
	static const uint8_t many[PKT_BUF_LEN];
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);
	struct pkt_pool other;

	cr_assert_eq(pkt_pool_init(&other, 2, 2), 0);
	cr_assert(pkt_append(p, many, PKT_BUF_LEN));
	for (unsigned i = 0; i < 2; i++) {
		struct pkt *more = pkt_new_buf(&pool, PKT_DATA, 0);

		cr_assert(pkt_append(more, many, PKT_BUF_LEN));
		pkt_chain(p, more);
	}
	cr_assert_null(pkt_copy(&other, PKT_CONTROL, p));
	cr_assert_eq(other.pkts.n_out, 0);
	cr_assert_eq(other.bufs.n_out, 0);
	pkt_pool_fini(&other);
	pkt_free(p);
}

Case(pkt, share_that_finds_no_descriptor_takes_no_reference)
{
	struct pkt *all[256], *p = bytes("hello");
	unsigned n = 0;

	while ((all[n] = pkt_new(&pool, PKT_CONTROL)))
		n++;
	cr_assert_null(pkt_share(p, p->data, 5));
	cr_assert_eq(p->buf->refs, 1);
	while (n)
		pkt_free(all[--n]);
	pkt_free(p);
}

Case(pkt, list_is_freed_with_all_its_chains)
{
	struct pkt *p = abc_chain();

	p->link = bytes("x");
	p->link->link = abc_chain();
	pkt_free_list(p);
	pkt_free_list(NULL);
}
