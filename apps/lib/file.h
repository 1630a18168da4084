/*
 * Files that are read whole, and looked at whether they changed.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of a regular file, to free().  0; -EINVAL: it is no such; -EFBIG: more than @max
 * bytes; or another -errno.
 */
int file_read(const char *path, size_t max, char **bytes, size_t *len);
