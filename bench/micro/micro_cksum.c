/*
 * The checksum of bytes that are in the cache, and hashes: what every packet pays.
 */
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/hash.h"

enum { N_OPS = 256 };

struct sums {
	const uint8_t *bytes;
	size_t len;
};

static void run_sums(void *ctx)
{
	const struct sums *s = ctx;

	for (unsigned i = 0; i < N_OPS; i++)
		micro_keep(cksum_add(i, s->bytes, s->len));
}

static void run_flows(void *ctx)
{
	static const struct hash_key key = { { 1, 2 } };
	struct flow *f = ctx;

	for (unsigned i = 0; i < N_OPS; i++) {
		f->remote_port++;
		micro_keep(hash_flow(&key, f));
	}
}

void micro_cksum(void)
{
	static const struct {
		const char *text;
		size_t len;
	} sizes[] = { { "20", 20 }, { "64", 64 }, { "1460", 1460 }, { "65536", 65536 } };
	uint8_t *bytes = aligned_alloc(64, 65536 + 64);
	struct flow four = { .local.family = ADDR_IP4, .remote.family = ADDR_IP4 };
	struct flow six = { .local.family = ADDR_IP6, .remote.family = ADDR_IP6 };

	ASSERT(bytes);
	for (size_t i = 0; i < 65536 + 64; i++)
		bytes[i] = (uint8_t)(i * 151);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		/* A TCP payload behind its headers lies at such an offset. */
		struct sums s = { bytes + 2, sizes[i].len };

		micro_row(&(struct micro){ .what = "cksum",
					   .size = sizes[i].text,
					   .n_ops = N_OPS,
					   .n_bytes = sizes[i].len,
					   .run = run_sums,
					   .ctx = &s });
	}
	micro_row(&(struct micro){ .what = "hash flow",
				   .size = "IPv4",
				   .n_ops = N_OPS,
				   .run = run_flows,
				   .ctx = &four });
	micro_row(&(struct micro){ .what = "hash flow",
				   .size = "IPv6",
				   .n_ops = N_OPS,
				   .run = run_flows,
				   .ctx = &six });
	free(bytes);
}
