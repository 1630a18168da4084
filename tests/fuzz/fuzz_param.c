#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/param.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { TEXT_LEN = 4096 };

/* What was read can be written and read again, but for bytes that are not UTF-8 and the
 * few names and values that have no such form. */
static void check(const struct param *p)
{
	char out[16 * TEXT_LEN], text[TEXT_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct param_list list;
	struct str written;

	param_emit(&w, p->name, p->value);
	ASSERT(!w.bad);
	written = lex_since(&w, (uint8_t *)out);
	w = wr_of(text, sizeof(text));
	param_parse(written, &w, &list);
	if (memchr(p->name.p, '*', p->name.len) || p->value.len > PARAM_VALUE_MAX / 4 ||
	    p->name.len > 40 || !charset_is_utf8(p->value))
		return;
	ASSERT(list.n == 1 && list.odd == 0);
	ASSERT(str_eq(list.param[0].name, p->name));
	ASSERT(str_eq(list.param[0].value, p->value));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char text[TEXT_LEN];
	struct wr w = wr_of(text, sizeof(text));
	struct param_list list;

	param_parse((struct str){ (const char *)bytes, len }, &w, &list);
	ASSERT(list.n <= PARAM_MAX);
	for (unsigned i = 0; i < list.n; i++)
		check(&list.param[i]);
	return 0;
}
