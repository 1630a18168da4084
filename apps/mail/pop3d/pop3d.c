#include "apps/mail/pop3d/pop3d.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
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

static const struct door_lines lines = {
	.stopped = "-ERR [SYS/TEMP] Shutting down\r\n",
	.excess = "-ERR [SYS/TEMP] Too many connections, try again later\r\n",
	.no_memory = "-ERR [SYS/TEMP] Out of memory, try again later\r\n",
	.client = "-ERR [SYS/TEMP] Too many connections from your address\r\n",
};

static int new_door(struct pop3d *d)
{
	const struct door_conf conf = {
		.lines = lines,
		.counts = DOOR_COUNTS(d->stats),
		.per_client_max = d->conf.limits.per_client_max,
		.seed = d->conf.seed,
	};

	return door_init(&d->door, &conf);
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
	err = new_door(d);
	if (err) {
		free(d);
		return err;
	}
	handoff_init(&d->checks, net, pop3d_checked, d);
	handoff_init(&d->updates, net, pop3d_updated, d);
	*pop3d = d;
	return 0;
}

void pop3d_set_tls(struct pop3d *d, struct tls *tls)
{
	d->tls = tls;
}

void pop3d_set_sasl(struct pop3d *d, struct sasl *sasl)
{
	d->sasl = sasl;
}

static void admit(struct pop3d *d, struct io *io, bool with_tls)
{
	struct peer *peer;

	if (door_admit(&d->door, io, &peer))
		pop3d_session_new(d, io, peer, with_tls);
}

void pop3d_accept(void *pop3d, struct io *io)
{
	admit(pop3d, io, false);
}

void pop3d_accept_tls(void *arg, struct io *io)
{
	struct pop3d *d = arg;

	if (!d->tls || io_tls_server(io, d->tls) < 0)
		io_abort(io);
	else
		admit(d, io, true);
}

void pop3d_stop(struct pop3d *d)
{
	door_shut(&d->door, pop3d_session_stop);
}

bool pop3d_busy(const struct pop3d *d)
{
	return handoff_busy(&d->checks) || handoff_busy(&d->updates);
}

void pop3d_free(struct pop3d *d)
{
	if (!d)
		return;
	door_clear(&d->door, pop3d_session_abort);
	handoff_fini(&d->checks);
	handoff_fini(&d->updates);
	door_fini(&d->door);
	free(d);
}

const struct pop3d_stats *pop3d_stats(const struct pop3d *d)
{
	return &d->stats;
}
