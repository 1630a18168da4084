/*
 * A disk that may forget: preloaded into a server, it keeps what each write to a file of a
 * store replaced, until the file is synced.  After a kill power.py puts back any part of that,
 * as a cut of the power would have left it.
 *
 *	POWER_FILE	the file: data.mdb of the store, as an absolute path
 *	POWER_LOG	where to keep what was replaced; empty as long as all is synced
 *	POWER_LIES	set: syncs do nothing, as on a disk that lies; to see that a test
 *			would notice
 *
 * A record is a struct record and the old octets of whole sectors.  The log itself is only
 * written: it outlives the process, not the machine.
 *
 * Seen are open, write, writev, pwrite, ftruncate, fsync and fdatasync, which is what LMDB
 * does without MDB_WRITEMAP.  A shared mapping that can be written ends the process: what is
 * written there nobody could see.
 */
#undef _FILE_OFFSET_BITS /* the names that LMDB calls */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SECTOR = 512, FDS_MAX = 1024 };

enum kind {
	KIND_WRITE = 1, /* [at, at + len) was replaced; what was there follows */
	KIND_DURABLE,	/* what is there now stays, whatever comes (O_DSYNC) */
};

struct record {
	uint32_t kind, reserved;
	uint64_t at, len; /* whole sectors */
	uint64_t size;	  /* of the file, before */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_ours[FDS_MAX], is_dsync[FDS_MAX];
static int log_fd = -1, read_fd = -1;

static void die(const char *what)
{
	fprintf(stderr, "power: %s\n", what);
	abort();
}

static void *next(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn)
		die(name);
	return fn;
}

static ssize_t real_write(int fd, const void *bytes, size_t len)
{
	static ssize_t (*fn)(int, const void *, size_t);

	if (!fn)
		*(void **)&fn = next("write");
	return fn(fd, bytes, len);
}

static void put(const void *bytes, size_t len)
{
	if (real_write(log_fd, bytes, len) != (ssize_t)len)
		die("the log cannot be written");
}

static bool has_log(int fd)
{
	return fd >= 0 && fd < FDS_MAX && is_ours[fd];
}

static int note_open(int fd, const char *path, int flags)
{
	const char *file = getenv("POWER_FILE"), *log = getenv("POWER_LOG");

	if (fd < 0 || fd >= FDS_MAX || !file || !log || strcmp(path, file) != 0)
		return fd;
	pthread_mutex_lock(&lock);
	if (log_fd < 0) {
		int (*open_fn)(const char *, int, ...);

		*(void **)&open_fn = next("open");
		log_fd = open_fn(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		read_fd = open_fn(file, O_RDONLY | O_CLOEXEC);
		if (log_fd < 0 || read_fd < 0)
			die("no log");
	}
	is_ours[fd] = true;
	is_dsync[fd] = flags & O_DSYNC;
	pthread_mutex_unlock(&lock);
	return fd;
}

/* What is about to be replaced, in whole sectors. */
static void keep_old(uint64_t at, uint64_t len)
{
	uint64_t first = at / SECTOR * SECTOR;
	uint64_t end = (at + len + SECTOR - 1) / SECTOR * SECTOR;
	struct record r = { .kind = KIND_WRITE, .at = first, .len = end - first };
	struct stat st;
	char *old = calloc(1, end - first);

	if (!old || fstat(read_fd, &st) < 0 ||
	    pread(read_fd, old, end - first, (off_t)first) < 0)
		die("the file cannot be read");
	r.size = (uint64_t)st.st_size;
	put(&r, sizeof(r));
	put(old, end - first);
	free(old);
}

/* It is on the disk, whatever else is not. */
static void keep_durable(uint64_t at, uint64_t len)
{
	uint64_t first = at / SECTOR * SECTOR;
	uint64_t end = (at + len + SECTOR - 1) / SECTOR * SECTOR;
	const struct record r = { .kind = KIND_DURABLE, .at = first, .len = end - first };

	put(&r, sizeof(r));
}

static ssize_t noted(int fd, uint64_t at, uint64_t len, ssize_t (*write_it)(void *arg),
		     void *arg)
{
	ssize_t n;

	if (!has_log(fd) || len == 0)
		return write_it(arg);
	pthread_mutex_lock(&lock);
	keep_old(at, len);
	n = write_it(arg);
	if (n > 0 && is_dsync[fd] && !getenv("POWER_LIES"))
		keep_durable(at, (uint64_t)n);
	pthread_mutex_unlock(&lock);
	return n;
}

struct call {
	int fd, n;
	const void *bytes;
	const struct iovec *parts;
	size_t len;
	off_t at;
};

static ssize_t do_write(void *arg)
{
	const struct call *c = arg;

	return real_write(c->fd, c->bytes, c->len);
}

static ssize_t do_writev(void *arg)
{
	static ssize_t (*fn)(int, const struct iovec *, int);
	const struct call *c = arg;

	if (!fn)
		*(void **)&fn = next("writev");
	return fn(c->fd, c->parts, c->n);
}

static ssize_t do_pwrite(void *arg)
{
	static ssize_t (*fn)(int, const void *, size_t, off_t);
	const struct call *c = arg;

	if (!fn)
		*(void **)&fn = next("pwrite");
	return fn(c->fd, c->bytes, c->len, c->at);
}

static uint64_t place_of(int fd)
{
	return has_log(fd) ? (uint64_t)lseek(fd, 0, SEEK_CUR) : 0;
}

/* The functions that the server finds instead of the C library's. */
#pragma GCC visibility push(default)

int open(const char *path, int flags, ...)
{
	int (*fn)(const char *, int, ...);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	*(void **)&fn = next("open");
	return note_open(fn(path, flags, mode), path, flags);
}

int close(int fd)
{
	int (*fn)(int);

	*(void **)&fn = next("close");
	if (has_log(fd))
		is_ours[fd] = false;
	return fn(fd);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	struct call c = { .fd = fd, .bytes = bytes, .len = len };

	return noted(fd, place_of(fd), len, do_write, &c);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	struct call c = { .fd = fd, .parts = parts, .n = n };
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	return noted(fd, place_of(fd), len, do_writev, &c);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	struct call c = { .fd = fd, .bytes = bytes, .len = len, .at = at };

	return noted(fd, (uint64_t)at, len, do_pwrite, &c);
}

int ftruncate(int fd, off_t size)
{
	int (*fn)(int, off_t);

	if (has_log(fd))
		die("the file is cut or grown, which is not seen");
	*(void **)&fn = next("ftruncate");
	return fn(fd, size);
}

static int sync_with(const char *name, int fd)
{
	int (*fn)(int), r;

	*(void **)&fn = next(name);
	if (!has_log(fd))
		return fn(fd);
	if (getenv("POWER_LIES"))
		return 0;
	pthread_mutex_lock(&lock);
	r = fn(fd);
	if (r == 0) {
		int (*cut)(int, off_t);

		*(void **)&cut = next("ftruncate");
		if (cut(log_fd, 0) < 0)
			die("the log cannot be emptied");
	}
	pthread_mutex_unlock(&lock);
	return r;
}

int fsync(int fd)
{
	return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", fd);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *(*fn)(void *, size_t, int, int, int, off_t);

	if (has_log(fd) && (prot & PROT_WRITE) && (flags & MAP_SHARED))
		die("the file is written through a mapping");
	*(void **)&fn = next("mmap");
	return fn(at, len, prot, flags, fd, offset);
}

#pragma GCC visibility pop
