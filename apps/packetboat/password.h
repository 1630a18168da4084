/*
 * A password from the user: typed twice without echo at a terminal, or a line of
 * standard input.
 */
#pragma once

#include <stdbool.h>

#include "apps/lib/str.h"

enum { PASSWORD_ROOM = 1024 };

/* 0; or -errno and a sentence in @why (of static storage). */
int password_read(bool from_stdin, char password[PASSWORD_ROOM], const char **why);
