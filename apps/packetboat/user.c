/*
 * The commands that keep the file of users.  A running packetboatd sees the new one
 * within a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/mail/auth/users.h"
#include "apps/packetboat/packetboat.h"
#include "apps/packetboat/password.h"
#include "apps/packetboat/table.h"
#include "stack/base/check.h"

static int fail_errno(const char *what, int r)
{
	char text[512];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
	return packetboat_fail(text);
}

/* A new file belongs to the service user, who must read it. */
static int make_file(const struct packetboat *p)
{
	int fd = open(p->users, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	r = packetboat_give(p, fd);
	close(fd);
	return r;
}

/* The users as they are; empty when there is no file yet. */
static int load(const struct packetboat *p, struct users **users, int *status)
{
	char error[USERS_ERROR_LEN];
	int r = users_load(p->users, users, error);

	if (r == -ENOENT) {
		*users = users_new();
		r = *users ? 0 : -ENOMEM;
	}
	if (r < 0)
		*status = packetboat_fail(error);
	return r;
}

static int save(const struct packetboat *p, const struct users *users)
{
	int r = make_file(p);

	if (r == 0)
		r = users_save(users, p->users);
	return r < 0 ? fail_errno(p->users, r) : 0;
}

_Static_assert(USERS_PASSWORD_MAX == 511 && USERS_CLEAR_MAX == 180, "messages say so");

/* What is kept of a password: no keys ("") of one that SCRAM cannot have. */
struct secrets {
	char hash[USER_HASH_MAX], scram[USERS_SCRAM_MAX];
};

/* Of a password that is asked for. */
static int ask_password(const struct packetboat *p, struct secrets *to)
{
	char password[PASSWORD_ROOM];
	const char *why;
	int r = password_read(p->password_stdin, password, &why);

	if (r < 0)
		return packetboat_fail(why);
	r = p->in_clear ? users_clear(str_of(password), to->hash) :
			  users_hash(str_of(password), to->hash);
	if (r == 0 && users_scram(str_of(password), to->scram) < 0)
		to->scram[0] = '\0';
	explicit_bzero(password, sizeof(password));
	if (r == -EINVAL)
		return packetboat_fail(
			p->in_clear ?
				"that password cannot be; allowed: 1 to 180 bytes of "
				"UTF-8 that SASLprep (RFC 4013) leaves as it is" :
				"that password cannot be; allowed: 1 to 511 bytes");
	return r < 0 ? fail_errno("password", r) : 0;
}

/* Asks for the password of a user who is there, and writes all. */
static int set_password(const struct packetboat *p, struct users *users, const char *name)
{
	struct secrets secrets;
	int status = ask_password(p, &secrets);

	if (status != 0)
		return status;
	if (users_set_hash(users, str_of(name), secrets.hash,
			   secrets.scram[0] ? secrets.scram : NULL) < 0)
		return packetboat_fail("no memory");
	return save(p, users);
}

static int add(struct packetboat *p, struct users *users, int argc, char **argv)
{
	char nothing[] = "!", error[USERS_ERROR_LEN];
	struct user user = { .name = argv[0],
			     .hash = nothing,
			     .addrs = argv + 1,
			     .n_addrs = (size_t)argc - 1 };

	/* Before anybody types a password in vain. */
	if (users_add(users, &user, error) < 0)
		return packetboat_fail(error);
	return set_password(p, users, argv[0]);
}

static int passwd(struct packetboat *p, struct users *users, int argc, char **argv)
{
	(void)argc;
	if (!users_by_name(users, str_of(argv[0])))
		return packetboat_fail("no such user; see packetboat user list");
	return set_password(p, users, argv[0]);
}

static const char *kind_of_password(const char *hash)
{
	char clear[USERS_CLEAR_MAX + 1];
	bool is_clear = users_clear_parse(hash, clear);

	explicit_bzero(clear, sizeof(clear));
	return is_clear ? "clear" : strcmp(hash, "!") == 0 ? "no" : "yes";
}

static int list(struct packetboat *p, struct users *users, int argc, char **argv)
{
	struct table table = { 0 };

	(void)argc;
	(void)argv;
	table_add(&table, "name\tpassword\taddresses");
	for (size_t i = 0; i < users_count(users); i++) {
		const struct user *user = users_at(users, i);
		char line[USER_NAME_MAX + 8 + USER_ADDRS_MAX * (USER_ADDR_MAX + 1)];
		int n = snprintf(line, sizeof(line), "%s\t%s\t", user->name,
				 kind_of_password(user->hash));

		for (size_t j = 0; j < user->n_addrs; j++)
			n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s",
				      j > 0 ? "," : "", user->addrs[j]);
		table_add(&table, line);
	}
	table_print(&table, NULL, p->json, stdout);
	table_fini(&table);
	return 0;
}

static int drop(struct packetboat *p, struct users *users, int argc, char **argv)
{
	(void)argc;
	if (users_remove(users, str_of(argv[0])) < 0)
		return packetboat_fail("no such user; see packetboat user list");
	return save(p, users);
}

static const struct {
	const char *name;
	int least, most; /* arguments behind the name */
	int (*run)(struct packetboat *p, struct users *users, int argc, char **argv);
} commands[] = {
	{ "add", 2, 1 + USER_ADDRS_MAX, add },
	{ "passwd", 1, 1, passwd },
	{ "list", 0, 0, list },
	{ "remove", 1, 1, drop },
};

/* One change at a time: what two write at once, one would lose.  The folder is locked,
 * since the file itself is replaced. */
static int lock(const struct packetboat *p)
{
	char *copy = strdup(p->users);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(copy);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

static int run(struct packetboat *p, size_t which, int argc, char **argv)
{
	struct users *users;
	int fd = lock(p), status = 1;

	if (load(p, &users, &status) == 0) {
		status = commands[which].run(p, users, argc, argv);
		users_free(users);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

int user_command(struct packetboat *p, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 >= commands[i].least && argc - 2 <= commands[i].most)
			return run(p, i, argc - 2, argv + 2);
	return packetboat_usage();
}
