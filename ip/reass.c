/*
 * A packet under reassembly is a list of fragments in the order of their offsets, none
 * of which touches the bytes of another.  It is whole when the last fragment has
 * said where the end is, and so many bytes are there.
 *
 * What a sender can make us hold is bounded four times: packets, memory, fragments of
 * one packet, time.  When packets or memory run out, the oldest packet makes room, for
 * most likely it will never be whole.  A packet that is refused stays as an empty
 * entry until its time is over, so that its other fragments find it and go too.
 */
#include "ip/reass.h"

#include "ip/ip_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"

enum { TCP_MIN = 20, ECN_MASK = 3, ECN_CE = 3 };

/* In the cb of a fragment that waits. */
struct place {
	uint32_t start, end; /* bytes of the payload */
};

static struct place *place_of(struct pkt *p)
{
	return (struct place *)(void *)p->cb;
}

static void fire(struct timer *t, uint64_t now_ns);

void reass_init(struct reass *r, struct ip *ip, struct wheel *wheel)
{
	r->ip = ip;
	r->wheel = wheel;
	list_init(&r->age);
	list_init(&r->unused);
	for (unsigned i = 0; i < IP_REASS_MAX; i++) {
		timer_init(&r->packets[i].timer, fire);
		list_push(&r->unused, &r->packets[i].node);
	}
}

static void empty(struct reass_packet *rp)
{
	pkt_free_list(rp->frags);
	rp->frags = NULL;
	rp->reass->memory -= rp->memory;
	rp->memory = rp->n_frags = rp->have = 0;
}

static void end(struct reass_packet *rp)
{
	empty(rp);
	timer_stop(rp->reass->wheel, &rp->timer);
	list_remove(&rp->node);
	list_insert(&rp->reass->unused, &rp->node);
}

void reass_fini(struct reass *r)
{
	while (!list_empty(&r->age))
		end(container_of(r->age.next, struct reass_packet, node));
}

/* RFC 1122 3.3.2, RFC 8200 4.5: only if the first fragment came, which says to whom. */
static void tell_late(struct ip *ip, const struct pkt *first, uint64_t now_ns)
{
	static const struct icmp_header late = { .type = ICMP_TIME_EXCEEDED,
						 .code = ICMP_TIME_EXCEEDED_REASSEMBLY };
	static const struct icmp_header late6 = {
		.type = ICMP6_TIME_EXCEEDED, .code = ICMP6_TIME_EXCEEDED_REASSEMBLY
	};

	if (first->dst.family == ADDR_IP6)
		icmp6_error(ip, first, &late6, now_ns);
	else
		icmp4_error(ip, first, &late, now_ns);
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct reass_packet *rp = container_of(t, struct reass_packet, timer);
	struct ip *ip = rp->reass->ip;

	if (rp->refused == V_KEPT)
		ip->stats.reass_timeout++;
	if (rp->frags && place_of(rp->frags)->start == 0)
		tell_late(ip, rp->frags, now_ns);
	end(rp);
}

static void evict_oldest(struct reass *r)
{
	r->ip->stats.reass_evicted++;
	end(container_of(r->age.next, struct reass_packet, node));
}

static struct reass_packet *find(struct reass *r, const struct reass_frag *h)
{
	for (struct list *l = r->age.next; l != &r->age; l = l->next) {
		struct reass_packet *rp = container_of(l, struct reass_packet, node);

		if (rp->id == h->id && rp->proto == h->proto &&
		    addr_eq(&rp->src, &h->src) && addr_eq(&rp->dst, &h->dst))
			return rp;
	}
	return NULL;
}

static struct reass_packet *begin(struct reass *r, const struct reass_frag *h,
				  uint64_t now_ns)
{
	struct reass_packet *rp;
	uint64_t seconds;

	if (list_empty(&r->unused))
		evict_oldest(r);
	rp = container_of(list_pop(&r->unused), struct reass_packet, node);
	*rp = (struct reass_packet){
		.reass = r,
		.src = h->src,
		.dst = h->dst,
		.id = h->id,
		.proto = h->proto,
		.refused = V_KEPT,
	};
	list_push(&r->age, &rp->node);
	timer_init(&rp->timer, fire);
	seconds = h->src.family == ADDR_IP6 ? IP6_REASS_SECONDS : IP_REASS_SECONDS;
	timer_arm(r->wheel, &rp->timer, now_ns + seconds * NS_PER_S);
	return rp;
}

/* Bytes that @p keeps from others, whatever it says with them. */
static uint32_t memory_of(const struct pkt *p)
{
	uint32_t bytes = 0;

	for (; p; p = p->next)
		bytes += sizeof(*p) + (p->buf ? PKT_BUF_LEN : 0);
	return bytes;
}

/* RFC 1858 3: the first fragment must hold all that says whose the packet is. */
static bool too_tiny(const struct pkt *p, const struct reass_frag *h)
{
	if (h->frag_off || h->upper != IP_PROTO_TCP)
		return false;
	return p->len < TCP_MIN || p->len < (p->data[12] >> 4) * 4u;
}

/* True for a place where no fragment can be. */
static bool impossible(const struct pkt *p, const struct reass_frag *h)
{
	uint32_t stop = h->frag_off + p->total_len;

	/* RFC 791 3.2: all but the last are of whole eights. */
	if (p->total_len == 0 || (h->mf && p->total_len % 8 != 0))
		return true;
	return stop > h->len_max || too_tiny(p, h);
}

static bool same_bytes(struct pkt *a, struct pkt *b)
{
	uint8_t x[256], y[sizeof(x)];

	for (uint32_t at = 0; at < a->total_len; at += sizeof(x)) {
		uint32_t n = pkt_read(a, at, x, sizeof(x));

		if (pkt_read(b, at, y, sizeof(y)) != n || memcmp(x, y, n) != 0)
			return false;
	}
	return true;
}

enum fit { FIT_FREE, FIT_COPY, FIT_OVERLAP };

/* Where @p goes: *prev is the last fragment that begins before it; NULL: none does. */
static enum fit fit(struct reass_packet *rp, struct pkt *p, struct pkt **prev)
{
	const struct place *at = place_of(p);
	struct pkt *next = rp->frags;

	*prev = NULL;
	for (; next && place_of(next)->start < at->start; next = next->link)
		*prev = next;
	if (next && place_of(next)->start == at->start && place_of(next)->end == at->end)
		return same_bytes(next, p) ? FIT_COPY : FIT_OVERLAP;
	if ((*prev && place_of(*prev)->end > at->start) ||
	    (next && place_of(next)->start < at->end))
		return FIT_OVERLAP;
	return FIT_FREE;
}

/* Two ends, or something behind the end.  Learns the end. */
static bool end_contradicts(struct reass_packet *rp, struct pkt *p, bool last)
{
	uint32_t stop = place_of(p)->end;
	struct pkt *f = rp->frags;

	if (!last)
		return rp->end && stop >= rp->end;
	if (rp->end)
		return true;
	while (f && f->link)
		f = f->link;
	if (f && place_of(f)->end > stop)
		return true;
	rp->end = stop;
	return false;
}

/* What @at, which points into the bytes inside @from, points to in @to. */
static uint8_t *moved(uint8_t *at, const struct pkt *from, struct pkt *to)
{
	return at >= from->head && at <= from->head + PKT_HEAD_LEN ?
		       to->head + (at - from->head) :
		       at;
}

static void settle(struct pkt *p, const struct pkt *was)
{
	p->data = moved(p->data, was, p);
	p->l3 = moved(p->l3, was, p);
	p->l4 = moved(p->l4, was, p);
}

/* Each descriptor says what the other did; lists they are in stay. */
static void swap(struct pkt *a, struct pkt *b)
{
	struct pkt *a_link = a->link, *b_link = b->link;
	struct pkt was = *a;

	DEBUG_ASSERT(a->pool == b->pool);
	*a = *b;
	*b = was;
	a->link = a_link;
	b->link = b_link;
	settle(a, b);
	settle(b, a);
}

/* Hangs all of the list @rest at @p. */
static void join(struct pkt *p, struct pkt *rest)
{
	struct pkt *last = p;

	while (rest) {
		struct pkt *next = rest->link;

		while (last->next)
			last = last->next;
		last->next = rest;
		p->total_len += rest->total_len;
		rest->link = NULL;
		rest = next;
	}
}

/*
 * @p is the last that was missing, and goes behind @prev.  Whoever gave it to us goes
 * on with that descriptor, so it must become the first of the packet.
 */
static void complete(struct reass_packet *rp, struct pkt *p, struct pkt *prev)
{
	struct pkt *rest = rp->frags;

	if (prev) {
		struct pkt *first = rest;

		swap(p, first);
		if (prev != first) {
			rest = first->link;
			first->link = prev->link;
			prev->link = first;
		}
	}
	rp->frags = NULL;
	p->link = NULL;
	join(p, rest);
	p->l4 = p->data;
	/* Nobody has seen the whole: its sum is to be verified here. */
	p->flags &= (uint16_t)~PKT_SUM_OK;
	p->gso_len = 0;
	if (rp->congested)
		p->tos |= ECN_CE;
	rp->reass->ip->stats.reass_done++;
	end(rp);
}

static void keep(struct reass_packet *rp, struct pkt *p, struct pkt *prev)
{
	struct pkt **at = prev ? &prev->link : &rp->frags;
	uint32_t memory = memory_of(p);

	p->link = *at;
	*at = p;
	rp->n_frags++;
	rp->memory += memory;
	rp->reass->memory += memory;
}

/* Makes others give their memory up.  False: this packet alone is too much. */
static bool make_room(struct reass_packet *rp, uint32_t memory)
{
	struct reass *r = rp->reass;

	if (rp->n_frags == IP_REASS_FRAGS_MAX || rp->memory + memory > IP_REASS_BYTES_MAX)
		return false;
	while (r->memory + memory > IP_REASS_BYTES_MAX) {
		struct list *l = r->age.next;

		if (l == &rp->node) {
			/* It is the oldest itself: the next one goes. */
			list_remove(l);
			list_push(&r->age, l);
			continue;
		}
		evict_oldest(r);
	}
	return true;
}

static enum verdict refuse(struct reass_packet *rp, enum verdict why)
{
	empty(rp);
	rp->refused = why;
	rp->reass->ip->stats.reass_refused++;
	return why;
}

/* What becomes of @p; V_COUNT: the packet is complete. */
static enum verdict add(struct reass_packet *rp, struct pkt *p,
			const struct reass_frag *h)
{
	struct pkt *prev;

	if (rp->refused != V_KEPT)
		return rp->refused;
	if (impossible(p, h))
		return refuse(rp, V_FRAG_BAD);
	*place_of(p) = (struct place){ h->frag_off, h->frag_off + p->total_len };
	switch (fit(rp, p, &prev)) {
	case FIT_OVERLAP: return refuse(rp, V_FRAG_OVERLAP);
	case FIT_COPY:
		/* But not one that says something else about the end. */
		return h->mf == (rp->end != place_of(p)->end) ? V_DONE :
								refuse(rp, V_FRAG_BAD);
	case FIT_FREE: break;
	}
	if (end_contradicts(rp, p, !h->mf))
		return refuse(rp, V_FRAG_BAD);
	rp->have += p->total_len;
	rp->congested |= (h->tos & ECN_MASK) == ECN_CE;
	rp->not_ect |= (h->tos & ECN_MASK) == 0;
	/* RFC 3168 5.3: who marks what may not be marked spoils the packet */
	if (rp->congested && rp->not_ect)
		return refuse(rp, V_FRAG_BAD);
	if (rp->have == rp->end) {
		complete(rp, p, prev);
		return V_COUNT;
	}
	if (!make_room(rp, memory_of(p)))
		return refuse(rp, V_FRAG_LIMIT);
	keep(rp, p, prev);
	return V_KEPT;
}

bool reass_input(struct reass *r, struct pkt *p, const struct reass_frag *h,
		 uint64_t now_ns, enum verdict *v)
{
	struct reass_packet *rp = find(r, h);
	enum verdict became;

	r->ip->stats.frag_in++;
	if (!rp)
		rp = begin(r, h, now_ns);
	became = add(rp, p, h);
	if (became == V_COUNT)
		return true;
	*v = became;
	return false;
}

void reass_check(const struct reass *r)
{
	uint32_t memory = 0;

	for (const struct list *l = r->age.next; l != &r->age; l = l->next) {
		const struct reass_packet *rp =
			container_of(l, struct reass_packet, node);
		uint32_t n = 0, have = 0, stop = 0;

		for (struct pkt *f = rp->frags; f; f = f->link) {
			ASSERT(place_of(f)->start >= stop);
			stop = place_of(f)->end;
			have += f->total_len;
			n++;
		}
		ASSERT(n == rp->n_frags && n <= IP_REASS_FRAGS_MAX && have == rp->have);
		ASSERT(!rp->end || have < rp->end);
		ASSERT(timer_armed(&rp->timer) && (!n || rp->refused == V_KEPT));
		memory += rp->memory;
	}
	ASSERT(memory == r->memory && memory <= IP_REASS_BYTES_MAX);
}
