#include "eth/sim_dir.h"

#include <stdlib.h>

#include "eth/eth_wire.h"
#include "eth/offload.h"
#include "eth/port.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "tcp/tcp_wire.h"

typedef unsigned __int128 wide; /* bits times nanoseconds a second leave 64 bits */

void sim_dir_init(struct sim_dir *d, const struct sim_dir_conf *conf, uint64_t seed)
{
	*d = (struct sim_dir){ .link_len = ETH_HEADER_LEN };
	list_init(&d->flight);
	rng_init(&d->rng, seed);
	sim_dir_set(d, conf);
}

static struct sim_frame *frame_of(struct list *node)
{
	return container_of(node, struct sim_frame, node);
}

void sim_dir_fini(struct sim_dir *d)
{
	struct list *node;

	while ((node = list_pop(&d->flight)))
		free(frame_of(node));
	d->flight_bytes = 0;
}

void sim_dir_set(struct sim_dir *d, const struct sim_dir_conf *conf)
{
	d->busy_ns += d->busy_part > 0; /* the part counts in units of the old rate */
	d->busy_part = 0;
	d->conf = *conf;
	if (d->conf.mtu == 0)
		d->conf.mtu = PORT_MTU;
}

/* Bytes of headers in front of the payload of a TCP super-frame. */
static uint32_t header_len(const struct pkt *p)
{
	return (uint32_t)(p->l4 - p->data) + (p->l4[12] >> 4) * 4u;
}

/* Bytes that @p occupies on the wire: a super-frame as much as its segments. */
static uint64_t wire_len(const struct pkt *p)
{
	uint32_t header, payload;

	if (!p->gso_len)
		return p->total_len;
	header = header_len(p);
	payload = p->total_len - header;
	return payload + (uint64_t)((payload + p->gso_len - 1) / p->gso_len) * header;
}

/* A tag does not count (IEEE 802.3 3.2.7: the envelope is that much longer). */
static uint32_t tag_len(const struct sim_dir *d, const struct pkt *p)
{
	return d->link_len && p->len >= ETH_HEADER_LEN &&
			       be16(p->data + 12) == ETHERTYPE_VLAN ?
		       ETH_TAG_LEN :
		       0;
}

static bool too_long(const struct sim_dir *d, const struct pkt *p)
{
	uint32_t len = p->gso_len ? header_len(p) + p->gso_len : p->total_len;

	return len > d->link_len + tag_len(d, p) + d->conf.mtu;
}

/* Bytes that wait for the wire or are half on it. */
static uint64_t queued(const struct sim_dir *d, uint64_t now_ns)
{
	wide bits_ns;

	if (d->busy_ns < now_ns || d->conf.rate_bps == 0)
		return 0;
	bits_ns = (wide)(d->busy_ns - now_ns) * d->conf.rate_bps + d->busy_part;
	return (uint64_t)(bits_ns / (8 * NS_PER_S));
}

/* Puts @len bytes on the wire; when the last bit has left. */
static uint64_t transmit(struct sim_dir *d, uint64_t len, uint64_t now_ns)
{
	wide bits_ns = (wide)len * 8 * NS_PER_S;

	if (d->conf.rate_bps == 0)
		return now_ns;
	if (d->busy_ns < now_ns) {
		d->busy_ns = now_ns;
		d->busy_part = 0;
	}
	bits_ns += d->busy_part;
	d->busy_ns += (uint64_t)(bits_ns / d->conf.rate_bps);
	d->busy_part = (uint64_t)(bits_ns % d->conf.rate_bps);
	return d->busy_ns + (d->busy_part > 0);
}

static uint64_t random_below(struct rng *r, uint64_t n)
{
	return (uint64_t)((wide)rng_u64(r) * n >> 64);
}

/* When a frame whose last bit left at @sent_ns arrives. */
static uint64_t arrival(struct sim_dir *d, uint64_t sent_ns)
{
	uint64_t at_ns = sent_ns + d->conf.delay_ns;

	if (d->conf.jitter_ns)
		at_ns += random_below(&d->rng, d->conf.jitter_ns + 1);
	if (at_ns < d->last_ns)
		at_ns = d->last_ns;
	if (d->conf.reorder > 0 && rng_chance(&d->rng, d->conf.reorder)) {
		d->stats.reordered++;
		return at_ns + d->conf.reorder_ns;
	}
	d->last_ns = at_ns;
	return at_ns;
}

static void insert(struct sim_dir *d, struct sim_frame *f)
{
	struct list *at = d->flight.prev;

	/* Only frames that were reordered lie behind: few, so this is short. */
	while (at != &d->flight && frame_of(at)->at_ns > f->at_ns)
		at = at->prev;
	list_insert(at, &f->node);
	d->flight_bytes += f->len;
}

static struct sim_frame *frame_new(struct sim_dir *d, uint32_t len)
{
	struct sim_frame *f = NULL;

	if (d->flight_bytes + len <= SIM_FLIGHT_BYTES_MAX)
		f = malloc(sizeof(*f) + len);
	if (!f) {
		d->stats.flight_full++;
		return NULL;
	}
	*f = (struct sim_frame){ .len = len };
	return f;
}

/* A partial sum is completed, for the receiver must see that something is wrong. */
static void complete_sum(struct sim_frame *f, const struct pkt *p)
{
	uint32_t l4 = (uint32_t)(p->l4 - p->data);
	uint16_t sum = cksum_end(cksum_add(0, f->bytes + l4, f->len - l4));

	memcpy(f->bytes + l4 + offload_sum_offset(p->proto), &sum, sizeof(sum));
	f->sum_ok = false;
}

static void corrupt(struct sim_dir *d, struct sim_frame *f, const struct pkt *p)
{
	uint64_t bit;

	if (f->sum_ok)
		complete_sum(f, p);
	bit = random_below(&d->rng, (uint64_t)f->len * 8);
	f->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	d->stats.corrupted++;
}

static void duplicate(struct sim_dir *d, const struct sim_frame *f)
{
	struct sim_frame *twin = frame_new(d, f->len);

	if (!twin)
		return;
	memcpy(twin, f, sizeof(*f) + f->len);
	insert(d, twin);
	d->stats.duplicated++;
}

/* A frame that is on the wire and not lost. */
static void fly(struct sim_dir *d, const struct pkt *p, struct sim_frame *f,
		uint64_t sent_ns)
{
	f->at_ns = arrival(d, sent_ns);
	f->gso_len = p->gso_len;
	f->sum_ok = p->flags & PKT_SUM_PARTIAL;
	if (d->conf.corrupt > 0 && rng_chance(&d->rng, d->conf.corrupt))
		corrupt(d, f, p);
	insert(d, f);
	if (d->conf.duplicate > 0 && rng_chance(&d->rng, d->conf.duplicate))
		duplicate(d, f);
}

/* False: the frame does not get as far as the wire. */
static bool admitted(struct sim_dir *d, const struct pkt *p, const struct sim_frame *f,
		     uint64_t now_ns)
{
	uint64_t waiting = queued(d, now_ns);

	if (d->filter && !d->filter(d->filter_ctx, f->bytes, f->len, now_ns)) {
		d->stats.filtered++;
		return false;
	}
	if (too_long(d, p)) {
		d->stats.too_long++;
		return false;
	}
	if (d->conf.queue_bytes && waiting &&
	    waiting + wire_len(p) > d->conf.queue_bytes) {
		d->stats.queue_full++;
		return false;
	}
	return true;
}

void sim_dir_send(struct sim_dir *d, const struct pkt *p, uint64_t now_ns)
{
	struct sim_frame *f = frame_new(d, p->total_len);
	uint64_t sent_ns;

	d->stats.sent++;
	if (!f)
		return;
	pkt_read(p, 0, f->bytes, f->len);
	if (!admitted(d, p, f, now_ns)) {
		free(f);
		return;
	}
	sent_ns = transmit(d, wire_len(p), now_ns);
	if (d->conf.loss > 0 && rng_chance(&d->rng, d->conf.loss)) {
		d->stats.lost++;
		free(f);
		return;
	}
	fly(d, p, f, sent_ns);
}

uint64_t sim_dir_due(const struct sim_dir *d)
{
	return list_empty(&d->flight) ? UINT64_MAX : frame_of(d->flight.next)->at_ns;
}

struct sim_frame *sim_dir_take(struct sim_dir *d, uint64_t now_ns)
{
	struct sim_frame *f;

	if (sim_dir_due(d) > now_ns)
		return NULL;
	f = frame_of(list_pop(&d->flight));
	d->flight_bytes -= f->len;
	return f;
}
