#include "stack/sock/more.h"

#include <time.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>

#include "stack/api/ready.h"
#include "stack/sock/sock_impl.h"

enum {
	STAMP_TX = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
		   SOF_TIMESTAMPING_TX_ACK,
	STAMP_KNOWN = STAMP_TX | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
		      SOF_TIMESTAMPING_OPT_TSONLY,
	CHUNK_MAX = 65535,
};

struct sock_more *sock_more(struct socks *ss, struct sock *s)
{
	if (s->more)
		return s->more;
	s->more = pool_get(&ss->mores);
	if (s->more) {
		*s->more =
			(struct sock_more){ .sock = s, .mtu_discover = IP_PMTUDISC_WANT };
		list_init(&s->more->stamped);
	}
	return s->more;
}

void sock_more_free(struct socks *ss, struct sock *s)
{
	if (!s->more)
		return;
	list_remove(&s->more->stamped);
	pool_put(&ss->mores, s->more);
	s->more = NULL;
}

int sock_more_inherit(struct socks *ss, struct sock *s, const struct sock *listener)
{
	const struct sock_more *from = listener->more;
	struct sock_more *to;

	if (!from)
		return 0;
	to = sock_more(ss, s);
	if (!to)
		return -ENOMEM;
	to->notsent_lowat = from->notsent_lowat;
	to->rcvlowat = from->rcvlowat;
	to->mark = from->mark;
	to->inq = from->inq;
	to->zerocopy = from->zerocopy;
	to->freebind = from->freebind;
	to->mtu_discover = from->mtu_discover;
	to->stamp = from->stamp;
	return 0;
}

/* ---- options ---- */

static uint64_t written(const struct socks *ss, const struct sock *s)
{
	struct tcp_conn_info info;

	if (s->kind != SOCK_TCP)
		return 0;
	tcp_conn_info(ss->tcp, s->conn, &info);
	return info.bytes_acked + info.sndq_len;
}

static int set_stamp(const struct socks *ss, struct sock_more *m, int v)
{
	if (v & ~STAMP_KNOWN)
		return -EINVAL;
	/* Keys begin with what is written next. */
	if ((v & SOF_TIMESTAMPING_OPT_ID) && !(m->stamp & SOF_TIMESTAMPING_OPT_ID))
		m->stamp_at = written(ss, m->sock);
	m->stamp = (uint32_t)v;
	return 0;
}

static int set_bool(bool *field, int v)
{
	if (v < 0 || v > 1)
		return -EINVAL;
	*field = v;
	return 0;
}

static int set_socket(const struct socks *ss, struct sock_more *m, int name, int v)
{
	switch (name) {
	case SO_ZEROCOPY: return set_bool(&m->zerocopy, v);
	case SO_MARK: m->mark = (uint32_t)v; return 0;
	case SO_TIMESTAMPING: return set_stamp(ss, m, v);
	case SO_RCVLOWAT:
		if (v < 0)
			return -EINVAL;
		m->rcvlowat = (uint32_t)v;
		return 0;
	default: return -ENOENT;
	}
}

static int set_tcp(struct sock_more *m, int name, int v)
{
	switch (name) {
	case TCP_INQ: return set_bool(&m->inq, v);
	case TCP_NOTSENT_LOWAT: m->notsent_lowat = (uint32_t)v; return 0;
	default: return -ENOENT;
	}
}

/* Linux's words for DF. */
static int set_mtu_discover(struct socks *ss, struct sock *s, int v)
{
	if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_WANT)
		return -EINVAL;
	s->more->mtu_discover = (uint8_t)v;
	return sock_opt_set(ss, s, TCP_OPT_NO_DF, v == IP_PMTUDISC_DONT);
}

static bool is_mine(int level, int name)
{
	switch (level) {
	case SOL_SOCKET:
		return name == SO_ZEROCOPY || name == SO_MARK ||
		       name == SO_TIMESTAMPING || name == SO_RCVLOWAT;
	case IPPROTO_TCP: return name == TCP_INQ || name == TCP_NOTSENT_LOWAT;
	case IPPROTO_IP: return name == IP_FREEBIND || name == IP_MTU_DISCOVER;
	default: return false;
	}
}

int sock_more_set(struct socks *ss, struct sock *s, int level, int name, int v)
{
	if (!is_mine(level, name))
		return -ENOENT;
	if (s->kind == SOCK_UDP)
		return -ENOPROTOOPT;
	if (!sock_more(ss, s))
		return -ENOMEM;
	if (level == SOL_SOCKET)
		return set_socket(ss, s->more, name, v);
	if (level == IPPROTO_TCP)
		return set_tcp(s->more, name, v);
	if (name == IP_FREEBIND)
		return set_bool(&s->more->freebind, v != 0);
	return set_mtu_discover(ss, s, v);
}

int sock_more_get(const struct sock *s, int level, int name, int *v)
{
	static const struct sock_more none = { .mtu_discover = IP_PMTUDISC_WANT };
	const struct sock_more *m = s->more ? s->more : &none;

	if (!is_mine(level, name))
		return -ENOENT;
	if (s->kind == SOCK_UDP)
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET)
		*v = name == SO_ZEROCOPY     ? m->zerocopy :
		     name == SO_MARK	     ? (int)m->mark :
		     name == SO_TIMESTAMPING ? (int)m->stamp :
		     m->rcvlowat	     ? (int)m->rcvlowat :
					       1;
	else if (level == IPPROTO_TCP)
		*v = name == TCP_INQ ? m->inq : (int)m->notsent_lowat;
	else
		*v = name == IP_FREEBIND ? m->freebind : m->mtu_discover;
	return 0;
}

/* ---- TCP_NOTSENT_LOWAT ---- */

static uint32_t lowat_of(const struct socks *ss, const struct sock *s)
{
	uint32_t lowat = s->more ? s->more->notsent_lowat : 0;

	return lowat ? lowat : ss->notsent_lowat;
}

/* Bytes that neither are sent nor may be at once. */
static uint32_t waiting(const struct tcp_conn_info *i, uint32_t *now)
{
	uint32_t wnd = i->cwnd < i->snd_wnd ? i->cwnd : i->snd_wnd;

	wnd = wnd > i->unacked ? wnd - i->unacked : 0;
	wnd -= wnd % (i->mss ? i->mss : 1);
	*now = wnd > i->unsent ? wnd - i->unsent : 0;
	return i->unsent > wnd ? i->unsent - wnd : 0;
}

size_t sock_more_may_send(struct socks *ss, struct sock *s, size_t len)
{
	uint32_t lowat = lowat_of(ss, s), chunk, left, now;
	struct tcp_conn_info i;
	size_t n;

	if (lowat == UINT32_MAX || s->kind != SOCK_TCP)
		return len;
	tcp_conn_info(ss->tcp, s->conn, &i);
	/* As Linux has it: what goes at once, and then in chunks of half a window while
	 * less than the mark waits. */
	chunk = i.max_wnd / 2 < CHUNK_MAX ? i.max_wnd / 2 : CHUNK_MAX;
	chunk = i.mss && chunk > i.mss ? chunk / i.mss * i.mss : i.mss ? i.mss : 1;
	left = waiting(&i, &now);
	for (n = now; left < lowat && n < len; left += chunk)
		n += chunk;
	if (!n)
		tcp_send_want(s->conn);
	return n < len ? n : len;
}

/* ---- reports ---- */

static void add_report(struct sock_more *m, const struct sock_report *report)
{
	struct sock_report *last;

	if (m->n_reports && !report->is_stamp) {
		last = &m->reports[m->n_reports - 1];
		if (!last->is_stamp && last->data + 1 == report->info) {
			last->data = report->data;
			sock_news(m->sock);
			return;
		}
	}
	if (m->n_reports < SOCK_REPORTS_MAX)
		m->reports[m->n_reports++] = *report;
	sock_news(m->sock);
}

bool sock_more_report(struct sock *s, struct sock_report *report)
{
	struct sock_more *m = s->more;

	if (!m || !m->n_reports)
		return false;
	*report = m->reports[0];
	memmove(m->reports, m->reports + 1, --m->n_reports * sizeof(*report));
	return true;
}

void sock_more_wrote(struct socks *ss, struct sock *s, bool zerocopy)
{
	struct sock_more *m = s->more;
	struct sock_report copied;

	if (zerocopy && m->zerocopy) {
		copied = (struct sock_report){ .info = m->n_zerocopy,
					       .data = m->n_zerocopy };
		m->n_zerocopy++;
		add_report(m, &copied);
	}
	if (!(m->stamp & STAMP_TX) || m->n_marks >= SOCK_MARKS_MAX)
		return;
	m->marks[m->n_marks].end = written(ss, s);
	m->marks[m->n_marks].is_sent = false;
	m->marks[m->n_marks].key = m->stamp & SOF_TIMESTAMPING_OPT_ID ?
					   (uint32_t)(written(ss, s) - m->stamp_at) - 1 :
					   0;
	if (!m->n_marks++)
		list_push(&ss->stamped, &m->stamped);
}

static void stamp(struct socks *ss, struct sock_more *m, const struct sock_mark *mark,
		  unsigned wish, unsigned what)
{
	const struct sock_report report = {
		.at_ns = ss->now_ns, .info = what, .data = mark->key, .is_stamp = true
	};

	if ((m->stamp & wish) && (m->stamp & SOF_TIMESTAMPING_SOFTWARE))
		add_report(m, &report);
}

/* How far the stream is. */
static void look(struct socks *ss, struct sock_more *m)
{
	struct tcp_conn_info info;
	unsigned n_acked = 0;
	uint64_t sent;

	tcp_conn_info(ss->tcp, m->sock->conn, &info);
	sent = info.bytes_acked + info.sndq_len - info.unsent;
	for (unsigned i = 0; i < m->n_marks && m->marks[i].end <= sent; i++) {
		if (!m->marks[i].is_sent) {
			stamp(ss, m, &m->marks[i], SOF_TIMESTAMPING_TX_SCHED,
			      SCM_TSTAMP_SCHED);
			stamp(ss, m, &m->marks[i], SOF_TIMESTAMPING_TX_SOFTWARE,
			      SCM_TSTAMP_SND);
		}
		m->marks[i].is_sent = true;
		if (m->marks[i].end > info.bytes_acked)
			continue;
		stamp(ss, m, &m->marks[i], SOF_TIMESTAMPING_TX_ACK, SCM_TSTAMP_ACK);
		n_acked++;
	}
	m->n_marks = (uint8_t)(m->n_marks - n_acked);
	memmove(m->marks, m->marks + n_acked, m->n_marks * sizeof(*m->marks));
	if (!m->n_marks)
		list_remove(&m->stamped);
}

void sock_more_learn(struct socks *ss)
{
	struct list *at, *next;

	for (at = ss->stamped.next; at != &ss->stamped; at = next) {
		next = at->next;
		look(ss, container_of(at, struct sock_more, stamped));
	}
}

/* ---- readiness ---- */

uint32_t sock_more_events(const struct socks *ss, const struct sock *s, uint32_t events)
{
	const struct sock_more *m = s->more;
	struct tcp_conn_info info;

	if (m && m->n_reports)
		events |= PB_READY_ERR;
	if (s->kind != SOCK_TCP || (events & PB_READY_HUP))
		return events;
	if (m && (events & PB_READY_IN) && !(events & PB_READY_RDHUP) &&
	    tcp_recv_ready(s->conn) && tcp_recv_ready(s->conn) < m->rcvlowat)
		events &= ~(uint32_t)PB_READY_IN;
	if (!(events & PB_READY_OUT) || lowat_of(ss, s) == UINT32_MAX)
		return events;
	tcp_conn_info(ss->tcp, s->conn, &info);
	if (info.unsent && info.unsent >= lowat_of(ss, s)) {
		events &= ~(uint32_t)PB_READY_OUT;
		tcp_send_want(s->conn);
	}
	return events;
}
