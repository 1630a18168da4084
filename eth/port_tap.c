/*
 * "tap:NAME" and "tun:NAME": a network device of the host, whose other side is ours; one of
 * Ethernet, or a point-to-point link of IP packets.
 *
 * One system call moves one frame, and with the vnet header a frame may be 64 KiB of
 * TCP with its checksum left out: what the kernel's own devices hand each other.  Reading
 * goes straight to buffers of the pool, writing gathers from them; nothing is copied but
 * by the kernel.
 *
 * The driver makes the device and nothing more.  Address, MTU and "up" of the host's
 * side are set by the core, which finds the device's name in port.host_dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "eth/port_impl.h"
#include "eth/rx_set.h"
#include "eth/vnet.h"
#include "stack/base/hash.h"

struct port_tap {
	struct port port;
	struct rx_set rx;
	uint32_t vnet_len; /* bytes in front of each frame: VNET_LEN, or 0 */
};

/* A frame of @len bytes with its vnet header was read; NULL: it is lost. */
static struct pkt *input(struct port_tap *tap, uint32_t len, uint64_t now_ns)
{
	const uint8_t *vnet = tap->rx.bufs[0]->data;
	struct pkt *p;

	if (len <= tap->vnet_len || len - tap->vnet_len > PKT_MAX_LEN) {
		tap->port.stats.rx_bad++;
		return NULL;
	}
	p = rx_set_take(&tap->rx, tap->vnet_len, len - tap->vnet_len);
	if (!p) {
		tap->port.stats.rx_no_memory++;
		return NULL;
	}
	if (tap->vnet_len && !vnet_input(p, vnet)) {
		tap->port.stats.rx_bad++;
		pkt_free(p);
		return NULL;
	}
	port_count_rx(&tap->port, p, now_ns);
	return p;
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_tap *tap = container_of(port, struct port_tap, port);
	unsigned done = 0;

	/* As many reads as frames are asked for: a flood that finds no memory ends too. */
	for (unsigned i = 0; i < n; i++) {
		ssize_t len = readv(port->fd, tap->rx.iov, RX_SET_BUFS);

		if (len < 0) {
			port->stats.rx_bad += errno != EAGAIN;
			break;
		}
		burst[done] = input(tap, (uint32_t)len, now_ns);
		done += burst[done] != NULL;
	}
	return done;
}

static void send_frame(struct port_tap *tap, const struct pkt *p)
{
	struct virtio_net_hdr vnet = vnet_output(p);
	struct iovec iov[1 + PORT_IOV_MAX];
	int n = 0;

	if (tap->vnet_len)
		iov[n++] = (struct iovec){ .iov_base = &vnet, .iov_len = tap->vnet_len };
	n += port_gather(p, iov + n);
	if (writev(tap->port.fd, iov, n) < 0)
		tap->port.stats.tx_dropped++;
	else
		port_count_tx(&tap->port, p);
}

static void tx_burst(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct port_tap *tap = container_of(port, struct port_tap, port);

	(void)now_ns;
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = port_few(burst[i]);

		if (p)
			send_frame(tap, p);
		else
			port->stats.tx_no_memory++;
		pkt_free(p);
	}
}

static void tap_close(struct port *port)
{
	struct port_tap *tap = container_of(port, struct port_tap, port);

	rx_set_fini(&tap->rx);
	close(port->fd);
	free(tap);
}

static int create(int fd, struct ifreq *ifr, const struct port_ops *ops,
		  const struct port_conf *conf, char error[static PORT_ERROR_LEN])
{
	bool tun = ops == &port_tun_ops;
	unsigned offload = conf->offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
	int vnet_len = VNET_LEN;

	ifr->ifr_flags = (short)((tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI);
	if (conf->offload)
		ifr->ifr_flags |= IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, ifr) < 0)
		return port_error(errno, error, "%s:%s: %s", ops->name, ifr->ifr_name,
				  errno == EBUSY || errno == EINVAL ?
					  "in use, or of another kind" :
					  strerror(errno));
	/* A device that was there already may have been left with other settings. */
	if ((conf->offload && ioctl(fd, TUNSETVNETHDRSZ, &vnet_len) < 0) ||
	    ioctl(fd, TUNSETOFFLOAD, offload) < 0)
		return port_error(errno, error, "%s:%s: no offloads: %s", ops->name,
				  ifr->ifr_name, strerror(errno));
	if (conf->persist && ioctl(fd, TUNSETPERSIST, 1) < 0)
		return port_error(errno, error, "%s:%s: cannot stay: %s", ops->name,
				  ifr->ifr_name, strerror(errno));
	return 0;
}

/*
 * Ours, made of the device's name and the address of its other side: another than that
 * one, another for each device and host, and the same again for a device that stays.
 */
static int make_mac(int fd, struct ifreq *ifr, struct mac *mac)
{
	struct hash_key key = { { 0, 0 } };
	uint64_t h;

	if (ioctl(fd, SIOCGIFHWADDR, ifr) < 0)
		return -errno;
	memcpy(key.k, ifr->ifr_hwaddr.sa_data, sizeof(*mac));
	h = hash_siphash24(&key, ifr->ifr_name, strlen(ifr->ifr_name));
	memcpy(mac, &h, sizeof(*mac));
	mac->b[0] = (uint8_t)((mac->b[0] & 0xfc) | 2); /* locally given, one station's */
	return 0;
}

static int setup(struct port_tap *tap, struct ifreq *ifr, const struct port_conf *conf)
{
	static const struct mac none;
	int err = rx_set_init(&tap->rx, conf->pool);

	if (err)
		return err;
	tap->port.point_to_point = tap->port.ops == &port_tun_ops;
	tap->port.mac = conf->mac;
	if (mac_eq(conf->mac, none) && !tap->port.point_to_point)
		err = make_mac(tap->port.fd, ifr, &tap->port.mac);
	if (err) {
		rx_set_fini(&tap->rx);
		return err;
	}
	snprintf(tap->port.host_dev, PORT_DEV_LEN, "%s", ifr->ifr_name);
	tap->port.mtu = conf->mtu ? conf->mtu : port_dev_mtu(ifr->ifr_name);
	tap->port.n_standing = RX_SET_BUFS;
	tap->port.pool = conf->pool;
	if (conf->offload) {
		tap->port.caps = PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6;
		tap->vnet_len = VNET_LEN;
	}
	return 0;
}

static int open_dev(const struct port_ops *ops, const char *arg,
		    const struct port_conf *conf, struct port **port,
		    char error[static PORT_ERROR_LEN])
{
	struct ifreq ifr = { 0 };
	struct port_tap *tap;
	int fd, err;

	if (!arg[0] || strlen(arg) >= IFNAMSIZ)
		return port_error(EINVAL, error,
				  "%s:%.60s: a device has a name of 1 to %d letters",
				  ops->name, arg, IFNAMSIZ - 1);
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", arg);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return port_error(errno, error, "%s:%s: /dev/net/tun: %s", ops->name, arg,
				  strerror(errno));
	err = create(fd, &ifr, ops, conf, error);
	if (err) {
		close(fd);
		return err;
	}
	tap = calloc(1, sizeof(*tap));
	if (tap)
		tap->port = (struct port){ .ops = ops, .fd = fd };
	err = tap ? setup(tap, &ifr, conf) : -ENOMEM;
	if (err) {
		free(tap);
		close(fd);
		return port_error(-err, error, "%s:%s: %s", ops->name, arg,
				  strerror(-err));
	}
	*port = &tap->port;
	return 0;
}

static int tap_open(const char *arg, const struct port_conf *conf, struct port **port,
		    char error[static PORT_ERROR_LEN])
{
	return open_dev(&port_tap_ops, arg, conf, port, error);
}

static int tun_open(const char *arg, const struct port_conf *conf, struct port **port,
		    char error[static PORT_ERROR_LEN])
{
	return open_dev(&port_tun_ops, arg, conf, port, error);
}

const struct port_ops port_tun_ops = {
	.name = "tun",
	.open = tun_open,
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = tap_close,
};

const struct port_ops port_tap_ops = {
	.name = "tap",
	.open = tap_open,
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = tap_close,
};
