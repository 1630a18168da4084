/*
 * A secret of this server that is the same after the next start: random octets in a
 * file of the store's folder, which only the service user can read.
 */
#pragma once

#include <stddef.h>

/* Reads it, or makes it at the first time.  0 or -errno. */
int seed_read(const char *dir, void *seed, size_t len);
