#include "apps/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t max, char **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t sum = 0;
	ssize_t n = 1;
	char *all;
	int r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0	       ? -errno :
	    !S_ISREG(st.st_mode)       ? -EINVAL :
	    (uint64_t)st.st_size > max ? -EFBIG :
					 0;
	all = r < 0 ? NULL : malloc((size_t)st.st_size + 1);
	if (r == 0 && !all)
		r = -ENOMEM;
	while (r == 0 && n > 0 && sum < (size_t)st.st_size) {
		n = read(fd, all + sum, (size_t)st.st_size - sum);
		if (n > 0)
			sum += (size_t)n;
		else if (n < 0)
			r = -errno;
	}
	close(fd);
	if (r < 0) {
		free(all);
		return r;
	}
	*bytes = all;
	*len = sum;
	return 0;
}
