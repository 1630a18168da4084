#include "eth/packet_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stack/base/pkt.h"

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_options(int fd)
{
	/* Only root may have more than the host's limit; less works too. */
	if (option(fd, SOL_SOCKET, SO_RCVBUFFORCE, PACKET_SOCK_BYTES) < 0)
		option(fd, SOL_SOCKET, SO_RCVBUF, PACKET_SOCK_BYTES);
	if (option(fd, SOL_SOCKET, SO_SNDBUFFORCE, PACKET_SOCK_BYTES) < 0)
		option(fd, SOL_SOCKET, SO_SNDBUF, PACKET_SOCK_BYTES);
	if (option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) < 0 ||
	    option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) < 0)
		return -errno;
	return 0;
}

/* Frames for an address that is not the interface's come in promiscuous mode only. */
static int take_foreign_mac(const struct packet_sock *s)
{
	struct packet_mreq all = {
		.mr_ifindex = s->ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};

	if (setsockopt(s->port.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		return -errno;
	return 0;
}

/* Reads what the interface is; a sentence when it will not do. */
static int look_at(struct packet_sock *s, struct ifreq *ifr, const char *kind,
		   char error[static PORT_ERROR_LEN])
{
	int fd = s->port.fd;

	if (ioctl(fd, SIOCGIFINDEX, ifr) < 0)
		return port_error(errno, error, "%s:%s: there is no such interface", kind,
				  ifr->ifr_name);
	s->ifindex = ifr->ifr_ifindex;
	if (ioctl(fd, SIOCGIFFLAGS, ifr) < 0 || !(ifr->ifr_flags & IFF_UP))
		return port_error(ENETDOWN, error, "%s:%s: the interface is down", kind,
				  ifr->ifr_name);
	if (ioctl(fd, SIOCGIFHWADDR, ifr) < 0 ||
	    ifr->ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return port_error(EINVAL, error, "%s:%s: the interface is not Ethernet",
				  kind, ifr->ifr_name);
	memcpy(&s->port.mac, ifr->ifr_hwaddr.sa_data, sizeof(s->port.mac));
	s->port.mtu = port_dev_mtu(ifr->ifr_name);
	return 0;
}

static int adapt(struct packet_sock *s, const char *kind, const char *dev,
		 const struct port_conf *conf, char error[static PORT_ERROR_LEN])
{
	static const struct mac none;
	int err = 0;

	if (conf->mtu > s->port.mtu)
		return port_error(EINVAL, error, "%s:%s: MTU %u is more than its %u",
				  kind, dev, conf->mtu, s->port.mtu);
	if (conf->mtu)
		s->port.mtu = conf->mtu;
	if (!mac_eq(conf->mac, none) && !mac_eq(conf->mac, s->port.mac)) {
		s->port.mac = conf->mac;
		err = take_foreign_mac(s);
	}
	if (!err)
		err = set_options(s->port.fd);
	if (err)
		return port_error(-err, error, "%s:%s: %s", kind, dev, strerror(-err));
	s->port.pool = conf->pool;
	if (conf->offload)
		s->port.caps = PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6;
	return 0;
}

int packet_sock_open(struct packet_sock *s, const char *kind, const char *dev,
		     const struct port_conf *conf, char error[static PORT_ERROR_LEN])
{
	struct ifreq ifr = { 0 };
	int err;

	if (!dev[0] || strlen(dev) >= IFNAMSIZ)
		return port_error(EINVAL, error,
				  "%s:%.60s: an interface has a name of 1 to %d letters",
				  kind, dev, IFNAMSIZ - 1);
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", dev);
	/* Protocol 0: nothing is received yet. */
	s->port.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->port.fd < 0)
		return port_error(errno, error, "%s:%s: no packet socket: %s", kind, dev,
				  strerror(errno));
	err = look_at(s, &ifr, kind, error);
	if (!err)
		err = adapt(s, kind, dev, conf, error);
	if (err)
		close(s->port.fd);
	return err;
}

int packet_sock_bind(struct packet_sock *s)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = s->ifindex,
	};

	return bind(s->port.fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

void packet_sock_close(struct packet_sock *s)
{
	close(s->port.fd);
}

/* Sends the @n frames that are gathered, and frees them. */
static void send_gathered(struct packet_sock *s, struct pkt **frames, unsigned n)
{
	unsigned at = 0;

	while (at < n) {
		int sent = sendmmsg(s->port.fd, s->msgs + at, n - at, 0);

		/* The first of them did not go: a full queue, or an interface down. */
		if (sent <= 0) {
			s->port.stats.tx_dropped++;
			at++;
			continue;
		}
		for (int i = 0; i < sent; i++)
			port_count_tx(&s->port, frames[at++]);
	}
	for (unsigned i = 0; i < n; i++)
		pkt_free(frames[i]);
}

/* Frame number @i of the call, whose parts begin at @iov; how many it has. */
static unsigned gather(struct packet_sock *s, unsigned i, const struct pkt *p,
		       struct iovec *iov)
{
	unsigned parts = 1;

	s->vnet[i] = vnet_output(p);
	iov[0] = (struct iovec){ .iov_base = &s->vnet[i], .iov_len = VNET_LEN };
	parts += (unsigned)port_gather(p, iov + 1);
	s->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = iov, .msg_iovlen = parts };
	return parts;
}

void packet_sock_tx(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct packet_sock *s = container_of(port, struct packet_sock, port);
	unsigned parts = 0, ready = 0;

	(void)now_ns;
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = port_few(burst[i]);

		if (!p) {
			port->stats.tx_no_memory++;
			continue;
		}
		if (parts + 1 + PORT_IOV_MAX > PACKET_SOCK_IOV) {
			send_gathered(s, burst, ready);
			parts = ready = 0;
		}
		parts += gather(s, ready, p, s->iov + parts);
		burst[ready++] = p;
	}
	send_gathered(s, burst, ready);
}

void packet_sock_vlan(struct pkt *p, uint32_t tp_status, uint16_t tci)
{
	if (tp_status & TP_STATUS_VLAN_VALID) {
		p->flags |= PKT_VLAN;
		p->vlan = tci;
	}
}
