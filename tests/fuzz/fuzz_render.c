/*
 * Whatever a message is like, what is shown of it is UTF-8 without control characters,
 * and all its parts have names for files that stay in this folder.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/mail/wire/charset.h"
#include "apps/pbmail/filename.h"
#include "apps/pbmail/render.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_shown(struct str s)
{
	ASSERT(charset_is_utf8(s));
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		ASSERT(c == '\n' || (c >= ' ' && c != 0x7f));
		/* U+0080 to U+009F */
		ASSERT(c != 0xc2 || (unsigned char)s.p[i + 1] >= 0xa0);
	}
}

static void check_names(struct str message)
{
	struct mime *m = mime_new(&mime_limits_default);
	char name[FILENAME_LEN];

	ASSERT(m);
	mime_parse(m, message);
	for (uint32_t i = 0; i < mime_n_parts(m); i++) {
		filename_clean(render_filename(mime_part(m, i)), name);
		ASSERT(name[0] != '\0' && name[0] != '.' && !strchr(name, '/'));
	}
	mime_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str message = { (const char *)bytes, len };
	char *shown = NULL;
	size_t shown_len;
	FILE *to;

	setlocale(LC_CTYPE, "C.UTF-8");
	to = open_memstream(&shown, &shown_len);
	ASSERT(to && render_message(to, message, len % 100) == 0);
	render_summary(to, 1, false, message, 80);
	fclose(to);
	check_shown((struct str){ shown, shown_len });
	free(shown);
	check_names(message);
	return 0;
}
