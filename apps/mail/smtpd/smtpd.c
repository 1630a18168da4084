#include "apps/mail/smtpd/smtpd.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/tls.h"
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

static const struct door_lines lines = {
	.stopped = "421 4.3.2 Shutting down\r\n",
	.excess = "421 4.3.2 Too many connections, try again later\r\n",
	.no_memory = "421 4.3.0 Out of memory, try again later\r\n",
	.client = "421 4.7.0 Too many connections from your address\r\n",
};

static int new_door(struct smtpd *d)
{
	const struct door_conf conf = {
		.lines = lines,
		.counts = DOOR_COUNTS(d->stats),
		.per_client_max = d->conf.limits.per_client_max,
		.seed = d->conf.seed,
	};

	return door_init(&d->door, &conf);
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
	err = new_door(d);
	if (err) {
		free(d);
		return err;
	}
	handoff_init(&d->commits, net, smtpd_data_committed, d);
	handoff_init(&d->checks, net, smtpd_checked, d);
	*smtpd = d;
	return 0;
}

void smtpd_set_tls(struct smtpd *d, struct tls *tls)
{
	d->tls = tls;
}

void smtpd_set_sasl(struct smtpd *d, struct sasl *sasl)
{
	d->sasl = sasl;
}

static void admit(struct smtpd *d, struct io *io, struct smtpd_kind kind)
{
	struct peer *peer;

	if (door_admit(&d->door, io, &peer))
		smtpd_session_new(d, io, peer, kind);
}

void smtpd_accept(void *smtpd, struct io *io)
{
	admit(smtpd, io, (struct smtpd_kind){ .is_msa = false });
}

void smtpd_accept_msa(void *smtpd, struct io *io)
{
	admit(smtpd, io, (struct smtpd_kind){ .is_msa = true });
}

void smtpd_accept_msa_tls(void *arg, struct io *io)
{
	struct smtpd *d = arg;

	if (!d->tls || io_tls_server(io, d->tls) < 0)
		io_abort(io);
	else
		admit(d, io, (struct smtpd_kind){ .is_msa = true, .with_tls = true });
}

void smtpd_accept_odmr(void *smtpd, struct io *io)
{
	admit(smtpd, io, (struct smtpd_kind){ .is_odmr = true });
}

void smtpd_accept_user(struct smtpd *d, struct io *io, const char *user)
{
	admit(d, io, (struct smtpd_kind){ .is_msa = true, .user = user });
}

void smtpd_stop(struct smtpd *d)
{
	door_shut(&d->door, smtpd_session_stop);
}

bool smtpd_busy(const struct smtpd *d)
{
	return handoff_busy(&d->commits) || handoff_busy(&d->checks);
}

void smtpd_free(struct smtpd *d)
{
	if (!d)
		return;
	door_clear(&d->door, smtpd_session_abort);
	handoff_fini(&d->commits);
	handoff_fini(&d->checks);
	ASSERT(d->stats.memory == 0 && d->stats.messages_open == 0);
	door_fini(&d->door);
	free(d);
}

const struct smtpd_stats *smtpd_stats(const struct smtpd *d)
{
	return &d->stats;
}
