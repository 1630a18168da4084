#include "stack/sock/sock_port.h"

#include "stack/base/rng.h"
#include "stack/sock/sock_impl.h"

enum { BIND_TRIES = 64, BIND_FIRST = 32768, BIND_SPAN = 28232 };

/* Who wants to have a name. */
struct claim {
	const struct sock *sock;
	struct addr addr; /* ADDR_NONE: any of both families */
	uint16_t port;
};

struct addr sock_port_hears(const struct sock *s, const struct addr *addr)
{
	struct addr a = *addr;

	if (!s->is_ip6)
		a.family = ADDR_IP4;
	else if (!a.family || (a.family == ADDR_IP6 && addr_is_any(&a)))
		a.family = s->v6only ? ADDR_IP6 : ADDR_NONE;
	return a;
}

/* Some address is both's. */
static bool overlap(const struct addr *a, const struct addr *b)
{
	if (a->family && b->family && a->family != b->family)
		return false;
	return addr_is_any(a) || addr_is_any(b) || addr_eq(a, b);
}

/* Is setup @id in the way of the claim?  (The hash is that of the port.) */
static bool clashes(const void *ctx, uint32_t id, const void *key)
{
	const struct socks *ss = ctx;
	const struct sock_setup *other = pool_at(&ss->setups, id);
	const struct claim *claim = key;
	const struct sock *a = claim->sock, *b = other->sock;
	struct addr at = sock_port_hears(b, &other->addr);

	return other->port == claim->port && overlap(&at, &claim->addr) &&
	       !(a->reuse && b->reuse) && !(a->reuse_port && b->reuse_port);
}

/* So that all of one port are neighbours. */
static uint32_t port_hash(uint16_t port)
{
	return port * 0x9e3779b1u;
}

static int claim_it(struct socks *ss, struct sock *s, const struct addr *addr,
		    uint16_t port)
{
	const struct claim claim = { s, sock_port_hears(s, addr), port };
	uint32_t hash = port_hash(port);
	int err;

	if (tcp_listener_clashes(ss->tcp, &claim.addr, port, s->reuse_port) ||
	    map_find(&ss->bound, hash, clashes, ss, &claim) != MAP_NONE)
		return -EADDRINUSE;
	err = map_add(&ss->bound, hash, pool_id(&ss->setups, s->setup));
	if (err)
		return err;
	s->setup->addr = *addr;
	s->setup->port = port;
	return 0;
}

int sock_port_bind(struct socks *ss, struct sock *s, const struct addr *addr,
		   uint16_t port)
{
	int err = -EADDRINUSE;

	if (port)
		return claim_it(ss, s, addr, port);
	for (unsigned i = 0; i < BIND_TRIES && err == -EADDRINUSE; i++) {
		port = (uint16_t)(BIND_FIRST + rng_below(ss->rng, BIND_SPAN));
		err = claim_it(ss, s, addr, port);
	}
	return err;
}

void sock_setup_free(struct socks *ss, struct sock_setup *setup)
{
	if (setup->port)
		map_del(&ss->bound, port_hash(setup->port), pool_id(&ss->setups, setup));
	pool_put(&ss->setups, setup);
}
