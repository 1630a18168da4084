#include <linux/tcp.h>

#include "stack/api/sock.h"
#include "stack/api/tcp_info.h"
#include "stack/sock/sock_impl.h"
#include "tcp/cc.h"

/* How a number of the program becomes one of TCP. */
enum unit {
	AS_IS,
	BOOL,
	SECONDS,
	DOUBLED, /* as Linux: the program is told, and may fill, twice what it asked for */
	HALVED,	 /* told twice, as Linux: half of it is for the stack's own needs */
};

static const struct row {
	int level, name;
	enum tcp_opt opt;
	enum unit unit;
} rows[] = {
	{ SOL_SOCKET, SO_KEEPALIVE, TCP_OPT_KEEPALIVE, BOOL },
	{ SOL_SOCKET, SO_RCVBUF, TCP_OPT_RCVBUF, HALVED },
	{ SOL_SOCKET, SO_SNDBUF, TCP_OPT_SNDBUF, DOUBLED },
	{ SOL_SOCKET, SO_OOBINLINE, TCP_OPT_OOBINLINE, BOOL },
	{ IPPROTO_TCP, TCP_NODELAY, TCP_OPT_NODELAY, BOOL },
	{ IPPROTO_TCP, TCP_CORK, TCP_OPT_CORK, BOOL },
	{ IPPROTO_TCP, TCP_MAXSEG, TCP_OPT_MAXSEG, AS_IS },
	{ IPPROTO_TCP, TCP_KEEPIDLE, TCP_OPT_KEEP_IDLE_MS, SECONDS },
	{ IPPROTO_TCP, TCP_KEEPINTVL, TCP_OPT_KEEP_INTVL_MS, SECONDS },
	{ IPPROTO_TCP, TCP_KEEPCNT, TCP_OPT_KEEP_PROBES, AS_IS },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_OPT_USER_TIMEOUT_MS, AS_IS },
	{ IPPROTO_TCP, TCP_SYNCNT, TCP_OPT_SYN_TRIES, AS_IS },
	{ IPPROTO_TCP, PB_TCP_ECN, TCP_OPT_ECN, AS_IS },
	{ IPPROTO_TCP, PB_TCP_L4S, TCP_OPT_L4S, BOOL },
	{ IPPROTO_IP, IP_TOS, TCP_OPT_TOS, AS_IS },
	{ IPPROTO_IP, IP_TTL, TCP_OPT_TTL, AS_IS },
	{ IPPROTO_IPV6, IPV6_TCLASS, TCP_OPT_TOS, AS_IS },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, TCP_OPT_TTL, AS_IS },
};

static const struct row *row_of(int level, int name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].level == level && rows[i].name == name)
			return &rows[i];
	}
	return NULL;
}

/* UDP has the two that IP knows. */
static uint8_t *udp_opt(struct sock *s, enum tcp_opt opt)
{
	if (opt == TCP_OPT_TTL)
		return &s->udp->ttl;
	return opt == TCP_OPT_TOS ? &s->udp->tos : NULL;
}

static int udp_set_opt(struct sock *s, enum tcp_opt opt, int value)
{
	uint8_t *field = udp_opt(s, opt);

	if (!field)
		return -ENOPROTOOPT;
	if (value < (opt == TCP_OPT_TTL) || value > UINT8_MAX)
		return -EINVAL;
	*field = (uint8_t)value;
	return 0;
}

int sock_opt_set(struct socks *ss, struct sock *s, enum tcp_opt opt, int value)
{
	switch ((enum sock_kind)s->kind) {
	case SOCK_TCP: return tcp_set(ss->tcp, s->conn, opt, value);
	case SOCK_LISTENER:
		return tcp_opt_set(tcp_listener_opts(s->listener), opt, value);
	case SOCK_TCP_NEW: return tcp_opt_set(&s->setup->opts, opt, value);
	case SOCK_UDP: return udp_set_opt(s, opt, value);
	case SOCK_FREE: break;
	}
	return -ENOPROTOOPT;
}

static int udp_get_opt(struct sock *s, enum tcp_opt opt, int *value)
{
	uint8_t *field = udp_opt(s, opt);

	if (!field)
		return -ENOPROTOOPT;
	*value = opt == TCP_OPT_TTL && !*field ? IP_TTL_DEFAULT : *field;
	return 0;
}

static int get_opt(struct sock *s, enum tcp_opt opt, int *value)
{
	switch ((enum sock_kind)s->kind) {
	case SOCK_TCP: *value = tcp_get(s->conn, opt); return 0;
	case SOCK_LISTENER:
		*value = tcp_opt_get(tcp_listener_opts(s->listener), opt);
		return 0;
	case SOCK_TCP_NEW: *value = tcp_opt_get(&s->setup->opts, opt); return 0;
	case SOCK_UDP: return udp_get_opt(s, opt, value);
	case SOCK_FREE: break;
	}
	return -ENOPROTOOPT;
}

static int set_linger(struct socks *ss, struct sock *s, const void *value, socklen_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, value, sizeof(l));
	if (l.l_linger < 0 || l.l_linger > INT32_MAX / 1000)
		return -EINVAL;
	return sock_opt_set(ss, s, TCP_OPT_LINGER_MS, l.l_onoff ? l.l_linger * 1000 : -1);
}

static int set_cc(struct socks *ss, struct sock *s, const char *value, socklen_t len)
{
	char name[SOCK_CC_LEN] = { 0 };

	if (len >= sizeof(name))
		return -ENOENT;
	memcpy(name, value, len);
	if (s->kind == SOCK_TCP)
		return tcp_set_cc(ss->tcp, s->conn, name);
	if (s->kind == SOCK_LISTENER)
		return tcp_listener_set_cc(s->listener, name);
	if (s->kind != SOCK_TCP_NEW)
		return -ENOPROTOOPT;
	if (!cc_find(name))
		return -ENOENT;
	memcpy(s->setup->cc, name, sizeof(name));
	return 0;
}

/* RFC 3493 5.3: to be said before the socket has an address. */
static int set_v6only(struct sock *s, int name, int v)
{
	if (!s->is_ip6 || name != IPV6_V6ONLY)
		return -ENOPROTOOPT;
	if (s->kind == SOCK_UDP && !s->udp->flow.local_port) {
		s->udp->family = v ? ADDR_IP6 : ADDR_NONE;
	} else if (s->kind != SOCK_TCP_NEW || s->setup->port) {
		return -EINVAL;
	}
	s->v6only = v != 0;
	return 0;
}

static int set_plain(struct socks *ss, struct sock *s, int level, int name, int v)
{
	const struct row *row = row_of(level, name);

	if (level == IPPROTO_IPV6 && (!s->is_ip6 || name == IPV6_V6ONLY))
		return set_v6only(s, name, v);
	if (level == SOL_SOCKET && name == SO_REUSEADDR) {
		s->reuse = v != 0;
		if (s->kind == SOCK_UDP)
			s->udp->reuse = s->reuse;
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_REUSEPORT && s->kind != SOCK_UDP) {
		s->reuse_port = v != 0;
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_BROADCAST && s->kind == SOCK_UDP) {
		s->udp->ip_flags &= (uint8_t)~IP_BROADCAST_OK;
		s->udp->ip_flags |= v ? IP_BROADCAST_OK : 0;
		return 0;
	}
	if (!row)
		return -ENOPROTOOPT;
	if (row->unit == BOOL)
		v = v != 0;
	if (row->unit == DOUBLED)
		v = v < INT32_MAX / 2 ? v * 2 : INT32_MAX;
	if (row->unit == SECONDS) {
		if (v < 1 || v > INT32_MAX / 1000)
			return -EINVAL;
		v *= 1000;
	}
	return sock_opt_set(ss, s, row->opt, v);
}

/* Options of IPPROTO_IP may be a byte, as on Linux and BSD. */
static bool read_int(int level, const void *value, socklen_t len, int *v)
{
	uint8_t byte;

	if (len >= sizeof(*v)) {
		memcpy(v, value, sizeof(*v));
		return true;
	}
	if (level != IPPROTO_IP || len < 1)
		return false;
	memcpy(&byte, value, 1);
	*v = byte;
	return true;
}

int pb_setsockopt(int number, int level, int name, const void *value, socklen_t len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);
	int v, err;

	if (!s)
		return -1;
	if (!value)
		return sock_fail(EFAULT);
	if (s->kind == SOCK_UDP && sock_udp_is_opt(level, name))
		return (int)sock_result(sock_udp_set(ss, s, level, name, value, len));
	if (level == SOL_SOCKET && name == SO_LINGER)
		return (int)sock_result(set_linger(ss, s, value, len));
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return (int)sock_result(set_cc(ss, s, value, len));
	if (level == IPPROTO_TCP) {
		err = sock_fo_set(ss, s, name, value, len);
		if (err != -ENOENT)
			return (int)sock_result(err);
	}
	if (!read_int(level, value, len, &v))
		return sock_fail(EINVAL);
	err = sock_more_set(ss, s, level, name, v);
	if (err != -ENOENT)
		return (int)sock_result(err);
	return (int)sock_result(set_plain(ss, s, level, name, v));
}

/* Gives @n bytes as far as there is room, and says how many there are. */
static int give(void *value, socklen_t *len, const void *bytes, size_t n)
{
	if (*len > n)
		*len = (socklen_t)n;
	memcpy(value, bytes, *len);
	return 0;
}

static int give_int(void *value, socklen_t *len, int v)
{
	return give(value, len, &v, sizeof(v));
}

static int get_socket(struct socks *ss, struct sock *s, int name, void *value,
		      socklen_t *len)
{
	uint32_t mem[SOCK_N_MEM];
	struct linger l = { 0 };
	int ms = -1;

	switch (name) {
	case SO_ERROR: return give_int(value, len, sock_error(s));
	case SO_DOMAIN: return give_int(value, len, s->is_ip6 ? AF_INET6 : AF_INET);
	case SO_TYPE:
		return give_int(value, len,
				s->kind == SOCK_UDP ? SOCK_DGRAM : SOCK_STREAM);
	case SO_ACCEPTCONN: return give_int(value, len, s->kind == SOCK_LISTENER);
	case SO_REUSEADDR: return give_int(value, len, s->reuse);
	case SO_REUSEPORT:
		return s->kind == SOCK_UDP ? -ENOPROTOOPT :
					     give_int(value, len, s->reuse_port);
	case SO_BROADCAST:
		return give_int(value, len,
				s->kind == SOCK_UDP &&
					s->udp->ip_flags & IP_BROADCAST_OK);
	case SO_LINGER:
		get_opt(s, TCP_OPT_LINGER_MS, &ms);
		l.l_onoff = ms >= 0;
		l.l_linger = ms >= 0 ? ms / 1000 : 0;
		return give(value, len, &l, sizeof(l));
	case SO_MEMINFO:
		sock_tcp_memory(ss, s, mem);
		return give(value, len, mem, sizeof(mem));
	default: return -ENOPROTOOPT;
	}
}

static int get_any(struct socks *ss, struct sock *s, int level, int name, void *value,
		   socklen_t *len)
{
	const struct row *row = row_of(level, name);
	struct tcp_conn_info info;
	struct pb_tcp_info ti;
	int v, err;

	err = sock_more_get(s, level, name, &v);
	if (err != -ENOENT)
		return err ? err : give_int(value, len, v);
	if (row && (level != IPPROTO_IPV6 || s->is_ip6)) {
		err = get_opt(s, row->opt, &v);
		if (err)
			return err;
		return give_int(value, len,
				row->unit == SECONDS ? v / 1000 :
				row->unit == HALVED  ? v * 2 :
						       v);
	}
	if (level == SOL_SOCKET)
		return get_socket(ss, s, name, value, len);
	if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && s->is_ip6)
		return give_int(value, len, s->v6only);
	if (level == IPPROTO_TCP) {
		err = sock_fo_get(ss, s, name, value, len);
		if (err != -ENOENT)
			return err;
	}
	if (level != IPPROTO_TCP || s->kind == SOCK_UDP)
		return -ENOPROTOOPT;
	if (name == TCP_INFO) {
		sock_tcp_info(ss, s, &ti);
		return give(value, len, &ti, sizeof(ti));
	}
	/* Linux's algorithms without numbers of their own tell nothing, either. */
	if (name == TCP_CC_INFO)
		return give(value, len, "", 0);
	if (name != TCP_CONGESTION)
		return -ENOPROTOOPT;
	if (s->kind == SOCK_LISTENER)
		return give(value, len, tcp_listener_cc(s->listener),
			    strlen(tcp_listener_cc(s->listener)) + 1);
	if (s->kind != SOCK_TCP)
		return -ENOPROTOOPT;
	tcp_conn_info(ss->tcp, s->conn, &info);
	return give(value, len, info.cc, strlen(info.cc) + 1);
}

int pb_getsockopt(int number, int level, int name, void *value, socklen_t *len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (!value || !len)
		return sock_fail(EFAULT);
	if (s->kind == SOCK_UDP && sock_udp_is_opt(level, name))
		return (int)sock_result(sock_udp_get(ss, s, level, name, value, len));
	return (int)sock_result(get_any(ss, s, level, name, value, len));
}
