#include "ip/igmp_wire.h"

#include "stack/base/cksum.h"

enum {
	AT_TYPE = 0,
	AT_MAX = 1,
	AT_SUM = 2,
	AT_GROUP = 4,
	TENTH_MS = 100,
	V1_MAX_MS = 10000, /* RFC 3376 7.2.1: of a query that does not say */
};

/* RFC 3376 4.1.1 */
static uint32_t tenths_of_v3(uint8_t code)
{
	if (code < 128)
		return code;
	return ((code & 0x0fu) | 0x10u) << (((code >> 4) & 7u) + 3);
}

static bool read_query(uint8_t max, size_t len, struct igmp_msg *m)
{
	if (len >= IGMP_V3_QUERY_LEN) {
		m->version = 3;
		m->max_ms = tenths_of_v3(max) * TENTH_MS;
	} else {
		m->version = max ? 2 : 1;
		m->max_ms = max ? max * (uint32_t)TENTH_MS : V1_MAX_MS;
	}
	return len == IGMP_LEN || len >= IGMP_V3_QUERY_LEN;
}

bool igmp_parse(const uint8_t *bytes, size_t len, struct igmp_msg *m)
{
	*m = (struct igmp_msg){ 0 };
	if (len < IGMP_LEN)
		return false;
	memcpy(&m->group, bytes + AT_GROUP, sizeof(m->group));
	switch (bytes[AT_TYPE]) {
	case IGMP_QUERY:
		m->type = IGMP_QUERY;
		return read_query(bytes[AT_MAX], len, m) &&
		       (ip4_is_zero(m->group) || ip4_is_multicast(m->group));
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
	case IGMP_V2_LEAVE:
		m->type = (enum igmp_type)bytes[AT_TYPE];
		return ip4_is_multicast(m->group);
	default: return false;
	}
}

void igmp_emit(uint8_t bytes[static IGMP_LEN], enum igmp_type type, struct ip4 group)
{
	uint16_t sum;

	memset(bytes, 0, IGMP_LEN);
	bytes[AT_TYPE] = (uint8_t)type;
	memcpy(bytes + AT_GROUP, &group, sizeof(group));
	sum = cksum_end(cksum_add(0, bytes, IGMP_LEN));
	memcpy(bytes + AT_SUM, &sum, sizeof(sum));
}

void igmp_report_emit(struct wr *w, unsigned n_records)
{
	wr8(w, IGMP_V3_REPORT);
	wr8(w, 0);
	wr16(w, 0); /* sum */
	wr16(w, 0);
	wr16(w, (uint16_t)n_records);
}

void igmp_record_emit(struct wr *w, enum igmp_record_type type, struct ip4 group)
{
	wr8(w, (uint8_t)type);
	wr8(w, 0);
	wr16(w, 0); /* sources */
	wr_copy(w, &group, sizeof(group));
}
