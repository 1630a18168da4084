/*
 * ARP for IPv4 over Ethernet (RFC 826), as bytes.
 *
 *   offset  size  field
 *        0     2  hardware type     1, Ethernet
 *        2     2  protocol type     0x0800, IPv4
 *        4     1  hardware length   6
 *        5     1  protocol length   4
 *        6     2  operation         1 request, 2 reply
 *        8     6  sender MAC        then 4 sender IPv4
 *       18     6  target MAC        then 4 target IPv4
 *
 * A struct arp_msg can only say what this stack can answer; anything else
 * fails to parse.
 */
#pragma once

#include <stdbool.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum { ARP_LEN = 28 };

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_msg {
	enum arp_op op;
	struct mac sender_mac, target_mac;
	struct ip4 sender_ip, target_ip;
};

/* Reads one message.  False if it is short, or not IPv4 over Ethernet. */
bool arp_parse(struct rd *r, struct arp_msg *m);

/* Writes ARP_LEN bytes. */
void arp_emit(struct wr *w, const struct arp_msg *m);
