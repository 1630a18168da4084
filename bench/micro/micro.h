/*
 * Nanoseconds of the small things that everything is made of.
 *
 * A part has one file micro_PART.c whose function measures its rows, and a line
 * in micro.c.  Run on a machine that does nothing else; the spread says how much
 * to believe.
 */
#pragma once

#include <stdint.h>

/* One row: @n_ops operations in each call of @run, which alone is timed. */
struct micro {
	const char *what;
	const char *size; /* as it stands in the table */
	uint64_t n_ops;
	uint64_t n_bytes;	   /* of each operation, for bytes/ns; 0: none */
	void (*before)(void *ctx); /* prepares one call of @run; may be NULL */
	void (*run)(void *ctx);
	void *ctx;
};

/* Measures a row and prints it, unless the command line names others. */
void micro_row(const struct micro *m);

/* Keeps the compiler from leaving out what nobody reads. */
static inline void micro_keep(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

void micro_cksum(void);
void micro_ip(void);
void micro_map(void);
void micro_tcp(void);
void micro_wheel(void);
