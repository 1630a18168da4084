#include "tcp/secret.h"

#include <assert.h>

struct end {
	uint8_t family;
	struct ip6 bytes;
};

/* All of it is hashed, so it must have no holes. */
struct message {
	uint64_t extra;
	struct end local, remote;
	uint16_t local_port, remote_port;
	uint8_t use;
	uint8_t zone; /* the link of both ends is the same */
};

static_assert(sizeof(struct message) == 48, "a message has no padding");

static struct end end_of(const struct addr *a)
{
	return (struct end){ .family = a->family, .bytes = a->ip6 };
}

uint64_t secret_flow(const struct hash_key *key, enum secret_use use,
		     const struct flow *f, uint64_t extra)
{
	struct message m = {
		.extra = extra,
		.local = end_of(&f->local),
		.remote = end_of(&f->remote),
		.local_port = f->local_port,
		.remote_port = f->remote_port,
		.use = (uint8_t)use,
		.zone = f->local.zone,
	};

	return hash_siphash24(key, &m, sizeof(m));
}
