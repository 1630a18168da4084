#include "apps/mail/smtpd/smtpd.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/check.h"

void smtpd_conf_init(struct smtpd_conf *conf)
{
	*conf = (struct smtpd_conf){
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			SMTPD_LIMITS(L)
#undef L
		},
	};
}

int smtpd_new(struct net *net, const struct smtpd_conf *conf, const struct smtpd_ops *ops,
	      void *ops_arg, struct smtpd **smtpd)
{
	struct smtpd *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->net = net;
	d->conf = *conf;
	d->ops = *ops;
	d->ops_arg = ops_arg;
	list_init(&d->sessions);
	err = peers_new(conf->seed, &d->peers);
	if (err) {
		free(d);
		return err;
	}
	handoff_init(&d->commits, net, smtpd_data_committed, d);
	*smtpd = d;
	return 0;
}

static void refuse(struct io *io, const char *line)
{
	io_puts(io, line);
	io_close(io);
}

void smtpd_accept(void *arg, struct io *io)
{
	struct smtpd *d = arg;
	struct peer *peer;

	if (d->stopped) {
		refuse(io, "421 4.3.2 Shutting down\r\n");
		return;
	}
	if (io_is_excess(io)) {
		d->stats.refused_excess++;
		refuse(io, "421 4.3.2 Too many connections, try again later\r\n");
		return;
	}
	peer = peers_add(d->peers, io_peer_addr(io));
	if (!peer) {
		refuse(io, "421 4.3.0 Out of memory, try again later\r\n");
		return;
	}
	if (peers_count(peer) > d->conf.limits.per_client_max) {
		d->stats.refused_client++;
		peers_remove(d->peers, peer);
		refuse(io, "421 4.7.0 Too many connections from your address\r\n");
		return;
	}
	smtpd_session_new(d, io, peer);
}

void smtpd_stop(struct smtpd *d)
{
	struct list *at = d->sessions.next;

	d->stopped = true;
	while (at != &d->sessions) {
		struct smtpd_session *s = container_of(at, struct smtpd_session, node);

		at = at->next;
		smtpd_session_stop(s);
	}
}

bool smtpd_busy(const struct smtpd *d)
{
	return handoff_busy(&d->commits);
}

void smtpd_free(struct smtpd *d)
{
	if (!d)
		return;
	while (!list_empty(&d->sessions))
		smtpd_session_abort(
			container_of(d->sessions.next, struct smtpd_session, node));
	handoff_fini(&d->commits);
	ASSERT(d->stats.memory == 0 && d->stats.messages_open == 0);
	peers_free(d->peers);
	free(d);
}

const struct smtpd_stats *smtpd_stats(const struct smtpd *d)
{
	return &d->stats;
}
