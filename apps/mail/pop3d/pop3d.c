#include "apps/mail/pop3d/pop3d.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"
#include "stack/base/check.h"

void pop3d_conf_init(struct pop3d_conf *conf)
{
	*conf = (struct pop3d_conf){
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			POP3D_LIMITS(L)
#undef L
		},
	};
}

int pop3d_new(struct net *net, const struct pop3d_conf *conf, const struct pop3d_ops *ops,
	      void *ops_arg, struct pop3d **pop3d)
{
	struct pop3d *d = calloc(1, sizeof(*d));
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
	handoff_init(&d->checks, net, pop3d_checked, d);
	handoff_init(&d->updates, net, pop3d_updated, d);
	*pop3d = d;
	return 0;
}

static void refuse(struct io *io, const char *line)
{
	io_puts(io, line);
	io_close(io);
}

void pop3d_accept(void *arg, struct io *io)
{
	struct pop3d *d = arg;
	struct peer *peer;

	if (d->stopped) {
		refuse(io, "-ERR [SYS/TEMP] Shutting down\r\n");
		return;
	}
	if (io_is_excess(io)) {
		d->stats.refused_excess++;
		refuse(io, "-ERR [SYS/TEMP] Too many connections, try again later\r\n");
		return;
	}
	peer = peers_add(d->peers, io_peer_addr(io));
	if (!peer) {
		refuse(io, "-ERR [SYS/TEMP] Out of memory, try again later\r\n");
		return;
	}
	if (peers_count(peer) > d->conf.limits.per_client_max) {
		d->stats.refused_client++;
		peers_remove(d->peers, peer);
		refuse(io, "-ERR [SYS/TEMP] Too many connections from your address\r\n");
		return;
	}
	pop3d_session_new(d, io, peer);
}

void pop3d_stop(struct pop3d *d)
{
	struct list *at = d->sessions.next;

	d->stopped = true;
	while (at != &d->sessions) {
		struct pop3d_session *s = container_of(at, struct pop3d_session, node);

		at = at->next;
		pop3d_session_stop(s);
	}
}

bool pop3d_busy(const struct pop3d *d)
{
	return handoff_busy(&d->checks) || handoff_busy(&d->updates);
}

void pop3d_free(struct pop3d *d)
{
	if (!d)
		return;
	while (!list_empty(&d->sessions))
		pop3d_session_abort(
			container_of(d->sessions.next, struct pop3d_session, node));
	handoff_fini(&d->checks);
	handoff_fini(&d->updates);
	peers_free(d->peers);
	free(d);
}

const struct pop3d_stats *pop3d_stats(const struct pop3d *d)
{
	return &d->stats;
}
