/* TCP_INFO's fields by their names, as getsockopt() tells them: "? tcpi_snd_cwnd 10". */
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>

#include "stack/api/sock.h"
#include "tests/lib/player_impl.h"

#define FIELD(name)                                                        \
	{                                                                  \
#name, offsetof(struct tcp_info, name), sizeof_field(name) \
	}
#define sizeof_field(name) sizeof(((struct tcp_info *)NULL)->name)

/* clang-format off */
static const struct {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(tcpi_state), FIELD(tcpi_ca_state), FIELD(tcpi_retransmits),
	FIELD(tcpi_probes), FIELD(tcpi_backoff), FIELD(tcpi_options), FIELD(tcpi_rto),
	FIELD(tcpi_ato), FIELD(tcpi_snd_mss), FIELD(tcpi_rcv_mss), FIELD(tcpi_unacked),
	FIELD(tcpi_sacked), FIELD(tcpi_lost), FIELD(tcpi_retrans), FIELD(tcpi_fackets),
	FIELD(tcpi_last_data_sent), FIELD(tcpi_last_ack_sent),
	FIELD(tcpi_last_data_recv), FIELD(tcpi_last_ack_recv), FIELD(tcpi_pmtu),
	FIELD(tcpi_rcv_ssthresh), FIELD(tcpi_rtt), FIELD(tcpi_rttvar),
	FIELD(tcpi_snd_ssthresh), FIELD(tcpi_snd_cwnd), FIELD(tcpi_advmss),
	FIELD(tcpi_reordering), FIELD(tcpi_rcv_rtt), FIELD(tcpi_rcv_space),
	FIELD(tcpi_total_retrans), FIELD(tcpi_pacing_rate), FIELD(tcpi_max_pacing_rate),
	FIELD(tcpi_bytes_acked), FIELD(tcpi_bytes_received), FIELD(tcpi_segs_out),
	FIELD(tcpi_segs_in), FIELD(tcpi_notsent_bytes), FIELD(tcpi_min_rtt),
	FIELD(tcpi_data_segs_in), FIELD(tcpi_data_segs_out), FIELD(tcpi_delivery_rate),
	FIELD(tcpi_busy_time), FIELD(tcpi_rwnd_limited), FIELD(tcpi_sndbuf_limited),
	FIELD(tcpi_delivered), FIELD(tcpi_delivered_ce), FIELD(tcpi_bytes_sent),
	FIELD(tcpi_bytes_retrans), FIELD(tcpi_dsack_dups), FIELD(tcpi_reord_seen),
	FIELD(tcpi_rcv_ooopack), FIELD(tcpi_snd_wnd),
};
/* clang-format on */

bool player_info(int s, const char *name, uint64_t *value)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	const uint8_t *at;

	if (pb_getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strcmp(name, fields[i].name) != 0 ||
		    fields[i].offset + fields[i].size > len)
			continue;
		at = (const uint8_t *)&info + fields[i].offset;
		*value = 0;
		/* Least significant bytes first, as this machine has them. */
		memcpy(value, at, fields[i].size);
		return true;
	}
	return false;
}
