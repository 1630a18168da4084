/*
 * From a configuration to cores that can turn.
 *
 * Layers are made from the wire up and freed from the sockets down.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "arp/neigh.h"
#include "eth/port.h"
#include "ip/dhcp4.h"
#include "ip/ip.h"
#include "ip/ip6.h"
#include "ip/udp.h"
#include "stack/api/stack.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "stack/core/host_nl.h"
#include "tcp/tcp.h"

_Static_assert((int)PB_ERROR_LEN >= (int)PORT_ERROR_LEN, "a port's sentence fits");

enum {
	DEFAULT_BUFS = 65536,
	DEFAULT_MAX_CONNS = 1 << 20,
	PKTS_PER_BUF = 4,
	VLAN_LAST = 4094,   /* IEEE 802.1Q 9.6: 4095 is reserved */
	BUFS_MAX = 1 << 28, /* a TiB; descriptors are counted in 32 bits */
};

/* What the texts of a configuration say. */
struct boot {
	const struct pb_stack_conf *conf;
	struct addr addr, gateway, host_addr;
	struct addr addr6, gateway6, host_addr6;
	unsigned bits, host_bits, bits6, host_bits6;
	struct mac mac;
	char *error;
};

void pb_stack_conf_init(struct pb_stack_conf *conf)
{
	struct tcp_conf tcp;

	tcp_conf_default(&tcp);
	*conf = (struct pb_stack_conf){
		.n_cores = 1,
		.offload = 1,
		.n_bufs = DEFAULT_BUFS,
		.max_conns = DEFAULT_MAX_CONNS,
		.max_syn = tcp.max_syn,
		.rcvbuf = tcp.rcvbuf,
		.sndbuf = tcp.sndbuf,
		.time_wait_ms = tcp.time_wait_ms,
		.ecn = tcp.ecn,
		.fastopen = tcp.fastopen,
	};
}

__attribute__((format(printf, 3, 4))) static int fail(struct boot *b, int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->error, PB_ERROR_LEN, format, args);
	va_end(args);
	return err;
}

/* What is meant by an address of each family. */
static const char *example(enum addr_family family)
{
	return family == ADDR_IP6 ? "IPv6 address with its prefix length is meant, as "
				    "2001:db8::2/64" :
				    "IPv4 address with its prefix length is meant, as "
				    "192.0.2.2/24";
}

/* Reads an optional "address/bits" of addr->family.  0 or -EINVAL. */
static int read_prefix(struct boot *b, const char *what, const char *text,
		       struct addr *addr, unsigned *bits)
{
	enum addr_family family = addr->family;

	addr->family = ADDR_NONE;
	if (!text || !text[0])
		return 0;
	if (!addr_parse_prefix(text, addr, bits) || addr->family != family)
		return fail(b, -EINVAL, "%s: read \"%s\", but an %s", what, text,
			    example(family));
	return 0;
}

/* The same for an optional "address". */
static int read_addr(struct boot *b, const char *what, const char *text,
		     struct addr *addr)
{
	enum addr_family family = addr->family;

	addr->family = ADDR_NONE;
	if (!text || !text[0])
		return 0;
	if (!addr_parse(text, addr) || addr->family != family)
		return fail(b, -EINVAL, "%s: read \"%s\", but an IPv%d address is meant",
			    what, text, family);
	return 0;
}

static int read_addrs(struct boot *b)
{
	const struct pb_stack_conf *conf = b->conf;
	int err;

	b->addr.family = b->host_addr.family = b->gateway.family = ADDR_IP4;
	b->addr6.family = b->host_addr6.family = b->gateway6.family = ADDR_IP6;
	err = read_prefix(b, "addr", conf->addr, &b->addr, &b->bits);
	if (!err)
		err = read_prefix(b, "host_addr", conf->host_addr, &b->host_addr,
				  &b->host_bits);
	if (!err)
		err = read_addr(b, "gateway", conf->gateway, &b->gateway);
	if (!err)
		err = read_prefix(b, "addr6", conf->addr6, &b->addr6, &b->bits6);
	if (!err)
		err = read_prefix(b, "host_addr6", conf->host_addr6, &b->host_addr6,
				  &b->host_bits6);
	if (!err)
		err = read_addr(b, "gateway6", conf->gateway6, &b->gateway6);
	return err;
}

static int read_conf(struct boot *b)
{
	const struct pb_stack_conf *conf = b->conf;
	int err;

	if (conf->ecn >= TCP_N_ECN)
		return fail(b, -EINVAL, "ecn: read %u, but 0 to %u are meant", conf->ecn,
			    TCP_N_ECN - 1);
	if (conf->n_cores != 1)
		return fail(b, -ENOTSUP, "cores: read %u, but ports have one queue: 1",
			    conf->n_cores);
	if (conf->n_bufs > BUFS_MAX)
		return fail(b, -EINVAL, "buffers: read %u, but at most %d are allowed",
			    conf->n_bufs, BUFS_MAX);
	if (!conf->port || !conf->port[0])
		return fail(b, -EINVAL, "port: none is named, as tap:pb0");
	err = read_addrs(b);
	if (err)
		return err;
	if (conf->dhcp && b->gateway.family)
		return fail(b, -EINVAL, "gateway: read \"%s\", but DHCP finds one",
			    conf->gateway);
	if (conf->mac && conf->mac[0] && !mac_parse(conf->mac, &b->mac))
		return fail(b, -EINVAL,
			    "mac: read \"%s\", but 02:00:00:00:00:01 is meant",
			    conf->mac);
	return 0;
}

/*
 * All random numbers of a core come from here.  With a seed they are the same each
 * time, the key too: for simulations.  Without, the key is not derived from the
 * generator's numbers, which peers see.
 */
static int seed_core(struct pb_core *co, uint64_t seed)
{
	if (seed) {
		rng_init(&co->rng, seed);
		co->key.k[0] = rng_u64(&co->rng);
		co->key.k[1] = rng_u64(&co->rng);
		return 0;
	}
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) ||
	    getrandom(&co->key, sizeof(co->key), 0) != sizeof(co->key))
		return -errno;
	rng_init(&co->rng, seed);
	return 0;
}

static bool is_given(const char *text)
{
	return text && text[0];
}

static int check_vlan(struct boot *b)
{
	const struct pb_stack_conf *conf = b->conf;

	if (conf->vlan > VLAN_LAST)
		return fail(b, -EINVAL, "vlan: read %u, but 1 to %u are allowed",
			    conf->vlan, VLAN_LAST);
	if (conf->vlan && (is_given(conf->host_addr) || is_given(conf->host_addr6)))
		return fail(b, -EINVAL,
			    "host_addr: the host's device has frames without tags, but "
			    "the stack is in VLAN %u",
			    conf->vlan);
	return 0;
}

static int open_port(struct pb_core *co, struct boot *b)
{
	struct port_conf conf = {
		.pool = &co->pool,
		.mac = b->mac,
		.mtu = (uint16_t)b->conf->mtu,
		.offload = b->conf->offload,
		.persist = b->conf->persist,
		.sim = b->conf->sim,
	};
	struct port *port;
	int err;

	if (b->conf->mtu && (b->conf->mtu < PORT_MTU_MIN || b->conf->mtu > PORT_MTU_MAX))
		return fail(b, -EINVAL, "mtu: read %u, but %u to %u are allowed",
			    b->conf->mtu, PORT_MTU_MIN, PORT_MTU_MAX);
	err = check_vlan(b);
	if (!err)
		err = port_open(b->conf->port, &conf, &port, b->error);
	if (err)
		return err;
	if (b->conf->vlan && port->point_to_point) {
		port_close(port);
		return fail(b, -EINVAL, "vlan: %s is no Ethernet", b->conf->port);
	}
	eth_init(&co->eth[0], port, 0);
	co->eth[0].vlan = (uint16_t)b->conf->vlan;
	co->n_eth = 1;
	return 0;
}

/* The host's side of a TAP. */
static int set_host(struct pb_core *co, struct boot *b)
{
	const char *dev = co->eth[0].port->host_dev;
	struct host_clash clash;
	char text[ADDR_TEXT_LEN];
	int err;

	if (!dev[0])
		return 0;
	err = host_nl_clash(dev, &b->host_addr, b->host_bits, &clash);
	if (err == -EADDRINUSE)
		return fail(
			b, err,
			"host_addr: \"%s\" cannot be given to %s: its subnet is on %s "
			"already, as %s/%u",
			b->conf->host_addr, dev, clash.dev, addr_text(&clash.addr, text),
			clash.bits);
	if (!err)
		err = host_nl_set(dev, co->eth[0].mtu, &b->host_addr, b->host_bits);
	if (!err && b->host_addr6.family)
		err = host_nl_set(dev, co->eth[0].mtu, &b->host_addr6, b->host_bits6);
	if (err)
		return fail(b, err, "%s: cannot set up the host's side: %s", dev,
			    strerror(-err));
	return 0;
}

static int make_layers(struct pb_core *co, struct boot *b)
{
	const struct pb_stack_conf *conf = b->conf;
	struct tcp_conf tcp;
	int err;

	tcp_conf_default(&tcp);
	tcp.max_conns = conf->max_conns;
	tcp.max_syn = conf->max_syn;
	tcp.rcvbuf = conf->rcvbuf;
	tcp.sndbuf = conf->sndbuf;
	tcp.time_wait_ms = conf->time_wait_ms;
	if (conf->cc)
		tcp.cc = conf->cc;
	tcp.ecn = (uint8_t)conf->ecn;
	tcp.fastopen = conf->fastopen;
	err = neigh_new(&co->neigh, NEIGH_MAX, &co->pool, &co->wheel, &co->rng);
	if (!err)
		err = ip_new(&co->ip, co->neigh, &co->pool, &co->wheel, &co->rng,
			     &co->key);
	if (!err)
		err = udp_new(&co->udp, co->ip, &co->pool, &co->rng, &co->key);
	if (!err)
		err = tcp_new(&co->tcp, &tcp, co->ip, &co->pool, &co->wheel, &co->rng,
			      &co->key, &co->trace, co->now_ns);
	if (!err)
		err = socks_init(&co->socks, conf->max_conns + SOCKS_UDP_MAX, co->tcp,
				 co->udp, co->ip, &co->pool, &co->rng);
	if (err)
		return fail(b, err, "cannot make the layers: %s", strerror(-err));
	co->socks.now_ns = co->now_ns;
	return 0;
}

static int set_addresses6(struct pb_core *co, struct boot *b)
{
	struct ip_route way_out = { .prefix.family = ADDR_IP6, .gateway = b->gateway6 };
	int err;

	if (!b->addr6.family && !b->conf->autoconf6)
		return 0;
	if (b->conf->iid_secret)
		ip6_set_secret(co->ip, b->conf->iid_secret);
	err = ip6_start(co->ip, 0, b->conf->probe_addr || b->conf->autoconf6, co->now_ns);
	if (!err && b->addr6.family)
		err = ip_addr_add(co->ip, 0, &b->addr6, b->bits6, b->conf->probe_addr,
				  co->now_ns);
	if (err)
		return fail(b, err, "addr6: \"%s\" cannot be used: %s", b->conf->addr6,
			    err == -EINVAL   ? "no station can have it" :
			    err == -EMSGSIZE ? "IPv6 needs an MTU of 1280 or more" :
					       strerror(-err));
	if (b->gateway6.family)
		err = ip_route_add(co->ip, &way_out);
	if (err)
		return fail(b, err, "gateway6: \"%s\" cannot be used: %s",
			    b->conf->gateway6,
			    err == -EINVAL ? "it is not in the subnet of addr6" :
					     strerror(-err));
	if (b->conf->autoconf6)
		ip6_listen_to_routers(co->ip, 0, co->now_ns);
	return 0;
}

static int set_addresses4(struct pb_core *co, struct boot *b)
{
	struct ip_route way_out = { .prefix.family = ADDR_IP4, .gateway = b->gateway };
	int err = 0;

	if (b->addr.family)
		err = ip_addr_add(co->ip, 0, &b->addr, b->bits, b->conf->probe_addr,
				  co->now_ns);
	if (err)
		return fail(b, err, "addr: \"%s\" cannot be used: %s", b->conf->addr,
			    err == -EINVAL ? "no station can have it" : strerror(-err));
	co->addr = b->addr;
	if (b->gateway.family)
		err = ip_route_add(co->ip, &way_out);
	if (err)
		return fail(b, err, "gateway: \"%s\" cannot be used: %s",
			    b->conf->gateway,
			    err == -EINVAL ? "it is not in the subnet of addr" :
					     strerror(-err));
	return 0;
}

static int start_dhcp(struct pb_core *co, struct boot *b)
{
	struct dhcp4_conf conf = { .again = b->addr.ip4, .probe = b->conf->probe_addr };
	int err = dhcp4_new(&co->dhcp, co->ip, co->udp);

	if (!err)
		err = dhcp4_start(co->dhcp, 0, &conf, co->now_ns);
	if (err)
		return fail(b, err, "dhcp: cannot ask on %s: %s", b->conf->port,
			    err == -EINVAL ? "it is no Ethernet" : strerror(-err));
	return 0;
}

static int set_addresses(struct pb_core *co, struct boot *b)
{
	int err = ip_iface_add(co->ip, &co->eth[0]);

	if (err)
		return fail(b, err, "port: cannot be used: %s", strerror(-err));
	err = b->conf->dhcp ? start_dhcp(co, b) : set_addresses4(co, b);
	return err ? err : set_addresses6(co, b);
}

/* Gives the lease back, as the core's last word. */
static void end_dhcp(struct pb_core *co)
{
	dhcp4_stop(co->dhcp, 0, co->now_ns);
	eth_flush(&co->eth[0], co->now_ns);
	dhcp4_free(co->dhcp);
}

static void core_free(struct pb_core *co)
{
	if (co->epoll_fd >= 0)
		core_wait_fini(co);
	if (co->socks.tcp)
		socks_fini(&co->socks);
	if (co->tcp)
		tcp_free(co->tcp);
	if (co->dhcp)
		end_dhcp(co);
	if (co->udp)
		udp_free(co->udp);
	if (co->ip)
		ip_free(co->ip);
	if (co->neigh)
		neigh_free(co->neigh);
	for (unsigned i = 0; i < co->n_eth; i++)
		eth_fini(&co->eth[i]);
	if (co->pool.buf_info)
		pkt_pool_fini(&co->pool);
	free(co);
}

static int core_new(struct boot *b, struct pb_core **core)
{
	uint32_t n_bufs = b->conf->n_bufs ? b->conf->n_bufs : DEFAULT_BUFS;
	struct pb_core *co = calloc(1, sizeof(*co));
	int err;

	if (!co)
		return fail(b, -ENOMEM, "no memory for a core");
	co->epoll_fd = co->wake_fd = -1;
	co->now_ns = b->conf->now_ns ? b->conf->now_ns : clock_now_ns();
	wheel_init(&co->wheel, co->now_ns);
	err = seed_core(co, b->conf->seed);
	if (!err)
		err = pkt_pool_init(&co->pool, n_bufs * PKTS_PER_BUF, n_bufs);
	if (err)
		fail(b, err, "cannot reserve %u buffers: %s", n_bufs, strerror(-err));
	if (!err)
		err = open_port(co, b);
	if (!err)
		err = set_host(co, b);
	if (!err)
		err = make_layers(co, b);
	if (!err)
		err = set_addresses(co, b);
	if (!err) {
		err = core_wait_init(co);
		if (err)
			co->epoll_fd = -1;
	}
	if (err) {
		core_free(co);
		return err;
	}
	*core = co;
	return 0;
}

int pb_stack_open(const struct pb_stack_conf *conf, struct pb_stack **stack,
		  char error[PB_ERROR_LEN])
{
	struct boot b = { .conf = conf, .error = error };
	struct pb_stack *st;
	int err = read_conf(&b);

	if (err)
		return err;
	st = calloc(1, sizeof(*st));
	if (st)
		st->cores = calloc(conf->n_cores, sizeof(struct pb_core *));
	if (!st || !st->cores) {
		free(st);
		return fail(&b, -ENOMEM, "no memory for a stack");
	}
	for (; st->n_cores < conf->n_cores; st->n_cores++) {
		err = core_new(&b, &st->cores[st->n_cores]);
		if (err) {
			pb_stack_close(st);
			return err;
		}
	}
	*stack = st;
	return 0;
}

void pb_stack_close(struct pb_stack *st)
{
	for (unsigned i = 0; i < st->n_cores; i++)
		core_free(st->cores[i]);
	free(st->cores);
	free(st);
}

unsigned pb_stack_n_cores(const struct pb_stack *st)
{
	return st->n_cores;
}

struct pb_core *pb_stack_core(struct pb_stack *st, unsigned i)
{
	return i < st->n_cores ? st->cores[i] : NULL;
}
