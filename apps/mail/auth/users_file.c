/*
 * The file of users: read whole, written whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/lib/file.h"
#include "apps/mail/auth/users_impl.h"
#include "stack/base/clock.h"

/* What is being read. */
struct reader {
	struct users *users;
	const char *name;
	size_t line;
	struct str comment; /* lines above the next user: a piece of the text */
	char *error;
};

static int fail(const struct reader *rd, int r, const char *what)
{
	int n = snprintf(rd->error, USERS_ERROR_LEN, "%s:%zu: %s", rd->name, rd->line,
			 what);

	if (n >= USERS_ERROR_LEN) /* the name is very long: then the reason counts */
		snprintf(rd->error, USERS_ERROR_LEN, "line %zu: %.*s", rd->line,
			 USERS_ERROR_LEN - 32, what);
	return r;
}

_Static_assert(USER_ADDRS_MAX == 64, "the message says so");

/* Splits "a,b,c", which becomes text pieces with NULs between. */
static int split_addrs(const struct reader *rd, char *list, struct user *user)
{
	user->n_addrs = 0;
	for (char *at = list; at;) {
		if (user->n_addrs == USER_ADDRS_MAX)
			return fail(rd, -EINVAL,
				    "more than 64 addresses; allowed: 1 to 64");
		user->addrs[user->n_addrs++] = strsep(&at, ",");
	}
	return 0;
}

static int add_user(const struct reader *rd, char *line)
{
	char error[USERS_ERROR_LEN];
	char *addrs[USER_ADDRS_MAX], *list;
	struct user user = { .addrs = addrs };
	int r;

	user.name = strsep(&line, ":");
	user.hash = strsep(&line, ":");
	list = strsep(&line, ":");
	user.scram = strsep(&line, ":");
	if (!list || line)
		return fail(rd, -EINVAL,
			    "not three or four parts; allowed: "
			    "name:hash:address[,address...][:scram]");
	r = split_addrs(rd, list, &user);
	if (r < 0)
		return r;
	r = users_add(rd->users, &user, error);
	return r < 0 ? fail(rd, r, error) : 0;
}

/* Takes the comments read so far as the ones above what was just added. */
static int take_comment(struct reader *rd, char **to)
{
	if (rd->comment.len == 0)
		return 0;
	*to = str_dup(rd->comment);
	rd->comment.len = 0;
	return *to ? 0 : fail(rd, -ENOMEM, "no memory");
}

static int read_line(struct reader *rd, struct str line, const char *next)
{
	char *copy;
	int r;

	if (line.len == 0 || line.p[0] == '#') {
		if (rd->comment.len == 0)
			rd->comment.p = line.p;
		rd->comment.len = (size_t)(next - rd->comment.p);
		return 0;
	}
	copy = str_dup(line);
	if (!copy)
		return fail(rd, -ENOMEM, "no memory");
	r = add_user(rd, copy);
	free(copy);
	if (r < 0)
		return r;
	return take_comment(rd, &rd->users->entries[rd->users->n - 1].comment);
}

static int read_text(struct reader *rd, struct str text)
{
	if (text.len > 0 && memchr(text.p, '\0', text.len))
		return fail(rd, -EINVAL, "a NUL byte in it; allowed: lines of text");
	while (text.len > 0) {
		struct str line = str_cut(text, '\n', &text);
		int r;

		rd->line++;
		r = read_line(rd, line, text.p);
		if (r < 0)
			return r;
	}
	return take_comment(rd, &rd->users->tail);
}

int users_parse(const char *name, struct str text, struct users **users,
		char error[USERS_ERROR_LEN])
{
	struct reader rd = { .users = users_new(), .name = name, .error = error };
	int r;

	if (!rd.users)
		return fail(&rd, -ENOMEM, "no memory");
	r = read_text(&rd, text);
	if (r < 0) {
		users_free(rd.users);
		return r;
	}
	*users = rd.users;
	return 0;
}

int users_load(const char *path, struct users **users, char error[USERS_ERROR_LEN])
{
	char *bytes = NULL;
	size_t len = 0;
	int r = file_read(path, USERS_FILE_MAX, &bytes, &len);

	if (r < 0) {
		snprintf(error, USERS_ERROR_LEN, "%s: %s", path,
			 r == -EINVAL ? "not a regular file" : strerror(-r));
		return r;
	}
	r = users_parse(path, (struct str){ bytes, len }, users, error);
	free(bytes);
	return r;
}

int users_stamp(const char *path, struct users_stamp *stamp)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*stamp = (struct users_stamp){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_S +
			    (uint64_t)st.st_mtim.tv_nsec,
		.ctime_ns = (uint64_t)st.st_ctim.tv_sec * NS_PER_S +
			    (uint64_t)st.st_ctim.tv_nsec,
	};
	return 0;
}

int users_emit(const struct users *users, FILE *to)
{
	for (size_t i = 0; i < users->n; i++) {
		const struct users_entry *e = &users->entries[i];

		fprintf(to, "%s%s:%s:", e->comment ? e->comment : "", e->user.name,
			e->user.hash);
		for (size_t j = 0; j < e->user.n_addrs; j++)
			fprintf(to, "%s%s", j > 0 ? "," : "", e->user.addrs[j]);
		fprintf(to, "%s%s\n", e->user.scram ? ":" : "",
			e->user.scram ? e->user.scram : "");
	}
	fputs(users->tail ? users->tail : "", to);
	return ferror(to) ? -EIO : 0;
}

/* The new file has the owner of the old one: the server must be able to read it. */
static int keep_owner(int fd, const char *path)
{
	struct stat old;

	if (stat(path, &old) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fchown(fd, old.st_uid, old.st_gid) < 0 ? -errno : 0;
}

static int write_all(const struct users *users, int fd)
{
	FILE *to = fdopen(fd, "w");
	int r;

	if (!to) {
		r = -errno;
		close(fd);
		return r;
	}
	r = users_emit(users, to);
	if (r == 0 && (fflush(to) != 0 || fsync(fd) < 0))
		r = -errno;
	if (fclose(to) != 0 && r == 0)
		r = -errno;
	return r;
}

static int sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd, r = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return r;
}

int users_save(const struct users *users, const char *path)
{
	char *temp;
	int fd, r;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		r = -errno;
		free(temp);
		return r;
	}
	r = keep_owner(fd, path);
	if (r < 0)
		close(fd);
	else
		r = write_all(users, fd);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	else
		r = sync_dir(path);
	free(temp);
	return r;
}
