#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/pbmail/filename.h"
#include "stack/base/check.h"

Test(filename, names_stay_in_this_folder)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR("chart.png"), "chart.png" },
		{ STR("/etc/passwd"), "passwd" },
		{ STR("../../.ssh/authorized_keys"), "authorized_keys" },
		{ STR("C:\\temp\\x.doc"), "x.doc" },
		{ STR(".bashrc"), "_bashrc" },
		{ STR(".."), "_." },
		{ STR("."), "_" },
		{ STR("-rf"), "_rf" },
		{ STR("/"), "attachment" },
		{ STR(""), "attachment" },
		{ STR("  "), "attachment" },
		{ STR("a\nb\x1b[31m\x7f"), "a_b_[31m_" },
		{ STR("a\0b"), "a_b" },
		{ STR("\xc3\x9c\xff\xc2\x9b"), "\xc3\x9c__" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[FILENAME_LEN];

		filename_clean(cases[i].in, out);
		cr_expect_str_eq(out, cases[i].out, "case %zu: '%s'", i, out);
	}
}

Test(filename, long_names_end_at_a_whole_character)
{
	char in[400], out[FILENAME_LEN];

	for (size_t i = 0; i < sizeof(in); i += 2)
		memcpy(in + i, "\xc3\xa4", 2);
	filename_clean((struct str){ in, sizeof(in) }, out);
	cr_assert_eq(strlen(out), FILENAME_LEN - 2);
}

Test(filename, files_are_never_overwritten)
{
	char dir[] = "/tmp/filename.XXXXXX", path[64], link[64], got[8] = "";
	FILE *f;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	snprintf(link, sizeof(link), "%s/y", dir);
	cr_assert_eq(filename_write(path, STR("first")), 0);
	cr_assert_eq(filename_write(path, STR("other")), -EEXIST);
	f = fopen(path, "r");
	cr_assert_eq(fread(got, 1, sizeof(got), f), 5);
	fclose(f);
	cr_assert_str_eq(got, "first");
	/* nor through a link that leads to nothing */
	unlink(path);
	cr_assert_eq(symlink(path, link), 0);
	cr_assert_eq(filename_write(link, STR("other")), -EEXIST);
	cr_assert_eq(access(path, F_OK), -1);
	unlink(link);
	rmdir(dir);
	cr_assert_eq(filename_write(path, STR("other")), -ENOENT);
}
