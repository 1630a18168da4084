#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/lex.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(struct str s)
{
	ASSERT(charset_is_utf8(s));
	for (size_t i = 0; i < s.len; i++)
		ASSERT((unsigned char)s.p[i] >= ' ' && s.p[i] != 127);
}

/* What was read is one line of UTF-8, whatever room it had; and can be written and read
 * again, but for blanks at its ends and long runs of them. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes + 1, len - 1 }, text, coded, again;
	size_t room = 8 * len + 64, col = 0;
	char *out, *wire;
	struct wr w;

	if (len < 1)
		return 0;
	out = malloc(room);
	wire = malloc(8 * room);
	w = wr_of(out, bytes[0]);
	if (bytes[0] <= room) {
		enc_word_decode(in, &w);
		check_text(lex_since(&w, (uint8_t *)out));
	}
	w = wr_of(out, room);
	enc_word_decode(in, &w);
	text = lex_since(&w, (uint8_t *)out);
	check_text(text);
	w = wr_of(wire, 8 * room);
	enc_word_encode(text, bytes[0] & 1 ? ENC_WORD_TEXT : ENC_WORD_PHRASE, &col, &w);
	ASSERT(!w.bad);
	coded = lex_since(&w, (uint8_t *)wire);
	ASSERT(charset_is_ascii(coded));
	if (!memmem(text.p, text.len, "                                ", 32)) {
		w = wr_of(out + text.len, room - text.len);
		ASSERT(enc_word_decode(coded, &w) == 0 || w.bad);
		again = lex_since(&w, (uint8_t *)out + text.len);
		ASSERT(w.bad || str_eq(again, str_trim(text)));
	}
	free(out);
	free(wire);
	return 0;
}
