#include "tcp/cc.h"

#include <stddef.h>
#include <string.h>

#include "stack/base/check.h"

static const struct cc_ops *const table[] = { &cc_reno, &cc_cubic, &cc_bbr };

uint32_t cc_initial_window(uint32_t mss)
{
	uint32_t floor = 2 * mss > 14600 ? 2 * mss : 14600;

	return 10 * mss < floor ? 10 * mss : floor;
}

const struct cc_ops *cc_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

const struct cc_ops *cc_at(unsigned i)
{
	return i < ARRAY_LEN(table) ? table[i] : NULL;
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, uint64_t now_ns)
{
	*cc = (struct cc){
		.ops = ops,
		.cwnd = cc_initial_window(mss),
		.ssthresh = UINT32_MAX,
	};
	if (ops->init)
		ops->init(cc, mss, now_ns);
}

void cc_fini(struct cc *cc)
{
	if (cc->ops && cc->ops->fini)
		cc->ops->fini(cc);
}

void cc_grow(struct cc *cc, uint32_t n)
{
	cc->cwnd = n < CC_CWND_MAX - cc->cwnd ? cc->cwnd + n : CC_CWND_MAX;
}

void cc_recovered(struct cc *cc)
{
	cc->cwnd = cc->ssthresh;
}

void cc_restart(struct cc *cc, uint32_t mss)
{
	uint32_t window = cc_initial_window(mss);

	if (cc->cwnd > window)
		cc->cwnd = window;
}
