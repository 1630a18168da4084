#include "apps/pbmail/submit.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "apps/mail/relay/client.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/stream.h"

enum { BAR_LEAST = 256 << 10, BAR_WIDTH = 40 };

struct job {
	struct client *client;
	const char *host;
	const struct str *rcpts;
	struct client_message message;
	int status;
	bool is_sent, is_over;
	unsigned bar; /* what the bar shows, in percent */
};

/* sysexits(3) for what a server said. */
static int status_of(const struct client_said *said)
{
	if (said->result == CLIENT_TRANSIENT)
		return EX_TEMPFAIL;
	if (said->enhanced.subject == 1 && said->enhanced.detail != 7 &&
	    said->enhanced.detail != 8)
		return EX_NOUSER;
	if (said->enhanced.subject == 7)
		return EX_NOPERM;
	return EX_UNAVAILABLE;
}

static void note(struct job *j, const struct client_said *said, struct str whom)
{
	int status = status_of(said);

	if (client_tls_failed(j->client))
		status = stream_distrusts(j->host, said->text);
	else
		pbmail_fail(status, "%.*s: %s", (int)whom.len, whom.p, said->text);
	/* What can be tried again does not hide what cannot. */
	if (j->status == 0 || j->status == EX_TEMPFAIL)
		j->status = status;
}

static void ready(void *arg)
{
	struct job *j = arg;

	if (!j->is_sent) {
		j->is_sent = true;
		client_send(j->client, &j->message);
		return;
	}
	client_quit(j->client);
	j->is_over = true;
}

static void rcpt(void *arg, size_t i, const struct client_said *said)
{
	struct job *j = arg;

	if (said->result == CLIENT_OK)
		return;
	if (!client_sender_refused(j->client))
		note(j, said, j->rcpts[i]);
	else if (i == 0)
		note(j, said, j->message.from);
}

static void done(void *arg)
{
	(void)arg;
}

static void closed(void *arg, bool greeted, const struct client_said *said)
{
	struct job *j = arg;

	(void)greeted;
	note(j, said, str_of(j->host));
	j->is_over = true;
}

static const struct client_ops ops = {
	.ready = ready, .rcpt = rcpt, .done = done, .closed = closed
};

static void show_bar(struct job *j)
{
	size_t len = j->message.text.len, left;
	unsigned percent;

	if (j->is_over || !j->is_sent || len < BAR_LEAST || !isatty(STDERR_FILENO))
		return;
	left = client_unsent(j->client);
	percent = left >= len ? 0 : (unsigned)(100 * (len - left) / len);
	if (percent == j->bar)
		return;
	j->bar = percent;
	fprintf(stderr, "\r[%-*.*s] %3u%%%s", BAR_WIDTH, (int)(percent * BAR_WIDTH / 100),
		"########################################", percent,
		percent == 100 ? "\n" : "");
}

static int fill_conf(struct pbmail *p, struct client_conf *conf, char *password,
		     char *host, size_t host_len)
{
	static const enum client_tls modes[] = {
		[ACCOUNT_TLS_NONE] = CLIENT_TLS_NONE,
		[ACCOUNT_TLS_STARTTLS] = CLIENT_TLS_REQUIRED,
		[ACCOUNT_TLS_IMPLICIT] = CLIENT_TLS_IMPLICIT,
	};
	const struct account *a = &p->account;
	int r = 0;

	if (gethostname(host, host_len) < 0)
		snprintf(host, host_len, "localhost");
	host[host_len - 1] = '\0';
	*conf = (struct client_conf){
		.host = host,
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			CLIENT_LIMITS(L)
#undef L
		},
		.tls_mode = modes[account_tls(&a->smtp)],
		.tls_host = a->smtp.host,
	};
	if (conf->tls_mode != CLIENT_TLS_NONE)
		r = pbmail_tls(p);
	conf->tls = p->tls;
	if (r || account_is_local(&a->smtp) || !a->user)
		return r;
	if (account_password(a, password) < 0)
		return pbmail_fail(EX_CONFIG, "the account has no password");
	conf->user = a->user;
	conf->password = password;
	return 0;
}

static int run(struct pbmail *p, struct job *j, const struct client_conf *conf)
{
	struct io *io;
	int r = stream_connect(p, &p->account.smtp, &io);

	if (r)
		return r;
	j->client = client_new(io, conf, &ops, j);
	if (!j->client) {
		io_abort(io);
		return pbmail_fail(EX_OSERR, "out of memory");
	}
	while (!j->is_over) {
		net_rest(p->net);
		show_bar(j);
	}
	while (net_n_conns(p->net) > 0)
		net_rest(p->net);
	return j->status;
}

int submit(struct pbmail *p, struct str from, const struct str *rcpts, size_t n_rcpts,
	   struct str message)
{
	struct job j = {
		.host = p->account.smtp.host,
		.rcpts = rcpts,
		.message = { .from = from,
			     .rcpts = rcpts,
			     .n_rcpts = n_rcpts,
			     .text = message },
	};
	char password[ACCOUNT_PASSWORD_MAX + 1], host[256];
	struct client_conf conf;
	int r;

	if (!p->account.smtp.host)
		return pbmail_fail(EX_CONFIG, "the account has no smtp");
	r = fill_conf(p, &conf, password, host, sizeof(host));
	if (r == 0)
		r = run(p, &j, &conf);
	explicit_bzero(password, sizeof(password));
	return r;
}
