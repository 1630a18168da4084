/*
 * Who the user is and where his mail is: the account file, or the local sockets of the
 * packetboatd of this host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/conf.h"

enum { ACCOUNT_PASSWORD_MAX = 511 };

enum account_tls { ACCOUNT_TLS_NONE, ACCOUNT_TLS_STARTTLS, ACCOUNT_TLS_IMPLICIT };

struct account_server {
	char *host; /* a name, an address, or the path of a local socket; NULL: none */
	uint64_t port;
	char *tls; /* as the file has it */
};

struct account {
	char *from, *name;
	char *net, *user, *password, *password_command, *ca;
	struct account_server smtp, imap, pop3;
	char *stack_port, *stack_addr, *stack_gateway, *stack_host_addr;
	char *dns_servers;
	struct conf conf;
};

/*
 * Reads @path; NULL: ~/.config/pbmail, and if there is none the local sockets are used.
 * 0; or -errno and a sentence in a->conf.error: -EACCES: others may read the file.  Needs
 * account_fini() whatever happened.
 */
int account_open(struct account *a, const char *path);
void account_fini(struct account *a);

bool account_is_local(const struct account_server *s);
enum account_tls account_tls(const struct account_server *s);
/* "host:port" of it; what is there without a port in the file follows from how TLS is. */
uint16_t account_port(const struct account *a, const struct account_server *s);
/*
 * The password, from the file or from what its command writes first.  0; -ENOENT: there
 * is none; -EIO: the command failed.
 */
int account_password(const struct account *a, char out[static ACCOUNT_PASSWORD_MAX + 1]);
/* The address mail is sent from: the file's, $EMAIL, or user@host.  False: no room. */
bool account_from(const struct account *a, char *out, size_t room);
