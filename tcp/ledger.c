#include "tcp/tcp_impl.h"

static struct tcp_ledger *place_of(const struct tcp_conn *c)
{
	const struct tcp *tcp = c->tcp;

	return pool_at(&tcp->ledgers, pool_id(&tcp->conns, c));
}

struct tcp_ledger *tcp_ledger(struct tcp_conn *c)
{
	struct tcp_ledger *l = place_of(c);

	if (!c->counted) {
		c->counted = true;
		*l = (struct tcp_ledger){ .rx_ms = tcp_ms(c->tcp->now_ns) };
	}
	return l;
}

const struct tcp_ledger *tcp_ledger_look(const struct tcp_conn *c)
{
	static const struct tcp_ledger nothing;

	return c->counted ? place_of(c) : &nothing;
}

static enum tcp_busy busy_now(const struct tcp_conn *c)
{
	uint32_t len = tcp_conn_sndq_len(c), left, wnd;
	struct seq edge = seq_add(c->snd_una, c->snd_wnd);

	if (!len)
		return TCP_BUSY_NOT;
	left = c->fin_sent ? 0 : seq_dist(c->snd_nxt, tcp_conn_write_end(c));
	if (c->cwnd_limited)
		return TCP_BUSY;
	if (!left)
		return c->wants_room ? TCP_BUSY_SNDBUF : TCP_BUSY;
	wnd = seq_after(edge, c->snd_nxt) ? seq_dist(c->snd_nxt, edge) : 0;
	return wnd < (left < c->mss ? left : c->mss) ? TCP_BUSY_RWND : TCP_BUSY;
}

void tcp_ledger_limit(struct tcp_conn *c, uint64_t now_ns)
{
	enum tcp_busy busy = busy_now(c);
	struct tcp_ledger *l = tcp_ledger(c);

	if (busy == l->busy)
		return;
	l->busy_us[l->busy] += tcp_us(now_ns) - l->since_us;
	l->since_us = tcp_us(now_ns);
	l->busy = (uint8_t)busy;
}

uint64_t tcp_ledger_busy_us(const struct tcp_conn *c, enum tcp_busy busy, uint64_t now_ns)
{
	const struct tcp_ledger *l = tcp_ledger_look(c);
	uint64_t us = l->busy_us[busy];

	return l->busy == busy ? us + (tcp_us(now_ns) - l->since_us) : us;
}
