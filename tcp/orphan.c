/*
 * Orphans: connections that no program owns any more, while bytes of theirs, a FIN or
 * its answer are still under way.  TCP finishes them alone, but a peer that says nothing
 * must not hold our memory by them:
 *
 *	life	  an orphan has a minute.  It gets another one when the peer took so much in
 *		  the last that the end is a matter of time: TCP_ORPHAN_RATE.
 *	number	  a quarter of the connections, and of half the descriptors
 *	memory	  a quarter of the buffers
 *
 * One beyond these, or a connection or a writer that finds no memory, and the oldest
 * orphan goes with a RST: what ends in order ends within some round trips, so the oldest
 * is the likeliest to be stuck.
 *
 * All have the same time to live, so a list in the order in which they end is kept by
 * pushing at its end, and one timer is enough.
 */
#include "stack/base/clock.h"
#include "tcp/tcp_impl.h"

static struct tcp_conn *oldest(const struct tcp *tcp)
{
	return list_empty(&tcp->orphans) ?
		       NULL :
		       container_of(tcp->orphans.next, struct tcp_conn, ready);
}

static uint32_t n_bufs(const struct tcp_conn *c)
{
	return c->x ? c->x->snd.n_bufs : 0;
}

void tcp_orphan_init(struct tcp *tcp)
{
	/* A short queue lies in a descriptor. */
	uint32_t n_pkts = tcp->pkts->pkts.max / 2, n = tcp->conf.max_conns;

	tcp->orphans_max = (n < n_pkts ? n : n_pkts) / TCP_SHARE;
	if (!tcp->orphans_max)
		tcp->orphans_max = 1;
	tcp->orphan_bufs_max = tcp->pkts->bufs.max / TCP_SHARE;
	list_init(&tcp->orphans);
	timer_init(&tcp->orphan_timer, tcp_orphan_timer);
}

/* From now on it has so long to live, unless the peer takes enough. */
static void begin(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp *tcp = c->tcp;

	c->orphan_end_ms = tcp_ms(now_ns) + tcp->conf.orphan_ms;
	c->orphan_acked = (uint32_t)c->bytes_acked;
	list_push(&tcp->orphans, &c->ready);
	if (!timer_armed(&tcp->orphan_timer))
		timer_arm(tcp->wheel, &tcp->orphan_timer,
			  now_ns + tcp->conf.orphan_ms * NS_PER_MS);
}

static bool is_over_limit(const struct tcp *tcp)
{
	return tcp->stats.n_orphans > tcp->orphans_max ||
	       tcp->orphan_bufs > tcp->orphan_bufs_max;
}

void tcp_orphan_add(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp *tcp = c->tcp;

	c->is_orphan = true;
	tcp->stats.n_orphans++;
	tcp->orphan_bufs += n_bufs(c);
	begin(c, now_ns);
	while (is_over_limit(tcp))
		tcp_orphan_evict(tcp, now_ns);
}

void tcp_orphan_del(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	if (!c->is_orphan)
		return;
	c->is_orphan = false;
	tcp->stats.n_orphans--;
	tcp->orphan_bufs -= n_bufs(c);
	list_remove(&c->ready);
}

bool tcp_orphan_evict(struct tcp *tcp, uint64_t now_ns)
{
	struct tcp_conn *c = oldest(tcp);

	if (!c)
		return false;
	tcp->stats.orphan_evicted++;
	tcp_conn_reset(c, 0, now_ns);
	return true;
}

/* The peer takes what is queued fast enough to wait for the end. */
static bool makes_progress(const struct tcp_conn *c)
{
	uint32_t n = (uint32_t)c->bytes_acked - c->orphan_acked;

	return n >= (uint64_t)TCP_ORPHAN_RATE * c->tcp->conf.orphan_ms / 1000;
}

static void end(struct tcp_conn *c, uint64_t now_ns)
{
	if (makes_progress(c)) {
		list_remove(&c->ready);
		begin(c, now_ns);
	} else if (c->state == TCP_FIN_WAIT_2) {
		/* The peer has all; nobody waits for its FIN any more. */
		tcp_enter(c, TCP_CLOSED, now_ns);
	} else {
		c->tcp->stats.timed_out++;
		tcp_conn_reset(c, 0, now_ns);
	}
}

void tcp_orphan_timer(struct timer *t, uint64_t now_ns)
{
	struct tcp *tcp = container_of(t, struct tcp, orphan_timer);
	struct tcp_conn *c;

	tcp->now_ns = now_ns;
	while ((c = oldest(tcp))) {
		int32_t left_ms = (int32_t)(c->orphan_end_ms - tcp_ms(now_ns));

		if (left_ms > 0) {
			timer_arm(tcp->wheel, &tcp->orphan_timer,
				  now_ns + (uint32_t)left_ms * NS_PER_MS);
			return;
		}
		end(c, now_ns);
	}
}
