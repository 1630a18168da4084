#include "apps/lib/local.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The errno of what failed; the socket goes. */
static int give_up(int fd)
{
	int r = -errno;

	if (fd >= 0)
		close(fd);
	return r;
}

static int open_at(const char *path, struct sockaddr_un *at)
{
	int fd;

	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(at->sun_path))
		return -ENAMETOOLONG;
	strcpy(at->sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int local_connect(const char *path)
{
	struct sockaddr_un at;
	int fd = open_at(path, &at);

	if (fd < 0)
		return fd;
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? give_up(fd) : fd;
}

/* A socket whose owner is gone stays in the file system; one that is answered does not
 * go. */
static int remove_stale(const char *path)
{
	int fd = local_connect(path);
	struct stat st;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

int local_listen(const char *path, mode_t mode, int backlog)
{
	struct sockaddr_un at;
	int fd, r = remove_stale(path);

	if (r < 0)
		return r;
	fd = open_at(path, &at);
	if (fd < 0)
		return fd;
	/* Nobody can connect between bind() and listen(): the mode is there in time. */
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, backlog) < 0)
		return give_up(fd);
	return fd;
}

int local_peer_uid(int fd, uint32_t *uid)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return -errno;
	*uid = who.uid;
	return 0;
}
