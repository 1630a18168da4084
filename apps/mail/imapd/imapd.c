#include "apps/mail/imapd/imapd.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
#include "apps/mail/imapd/cmd.h"
#include "stack/base/check.h"

void imapd_conf_init(struct imapd_conf *conf)
{
	*conf = (struct imapd_conf){
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			IMAPD_LIMITS(L)
#undef L
		},
	};
}

static const struct door_lines lines = {
	.stopped = "* BYE [UNAVAILABLE] Shutting down\r\n",
	.excess = "* BYE [UNAVAILABLE] Too many connections, come later\r\n",
	.no_memory = "* BYE [UNAVAILABLE] Out of memory, come later\r\n",
	.client = "* BYE [LIMIT] Too many connections from your address\r\n",
};

static int new_door(struct imapd *d)
{
	const struct door_conf conf = {
		.lines = lines,
		.counts = DOOR_COUNTS(d->stats),
		.per_client_max = d->conf.limits.per_client_max,
		.seed = d->conf.seed,
	};

	return door_init(&d->door, &conf);
}

int imapd_new(struct net *net, const struct imapd_conf *conf, const struct imapd_ops *ops,
	      void *ops_arg, struct imapd **imapd)
{
	struct imapd *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->net = net;
	d->conf = *conf;
	d->ops = *ops;
	d->ops_arg = ops_arg;
	atomic_init(&d->news, NULL);
	atomic_init(&d->news_posted, false);
	imap_emit_init(&d->emit);
	d->mime = mime_new(&mime_limits_default);
	if (!d->mime || new_door(d) < 0) {
		mime_free(d->mime);
		free(d);
		return -ENOMEM;
	}
	handoff_init(&d->checks, net, imapd_checked, d);
	handoff_init(&d->writes, net, imapd_stored, d);
	handoff_init(&d->works, net, imapd_searched, d);
	handoff_init(&d->notes, net, imapd_noted, d);
	*imapd = d;
	return 0;
}

void imapd_open(struct imapd *d, struct store *store, struct worker *worker)
{
	d->store = store;
	d->worker = worker;
}

static void admit(struct imapd *d, struct io *io, struct imapd_kind kind)
{
	struct peer *peer;

	if (door_admit(&d->door, io, &peer))
		imapd_session_new(d, io, peer, kind);
}

void imapd_accept(void *arg, struct io *io)
{
	admit(arg, io, (struct imapd_kind){ .with_tls = false });
}

void imapd_accept_tls(void *arg, struct io *io)
{
	struct imapd *d = arg;

	if (!d->conf.tls || io_tls_server(io, d->conf.tls) < 0)
		io_abort(io);
	else
		admit(d, io, (struct imapd_kind){ .with_tls = true });
}

void imapd_accept_user(struct imapd *d, struct io *io, const char *user)
{
	admit(d, io, (struct imapd_kind){ .user = user });
}

void imapd_set_tls(struct imapd *d, struct tls *tls)
{
	d->conf.tls = tls;
}

void imapd_set_sasl(struct imapd *d, struct sasl *sasl)
{
	d->sasl = sasl;
}

void imapd_stop(struct imapd *d)
{
	door_shut(&d->door, imapd_session_stop);
}

bool imapd_busy(const struct imapd *d)
{
	return handoff_busy(&d->checks) || handoff_busy(&d->writes) ||
	       handoff_busy(&d->works) || handoff_busy(&d->notes) ||
	       atomic_load(&d->news_posted);
}

void imapd_free(struct imapd *d)
{
	if (!d)
		return;
	door_clear(&d->door, imapd_session_abort);
	imapd_news_drop(d);
	handoff_fini(&d->checks);
	handoff_fini(&d->writes);
	handoff_fini(&d->works);
	handoff_fini(&d->notes);
	door_fini(&d->door);
	imap_emit_fini(&d->emit);
	mime_free(d->mime);
	free(d);
}

const struct imapd_stats *imapd_stats(const struct imapd *d)
{
	return &d->stats;
}
