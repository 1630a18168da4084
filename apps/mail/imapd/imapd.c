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
	list_init(&d->sessions);
	atomic_init(&d->news, NULL);
	atomic_init(&d->news_posted, false);
	imap_emit_init(&d->emit);
	d->mime = mime_new(&mime_limits_default);
	if (!d->mime || peers_new(conf->seed, &d->peers) < 0) {
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

static void refuse(struct io *io, const char *line)
{
	io_puts(io, line);
	io_close(io);
}

static void accept_io(struct imapd *d, struct io *io, struct imapd_kind kind)
{
	struct peer *peer;

	if (d->stopped || !d->store) {
		refuse(io, "* BYE [UNAVAILABLE] Shutting down\r\n");
		return;
	}
	if (io_is_excess(io)) {
		d->stats.refused_excess++;
		refuse(io, "* BYE [UNAVAILABLE] Too many connections, come later\r\n");
		return;
	}
	peer = peers_add(d->peers, io_peer_addr(io));
	if (!peer) {
		refuse(io, "* BYE [UNAVAILABLE] Out of memory, come later\r\n");
		return;
	}
	if (peers_count(peer) > d->conf.limits.per_client_max) {
		d->stats.refused_client++;
		peers_remove(d->peers, peer);
		refuse(io, "* BYE [LIMIT] Too many connections from your address\r\n");
		return;
	}
	imapd_session_new(d, io, peer, kind);
}

void imapd_accept(void *arg, struct io *io)
{
	accept_io(arg, io, (struct imapd_kind){ .with_tls = false });
}

void imapd_accept_tls(void *arg, struct io *io)
{
	struct imapd *d = arg;

	if (!d->conf.tls || io_tls_server(io, d->conf.tls) < 0)
		io_abort(io);
	else
		accept_io(d, io, (struct imapd_kind){ .with_tls = true });
}

void imapd_accept_user(struct imapd *d, struct io *io, const char *user)
{
	accept_io(d, io, (struct imapd_kind){ .user = user });
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
	struct list *at = d->sessions.next;

	d->stopped = true;
	while (at != &d->sessions) {
		struct imapd_session *s = container_of(at, struct imapd_session, node);

		at = at->next;
		imapd_session_stop(s);
	}
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
	while (!list_empty(&d->sessions))
		imapd_session_abort(
			container_of(d->sessions.next, struct imapd_session, node));
	imapd_news_drop(d);
	handoff_fini(&d->checks);
	handoff_fini(&d->writes);
	handoff_fini(&d->works);
	handoff_fini(&d->notes);
	peers_free(d->peers);
	imap_emit_fini(&d->emit);
	mime_free(d->mime);
	free(d);
}

const struct imapd_stats *imapd_stats(const struct imapd *d)
{
	return &d->stats;
}
