/*
 * Every way a frame can end, and what an operator reads about it.
 *
 * A layer returns a struct step for each packet: who reads it next or, when
 * nobody does, why.  The core loop counts the verdict and frees the packet, in
 * one place; V_KEPT alone means that the layer now owns it.  The sentence here
 * is the documentation: `packetboat stat` prints it.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
#define VERDICTS(V)							\
	V(KEPT,		  "a layer keeps the packet")			\
	V(DONE,		  "read, answered, finished with")		\
	V(SHORT,	  "shorter than its own headers")		\
	V(ETH_NOT_OURS,	  "frame for another station")			\
	V(ETH_TYPE,	  "frame of a protocol that nobody here speaks") \
	V(ETH_VLAN,	  "frame of a VLAN that is not configured")	\
	V(ARP_BAD,	  "ARP that is not IPv4 over Ethernet, or senseless") \
	V(ARP_NOT_OURS,	  "ARP about an address that is not ours")	\
	V(ARP_CONFLICT,	  "another station claims an address of ours")	\
	V(ND_BAD,	  "neighbour discovery that is senseless or from afar") \
	V(ND_NOT_OURS,	  "neighbour discovery about an address that is not ours") \
	V(ND_CONFLICT,	  "another station claims an IPv6 address of ours") \
	V(IP_BAD_HEADER,  "IP header with an impossible field")		\
	V(IP_BAD_SUM,	  "IP header checksum is wrong")		\
	V(IP_NOT_OURS,	  "IP packet for another host")			\
	V(IP_BAD_SOURCE,  "IP packet from an address nobody can have")	\
	V(IP_SOURCE_ROUTE, "IP packet that says its way itself")	\
	V(IP_PROTOCOL,	  "IP protocol that nobody here speaks")	\
	V(IP_EXT_DISCARD, "IPv6 option that asks to be dropped when unknown") \
	V(IP_EXT_LIMIT,	  "IPv6 extension headers beyond what is read")	\
	V(FRAG_OVERLAP,	  "fragment that overlaps another")		\
	V(FRAG_BAD,	  "fragment of an impossible size or place")	\
	V(FRAG_LIMIT,	  "fragment beyond the memory for reassembly")	\
	V(ICMP_BAD_SUM,	  "ICMP checksum is wrong")			\
	V(ICMP_TYPE,	  "ICMP message that asks for nothing")		\
	V(ICMP_LIMIT,	  "ICMP message above the rate we answer")	\
	V(ICMP_NO_FLOW,	  "ICMP error about a packet we did not send")	\
	V(ICMP_MTU,	  "ICMP error about an MTU that no path of IPv6 has")	\
	V(IGMP_BAD,	  "IGMP message that is malformed, or was routed") \
	V(UDP_BAD_LEN,	  "UDP length does not fit its packet")		\
	V(UDP_BAD_SUM,	  "UDP checksum is wrong")			\
	V(UDP_NO_SOCKET,  "UDP datagram to a port where nobody listens") \
	V(UDP_FULL,	  "UDP datagram to a socket whose queue is full") \
	V(DHCP_BAD,	  "DHCP message that is malformed, or offers what cannot be") \
	V(DHCP_NOT_OURS,  "DHCP message to another client, or not asked for") \
	V(TCP_BAD_HEADER, "TCP header with an impossible field")	\
	V(TCP_BAD_SUM,	  "TCP checksum is wrong")			\
	V(TCP_NO_SOCKET,  "TCP segment to a port where nobody listens")	\
	V(TCP_BACKLOG,	  "SYN to a listener whose queues are full")	\
	V(TCP_BAD_COOKIE, "ACK that answers no SYN of ours")		\
	V(TCP_PAWS,	  "segment older than the last by its timestamp") \
	V(TCP_NOT_IN_WINDOW, "segment outside the receive window")	\
	V(TCP_BAD_ACK,	  "ACK of something never sent")		\
	V(TCP_BAD_RST,	  "RST with a number that is not the next")	\
	V(TCP_SYN_IN_WINDOW, "SYN inside an established connection")	\
	V(TCP_NO_ACK,	  "segment without ACK where one must be")	\
	V(TCP_CLOSED,	  "data after the program closed its socket")	\
	V(TCP_NO_TIMESTAMP, "segment without the timestamp that was agreed on") \
	V(NO_MEMORY,	  "a pool was empty")
/* clang-format on */

enum verdict {
#define V(name, text) V_##name,
	VERDICTS(V)
#undef V
		V_COUNT
};

enum next {
	NEXT_NONE,
	NEXT_ARP,
	NEXT_IP4,
	NEXT_IP6,
	NEXT_ICMP4,
	NEXT_ICMP6,
	NEXT_UDP,
	NEXT_TCP,
	NEXT_DHCP4,
	NEXT_UDP_ERROR, /* an ICMP error quotes a UDP datagram of ours */
	NEXT_TCP_ERROR	/* an ICMP error quotes a TCP segment of ours */
};

/* What a layer says about a packet. */
struct step {
	enum next next;
	enum verdict verdict;
};

static inline struct step step_end(enum verdict v)
{
	return (struct step){ NEXT_NONE, v };
}

static inline struct step step_to(enum next n)
{
	return (struct step){ n, V_KEPT };
}

/* "TCP_BAD_SUM" and "TCP checksum is wrong". */
const char *verdict_name(enum verdict v);
const char *verdict_text(enum verdict v);
