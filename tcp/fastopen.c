/*
 * Fast Open (RFC 7413): data in the SYN, of clients that have a cookie.
 *
 *	client						server
 *	SYN, cookie request -------------------------->	no connection yet: SYN queue
 *	    <---------------------------- SYN-ACK, cookie
 *	...
 *	SYN, cookie, data ---------------------------->	SYN-RECEIVED, waits for accept
 *	    <------------ SYN-ACK of the data; data of ours follows at once
 *	ACK ------------------------------------------>	ESTABLISHED
 *
 * Such a connection of a server is made by the SYN.  Its SND.UNA stands behind the SYN from the
 * beginning, as if that was acknowledged, so that the queue of what is sent needs no
 * exception; until the ACK comes nothing but the SYN-ACK is sent again.  How many of them a
 * listener has is limited, and for a while those count that were reset, because an
 * attacker would have his SYNs reset by those whose addresses he uses (RFC 7413 5.1).
 *
 * A client's data waits in the send queue while the SYN with it is out.  What the SYN-ACK does not
 * acknowledge goes again at once; a SYN that is sent again is an ordinary one.
 */
#include <errno.h>

#include "ip/ip.h"
#include "stack/base/clock.h"
#include "tcp/fastopen.h"
#include "tcp/tcp_impl.h"

enum { HOLD_S = 60 /* so long at least a reset connection counts */ };

/* ---- server: may it be opened ---- */

static const struct fo_keys *keys_of(const struct tcp_listener *l)
{
	return l->fo_keys.n ? &l->fo_keys : &l->tcp->fo_keys;
}

/* Those that were reset count in the minute in which they were, and in the next. */
static unsigned held(struct tcp_listener *l, uint64_t now_ns)
{
	uint64_t minute = now_ns / (HOLD_S * NS_PER_S);

	if (minute != l->fo_minute) {
		l->fo_held[1] = minute == l->fo_minute + 1 ? l->fo_held[0] : 0;
		l->fo_held[0] = 0;
		l->fo_minute = minute;
	}
	return l->fo_held[0] + l->fo_held[1];
}

bool tcp_fastopen_judge(const struct tcp_in *in, struct tcp_listener *l,
			struct fo_cookie *answer)
{
	const struct tcp_seg *s = &in->s;
	struct tcp *tcp = in->tcp;
	unsigned mode = tcp->conf.fastopen;

	answer->len = 0;
	if (!(mode & TCP_FO_SERVER) || !l->fo_max || (!in->len && !(s->has & TCP_HAS_FO)))
		return false;
	/* RFC 7413 5.1: beyond the limit as if we had never heard of it */
	if (l->n_fo + held(l, in->now_ns) >= l->fo_max) {
		tcp->stats.fastopen_limit++;
		return false;
	}
	if ((mode & TCP_FO_SERVER_BARE) || l->opts.fo_bare)
		return true;
	if (!(s->has & TCP_HAS_FO))
		return false;
	answer->exp = s->has & TCP_HAS_FO_EXP;
	if (s->fo_len) {
		switch (fo_cookie_check(keys_of(l), &in->flow.remote, &in->flow.local,
					s->fo, s->fo_len)) {
		case FO_GOOD: return true;
		case FO_OLD_KEY:
			fo_cookie_make(keys_of(l), &in->flow.remote, &in->flow.local,
				       answer);
			return true;
		case FO_BAD: tcp->stats.fastopen_bad_cookie++; break;
		}
	}
	/* RFC 7413 4.2: who asks, and who has a wrong one, is given one */
	fo_cookie_make(keys_of(l), &in->flow.remote, &in->flow.local, answer);
	tcp->stats.fastopen_cookie_out++;
	return false;
}

void tcp_fastopen_opened(struct tcp_in *in, struct tcp_listener *l,
			 const struct fo_cookie *answer)
{
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = tcp_conn_xfer(c);

	x->fo_passive = true;
	x->fo_listener = pool_id(&in->tcp->listeners, l);
	x->fo_serial = l->serial;
	x->fo_cookie = *answer;
	l->n_fo++;
	in->tcp->stats.fastopen_in++;
	c->syn_due = true;
	/* What came with the SYN is text like any other.  Without memory for it, it is not
	 * acknowledged, and will come again. */
	in->verdict = V_DONE;
	in->s.seq = c->rcv_nxt;
	in->s.flags &= (uint16_t)~TCP_SYN;
	tcp_text(in);
	c->syn_data = c->bytes_received > 0;
	tcp_conn_speak(c);
}

void tcp_fastopen_left(struct tcp_conn *c, enum tcp_state state, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;
	struct tcp_listener *l;

	if (!x || !x->fo_passive)
		return;
	x->fo_passive = false;
	l = pool_at(&c->tcp->listeners, x->fo_listener);
	if (l->tcp != c->tcp || l->serial != x->fo_serial)
		return;
	l->n_fo--;
	if (state == TCP_CLOSED && c->error == ECONNRESET) {
		held(l, now_ns);
		l->fo_held[0]++;
	}
}

/* ---- client ---- */

/* RFC 7413 4.1.3: what the server's MSS leaves, or the path's, beside all options */
static uint32_t syn_room(const struct tcp_conn *c, const struct fo_hint *hint)
{
	unsigned mtu = ip_path_mtu(c->tcp->ip, &c->flow.remote), mss;

	if (mtu < IP_PMTU_MIN)
		mtu = IP_PMTU_MIN;
	mss = mtu - tcp_headers_len(&c->flow);
	if (c->opts.maxseg && mss > c->opts.maxseg)
		mss = c->opts.maxseg;
	if (hint->mss && mss > hint->mss)
		mss = hint->mss;
	return mss > TCP_OPTIONS_MAX ? mss - TCP_OPTIONS_MAX : 0;
}

static bool is_bare(const struct tcp *tcp, const struct tcp_opts *opts)
{
	return (tcp->conf.fastopen & TCP_FO_CLIENT_BARE) || opts->fo_bare;
}

bool tcp_fastopen_is_on(const struct tcp *tcp)
{
	return tcp->conf.fastopen & TCP_FO_CLIENT;
}

bool tcp_fastopen_ready(struct tcp *tcp, const struct addr *dst,
			const struct tcp_opts *opts)
{
	struct fo_hint hint;

	if (!tcp_fastopen_is_on(tcp))
		return false;
	fo_cache_get(&tcp->fo_cache, dst, tcp->now_ns, &hint);
	return !hint.paused && (hint.cookie.len || is_bare(tcp, opts));
}

ssize_t tcp_fastopen(struct tcp *tcp, struct tcp_conn *c, const void *bytes, size_t len)
{
	struct tcp_xfer *x;
	struct fo_hint hint;
	uint32_t room;

	if (!tcp_fastopen_is_on(tcp))
		return -EOPNOTSUPP;
	if (c->state != TCP_SYN_SENT || !c->syn_due || c->x)
		return -EALREADY;
	x = tcp_conn_xfer(c);
	x->fo_asked = true;
	if (!tcp_fastopen_ready(tcp, &c->flow.remote, &c->opts))
		return -EINPROGRESS;
	fo_cache_get(&tcp->fo_cache, &c->flow.remote, tcp->now_ns, &hint);
	room = syn_room(c, &hint);
	len = sndq_write(&x->snd, tcp->pkts, bytes, len < room ? len : room);
	return len ? (ssize_t)len : -EINPROGRESS;
}

uint32_t tcp_fastopen_syn(struct tcp_conn *c, struct tcp_seg *s, struct fo_hint *hint)
{
	struct tcp *tcp = c->tcp;
	struct tcp_xfer *x = c->x;
	uint32_t room;

	/* RFC 7413 4.1.3.1: one that is sent again is an ordinary SYN */
	if (!x->fo_asked || c->tries || x->syn_sent)
		return 0;
	fo_cache_get(&tcp->fo_cache, &c->flow.remote, tcp->now_ns, hint);
	if (hint->paused) {
		x->fo_asked = false;
		return 0;
	}
	x->fo_sent = true;
	if (!is_bare(tcp, &c->opts)) {
		x->fo_exp = hint->cookie.exp;
		s->has |= TCP_HAS_FO | (x->fo_exp ? TCP_HAS_FO_EXP : 0);
		s->fo_len = hint->cookie.len;
		s->fo = hint->cookie.bytes;
		if (!s->fo_len)
			return 0;
	}
	room = syn_room(c, hint);
	return x->snd.len < room ? x->snd.len : room;
}

/* What the cache learns from a SYN-ACK; @data: the SYN brought some; @left, not all arrived. */
static void learn(struct tcp_in *in, bool data, bool left)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;
	struct fo_answer answer = { 0 };

	answer.mss = s->has & TCP_HAS_MSS ? s->mss : tcp_mss_default(&c->flow);
	/* A cookie that nobody asked for is not one. */
	if (s->fo_len && !is_bare(in->tcp, &c->opts)) {
		answer.cookie.len = s->fo_len;
		answer.cookie.exp = s->has & TCP_HAS_FO_EXP;
		memcpy(answer.cookie.bytes, s->fo, s->fo_len);
	} else if (c->tries) {
		answer.lost = !data || left;
	} else if (!data && !is_bare(in->tcp, &c->opts)) {
		answer.refused = true;
		answer.asked_exp = c->x->fo_exp;
	}
	fo_cache_learn(&in->tcp->fo_cache, &c->flow.remote, &answer, in->now_ns);
}

void tcp_fastopen_answered(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = c->x;
	bool data = tcp_conn_flight(c) > 1, left = seq_before(in->s.ack, c->snd_nxt);
	uint32_t n = seq_dist(c->snd_una, in->s.ack) - 1;

	if (x->fo_sent)
		learn(in, data, left);
	sndq_ack(&x->snd, n);
	c->bytes_acked += n;
	tcp_recover_begin(c, in->s.ack, in->now_ns);
	c->syn_data = data && !left;
	in->tcp->stats.fastopen_out += c->syn_data;
	/* RFC 7413 4.2.1: what was not acknowledged goes again at once */
	if (left)
		tcp_recover_resegment(c);
}

void tcp_fastopen_timeout(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->tries == FO_LOST_MAX && (c->syn_data || (c->x && c->x->fo_sent)))
		fo_cache_lost(&c->tcp->fo_cache, &c->flow.remote, now_ns);
}

/* ---- for sockets ---- */

void tcp_listener_set_fastopen(struct tcp_listener *l, unsigned max)
{
	l->fo_max = max < TCP_BACKLOG_MAX ? max : TCP_BACKLOG_MAX;
}

unsigned tcp_listener_fastopen(const struct tcp_listener *l)
{
	return l->fo_max;
}

struct fo_keys *tcp_listener_fo_keys(struct tcp_listener *l)
{
	return &l->fo_keys;
}

const struct fo_keys *tcp_fastopen_keys(const struct tcp *tcp)
{
	return &tcp->fo_keys;
}

void tcp_set_fastopen(struct tcp *tcp, unsigned mode, const struct fo_keys *keys)
{
	tcp->conf.fastopen = mode;
	if (keys)
		tcp->fo_keys = *keys;
}
