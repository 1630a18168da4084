#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "apps/lib/net.h"
#include "apps/lib/tls.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/text.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"

enum { STACK_BUFS = 4096, STACK_CONNS = 64, ERROR_LEN = 1024 };

static const char usage[] =
	"usage: pbmail [-A FILE] [-f ADDRESS] [-m MAILBOX] COMMAND\n"
	"       send -t ADDRESS [-c ADDRESS] [-b ADDRESS] [-s SUBJECT] [-a FILE]\n"
	"            [--partial OCTETS]\n"
	"       list [MAILBOX]\n"
	"       read N\n"
	"       save N PART [FILE]\n"
	"       reply N [OPTIONS OF send]\n"
	"       forward N -t ADDRESS [OPTIONS OF send]\n"
	"       delete N...\n"
	"       move N... MAILBOX\n"
	"       burst N\n"
	"       mailbox create|delete NAME\n"
	"       mailbox rename NAME NAME\n"
	"       mailbox list\n";

int pbmail_fail(int status, const char *format, ...)
{
	char text[ERROR_LEN];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > (int)sizeof(text) - 1)
		len = (int)sizeof(text) - 1;
	fputs("pbmail: ", stderr);
	text_put(stderr, (struct str){ text, len > 0 ? (size_t)len : 0 });
	fputc('\n', stderr);
	return status;
}

int pbmail_usage(void)
{
	fputs(usage, stderr);
	return EX_USAGE;
}

int pbmail_number(const char *text, uint32_t *n)
{
	uint64_t value;

	if (!str_to_u64(str_of(text), &value) || value < 1 || value > UINT32_MAX)
		return pbmail_fail(EX_USAGE, "%s: that is no number of a message", text);
	*n = (uint32_t)value;
	return 0;
}

static int open_stack(struct pbmail *p)
{
	const struct account *a = &p->account;
	char error[PB_ERROR_LEN];
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	conf.port = a->stack_port;
	conf.addr = a->stack_addr;
	conf.gateway = a->stack_gateway;
	conf.host_addr = a->stack_host_addr;
	conf.probe_addr = 0; /* a program that is gone in a moment */
	conf.n_bufs = STACK_BUFS;
	conf.max_conns = STACK_CONNS;
	if (pb_stack_open(&conf, &p->stack, error) < 0)
		return pbmail_fail(EX_OSERR, "%s", error);
	if (net_stack_new(&p->net, pb_stack_core(p->stack, 0)) < 0)
		return pbmail_fail(EX_OSERR, "out of memory");
	return 0;
}

int pbmail_net(struct pbmail *p)
{
	int r;

	if (p->net)
		return 0;
	if (strcmp(p->account.net, "stack") == 0)
		return open_stack(p);
	r = net_posix_new(&p->net);
	return r < 0 ? pbmail_fail(EX_OSERR, "network: %s", strerror(-r)) : 0;
}

int pbmail_tls(struct pbmail *p)
{
	char error[TLS_ERROR_LEN];

	if (p->tls ||
	    tls_client_new(TLS_TRUST_AUTHORITY, p->account.ca, &p->tls, error) == 0)
		return 0;
	return pbmail_fail(EX_CONFIG, "%s", error);
}

static const struct {
	const char *name;
	int (*run)(struct pbmail *p, int argc, char **argv);
} commands[] = {
	{ "send", send_command },	{ "reply", reply_command },
	{ "forward", forward_command }, { "list", list_command },
	{ "read", read_command },	{ "save", save_command },
	{ "delete", delete_command },	{ "move", move_command },
	{ "burst", burst_command },	{ "mailbox", mailbox_command },
};

static int run(struct pbmail *p, int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(p, argc, argv);
	return pbmail_usage();
}

/* The file of the account, or NULL; argv[optind] is the command. */
static const char *parse_args(struct pbmail *p, int argc, char **argv)
{
	const char *account = NULL;
	int c;

	p->mailbox = "INBOX";
	while ((c = getopt(argc, argv, "+A:f:m:h")) != -1)
		switch (c) {
		case 'A': account = optarg; break;
		case 'f': p->from = optarg; break;
		case 'm': p->mailbox = optarg; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: exit(pbmail_usage());
		}
	return account;
}

static int finish(struct pbmail *p, int status)
{
	net_free(p->net);
	if (p->stack)
		pb_stack_close(p->stack);
	tls_put(p->tls);
	account_fini(&p->account);
	if (fflush(stdout) != 0 && status == 0)
		status = pbmail_fail(EX_IOERR, "standard output: %s", strerror(errno));
	return status;
}

int main(int argc, char **argv)
{
	struct pbmail p = { .net = NULL };
	const char *file;
	int r;

	/* All text is UTF-8, whatever the user's locale is. */
	setlocale(LC_CTYPE, "C.UTF-8");
	file = parse_args(&p, argc, argv);
	r = account_open(&p.account, file);
	if (r == 0)
		r = run(&p, argc - optind, argv + optind);
	else
		r = pbmail_fail(r == -EACCES ? EX_NOPERM : EX_CONFIG, "%s",
				p.account.conf.error);
	return finish(&p, r);
}
