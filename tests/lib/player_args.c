#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "stack/api/sock.h"
#include "tests/lib/player_impl.h"

#define NAME(n)       \
	{             \
#n, n \
	}

/* clang-format off */
static const struct {
	const char *name;
	long value;
} names[] = {
	NAME(AF_INET), NAME(AF_INET6), NAME(SOCK_STREAM), NAME(SOCK_DGRAM),
	NAME(SOCK_NONBLOCK), NAME(IPPROTO_IP), NAME(IPPROTO_IPV6), NAME(IPPROTO_TCP),
	NAME(IPPROTO_UDP), NAME(SOL_SOCKET), { "SOL_TCP", IPPROTO_TCP }, NAME(SOL_IP),
	NAME(SO_ERROR), NAME(SO_TYPE), NAME(SO_ACCEPTCONN), NAME(SO_REUSEADDR),
	NAME(SO_REUSEPORT), NAME(SO_KEEPALIVE), NAME(SO_LINGER), NAME(SO_RCVBUF),
	NAME(SO_SNDBUF), NAME(SO_OOBINLINE), NAME(SO_BROADCAST),
	NAME(SO_MAX_PACING_RATE), NAME(SO_RCVLOWAT),
	NAME(TCP_NODELAY), NAME(TCP_CORK), NAME(TCP_MAXSEG), NAME(TCP_KEEPIDLE),
	NAME(TCP_KEEPINTVL), NAME(TCP_KEEPCNT), NAME(TCP_USER_TIMEOUT),
	NAME(TCP_CONGESTION), NAME(TCP_INFO), NAME(TCP_QUICKACK), NAME(TCP_FASTOPEN),
	NAME(TCP_FASTOPEN_CONNECT), NAME(TCP_DEFER_ACCEPT), NAME(TCP_SYNCNT),
	NAME(TCP_LINGER2), NAME(TCP_WINDOW_CLAMP), NAME(TCP_NOTSENT_LOWAT),
	NAME(TCP_TIMESTAMP), NAME(TCP_INQ), NAME(PB_TCP_ECN), NAME(PB_TCP_L4S),
	NAME(IP_TOS), NAME(IP_TTL),
	NAME(IP_MTU_DISCOVER), NAME(IP_MTU), NAME(IP_PMTUDISC_DO),
	NAME(IPV6_V6ONLY), NAME(IPV6_TCLASS), NAME(IPV6_UNICAST_HOPS),
	NAME(MSG_OOB), NAME(MSG_PEEK), NAME(MSG_DONTWAIT), NAME(MSG_MORE),
	NAME(MSG_NOSIGNAL), NAME(MSG_TRUNC), NAME(MSG_FASTOPEN), NAME(MSG_WAITALL),
	NAME(SHUT_RD), NAME(SHUT_WR), NAME(SHUT_RDWR),
	NAME(F_GETFL), NAME(F_SETFL), NAME(O_RDWR), NAME(O_NONBLOCK),
	NAME(SIOCINQ), NAME(SIOCOUTQ), NAME(SIOCOUTQNSD),
	NAME(POLLIN), NAME(POLLOUT), NAME(POLLERR), NAME(POLLHUP), NAME(POLLRDHUP),
	NAME(POLLPRI),
}, errors[] = {
	NAME(EAGAIN), NAME(EINPROGRESS), NAME(EALREADY), NAME(EISCONN), NAME(ENOTCONN),
	NAME(ECONNREFUSED), NAME(ECONNRESET), NAME(ECONNABORTED), NAME(ETIMEDOUT),
	NAME(EPIPE), NAME(EINVAL), NAME(EBADF), NAME(EADDRINUSE), NAME(EADDRNOTAVAIL),
	NAME(EHOSTUNREACH), NAME(ENETUNREACH), NAME(EMSGSIZE), NAME(ENOBUFS),
	NAME(ENOMEM), NAME(ENOPROTOOPT), NAME(EOPNOTSUPP), NAME(EDESTADDRREQ),
	NAME(ENOENT), NAME(EPROTO), NAME(EACCES), NAME(EFAULT), NAME(ENOTTY),
	NAME(EAFNOSUPPORT), NAME(ENXIO), NAME(EPERM), NAME(ENOTSOCK),
};
/* clang-format on */

static struct player_arg trim(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	return (struct player_arg){ p, (size_t)(end - p) };
}

/* The first @stop at depth 0; @end when there is none. */
static const char *find_outside(const char *p, const char *end, char stop)
{
	int depth = 0;

	for (; p < end; p++) {
		if (depth == 0 && *p == stop)
			return p;
		if (strchr("([{", *p))
			depth++;
		else if (strchr(")]}", *p))
			depth--;
	}
	return end;
}

bool player_line(struct player *p, const char *text, struct player_line *l)
{
	const char *end = text + strlen(text), *open = strchr(text, '(');
	const char *close = open ? find_outside(open + 1, end, ')') : end, *at, *blank;

	*l = (struct player_line){ 0 };
	if (close == end)
		return player_fail(p, "a call is NAME(ARGUMENTS) = RESULT");
	l->name = trim(text, open);
	for (at = open + 1; at < close && l->n_args < PLAYER_ARGS;) {
		const char *comma = find_outside(at, close, ',');

		l->args[l->n_args++] = trim(at, comma);
		at = comma + 1;
	}
	at = strchr(close, '=');
	if (!at)
		return player_fail(p, "what the call returns is missing");
	l->result = trim(at + 1, end);
	blank = memchr(l->result.p, ' ', l->result.len);
	if (blank) {
		/* What follows in parentheses is for the reader. */
		l->err = trim(blank, find_outside(blank, end, '('));
		l->result.len = (size_t)(blank - l->result.p);
	}
	return true;
}

bool player_arg_is(const struct player_arg *a, const char *word)
{
	return a->len == strlen(word) && memcmp(a->p, word, a->len) == 0;
}

static bool number_of_name(const struct player_arg *a, long *v)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (player_arg_is(a, names[i].name)) {
			*v = names[i].value;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (player_arg_is(a, errors[i].name)) {
			*v = errors[i].value;
			return true;
		}
	}
	return false;
}

static bool one_number(const struct player_arg *a, long *v)
{
	char *end;

	if (a->len == 0)
		return false;
	if (!isdigit((unsigned char)a->p[0]) && a->p[0] != '-')
		return number_of_name(a, v);
	*v = strtol(a->p, &end, 0);
	return end == a->p + a->len;
}

bool player_number(const struct player_arg *a, long *v)
{
	const char *end = a->p + a->len;
	long sum = 0, one;

	for (const char *at = a->p; at <= end;) {
		const char *bar = find_outside(at, end, '|');
		struct player_arg part = trim(at, bar);

		if (!one_number(&part, &one))
			return false;
		sum |= one;
		at = bar + 1;
	}
	*v = sum;
	return true;
}

bool player_inside(const struct player_arg *a, const char brackets[static 2],
		   struct player_arg *in)
{
	if (a->len < 2 || a->p[0] != brackets[0] || a->p[a->len - 1] != brackets[1])
		return false;
	*in = trim(a->p + 1, a->p + a->len - 1);
	return true;
}

bool player_field(const struct player_arg *list, const char *name, struct player_arg *v)
{
	const char *end = list->p + list->len;

	for (const char *at = list->p; at < end;) {
		const char *comma = find_outside(at, end, ',');
		const char *equals = find_outside(at, comma, '=');
		struct player_arg key = trim(at, equals);

		if (equals < comma && player_arg_is(&key, name)) {
			*v = trim(equals + 1, comma);
			return true;
		}
		at = comma + 1;
	}
	return false;
}

const char *player_errno_name(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].value == err)
			return errors[i].name;
	return strerror(err);
}
