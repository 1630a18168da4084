/*
 * Who did too much lately: a table of fixed size, in which each name has a debt that
 * grows with what it does and goes down with time, a second a second.
 *
 * When a set of the table is full, whoever has the least debt is forgotten: to be
 * forgotten, others must run up more.  The table is keyed: nobody can aim for one set.
 * It has no lock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct throttle;

enum { THROTTLE_SETS = 512, THROTTLE_WAYS = 8 }; /* 64 KiB */

/* 0 or -ENOMEM. */
int throttle_new(uint64_t seed, struct throttle **throttle);
void throttle_free(struct throttle *throttle);

/* The name of @kind and @len @bytes. */
uint64_t throttle_name(const struct throttle *throttle, char kind, const void *bytes,
		       size_t len);
/* Nanoseconds of debt that are left at @now_ns. */
uint64_t throttle_debt(const struct throttle *throttle, uint64_t name, uint64_t now_ns);
/* @cost_ns more of it. */
void throttle_add(struct throttle *throttle, uint64_t name, uint64_t now_ns,
		  uint64_t cost_ns);
