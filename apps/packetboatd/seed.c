#include "apps/packetboatd/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* The whole file, or none of it: a start that was cut short left none. */
static int make(const char *path, void *seed, size_t len)
{
	char *temp;
	int fd, r = 0;

	if (getrandom(seed, len, 0) != (ssize_t)len)
		return -EIO;
	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		r = -errno;
		free(temp);
		return r;
	}
	if (write(fd, seed, len) != (ssize_t)len || fsync(fd) < 0 ||
	    rename(temp, path) < 0) {
		r = errno ? -errno : -EIO;
		unlink(temp);
	}
	close(fd);
	free(temp);
	return r;
}

static int read_it(const char *path, void *seed, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, seed, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -ENODATA;
}

int seed_read(const char *dir, void *seed, size_t len)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/seed", dir) < 0)
		return -ENOMEM;
	r = read_it(path, seed, len);
	if (r == -ENOENT)
		r = make(path, seed, len);
	free(path);
	return r;
}
