#include "apps/mail/imapd/fold.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

static void fold_ascii(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		text[i] = (char)(c + ((unsigned)(c - 'A') < 26 ? 'a' - 'A' : 0));
	}
}

/* Of U+0080 to U+07FF, which have two bytes. */
static unsigned fold_char(unsigned c)
{
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3ab) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	/* Capital and small letters side by side. */
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
	    (c >= 0x460 && c <= 0x481))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	return c;
}

void fold(char *text, size_t len)
{
	fold_ascii(text, len);
	if (is_ascii(text, len))
		return;
	for (size_t i = 0; i + 1 < len; i++) {
		unsigned a = (unsigned char)text[i], b = (unsigned char)text[i + 1], c;

		if ((a & 0xe0) != 0xc0 || (b & 0xc0) != 0x80)
			continue;
		c = fold_char((a & 0x1f) << 6 | (b & 0x3f));
		text[i] = (char)(0xc0 | c >> 6);
		text[++i] = (char)(0x80 | (c & 0x3f));
	}
}
