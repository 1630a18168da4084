#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eth/eth.h"
#include "eth/port_sim.h"
#include "stack/base/pkt.h"
#include "tests/lib/build.h"
#include "tests/lib/case.h"
#include "tests/lib/look.h"

enum { FRAMES_MAX = 64, FILE_LEN_MAX = 1 << 20 };

/* A frame that was read back from the file. */
struct shot {
	uint64_t time_ns;
	const uint8_t *bytes;
	uint32_t len, flags;
};

static struct pkt_pool pool;
static struct sim *sim;
static struct port *captured, *plain;
static char path[64], error[PORT_ERROR_LEN];
static struct shot shots[FRAMES_MAX];

static const struct build_ip4 ip = {
	.src = { { 192, 0, 2, 1 } },
	.dst = { { 192, 0, 2, 2 } },
};
static const struct build_tcp tcp = { .seq = 1, .flags = 16 };

static struct port *plug(const char *name)
{
	struct port_conf conf = { .pool = &pool, .sim = sim, .offload = true };
	struct port *port = NULL;

	cr_assert_eq(port_open(name, &conf, &port, error), 0, "%s", error);
	return port;
}

static void setup(void)
{
	struct sim_link_conf conf = { .offload = true };
	char name[100];

	snprintf(path, sizeof(path), "/tmp/test_pcap.%d", getpid());
	unlink(path);
	cr_assert_eq(pkt_pool_init(&pool, 1024, 256), 0);
	sim = sim_new(1);
	cr_assert_eq(sim_link_add(sim, "l", &conf), 0);
	snprintf(name, sizeof(name), "pcap:%s:sim:l/0", path);
	captured = plug(name);
	plain = plug("sim:l/1");
}

static void clean(void)
{
	if (captured)
		port_close(captured);
	port_close(plain);
	sim_free(sim);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
	unlink(path);
}

Cases(pcap, setup, clean);

/* One packet block at @b of @len bytes. */
static struct shot read_shot(const uint8_t *b, uint32_t len)
{
	struct shot s = {
		.time_ns = (uint64_t)be32(b + 12) << 32 | be32(b + 16),
		.len = be32(b + 20),
		.bytes = b + 28,
	};
	const uint8_t *options = s.bytes + ((s.len + 3) & ~3u);

	cr_assert_eq(be32(b), 6);
	cr_assert_eq(be32(b + 8), 0);
	cr_assert_eq(be32(b + 24), s.len);
	cr_assert_eq(options + 16, b + len);
	cr_assert_eq(be32(options), 0x00020004);
	cr_assert_eq(be32(options + 8), 0);
	s.flags = be32(options + 4);
	return s;
}

/* Reads the file into shots; how many. */
static unsigned read_file(void)
{
	static uint8_t bytes[FILE_LEN_MAX];
	FILE *f = fopen(path, "rb");
	unsigned n_blocks = 0, n = 0;
	size_t len, at = 0;

	cr_assert_not_null(f);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	while (at < len) {
		uint32_t block_len = be32(bytes + at + 4);

		cr_assert(block_len % 4 == 0 && block_len >= 12 && block_len <= len - at);
		cr_assert_eq(be32(bytes + at + block_len - 4), block_len);
		if (n_blocks == 0)
			cr_assert_eq(be32(bytes + 8), 0x1a2b3c4d);
		else if (n_blocks == 1)
			cr_assert_eq(be32(bytes + at), 1);
		else
			shots[n++] = read_shot(bytes + at, block_len);
		n_blocks++;
		at += block_len;
	}
	cr_assert_geq(n_blocks, 2);
	return n;
}

static void send_bytes(struct port *port, const void *bytes, uint32_t len,
		       uint64_t now_ns)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

	cr_assert(pkt_append(p, bytes, len));
	port_tx_burst(port, &p, 1, now_ns);
}

static struct pkt *receive(struct port *port, uint64_t now_ns)
{
	struct pkt *p;

	return port_rx_burst(port, &p, 1, now_ns) ? p : NULL;
}

Case(pcap, writes_both_directions_with_their_times)
{
	cr_assert_str_eq(captured->name + strlen(captured->name) - 8, ":sim:l/0");
	send_bytes(captured, "frame that goes out", 19, 1000000007);
	send_bytes(plain, "frame that comes in!", 20, 2000000009);
	pkt_free(receive(captured, 2000000009));
	cr_assert_null(receive(captured, 2000000009));
	cr_assert_eq(read_file(), 2);
	cr_assert_eq(shots[0].time_ns, 1000000007);
	cr_assert_eq(shots[0].flags, 2);
	cr_assert_eq(shots[0].len, 19);
	cr_assert_arr_eq(shots[0].bytes, "frame that goes out", 19);
	cr_assert_eq(shots[1].time_ns, 2000000009);
	cr_assert_eq(shots[1].flags, 1);
	cr_assert_eq(shots[1].len, 20);
	cr_assert_arr_eq(shots[1].bytes, "frame that comes in!", 20);
}

Case(pcap, frames_get_through_as_they_were)
{
	struct pkt *p;

	send_bytes(captured, "to the other end", 16, 1);
	p = receive(plain, 1);
	cr_assert_eq(p->total_len, 16);
	cr_assert_arr_eq(p->data, "to the other end", 16);
	pkt_free(p);
	cr_assert_eq(captured->stats.tx_packets, 1);
	cr_assert_eq(captured->stats.tx_bytes, 16);
}

/* A TCP frame of @len bytes of payload in parts, its sum partial. */
static struct pkt *partial(uint32_t len, uint16_t gso_len)
{
	static uint8_t frame[BUILD_MAX], payload[65000];
	uint32_t n = build_tcp(frame, &ip, &tcp, payload, len);
	uint16_t sum = build_partial(ip.src, ip.dst, 6, 20 + len);
	struct pkt *p = pkt_new(&pool, PKT_DATA);

	memcpy(frame + 50, &sum, sizeof(sum));
	memcpy(pkt_push(p, 54), frame, 54);
	for (uint32_t at = 54; at < n; at += 4095) {
		struct pkt *part = pkt_new_buf(&pool, PKT_DATA, 0);

		cr_assert(pkt_append(part, frame + at, n - at < 4095 ? n - at : 4095));
		pkt_chain(p, part);
	}
	p->l3 = p->data + 14;
	p->l4 = p->data + 34;
	p->proto = 6;
	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = gso_len;
	return p;
}

Case(pcap, super_frames_are_whole_and_their_sums_right)
{
	struct pkt *p = partial(60000, 1448);

	port_tx_burst(captured, &p, 1, 0);
	p = receive(plain, 0);
	cr_assert(p->flags & PKT_SUM_OK);
	pkt_free(p);
	p = partial(50001, 1448);
	port_tx_burst(plain, &p, 1, 0);
	p = receive(captured, 0);
	cr_assert_eq(p->gso_len, 1448);
	pkt_free(p);
	cr_assert_null(receive(captured, 0));
	cr_assert_eq(read_file(), 2);
	cr_assert_eq(shots[0].len, 60054);
	cr_assert(look(shots[0].bytes, shots[0].len).sound);
	cr_assert_eq(shots[1].len, 50055);
	cr_assert(look(shots[1].bytes, shots[1].len).sound);
}

Case(pcap, a_wrong_sum_from_the_wire_is_shown_as_it_is)
{
	uint8_t frame[128];
	uint32_t len = build_tcp(frame, &ip, &tcp, "x", 1);

	frame[50] ^= 1;
	send_bytes(plain, frame, len, 0);
	pkt_free(receive(captured, 0));
	cr_assert_null(receive(captured, 0));
	cr_assert_eq(read_file(), 1);
	cr_assert_arr_eq(shots[0].bytes, frame, len);
}

Case(pcap, a_tag_that_the_port_took_off_is_back)
{
	static const uint8_t frame[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

	cr_assert(pkt_append(p, frame, sizeof(frame)));
	p->flags = PKT_VLAN;
	p->vlan = 0x6005;
	port_tx_burst(captured, &p, 1, 0);
	cr_assert_null(receive(captured, 0));
	cr_assert_eq(read_file(), 1);
	cr_assert_eq(shots[0].len, sizeof(frame) + 4);
	cr_assert_arr_eq(shots[0].bytes + 12, "\x81\0\x60\x05\x08\0\x45", 7);
}

Case(pcap, only_the_owner_may_read_the_file)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Case(pcap, closing_writes_the_rest)
{
	send_bytes(captured, "last words", 10, 1);
	port_close(captured);
	captured = NULL;
	cr_assert_eq(read_file(), 1);
}

Case(pcap, is_what_the_inner_port_is)
{
	cr_assert_eq(captured->caps, PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6);
	cr_assert_eq(captured->mac.b[0], 2);
	cr_assert_eq(captured->mtu, 1500);
	cr_assert_eq(captured->fd, -1);
	cr_assert_eq(captured->pool, &pool);
}

Case(pcap, a_capture_of_a_capture_works)
{
	char name[200], second[80];

	port_close(captured);
	snprintf(second, sizeof(second), "%s.2", path);
	snprintf(name, sizeof(name), "pcap:%s:pcap:%s:sim:l/0", path, second);
	captured = plug(name);
	send_bytes(captured, "twice", 5, 1);
	port_close(captured);
	captured = NULL;
	cr_assert_eq(read_file(), 1);
	cr_assert_eq(rename(second, path), 0);
	cr_assert_eq(read_file(), 1);
}

Case(pcap, a_file_that_cannot_grow_ends_the_capture_and_not_the_traffic)
{
	struct rlimit small = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY };
	static uint8_t frame[1500];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned i = 0; i < 10; i++) {
		send_bytes(captured, frame, sizeof(frame), i);
		pkt_free(receive(plain, i));
		cr_assert_null(receive(captured, i)); /* writes what there is */
	}
	cr_assert_eq(captured->stats.tx_packets, 10);
	cr_assert_eq(plain->stats.rx_packets, 10);
	/* Two frames fit; from the third on they are missing. */
	cr_assert_eq(captured->stats.capture_lost, 8);
}

static void refuses(const char *name, int err, const char *word)
{
	struct port_conf conf = { .pool = &pool, .sim = sim };
	struct port *port = NULL;

	cr_assert_eq(port_open(name, &conf, &port, error), -err, "%s", error);
	cr_assert_null(port);
	cr_assert_not_null(strstr(error, word), "%s", error);
}

Case(pcap, says_what_is_wrong_with_a_name)
{
	char name[200];

	port_close(captured);
	captured = NULL;
	refuses("pcap:", EINVAL, "pcap:FILE:PORT");
	refuses("pcap:/tmp/x", EINVAL, "pcap:FILE:PORT");
	refuses("pcap::sim:l/0", EINVAL, "pcap:FILE:PORT");
	refuses("pcap:/dev/null:sim:m/0", ENOENT, "no such link");
	refuses("pcap:/dev/null:", ENODEV, "pcap:");
	refuses("pcap:/dev/full:sim:l/0", ENOSPC, "/dev/full");
	refuses("pcap:/nowhere/x:sim:l/0", ENOENT, "/nowhere/x");
	memset(name, 0, sizeof(name));
	memset(name, 'x', 120);
	memcpy(name, "pcap:", 5);
	memcpy(name + 110, ":sim:l/0", 8);
	refuses(name, EINVAL, "99");
	/* The inner port is free again after all that. */
	captured = plug("sim:l/0");
}

/* The layer above counts in the wrapper what the driver below never sees. */
Case(pcap, counts_of_the_layer_above_stay)
{
	captured->stats.tx_no_memory += 3;
	cr_assert_null(receive(captured, 0));
	captured->stats.tx_no_memory += 2;
	cr_assert_null(receive(captured, 0));
	cr_assert_null(receive(captured, 0));
	cr_assert_eq(captured->stats.tx_no_memory, 5);
}
