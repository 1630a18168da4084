#include <criterion/criterion.h>
#include <errno.h>

#include "apps/mail/wire/utf7.h"
#include "stack/base/check.h"

static const struct {
	struct str utf8, utf7;
} names[] = {
	{ STR(""), STR("") },
	{ STR("INBOX"), STR("INBOX") },
	{ STR(" ~!\"%"), STR(" ~!\"%") },
	{ STR("a&b"), STR("a&-b") },
	{ STR("&&"), STR("&-&-") },
	{ STR("&\xc3\xa9&"), STR("&-&AOk-&-") },
	{ STR("Entw\xc3\xbcrfe & mehr"), STR("Entw&APw-rfe &- mehr") },
	/* RFC 3501 5.1.3's own. */
	{ STR("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"),
	  STR("~peter/mail/&U,BTFw-/&ZeVnLIqe-") },
	{ STR("\xc3\xa9\xc3\xa9\xc3\xa9"), STR("&AOkA6QDp-") },
	{ STR("\xf0\x9f\x93\xab"), STR("&2D3c6w-") },
	{ STR("a\xf0\x9f\x93\xab\xc3\xa9z"), STR("a&2D3c6wDp-z") },
	{ STR("\x01\t\x7f"), STR("&AAEACQB,-") },
	{ STR("\xef\xbf\xbf"), STR("&,,8-") },
	{ STR("\xf4\x8f\xbf\xbf"), STR("&2,,f,w-") },
};

Test(utf7, writes_and_reads_names)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char out[128];
		size_t len;

		cr_assert_eq(utf7_emit(names[i].utf8, out, sizeof(out), &len), 0, "%zu",
			     i);
		cr_assert(str_eq((struct str){ out, len }, names[i].utf7), "%zu: %.*s", i,
			  (int)len, out);
		cr_assert_eq(utf7_parse(names[i].utf7, out, sizeof(out), &len), 0, "%zu",
			     i);
		cr_assert(str_eq((struct str){ out, len }, names[i].utf8), "%zu: %.*s", i,
			  (int)len, out);
	}
}

Test(utf7, takes_no_other_spelling)
{
	static const struct str wrong[] = {
		STR("&"),	   /* not ended */
		STR("a&AOk"),	   /* the same */
		STR("&AOk/"),	   /* not the alphabet */
		STR("&AOk=-"),	   /* no padding */
		STR("&AO-"),	   /* less than a character */
		STR("&AOl-"),	   /* bits behind the last */
		STR("&AOkA-"),	   /* a digit too much */
		STR("&AGE-"),	   /* "a" stands for itself */
		STR("&ACY-"),	   /* so does "&", as "&-" */
		STR("&AOk-&AOk-"), /* one run would do */
		STR("&AAA-"),	   /* U+0000 */
		STR("&2D0-"),	   /* half a pair */
		STR("&2D0AYQ-"),   /* half a pair, then another */
		STR("&3MvYPQ-"),   /* a pair the wrong way round */
		STR("&2D3YPdzL-"), /* two first halves */
		STR("\xc3\xa9"),   /* UTF-8 */
		STR("a\0b"),	   STR("a\x7f"),
		STR("a\r"),	   STR("&AO k-"), /* a space in a run */
		STR("&A\0Ok-"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char out[64];
		size_t len;

		cr_assert_eq(utf7_parse(wrong[i], out, sizeof(out), &len), -EINVAL, "%zu",
			     i);
	}
}

Test(utf7, writes_nothing_that_is_not_utf8)
{
	static const struct str wrong[] = {
		STR("\0"),
		STR("\x80"),
		STR("\xc3"),
		STR("\xc3("),
		STR("\xc0\x80"),
		STR("\xc1\xbf"),
		STR("\xe0\x80\x80"),
		STR("\xed\xa0\x80"),
		STR("\xed\xbf\xbf"),
		STR("\xf0\x80\x80\x80"),
		STR("\xf4\x90\x80\x80"),
		STR("\xf8\x88\x80\x80\x80"),
		STR("\xff"),
		STR("\xe2\x82"),
		STR("a\xf0\x9f\x93"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char out[64];
		size_t len;

		cr_assert_eq(utf7_emit(wrong[i], out, sizeof(out), &len), -EINVAL, "%zu",
			     i);
	}
}

Test(utf7, refuses_every_truncation_inside_a_run)
{
	struct str name = STR("&U,BTFw-&-&2D3c6w-");
	char out[64];
	size_t len;

	for (size_t n = 1; n < 8; n++)
		cr_assert_eq(utf7_parse((struct str){ name.p, n }, out, 64, &len),
			     -EINVAL, "%zu", n);
	for (size_t n = 11; n < name.len; n++)
		cr_assert_eq(utf7_parse((struct str){ name.p, n }, out, 64, &len),
			     -EINVAL, "%zu", n);
}

Test(utf7, writes_no_further_than_its_room)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char out[128];
		size_t len;

		for (size_t cap = 0; cap < names[i].utf7.len; cap++) {
			memset(out, 'x', sizeof(out));
			cr_assert_eq(utf7_emit(names[i].utf8, out, cap, &len), -ENOSPC);
			cr_assert_eq(out[cap], 'x');
		}
		for (size_t cap = 0; cap < names[i].utf8.len; cap++) {
			memset(out, 'x', sizeof(out));
			cr_assert_eq(utf7_parse(names[i].utf7, out, cap, &len), -ENOSPC);
			cr_assert_eq(out[cap], 'x');
		}
	}
}
