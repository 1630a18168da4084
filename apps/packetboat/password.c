#include "apps/packetboat/password.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { N_CAUGHT = 3 };

static const int caught[N_CAUGHT] = { SIGINT, SIGTERM, SIGHUP };

/* One line without its end.  False: none, or too long. */
static bool read_line(FILE *from, char *to)
{
	size_t len;

	if (!fgets(to, PASSWORD_ROOM, from))
		return false;
	len = strlen(to);
	if (len == 0 || to[len - 1] != '\n')
		return len > 0 && feof(from);
	to[len - 1] = '\0';
	return true;
}

static void interrupted(int signo)
{
	(void)signo; /* ends the reading; the terminal must be put right first */
}

/* With a handler, and without restart, a signal ends read() with EINTR. */
static void catch_signals(struct sigaction before[N_CAUGHT])
{
	const struct sigaction catch = { .sa_handler = interrupted };

	for (size_t i = 0; i < N_CAUGHT; i++)
		sigaction(caught[i], &catch, &before[i]);
}

static void release_signals(const struct sigaction before[N_CAUGHT])
{
	for (size_t i = 0; i < N_CAUGHT; i++)
		sigaction(caught[i], &before[i], NULL);
}

static bool ask_once(FILE *terminal, const char *prompt, char *to)
{
	struct sigaction actions[N_CAUGHT];
	struct termios before, silent;
	int fd = fileno(terminal);
	bool ok;

	if (tcgetattr(fd, &before) < 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, terminal);
	fflush(terminal);
	catch_signals(actions);
	ok = tcsetattr(fd, TCSAFLUSH, &silent) == 0 && read_line(terminal, to);
	tcsetattr(fd, TCSAFLUSH, &before);
	release_signals(actions);
	fputc('\n', terminal);
	return ok;
}

static int ask(FILE *terminal, char *password, const char **why)
{
	char again[PASSWORD_ROOM];
	int r = 0;

	*why = "no password was given";
	if (!ask_once(terminal, "Password: ", password) ||
	    !ask_once(terminal, "The same again: ", again))
		return -EINVAL;
	if (strcmp(password, again) != 0) {
		*why = "the two differ; nothing was changed";
		r = -EINVAL;
	}
	explicit_bzero(again, sizeof(again));
	return r;
}

int password_read(bool from_stdin, char password[PASSWORD_ROOM], const char **why)
{
	FILE *terminal;
	int r;

	if (from_stdin) {
		*why = "no password on standard input";
		return read_line(stdin, password) ? 0 : -EINVAL;
	}
	terminal = fopen("/dev/tty", "r+e");
	if (!terminal) {
		*why = "there is no terminal to ask; allowed: --password-stdin";
		return -ENOTTY;
	}
	r = ask(terminal, password, why);
	fclose(terminal);
	return r;
}
