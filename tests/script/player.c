/*
 * Plays scripts: player [-4|-6] [-v] FILE|FOLDER...
 *
 * Of a folder, all its scripts.  Each is played for every family it names (-4, -6: only
 * that), in a process of its own, and is a line of TAP; -v tells each packet and call.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/player.h"

enum { PATH_LEN = 512, LIMIT_S = 60 };

struct run {
	unsigned families, n, n_bad;
	bool verbose;
};

static void say_lines(const char *text)
{
	char line[SCRIPT_ERROR_LEN];

	while (*text) {
		size_t n = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		printf("# %s\n", line);
		text += n + (text[n] == '\n');
	}
}

/* In a child, so that an assertion of the stack's fails one script. */
static int play_alone(const struct script *s, enum script_family family, bool verbose)
{
	char error[SCRIPT_ERROR_LEN];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		bool well;

		alarm(LIMIT_S);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		well = player_play(s, family, verbose ? stdout : NULL, error);
		if (!well)
			say_lines(error);
		exit(!well);
	}
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return status;
}

static void result(struct run *r, bool well, const char *name, const char *family)
{
	r->n++;
	r->n_bad += !well;
	printf("%s %u - %s%s\n", well ? "ok" : "not ok", r->n, name, family);
}

static void play_file(struct run *r, const char *path)
{
	static const struct {
		enum script_family family;
		const char *text;
	} families[] = { { SCRIPT_IP4, " (IPv4)" }, { SCRIPT_IP6, " (IPv6)" } };
	char error[SCRIPT_ERROR_LEN];
	struct script *s = script_read(path, error);

	if (!s) {
		say_lines(error);
		result(r, false, path, "");
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		if (s->families & r->families & families[i].family)
			result(r, play_alone(s, families[i].family, r->verbose) == 0,
			       s->name, families[i].text);
	}
	script_free(s);
}

static int is_script(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".pkt") == 0;
}

static void play_folder(struct run *r, const char *path)
{
	struct dirent **found;
	int n = scandir(path, &found, is_script, alphasort);

	if (n < 0)
		err(1, "%s", path);
	for (int i = 0; i < n; i++) {
		char file[PATH_LEN];

		snprintf(file, sizeof(file), "%s/%s", path, found[i]->d_name);
		play_file(r, file);
		free(found[i]);
	}
	free(found);
}

int main(int argc, char **argv)
{
	struct run r = { .families = SCRIPT_IP4 | SCRIPT_IP6 };
	struct stat st;
	int opt;

	while ((opt = getopt(argc, argv, "46v")) != -1) {
		switch (opt) {
		case '4': r.families = SCRIPT_IP4; break;
		case '6': r.families = SCRIPT_IP6; break;
		case 'v': r.verbose = true; break;
		default: errx(2, "usage: player [-4|-6] [-v] FILE|FOLDER...");
		}
	}
	for (; optind < argc; optind++) {
		if (stat(argv[optind], &st) < 0)
			err(1, "%s", argv[optind]);
		if (S_ISDIR(st.st_mode))
			play_folder(&r, argv[optind]);
		else
			play_file(&r, argv[optind]);
	}
	printf("1..%u\n", r.n);
	return r.n_bad || !r.n;
}
