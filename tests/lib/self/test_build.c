#include <criterion/criterion.h>

#include "tests/lib/build.h"
#include "tests/lib/capture.h"
#include "tests/lib/look.h"

static const struct build_ip4 ip = {
	.eth_dst = { { 2, 0, 0, 0, 0, 2 } },
	.eth_src = { { 2, 0, 0, 0, 0, 1 } },
	.src = { { 192, 0, 2, 1 } },
	.dst = { { 192, 0, 2, 2 } },
	.id = 0x1234,
};

/* clang-format off */
static const uint8_t udp_bytes[] = {
	2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
	0x45, 0, 0, 31, 0x12, 0x34, 0, 0, 64, 17, 0xe4, 0x96,
	192, 0, 2, 1, 192, 0, 2, 2,
	0xc0, 0, 0, 53, 0, 11, 0x49, 0x35, 'h', 'i', '\n',
};
/* clang-format on */

static uint8_t out[BUILD_MAX];

Test(build, udp_frame_is_the_known_bytes)
{
	cr_assert_eq(build_udp(out, &ip, 0xc000, 53, "hi\n", 3), sizeof(udp_bytes));
	cr_assert_arr_eq(out, udp_bytes, sizeof(udp_bytes));
}

Test(build, look_reads_what_was_built)
{
	struct build_tcp tcp = {
		.src_port = 1,
		.dst_port = 2,
		.seq = 3,
		.ack = 4,
		.flags = 0x12,
		.window = 5,
		.options = "\2\4\5\264",
		.options_len = 4,
	};
	uint32_t len = build_tcp(out, &ip, &tcp, "data", 4);
	struct look l = look(out, len);

	cr_assert(l.sound && l.proto == 6 && ip4_eq(l.src, ip.src));
	cr_assert(l.src_port == 1 && l.dst_port == 2 && l.seq == 3 && l.ack == 4);
	cr_assert(l.flags == 0x12 && l.window == 5 && l.options_len == 4);
	cr_assert(l.payload_len == 4 && memcmp(l.payload, "data", 4) == 0);

	len = build_icmp(out, &ip, 0x0800, 0x00010002, "ping", 4);
	l = look(out, len);
	cr_assert(l.sound && l.icmp_type == 8 && l.icmp_rest == 0x00010002);
}

Test(build, look_sees_every_changed_byte)
{
	uint32_t len = build_udp(out, &ip, 1000, 2000, "payload", 7);

	for (uint32_t at = BUILD_L3; at < len; at++) {
		out[at] ^= 0x10;
		cr_assert(!look(out, len).sound, "byte %u", at);
		out[at] ^= 0x10;
	}
	cr_assert(look(out, len).sound);
}

Test(build, capture_gives_back_what_was_sent_and_injected)
{
	struct mac mac = { { 2, 0, 0, 0, 0, 9 } };
	struct pkt *burst[2];
	struct pkt_pool pool;
	struct capture cap;
	uint8_t back[64];

	cr_assert_eq(pkt_pool_init(&pool, 32, 32), 0);
	capture_init(&cap, &pool, mac, 0);
	capture_inject(&cap, udp_bytes, sizeof(udp_bytes));
	capture_inject(&cap, "second", 6);
	cr_assert_eq(port_rx_burst(&cap.port, burst, 2, 5), 2);
	cr_assert_eq(burst[0]->total_len, sizeof(udp_bytes));

	port_tx_burst(&cap.port, burst, 2, 6);
	cr_assert_eq(cap.n_tx, 2);
	cr_assert_eq(capture_take(&cap, back, sizeof(back)), sizeof(udp_bytes));
	cr_assert_arr_eq(back, udp_bytes, sizeof(udp_bytes));
	capture_fini(&cap);
	cr_assert_eq(capture_take(&cap, back, sizeof(back)), 0);
	cr_assert(pool.pkts.n_out == 0 && pool.bufs.n_out == 0);
	pkt_pool_fini(&pool);
}
