/*
 * packetboat: asks a running packetboatd, and keeps its users.  packetboat(1) says what
 * it is to its user.
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/conf.h"
#include "apps/lib/places.h"
#include "apps/packetboat/packetboat.h"
#include "stack/base/check.h"

static const char usage[] =
	"usage: packetboat [-c FILE] stat [--json] [PATTERN]\n"
	"       packetboat [-c FILE] conns [--json]\n"
	"       packetboat [-c FILE] trace [--json]\n"
	"       packetboat [-c FILE] out [--json]\n"
	"       packetboat [-c FILE] stop\n"
	"       packetboat [-c FILE] queue list [--json]\n"
	"       packetboat [-c FILE] queue show ITEM [--json]\n"
	"       packetboat [-c FILE] queue retry ITEM|DOMAIN\n"
	"       packetboat [-c FILE] queue hold|remove ITEM\n"
	"       packetboat [-c FILE] tls self-signed [HOST]\n"
	"       packetboat [-c FILE] user add NAME ADDRESS... [--password-stdin]\n"
	"                                     [--in-clear]\n"
	"       packetboat [-c FILE] user passwd NAME [--password-stdin] [--in-clear]\n"
	"       packetboat [-c FILE] user list [--json]\n"
	"       packetboat [-c FILE] user remove NAME\n";

/* The few options of packetboatd that concern us too; packetboatd checks them all. */
static const struct conf_opt options[] = {
	{ .section = "",
	  .name = "control",
	  .offset = offsetof(struct packetboat, control),
	  .initial = place_control },
	{ .section = "",
	  .name = "users",
	  .offset = offsetof(struct packetboat, users),
	  .initial = place_users },
	{ .section = "",
	  .name = "user",
	  .offset = offsetof(struct packetboat, service_user),
	  .initial = "packetboat" },
	{ .section = "",
	  .name = "hostname",
	  .offset = offsetof(struct packetboat, hostname) },
	{ .section = "tls",
	  .name = "cert",
	  .offset = offsetof(struct packetboat, cert),
	  .initial = place_cert },
	{ .section = "tls",
	  .name = "key",
	  .offset = offsetof(struct packetboat, key),
	  .initial = place_key },
};

int packetboat_fail(const char *text)
{
	fprintf(stderr, "packetboat: %s\n", text);
	return 1;
}

int packetboat_usage(void)
{
	fputs(usage, stderr);
	return 1;
}

int packetboat_give(const struct packetboat *p, int fd)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam(p->service_user) : NULL;

	return pw && fchown(fd, pw->pw_uid, pw->pw_gid) < 0 ? -errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct packetboat *p, int argc, char **argv);
} commands[] = {
	{ "stat", ask_stat },	 { "conns", ask_table },   { "trace", ask_table },
	{ "out", ask_table },	 { "stop", ask_table },	   { "queue", ask_queue },
	{ "tls", cert_command }, { "user", user_command },
};

static int run(struct packetboat *p, int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(p, argc, argv);
	return packetboat_usage();
}

/* Options may stand anywhere; what is left is the command. */
static const char *parse_args(int argc, char **argv, struct packetboat *p)
{
	static const struct option longs[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "password-stdin", no_argument, NULL, 'p' },
		{ "in-clear", no_argument, NULL, 'i' },
		{ 0 },
	};
	const char *conf = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:hj", longs, NULL)) != -1)
		switch (c) {
		case 'c': conf = optarg; break;
		case 'j': p->json = true; break;
		case 'p': p->password_stdin = true; break;
		case 'i': p->in_clear = true; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: exit(packetboat_usage());
		}
	return conf;
}

int main(int argc, char **argv)
{
	struct packetboat p = { 0 };
	struct conf conf;
	const char *file;
	int r;

	if (conf_init(&conf, options, ARRAY_LEN(options), &p) < 0)
		return packetboat_fail("no memory");
	file = parse_args(argc, argv, &p);
	r = conf_load(&conf, file ? file : place_conf, true);
	if (r < 0 && (file || r != -ENOENT))
		r = packetboat_fail(conf.error);
	else
		r = run(&p, argc - optind, argv + optind);
	conf_fini(&conf);
	return r;
}
