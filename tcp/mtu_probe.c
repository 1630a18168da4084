#include "tcp/mtu_probe.h"

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

/* The longest packet that is in flight, by path, peer and program. */
static unsigned longest(const struct tcp_conn *c)
{
	uint32_t len = tcp_conn_flight(c);

	if (len > c->mss)
		len = c->mss;
	return len + (c->ts ? TCP_TS_LEN : 0) + tcp_headers_len(&c->flow);
}

void tcp_mtu_timeout(struct tcp_conn *c)
{
	unsigned mtu = longest(c), n = c->tries + 1u;
	uint32_t stalled_ms = tcp_ms(c->tcp->now_ns) - c->x->stalled_ms;
	bool late = n >= MTU_TRIES_SHORT || stalled_ms >= MTU_STALLED_MS;

	/*
	 * A full segment tells soon that it was too long.  What is shorter than the path
	 * was said to take is lost for other reasons, until there is no other left.
	 */
	if (n % MTU_TRIES || (mtu <= MTU_BASE && !c->x->mtu_guess && !late))
		return;
	if (mtu > MTU_BASE)
		c->x->mtu_guess = MTU_BASE;
	else if (mtu > MTU_LAST && c->flow.remote.family == ADDR_IP4)
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
