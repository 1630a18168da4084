#include "apps/pbmail/filename.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "apps/mail/wire/charset.h"

static struct str base_of(struct str name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			return (struct str){ name.p + i, name.len - i };
	return name;
}

/* U+0080 to U+009F are control characters, too. */
static bool is_harmless(struct str s, int len)
{
	unsigned char c = (unsigned char)s.p[0];

	if (len <= 0 || c < ' ' || c == 0x7f)
		return false;
	return !(c == 0xc2 && (unsigned char)s.p[1] < 0xa0);
}

void filename_clean(struct str name, char out[static FILENAME_LEN])
{
	struct str rest = str_trim(base_of(name));
	size_t n = 0;

	while (rest.len > 0) {
		int len = charset_utf8_char(rest);
		bool harmless = is_harmless(rest, len);
		size_t used = len > 0 ? (size_t)len : 1, room = harmless ? used : 1;

		if (n + room > FILENAME_LEN - 1)
			break;
		memcpy(out + n, harmless ? rest.p : "_", room);
		n += room;
		rest.p += used;
		rest.len -= used;
	}
	if (n > 0 && (out[0] == '.' || out[0] == '-'))
		out[0] = '_';
	out[n] = '\0';
	if (n == 0)
		strcpy(out, "attachment");
}

static int write_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0)
			return -errno;
		bytes.p += n;
		bytes.len -= (size_t)n;
	}
	return 0;
}

int filename_write(const char *path, struct str bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}
