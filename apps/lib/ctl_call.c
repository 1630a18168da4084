/*
 * The asking side of a control socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/lib/ctl.h"

static int fail(int r, const char *path, const char *what, char *error)
{
	snprintf(error, CTL_ERROR_LEN, "%s: %s", path, what);
	return r;
}

static int connect_to(const char *path, char *error)
{
	const struct timeval patience = { .tv_sec = CTL_CLIENT_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(at.sun_path))
		return fail(-ENAMETOOLONG, path, strerror(ENAMETOOLONG), error);
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	r = -errno;
	if (fd >= 0)
		close(fd);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return fail(r, path, "nobody listens there; does packetboatd run?",
			    error);
	return fail(r, path, strerror(-r), error);
}

/* All lines up to the one that ends them. */
static int read_answer(FILE *from, const char *path, ctl_take_row *row, void *arg,
		       char *error)
{
	char *line = NULL;
	size_t room = 0, n = 0;
	bool whole = false;
	int r = 0;

	while (!whole && getline(&line, &room, from) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, ".") == 0)
			whole = true;
		else if (n++ > 0)
			row(arg, line);
		else if (strcmp(line, "ok") != 0)
			r = fail(-EINVAL, path, line, error);
	}
	free(line);
	if (r == 0 && !whole)
		return fail(-EPROTO, path, "the answer ends too early", error);
	return r;
}

int ctl_call(const char *path, const char *question, ctl_take_row *row, void *arg,
	     char error[CTL_ERROR_LEN])
{
	int fd = connect_to(path, error), r;
	FILE *stream;

	if (fd < 0)
		return fd;
	stream = fdopen(fd, "r");
	if (!stream) {
		close(fd);
		return fail(-ENOMEM, path, "no memory", error);
	}
	if (dprintf(fd, "%s\n", question) < 0)
		r = fail(-errno, path, strerror(errno), error);
	else
		r = read_answer(stream, path, row, arg, error);
	fclose(stream);
	return r;
}
