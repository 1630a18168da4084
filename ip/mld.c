/*
 * One report carries the records of all groups that have something to say, so that a host
 * with many addresses sends a few packets, not one for each.
 */
#include "ip/mld.h"

#include <errno.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "ip/mld_wire.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

_Static_assert((int)MLD_GROUPS_MAX <= (int)MLD_RECORDS_MAX, "a report has room for all");

static const struct ip6 all_mld2_routers = { { 0xff, 2, [15] = 0x16 } };

static void fire(struct timer *t, uint64_t now_ns);

void mld_init(struct mld *m, struct ip *ip, uint8_t iface)
{
	*m = (struct mld){ .ip = ip, .iface = iface };
	timer_init(&m->timer, fire);
}

void mld_fini(struct mld *m)
{
	if (m->ip)
		timer_stop(m->ip->wheel, &m->timer);
}

static struct mld_group *find(struct mld *m, struct ip6 group)
{
	for (unsigned i = 0; i < m->n_groups; i++)
		if (ip6_eq(m->groups[i].group, group))
			return &m->groups[i];
	return NULL;
}

bool mld_listens(const struct mld *m, struct ip6 group)
{
	for (unsigned i = 0; i < m->n_groups; i++)
		if (ip6_eq(m->groups[i].group, group))
			return m->groups[i].n_users;
	return false;
}

/* RFC 3810 6: the group of all nodes, and groups of the host alone, are never told. */
static bool is_told(struct ip6 group)
{
	static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };

	return (group.b[1] & 15) > 1 && !ip6_eq(group, all_nodes);
}

static void arm(struct mld *m)
{
	uint64_t due_ns = m->changed ? m->change_ns : UINT64_MAX;

	if (m->asked && m->answer_ns < due_ns)
		due_ns = m->answer_ns;
	if (due_ns == UINT64_MAX)
		timer_stop(m->ip->wheel, &m->timer);
	else
		timer_arm(m->ip->wheel, &m->timer, due_ns);
}

/* ---- reports ---- */

/* What @g has to say, as a change or as an answer; false: nothing. */
static bool record_of(const struct mld_group *g, bool answer, struct mld_record *r)
{
	r->group = g->group;
	if (answer) {
		r->type = MLD_IS_EXCLUDE;
		return g->asked && g->n_users;
	}
	r->type = g->n_users ? MLD_TO_EXCLUDE : MLD_TO_INCLUDE;
	return g->n_reports;
}

static void send_report(struct mld *m, struct pkt *p, unsigned n, uint64_t now_ns)
{
	const struct ip_iface *iface = &m->ip->ifaces[m->iface];
	/* RFC 3590 4: from nobody as long as we have no link-local address. */
	struct addr from = addr_ip6(ip6_link_local_of(iface));
	struct addr to = addr_ip6(all_mld2_routers);
	struct ip6_header h = { .hop_limit = 1, .src = from.ip6, .dst = to.ip6 };
	uint64_t sum;
	uint16_t field;
	struct wr w = wr_of(pkt_push(p, MLD_REPORT_LEN), MLD_REPORT_LEN);

	mld_report_emit(&w, n);
	sum = cksum_pseudo(&from, &to, IP_PROTO_ICMP6, p->total_len);
	field = cksum_end(cksum_add(sum, p->data, p->len));
	memcpy(p->data + ICMP_AT_SUM, &field, sizeof(field));
	/* RFC 3810 5: routers shall look at it. */
	w = wr_of(pkt_push(p, MLD_ALERT_LEN), MLD_ALERT_LEN);
	mld_alert_emit(&w);
	h.payload_len = (uint16_t)p->total_len;
	h.next = IP6_NEXT_HOP_BY_HOP;
	ip6_emit(pkt_push(p, IP6_HEADER_LEN), &h);
	m->ip->stats.out++;
	neigh_output(m->ip->neigh, iface->eth, &to, p, now_ns);
}

/* One report with the records of all who have something to say. */
static void report(struct mld *m, bool answer, uint64_t now_ns)
{
	struct pkt *p = pkt_new_buf(m->ip->pool, PKT_CONTROL, MLD_HEADROOM);
	unsigned n = 0;

	if (!p)
		return;
	for (unsigned i = 0; i < m->n_groups; i++) {
		uint8_t bytes[MLD_RECORD_LEN];
		struct wr w = wr_of(bytes, sizeof(bytes));
		struct mld_record r;

		if (!is_told(m->groups[i].group) || !record_of(&m->groups[i], answer, &r))
			continue;
		mld_record_emit(&w, &r);
		pkt_append(p, bytes, sizeof(bytes));
		n++;
	}
	if (n)
		send_report(m, p, n, now_ns);
	else
		pkt_free(p);
}

/* A change was told once more; who is left and told is gone. */
static bool told(struct mld *m)
{
	bool more = false;

	for (unsigned i = 0; i < m->n_groups;) {
		struct mld_group *g = &m->groups[i];

		if (g->n_reports && --g->n_reports)
			more = true;
		if (g->n_users || g->n_reports)
			i++;
		else
			*g = m->groups[--m->n_groups];
	}
	return more;
}

static uint64_t soon(struct mld *m, uint64_t now_ns, uint32_t within_ms)
{
	return now_ns + rng_below(m->ip->rng, within_ms + 1) * NS_PER_MS;
}

static void tell_changes(struct mld *m, uint64_t now_ns)
{
	report(m, false, now_ns);
	m->changed = told(m);
	m->change_ns = soon(m, now_ns, MLD_INTERVAL_MS);
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct mld *m = container_of(t, struct mld, timer);

	if (m->changed && m->change_ns <= now_ns)
		tell_changes(m, now_ns);
	if (m->asked && m->answer_ns <= now_ns) {
		report(m, true, now_ns);
		m->asked = false;
		for (unsigned i = 0; i < m->n_groups; i++)
			m->groups[i].asked = false;
	}
	arm(m);
}

/* ---- who listens ---- */

/* RFC 3810 6.1: told at once, then again.  With the changes of the same turn. */
static void change(struct mld *m, struct mld_group *g, uint64_t now_ns)
{
	g->n_reports = MLD_ROBUSTNESS;
	if (!m->changed)
		m->change_ns = now_ns;
	m->changed = true;
	arm(m);
}

int mld_join(struct mld *m, struct ip6 group, uint64_t now_ns)
{
	struct mld_group *g = find(m, group);

	if (g && g->n_users) {
		if (g->n_users == UINT16_MAX)
			return -ENOBUFS;
		g->n_users++;
		return 0;
	}
	if (!g) {
		if (m->n_groups == MLD_GROUPS_MAX)
			return -ENOBUFS;
		g = &m->groups[m->n_groups++];
		*g = (struct mld_group){ .group = group };
	}
	g->n_users = 1;
	change(m, g, now_ns);
	return 0;
}

void mld_leave(struct mld *m, struct ip6 group, uint64_t now_ns)
{
	struct mld_group *g = find(m, group);

	if (!g || !g->n_users || --g->n_users)
		return;
	change(m, g, now_ns);
}

/* ---- queries ---- */

bool mld_query(struct mld *m, const struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct mld_query_msg q;
	uint64_t answer_ns;
	bool any = false;

	/* RFC 3810 5.1.14, 6.2: from a neighbour. */
	if (!ip6_is_link_local(p->src.ip6) || p->ttl != 1 || !mld_query_parse(&r, &q))
		return false;
	for (unsigned i = 0; i < m->n_groups; i++) {
		struct mld_group *g = &m->groups[i];

		if (ip6_is_zero(q.group) || ip6_eq(q.group, g->group))
			any = g->asked = true;
	}
	if (!any)
		return true;
	/* RFC 3810 6.2: at random, so that not all hosts answer at once. */
	answer_ns = soon(m, now_ns, q.max_delay_ms);
	if (!m->asked || answer_ns < m->answer_ns)
		m->answer_ns = answer_ns;
	m->asked = true;
	arm(m);
	return true;
}
