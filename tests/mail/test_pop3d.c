#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/dialog.h"
#include "tests/lib/net_mem.h"
#include "tests/lib/pop3_test.h"

static int is_pop3(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && strcmp(dot, ".pop3") == 0;
}

/* All dialogues, with bytes arriving @cut at a time. */
static void play_all(size_t cut)
{
	struct dirent **names;
	int n = scandir(DIALOG_DIR, &names, is_pop3, alphasort);

	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++) {
		struct pop3_test t;
		struct dialog d = { .where = POP3_TEST_WHERE,
				    .cut = cut,
				    .hook = pop3_test_hook,
				    .arg = &t };
		char path[512];
		bool good;

		pop3_test_init(&t);
		d.net = t.net;
		snprintf(path, sizeof(path), "%s/%s", DIALOG_DIR, names[i]->d_name);
		good = dialog_play(&d, path);
		cr_expect(good, "%s", d.error);
		cr_expect(pop3_test_fini(&t), "%s: something leaked", path);
		free(names[i]);
	}
	free(names);
}

Test(pop3d, plays_all_dialogues)
{
	play_all(0);
}

Test(pop3d, plays_all_dialogues_byte_by_byte)
{
	play_all(1);
}

Test(pop3d, plays_all_dialogues_seven_bytes_at_a_time)
{
	play_all(7);
}
