#include "stack/base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "stack/base/check.h"

bool addr_same_prefix(const struct addr *a, const struct addr *b, unsigned bits)
{
	const uint8_t *x = a->ip6.b, *y = b->ip6.b;
	unsigned whole = bits / 8, rest = bits % 8;

	DEBUG_ASSERT(bits <= (a->family == ADDR_IP4 ? 32 : 128));
	if (a->family != b->family || memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || (x[whole] ^ y[whole]) >> (8 - rest) == 0;
}

bool ip6_is_zero(struct ip6 a)
{
	static const struct ip6 zero;

	return ip6_eq(a, zero);
}

bool ip6_is_loopback(struct ip6 a)
{
	static const struct ip6 loopback = { { [15] = 1 } };

	return ip6_eq(a, loopback);
}

bool ip6_is_mapped(struct ip6 a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a.b, mapped, sizeof(mapped)) == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mac_parse(const char *text, struct mac *m)
{
	struct mac r;

	for (unsigned i = 0; i < sizeof(r); i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i + 1 < sizeof(r) ? ':' : '\0'))
			return false;
		r.b[i] = (uint8_t)(high << 4 | low);
		text += 3;
	}
	*m = r;
	return true;
}

bool addr_parse(const char *text, struct addr *a)
{
	struct addr r = { 0 };

	if (inet_pton(AF_INET, text, r.ip4.b) == 1)
		r.family = ADDR_IP4;
	else if (inet_pton(AF_INET6, text, r.ip6.b) == 1)
		r.family = ADDR_IP6;
	else
		return false;
	*a = r;
	return true;
}

/* One to three digits, without zeros in front. */
static bool parse_bits(const char *text, unsigned max, unsigned *bits)
{
	unsigned n = 0, i = 0;

	for (; text[i] >= '0' && text[i] <= '9' && i < 3; i++)
		n = n * 10 + (unsigned)(text[i] - '0');
	if (i == 0 || text[i] || n > max || (i > 1 && text[0] == '0'))
		return false;
	*bits = n;
	return true;
}

bool addr_parse_prefix(const char *text, struct addr *a, unsigned *bits)
{
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	char alone[ADDR_TEXT_LEN];
	struct addr r;
	unsigned max;

	if (len >= sizeof(alone))
		return false;
	memcpy(alone, text, len);
	alone[len] = '\0';
	if (!addr_parse(alone, &r))
		return false;
	max = r.family == ADDR_IP4 ? 32 : 128;
	if (!*slash)
		*bits = max;
	else if (!parse_bits(slash + 1, max, bits))
		return false;
	*a = r;
	return true;
}

const char *mac_text(struct mac m, char out[static MAC_TEXT_LEN])
{
	snprintf(out, MAC_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1],
		 m.b[2], m.b[3], m.b[4], m.b[5]);
	return out;
}

const char *addr_text(const struct addr *a, char out[static ADDR_TEXT_LEN])
{
	if (a->family == ADDR_IP4)
		inet_ntop(AF_INET, a->ip4.b, out, ADDR_TEXT_LEN);
	else if (a->family == ADDR_IP6)
		inet_ntop(AF_INET6, a->ip6.b, out, ADDR_TEXT_LEN);
	else
		memcpy(out, "none", sizeof("none"));
	return out;
}

const char *addr_port_text(const struct addr *a, uint16_t port,
			   char out[static ADDR_PORT_TEXT_LEN])
{
	char text[ADDR_TEXT_LEN];
	bool colons = a->family == ADDR_IP6;

	snprintf(out, ADDR_PORT_TEXT_LEN, "%s%s%s:%u", colons ? "[" : "",
		 addr_text(a, text), colons ? "]" : "", port);
	return out;
}
