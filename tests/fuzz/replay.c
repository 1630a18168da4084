/*
 * Gives every file of the folders named as arguments to a fuzz target, so that its
 * corpus is a plain test.  No file at all is a failure: a corpus was moved away.
 */
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REPLAY_FILE_MAX = 1 << 20 };

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	size_t len;

	if (!f)
		err(1, "%s", path);
	/* Copied to memory of just its size, where a sanitizer sees one byte too far. */
	bytes = malloc(REPLAY_FILE_MAX);
	if (!bytes)
		err(1, "%s", path);
	len = fread(bytes, 1, REPLAY_FILE_MAX, f);
	fclose(f);
	bytes = realloc(bytes, len ? len : 1);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
}

static unsigned replay_folder(const char *folder)
{
	struct dirent **names;
	unsigned done = 0;
	int n = scandir(folder, &names, NULL, alphasort);

	if (n < 0)
		err(1, "%s", folder);
	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			replay_file(path);
			done++;
		}
		free(names[i]);
	}
	free(names);
	return done;
}

int main(int argc, char **argv)
{
	unsigned done = 0;

	for (int i = 1; i < argc; i++)
		done += replay_folder(argv[i]);
	printf("%u files\n", done);
	return done ? 0 : 1;
}
