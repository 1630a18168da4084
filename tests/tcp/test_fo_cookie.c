#include <criterion/criterion.h>
#include <errno.h>

#include "tcp/fo_cookie.h"

/* The key a0bf63f7-ed803d81-cd641d30-cebc4a90 of Linux's sysctl, as its socket option has
 * it, and the cookies that Linux makes with it. */
static const uint8_t key[FO_KEY_LEN] = {
	0xf7, 0x63, 0xbf, 0xa0, 0x81, 0x3d, 0x80, 0xed,
	0x30, 0x1d, 0x64, 0xcd, 0x90, 0x4a, 0xbc, 0xce,
};
static const struct {
	struct ip4 client, server;
	uint8_t cookie[FO_COOKIE_LEN];
} linux_has[] = {
	{ { { 10, 248, 0, 2 } },
	  { { 192, 168, 0, 2 } },
	  { 0x00, 0xab, 0xaa, 0xab, 0xe8, 0xe9, 0x54, 0xc2 } },
	{ { { 10, 248, 0, 3 } },
	  { { 192, 168, 0, 2 } },
	  { 0x13, 0x13, 0xa2, 0xda, 0x99, 0x4a, 0x09, 0x51 } },
	{ { { 10, 248, 0, 3 } },
	  { { 192, 168, 0, 3 } },
	  { 0x76, 0xd2, 0xc1, 0xc5, 0x30, 0xf5, 0x1f, 0x79 } },
};

Test(fo_cookie, is_the_one_that_linux_makes)
{
	struct fo_keys keys;
	struct fo_cookie c;

	cr_assert_eq(fo_keys_set(&keys, key, sizeof(key)), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct addr client = addr_ip4(linux_has[i].client);
		struct addr server = addr_ip4(linux_has[i].server);

		fo_cookie_make(&keys, &client, &server, &c);
		cr_assert_eq(c.len, FO_COOKIE_LEN);
		cr_assert_arr_eq(c.bytes, linux_has[i].cookie, FO_COOKIE_LEN);
		cr_assert_eq(fo_cookie_check(&keys, &client, &server, c.bytes, c.len),
			     FO_GOOD);
	}
}

Test(fo_cookie, is_good_for_one_client_and_one_server)
{
	struct addr a = addr_ip6((struct ip6){ { 1 } });
	struct addr b = addr_ip6((struct ip6){ { 0x20, 1, [15] = 2 } });
	struct addr other = addr_ip6((struct ip6){ { 0x20, 1, [15] = 3 } });
	struct fo_keys keys = { .n = 1, .key = { { { 1, 2 } } } };
	struct fo_cookie c;

	fo_cookie_make(&keys, &a, &b, &c);
	cr_assert_eq(fo_cookie_check(&keys, &a, &b, c.bytes, c.len), FO_GOOD);
	cr_assert_eq(fo_cookie_check(&keys, &b, &a, c.bytes, c.len), FO_BAD);
	cr_assert_eq(fo_cookie_check(&keys, &a, &other, c.bytes, c.len), FO_BAD);
	cr_assert_eq(fo_cookie_check(&keys, &other, &b, c.bytes, c.len), FO_BAD);
	cr_assert_eq(fo_cookie_check(&keys, &a, &b, c.bytes, 6), FO_BAD);
	c.bytes[7] ^= 1;
	cr_assert_eq(fo_cookie_check(&keys, &a, &b, c.bytes, c.len), FO_BAD);
}

Test(fo_cookie, of_the_key_before_counts_for_a_while)
{
	struct addr a = addr_ip4((struct ip4){ { 10, 0, 0, 1 } });
	uint8_t both[FO_KEYS_MAX * FO_KEY_LEN] = { 7 }, back[sizeof(both)];
	struct fo_keys keys;
	struct fo_cookie old, new;

	cr_assert_eq(fo_keys_set(&keys, key, sizeof(key)), 0);
	fo_cookie_make(&keys, &a, &a, &old);
	memcpy(both + FO_KEY_LEN, key, sizeof(key));
	cr_assert_eq(fo_keys_set(&keys, both, sizeof(both)), 0);
	cr_assert_eq(fo_cookie_check(&keys, &a, &a, old.bytes, old.len), FO_OLD_KEY);
	fo_cookie_make(&keys, &a, &a, &new);
	cr_assert_eq(fo_cookie_check(&keys, &a, &a, new.bytes, new.len), FO_GOOD);
	cr_assert_eq(fo_keys_get(&keys, back), sizeof(both));
	cr_assert_arr_eq(back, both, sizeof(both));
	cr_assert_eq(fo_keys_set(&keys, both, FO_KEY_LEN), 0);
	cr_assert_eq(fo_cookie_check(&keys, &a, &a, old.bytes, old.len), FO_BAD);
	for (uint32_t len = 0; len < 40; len++)
		if (len != 16 && len != 32)
			cr_assert_eq(fo_keys_set(&keys, both, len), -EINVAL);
}
