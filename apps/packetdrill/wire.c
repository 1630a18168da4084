#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/packetdrill/drill_impl.h"
#include "eth/offload.h"
#include "eth/port.h"
#include "eth/port_impl.h"
#include "stack/api/stack.h"

enum {
	ETH_LEN = 14,
	ARP_LEN = 28,
	GRACE_US = 300, /* of real time, for a thread whose call came through */
	PROTO_TCP = 6,
};

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };

/* Of an IP packet: where its layers begin, as its owner below us wants to know. */
static void find_layers(struct pkt *p)
{
	const uint8_t *ip = p->data + ETH_LEN;

	p->l3 = p->data + ETH_LEN;
	if (p->len >= ETH_LEN + 20 && ip[0] >> 4 == 4) {
		p->proto = ip[9];
		p->l4 = p->l3 + (size_t)(ip[0] & 15) * 4;
	} else if (p->len >= ETH_LEN + 40 && ip[0] >> 4 == 6) {
		p->proto = ip[6];
		p->l4 = p->l3 + 40;
	}
}

void drill_put_frame(struct drill *d, const uint8_t to[6], uint16_t type,
		     const void *bytes, size_t len)
{
	uint8_t frame[PKT_MAX_LEN];
	struct pkt *p;

	if (len > PKT_MAX_LEN - ETH_LEN)
		return;
	memcpy(frame, to, 6);
	memcpy(frame + 6, our_mac, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + ETH_LEN, bytes, len);
	p = port_pkt(&d->pool, frame, (uint32_t)(ETH_LEN + len));
	if (!p)
		return;
	find_layers(p);
	/* Longer than the wire takes: as if what came was merged. */
	if (p->proto == PROTO_TCP && len > d->mtu) {
		p->gso_len = (uint16_t)(d->mss ? d->mss : d->mtu - (p->l4 - p->l3) - 20);
		p->flags |= PKT_SUM_PARTIAL;
	}
	port_tx_burst(d->far, &p, 1, d->now_ns);
}

/* Whoever is asked for is us (RFC 826). */
static void answer_arp(struct drill *d, const uint8_t *arp)
{
	uint8_t out[ARP_LEN];

	if (arp[7] != 1 || memcmp(arp + 14, arp + 24, 4) == 0)
		return;
	memcpy(out, arp, 8);
	out[7] = 2;
	memcpy(out + 8, our_mac, 6);
	memcpy(out + 14, arp + 24, 4);
	memcpy(out + 18, arp + 8, 10);
	drill_put_frame(d, arp + 8, 0x0806, out, sizeof(out));
}

static void keep(struct drill *d, const uint8_t *bytes, size_t len)
{
	struct drill_sent *s = malloc(sizeof(*s) + len);

	if (!s)
		return;
	s->at_ns = d->now_ns;
	s->len = len;
	memcpy(s->bytes, bytes, len);
	list_push(&d->sent, &s->node);
}

static size_t flatten(struct pkt *p, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (; p && n + p->len <= room; p = p->next) {
		memcpy(to + n, p->data, p->len);
		n += p->len;
	}
	return n;
}

/* One frame without its Ethernet header.  True: we had an answer. */
static bool take_frame(struct drill *d, struct pkt *p)
{
	uint8_t frame[PKT_MAX_LEN];
	size_t len = flatten(p, frame, sizeof(frame));
	unsigned type = len > ETH_LEN ? (unsigned)frame[12] << 8 | frame[13] : 0;

	pkt_free(p);
	if (type == 0x0800)
		keep(d, frame + ETH_LEN, len - ETH_LEN);
	if (type != 0x0806 || len < ETH_LEN + ARP_LEN)
		return false;
	answer_arp(d, frame + ETH_LEN);
	return true;
}

/* A super-frame, cut into the segments that a device would send. */
static void take_super(struct drill *d, struct pkt *p)
{
	struct offload_cut cut;
	struct pkt *seg;

	find_layers(p);
	offload_cut_start(&cut, p);
	while ((seg = offload_cut_next(&cut)))
		take_frame(d, seg);
	offload_cut_end(&cut);
}

/* What the stack sent.  True: we had an answer. */
static bool take_frames(struct drill *d)
{
	bool answered = false;
	struct pkt *p;

	while (port_rx_burst(d->far, &p, 1, d->now_ns) == 1) {
		if (p->gso_len)
			take_super(d, p);
		else
			answered |= take_frame(d, p);
	}
	return answered;
}

uint64_t drill_turn(struct drill *d)
{
	uint64_t due;

	do {
		due = pb_turn(d->now_ns);
	} while (take_frames(d) || due <= d->now_ns);
	return due;
}

void drill_let_look(struct drill *d)
{
	const struct timespec grace = { .tv_nsec = GRACE_US * 1000 };
	unsigned before = d->n_waiting;

	if (before == 0)
		return;
	d->n_to_look = before;
	pb_core_use(NULL);
	pthread_cond_broadcast(&d->news);
	while (d->n_to_look > 0)
		pthread_cond_wait(&d->looked, &d->lock);
	if (d->n_waiting < before) {
		/* It looks at the clock, and that shall say now. */
		pthread_mutex_unlock(&d->lock);
		nanosleep(&grace, NULL);
		pthread_mutex_lock(&d->lock);
	}
	pb_core_use(d->core);
}

void drill_run_until(struct drill *d, uint64_t end_ns)
{
	uint64_t due;

	while ((due = drill_turn(d)) <= end_ns) {
		drill_let_look(d);
		d->now_ns = due;
	}
	drill_let_look(d);
	d->now_ns = end_ns;
	drill_turn(d);
	drill_let_look(d);
}

void drill_enter(struct drill *d)
{
	pthread_mutex_lock(&d->lock);
	if (!d->stack)
		drill_open(d);
	pb_core_use(d->core);
}

void drill_leave(struct drill *d)
{
	int err = errno;

	drill_turn(d);
	drill_let_look(d);
	pb_core_use(NULL);
	pthread_mutex_unlock(&d->lock);
	errno = err;
}

void drill_wait(struct drill *d)
{
	d->n_waiting++;
	drill_turn(d);
	pb_core_use(NULL);
	if (d->n_to_look > 0 && --d->n_to_look == 0)
		pthread_cond_signal(&d->looked);
	pthread_cond_wait(&d->news, &d->lock);
	d->n_waiting--;
	pb_core_use(d->core);
}

void drill_came_through(struct drill *d)
{
	drill_turn(d);
	if (d->n_to_look > 0 && --d->n_to_look == 0)
		pthread_cond_signal(&d->looked);
}
