/*
 * One turn of a core.  READ THIS FIRST: the loop is the packet walk.
 *
 * A frame climbs through the layers without any of them calling the one above: each
 * strips its header and returns who reads it next or, when nobody does, the verdict.
 * Only here are packets given on, verdicts counted, and packets freed.  What goes out
 * goes the other way by plain calls, tcp_output -> ip_output -> neigh_output ->
 * eth_output, and waits in the port's queue for the end of the turn.
 *
 *  1 read the clock		the caller did: it is an argument
 *  2 hear the host		watched descriptors, at most once a millisecond
 *  3 rx burst			each frame through the layers
 *  4 due timers
 *  5 sockets learn the news
 *  6 programs run
 *  7 connections with something to say speak: one ACK for the whole burst
 *  8 flush ports
 *  9 sleep			the caller does, with what core_turn() returns
 */
#include "arp/neigh.h"
#include "ip/dhcp4.h"
#include "ip/ip.h"
#include "ip/ip6.h"
#include "ip/udp.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tcp/tcp.h"

static enum verdict climb(struct pb_core *co, struct eth *eth, struct pkt *p,
			  struct step s)
{
	uint64_t now = co->now_ns;

	for (;;) {
		switch (s.next) {
		case NEXT_ARP: s = arp_input(co->neigh, eth, p, now); break;
		case NEXT_IP4: s = ip4_input(co->ip, p, now); break;
		case NEXT_IP6: s = ip6_input(co->ip, p, now); break;
		case NEXT_ICMP4: s = icmp4_input(co->ip, p, now); break;
		case NEXT_ICMP6: s = icmp6_input(co->ip, p, now); break;
		case NEXT_UDP: s = udp_input(co->udp, p, now); break;
		case NEXT_DHCP4: s = dhcp4_input(co->dhcp, p, now); break;
		case NEXT_TCP: s = tcp_input(co->tcp, p, now); break;
		case NEXT_UDP_ERROR: s = udp_error_input(co->udp, p, now); break;
		case NEXT_TCP_ERROR: s = tcp_error_input(co->tcp, p, now); break;
		case NEXT_NONE: return s.verdict;
		}
	}
}

static void end(struct pb_core *co, struct pkt *p, enum verdict v)
{
	co->ended[v]++;
	if (v != V_KEPT)
		pkt_free(p);
}

/* Up to one burst of a port; how many frames there were. */
static unsigned rx_burst(struct pb_core *co, struct eth *eth)
{
	struct pkt *burst[PORT_BURST];
	unsigned n = port_rx_burst(eth->port, burst, PORT_BURST, co->now_ns);

	for (unsigned i = 0; i < n; i++) {
		if (i + 1 < n)
			__builtin_prefetch(burst[i + 1]->data);
		co->rx_bytes += burst[i]->total_len;
		end(co, burst[i], climb(co, eth, burst[i], eth_input(eth, burst[i])));
	}
	co->turn.rx_frames += n;
	return n;
}

/* What we sent to ourselves comes back as if from the wire, one burst a turn. */
static unsigned rx_loop(struct pb_core *co)
{
	struct pkt *p;
	unsigned n = 0;

	while (n < PORT_BURST && (p = ip_loop_pop(co->ip))) {
		enum next family = p->data[0] >> 4 == 6 ? NEXT_IP6 : NEXT_IP4;

		end(co, p, climb(co, &co->eth[0], p, step_to(family)));
		n++;
	}
	return n;
}

static void run_programs(struct pb_core *co)
{
	/* A program may take itself, or another, away, and add more. */
	for (unsigned i = 0; i < CORE_PROGRAMS_MAX; i++) {
		struct core_program p = co->programs[i];

		if (p.fn)
			p.fn(p.arg, co->now_ns);
	}
}

static void count_turn(struct pb_core *co, unsigned n_read)
{
	/* Where something came, more may be waiting: look again before sleeping. */
	co->look_again = n_read > 0;
	co->turn.turns++;
	if (n_read)
		co->turn.busy++;
}

/* Frames wait for the end of a turn, since something was sent between two. */
static bool must_flush(const struct pb_core *co)
{
	for (unsigned i = 0; i < co->n_eth; i++)
		if (co->eth[i].n_txq)
			return true;
	return false;
}

uint64_t core_due(const struct pb_core *co)
{
	if (co->look_again || tcp_wants_to_speak(co->tcp) || ip_loop_waits(co->ip) ||
	    must_flush(co))
		return 0;
	return wheel_due(&co->wheel);
}

uint64_t core_turn(struct pb_core *co, uint64_t now_ns)
{
	unsigned n = 0;
	uint64_t due;

	co->now_ns = co->socks.now_ns = now_ns;
	core_poll_host(co);
	for (unsigned i = 0; i < co->n_eth; i++)
		n += rx_burst(co, &co->eth[i]);
	n += rx_loop(co);
	wheel_run(&co->wheel, now_ns);
	socks_learn(&co->socks);
	run_programs(co);
	tcp_speak(co->tcp, now_ns);
	socks_spoke(&co->socks);
	for (unsigned i = 0; i < co->n_eth; i++)
		eth_flush(&co->eth[i], now_ns);
	count_turn(co, n);
	due = core_due(co);
	return due > now_ns ? due : now_ns;
}
