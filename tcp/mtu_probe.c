#include "tcp/mtu_probe.h"

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

/* The longest packet that the connection sends now, by path, peer and program. */
static unsigned longest(const struct tcp_conn *c)
{
	return c->mss + (c->ts ? TCP_TS_LEN : 0) + tcp_headers_len(&c->flow);
}

void tcp_mtu_timeout(struct tcp_conn *c)
{
	unsigned mtu = longest(c);

	/* Only a full segment tells anything. */
	if ((c->tries + 1) % MTU_TRIES || tcp_conn_flight(c) < c->mss)
		return;
	if (mtu > MTU_BASE)
		c->x->mtu_guess = MTU_BASE;
	else if (c->x->mtu_guess && c->flow.remote.family == ADDR_IP4)
		c->x->mtu_guess = MTU_LAST;
	else
		return;
	c->tcp->stats.mtu_guesses++;
}

void tcp_mtu_worked(struct tcp_conn *c, uint64_t now_ns)
{
	ip_path_mtu_set(c->tcp->ip, &c->flow.remote, c->x->mtu_guess, now_ns);
	c->x->mtu_guess = 0;
	c->tcp->stats.mtu_found++;
}
