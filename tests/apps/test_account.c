#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/pbmail/account.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

static struct account a;
static char path[] = "/tmp/account.XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void clean(void)
{
	account_fini(&a);
	unlink(path);
}

Cases(account, setup, clean);

static int load(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return account_open(&a, path);
}

static void expect_error(const char *part)
{
	cr_assert_not_null(strstr(a.conf.error, part), "%s", a.conf.error);
}

Case(account, a_file_says_where_the_mail_is)
{
	char password[ACCOUNT_PASSWORD_MAX + 1];

	cr_assert_eq(load("from = a@b.example\nuser = a\npassword = x y\n[smtp]\n"
			  "host = mx.b.example\n[imap]\nhost = mx.b.example\ntls = tls\n"
			  "[pop3]\nhost = 192.0.2.1\ntls = none\nport = 1110\n"),
		     0, "%s", a.conf.error);
	cr_assert_eq(account_port(&a, &a.smtp), 587);
	cr_assert_eq(account_tls(&a.smtp), ACCOUNT_TLS_STARTTLS);
	cr_assert_eq(account_port(&a, &a.imap), 993);
	cr_assert_eq(account_tls(&a.imap), ACCOUNT_TLS_IMPLICIT);
	cr_assert_eq(account_port(&a, &a.pop3), 1110);
	cr_assert_eq(account_tls(&a.pop3), ACCOUNT_TLS_NONE);
	cr_assert_eq(account_password(&a, password), 0);
	cr_assert_str_eq(password, "x y");
}

Case(account, others_may_not_read_it)
{
	chmod(path, 0640);
	cr_assert_eq(load("from = a@b.example\n"), -EACCES);
	expect_error("chmod 600");
}

Case(account, mistakes_are_told_with_their_place)
{
	cr_assert_eq(load("from = a@b.example\n[imap]\ntls = maybe\n"), -EINVAL);
	expect_error(":3: imap.tls is 'maybe'; allowed: none, starttls, tls");
}

Case(account, unknown_options_are_refused)
{
	cr_assert_eq(load("passwort = x\n"), -EINVAL);
	expect_error(":1: no option 'passwort'");
}

Case(account, without_servers_the_local_sockets_are_used)
{
	cr_assert_eq(load("from = a@b.example\n"), 0);
	cr_assert(account_is_local(&a.smtp) && account_is_local(&a.imap));
	cr_assert_str_eq(a.smtp.host, "/run/packetboat/smtp");
	cr_assert_eq(account_tls(&a.imap), ACCOUNT_TLS_NONE);
}

Case(account, a_missing_file_that_was_named_is_an_error)
{
	unlink(path);
	cr_assert_eq(account_open(&a, path), -ENOENT);
	expect_error(path);
}

Case(account, a_command_can_say_the_password)
{
	char password[ACCOUNT_PASSWORD_MAX + 1];

	cr_assert_eq(load("password_command = echo secret; echo more\n"), 0);
	cr_assert_eq(account_password(&a, password), 0);
	cr_assert_str_eq(password, "secret");
}

Case(account, a_command_that_fails_says_none)
{
	char password[ACCOUNT_PASSWORD_MAX + 1];

	cr_assert_eq(load("password_command = echo secret; exit 1\n"), 0);
	cr_assert_eq(account_password(&a, password), -EIO);
}

Case(account, the_sender_is_the_file_s_or_the_environment_s_or_the_user)
{
	char from[300];

	setenv("EMAIL", "e@c.example", 1);
	cr_assert_eq(load("name = A\n"), 0);
	cr_assert(account_from(&a, from, sizeof(from)));
	cr_assert_str_eq(from, "e@c.example");
	unsetenv("EMAIL");
	cr_assert(account_from(&a, from, sizeof(from)));
	cr_assert_not_null(strchr(from, '@'));
	cr_assert_not(account_from(&a, from, 3));
	account_fini(&a);
	cr_assert_eq(load("from = a@b.example\n"), 0);
	cr_assert(account_from(&a, from, sizeof(from)));
	cr_assert_str_eq(from, "a@b.example");
}
