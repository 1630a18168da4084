/*
 * Names of files from strangers.
 */
#pragma once

#include <stdbool.h>

#include "apps/lib/str.h"

enum { FILENAME_LEN = 128 }; /* with its NUL */

/*
 * Makes a name of a file in this folder of what a message calls its part: what stands
 * behind the last slash or backslash; control characters, and a dot or dash in front,
 * become "_"; what is not UTF-8, too.  Never empty, ".", ".." or longer than
 * FILENAME_LEN - 1.
 */
void filename_clean(struct str name, char out[static FILENAME_LEN]);
/*
 * Writes a file that is not there yet.  0; -EEXIST; or -errno, and there is none.
 */
int filename_write(const char *path, struct str bytes);
