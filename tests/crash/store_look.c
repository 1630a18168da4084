/*
 * store_look DIR: opens the store in DIR and says what store_check() finds.  For
 * smtp_crash.py, which kills the whole server.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "apps/mail/store/store.h"

static void say(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

int main(int argc, char **argv)
{
	char error[STORE_ERROR_LEN];
	struct store_conf conf = { .map_len = (uint64_t)1 << 30,
				   .now_s = (uint64_t)time(NULL) };
	struct store *store;
	uint64_t n_faults;

	if (argc != 2)
		errx(2, "usage: store_look DIR");
	conf.dir = argv[1];
	if (store_open(&conf, &store, error))
		errx(1, "%s", error);
	n_faults = store_check(store, say, NULL);
	store_close(store);
	printf("%" PRIu64 " faults\n", n_faults);
	return n_faults > 0;
}
