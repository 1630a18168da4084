#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/dialog.h"
#include "tests/lib/imap_test.h"
#include "tests/lib/net_mem.h"

static int is_imap(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && strcmp(dot, ".imap") == 0;
}

static bool busy(struct dialog *d)
{
	return imap_test_busy(d->arg);
}

/* All dialogues, with bytes arriving @cut at a time. */
static void play_all(size_t cut)
{
	struct dirent **names;
	int n = scandir(DIALOG_DIR, &names, is_imap, alphasort);

	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++) {
		struct imap_test t;
		struct dialog d = { .where = IMAP_TEST_WHERE,
				    .cut = cut,
				    .hook = imap_test_hook,
				    .busy = busy,
				    .arg = &t };
		char path[512];
		bool good;

		imap_test_init(&t);
		d.net = t.net;
		snprintf(path, sizeof(path), "%s/%s", DIALOG_DIR, names[i]->d_name);
		good = dialog_play(&d, path);
		cr_expect(good, "%s", d.error);
		cr_expect(imap_test_fini(&t), "%s: something leaked", path);
		free(names[i]);
	}
	free(names);
}

Test(imapd, plays_all_dialogues)
{
	play_all(0);
}

Test(imapd, plays_all_dialogues_byte_by_byte)
{
	play_all(1);
}

Test(imapd, plays_all_dialogues_seven_bytes_at_a_time)
{
	play_all(7);
}
