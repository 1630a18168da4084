/*
 * HTML as plain text, well enough to read a letter: no markup, no scripts, no styles;
 * blocks on lines of their own; the common entities.  Nothing is fetched.
 */
#pragma once

#include <stddef.h>

/* In place, since text is never longer than its markup.  The new length. */
size_t html_to_text(char *html, size_t len);
