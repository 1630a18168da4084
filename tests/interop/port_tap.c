/*
 * The TAP driver and the host's kernel.  To be run as root in a network namespace of
 * its own: in_namespace does it.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "stack/core/host_nl.h"
#include "tests/interop/peer.h"

static const struct addr host_addr = { .family = ADDR_IP4, .ip4 = { { 192, 0, 2, 1 } } };

static struct peer peer;

static void open_tap(const char *name, struct port_conf conf)
{
	peer_open(&peer, name, NULL, conf);
	PEER_CHECK(host_nl_set(peer.eth.port->host_dev, conf.mtu, &host_addr, 24) == 0);
	PEER_CHECK(peer.eth.port->fd >= 0);
	PEER_CHECK(peer.pool.pkts.n_out == peer.eth.port->n_standing);
	PEER_CHECK(peer.pool.bufs.n_out == peer.eth.port->n_standing);
}

static void super_frames_pass_whole(void)
{
	const struct port_stats *stats;

	open_tap("tap:pbt0", (struct port_conf){ .offload = true });
	stats = &peer.eth.port->stats;
	peer_meet(&peer);
	peer_connect(&peer);
	peer_send_super(&peer, 60000, 4096);
	PEER_CHECK(stats->tx_super == 1);
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

static void a_plain_device_gets_plain_frames(void)
{
	open_tap("tap:pbt0", (struct port_conf){ .offload = false });
	PEER_CHECK(peer.eth.port->caps == 0);
	peer_meet(&peer);
	peer_connect(&peer);
	peer_send_super(&peer, 60000, 4096);
	PEER_CHECK(peer_receive_stream(&peer, 300000) == 0);
	PEER_CHECK(!peer.sum_ok);
	peer_udp(&peer, 1472);
	PEER_CHECK(peer.eth.port->stats.rx_super + peer.eth.port->stats.tx_super == 0);
	peer_close(&peer);
}

static void it_works_again_after_memory_was_short(void)
{
	static const uint8_t frame[1400];
	struct pkt *all = NULL, *p;
	int raw;

	open_tap("tap:pbt0", (struct port_conf){ .offload = true });
	peer_meet(&peer);
	raw = peer_raw(&peer, "pbt0");
	while ((p = pkt_new_buf(&peer.pool, PKT_CONTROL, 0))) {
		p->link = all;
		all = p;
	}
	PEER_CHECK(write(raw, frame, sizeof(frame)) == sizeof(frame));
	close(raw);
	while (port_rx_burst(peer.eth.port, &p, 1, 0))
		pkt_free(p);
	PEER_CHECK(peer.eth.port->stats.rx_no_memory > 0);
	pkt_free_list(all);
	peer_udp(&peer, 1472);
	peer_close(&peer);
}

static void a_tag_stays_in_the_frame(void)
{
	struct pkt *p;

	open_tap("tap:pbt0", (struct port_conf){ .offload = true });
	peer_meet(&peer);
	peer_send_tagged(&peer, "pbt0", 0x6000);
	for (;;) {
		if (!port_rx_burst(peer.eth.port, &p, 1, 0))
			continue;
		if (p->data[12] == 0x81)
			break;
		pkt_free(p);
	}
	PEER_CHECK(eth_input(&peer.eth, p).next == NEXT_IP4);
	PEER_CHECK(p->flags & PKT_VLAN && p->vlan == 0x6000);
	PEER_CHECK(p->total_len == 20 + 8 + 6);
	pkt_free(p);
	peer_close(&peer);
}

static void a_device_stays_if_asked_and_goes_otherwise(void)
{
	struct host_link link;
	struct mac ours;

	open_tap("tap:pbt1", (struct port_conf){ .persist = true, .mtu = 9000 });
	PEER_CHECK(peer.eth.mtu == 9000);
	ours = peer.eth.mac;
	peer_close(&peer);
	PEER_CHECK(host_nl_find("pbt1", &link) == 0);
	PEER_CHECK(link.mtu == 9000 && link.up && link.index > 0);
	PEER_CHECK(!mac_eq(link.mac, ours));

	/* Found again: its MTU, and the same address of ours. */
	open_tap("tap:pbt1", (struct port_conf){ .offload = true });
	PEER_CHECK(peer.eth.mtu == 9000);
	PEER_CHECK(mac_eq(peer.eth.mac, ours));
	peer_meet(&peer);
	peer_close(&peer);
	PEER_CHECK(system("ip link del pbt1") == 0);

	open_tap("tap:pbt2", (struct port_conf){ 0 });
	PEER_CHECK(!mac_eq(peer.eth.mac, ours));
	PEER_CHECK((peer.eth.mac.b[0] & 3) == 2);
	PEER_CHECK(peer.eth.mtu == 1500);
	peer_close(&peer);
	PEER_CHECK(host_nl_find("pbt2", &link) == -ENODEV);
}

static void an_address_of_the_user_is_taken(void)
{
	static const struct mac mine = { { 2, 1, 2, 3, 4, 5 } };

	open_tap("tap:pbt0", (struct port_conf){ .mac = mine, .offload = true });
	PEER_CHECK(mac_eq(peer.eth.mac, mine));
	peer_meet(&peer);
	peer_udp(&peer, 100);
	peer_close(&peer);
}

/* A subnet is behind one device; pbv0 is the namespace's other one. */
static void a_subnet_of_another_device_is_seen(void)
{
	static const struct addr nothing,
		other = { .family = ADDR_IP4, .ip4 = { { 198, 51, 100, 1 } } };
	struct host_clash clash = { 0 };

	open_tap("tap:pbt0", (struct port_conf){ 0 });
	PEER_CHECK(host_nl_clash("pbt0", &host_addr, 24, &clash) == 0);
	PEER_CHECK(host_nl_clash("pbv0", &nothing, 0, &clash) == 0);
	PEER_CHECK(host_nl_clash("pbv0", &other, 24, &clash) == 0);
	PEER_CHECK(host_nl_clash("pbv0", &host_addr, 30, &clash) == -EADDRINUSE);
	PEER_CHECK(host_nl_clash("pbv0", &host_addr, 16, &clash) == -EADDRINUSE);
	PEER_CHECK(strcmp(clash.dev, "pbt0") == 0 && clash.bits == 24);
	PEER_CHECK(addr_eq(&clash.addr, &host_addr));
	PEER_CHECK(host_nl_clash("pbt9", &host_addr, 24, &clash) == -ENODEV);
	peer_close(&peer);
}

static void refuse(const char *name, int err)
{
	struct port_conf conf = { .pool = &peer.pool };
	char error[PORT_ERROR_LEN] = "";
	struct port *port;

	PEER_CHECK(port_open(name, &conf, &port, error) == -err);
	PEER_CHECK(strlen(error) > 10);
}

static void errors_have_names(void)
{
	static const struct addr none;
	static const struct addr bad = { .family = ADDR_IP4 };

	open_tap("tap:pbt0", (struct port_conf){ 0 });
	refuse("tap:pbt0", EBUSY);
	refuse("tap:", EINVAL);
	refuse("tap:sixteen-letters-", EINVAL);
	refuse("tap:a/b", EINVAL);
	PEER_CHECK(host_nl_set("pbt9", 0, &none, 0) == -ENODEV);
	PEER_CHECK(host_nl_set("pbt0", 65535, &none, 0) == -EINVAL);
	PEER_CHECK(host_nl_set("pbt0", 0, &bad, 33) == -EINVAL);
	/* Twice the same is fine. */
	PEER_CHECK(host_nl_set("pbt0", 1400, &host_addr, 24) == 0);
	PEER_CHECK(host_nl_set("pbt0", 1400, &host_addr, 24) == 0);
	peer_close(&peer);
}

int main(void)
{
	super_frames_pass_whole();
	a_plain_device_gets_plain_frames();
	it_works_again_after_memory_was_short();
	a_tag_stays_in_the_frame();
	a_device_stays_if_asked_and_goes_otherwise();
	an_address_of_the_user_is_taken();
	a_subnet_of_another_device_is_seen();
	errors_have_names();
	puts("tap: all as it should be");
	return 0;
}
