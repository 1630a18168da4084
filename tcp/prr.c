/*
 * Proportional rate reduction (RFC 9937): how cwnd comes down to ssthresh while loss
 * recovery runs, or after an ECN mark.  Each ACK lets as much go as was delivered, times
 * the reduction; when less than ssthresh is in the network, what was delivered goes, and
 * a segment more when the ACK says that nothing else was lost.
 *
 * An algorithm that rules its own window in recovery has no use for it.
 */
#include "tcp/tcp_impl.h"

void tcp_prr_begin(struct tcp_conn *c, uint32_t n_delivered)
{
	struct tcp_xfer *x = c->x;

	/* RFC 9937 6.1: what was reported before this ACK is not delivered any more */
	x->recover_fs = tcp_conn_flight(c) - x->sent.n_sacked + n_delivered;
	x->prr_delivered = x->prr_out = 0;
}

void tcp_prr_ack(struct tcp_conn *c, uint32_t n_delivered, bool safe)
{
	uint32_t pipe = tcp_recover_pipe(c), mss = c->mss, ssthresh = c->cc.ssthresh;
	struct tcp_xfer *x = c->x;
	uint64_t share, may;

	if (!n_delivered || !x->recover_fs)
		return;
	x->prr_delivered += n_delivered;
	if (pipe > ssthresh) {
		share = (uint64_t)x->prr_delivered * ssthresh;
		share = (share + x->recover_fs - 1) / x->recover_fs;
		may = share > x->prr_out ? share - x->prr_out : 0;
	} else {
		/* RFC 9937 6.2: PRR-CRB, and PRR-SSRB when the ACK is safe */
		may = x->prr_delivered > x->prr_out ? x->prr_delivered - x->prr_out : 0;
		if (may < n_delivered)
			may = n_delivered;
		may += safe ? mss : 0;
		if (may > ssthresh - pipe)
			may = ssthresh - pipe;
	}
	/* The first retransmission goes in any case. */
	if (!x->prr_out && may < mss)
		may = mss;
	c->cc.cwnd = pipe + (uint32_t)may > mss ? pipe + (uint32_t)may : mss;
}
