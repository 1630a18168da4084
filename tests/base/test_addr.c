#include <criterion/criterion.h>

#include "stack/base/addr.h"
#include "stack/base/check.h"

Test(addr, mac_goes_to_text_and_back)
{
	struct mac m = { { 0x02, 0x00, 0xab, 0xcd, 0xef, 0xff } }, n;
	char text[MAC_TEXT_LEN];

	cr_assert_str_eq(mac_text(m, text), "02:00:ab:cd:ef:ff");
	cr_assert(mac_parse(text, &n) && mac_eq(m, n));
	cr_assert(mac_parse("02:00:AB:CD:EF:FF", &n) && mac_eq(m, n));
}

Test(addr, mac_refuses_what_is_not_whole)
{
	static const char *const bad[] = {
		"",
		"02",
		"02:",
		"02:00:ab:cd:ef",
		"02:00:ab:cd:ef:",
		"02:00:ab:cd:ef:f",
		"2:0:ab:cd:ef:ff",
		"02:00:ab:cd:ef:ff ",
		"02:00:ab:cd:ef:fg",
		"02-00-ab-cd-ef-ff",
		"02:00:ab:cd:ef:ff:00",
	};
	struct mac m = { { 1, 2, 3, 4, 5, 6 } }, same = m;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert(!mac_parse(bad[i], &m), "took '%s'", bad[i]);
	cr_assert(mac_eq(m, same), "refusing leaves it as it was");
}

Test(addr, ip_goes_to_text_and_back)
{
	static const char *const good[] = {
		"0.0.0.0",
		"192.0.2.1",
		"255.255.255.255",
		"::",
		"::1",
		"2001:db8::1",
		"fe80::ff:fe00:1",
		"2001:db8:1:2:3:4:5:6",
		"::ffff:192.0.2.1",
		"1111:2222:3333:4444:5555:6666:7777:8888",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[ADDR_TEXT_LEN];
		struct addr a;

		cr_assert(addr_parse(good[i], &a), "refused %s", good[i]);
		cr_assert_eq(a.family, strchr(good[i], ':') ? ADDR_IP6 : ADDR_IP4);
		cr_assert_str_eq(addr_text(&a, text), good[i]);
	}
}

Test(addr, bytes_behind_an_ip4_address_are_zero)
{
	struct addr a, b = addr_ip4((struct ip4){ { 192, 0, 2, 1 } });

	memset(&a, 0xff, sizeof(a));
	cr_assert(addr_parse("192.0.2.1", &a));
	cr_assert(addr_eq(&a, &b));
}

Test(addr, ip_refuses_what_is_not_whole)
{
	static const char *const bad[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4/24",
		"01.2.3.4",
		"1.2.3.-4",
		":",
		":::",
		"1::2::3",
		"12345::",
		"::g",
		"[::1]",
		"fe80::1%lo",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"localhost",
	};
	struct addr a = addr_ip4((struct ip4){ { 9, 9, 9, 9 } }), same = a;
	unsigned bits = 77;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert(!addr_parse(bad[i], &a), "took '%s'", bad[i]);
	cr_assert(addr_eq(&a, &same), "refusing leaves it as it was");
	cr_assert(!addr_parse_prefix("1.2.3/8", &a, &bits));
	cr_assert(addr_eq(&a, &same) && bits == 77);
}

static void expect_prefix(const char *text, const char *alone, unsigned want)
{
	struct addr a, b;
	unsigned bits;

	cr_assert(addr_parse(alone, &b));
	cr_assert(addr_parse_prefix(text, &a, &bits), "refused %s", text);
	cr_assert(addr_eq(&a, &b) && bits == want, "%s", text);
}

Test(addr, prefix_goes_with_its_family)
{
	static const char *const bad[] = {
		"192.0.2.1/",
		"192.0.2.1/33",
		"192.0.2.1/024",
		"192.0.2.1/-1",
		"192.0.2.1/+1",
		"192.0.2.1/1 ",
		"192.0.2.1/a",
		"192.0.2.1/24/8",
		"::1/129",
		"::1/0000",
		"/24",
		"",
		"::1/4294967296",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64",
	};
	struct addr a;
	unsigned bits;

	expect_prefix("192.0.2.1", "192.0.2.1", 32);
	expect_prefix("192.0.2.1/24", "192.0.2.1", 24);
	expect_prefix("192.0.2.1/0", "192.0.2.1", 0);
	expect_prefix("192.0.2.1/32", "192.0.2.1", 32);
	expect_prefix("2001:db8::1", "2001:db8::1", 128);
	expect_prefix("2001:db8::1/64", "2001:db8::1", 64);
	expect_prefix("2001:db8::1/128", "2001:db8::1", 128);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert(!addr_parse_prefix(bad[i], &a, &bits), "took '%s'", bad[i]);
}

Test(addr, same_prefix_counts_bits)
{
	struct addr a, b, six;

	cr_assert(addr_parse("192.0.2.1", &a) && addr_parse("192.0.3.1", &b));
	cr_assert(addr_parse("2001:db8::1", &six));
	for (unsigned bits = 0; bits <= 32; bits++)
		cr_assert_eq(addr_same_prefix(&a, &b, bits), bits <= 23, "%u", bits);
	for (unsigned bits = 0; bits <= 128; bits++)
		cr_assert(addr_same_prefix(&six, &six, bits));
	cr_assert(!addr_same_prefix(&a, &six, 0), "families differ");
}

Test(addr, text_with_a_port)
{
	char text[ADDR_PORT_TEXT_LEN];
	struct addr a;

	cr_assert(addr_parse("192.0.2.1", &a));
	cr_assert_str_eq(addr_port_text(&a, 25, text), "192.0.2.1:25");
	cr_assert(addr_parse("1111:2222:3333:4444:5555:6666:7777:8888", &a));
	cr_assert_str_eq(addr_port_text(&a, 65535, text),
			 "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	a = (struct addr){ 0 };
	cr_assert_str_eq(addr_port_text(&a, 0, text), "none:0");
}

Test(addr, kinds_are_told_apart)
{
	cr_assert(ip4_is_multicast((struct ip4){ { 224, 0, 0, 1 } }));
	cr_assert(ip4_is_multicast((struct ip4){ { 239, 255, 255, 255 } }));
	cr_assert(!ip4_is_multicast((struct ip4){ { 223, 0, 0, 1 } }));
	cr_assert(!ip4_is_multicast((struct ip4){ { 240, 0, 0, 1 } }));
	cr_assert(ip4_is_broadcast((struct ip4){ { 255, 255, 255, 255 } }));
	cr_assert(!ip4_is_broadcast((struct ip4){ { 255, 255, 255, 254 } }));
	cr_assert(ip4_is_zero((struct ip4){ { 0, 0, 0, 0 } }));
	cr_assert(!ip4_is_zero((struct ip4){ { 0, 0, 0, 1 } }));
	cr_assert(mac_is_multicast((struct mac){ { 1, 0, 0x5e, 0, 0, 1 } }));
	cr_assert(mac_is_broadcast((struct mac){ { 255, 255, 255, 255, 255, 255 } }));
	cr_assert(!mac_is_broadcast((struct mac){ { 255, 255, 255, 255, 255, 0 } }));
}

Test(addr, flows_are_equal_only_when_both_ends_are)
{
	struct flow f = {
		.local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
		.remote = addr_ip4((struct ip4){ { 192, 0, 2, 2 } }),
		.local_port = 1,
		.remote_port = 2,
	};
	struct flow g = f;

	cr_assert(flow_eq(&f, &g));
	g.remote.ip4.b[3]++;
	cr_assert(!flow_eq(&f, &g));
	g = f;
	g.local_port++;
	cr_assert(!flow_eq(&f, &g));
}
