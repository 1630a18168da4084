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
	GRACE_US = 300, /* of real time, for a thread whose call came through */
	PROTO_TCP = 6,
};

/* Of an IP packet: where its layers begin, as its owner below us wants to know. */
static void find_layers(struct pkt *p)
{
	const uint8_t *ip = p->data;

	p->l3 = p->data;
	if (p->len >= 20 && ip[0] >> 4 == 4) {
		p->proto = ip[9];
		p->l4 = p->l3 + (size_t)(ip[0] & 15) * 4;
	} else if (p->len >= 40 && ip[0] >> 4 == 6) {
		p->proto = ip[6];
		p->l4 = p->l3 + 40;
	}
}

void drill_put_packet(struct drill *d, const void *bytes, size_t len)
{
	struct pkt *p;

	p = port_pkt(&d->pool, bytes, (uint32_t)len);
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

/* One packet for the script. */
static void take_packet(struct drill *d, struct pkt *p)
{
	uint8_t bytes[PKT_MAX_LEN];
	size_t len = flatten(p, bytes, sizeof(bytes));

	pkt_free(p);
	keep(d, bytes, len);
}

/* A super-frame, cut into the segments that a device would send. */
static void take_super(struct drill *d, struct pkt *p)
{
	struct offload_cut cut;
	struct pkt *seg;

	find_layers(p);
	offload_cut_start(&cut, p);
	while ((seg = offload_cut_next(&cut)))
		take_packet(d, seg);
	offload_cut_end(&cut);
}

/* What the stack sent. */
static void take_packets(struct drill *d)
{
	struct pkt *p;

	while (port_rx_burst(d->far, &p, 1, d->now_ns) == 1) {
		if (p->gso_len)
			take_super(d, p);
		else
			take_packet(d, p);
	}
}

uint64_t drill_turn(struct drill *d)
{
	uint64_t due;

	do {
		due = pb_turn(d->now_ns);
		take_packets(d);
	} while (due <= d->now_ns);
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
