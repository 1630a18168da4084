/*
 * MLDv2 (RFC 3810 5) as bytes, ICMPv6 header included.
 *
 *    query     130 8, 0 8, sum 16, max response code 16, 0 16, group 128,
 *              S and QRV 8, QQIC 8, number of sources 16, sources
 *    report    143 8, 0 8, sum 16, 0 16, number of records 16, records
 *    record    type 8, 0 8, number of sources 16, group 128
 *
 * A query without what stands behind the group is version 1 (RFC 2710), and is answered
 * as one of version 2.  Reports travel with a router alert (RFC 2711) in front:
 *
 *    0    1    2    3    4         6         8
 *    +----+----+----+----+---------+---------+
 *    |58  |0   |5   |2   |0, MLD   |PadN 0   |
 *    +----+----+----+----+---------+---------+
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum {
	MLD_REPORT_LEN = 8,  /* before its records */
	MLD_RECORD_LEN = 20, /* without sources */
	MLD_ALERT_LEN = 8,
	MLD_RECORDS_MAX = 60, /* of one report: it fits the least MTU */
	MLD_HEADROOM = 128,
};

/* RFC 3810 5.2.12 */
enum mld_record_type { MLD_IS_EXCLUDE = 2, MLD_TO_INCLUDE = 3, MLD_TO_EXCLUDE = 4 };

struct mld_record {
	enum mld_record_type type;
	struct ip6 group;
};

struct mld_query_msg {
	uint32_t max_delay_ms;
	struct ip6 group; /* "::": all */
};

/* False: short, or a group that is none.  Sources are not read: a query for some of
 * them is answered as one for the group, which says more. */
bool mld_query_parse(struct rd *r, struct mld_query_msg *q);
/* The report up to its records, with a sum of zero. */
void mld_report_emit(struct wr *w, unsigned n_records);
void mld_record_emit(struct wr *w, const struct mld_record *r);
/* The hop-by-hop header, behind which ICMPv6 follows. */
void mld_alert_emit(struct wr *w);
