#include "apps/packetboatd/local_door.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/io.h"
#include "apps/packetboatd/appliance.h"
#include "apps/packetboatd/filedb.h"

enum { PASSWD_LEN = 16384 };

/* Copies the name of our user at the other end to @name.  False: he is none. */
static bool who_is_there(const struct appliance *a, const struct io *io,
			 char name[USER_NAME_MAX + 1])
{
	struct passwd pw, *found = NULL;
	char text[PASSWD_LEN];
	uint32_t uid;

	if (io_peer_uid(io, &uid) < 0 ||
	    getpwuid_r(uid, &pw, text, sizeof(text), &found) != 0 || !found ||
	    !users_by_name(filedb_value(a->users), str_of(found->pw_name)))
		return false;
	snprintf(name, USER_NAME_MAX + 1, "%s", found->pw_name);
	return true;
}

static void refuse(struct io *io, const char *line)
{
	io_puts(io, line);
	io_close(io);
}

static void accept_smtp(void *arg, struct io *io)
{
	struct appliance *a = arg;
	char name[USER_NAME_MAX + 1];

	if (who_is_there(a, io, name))
		smtpd_accept_user(a->smtpd, io, name);
	else
		refuse(io, "554 5.7.1 You are no user here\r\n");
}

static void accept_imap(void *arg, struct io *io)
{
	struct appliance *a = arg;
	char name[USER_NAME_MAX + 1];

	if (who_is_there(a, io, name))
		imapd_accept_user(a->imapd, io, name);
	else
		refuse(io, "* BYE [AUTHORIZATIONFAILED] You are no user here\r\n");
}

static int listen_at(struct appliance *a, unsigned i, const char *path,
		     net_accept *accept, char *error)
{
	uint64_t max_conns =
		i == LOCAL_SMTP ? a->conf->smtp_sessions_max : a->conf->imap_sessions_max;
	int r;

	if (!path)
		return 0;
	r = net_listen(a->net, path, (unsigned)max_conns, accept, a, &a->local[i]);
	if (r < 0)
		snprintf(error, APPLIANCE_ERROR_LEN, "%s: %s", path, strerror(-r));
	return r;
}

int local_door_open(struct appliance *a, char *error)
{
	int r = listen_at(a, LOCAL_SMTP, a->conf->local_smtp, accept_smtp, error);

	if (r < 0)
		return r;
	return listen_at(a, LOCAL_IMAP, a->conf->local_imap, accept_imap, error);
}

static void close_at(struct appliance *a, unsigned i, const char *path)
{
	if (!a->local[i])
		return;
	unlink(path);
	net_listener_close(a->local[i]);
}

void local_door_close(struct appliance *a)
{
	close_at(a, LOCAL_SMTP, a->conf->local_smtp);
	close_at(a, LOCAL_IMAP, a->conf->local_imap);
}
