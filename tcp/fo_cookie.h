/*
 * Fast Open cookies (RFC 7413 4.1.2), pure functions: SipHash-2-4 of both addresses.
 *
 * A server keeps nothing: a cookie says that its client had this address not long ago,
 * for it was sent there.  Cookies are Linux's, bit by bit, so that machines of both kinds
 * behind one address may share keys.  Keys change by moving the old one to the second
 * place: its cookies still count, and their owners are given new ones.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "tcp/tcp_wire.h"

enum {
	FO_KEY_LEN = 16,
	FO_KEYS_MAX = 2,
	FO_COOKIE_LEN = 8, /* of those that we make */
};

struct fo_keys {
	struct hash_key key[FO_KEYS_MAX]; /* the present one first */
	uint8_t n;			  /* 0: none of its own */
};

/* What is in a Fast Open option. */
struct fo_cookie {
	uint8_t len; /* 0: a request, or nothing */
	bool exp;    /* in the form of the experiment */
	uint8_t bytes[TCP_FO_MAX];
};

enum fo_check { FO_BAD, FO_GOOD, FO_OLD_KEY };

/* Keys of one or two times FO_KEY_LEN bytes.  0 or -EINVAL. */
int fo_keys_set(struct fo_keys *keys, const void *bytes, uint32_t len);
/* Writes them as they were set; how many bytes. */
uint32_t fo_keys_get(const struct fo_keys *keys, uint8_t bytes[FO_KEYS_MAX * FO_KEY_LEN]);

/* The cookie of @client at our address @server, by the present key; @exp is left. */
void fo_cookie_make(const struct fo_keys *keys, const struct addr *client,
		    const struct addr *server, struct fo_cookie *cookie);
enum fo_check fo_cookie_check(const struct fo_keys *keys, const struct addr *client,
			      const struct addr *server, const uint8_t *bytes,
			      uint8_t len);
