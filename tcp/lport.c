#include "tcp/lport.h"

#include <errno.h>

#include "stack/base/rng.h"
#include "tcp/secret.h"

enum { N_PORTS = LPORT_LAST - LPORT_FIRST + 1 };

void lport_init(struct lport *l, const struct hash_key *key, uint32_t seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	l->key = key;
	for (unsigned i = 0; i < LPORT_TABLE; i++)
		l->table[i] = rng_u32(&rng);
}

int lport_choose(struct lport *l, struct flow *f, lport_taken *taken, void *ctx)
{
	struct flow try = *f;
	uint32_t offset, *count;

	/* RFC 6056 3.3.4: two hashes of the flow without its local port */
	try.local_port = 0;
	offset = (uint32_t)secret_flow(l->key, SECRET_LPORT_OFFSET, &try, 0);
	count = &l->table[secret_flow(l->key, SECRET_LPORT_INDEX, &try, 0) % LPORT_TABLE];
	for (unsigned n = 0; n < N_PORTS; n++) {
		try.local_port =
			(uint16_t)(LPORT_FIRST + (offset + (*count)++) % N_PORTS);
		if (!taken(ctx, &try)) {
			f->local_port = try.local_port;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}
