#include "tests/crash/crash_mail.h"

#include <stdio.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { ID_LEN = 16, SMALL_MAX = 8000, LARGE_MAX = 300000 };

void crash_user(unsigned user, char name[CRASH_NAME_LEN])
{
	snprintf(name, CRASH_NAME_LEN, "user%u", user);
}

void crash_head(unsigned user, char head[CRASH_HEAD_LEN])
{
	snprintf(head, CRASH_HEAD_LEN, "Delivered-To: user%u\r\n", user);
}

static bool has(const struct crash_mail *m, unsigned user)
{
	for (unsigned i = 0; i < m->n_to; i++)
		if (m->to[i] == user)
			return true;
	return false;
}

void crash_mail_make(struct crash_mail *m, uint64_t seed, uint32_t id)
{
	struct rng rng;
	unsigned n_to;

	rng_init(&rng, seed ^ (uint64_t)id << 32);
	*m = (struct crash_mail){ .id = id };
	n_to = 1 + (rng_chance(&rng, 0.3) ? rng_below(&rng, CRASH_TO_MAX) : 0);
	while (m->n_to < n_to) {
		unsigned user = rng_below(&rng, CRASH_USERS);

		if (!has(m, user))
			m->to[m->n_to++] = user;
	}
	m->len = ID_LEN + rng_below(&rng, rng_chance(&rng, 0.03) ? LARGE_MAX : SMALL_MAX);
	m->bytes = malloc(m->len + 1);
	ASSERT(m->bytes);
	snprintf(m->bytes, ID_LEN + 1, "Id: %010u\r\n", id);
	for (size_t i = ID_LEN; i < m->len; i++)
		m->bytes[i] = (char)rng_u32(&rng);
}

bool crash_mail_id(struct str bytes, uint32_t *id)
{
	char line[ID_LEN + 1] = "";

	if (bytes.len < ID_LEN)
		return false;
	memcpy(line, bytes.p, ID_LEN);
	return sscanf(line, "Id: %10u\r\n", id) == 1;
}
