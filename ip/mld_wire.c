#include "ip/mld_wire.h"

enum { TYPE_REPORT = 143, NEXT_ICMP6 = 58 };

/* RFC 3810 5.1.3: above 32767, three bits of exponent and twelve of mantissa. */
static uint32_t max_delay(uint16_t code)
{
	if (code < 0x8000)
		return code;
	return ((code & 0xfffu) | 0x1000) << ((code >> 12 & 7) + 3);
}

bool mld_query_parse(struct rd *r, struct mld_query_msg *q)
{
	rd32(r);
	q->max_delay_ms = max_delay(rd16(r));
	rd16(r);
	rd_copy(r, &q->group, sizeof(q->group));
	return !r->bad && (ip6_is_multicast(q->group) || ip6_is_zero(q->group));
}

void mld_report_emit(struct wr *w, unsigned n_records)
{
	wr8(w, TYPE_REPORT);
	wr8(w, 0);
	wr32(w, 0);
	wr16(w, (uint16_t)n_records);
}

void mld_record_emit(struct wr *w, const struct mld_record *r)
{
	wr8(w, (uint8_t)r->type);
	wr8(w, 0);
	wr16(w, 0);
	wr_copy(w, &r->group, sizeof(r->group));
}

void mld_alert_emit(struct wr *w)
{
	static const uint8_t alert[MLD_ALERT_LEN] = { NEXT_ICMP6, 0, 5, 2, 0, 0, 1, 0 };

	wr_copy(w, alert, sizeof(alert));
}
