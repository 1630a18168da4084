#include "apps/lib/peers.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/str.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"
#include "stack/base/rng.h"

enum { PEERS_SLOTS = 1024, PEERS_IP6_PREFIX = 8 };

struct peer {
	struct list node;
	struct addr addr;
	uint32_t n;
	uint64_t taken;
};

struct peers {
	struct hash_key key;
	uint32_t n; /* clients */
	struct list slots[PEERS_SLOTS];
};

int peers_new(uint64_t seed, struct peers **peers)
{
	struct peers *p = malloc(sizeof(*p));
	struct rng rng;

	if (!p)
		return -ENOMEM;
	rng_init(&rng, seed);
	p->key.k[0] = rng_u64(&rng);
	p->key.k[1] = rng_u64(&rng);
	p->n = 0;
	for (unsigned i = 0; i < PEERS_SLOTS; i++)
		list_init(&p->slots[i]);
	*peers = p;
	return 0;
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	ASSERT(peers->n == 0);
	free(peers);
}

/*
 * A user of this host is a client, too: he is an address in the block that nobody has
 * (RFC 6666), and whose 64 bits of network are no other client's.
 */
static bool is_user(const char *text, struct addr *a)
{
	static const struct ip6 block = { { 0x01 } };
	struct str s = str_of(text), prefix = STR("uid:");
	uint64_t uid;

	if (!str_starts_nocase(s, prefix) ||
	    !str_to_u64((struct str){ s.p + prefix.len, s.len - prefix.len }, &uid))
		return false;
	*a = addr_ip6(block);
	memcpy(a->ip6.b + PEERS_IP6_PREFIX, &uid, sizeof(uid));
	return true;
}

struct addr peers_client(const char *text)
{
	struct addr a;

	if (is_user(text, &a))
		return a;
	if (!addr_parse(text, &a))
		return (struct addr){ .family = ADDR_NONE };
	if (a.family == ADDR_IP6)
		memset(a.ip6.b + PEERS_IP6_PREFIX, 0, sizeof(a.ip6) - PEERS_IP6_PREFIX);
	return a;
}

struct peer *peers_add(struct peers *peers, const char *addr)
{
	struct addr a = peers_client(addr);
	uint64_t hash = hash_siphash13(&peers->key, &a, sizeof(a));
	struct list *slot = &peers->slots[hash % PEERS_SLOTS];
	struct peer *peer;

	for (struct list *at = slot->next; at != slot; at = at->next) {
		peer = container_of(at, struct peer, node);
		if (addr_eq(&peer->addr, &a)) {
			peer->n++;
			return peer;
		}
	}
	peer = malloc(sizeof(*peer));
	if (!peer)
		return NULL;
	peer->addr = a;
	peer->n = 1;
	peer->taken = 0;
	list_insert(slot, &peer->node);
	peers->n++;
	return peer;
}

static void forget_idle(struct peers *peers, struct peer *peer)
{
	if (peer->n > 0 || peer->taken > 0)
		return;
	list_remove(&peer->node);
	peers->n--;
	free(peer);
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	peer->n--;
	forget_idle(peers, peer);
}

uint32_t peers_count(const struct peer *peer)
{
	return peer->n;
}

bool peers_take(struct peer *peer, uint64_t amount, uint64_t most)
{
	if (peer->taken > most || amount > most - peer->taken)
		return false;
	peer->taken += amount;
	return true;
}

void peers_give(struct peers *peers, struct peer *peer, uint64_t amount)
{
	if (amount == 0)
		return;
	peer->taken -= amount;
	forget_idle(peers, peer);
}
