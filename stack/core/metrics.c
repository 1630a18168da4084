#include <string.h>

#include "arp/neigh.h"
#include "ip/dhcp4.h"
#include "ip/ip.h"
#include "ip/udp.h"
#include "stack/api/dhcp.h"
#include "stack/api/sock.h"
#include "stack/api/stat.h"
#include "stack/core/core.h"
#include "tcp/tcp.h"

typedef void counter_fn(void *arg, const struct pb_counter *c);

struct show {
	counter_fn *fn;
	void *arg;
	const char *group;
};

static void show(const struct show *s, const char *name, const char *text, uint64_t value)
{
	struct pb_counter c = {
		.group = s->group, .name = name, .text = text, .value = value
	};

	s->fn(s->arg, &c);
}

static void show_port(struct show *s, const struct port_stats *st)
{
	s->group = "port";
	show(s, "rx_packets", "frames received", st->rx_packets);
	show(s, "rx_bytes", "bytes of them", st->rx_bytes);
	show(s, "rx_super", "of them super-frames", st->rx_super);
	show(s, "rx_no_memory", "frames lost because the pool was empty",
	     st->rx_no_memory);
	show(s, "rx_missed", "frames lost in the host before we read them",
	     st->rx_missed);
	show(s, "rx_bad", "frames too long, or refused by the driver", st->rx_bad);
	show(s, "tx_packets", "frames sent", st->tx_packets);
	show(s, "tx_bytes", "bytes of them", st->tx_bytes);
	show(s, "tx_super", "of them super-frames", st->tx_super);
	show(s, "tx_dropped", "frames the device did not take", st->tx_dropped);
	show(s, "tx_no_memory", "segments not cut because the pool was empty",
	     st->tx_no_memory);
	show(s, "capture_lost", "frames that could not be captured", st->capture_lost);
	show(s, "fault_lost", "frames lost by the fault: wrapper, as asked for",
	     st->fault_lost);
}

static void show_neigh(struct show *s, const struct neigh_stats *st)
{
	s->group = "arp";
#define C(name, text) show(s, #name, text, st->name);
	NEIGH_COUNTERS(C)
#undef C
}

static void show_ip(struct show *s, const struct ip_stats *st)
{
	s->group = "ip";
#define C(name, text) show(s, #name, text, st->name);
	IP_COUNTERS(C)
#undef C
}

static void show_udp(struct show *s, const struct udp_stats *st)
{
	s->group = "udp";
#define C(name, text) show(s, #name, text, st->name);
	UDP_COUNTERS(C)
#undef C
}

static void show_dhcp(struct show *s, const struct dhcp4_stats *st)
{
	s->group = "dhcp";
#define C(name, text) show(s, #name, text, st->name);
	DHCP4_COUNTERS(C)
#undef C
}

static void show_tcp(struct show *s, const struct tcp_stats *st)
{
	s->group = "tcp";
#define C(name, text) show(s, #name, text, st->name);
	TCP_COUNTERS(C)
#undef C
	show(s, "n_conns", "connections now", st->n_conns);
	show(s, "n_orphans", "closed connections not yet at their end", st->n_orphans);
	show(s, "n_syn", "half-open connections now", st->n_syn);
	show(s, "n_time_wait", "connections in TIME-WAIT now", st->n_time_wait);
	show(s, "n_listeners", "listeners now", st->n_listeners);
}

static void show_pool(struct show *s, const struct pb_core *co)
{
	s->group = "pool";
	show(s, "packets_out", "packet descriptors in use", co->pool.pkts.n_out);
	show(s, "packets_peak", "the most that ever were", co->pool.pkts.n_peak);
	show(s, "buffers_out", "buffers of 4 KiB in use", co->pool.bufs.n_out);
	show(s, "buffers_peak", "the most that ever were", co->pool.bufs.n_peak);
	show(s, "refused", "requests that found a pool empty", co->pool.n_refused);
	show(s, "lent", "zero-copy loans that programs have", co->socks.n_lent);
	show(s, "timers", "timers armed", co->wheel.n_armed);
	show(s, "sockets", "sockets open", co->socks.socks.n_out);
}

void pb_stat_each(struct pb_core *co, counter_fn *fn, void *arg)
{
	struct show s = { .fn = fn, .arg = arg, .group = "verdict" };

	for (unsigned v = 0; v < V_COUNT; v++)
		show(&s, verdict_name((enum verdict)v), verdict_text((enum verdict)v),
		     co->ended[v]);
	for (unsigned i = 0; i < co->n_eth; i++)
		show_port(&s, &co->eth[i].port->stats);
	show_neigh(&s, neigh_stats(co->neigh));
	show_ip(&s, ip_stats(co->ip));
	show_udp(&s, udp_stats(co->udp));
	if (co->dhcp)
		show_dhcp(&s, dhcp4_stats(co->dhcp));
	show_tcp(&s, tcp_stats(co->tcp));
	show_pool(&s, co);
	s.group = "turn";
#define C(name, text) show(&s, #name, text, co->turn.name);
	TURN_COUNTERS(C)
#undef C
}

static void to_sockaddr(const struct addr *addr, uint16_t port,
			struct sockaddr_storage *ss)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ss, 0, sizeof(*ss));
	if (addr->family == ADDR_IP6) {
		memcpy(&in6.sin6_addr, &addr->ip6, sizeof(addr->ip6));
		in6.sin6_scope_id = addr->zone;
		memcpy(ss, &in6, sizeof(in6));
		return;
	}
	memcpy(&in.sin_addr, &addr->ip4, sizeof(addr->ip4));
	memcpy(ss, &in, sizeof(in));
}

static void fill(const struct tcp_conn_info *i, uint32_t number, struct pb_conn_info *out)
{
	*out = (struct pb_conn_info){
		.state = tcp_state_name(i->state),
		.cc = i->cc,
		.number = number,
		.mss = i->mss,
		.cwnd = i->cwnd,
		.ssthresh = i->ssthresh,
		.snd_wnd = i->snd_wnd,
		.rcv_wnd = i->rcv_wnd,
		.srtt_us = i->srtt_us,
		.rto_us = i->rto_us,
		.sndq_len = i->sndq_len,
		.rcvq_len = i->rcvq_len,
		.unacked = i->unacked,
		.retrans = i->retrans,
		.bytes_sent = i->bytes_sent,
		.bytes_received = i->bytes_received,
		.bytes_retrans = i->bytes_retrans,
	};
	to_sockaddr(&i->flow.local, i->flow.local_port, &out->local);
	to_sockaddr(&i->flow.remote, i->flow.remote_port, &out->remote);
}

typedef bool conn_fn(void *arg, const struct pb_conn_info *info);

struct conn_walk {
	conn_fn *fn;
	void *arg;
};

static bool tell_compact(void *arg, const struct flow *flow, enum tcp_state state)
{
	const struct conn_walk *walk = arg;
	struct pb_conn_info out = { .state = tcp_state_name(state) };

	to_sockaddr(&flow->local, flow->local_port, &out.local);
	to_sockaddr(&flow->remote, flow->remote_port, &out.remote);
	return walk->fn(walk->arg, &out);
}

void pb_conn_each(struct pb_core *co, conn_fn *fn, void *arg)
{
	struct conn_walk walk = { fn, arg };
	uint32_t left = tcp_stats(co->tcp)->n_conns;

	for (uint32_t i = 0; left; i++) {
		struct tcp_conn *conn = tcp_conn_at(co->tcp, i);
		struct tcp_conn_info info;
		struct pb_conn_info out;

		if (!conn)
			continue;
		left--;
		tcp_conn_info(co->tcp, conn, &info);
		fill(&info, i, &out);
		if (!fn(arg, &out))
			return;
	}
	tcp_each_compact(co->tcp, tell_compact, &walk);
}

void pb_trace_each(struct pb_core *co,
		   bool (*fn)(void *arg, const struct pb_trace *trace), void *arg)
{
	const struct trace *t = &co->trace;
	uint64_t i = t->n > TRACE_LEN ? t->n - TRACE_LEN : 0;

	for (; i < t->n; i++) {
		const struct trace_rec *r = &t->rec[i % TRACE_LEN];
		enum trace_event event = (enum trace_event)r->event;
		struct pb_trace out = {
			.at_us = r->at_us,
			.number = r->id,
			.text = trace_text(event),
			.arg = r->arg,
		};

		if (trace_arg(event) == TRACE_ARG_STATE)
			out.state = tcp_state_name((enum tcp_state)r->arg);
		if (!fn(arg, &out))
			return;
	}
}

void pb_addr_get(struct pb_core *co, struct pb_addr_info *info)
{
	static const enum pb_addr_state states[] = {
		[ARP_ADDR_PROBING] = PB_ADDR_PROBING,
		[ARP_ADDR_READY] = PB_ADDR_READY,
		[ARP_ADDR_CONFLICT] = PB_ADDR_CONFLICT,
	};
	struct arp_addr_info found;
	struct addr addr = co->addr;
	struct dhcp4_info lease;

	*info = (struct pb_addr_info){ .state = PB_ADDR_NONE };
	if (co->dhcp) {
		dhcp4_info(co->dhcp, 0, &lease);
		info->state = PB_ADDR_ASKING;
		addr = lease.addr;
	}
	if (!addr.family || !arp_addr_info(co->neigh, &co->eth[0], addr.ip4, &found))
		return;
	info->state = states[found.state];
	info->n_conflicts = found.n_conflicts;
	memcpy(info->rival, found.rival.b, sizeof(info->rival));
}

void pb_dhcp_get(struct pb_core *co, struct pb_dhcp_info *info)
{
	struct dhcp4_info lease = { .state = DHCP4_OFF, .ends_ns = UINT64_MAX };

	if (co->dhcp)
		dhcp4_info(co->dhcp, 0, &lease);
	*info = (struct pb_dhcp_info){
		.state = dhcp4_state_name(lease.state),
		.changes = lease.generation,
		.bits = lease.bits,
		.n_dns = lease.n_dns,
		.ends_ns = lease.ends_ns,
	};
	memcpy(&info->addr, &lease.addr.ip4, sizeof(info->addr));
	memcpy(&info->server, &lease.server.ip4, sizeof(info->server));
	memcpy(info->dns, lease.dns, sizeof(info->dns));
	strcpy(info->domain, lease.domain);
}

_Static_assert((int)PB_DHCP_DNS_MAX == (int)DHCP_DNS_MAX, "as many as there can be");
_Static_assert((int)PB_DHCP_DOMAIN_LEN == (int)DHCP_DOMAIN_LEN, "a domain fits");

void pb_out_get(struct pb_core *co, struct pb_out *out)
{
	const struct tcp_stats *tcp = tcp_stats(co->tcp);
	uint32_t standing = 0; /* what drivers keep ready for reading */

	for (unsigned i = 0; i < co->n_eth; i++)
		standing += co->eth[i].port->n_standing;
	*out = (struct pb_out){
		.packets = co->pool.pkts.n_out - standing,
		.buffers = co->pool.bufs.n_out - standing,
		.conns = tcp->n_conns,
		.sockets = co->socks.socks.n_out,
		.half_open = tcp->n_syn,
		.time_wait = tcp->n_time_wait,
		.timers = co->wheel.n_armed,
	};
}
