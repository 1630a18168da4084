#include "tcp/fo_cookie.h"

#include <errno.h>
#include <string.h>

#include "stack/base/byte.h"

/* Eight bytes, the lowest first. */
static uint64_t read_le64(const uint8_t *b)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

static void write_le64(uint8_t *b, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++, v >>= 8)
		b[i] = (uint8_t)v;
}

int fo_keys_set(struct fo_keys *keys, const void *bytes, uint32_t len)
{
	const uint8_t *b = bytes;

	if (len != FO_KEY_LEN && len != FO_KEYS_MAX * FO_KEY_LEN)
		return -EINVAL;
	keys->n = (uint8_t)(len / FO_KEY_LEN);
	for (unsigned i = 0; i < keys->n; i++, b += FO_KEY_LEN)
		keys->key[i] = (struct hash_key){ { read_le64(b), read_le64(b + 8) } };
	return 0;
}

uint32_t fo_keys_get(const struct fo_keys *keys, uint8_t bytes[FO_KEYS_MAX * FO_KEY_LEN])
{
	for (unsigned i = 0; i < keys->n; i++) {
		write_le64(bytes + i * FO_KEY_LEN, keys->key[i].k[0]);
		write_le64(bytes + i * FO_KEY_LEN + 8, keys->key[i].k[1]);
	}
	return keys->n * FO_KEY_LEN;
}

static void make(const struct hash_key *key, const struct addr *client,
		 const struct addr *server, uint8_t cookie[FO_COOKIE_LEN])
{
	uint8_t both[2 * sizeof(client->ip6)];
	size_t len =
		client->family == ADDR_IP6 ? sizeof(client->ip6) : sizeof(client->ip4);

	memcpy(both, &client->ip6, len);
	memcpy(both + len, &server->ip6, len);
	write_le64(cookie, hash_siphash24(key, both, 2 * len));
}

void fo_cookie_make(const struct fo_keys *keys, const struct addr *client,
		    const struct addr *server, struct fo_cookie *cookie)
{
	cookie->len = FO_COOKIE_LEN;
	make(&keys->key[0], client, server, cookie->bytes);
}

enum fo_check fo_cookie_check(const struct fo_keys *keys, const struct addr *client,
			      const struct addr *server, const uint8_t *bytes,
			      uint8_t len)
{
	uint8_t cookie[FO_COOKIE_LEN];

	if (len != FO_COOKIE_LEN)
		return FO_BAD;
	for (unsigned i = 0; i < keys->n; i++) {
		make(&keys->key[i], client, server, cookie);
		if (memcmp(cookie, bytes, FO_COOKIE_LEN) == 0)
			return i ? FO_OLD_KEY : FO_GOOD;
	}
	return FO_BAD;
}
