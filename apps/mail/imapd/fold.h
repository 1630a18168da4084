/*
 * UTF-8 without case: for searches, where "É" is to find "é".
 *
 * ASCII, Latin, Greek and Cyrillic letters of one case become the other; all of them
 * have as many bytes as before, so it is done in place.
 */
#pragma once

#include <stddef.h>

void fold(char *text, size_t len);
