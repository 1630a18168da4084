/*
 * Tail loss probes (RFC 8985 7): when ACKs stop with something in flight, a segment goes
 * after two round trips, long before the timeout: new bytes if there are any, else the
 * last ones again.  Its ACK tells by SACK what was lost; and if the probe itself repaired
 * the loss, cwnd comes down all the same.
 */
#include "stack/base/clock.h"
#include "tcp/tcp_impl.h"

enum {
	PTO_DEFAULT_US = 1000000,  /* RFC 8985 7.2: without a sample */
	MAX_ACK_DELAY_US = 200000, /* ... and of the peer, which may wait so long */
	PTO_SLACK_US = 2000,	   /* ACKs come in bursts */
};

bool tcp_tlp_wanted(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;

	/* RFC 8985 7.2: nothing is reported, nothing is lost */
	return c->sack && c->state >= TCP_ESTABLISHED && c->tcp->conf.tlp &&
	       !x->tlp_out && x->ca != TCP_CA_DISORDER && x->ca < TCP_CA_RECOVERY &&
	       x->sent.n && !x->sent.n_sacked;
}

uint64_t tcp_tlp_delay_ns(const struct tcp_conn *c)
{
	uint64_t pto = PTO_DEFAULT_US;

	if (c->rtt.srtt_x8_us) {
		pto = c->rtt.srtt_x8_us / 4;
		pto += tcp_conn_flight(c) <= c->mss ? MAX_ACK_DELAY_US : PTO_SLACK_US;
	}
	return pto * NS_PER_US;
}

void tcp_tlp_sent(struct tcp_conn *c, bool again)
{
	struct tcp_xfer *x = c->x;

	x->tlp_out = true;
	x->tlp_again = again;
	x->tlp_end = c->snd_nxt;
	c->tcp->stats.tlp++;
}

void tcp_tlp_ack(struct tcp_conn *c, const struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	if (!x->tlp_out || seq_before(c->snd_una, x->tlp_end))
		return;
	if (!x->tlp_again || a->dsack) {
		/* RFC 8985 7.4.2: new bytes, or the peer has them twice */
		x->tlp_out = false;
	} else if (seq_after(c->snd_una, x->tlp_end)) {
		/* The probe repaired a loss: one reduction. */
		x->tlp_out = false;
		c->tcp->stats.tlp_repaired++;
		if (x->ca < TCP_CA_CWR)
			c->cc.ops->loss(&c->cc, CC_LOSS_FAST, a->flight, c->mss,
					a->now_ns);
	} else if (!a->n_acked && !a->sent.n_sacked && a->dup) {
		/* Both arrived. */
		x->tlp_out = false;
	}
}
