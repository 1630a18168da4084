#include "stack/base/check.h"

#include <stdio.h>

void check_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: cannot be: %s\n", file, line, what);
	abort();
}
