#include "apps/packetboat/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

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

static bool ask_once(FILE *terminal, const char *prompt, char *to)
{
	struct termios before, silent;
	int fd = fileno(terminal);
	bool ok;

	if (tcgetattr(fd, &before) < 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, terminal);
	fflush(terminal);
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
		return false;
	ok = read_line(terminal, to);
	tcsetattr(fd, TCSAFLUSH, &before);
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
