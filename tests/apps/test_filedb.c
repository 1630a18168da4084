#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/lib/net.h"
#include "apps/mail/auth/users.h"
#include "apps/packetboatd/kinds.h"
#include "stack/base/clock.h"
#include "stack/base/log.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

static char path[] = "/tmp/filedb.XXXXXX", log_path[] = "/tmp/filedb_log.XXXXXX";
static char error[FILEDB_ERROR_LEN];
static struct log log_to = { .level = LOG_DEBUG, .program = "test" };
static struct filedb *db;
static struct net *net;

static void write_users(const char *text)
{
	char temp[64];
	FILE *file;

	snprintf(temp, sizeof(temp), "%s.new", path);
	file = fopen(temp, "w");
	fputs(text, file);
	fclose(file);
	cr_assert_eq(rename(temp, path), 0);
}

static void setup(void)
{
	close(mkstemp(path));
	log_to.fd = mkostemp(log_path, O_APPEND);
	cr_assert_eq(net_mem_new(&net), 0);
	write_users("alice:!:alice@example.org\n");
	cr_assert_eq(filedb_new(net, &log_to, &kind_users, path, &db, error), 0, "%s",
		     error);
}

static void clean(void)
{
	filedb_free(db);
	net_free(net);
	unlink(path);
	unlink(log_path);
}

TestSuite(filedb, .timeout = 60);
Cases(filedb, setup, clean);

static bool knows(const char *addr)
{
	return users_by_addr(filedb_value(db), str_of(addr)) != NULL;
}

Case(filedb, new_file_is_taken_when_it_is_looked_at)
{
	uint64_t n_loaded, n_refused;

	cr_assert(knows("alice@example.org"));
	write_users("bob:!:bob@example.org\n");
	cr_assert(!knows("bob@example.org"));
	mem_advance(net, FILEDB_LOOK_MS * NS_PER_MS);
	cr_assert(mem_wait(net));
	cr_assert(knows("bob@example.org"));
	cr_assert(!knows("alice@example.org"));
	filedb_counts(db, &n_loaded, &n_refused);
	cr_assert_eq(n_loaded, 1);
	cr_assert_eq(n_refused, 0);
}

static size_t log_text(char *text, size_t room)
{
	ssize_t n = pread(log_to.fd, text, room - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

Case(filedb, wrong_file_is_said_once_and_the_users_stay)
{
	uint64_t n_loaded, n_refused;
	char text[1024];

	write_users("bob:!:bob@example.org\nalice\n");
	mem_advance(net, FILEDB_LOOK_MS * NS_PER_MS);
	cr_assert(mem_wait(net));
	mem_advance(net, 5 * FILEDB_LOOK_MS * NS_PER_MS);
	cr_assert(knows("alice@example.org"));
	filedb_counts(db, &n_loaded, &n_refused);
	cr_assert_eq(n_loaded, 0);
	cr_assert_eq(n_refused, 1);
	log_text(text, sizeof(text));
	cr_assert_not_null(strstr(text, "users refused=yes kept=1 why="), "%s", text);
	cr_assert_not_null(strstr(text, ":2: not three or four parts; allowed: "), "%s",
			   text);
}

Case(filedb, vanished_file_leaves_the_users)
{
	cr_assert_eq(unlink(path), 0);
	mem_advance(net, 5 * FILEDB_LOOK_MS * NS_PER_MS);
	cr_assert(knows("alice@example.org"));
}

static void count(void *arg)
{
	++*(int *)arg;
}

Case(filedb, reload_is_at_once_and_whoever_asked_hears_of_it)
{
	int n = 0;

	filedb_on_new(db, count, &n);
	write_users("bob:!:bob@example.org\n");
	filedb_reload(db);
	filedb_reload(db);
	cr_assert(mem_wait(net));
	cr_assert(knows("bob@example.org"));
	cr_assert_eq(n, 1);
}

Case(filedb, start_without_a_file_has_no_users_and_with_a_wrong_one_fails)
{
	struct filedb *other;

	cr_assert_eq(
		filedb_new(net, &log_to, &kind_users, "/nowhere/users", &other, error),
		0);
	cr_assert_eq(users_count(filedb_value(other)), 0);
	filedb_free(other);
	write_users("alice\n");
	cr_assert_eq(filedb_new(net, &log_to, &kind_users, path, &other, error), -EINVAL);
	cr_assert_not_null(strstr(error, ":1: not three or four parts; allowed: "));
}
