/*
 * "pcap:FILE:PORT": any other port, with all its frames also written to a file that
 * Wireshark and its kin read.
 *
 * Frames are written as the stack sees them: super-frames whole, and with a checksum
 * even where nobody made one.  A file that cannot be written ends the capture, never
 * the traffic; the frames that are missing are counted.  The file is its owner's alone:
 * it holds mail, and may hold passwords.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eth/eth_wire.h"
#include "eth/pcapng_wire.h"
#include "eth/port_impl.h"
#include "eth/sum_whole.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"

enum { PCAP_BUFFER_LEN = 1 << 18, PCAP_FILE_MAX = 100 };

struct port_pcap {
	struct port port;
	struct port *inner;   /* owned */
	FILE *file;	      /* NULL after an error */
	bool dirty;	      /* there are bytes that the file does not have yet */
	uint64_t epoch_ns;    /* added to the core's time to get the file's */
	uint64_t n_lost;      /* frames that were not written */
	uint64_t n_no_memory; /* tx_no_memory as we showed it last */
};

/* An error stays with the file until check_file() asks. */
static void write_bytes(struct port_pcap *pp, const void *bytes, size_t len)
{
	if (len)
		fwrite(bytes, 1, len, pp->file);
}

/* An error ends the capture. */
static void check_file(struct port_pcap *pp)
{
	if (!ferror(pp->file))
		return;
	fclose(pp->file);
	pp->file = NULL;
	pp->n_lost++;
}

/*
 * The first @len bytes of a frame as they are to be written: with the sum that nobody
 * made, and with the tag that the port took off.  How many they are then.
 */
static uint32_t whole_head(const struct port_pcap *pp, const struct pkt *p, uint8_t *out,
			   uint32_t len)
{
	enum { TAG_AT = 12 };
	struct wr w = wr_of(out + TAG_AT, ETH_TAG_LEN);

	memcpy(out, p->data, len);
	if (p->flags & (PKT_SUM_OK | PKT_SUM_PARTIAL))
		sum_whole(p, !pp->port.point_to_point, out, len);
	if (!(p->flags & PKT_VLAN) || len < TAG_AT)
		return len;
	memmove(out + TAG_AT + ETH_TAG_LEN, out + TAG_AT, len - TAG_AT);
	wr16(&w, ETHERTYPE_VLAN);
	wr16(&w, p->vlan);
	return len + ETH_TAG_LEN;
}

static void write_frame(struct port_pcap *pp, const struct pkt *p, enum pcapng_dir dir,
			uint64_t now_ns)
{
	uint8_t head[PKT_HEADERS_LEN + ETH_TAG_LEN], front[PCAPNG_PACKET_HEAD_LEN];
	uint32_t plain = p->len < PKT_HEADERS_LEN ? p->len : PKT_HEADERS_LEN;
	uint32_t head_len = whole_head(pp, p, head, plain);
	uint32_t len = p->total_len - plain + head_len;
	uint8_t behind[PCAPNG_PACKET_TAIL_MAX];
	struct wr w = wr_of(front, sizeof(front));

	pcapng_emit_head(&w, now_ns + pp->epoch_ns, len);
	write_bytes(pp, front, sizeof(front));
	write_bytes(pp, head, head_len);
	write_bytes(pp, p->data + plain, p->len - plain);
	for (const struct pkt *part = p->next; part; part = part->next)
		write_bytes(pp, part->data, part->len);
	w = wr_of(behind, sizeof(behind));
	pcapng_emit_tail(&w, dir, len);
	write_bytes(pp, behind, (size_t)(w.p - behind));
	pp->dirty = true;
}

static void capture(struct port_pcap *pp, struct pkt **burst, unsigned n,
		    enum pcapng_dir dir, uint64_t now_ns)
{
	for (unsigned i = 0; i < n; i++) {
		if (!pp->file) {
			pp->n_lost++;
			continue;
		}
		write_frame(pp, burst[i], dir, now_ns);
		check_file(pp);
	}
}

/* What was counted below is shown here, and what eth counted here goes below. */
static void share_stats(struct port_pcap *pp)
{
	struct port_stats *ours = &pp->port.stats, *inner = &pp->inner->stats;

	inner->tx_no_memory += ours->tx_no_memory - pp->n_no_memory;
	*ours = *inner;
	ours->capture_lost += pp->n_lost;
	pp->n_no_memory = ours->tx_no_memory;
}

/* Nothing came: a time to let readers of the file see what there is. */
static void flush(struct port_pcap *pp)
{
	if (!pp->file || !pp->dirty)
		return;
	fflush(pp->file);
	pp->dirty = false;
	check_file(pp);
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_pcap *pp = container_of(port, struct port_pcap, port);
	unsigned got = port_rx_burst(pp->inner, burst, n, now_ns);

	capture(pp, burst, got, PCAPNG_IN, now_ns);
	if (got == 0)
		flush(pp);
	share_stats(pp);
	return got;
}

static void tx_burst(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct port_pcap *pp = container_of(port, struct port_pcap, port);

	capture(pp, burst, n, PCAPNG_OUT, now_ns);
	port_tx_burst(pp->inner, burst, n, now_ns);
	share_stats(pp);
}

static void pcap_close(struct port *port)
{
	struct port_pcap *pp = container_of(port, struct port_pcap, port);

	port_close(pp->inner);
	if (pp->file)
		fclose(pp->file);
	free(pp);
}

/* A new file with what stands at its front.  0 or -errno. */
static int create(struct port_pcap *pp, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint8_t start[PCAPNG_START_MAX];
	struct wr w = wr_of(start, sizeof(start));
	int err = 0;

	if (fd < 0)
		return -errno;
	pp->file = fdopen(fd, "wb");
	if (!pp->file) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(pp->file, NULL, _IOFBF, PCAP_BUFFER_LEN);
	pcapng_emit_start(&w, pp->inner->point_to_point ? PCAPNG_IP : PCAPNG_ETHERNET,
			  pp->inner->name);
	write_bytes(pp, start, (size_t)(w.p - start));
	if (fflush(pp->file) != 0) {
		err = -errno;
		fclose(pp->file);
	}
	return err;
}

/* We show everything that the inner port is. */
static void wrap(struct port_pcap *pp, const struct port_conf *conf)
{
	pp->port = *pp->inner;
	pp->port.ops = &port_pcap_ops;
	/* A simulation's time is the file's; a core's counts from the host's start. */
	if (!conf->sim)
		pp->epoch_ns = clock_wall_ns() - clock_now_ns();
}

static int pcap_open(const char *arg, const struct port_conf *conf, struct port **port,
		     char error[static PORT_ERROR_LEN])
{
	const char *colon = strchr(arg, ':');
	size_t len = colon ? (size_t)(colon - arg) : 0;
	char path[PCAP_FILE_MAX] = "";
	struct port_pcap *pp;
	int err;

	if (len == 0 || len >= sizeof(path))
		return port_error(
			EINVAL, error,
			"pcap:%.60s is not pcap:FILE:PORT, FILE of 1 to %d letters", arg,
			PCAP_FILE_MAX - 1);
	memcpy(path, arg, len);
	pp = calloc(1, sizeof(*pp));
	if (!pp)
		return port_error(ENOMEM, error, "pcap:%s: no memory", path);
	err = port_open(colon + 1, conf, &pp->inner, error);
	if (err)
		goto no_inner;
	err = create(pp, path);
	if (err) {
		port_error(-err, error, "pcap:%s: %s", path, strerror(-err));
		goto no_file;
	}
	wrap(pp, conf);
	*port = &pp->port;
	return 0;
no_file:
	port_close(pp->inner);
no_inner:
	free(pp);
	return err;
}

const struct port_ops port_pcap_ops = {
	.name = "pcap",
	.open = pcap_open,
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = pcap_close,
};
