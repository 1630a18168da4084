/*
 * Text of strangers on a terminal.
 *
 * Nothing of it may steer the terminal: control characters (C0, C1, DEL) go, with the rest
 * of the escape sequences that they begin (ECMA-48 5.4, 5.6), and so do the marks that turn
 * the direction of text (Unicode UAX 9), by which a name can look like another.  What is not
 * UTF-8 becomes U+FFFD.
 *
 * Widths are those of wcwidth(3): the program's LC_CTYPE must be one of UTF-8.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "apps/lib/str.h"

/* On one line: line ends and tabs become blanks. */
void text_put(FILE *to, struct str s);
/* The same, cut or filled up with blanks to @width columns. */
void text_put_column(FILE *to, struct str s, unsigned width);
/*
 * Several lines, which end with LF or CRLF.  Lines of more than @width columns are broken
 * at blanks; a word that is longer stays whole, so that an address can still be copied.
 * @width 0: no line is broken.  The last line gets an end.
 */
void text_wrap(FILE *to, struct str s, unsigned width);
