/*
 * Options of how connections open, as Linux has them: TCP_DEFER_ACCEPT, and Fast Open's
 * (RFC 7413): TCP_FASTOPEN how many connections of a
 * listener may be without their ACK, TCP_FASTOPEN_KEY its keys (one, or the present and the
 * one before), TCP_FASTOPEN_CONNECT and TCP_FASTOPEN_NO_COOKIE for clients, the last for both.
 */
#include <linux/tcp.h>
#include <string.h>

#include "stack/sock/sock_impl.h"
#include "tcp/fastopen.h"

static int set_max(struct sock *s, int max)
{
	if (max < 0)
		return -EINVAL;
	if (s->kind == SOCK_LISTENER)
		tcp_listener_set_fastopen(s->listener, (unsigned)max);
	else if (s->kind == SOCK_TCP_NEW)
		s->setup->fo_max = (unsigned)max;
	else
		return -EINVAL;
	return 0;
}

static int set_connect(const struct socks *ss, struct sock *s, int v)
{
	if (v < 0 || v > 1 || s->kind != SOCK_TCP_NEW || s->setup->to.family)
		return -EINVAL;
	if (!tcp_fastopen_is_on(ss->tcp))
		return -EOPNOTSUPP;
	s->setup->fo_connect = v;
	return 0;
}

static int set_bare(struct sock *s, int v)
{
	if (v < 0 || v > 1)
		return -EINVAL;
	if (s->kind == SOCK_LISTENER)
		return tcp_opt_set(tcp_listener_opts(s->listener), TCP_OPT_FO_BARE, v);
	return s->kind == SOCK_TCP_NEW ?
		       tcp_opt_set(&s->setup->opts, TCP_OPT_FO_BARE, v) :
		       -EINVAL;
}

static int set_defer(struct sock *s, int v)
{
	uint32_t defer_s = v > 0 ? (uint32_t)v : 0;

	if (s->kind == SOCK_LISTENER)
		tcp_listener_set_defer(s->listener, defer_s);
	else if (s->kind == SOCK_TCP_NEW)
		s->setup->defer_s = defer_s;
	return 0;
}

/* Where the socket's keys are; NULL: it can have none. */
static struct fo_keys *keys_of(const struct sock *s)
{
	if (s->kind == SOCK_LISTENER)
		return tcp_listener_fo_keys(s->listener);
	return s->kind == SOCK_TCP_NEW ? &s->setup->fo_keys : NULL;
}

int sock_fo_set(struct socks *ss, struct sock *s, int name, const void *value,
		socklen_t len)
{
	struct fo_keys *keys = keys_of(s);
	int v;

	if (s->kind == SOCK_UDP)
		return -ENOENT;
	if (name == TCP_FASTOPEN_KEY)
		return keys ? fo_keys_set(keys, value, len) : -EINVAL;
	if (name != TCP_FASTOPEN && name != TCP_FASTOPEN_CONNECT &&
	    name != TCP_FASTOPEN_NO_COOKIE && name != TCP_DEFER_ACCEPT)
		return -ENOENT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	if (name == TCP_FASTOPEN)
		return set_max(s, v);
	if (name == TCP_DEFER_ACCEPT)
		return set_defer(s, v);
	return name == TCP_FASTOPEN_CONNECT ? set_connect(ss, s, v) : set_bare(s, v);
}

static int get_key(const struct socks *ss, const struct sock *s, void *value,
		   socklen_t *len)
{
	const struct fo_keys *keys = keys_of(s);
	uint8_t bytes[FO_KEYS_MAX * FO_KEY_LEN];
	uint32_t n;

	if (!keys || !keys->n)
		keys = tcp_fastopen_keys(ss->tcp);
	n = fo_keys_get(keys, bytes);
	if (*len > n)
		*len = n;
	memcpy(value, bytes, *len);
	return 0;
}

int sock_fo_get(const struct socks *ss, const struct sock *s, int name, void *value,
		socklen_t *len)
{
	const struct sock_setup *setup = s->kind == SOCK_TCP_NEW ? s->setup : NULL;
	int v = 0;

	if (s->kind == SOCK_UDP)
		return -ENOENT;
	switch (name) {
	case TCP_FASTOPEN_KEY: return get_key(ss, s, value, len);
	case TCP_FASTOPEN:
		if (s->kind == SOCK_LISTENER)
			v = (int)tcp_listener_fastopen(s->listener);
		else if (setup)
			v = (int)setup->fo_max;
		break;
	case TCP_DEFER_ACCEPT:
		if (s->kind == SOCK_LISTENER)
			v = (int)tcp_listener_defer(s->listener);
		else if (setup)
			v = (int)setup->defer_s;
		break;
	case TCP_FASTOPEN_CONNECT: v = setup && setup->fo_connect; break;
	case TCP_FASTOPEN_NO_COOKIE:
		if (s->kind == SOCK_LISTENER)
			v = tcp_opt_get(tcp_listener_opts(s->listener), TCP_OPT_FO_BARE);
		else
			v = setup ? setup->opts.fo_bare :
				    tcp_get(s->conn, TCP_OPT_FO_BARE);
		break;
	default: return -ENOENT;
	}
	if (*len > sizeof(v))
		*len = sizeof(v);
	memcpy(value, &v, *len);
	return 0;
}
