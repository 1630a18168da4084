/*
 * When an item is tried again, and when its sender is told.
 *
 * Intervals double from the first to the longest, each with a quarter more or less by
 * chance, so that what failed together does not come again together.  An item is
 * looked at when its sender is to be warned, and when it is given up, whatever the
 * interval (RFC 5321 4.5.4.1: retry after 30 minutes, give up after 4 to 5 days).
 *
 * Pure functions: time and chance are arguments.  All times in ms.
 */
#pragma once

#include <stdint.h>

struct rng;

struct sched_conf {
	uint64_t first_ms, most_ms;   /* intervals */
	uint64_t warn_ms, give_up_ms; /* ages; warn_ms 0: never */
};

enum sched_age { SCHED_YOUNG, SCHED_LATE, SCHED_OVER };

/* What the age of an item that arrived at @arrived_ms means. */
enum sched_age sched_age(const struct sched_conf *conf, uint64_t arrived_ms,
			 uint64_t now_ms);
/* The interval behind failure number @n, from 1. */
uint64_t sched_interval(const struct sched_conf *conf, uint32_t n, struct rng *rng);
/* When the item is due again, behind its attempt number @n at @now_ms. */
uint64_t sched_next(const struct sched_conf *conf, uint64_t arrived_ms, uint64_t now_ms,
		    uint32_t n, struct rng *rng);
