#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "eth/port_impl.h"
#include "stack/base/pkt.h"

const struct port_ops *const *port_drivers(void)
{
	static const struct port_ops *const drivers[] = {
		&port_tap_ops, &port_tun_ops,  &port_packet_ops, &port_ring_ops,
		&port_sim_ops, &port_pcap_ops, &port_fault_ops,	 NULL,
	};

	return drivers;
}

int port_error(int err, char error[static PORT_ERROR_LEN], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, PORT_ERROR_LEN, format, args);
	va_end(args);
	return -err;
}

static const struct port_ops *find(const char *name, const char *colon)
{
	const struct port_ops *const *d = port_drivers();
	size_t len = colon ? (size_t)(colon - name) : 0;

	while (*d && (strlen((*d)->name) != len || memcmp((*d)->name, name, len) != 0))
		d++;
	return *d;
}

static int no_driver(const char *name, char error[static PORT_ERROR_LEN])
{
	char list[PORT_ERROR_LEN / 2];
	size_t len = 0;

	for (const struct port_ops *const *d = port_drivers(); *d; d++)
		len += (size_t)snprintf(list + len, sizeof(list) - len,
					"%s%s:", len ? ", " : "", (*d)->name);
	ASSERT(len < sizeof(list));
	return port_error(ENODEV, error, "no driver for port \"%.60s\"; there are: %s",
			  name, list);
}

int port_open(const char *name, const struct port_conf *conf, struct port **port,
	      char error[static PORT_ERROR_LEN])
{
	const char *colon = strchr(name, ':');
	const struct port_ops *ops = find(name, colon);
	int err;

	if (!ops)
		return no_driver(name, error);
	if (strlen(name) >= PORT_NAME_LEN)
		return port_error(ENAMETOOLONG, error,
				  "the name of a port has at most %d characters",
				  PORT_NAME_LEN - 1);
	if (conf->mtu && (conf->mtu < PORT_MTU_MIN || conf->mtu > PORT_MTU_MAX))
		return port_error(EINVAL, error, "MTU %u is not between %d and %d",
				  conf->mtu, PORT_MTU_MIN, PORT_MTU_MAX);
	if (mac_is_multicast(conf->mac))
		return port_error(EINVAL, error,
				  "a group address cannot be the MAC of a port");
	err = ops->open(colon + 1, conf, port, error);
	if (err)
		return err;
	snprintf((*port)->name, PORT_NAME_LEN, "%s", name);
	return 0;
}

void port_close(struct port *port)
{
	port->ops->close(port);
}

uint16_t port_dev_mtu(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };
	int mtu = PORT_MTU;

	if (fd < 0)
		return PORT_MTU;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, SIOCGIFMTU, &ifr) == 0)
		mtu = ifr.ifr_mtu < PORT_MTU_MAX ? ifr.ifr_mtu : PORT_MTU_MAX;
	close(fd);
	return (uint16_t)mtu;
}

struct pkt *port_pkt(struct pkt_pool *pool, const uint8_t *bytes, uint32_t len)
{
	struct pkt *first, *seg;
	uint32_t at = 0;

	if (len <= PKT_HEAD_LEN) {
		first = pkt_new(pool, PKT_CONTROL);
		if (first)
			memcpy(pkt_push(first, len), bytes, len);
		return first;
	}
	first = seg = pkt_new_buf(pool, PKT_DATA, 0);
	while (seg) {
		uint32_t room = pkt_room(seg), n = len - at < room ? len - at : room;

		memcpy(seg->data, bytes + at, n);
		seg->len = seg->total_len = n;
		at += n;
		if (seg != first)
			pkt_chain(first, seg);
		if (at == len)
			return first;
		seg = pkt_new_buf(pool, PKT_DATA, 0);
	}
	pkt_free(first);
	return NULL;
}

int port_gather(const struct pkt *p, struct iovec iov[static PORT_IOV_MAX])
{
	int n = 0;

	for (; p; p = p->next) {
		ASSERT(n < PORT_IOV_MAX);
		if (p->len)
			iov[n++] =
				(struct iovec){ .iov_base = p->data, .iov_len = p->len };
	}
	return n;
}

struct pkt *port_few(struct pkt *p)
{
	struct pkt *copy;
	unsigned n = 0;

	for (const struct pkt *part = p; part; part = part->next)
		n++;
	if (n <= PORT_IOV_MAX)
		return p;
	copy = pkt_copy(p->pool, PKT_DATA, p);
	if (copy) {
		copy->proto = p->proto;
		copy->l3 = p->l3 ? copy->data + (p->l3 - p->data) : NULL;
		copy->l4 = p->l4 ? copy->data + (p->l4 - p->data) : NULL;
	}
	pkt_free(p);
	return copy;
}

void port_count_rx(struct port *port, struct pkt *p, uint64_t now_ns)
{
	p->at_ns = now_ns;
	port->stats.rx_packets++;
	port->stats.rx_bytes += p->total_len;
	port->stats.rx_super += p->gso_len != 0;
}

void port_count_tx(struct port *port, const struct pkt *p)
{
	port->stats.tx_packets++;
	port->stats.tx_bytes += p->total_len;
	port->stats.tx_super += p->gso_len != 0;
}
