/*
 * Numbers with units, as scenarios have them: "10ms", "100mbit", "1500k", "0.1%", "64".
 *
 * Behind a number stands its unit, and behind that factors: "20ms/2", "3*100k" is not
 * one, "100k*3" is.  All of a text is read, or it is refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* ns us ms s min h; "0" needs none. */
bool value_time(const char *text, uint64_t *ns);
/* bit kbit mbit gbit, a second. */
bool value_rate(const char *text, uint64_t *bps);
/* Bytes: none, k m g (1000), ki mi gi (1024); a "b" may follow. */
bool value_size(const char *text, uint64_t *bytes);
bool value_count(const char *text, uint64_t *n);
/* 0 to 1, or "0%" to "100%". */
bool value_chance(const char *text, double *p);
