#include "apps/packetboatd/control.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/dns.h"
#include "apps/lib/io.h"
#include "apps/mail/auth/verify.h"
#include "apps/mail/deliver/aliases.h"
#include "apps/mail/store/store.h"
#include "apps/packetboatd/appliance.h"
#include "apps/packetboatd/control_queue.h"
#include "apps/packetboatd/filedb.h"
#include "stack/api/stat.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { NUMBER_LEN = 24, NAME_LEN = 64, TEXT_LEN = 96 };

static const char *number(uint64_t n, char out[static NUMBER_LEN])
{
	snprintf(out, NUMBER_LEN, "%" PRIu64, n);
	return out;
}

static void say_counter(struct ctl_reply *to, const char *group, const char *name,
			uint64_t value, const char *text)
{
	char full[NAME_LEN], digits[NUMBER_LEN];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	ctl_row(to, (const char *[]){ full, number(value, digits), text }, 3);
}

static void say_stack_counter(void *arg, const struct pb_counter *c)
{
	say_counter(arg, c->group, c->name, c->value, c->text);
}

static void stat_mail(const struct appliance *a, struct ctl_reply *to)
{
	const struct smtpd_stats *smtp = smtpd_stats(a->smtpd);
	const struct pop3d_stats *pop3 = pop3d_stats(a->pop3d);
	const struct imapd_stats *imap = imapd_stats(a->imapd);
	struct verify_stats auth;
	struct store_stats store;

	verify_stats(a->verify, &auth);
	store_stats(a->store, &store);
#define C(name, text) say_counter(to, "smtp", #name, smtp->name, text);
	SMTPD_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "pop3", #name, pop3->name, text);
	POP3D_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "imap", #name, imap->name, text);
	IMAPD_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "auth", #name, auth.name, text);
	VERIFY_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "store", #name, store.name, text);
	STORE_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "queue", #name, queue_stats(a->queue)->name, text);
	QUEUE_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "relay", #name, relay_stats(a->relay)->name, text);
	RELAY_COUNTERS(C)
#undef C
#define C(name, text) say_counter(to, "dns", #name, dns_stats(a->dns)->name, text);
	DNS_COUNTERS(C)
#undef C
	say_counter(to, "store", "room", store_room(a->store),
		    "bytes of mail that could be stored now");
}

static void stat_program(const struct appliance *a, struct ctl_reply *to)
{
	uint64_t n_loaded, n_refused;

	filedb_counts(a->aliases, &n_loaded, &n_refused);
	say_counter(to, "aliases", "known", aliases_count(filedb_value(a->aliases)),
		    "addresses that lead elsewhere");
	say_counter(to, "aliases", "loaded", n_loaded, "new files of aliases taken");
	say_counter(to, "aliases", "refused", n_refused, "new files of aliases refused");
	filedb_counts(a->users, &n_loaded, &n_refused);
	say_counter(to, "users", "known", users_count(filedb_value(a->users)),
		    "users there are");
	say_counter(to, "users", "loaded", n_loaded, "new files of users taken");
	say_counter(to, "users", "refused", n_refused, "new files of users refused");
	say_counter(to, "net", "conns", net_n_conns(a->net),
		    "connections open, also those that say their last words");
	say_counter(to, "program", "uptime_s",
		    (net_now_ns(a->net) - a->started_ns) / NS_PER_S,
		    "seconds since the start");
	say_counter(to, "program", "pid", (uint64_t)getpid(), "number of the process");
}

static void run_stat(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;

	stat_program(a, to);
	stat_mail(a, to);
	if (a->core)
		pb_stat_each(a->core, say_stack_counter, to);
}

static const char *sockaddr_text(const struct sockaddr_storage *sa,
				 char out[static NET_ADDR_TEXT_LEN])
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa->ss_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		snprintf(out, NET_ADDR_TEXT_LEN, "[%s]:%u", host, ntohs(in6.sin6_port));
	} else {
		memcpy(&in, sa, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(out, NET_ADDR_TEXT_LEN, "%s:%u", host, ntohs(in.sin_port));
	}
	return out;
}

/* clang-format off */
/* Columns of `conns`: name, and where our stack has it. */
#define CONN_NUMBERS(N)							\
	N(number) N(mss) N(cwnd) N(ssthresh) N(snd_wnd) N(rcv_wnd) N(srtt_us)	\
	N(rto_us) N(sndq_len) N(rcvq_len) N(unacked) N(retrans)		\
	N(bytes_sent) N(bytes_received) N(bytes_retrans)
/* clang-format on */

enum { CONN_TEXTS = 4 };

static const char *const conn_columns[] = {
	"local",
	"peer",
	"state",
	"cc",
#define N(name) #name,
	CONN_NUMBERS(N)
#undef N
		NULL,
};

static bool say_conn(void *arg, const struct pb_conn_info *info)
{
	char local[NET_ADDR_TEXT_LEN], peer[NET_ADDR_TEXT_LEN];
	char numbers[ARRAY_LEN(conn_columns)][NUMBER_LEN];
	const char *cells[ARRAY_LEN(conn_columns)] = {
		sockaddr_text(&info->local, local),
		sockaddr_text(&info->remote, peer),
		info->state,
		info->cc ? info->cc : "-",
	};
	size_t n = CONN_TEXTS;

#define N(name)                                                     \
	cells[n] = info->cc ? number(info->name, numbers[n]) : "-"; \
	n++;
	CONN_NUMBERS(N)
#undef N
	return ctl_row(arg, cells, n);
}

/* Of the kernel's connections we know our own side only. */
static bool say_kernel_conn(void *arg, struct io *io)
{
	char in[NUMBER_LEN], out[NUMBER_LEN];
	const char *cells[ARRAY_LEN(conn_columns) - 1];

	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		cells[i] = "-";
	cells[0] = io_local(io);
	cells[1] = io_peer(io);
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		if (strcmp(conn_columns[i], "sndq_len") == 0)
			cells[i] = number(io_out_len(io), out);
		else if (strcmp(conn_columns[i], "rcvq_len") == 0)
			cells[i] = number(io_in_len(io), in);
	return ctl_row(arg, cells, ARRAY_LEN(cells));
}

static void run_conns(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;

	if (a->core)
		pb_conn_each(a->core, say_conn, to);
	else
		net_each_conn(a->net, say_kernel_conn, to);
}

struct trace_walk {
	struct ctl_reply *to;
	uint64_t now_us; /* as far as a trace knows the time */
};

static bool say_trace(void *arg, const struct pb_trace *trace)
{
	const struct trace_walk *walk = arg;
	char ago[NUMBER_LEN], conn[NUMBER_LEN], digits[NUMBER_LEN], text[TEXT_LEN];
	uint64_t ago_us = (walk->now_us - trace->at_us) & PB_TRACE_US_MASK;

	snprintf(text, sizeof(text), "%s %s", trace->text,
		 trace->state ? trace->state : number(trace->arg, digits));
	return ctl_row(walk->to,
		       (const char *[]){ number(ago_us, ago), number(trace->number, conn),
					 text },
		       3);
}

static void run_trace(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;
	struct trace_walk walk = { to, net_now_ns(a->net) / NS_PER_US };

	if (a->core)
		pb_trace_each(a->core, say_trace, &walk);
}

static void say_out(struct ctl_reply *to, const char *what, uint64_t n)
{
	char digits[NUMBER_LEN];

	ctl_row(to, (const char *[]){ what, number(n, digits) }, 2);
}

static void run_out(void *arg, struct ctl_reply *to)
{
	const struct appliance *a = arg;
	struct pb_out out;

	if (a->core) {
		pb_out_get(a->core, &out);
		say_out(to, "packets", out.packets);
		say_out(to, "buffers", out.buffers);
		say_out(to, "connections", out.conns);
		say_out(to, "sockets", out.sockets);
		say_out(to, "half-open", out.half_open);
		say_out(to, "time-wait", out.time_wait);
		say_out(to, "timers", out.timers);
	}
	say_out(to, "net connections", net_n_conns(a->net));
	say_out(to, "smtp sessions", smtpd_stats(a->smtpd)->sessions_open);
	say_out(to, "smtp messages", smtpd_stats(a->smtpd)->messages_open);
	say_out(to, "pop3 sessions", pop3d_stats(a->pop3d)->sessions_open);
	say_out(to, "imap sessions", imapd_stats(a->imapd)->sessions_open);
	say_out(to, "relay sessions", relay_stats(a->relay)->sessions_open);
	say_out(to, "queue items", queue_stats(a->queue)->items_taken);
	say_out(to, "dns questions", dns_stats(a->dns)->open);
}

static void run_stop(void *arg, struct ctl_reply *to)
{
	char pid[NUMBER_LEN];

	ctl_row(to, (const char *[]){ "stopping", number((uint64_t)getpid(), pid) }, 2);
	appliance_stop(arg);
}

static const char *const stat_columns[] = { "counter", "value", "meaning", NULL };
static const char *const trace_columns[] = { "us_ago", "number", "event", NULL };
static const char *const out_columns[] = { "what", "out", NULL };
static const char *const stop_columns[] = { "what", "pid", NULL };

const struct ctl_command control_commands[] = {
	{ "stat", "every counter", stat_columns, run_stat },
	{ "conns", "every connection", conn_columns, run_conns },
	{ "trace", "what happened to connections", trace_columns, run_trace },
	{ "out", "what is out of the pools", out_columns, run_out },
	{ "stop", "ends the program in order", stop_columns, run_stop },
	{ "queue list", "what waits to be sent", control_queue_columns,
	  control_queue_list },
	{ "queue show ", "everything about an item", control_item_columns,
	  control_queue_show },
	{ "queue retry ", "an item or a destination, now", control_item_columns,
	  control_queue_retry },
	{ "queue hold ", "an item waits until it is retried", control_item_columns,
	  control_queue_hold },
	{ "queue remove ", "an item is dropped, without a bounce", control_item_columns,
	  control_queue_remove },
};
const size_t control_n_commands = ARRAY_LEN(control_commands);
