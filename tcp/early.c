/*
 * The memory of bytes that came early.  A hole is filled within some round trips, or
 * somebody makes holes on purpose; so who keeps islands is in a list, who began first
 * is first, and loses them first:
 *
 *	of a connection	  four times its receive buffer in use, which is what honest
 *			  segments of an MTU pin, and conf.ooo_bytes_max
 *	of all		  a quarter of the buffers
 *	when others write and there is no memory, none
 *
 * RFC 2018 8 allows it: the peer keeps all until the cumulative ACK.
 */
#include "tcp/tcp_impl.h"

enum { PINNED_PER_BYTE = 4 };

void tcp_early_init(struct tcp *tcp)
{
	list_init(&tcp->early);
	tcp->early_max = (uint64_t)tcp->pkts->bufs.max / TCP_SHARE * PKT_BUF_LEN;
}

void tcp_early_note(struct tcp *tcp, struct tcp_xfer *x)
{
	tcp->early_pinned += x->rcv.ooo_pinned;
	tcp->early_pinned -= x->early_pinned;
	x->early_pinned = x->rcv.ooo_pinned;
	if (!x->early_pinned)
		list_remove(&x->early);
	else if (list_empty(&x->early))
		list_push(&tcp->early, &x->early);
}

void tcp_early_drop(struct tcp *tcp, struct tcp_xfer *x)
{
	rcvq_drop_early(&x->rcv);
	tcp_early_note(tcp, x);
}

bool tcp_early_shed(struct tcp *tcp)
{
	if (list_empty(&tcp->early))
		return false;
	tcp->stats.ooo_shed++;
	tcp_early_drop(tcp, container_of(tcp->early.next, struct tcp_xfer, early));
	return true;
}

static uint32_t limit_of(const struct tcp_conn *c)
{
	uint32_t max = c->tcp->conf.ooo_bytes_max;

	return c->rcv_lim < max / PINNED_PER_BYTE ? c->rcv_lim * PINNED_PER_BYTE : max;
}

/* Memory is for what can be read. */
static bool is_scarce(struct tcp *tcp)
{
	while (pkt_pool_level(tcp->pkts) < TCP_LEVEL_WRITE)
		if (!tcp_early_shed(tcp))
			return true;
	return false;
}

bool tcp_early_add(struct tcp_conn *c, struct pkt *p, struct seq seq)
{
	struct tcp *tcp = c->tcp;
	struct tcp_xfer *x;
	bool full;

	if (is_scarce(tcp))
		return false;
	x = tcp_conn_xfer(c);
	tcp->stats.ooo_bytes +=
		rcvq_add_early(&x->rcv, tcp->pkts, p, seq, limit_of(c), &full);
	tcp->stats.ooo_drop += full;
	tcp_early_note(tcp, x);
	while (tcp->early_pinned > tcp->early_max)
		tcp_early_shed(tcp);
	return true;
}
