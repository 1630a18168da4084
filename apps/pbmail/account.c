#include "apps/pbmail/account.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/lib/places.h"
#include "stack/base/check.h"

enum { PATH_LEN = CONF_ERROR_LEN - 64 }; /* with a sentence about it */

static bool is_net(const char *value)
{
	return strcmp(value, "kernel") == 0 || strcmp(value, "stack") == 0;
}

static const char *const tls_names[] = { "none", "starttls", "tls" };

static bool is_tls(const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(tls_names); i++)
		if (strcmp(value, tls_names[i]) == 0)
			return true;
	return false;
}

#define AT(field) offsetof(struct account, field)
#define TEXT(sec, opt, field, first, check, may)                                     \
	{                                                                            \
		.section = sec, .name = opt, .kind = CONF_TEXT, .offset = AT(field), \
		.initial = first, .ok = check, .allowed = may                        \
	}
#define SERVER(sec, field)                                                              \
	TEXT(sec, "host", field.host, NULL, NULL, NULL),                                \
		TEXT(sec, "tls", field.tls, "starttls", is_tls, "none, starttls, tls"), \
	{                                                                               \
		.section = sec, .name = "port", .kind = CONF_NUMBER,                    \
		.offset = AT(field.port), .most = UINT16_MAX                            \
	}

static const struct conf_opt options[] = {
	TEXT("", "from", from, NULL, NULL, NULL),
	TEXT("", "name", name, NULL, NULL, NULL),
	TEXT("", "net", net, "kernel", is_net, "kernel, stack"),
	TEXT("", "user", user, NULL, NULL, NULL),
	TEXT("", "password", password, NULL, NULL, NULL),
	TEXT("", "password_command", password_command, NULL, NULL, NULL),
	TEXT("", "ca", ca, NULL, NULL, NULL),
	SERVER("smtp", smtp),
	SERVER("imap", imap),
	SERVER("pop3", pop3),
	TEXT("stack", "port", stack_port, "tap:pb0", NULL, NULL),
	TEXT("stack", "addr", stack_addr, "192.0.2.3/24", NULL, NULL),
	TEXT("stack", "gateway", stack_gateway, NULL, NULL, NULL),
	TEXT("stack", "host_addr", stack_host_addr, NULL, NULL, NULL),
	TEXT("dns", "servers", dns_servers, NULL, NULL, NULL),
};

static int fail(struct account *a, int r, const char *path, const char *why)
{
	snprintf(a->conf.error, sizeof(a->conf.error), "%s: %s", path,
		 why ? why : strerror(-r));
	return r;
}

/* There are passwords in it. */
static int check_mode(struct account *a, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fail(a, -errno, path, NULL);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return fail(a, -EACCES, path,
			    "it must be yours, and nobody else may read it: chmod 600");
	return 0;
}

static int set_local(struct account *a)
{
	free(a->smtp.host);
	free(a->imap.host);
	a->smtp.host = strdup(place_local_smtp);
	a->imap.host = strdup(place_local_imap);
	return a->smtp.host && a->imap.host ? 0 : -ENOMEM;
}

static int load(struct account *a, const char *path)
{
	int r = check_mode(a, path);

	return r < 0 ? r : conf_load(&a->conf, path, false);
}

int account_open(struct account *a, const char *path)
{
	const char *home = getenv("HOME");
	char usual[PATH_LEN];
	int r = conf_init(&a->conf, options, ARRAY_LEN(options), a);

	if (r < 0)
		return r;
	snprintf(usual, sizeof(usual), "%s/.config/pbmail", home ? home : "");
	r = load(a, path ? path : usual);
	if (r == -ENOENT && !path)
		return set_local(a);
	/* A file may say who one is, and leave the rest to the server of this host. */
	if (r == 0 && !a->smtp.host && !a->imap.host && !a->pop3.host)
		return set_local(a);
	return r;
}

void account_fini(struct account *a)
{
	if (a->password)
		explicit_bzero(a->password, strlen(a->password));
	conf_fini(&a->conf);
}

bool account_is_local(const struct account_server *s)
{
	return s->host && s->host[0] == '/';
}

enum account_tls account_tls(const struct account_server *s)
{
	size_t i = 0;

	while (strcmp(s->tls, tls_names[i]) != 0)
		i++;
	return account_is_local(s) ? ACCOUNT_TLS_NONE : (enum account_tls)i;
}

uint16_t account_port(const struct account *a, const struct account_server *s)
{
	bool implicit = account_tls(s) == ACCOUNT_TLS_IMPLICIT;

	if (s->port)
		return (uint16_t)s->port;
	if (s == &a->smtp)
		return implicit ? 465 : 587;
	if (s == &a->imap)
		return implicit ? 993 : 143;
	return implicit ? 995 : 110;
}

int account_password(const struct account *a, char out[static ACCOUNT_PASSWORD_MAX + 1])
{
	FILE *from;
	bool got;

	if (a->password) {
		snprintf(out, ACCOUNT_PASSWORD_MAX + 1, "%s", a->password);
		return 0;
	}
	if (!a->password_command)
		return -ENOENT;
	from = popen(a->password_command, "re");
	if (!from)
		return -EIO;
	got = fgets(out, ACCOUNT_PASSWORD_MAX + 1, from);
	/* It is not to fail for want of a reader. */
	while (fgetc(from) != EOF)
		;
	if (pclose(from) != 0 || !got)
		return -EIO;
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}

/* What a Debian host calls its mail. */
static void host_name(char *out, size_t room)
{
	FILE *f = fopen("/etc/mailname", "re");

	if (f && fgets(out, (int)room, f))
		out[strcspn(out, "\r\n")] = '\0';
	else if (gethostname(out, room) < 0)
		snprintf(out, room, "localhost");
	out[room - 1] = '\0';
	if (f)
		fclose(f);
}

bool account_from(const struct account *a, char *out, size_t room)
{
	const char *said = a->from ? a->from : getenv("EMAIL");
	const struct passwd *pw = getpwuid(geteuid());
	char host[256];
	int n;

	host_name(host, sizeof(host));
	if (said)
		n = snprintf(out, room, "%s", said);
	else
		n = snprintf(out, room, "%s@%s", pw ? pw->pw_name : "nobody", host);
	return n > 0 && (size_t)n < room;
}
