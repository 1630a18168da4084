/*
 * ECN of a connection: ecn.h says what there is, accecn.c counts.
 *
 * Only new bytes of the stream go out ECN-capable: what is sent again, probes, ACKs,
 * SYN, FIN and RST do not (RFC 3168 6.1.4 to 6.1.6), but where conf.ecn_plus allows it
 * (draft-ietf-tcpm-generalized-ecn).  ECT(0), or ECT(1) when the program asked for L4S
 * and the peer has AccECN (RFC 9331 4.1, 4.2).
 *
 * An algorithm of congestion control that reads cc_ack.n_ce has own_ecn; the others
 * are told of a loss, once a round trip.
 */
#include "ip/ip.h"
#include "tcp/tcp_impl.h"

enum { THREE = TCP_AE | TCP_CWR | TCP_ECE, CLASSIC = TCP_CWR | TCP_ECE };

/* ---- the handshake ---- */

static bool takes_acc(unsigned mode)
{
	return mode == TCP_ECN_ACC || mode == TCP_ECN_ACC_ASK_CLASSIC ||
	       mode == TCP_ECN_ACC_ACCEPT;
}

/* What our SYN asks for. */
static uint8_t asks(const struct tcp_opts *opts)
{
	if (opts->ecn == TCP_ECN_ACC)
		return ECN_ASKED_ACC;
	if (opts->ecn == TCP_ECN_CLASSIC || opts->ecn == TCP_ECN_ACC_ASK_CLASSIC)
		return ECN_ASKED_CLASSIC;
	return ECN_ASKED_NOT;
}

uint8_t tcp_ecn_judge(const struct tcp_opts *opts, uint16_t flags, uint8_t tos)
{
	uint8_t field = tos & ECN_MASK;

	if (!(flags & THREE) || opts->ecn == TCP_ECN_OFF)
		return ECN_ASKED_NOT;
	/* RFC 9768 3.1.3: whatever else the three say will be a kind of AccECN */
	if ((flags & THREE) != CLASSIC && takes_acc(opts->ecn))
		return ECN_ASKED_ACC | field;
	/* RFC 3168 6.1.1: an ECN-setup SYN is not ECN-capable itself */
	if ((flags & CLASSIC) == CLASSIC && field == ECN_NOT_ECT)
		return ECN_ASKED_CLASSIC;
	return ECN_ASKED_NOT;
}

uint8_t tcp_ecn_judge_again(uint8_t asked, uint16_t flags, uint8_t tos)
{
	if (asked < ECN_ASKED_ACC)
		return asked;
	/* RFC 9768 3.1.5: the mode stays, but a plain SYN came */
	return flags & THREE ? ECN_ASKED_ACC | (tos & ECN_MASK) : ECN_ASKED_MUTED;
}

uint16_t tcp_ecn_syn_ack(uint8_t asked, unsigned tries, struct tcp_seg *s)
{
	if (asked == ECN_ASKED_CLASSIC)
		return TCP_ECE;
	/* RFC 9768 3.2.3.2.2: first without the option, then without anything */
	if (asked < ECN_ASKED_MUTED || tries > 2)
		return 0;
	if (tries <= 1) {
		struct accecn a;

		accecn_init(&a);
		accecn_option(&a, s,
			      TCP_OPTIONS_MAX - (tcp_emit_len(s) - TCP_HEADER_LEN));
	}
	return accecn_flags(accecn_shake(asked == ECN_ASKED_MUTED ? ECN_NOT_ECT : asked));
}

uint16_t tcp_ecn_syn(struct tcp_conn *c)
{
	uint8_t asked = asks(&c->opts);

	/* RFC 9768 3.1.4.1 tries twice, RFC 3168 6.1.1.1 once; then a plain SYN */
	if (c->tries > (asked == ECN_ASKED_ACC))
		return 0;
	c->x->ecn_asked = asked;
	return asked == ECN_ASKED_ACC ? THREE : asked == ECN_ASKED_CLASSIC ? CLASSIC : 0;
}

uint8_t tcp_ecn_shake_field(const struct tcp *tcp, bool asked_acc)
{
	return tcp->conf.ecn_plus && asked_acc ? ECN_ECT0 : ECN_NOT_ECT;
}

/* Both half-connections are in AccECN mode. */
static void enter_acc(struct tcp_conn *c)
{
	struct tcp_xfer *x = tcp_conn_xfer(c);

	c->ecn = ECN_ON | ECN_ACC;
	accecn_init(&x->acc);
	x->ecn_una = c->snd_una;
	/* Who cuts super-segments clears CWR in all but the first (RFC 3168). */
	c->gso = false;
}

void tcp_ecn_responds(struct tcp_conn *c, uint8_t asked, unsigned tries)
{
	if (asked == ECN_ASKED_CLASSIC)
		c->ecn = ECN_ON;
	if (asked < ECN_ASKED_MUTED)
		return;
	enter_acc(c);
	/* RFC 9768 3.1.5: the peer may not be in this mode */
	if (asked == ECN_ASKED_MUTED || tries > 2)
		c->ecn |= ECN_MUTE;
}

void tcp_ecn_third(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	uint32_t value = accecn_value(in->s.flags);
	uint8_t field;

	if (!(c->ecn & ECN_ACC) || in->len || in->s.n_sack)
		return;
	/* RFC 9768 table 4 */
	if (!value)
		c->ecn |= ECN_MUTE | ECN_DEAF;
	/* 3.2.2.3: our SYN-ACK was changed on its way */
	if (accecn_shake_read(value, &field) && field != ECN_CE &&
	    field != tcp_ecn_shake_field(in->tcp, true))
		c->ecn |= ECN_MUTE;
	if (accecn_shake_read(value, &field) && field == ECN_CE) {
		c->x->acc.s_cep++;
		if (!in->tcp->conf.ecn_plus)
			c->ecn |= ECN_MUTE;
	}
	/* From here on it is what the counter would have said. */
	in->s.flags = (uint16_t)((in->s.flags & ~THREE) | accecn_flags(c->x->acc.s_cep));
}

/* The SYN-ACK confirms AccECN; @value: what it says of our SYN. */
static void confirmed(struct tcp_in *in, uint32_t value)
{
	uint8_t sent = tcp_ecn_shake_field(in->tcp, true), field = sent;
	struct tcp_conn *c = in->c;
	struct accecn *a;

	enter_acc(c);
	a = &c->x->acc;
	a->shake = in->p->tos & ECN_MASK;
	c->ecn |= ECN_SHAKE;
	/* RFC 9768 3.2.2.2: once, whatever comes again */
	if (a->shake == ECN_CE)
		a->r_cep++;
	a->has_option = in->s.has & (TCP_HAS_ACC0 | TCP_HAS_ACC1);
	/* 3.2.2.3; 3.1.3: the value that nobody has yet is as if nothing happened */
	accecn_shake_read(value, &field);
	if (field != sent && !(field == ECN_CE && sent))
		c->ecn |= ECN_MUTE;
	if (field == ECN_CE)
		c->cc.cwnd = c->mss;
}

void tcp_ecn_answered(struct tcp_in *in)
{
	uint16_t three = in->s.flags & THREE;
	struct tcp_conn *c = in->c;

	if (c->state != TCP_SYN_SENT || !c->x->ecn_asked || !three)
		return;
	/* RFC 3168 6.1.1; RFC 9768 table 2: some reflect whatever they do not know */
	if (three == TCP_ECE)
		c->ecn = ECN_ON;
	else if (c->x->ecn_asked == ECN_ASKED_ACC && three != THREE)
		confirmed(in, accecn_value(three));
}

/* ---- what goes out ---- */

/* RFC 9768 3.2.2.1: the ACK of the SYN-ACK tells what field that had. */
static uint32_t ace(struct tcp_conn *c, const struct tcp_seg *s, uint32_t len)
{
	struct accecn *a = &c->x->acc;

	if (!(c->ecn & ECN_SHAKE))
		return a->r_cep;
	c->ecn &= (uint8_t)~ECN_SHAKE;
	return len || s->n_sack ? a->r_cep : accecn_shake(a->shake);
}

static void out_acc(struct tcp_conn *c, struct tcp_seg *s, uint32_t len, bool is_new)
{
	unsigned used;

	/* RFC 9768 3.2.3.2.2: the first bytes were lost, perhaps for the option */
	if (len && !is_new && !c->bytes_acked)
		c->ecn |= ECN_NO_OPTION;
	s->flags |= accecn_flags(ace(c, s, len));
	c->x->acc.n_marks = 0;
	used = tcp_emit_len(s) - TCP_HEADER_LEN;
	/* Full segments have no room for it: pure ACKs tell it, and short ones. */
	if (!(c->ecn & ECN_NO_OPTION) && len + 12 <= c->mss)
		accecn_option(&c->x->acc, s, TCP_OPTIONS_MAX - used);
}

static void out_classic(struct tcp_conn *c, struct tcp_seg *s, bool is_new)
{
	if (c->ecn & ECN_ECHO)
		s->flags |= TCP_ECE;
	/* RFC 3168 6.1.2: with the first new data behind the reduction */
	if (is_new && (c->ecn & ECN_CWR)) {
		s->flags |= TCP_CWR;
		c->ecn &= (uint8_t)~ECN_CWR;
	}
}

/* RFC 3168 6.1.2: a loss is a reduction, too, and marks of its window are no other. */
static void note_loss(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (seq_eq(x->ecn_una, x->recover))
		return;
	x->ecn_una = x->recover;
	if (!(c->ecn & ECN_ACC))
		c->ecn |= ECN_CWR;
}

uint8_t tcp_ecn_out(struct tcp_conn *c, struct tcp_seg *s, uint32_t len, bool is_new)
{
	bool plus = c->tcp->conf.ecn_plus;

	if (c->x && c->x->ca >= TCP_CA_RECOVERY)
		note_loss(c);
	if (c->ecn & ECN_ACC)
		out_acc(c, s, len, is_new);
	else
		out_classic(c, s, is_new);
	if (c->ecn & ECN_MUTE)
		return ECN_NOT_ECT;
	/* A pure ACK may be marked only where the peer counts it. */
	if (!is_new && !(plus && (len || (s->flags & TCP_FIN) || (c->ecn & ECN_ACC))))
		return ECN_NOT_ECT;
	return c->opts.l4s && (c->ecn & ECN_ACC) ? ECN_ECT1 : ECN_ECT0;
}

/* ---- what comes in ---- */

static void in_classic(struct tcp_in *in, uint8_t field)
{
	struct tcp_conn *c = in->c;

	/* RFC 3168 6.1.3: CWR first, for its packet may have a mark of its own; and who
	 * slowed down may have nothing else in flight that asks for an ACK */
	if (in->s.flags & TCP_CWR) {
		c->ecn &= (uint8_t)~ECN_ECHO;
		c->ack_now |= in->len > 0;
	}
	if (field == ECN_CE && in->len) {
		c->ack_now |= !(c->ecn & ECN_ECHO);
		c->ecn |= ECN_ECHO;
	}
}

void tcp_ecn_in(struct tcp_in *in)
{
	uint32_t n = 1, len = in->len, gso_len = in->p->gso_len;
	uint8_t field = in->p->tos & ECN_MASK;
	struct tcp_conn *c = in->c;
	bool owes;

	if (field == ECN_CE)
		in->tcp->stats.ecn_ce_in++;
	if (in->s.flags & TCP_SYN)
		return;
	if (!(c->ecn & ECN_ACC)) {
		in_classic(in, field);
		return;
	}
	/* What was merged came with the same field. */
	if (gso_len && gso_len < len)
		n = (len - 1) / gso_len + 1;
	owes = len || !seq_eq(c->ack_sent, c->rcv_nxt);
	if (accecn_count(&c->x->acc, field, n, len, owes))
		c->ack_now = true;
}

void tcp_ecn_reduced(struct tcp_conn *c)
{
	if (!c->ecn)
		return;
	if (c->x)
		c->x->ecn_una = c->snd_nxt;
	if (!(c->ecn & ECN_ACC))
		c->ecn |= ECN_CWR;
}

/* RFC 3168 6.1.2: once for each window of data, and not beside a loss of it. */
static void slow_down(struct tcp_conn *c, struct seq ack, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	if (!x || x->ca >= TCP_CA_CWR || !tcp_conn_flight(c) ||
	    seq_before_eq(ack, x->ecn_una))
		return;
	c->tcp->stats.ecn_reduced++;
	tcp_recover_reduce(c, now_ns);
	tcp_ecn_reduced(c);
}

/* Bytes of the @n acknowledged that AccECN tells were marked. */
static uint32_t told(struct tcp_in *in, uint32_t n)
{
	struct tcp_conn *c = in->c;
	uint32_t bytes, packets;

	packets = accecn_learn(&c->x->acc, &in->s, (n + c->mss - 1) / c->mss, &bytes);
	if (c->ecn & ECN_DEAF)
		return 0;
	/* Appendix A.3: without the option, as if they were full */
	if (bytes == UINT32_MAX)
		bytes = packets * c->mss < n ? packets * c->mss : packets ? n : 0;
	return packets && !bytes ? 1 : bytes;
}

uint32_t tcp_ecn_marks(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	uint32_t n = seq_dist(c->snd_una, in->s.ack), marked;

	if (in->s.flags & TCP_SYN)
		return 0;
	if (c->ecn & ECN_ACC)
		marked = told(in, n);
	else
		marked = in->s.flags & TCP_ECE ? (n ? n : 1) : 0;
	if (marked && !c->cc.ops->own_ecn)
		slow_down(c, in->s.ack, in->now_ns);
	else if (marked)
		tcp_ecn_reduced(c);
	return marked < n ? marked : n;
}
