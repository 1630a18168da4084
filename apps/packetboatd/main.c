/*
 * packetboatd: the mail appliance.  packetboatd(8) says what it is to its user.
 *
 * The start, in order: options and configuration, all of it checked; descriptors and
 * ports, as root; the service user; store, users and control socket; then it runs, and
 * says so when its address is known to be its own.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/daemon.h"
#include "apps/lib/places.h"
#include "apps/lib/tls.h"
#include "apps/mail/deliver/aliases.h"
#include "apps/packetboatd/appliance.h"
#include "apps/packetboatd/settings.h"

enum { OPT_CHECK = 256, OPT_NET, OPT_PORT };

struct options {
	const char *conf;
	bool foreground, check;
};

static const char usage[] =
	"usage: packetboatd [-f] [-c FILE] [--check] [--net stack|kernel] [--port PORT]\n"
	"                   [-o OPTION=VALUE]...\n";

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "packetboatd: %s\n", text);
	exit(1);
}

/* "section.name=value" of the command line.  True: it was one. */
static bool set_option(struct settings_conf *s, char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (settings_set(s, text, value, "-o") < 0)
		die(s->conf.error);
	return true;
}

static void set(struct settings_conf *s, const char *name, const char *value,
		const char *where)
{
	if (settings_set(s, name, value, where) < 0)
		die(s->conf.error);
}

/*
 * Twice: first for the file, then, behind its reading, for what overrules it.
 */
static void parse_args(int argc, char **argv, struct options *o, struct settings_conf *s)
{
	static const struct option longs[] = {
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "conf", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "net", required_argument, NULL, OPT_NET },
		{ "option", required_argument, NULL, 'o' },
		{ "port", required_argument, NULL, OPT_PORT },
		{ 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:fho:", longs, NULL)) != -1) {
		if (c == 'c')
			o->conf = optarg;
		else if (c == 'f')
			o->foreground = true;
		else if (c == OPT_CHECK)
			o->check = true;
		else if (c == OPT_NET && s)
			set(s, "net", optarg, "--net");
		else if (c == OPT_PORT && s)
			set(s, "stack.port", optarg, "--port");
		else if (c == 'o' && s && !set_option(s, optarg))
			die("-o: allowed: OPTION=VALUE");
		else if (c == 'h' || c == '?') {
			fputs(usage, c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 1);
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(1);
	}
}

/* A file that nobody named may be missing. */
static void load(struct settings_conf *s, struct options *o, int argc, char **argv)
{
	int r;

	if (settings_init(s) < 0)
		die("no memory");
	parse_args(argc, argv, o, NULL);
	r = settings_load(s, o->conf ? o->conf : place_conf);
	if (r < 0 && (o->conf || r != -ENOENT))
		die(s->conf.error);
	parse_args(argc, argv, o, s);
	if (settings_check(s) < 0)
		die(s->conf.error);
}

/* What must be there for the service user. */
static int make_files(const struct settings *v, const struct daemon_user *user,
		      char error[DAEMON_ERROR_LEN])
{
	int r = daemon_dir(v->store_dir, 0700, user, error);

	if (r == 0)
		r = daemon_dir_of(v->control, 0755, user, error);
	if (r == 0)
		r = daemon_dir_of(v->pid_file, 0755, user, error);
	if (r == 0 && v->local_smtp)
		r = daemon_dir_of(v->local_smtp, 0755, user, error);
	if (r == 0 && v->local_imap)
		r = daemon_dir_of(v->local_imap, 0755, user, error);
	if (r == 0 && v->log_file)
		r = daemon_file(v->log_file, user, error);
	return r;
}

static int begin(struct appliance *a, const struct settings *v,
		 const struct daemon_user *user, char error[APPLIANCE_ERROR_LEN])
{
	int r = appliance_open(a, v, error);

	if (r == 0)
		r = make_files(v, user, error);
	if (r == 0)
		r = daemon_become(user, error);
	if (r == 0)
		r = appliance_start(a, error);
	return r;
}

static int write_pid(const struct settings *v, char error[APPLIANCE_ERROR_LEN])
{
	int r = daemon_write_pid(v->pid_file);

	if (r < 0)
		snprintf(error, APPLIANCE_ERROR_LEN, "%s: %s", v->pid_file, strerror(-r));
	return r;
}

static int begin_log(struct appliance *a, bool foreground,
		     char error[APPLIANCE_ERROR_LEN])
{
	int r = 0;

	if (!foreground && a->conf->log_file)
		r = appliance_open_log(a);
	if (r < 0)
		snprintf(error, APPLIANCE_ERROR_LEN, "%s: %s", a->conf->log_file,
			 strerror(-r));
	return r;
}

struct start {
	struct appliance a;
	bool foreground, ready;
	int parent; /* who waits for us to be ready, in the background */
};

static int ready(void *arg, char *error)
{
	struct start *st = arg;
	int r = write_pid(st->a.conf, error);

	if (r < 0)
		return r;
	st->ready = true;
	log_line(&st->a.log, LOG_INFO, "ready net=%s pid=%ld", st->a.conf->net,
		 (long)getpid());
	if (!st->foreground)
		daemon_ready(st->parent);
	return 0;
}

static int run(const struct settings *v, bool foreground)
{
	struct start st = { .foreground = foreground, .parent = -1 };
	char error[APPLIANCE_ERROR_LEN];
	struct daemon_user user;
	int signals, r;

	if (daemon_user(v->user, &user, error) < 0)
		die(error);
	daemon_raise_limits();
	signals = daemon_signal_fd();
	if (!foreground)
		st.parent = daemon_background();
	if (signals < 0 || (!foreground && st.parent < 0))
		die("cannot go to the background");
	r = begin(&st.a, v, &user, error);
	if (r == 0)
		r = begin_log(&st.a, foreground, error);
	if (r == 0) {
		st.a.ready = ready;
		st.a.ready_arg = &st;
		r = appliance_run(&st.a, signals, error);
	}
	if (st.ready) {
		unlink(v->pid_file);
		log_line(&st.a.log, LOG_INFO, "end");
	} else if (r == 0) {
		snprintf(error, sizeof(error), "told to stop before it was ready");
		r = -EINTR;
	}
	if (r < 0)
		fprintf(stderr, "packetboatd: %s\n", error);
	appliance_close(&st.a);
	return r == 0 ? 0 : 1;
}

/* A file of users that is missing has none. */
static void check_users(struct settings_conf *s)
{
	char error[USERS_ERROR_LEN];
	struct users *users;
	int r = users_load(s->values.users, &users, error);

	if (r == -ENOENT)
		users = users_new();
	else if (r < 0)
		die(error);
	if (!users)
		die("no memory");
	if (settings_check_users(s, users) < 0)
		die(s->conf.error);
	users_free(users);
}

static void check_aliases(const struct settings *v)
{
	char error[ALIASES_ERROR_LEN];
	struct aliases *aliases = NULL;
	int r = aliases_load(v->aliases, &aliases, error);

	if (r < 0 && r != -ENOENT)
		die(error);
	aliases_free(aliases);
}

static void check_tls(const struct settings *v)
{
	char error[TLS_ERROR_LEN];
	struct tls *tls;

	if (!v->tls_cert)
		return;
	if (tls_server_new(v->tls_cert, v->tls_key, &tls, error) < 0)
		die(error);
	tls_put(tls);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct settings_conf s;
	int status = 0;

	load(&s, &options, argc, argv);
	if (options.check) {
		check_users(&s);
		check_aliases(&s.values);
		check_tls(&s.values);
		puts("packetboatd: the configuration is right");
	} else {
		status = run(&s.values, options.foreground);
	}
	settings_fini(&s);
	return status;
}
