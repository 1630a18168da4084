/*
 * A certificate for trying, where the configuration has it, or where it is usual.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/tls.h"
#include "apps/packetboat/packetboat.h"

enum { DAYS = 365 };

/* The service user must read the key, too: at SIGHUP it is read anew. */
static int give_key(const struct packetboat *p)
{
	int fd = open(p->key, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = packetboat_give(p, fd);
	close(fd);
	return r;
}

static int self_signed(const struct packetboat *p, const char *host)
{
	char error[TLS_ERROR_LEN];

	if (tls_self_signed(host, DAYS, p->cert, p->key, error) < 0)
		return packetboat_fail(error);
	if (give_key(p) < 0)
		return packetboat_fail("the key cannot be given to the service user");
	printf("[tls]\ncert = %s\nkey = %s\n", p->cert, p->key);
	return 0;
}

int cert_command(struct packetboat *p, int argc, char **argv)
{
	char name[HOST_NAME_MAX + 1] = "localhost";
	const char *host = p->hostname ? p->hostname : name;

	if (argc < 2 || argc > 3 || strcmp(argv[1], "self-signed") != 0)
		return packetboat_usage();
	gethostname(name, HOST_NAME_MAX);
	return self_signed(p, argc == 3 ? argv[2] : host);
}
