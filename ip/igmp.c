/*
 * Each group has two times at which it may have to say something: that it was joined or
 * left, and the answer to a query.  One timer for the interface is armed for the earliest;
 * what is due then goes into one report of version 3, or a message each of the others.
 */
#include "ip/igmp.h"

#include <errno.h>

#include "eth/eth.h"
#include "ip/igmp_wire.h"
#include "ip/ip_impl.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum { TOS_CONTROL = 0xc0, HEADROOM = 64 }; /* RFC 3376 4 */

static const struct ip4 all_hosts = { { 224, 0, 0, 1 } };
static const struct ip4 all_routers = { { 224, 0, 0, 2 } };
static const struct ip4 v3_routers = { { 224, 0, 0, 22 } };

static void fire(struct timer *t, uint64_t now_ns);

void igmp_init(struct igmp *m, struct ip *ip, uint8_t iface)
{
	*m = (struct igmp){ .ip = ip, .iface = iface };
	timer_init(&m->timer, fire);
}

void igmp_fini(struct igmp *m)
{
	if (m->ip)
		timer_stop(m->ip->wheel, &m->timer);
}

static struct igmp_group *find(struct igmp *m, struct ip4 group)
{
	for (unsigned i = 0; i < m->n_groups; i++)
		if (ip4_eq(m->groups[i].group, group))
			return &m->groups[i];
	return NULL;
}

bool igmp_listens(const struct igmp *m, struct ip4 group)
{
	for (unsigned i = 0; i < m->n_groups; i++)
		if (ip4_eq(m->groups[i].group, group))
			return m->groups[i].n_users;
	return false;
}

static unsigned version(const struct igmp *m, uint64_t now_ns)
{
	if (now_ns < m->v1_until_ns)
		return 1;
	return now_ns < m->v2_until_ns ? 2 : 3;
}

static uint64_t due_of(const struct igmp_group *g)
{
	uint64_t change_ns = g->n_tells ? g->change_ns : UINT64_MAX;

	return change_ns < g->answer_ns ? change_ns : g->answer_ns;
}

static void arm(struct igmp *m)
{
	uint64_t due_ns = UINT64_MAX;

	for (unsigned i = 0; i < m->n_groups; i++)
		if (due_of(&m->groups[i]) < due_ns)
			due_ns = due_of(&m->groups[i]);
	if (due_ns == UINT64_MAX)
		timer_stop(m->ip->wheel, &m->timer);
	else
		timer_arm(m->ip->wheel, &m->timer, due_ns);
}

static uint64_t within_ms(const struct igmp *m, uint32_t ms)
{
	return rng_below(m->ip->rng, ms + 1) * NS_PER_MS;
}

/* ---- out ---- */

static void send(struct igmp *m, struct pkt *p, struct ip4 dst, uint64_t now_ns)
{
	struct ip_out how = {
		.src = { .family = ADDR_IP4 },
		.dst = addr_ip4(dst),
		.proto = IP_PROTO_IGMP,
		.ttl = 1,
		.tos = TOS_CONTROL,
		.flags = IP_ALERT,
		.via = (uint8_t)(m->iface + 1),
	};

	ip_iface_source(m->ip, m->iface, dst, &how.src.ip4);
	if (ip_output(m->ip, p, &how, now_ns) == 0)
		m->ip->stats.igmp_out++;
}

/* One message of version 1 or 2. */
static void send_old(struct igmp *m, enum igmp_type type, struct ip4 group,
		     uint64_t now_ns)
{
	struct pkt *p = pkt_new(m->ip->pool, PKT_CONTROL);

	if (!p) {
		m->ip->stats.out_no_memory++;
		return;
	}
	igmp_emit(pkt_push(p, IGMP_LEN), type, group);
	send(m, p, type == IGMP_V2_LEAVE ? all_routers : group, now_ns);
}

/* What @g has to say now, in the words of version 3.  False: nothing. */
static bool record_of(const struct igmp_group *g, uint64_t now_ns,
		      enum igmp_record_type *type)
{
	if (g->n_tells && g->change_ns <= now_ns)
		*type = g->n_users ? IGMP_TO_EXCLUDE : IGMP_TO_INCLUDE;
	else if (g->n_users && g->answer_ns <= now_ns)
		*type = IGMP_IS_EXCLUDE;
	else
		return false;
	return true;
}

/* RFC 3376 4.2: all that is due, in one. */
static void send_report(struct igmp *m, uint64_t now_ns)
{
	enum { LEN_MAX = IGMP_LEN + IGMP_GROUPS_MAX * IGMP_RECORD_LEN };
	struct pkt *p = pkt_new_buf(m->ip->pool, PKT_CONTROL, HEADROOM);
	enum igmp_record_type type;
	struct wr head, w;
	uint16_t sum;
	unsigned n = 0;

	if (!p) {
		m->ip->stats.out_no_memory++;
		return;
	}
	head = wr_of(p->data, IGMP_LEN);
	w = wr_of(p->data + IGMP_LEN, LEN_MAX - IGMP_LEN);
	for (unsigned i = 0; i < m->n_groups; i++) {
		if (!record_of(&m->groups[i], now_ns, &type))
			continue;
		igmp_record_emit(&w, type, m->groups[i].group);
		n++;
	}
	igmp_report_emit(&head, n);
	p->len = p->total_len = (uint32_t)(w.p - p->data);
	sum = cksum_end(cksum_add(0, p->data, p->len));
	memcpy(p->data + 2, &sum, sizeof(sum));
	send(m, p, v3_routers, now_ns);
}

/* RFC 2236 3: reports go to the group, and only who told last says that it leaves. */
static void send_old_of(struct igmp *m, struct igmp_group *g, uint64_t now_ns)
{
	unsigned v = version(m, now_ns);

	if (g->n_users) {
		send_old(m, v == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT, g->group, now_ns);
		g->told_last = true;
	} else if (v == 2 && g->told_last) {
		send_old(m, IGMP_V2_LEAVE, g->group, now_ns);
		g->n_tells = 1; /* once is enough */
	}
}

/* ---- time ---- */

/* What @g had to say was said. */
static void said(struct igmp *m, struct igmp_group *g, uint64_t now_ns)
{
	uint32_t ms = version(m, now_ns) == 3 ? IGMP_INTERVAL_MS : IGMP_OLD_INTERVAL_MS;

	if (g->answer_ns <= now_ns)
		g->answer_ns = UINT64_MAX;
	if (g->n_tells && g->change_ns <= now_ns) {
		g->n_tells--;
		g->change_ns = now_ns + NS_PER_MS + within_ms(m, ms);
	}
}

static void speak(struct igmp *m, uint64_t now_ns)
{
	bool due = false;

	for (unsigned i = 0; i < m->n_groups; i++) {
		if (due_of(&m->groups[i]) > now_ns)
			continue;
		due = true;
		if (version(m, now_ns) < 3)
			send_old_of(m, &m->groups[i], now_ns);
	}
	if (due && version(m, now_ns) == 3)
		send_report(m, now_ns);
	for (unsigned i = 0; i < m->n_groups; i++) {
		struct igmp_group *g = &m->groups[i];

		if (due_of(g) <= now_ns)
			said(m, g, now_ns);
	}
	/* Who left, and has nothing more to say, is gone. */
	for (unsigned i = m->n_groups; i-- > 0;)
		if (!m->groups[i].n_users && !m->groups[i].n_tells)
			m->groups[i] = m->groups[--m->n_groups];
	arm(m);
}

static void fire(struct timer *t, uint64_t now_ns)
{
	speak(container_of(t, struct igmp, timer), now_ns);
}

/* ---- groups ---- */

static void tell_change(struct igmp *m, struct igmp_group *g, uint64_t now_ns)
{
	/* RFC 3376 6: the group of all hosts is never told of. */
	g->n_tells = ip4_eq(g->group, all_hosts) ? 0 : IGMP_ROBUSTNESS;
	g->change_ns = now_ns;
	g->answer_ns = UINT64_MAX;
	speak(m, now_ns);
}

int igmp_join(struct igmp *m, struct ip4 group, uint64_t now_ns)
{
	struct igmp_group *g = find(m, group);

	if (!g && m->n_groups == IGMP_GROUPS_MAX) {
		m->ip->stats.groups_full++;
		return -ENOBUFS;
	}
	if (!g) {
		g = &m->groups[m->n_groups++];
		*g = (struct igmp_group){ .group = group };
	}
	if (g->n_users++ == 0)
		tell_change(m, g, now_ns);
	return 0;
}

void igmp_leave(struct igmp *m, struct ip4 group, uint64_t now_ns)
{
	struct igmp_group *g = find(m, group);

	ASSERT(g && g->n_users);
	if (--g->n_users == 0)
		tell_change(m, g, now_ns);
}

/* ---- in ---- */

/* RFC 3376 5.2: in a while, unless that is already to be so soon. */
static void hear_query(struct igmp *m, const struct igmp_msg *q, uint64_t now_ns)
{
	uint32_t max_ms =
		q->max_ms < IGMP_ANSWER_LEAST_MS ? IGMP_ANSWER_LEAST_MS : q->max_ms;
	uint64_t all_ns = now_ns + within_ms(m, max_ms);

	if (q->version == 1)
		m->v1_until_ns = now_ns + IGMP_OLD_S * NS_PER_S;
	else if (q->version == 2)
		m->v2_until_ns = now_ns + IGMP_OLD_S * NS_PER_S;
	for (unsigned i = 0; i < m->n_groups; i++) {
		struct igmp_group *g = &m->groups[i];
		uint64_t answer_ns = all_ns;

		if (!g->n_users || ip4_eq(g->group, all_hosts) ||
		    (!ip4_is_zero(q->group) && !ip4_eq(g->group, q->group)))
			continue;
		/* RFC 2236 3: each at a time of its own. */
		if (version(m, now_ns) < 3)
			answer_ns = now_ns + within_ms(m, max_ms);
		if (answer_ns < g->answer_ns)
			g->answer_ns = answer_ns;
	}
	arm(m);
}

/* RFC 2236 3: who heard that somebody is in the group need not say so, too. */
static void hear_report(struct igmp *m, const struct igmp_msg *r, uint64_t now_ns)
{
	struct igmp_group *g = find(m, r->group);

	if (!g || !g->n_users || version(m, now_ns) == 3)
		return;
	g->answer_ns = UINT64_MAX;
	g->n_tells = 0;
	g->told_last = false;
	arm(m);
}

struct step igmp_input(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	struct ip_iface *iface = &ip->ifaces[p->iface % IP_IFACE_MAX];
	struct igmp_msg msg;

	ip->stats.igmp_in++;
	/* It never left the link (RFC 3376 4). */
	if (p->iface >= IP_IFACE_MAX || p->ttl != 1 || p->len < IGMP_LEN ||
	    !igmp_parse(p->data, p->total_len, &msg))
		return step_end(V_IGMP_BAD);
	if (cksum_fold(cksum_add_pkt(0, p, 0)) != 0xffff)
		return step_end(V_IGMP_BAD);
	if (msg.type == IGMP_QUERY)
		hear_query(&iface->igmp, &msg, now_ns);
	else if (msg.type != IGMP_V2_LEAVE)
		hear_report(&iface->igmp, &msg, now_ns);
	return step_end(V_DONE);
}
