#include <criterion/criterion.h>
#include <string.h>

#include "apps/mail/imapd/fold.h"

static void expect(const char *text, const char *folded)
{
	char copy[128];
	size_t len = strlen(text);

	memcpy(copy, text, len + 1);
	fold(copy, len);
	cr_expect_str_eq(copy, folded);
	fold(copy, len);
	cr_expect_str_eq(copy, folded, "folded twice");
}

Test(fold, letters_lose_their_case)
{
	expect("", "");
	expect("AZ az @[`{ 09", "az az @[`{ 09");
	expect("ÀÉÞ ×÷ß", "àéþ ×÷ß");
	expect("ĀĶĹŇŊŸŹŽ", "āķĺňŋŸźž");
	expect("ΑΟΠΡΩΫ", "αοπρωϋ");
	expect("ЀЏАПРЯѠ", "ѐџапряѡ");
	expect("日本 \xf0\x9f\x98\x80", "日本 \xf0\x9f\x98\x80");
}

Test(fold, what_is_no_utf8_stays)
{
	expect("\xc3", "\xc3");
	expect("\xc3"
	       "A",
	       "\xc3"
	       "a");
	expect("\x80\xff\xc3\xc3\x89", "\x80\xff\xc3\xc3\xa9");
}
