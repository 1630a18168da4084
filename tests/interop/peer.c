#include "tests/interop/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/clock.h"
#include "tests/lib/build.h"

enum { ACK = 16, PSH = 8, RST = 4, SYN = 2, OUR_PORT = 5000, MSS = 1460 };

static const struct mac all = { { 255, 255, 255, 255, 255, 255 } };
static const struct ip4 our_ip = { { 192, 0, 2, 2 } };
static const struct ip4 kernel_ip = { { 192, 0, 2, 1 } };

_Noreturn void peer_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s (errno %d, %s)\n", file, line, what, errno,
		strerror(errno));
	exit(1);
}

/* Goes to a namespace; returns the one we were in. */
static int enter(int netns)
{
	int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	PEER_CHECK(before >= 0);
	PEER_CHECK(setns(netns, CLONE_NEWNET) == 0);
	return before;
}

/* A socket of the kernel's side. */
static int kernel_socket(const struct peer *peer, int domain, int type, int proto)
{
	int before = peer->netns >= 0 ? enter(peer->netns) : -1;
	int fd = socket(domain, type, proto), one = 1;

	PEER_CHECK(fd >= 0);
	PEER_CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	if (before >= 0)
		close(enter(before));
	close(before);
	return fd;
}

static void bind_to_port(int fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };

	PEER_CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
}

void peer_open(struct peer *peer, const char *name, const char *netns,
	       struct port_conf conf)
{
	char error[PORT_ERROR_LEN], path[100];
	struct port *port;

	*peer = (struct peer){ .netns = -1, .conn = -1 };
	if (netns) {
		snprintf(path, sizeof(path), "/var/run/netns/%s", netns);
		peer->netns = open(path, O_RDONLY | O_CLOEXEC);
		PEER_CHECK(peer->netns >= 0);
	}
	PEER_CHECK(pkt_pool_init(&peer->pool, 4096, 1024) == 0);
	conf.pool = &peer->pool;
	if (port_open(name, &conf, &port, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	eth_init(&peer->eth, port, 0);
	peer->listener = kernel_socket(peer, AF_INET, SOCK_STREAM, 0);
	peer->udp = kernel_socket(peer, AF_INET, SOCK_DGRAM, 0);
	bind_to_port(peer->listener);
	bind_to_port(peer->udp);
	PEER_CHECK(listen(peer->listener, 5) == 0);
}

int peer_raw(const struct peer *peer, const char *dev)
{
	int fd = kernel_socket(peer, AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", dev);
	PEER_CHECK(ioctl(fd, SIOCGIFINDEX, &ifr) == 0);
	at.sll_ifindex = ifr.ifr_ifindex;
	PEER_CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	return fd;
}

/* Sends the @len bytes at @frame behind its Ethernet header. */
static void send_packet(struct peer *peer, const uint8_t *frame, uint32_t len,
			struct mac dst, enum ethertype type)
{
	struct pkt *p = pkt_new(&peer->pool, PKT_CONTROL);

	PEER_CHECK(p && len - 14 <= PKT_HEAD_LEN);
	memcpy(pkt_push(p, len - 14), frame + 14, len - 14);
	eth_output(&peer->eth, p, dst, type, 0);
	eth_flush(&peer->eth, 0);
}

static void send_arp(struct peer *peer, uint16_t op, struct mac dst)
{
	struct build_arp arp = {
		.op = op,
		.sender_mac = peer->eth.mac,
		.sender_ip = our_ip,
		.target_mac = dst,
		.target_ip = kernel_ip,
	};
	uint8_t frame[64];

	send_packet(peer, frame, build_arp(frame, &arp), dst, ETHERTYPE_ARP);
}

/* Notes the frame of @p; true when it is for us to look at. */
static bool note(struct peer *peer, struct pkt *p)
{
	struct step step;

	peer->sum_ok = p->flags & PKT_SUM_OK;
	peer->gso_len = p->gso_len;
	peer->len = pkt_read(p, 0, peer->frame, sizeof(peer->frame));
	peer->look = look(peer->frame, peer->len);
	step = eth_input(&peer->eth, p);
	peer->flags = p->flags;
	peer->vlan = p->vlan;
	pkt_free(p);
	return step.next == NEXT_ARP || step.next == NEXT_IP4;
}

/* The next frame for us, of any kind. */
static void receive_any(struct peer *peer)
{
	uint64_t until = clock_now_ns() + 5 * NS_PER_S;
	struct pollfd fd = { .fd = peer->eth.port->fd, .events = POLLIN };
	struct pkt *p;

	for (;;) {
		if (port_rx_burst(peer->eth.port, &p, 1, 1) == 1) {
			PEER_CHECK(p->at_ns == 1);
			if (note(peer, p))
				return;
			continue;
		}
		PEER_CHECK(clock_now_ns() < until);
		poll(&fd, 1, 100);
	}
}

void peer_receive(struct peer *peer)
{
	do {
		receive_any(peer);
		if (peer->look.arp_op == 1 && ip4_eq(peer->look.target_ip, our_ip))
			send_arp(peer, 2, peer->look.sender_mac);
	} while (peer->look.type != ETHERTYPE_IP4 || !ip4_eq(peer->look.dst, our_ip));
	/* Nobody looked at the sum but us, or somebody vouches for it. */
	PEER_CHECK(peer->sum_ok || peer->look.sound);
}

void peer_meet(struct peer *peer)
{
	send_arp(peer, 1, all);
	do
		receive_any(peer);
	while (peer->look.arp_op != 2);
	PEER_CHECK(peer->look.sound);
	peer->kernel_mac = peer->look.sender_mac;
}

static struct build_ip4 to_kernel(void)
{
	return (struct build_ip4){ .src = our_ip, .dst = kernel_ip, .frag = BUILD_DF };
}

static void send_tcp(struct peer *peer, uint16_t flags)
{
	struct build_ip4 ip = to_kernel();
	struct build_tcp tcp = {
		.src_port = OUR_PORT,
		.dst_port = PEER_PORT,
		.seq = peer->snd,
		.ack = peer->rcv,
		.flags = flags,
		.window = 65535,
		.options = "\2\4\x05\xb4", /* MSS 1460 */
		.options_len = flags & SYN ? 4 : 0,
	};
	uint8_t frame[128];

	send_packet(peer, frame, build_tcp(frame, &ip, &tcp, NULL, 0), peer->kernel_mac,
		    ETHERTYPE_IP4);
}

void peer_close(struct peer *peer)
{
	/* So that the next connection may have the same ports. */
	if (peer->conn >= 0)
		send_tcp(peer, RST | ACK);
	eth_fini(&peer->eth);
	PEER_CHECK(peer->pool.pkts.n_out == 0 && peer->pool.bufs.n_out == 0);
	pkt_pool_fini(&peer->pool);
	close(peer->listener);
	close(peer->udp);
	if (peer->conn >= 0)
		close(peer->conn);
	if (peer->netns >= 0)
		close(peer->netns);
}

void peer_connect(struct peer *peer)
{
	peer->snd = 1000;
	peer->rcv = 0;
	send_tcp(peer, SYN);
	do
		peer_receive(peer);
	while (peer->look.flags != (SYN | ACK));
	PEER_CHECK(peer->look.ack == 1001);
	peer->snd = 1001;
	peer->rcv = peer->look.seq + 1;
	send_tcp(peer, ACK);
	peer->conn = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	PEER_CHECK(peer->conn >= 0);
}

static const uint8_t *pattern(uint32_t len)
{
	static uint8_t bytes[1 << 20];

	PEER_CHECK(len <= sizeof(bytes));
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 24);
	return bytes;
}

/* Sends the frame with its sum left to others, @header_len bytes of it in a head[]. */
static void send_partial(struct peer *peer, const uint8_t *frame, uint32_t header_len,
			 uint32_t len, uint32_t piece)
{
	struct pkt *p = pkt_new(&peer->pool, PKT_DATA);
	uint8_t proto = frame[14 + 9];
	uint16_t sum;

	PEER_CHECK(p);
	memcpy(pkt_push(p, header_len - 14), frame + 14, header_len - 14);
	for (uint32_t at = header_len; at < len; at += piece) {
		struct pkt *part = pkt_new_buf(&peer->pool, PKT_DATA, 0);

		PEER_CHECK(part);
		PEER_CHECK(pkt_append(part, frame + at,
				      len - at < piece ? len - at : piece));
		pkt_chain(p, part);
	}
	p->l4 = p->data + 20;
	p->proto = proto;
	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = proto == 6 && len - header_len > MSS ? MSS : 0;
	sum = build_partial(our_ip, kernel_ip, proto, len - 34);
	memcpy(p->l4 + (proto == 6 ? 16 : 6), &sum, sizeof(sum));
	eth_output(&peer->eth, p, peer->kernel_mac, ETHERTYPE_IP4, 0);
	eth_flush(&peer->eth, 0);
}

/* Reads @len bytes from a socket of the kernel and compares them. */
static void expect_bytes(int fd, uint32_t len)
{
	const uint8_t *want = pattern(len);
	static uint8_t got[1 << 16];
	uint32_t at = 0;

	while (at < len) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		ssize_t n;

		PEER_CHECK(poll(&in, 1, 5000) == 1);
		n = read(fd, got, sizeof(got));
		PEER_CHECK(n > 0 && (uint32_t)n <= len - at);
		PEER_CHECK(memcmp(got, want + at, (size_t)n) == 0);
		at += (uint32_t)n;
	}
}

void peer_send_super(struct peer *peer, uint32_t len, uint32_t piece)
{
	static uint8_t frame[BUILD_MAX];
	struct build_ip4 ip = to_kernel();
	struct build_tcp tcp = {
		.src_port = OUR_PORT,
		.dst_port = PEER_PORT,
		.seq = peer->snd,
		.ack = peer->rcv,
		.flags = ACK | PSH,
		.window = 65535,
	};
	uint32_t n = build_tcp(frame, &ip, &tcp, pattern(len), len);

	send_partial(peer, frame, 54, n, piece);
	peer->snd += len;
	expect_bytes(peer->conn, len);
	do
		peer_receive(peer);
	while (peer->look.ack != peer->snd);
}

uint32_t peer_receive_stream(struct peer *peer, uint32_t len)
{
	const uint8_t *want = pattern(len);
	uint32_t at = 0, written = 0, in_super = 0;

	while (at < len) {
		ssize_t n = write(peer->conn, want + written, len - written);

		written += n > 0 ? (uint32_t)n : 0;
		peer_receive(peer);
		/* What comes again comes since we did not acknowledge fast enough. */
		if (peer->look.proto != 6 || peer->look.seq != peer->rcv)
			continue;
		PEER_CHECK(peer->look.payload_len <= len - at);
		PEER_CHECK(memcmp(peer->look.payload, want + at,
				  peer->look.payload_len) == 0);
		PEER_CHECK(peer->gso_len == 0 || peer->gso_len <= MSS);
		in_super += peer->gso_len ? peer->look.payload_len : 0;
		at += peer->look.payload_len;
		peer->rcv += peer->look.payload_len;
		send_tcp(peer, ACK);
	}
	return in_super;
}

void peer_udp_send(struct peer *peer, uint32_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(OUR_PORT) };

	memcpy(&to.sin_addr, our_ip.b, sizeof(our_ip));
	PEER_CHECK(sendto(peer->udp, pattern(len), len, 0, (struct sockaddr *)&to,
			  sizeof(to)) == (ssize_t)len);
}

void peer_udp(struct peer *peer, uint32_t len)
{
	struct build_ip4 ip = to_kernel();
	uint8_t frame[2048], got[2048];
	uint32_t n = build_udp(frame, &ip, OUR_PORT, PEER_PORT, pattern(len), len);
	struct pollfd in = { .fd = peer->udp, .events = POLLIN };

	send_partial(peer, frame, 42, n, 4096);
	PEER_CHECK(poll(&in, 1, 5000) == 1);
	PEER_CHECK(read(peer->udp, got, sizeof(got)) == (ssize_t)len);
	PEER_CHECK(memcmp(got, pattern(len), len) == 0);
	peer_udp_send(peer, len);
	do
		peer_receive(peer);
	while (peer->look.proto != 17);
	PEER_CHECK(peer->look.payload_len == len);
	PEER_CHECK(memcmp(peer->look.payload, pattern(len), len) == 0);
}

void peer_send_tagged(struct peer *peer, const char *dev, uint16_t tci)
{
	struct build_ip4 ip = {
		.eth_dst = peer->eth.mac,
		.eth_src = peer->kernel_mac,
		.src = kernel_ip,
		.dst = our_ip,
	};
	uint8_t frame[128], tag[4] = { 0x81, 0, (uint8_t)(tci >> 8), (uint8_t)tci };
	uint32_t len = build_udp(frame, &ip, PEER_PORT, OUR_PORT, "tagged", 6);
	int raw = peer_raw(peer, dev);

	memmove(frame + 16, frame + 12, len - 12);
	memcpy(frame + 12, tag, sizeof(tag));
	PEER_CHECK(write(raw, frame, len + 4) == (ssize_t)len + 4);
	close(raw);
}
