#include "apps/mail/queue/sched.h"

#include "stack/base/rng.h"

enum { DOUBLINGS_MAX = 32, JITTER_STEPS = 1024 };

enum sched_age sched_age(const struct sched_conf *conf, uint64_t arrived_ms,
			 uint64_t now_ms)
{
	uint64_t age = now_ms > arrived_ms ? now_ms - arrived_ms : 0;

	if (age >= conf->give_up_ms)
		return SCHED_OVER;
	return conf->warn_ms > 0 && age >= conf->warn_ms ? SCHED_LATE : SCHED_YOUNG;
}

uint64_t sched_interval(const struct sched_conf *conf, uint32_t n, struct rng *rng)
{
	uint64_t interval = conf->first_ms;

	for (uint32_t i = 1; i < n && i < DOUBLINGS_MAX && interval < conf->most_ms; i++)
		interval *= 2;
	if (interval > conf->most_ms)
		interval = conf->most_ms;
	/* Three quarters, and up to half of it more. */
	return interval - interval / 4 +
	       interval / 2 * rng_below(rng, JITTER_STEPS) / JITTER_STEPS;
}

/* The sooner of @due_ms and the moment of that age, if that is still to come. */
static uint64_t no_later(uint64_t due_ms, uint64_t arrived_ms, uint64_t age_ms,
			 uint64_t now_ms)
{
	uint64_t at = arrived_ms + age_ms;

	return at > now_ms && at < due_ms ? at : due_ms;
}

uint64_t sched_next(const struct sched_conf *conf, uint64_t arrived_ms, uint64_t now_ms,
		    uint32_t n, struct rng *rng)
{
	uint64_t due_ms = now_ms + sched_interval(conf, n, rng);

	due_ms = no_later(due_ms, arrived_ms, conf->give_up_ms, now_ms);
	return conf->warn_ms == 0 ? due_ms :
				    no_later(due_ms, arrived_ms, conf->warn_ms, now_ms);
}
