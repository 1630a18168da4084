/*
 * Addresses that we make ourselves (RFC 4862), with interface identifiers that stay the
 * same on a network and tell nothing on another (RFC 7217).
 */
#include <string.h>

#include "eth/eth.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"

enum { IID_AT = 8, IID_LEN = 8 };

/* RFC 5453 3: of routers, of ISO hosts that never were, of anycast. */
static bool is_reserved(const uint8_t iid[IID_LEN])
{
	static const uint8_t routers[IID_LEN];
	static const uint8_t iana[] = { 0x02, 0x00, 0x5e, 0xff, 0xfe };
	static const uint8_t anycast[] = { 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return memcmp(iid, routers, sizeof(routers)) == 0 ||
	       memcmp(iid, iana, sizeof(iana)) == 0 ||
	       (memcmp(iid, anycast, sizeof(anycast)) == 0 && iid[7] >= 0x80);
}

struct ip6 slaac_addr(const struct ip *ip, unsigned iface, struct ip6 prefix,
		      unsigned nth)
{
	/* RFC 7217 5: RID = F(Prefix, Net_Iface, DAD_Counter, secret_key) */
	uint8_t of[IID_AT + sizeof(struct mac) + 2];
	uint64_t iid;

	memcpy(of, prefix.b, IID_AT);
	memcpy(of + IID_AT, &ip->ifaces[iface].eth->mac, sizeof(struct mac));
	of[sizeof(of) - 2] = (uint8_t)iface;
	do {
		of[sizeof(of) - 1] = (uint8_t)nth++;
		iid = hash_siphash24(&ip->iid_key, of, sizeof(of));
		memcpy(prefix.b + IID_AT, &iid, IID_LEN);
	} while (is_reserved(prefix.b + IID_AT));
	return prefix;
}

void ip6_set_secret(struct ip *ip, const char *text)
{
	static const struct hash_key first = { { 0x5bd1e995, 1 } }, second = { { 1, 2 } };

	ip->iid_key.k[0] = hash_siphash24(&first, text, strlen(text));
	ip->iid_key.k[1] = hash_siphash24(&second, text, strlen(text));
}

int ip6_start(struct ip *ip, unsigned iface, bool probe, uint64_t now_ns)
{
	static const struct ip6 link_local = { { 0xfe, 0x80 } };

	return ip6_addr_add(ip, iface, slaac_addr(ip, iface, link_local, 0), 64, probe,
			    now_ns);
}
