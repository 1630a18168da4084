/*
 * AccECN (RFC 9768): what the receiver counts and the sender makes of it.
 *
 * The three flags AE, CWR and ECE are the lowest bits of the count of marked packets, and
 * may have gone round between two ACKs; the option has 24 bits of each count of bytes and
 * cannot.  So long as options come, they tell; without, the safest likely case counts.
 */
#include "tcp/conn.h"
#include "tcp/tcp_wire.h"

enum {
	ACE = TCP_AE | TCP_CWR | TCP_ECE,
	ACE_SHIFT = 6,
	ACE_MASK = 7,
	CEP_FIRST = 5,	   /* RFC 9768 3.2.1 */
	BYTES_FIRST = 1,   /* of those without a mark */
	OPTIONS_FIRST = 3, /* ACKs with an option at the beginning */
	FIELD_LEN = 3,
	FIELD_MASK = 0xffffff,
	MARKS_DATA = 2, /* so many marks are worth an ACK (3.2.2.5.1) */
	MARKS_NONE = 3, /* the same when there is nothing to acknowledge */
};

void accecn_init(struct accecn *a)
{
	*a = (struct accecn){
		.r_cep = CEP_FIRST,
		.r_e0b = BYTES_FIRST,
		.r_e1b = BYTES_FIRST,
		.s_cep = CEP_FIRST,
		.s_e0b = BYTES_FIRST,
		.s_e1b = BYTES_FIRST,
		.told_e0b = BYTES_FIRST,
		.told_e1b = BYTES_FIRST,
		.n_options = OPTIONS_FIRST,
	};
}

uint16_t accecn_flags(uint32_t value)
{
	return (uint16_t)((value & ACE_MASK) << ACE_SHIFT);
}

uint32_t accecn_value(uint16_t flags)
{
	return (uint32_t)(flags & ACE) >> ACE_SHIFT;
}

static const uint8_t shake[] = {
	[ECN_NOT_ECT] = 2, [ECN_ECT1] = 3, [ECN_ECT0] = 4, [ECN_CE] = 6
};

uint32_t accecn_shake(uint8_t field)
{
	return shake[field & ECN_MASK];
}

bool accecn_shake_read(uint32_t value, uint8_t *field)
{
	for (uint8_t i = 0; i < sizeof(shake); i++) {
		if (shake[i] != value)
			continue;
		*field = i;
		return true;
	}
	return false;
}

bool accecn_count(struct accecn *a, uint8_t field, uint32_t n, uint32_t len, bool owes)
{
	bool change = field == ECN_CE && !a->was_ce && len;

	a->was_ce = field == ECN_CE;
	if (field == ECN_ECT0)
		a->r_e0b += len;
	if (field == ECN_ECT1)
		a->r_e1b += len;
	if (field != ECN_CE)
		return false;
	a->r_cep += n;
	a->r_ceb += len;
	a->n_marks = (uint8_t)(n + a->n_marks < UINT8_MAX ? n + a->n_marks : UINT8_MAX);
	return change || a->n_marks >= (owes ? MARKS_DATA : MARKS_NONE);
}

/* How far a field of 24 bits is ahead of @count, which follows it. */
static uint32_t ahead(uint32_t *count, uint32_t field)
{
	uint32_t n = (field - *count) & FIELD_MASK;

	/* Half way round is behind: an older ACK, or zeroed on its way. */
	if (n > FIELD_MASK / 2U)
		return 0;
	*count += n;
	return n;
}

/* RFC 9768 3.2.3.1: what the option says of marked bytes; UINT32_MAX: nothing. */
static uint32_t read_option(struct accecn *a, const struct tcp_seg *s)
{
	bool first = s->has & TCP_HAS_ACC0;
	uint32_t bytes = UINT32_MAX;

	if (!(s->has & (TCP_HAS_ACC0 | TCP_HAS_ACC1)))
		return bytes;
	a->has_option = true;
	if (s->n_acc > 0)
		ahead(first ? &a->s_e0b : &a->s_e1b, s->acc[0]);
	if (s->n_acc > 1)
		bytes = ahead(&a->s_ceb, s->acc[1]);
	if (s->n_acc > 2)
		ahead(first ? &a->s_e1b : &a->s_e0b, s->acc[2]);
	return bytes;
}

uint32_t accecn_learn(struct accecn *a, const struct tcp_seg *s, uint32_t n_packets,
		      uint32_t *bytes)
{
	uint32_t n = (accecn_value(s->flags) - a->s_cep) & ACE_MASK;

	*bytes = read_option(a, s);
	/* Appendix A.2.1: it may have gone round, unless the option counts for it. */
	if (*bytes == UINT32_MAX && !a->has_option && n_packets > ACE_MASK)
		n = n_packets - ((n_packets - n) & ACE_MASK);
	a->s_cep += n;
	return n;
}

void accecn_option(struct accecn *a, struct tcp_seg *s, unsigned room)
{
	bool e0b = a->r_e0b != a->told_e0b, e1b = a->r_e1b != a->told_e1b;
	bool ceb = a->r_ceb != a->told_ceb, order1 = e1b && !e0b;
	uint32_t *first = order1 ? &a->told_e1b : &a->told_e0b;
	uint32_t *last = order1 ? &a->told_e0b : &a->told_e1b;
	unsigned n = a->n_options || (e0b && e1b) ? 3 : ceb ? 2 : 1, most;

	if ((!e0b && !e1b && !ceb && !a->n_options) || room < 4)
		return;
	/* Kind, length, and what fits behind in whole words. */
	most = (room / 4 * 4 - 2) / FIELD_LEN;
	/* RFC 9768 3.2.3: a field that changed must not be left out */
	if (n > most && !a->n_options)
		return;
	s->n_acc = (uint8_t)(n < most ? n : most);
	s->has |= order1 ? TCP_HAS_ACC1 : TCP_HAS_ACC0;
	s->acc[0] = order1 ? a->r_e1b : a->r_e0b;
	s->acc[1] = a->r_ceb;
	s->acc[2] = order1 ? a->r_e0b : a->r_e1b;
	if (s->n_acc > 0)
		*first = s->acc[0];
	if (s->n_acc > 1)
		a->told_ceb = s->acc[1];
	if (s->n_acc > 2)
		*last = s->acc[2];
	/* 3.2.3.3: what changed is said once more, lest the ACK is lost */
	if (a->n_options)
		a->n_options--;
	else
		a->n_options = 1;
}
