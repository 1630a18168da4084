/*
 * The drivers of packet sockets and the kernel at the other end of a veth pair.  To be
 * run by in_namespace.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/interop/peer.h"

static struct peer peer;
static const char *driver; /* "packet" or "ring" */

static const char *port_name(const char *dev)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s:%s", driver, dev);
	return name;
}

static const struct port_stats *open_veth(struct port_conf conf)
{
	peer_open(&peer, port_name("pbv0"), getenv("PEER"), conf);
	PEER_CHECK(peer.eth.port->fd >= 0);
	PEER_CHECK(peer.eth.port->host_dev[0] == 0);
	PEER_CHECK(peer.pool.bufs.n_out == peer.eth.port->n_standing);
	peer_meet(&peer);
	return &peer.eth.port->stats;
}

static void super_frames_pass_whole(void)
{
	const struct port_stats *stats = open_veth((struct port_conf){ .offload = true });

	peer_connect(&peer);
	peer_send_super(&peer, 60000, 4096);
	peer_send_super(&peer, 60000, 100); /* in more parts than one call takes */
	PEER_CHECK(stats->tx_super == 2);
	peer_send_super(&peer, 1, 1);
	PEER_CHECK(peer_receive_stream(&peer, 500000) > 250000);
	PEER_CHECK(stats->rx_super > 0);
	peer_udp(&peer, 1);
	peer_udp(&peer, 1472);
	PEER_CHECK(stats->rx_bad == 0 && stats->rx_no_memory == 0);
	PEER_CHECK(stats->tx_dropped == 0 && stats->tx_no_memory == 0);
	peer_close(&peer);
}

static void without_offload_we_send_plain_and_take_what_comes(void)
{
	const struct port_stats *stats =
		open_veth((struct port_conf){ .offload = false });

	PEER_CHECK(peer.eth.port->caps == 0);
	peer_connect(&peer);
	peer_send_super(&peer, 60000, 4096);
	PEER_CHECK(stats->tx_super == 0);
	/* The peer's kernel does not know: partial sums and super-frames come. */
	PEER_CHECK(peer_receive_stream(&peer, 300000) > 0);
	PEER_CHECK(peer.sum_ok);
	peer_udp(&peer, 1472);
	peer_close(&peer);
}

static void a_tag_that_the_kernel_took_is_told(void)
{
	open_veth((struct port_conf){ .offload = true });
	peer_send_tagged(&peer, "pbv1", 0x6000);
	do
		peer_receive(&peer);
	while (!(peer.flags & PKT_VLAN));
	PEER_CHECK(peer.vlan == 0x6000);
	PEER_CHECK(peer.look.payload_len == 6);
	peer_close(&peer);
}

static void frames_for_an_address_of_the_user_come_too(void)
{
	static const struct mac mine = { { 2, 1, 2, 3, 4, 5 } };

	open_veth((struct port_conf){ .mac = mine, .offload = true, .mtu = 1400 });
	PEER_CHECK(mac_eq(peer.eth.mac, mine));
	PEER_CHECK(peer.eth.mtu == 1400);
	peer_udp(&peer, 100);
	peer_close(&peer);
}

/* A datagram super-frame is cut by the peer, or comes whole and is counted. */
static void other_super_frames_are_counted(void)
{
	const struct port_stats *stats = open_veth((struct port_conf){ .offload = true });
	int segment = 1000;

	peer_udp(&peer, 1000);
	PEER_CHECK(setsockopt(peer.udp, SOL_UDP, UDP_SEGMENT, &segment,
			      sizeof(segment)) == 0);
	peer_udp_send(&peer, 3000);
	peer_udp_send(&peer, 1000);
	do
		peer_receive(&peer);
	while (peer.look.proto != 17);
	PEER_CHECK(stats->rx_bad == 1 || stats->rx_packets >= 5);
	peer_close(&peer);
}

static void what_the_kernel_had_no_room_for_is_counted(void)
{
	const struct port_stats *stats = open_veth((struct port_conf){ .offload = true });
	static const uint8_t frame[1514];
	int raw = peer_raw(&peer, "pbv1");

	for (unsigned i = 0; i < 20000; i++)
		PEER_CHECK(write(raw, frame, sizeof(frame)) == sizeof(frame));
	close(raw);
	for (unsigned i = 0; i < 2; i++) {
		struct pkt *p;

		while (port_rx_burst(peer.eth.port, &p, 1, 0))
			pkt_free(p);
		peer_udp(&peer, 100);
	}
	PEER_CHECK(stats->rx_missed > 0);
	PEER_CHECK(stats->rx_missed + stats->rx_packets >= 20000);
	PEER_CHECK(stats->rx_no_memory == 0);
	peer_close(&peer);
}

static void it_works_again_after_memory_was_short(void)
{
	const struct port_stats *stats = open_veth((struct port_conf){ .offload = true });
	static const uint8_t frame[1400];
	struct pkt *held = NULL, *p;
	int raw = peer_raw(&peer, "pbv1");

	while ((p = pkt_new_buf(&peer.pool, PKT_CONTROL, 0))) {
		p->link = held;
		held = p;
	}
	PEER_CHECK(write(raw, frame, sizeof(frame)) == sizeof(frame));
	close(raw);
	while (stats->rx_no_memory == 0) {
		if (port_rx_burst(peer.eth.port, &p, 1, 0))
			pkt_free(p);
	}
	pkt_free_list(held);
	peer_udp(&peer, 1472);
	peer_close(&peer);
}

static void refuse(const char *dev, uint16_t mtu, int err)
{
	struct port_conf conf = { .pool = &peer.pool, .mtu = mtu };
	char error[PORT_ERROR_LEN] = "";
	struct port *port;

	PEER_CHECK(port_open(port_name(dev), &conf, &port, error) == -err);
	PEER_CHECK(strstr(error, dev) && strstr(error, driver));
}

static void errors_have_names(void)
{
	PEER_CHECK(pkt_pool_init(&peer.pool, 64, 64) == 0);
	refuse("pbv7", 0, ENODEV);
	refuse("lo", 0, EINVAL);
	refuse("", 0, EINVAL);
	refuse("sixteen-letters-", 0, EINVAL);
	refuse("pbv0", 1501, EINVAL);
	PEER_CHECK(system("ip link add pbv8 type veth peer name pbv9") == 0);
	refuse("pbv8", 0, ENETDOWN);
	PEER_CHECK(system("ip link del pbv8") == 0);
	PEER_CHECK(peer.pool.bufs.n_out == 0);
	pkt_pool_fini(&peer.pool);
}

static void all(const char *name)
{
	driver = name;
	super_frames_pass_whole();
	without_offload_we_send_plain_and_take_what_comes();
	a_tag_that_the_kernel_took_is_told();
	frames_for_an_address_of_the_user_come_too();
	other_super_frames_are_counted();
	what_the_kernel_had_no_room_for_is_counted();
	it_works_again_after_memory_was_short();
	errors_have_names();
	printf("%s: all as it should be\n", name);
}

int main(void)
{
	all("packet");
	all("ring");
	return 0;
}
