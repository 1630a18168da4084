#include "tcp/secret.h"

#include <assert.h>

/* All of it is hashed, so it must have no holes. */
struct message {
	uint64_t extra;
	struct flow flow;
	uint8_t use;
	uint8_t zero;
};

static_assert(sizeof(struct flow) == 38, "a flow has no padding");
static_assert(sizeof(struct message) == 48, "a message has no padding");

uint64_t secret_flow(const struct hash_key *key, enum secret_use use,
		     const struct flow *f, uint64_t extra)
{
	struct message m = { .extra = extra, .flow = *f, .use = (uint8_t)use };

	return hash_siphash24(key, &m, sizeof(m));
}
