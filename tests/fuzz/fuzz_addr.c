/*
 * Addresses in text: what is accepted is written out and reads back the same.
 */
#include <stdlib.h>

#include "stack/base/addr.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_mac(const char *text)
{
	char out[MAC_TEXT_LEN];
	struct mac m, again;

	if (!mac_parse(text, &m))
		return;
	ASSERT(mac_parse(mac_text(m, out), &again) && mac_eq(m, again));
}

static void check_prefix(const char *text)
{
	char out[ADDR_TEXT_LEN], with_port[ADDR_PORT_TEXT_LEN];
	struct addr a, again;
	unsigned bits;

	if (!addr_parse_prefix(text, &a, &bits))
		return;
	ASSERT(bits <= (a.family == ADDR_IP4 ? 32 : 128));
	ASSERT(addr_parse(addr_text(&a, out), &again) && addr_eq(&a, &again));
	ASSERT(addr_same_prefix(&a, &again, bits));
	ASSERT(strstr(addr_port_text(&a, 65535, with_port), out));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	ASSERT(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	check_mac(text);
	check_prefix(text);
	free(text);
	return 0;
}
