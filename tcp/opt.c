#include <errno.h>

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

enum {
	BUF_MIN = 4096,
	BUF_MAX = 1 << 30, /* the largest window (RFC 7323 2.3) */
	KEEP_PROBES_MAX = 127,
	SYN_TRIES_MAX = 127,
};

void tcp_opt_default(struct tcp_opts *opts, const struct tcp_conf *conf)
{
	*opts = (struct tcp_opts){
		.keep_probes = (uint8_t)conf->keep_probes,
		.ecn = conf->ecn,
		.syn_tries = (uint8_t)(conf->syn_tries - 1),
		.linger_ms = -1,
		.keep_idle_ms = conf->keep_idle_ms,
		.keep_intvl_ms = conf->keep_intvl_ms,
		.rcvbuf = conf->rcvbuf,
		.sndbuf = conf->sndbuf,
	};
}

static int set_byte(uint8_t *field, int value, int min, int max)
{
	if (value < min || value > max)
		return -EINVAL;
	*field = (uint8_t)value;
	return 0;
}

/* ECN's bits are not the program's. */
static int set_tos(uint8_t *field, int value)
{
	return set_byte(field, value < 0 ? value : value & ~ECN_MASK, 0, UINT8_MAX);
}

static int set_ms(uint32_t *field, int value, int min)
{
	if (value < min)
		return -EINVAL;
	*field = (uint32_t)value;
	return 0;
}

static int set_buf(uint32_t *field, int value)
{
	if (value <= 0)
		return -EINVAL;
	*field = value < BUF_MIN ? BUF_MIN : value > BUF_MAX ? BUF_MAX : (uint32_t)value;
	return 0;
}

static int set_maxseg(struct tcp_opts *opts, int value)
{
	/* 0: as the path allows.  Timestamps and SACK must leave room for bytes. */
	if (value && (value < TCP_MSS_MIN || value > UINT16_MAX))
		return -EINVAL;
	opts->maxseg = (uint16_t)value;
	return 0;
}

int tcp_opt_set(struct tcp_opts *opts, enum tcp_opt opt, int value)
{
	switch (opt) {
	case TCP_OPT_NODELAY: opts->nodelay = value; return 0;
	case TCP_OPT_CORK: opts->cork = value; return 0;
	case TCP_OPT_KEEPALIVE: opts->keepalive = value; return 0;
	case TCP_OPT_OOBINLINE: opts->oobinline = value; return 0;
	case TCP_OPT_NO_DF: opts->no_df = value; return 0;
	case TCP_OPT_KEEP_IDLE_MS: return set_ms(&opts->keep_idle_ms, value, 1);
	case TCP_OPT_KEEP_INTVL_MS: return set_ms(&opts->keep_intvl_ms, value, 1);
	case TCP_OPT_KEEP_PROBES:
		return set_byte(&opts->keep_probes, value, 1, KEEP_PROBES_MAX);
	case TCP_OPT_USER_TIMEOUT_MS: return set_ms(&opts->user_timeout_ms, value, 0);
	case TCP_OPT_RCVBUF: return set_buf(&opts->rcvbuf, value);
	case TCP_OPT_SNDBUF: return set_buf(&opts->sndbuf, value);
	case TCP_OPT_MAXSEG: return set_maxseg(opts, value);
	case TCP_OPT_LINGER_MS: opts->linger_ms = value < 0 ? -1 : value; return 0;
	case TCP_OPT_TOS: return set_tos(&opts->tos, value);
	case TCP_OPT_TTL: return set_byte(&opts->ttl, value, 1, UINT8_MAX);
	case TCP_OPT_SYN_TRIES:
		return set_byte(&opts->syn_tries, value, 1, SYN_TRIES_MAX);
	case TCP_OPT_FO_BARE: opts->fo_bare = value; return 0;
	case TCP_OPT_ECN: return set_byte(&opts->ecn, value, 0, TCP_N_ECN - 1);
	case TCP_OPT_L4S: opts->l4s = value; return 0;
	}
	return -EINVAL;
}

int tcp_opt_get(const struct tcp_opts *o, enum tcp_opt opt)
{
	switch (opt) {
	case TCP_OPT_NODELAY: return o->nodelay;
	case TCP_OPT_CORK: return o->cork;
	case TCP_OPT_KEEPALIVE: return o->keepalive;
	case TCP_OPT_OOBINLINE: return o->oobinline;
	case TCP_OPT_NO_DF: return o->no_df;
	case TCP_OPT_KEEP_IDLE_MS: return (int)o->keep_idle_ms;
	case TCP_OPT_KEEP_INTVL_MS: return (int)o->keep_intvl_ms;
	case TCP_OPT_KEEP_PROBES: return o->keep_probes;
	case TCP_OPT_USER_TIMEOUT_MS: return (int)o->user_timeout_ms;
	case TCP_OPT_RCVBUF: return (int)o->rcvbuf;
	case TCP_OPT_SNDBUF: return (int)o->sndbuf;
	case TCP_OPT_MAXSEG: return o->maxseg;
	case TCP_OPT_LINGER_MS: return o->linger_ms;
	case TCP_OPT_TOS: return o->tos;
	case TCP_OPT_TTL: return o->ttl ? o->ttl : IP_TTL_DEFAULT;
	case TCP_OPT_SYN_TRIES: return o->syn_tries;
	case TCP_OPT_FO_BARE: return o->fo_bare;
	case TCP_OPT_ECN: return o->ecn;
	case TCP_OPT_L4S: return o->l4s;
	}
	return -EINVAL;
}

/* ---- of a connection ---- */

static void took_opts(struct tcp_conn *c)
{
	/* Less promised is fine; what was promised already is kept. */
	if (c->rcv_lim > c->opts.rcvbuf)
		c->rcv_lim = c->opts.rcvbuf;
	/* What waited may go, and another timer may be due. */
	tcp_conn_speak(c);
}

int tcp_set(struct tcp *tcp, struct tcp_conn *c, enum tcp_opt opt, int value)
{
	int err = tcp_opt_set(&c->opts, opt, value);

	(void)tcp;
	if (err)
		return err;
	if (opt == TCP_OPT_MAXSEG && c->peer_mss)
		tcp_conn_sync_mss(c);
	if (opt == TCP_OPT_SNDBUF)
		tcp_send_look(c);
	if (opt == TCP_OPT_CORK && !value && c->x)
		c->x->more = false;
	/* It also pushes what waits, whatever held it. */
	if (opt == TCP_OPT_NODELAY && value && c->x) {
		c->x->more = false;
		c->x->force = seq_before(c->snd_nxt, tcp_conn_write_end(c));
	}
	took_opts(c);
	return 0;
}

void tcp_set_all(struct tcp *tcp, struct tcp_conn *c, const struct tcp_opts *opts)
{
	(void)tcp;
	c->opts = *opts;
	took_opts(c);
}

int tcp_get(const struct tcp_conn *c, enum tcp_opt opt)
{
	return opt == TCP_OPT_MAXSEG && c->mss ? c->mss : tcp_opt_get(&c->opts, opt);
}

const struct tcp_opts *tcp_opts(const struct tcp *tcp)
{
	return &tcp->opts;
}
