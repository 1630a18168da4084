#include "apps/mail/wire/imap_pattern.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The definition, going back at each wildcard: for short patterns only. */
static bool matches(struct str pattern, struct str name)
{
	struct str behind;

	if (pattern.len == 0)
		return name.len == 0;
	behind = (struct str){ pattern.p + 1, pattern.len - 1 };
	if (pattern.p[0] == '*' || pattern.p[0] == '%') {
		if (matches(behind, name))
			return true;
		behind = pattern;
		if (name.len > 0 && pattern.p[0] == '%' && name.p[0] == '/')
			return false;
	} else if (name.len > 0 && pattern.p[0] != name.p[0]) {
		return false;
	}
	return name.len > 0 && matches(behind, (struct str){ name.p + 1, name.len - 1 });
}

/* A pattern, LF, and a name. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str name,
		pattern = str_cut((struct str){ (const char *)bytes, len }, '\n', &name);
	struct imap_pattern p;
	bool result;

	if (imap_pattern_init(&p, STR(""), pattern, '/') != 0)
		return 0;
	result = imap_pattern_match(&p, name);
	if (pattern.len <= 8 && name.len <= 16 && !str_starts_nocase(name, STR("INBOX")))
		ASSERT(result == matches(pattern, name));
	return 0;
}
