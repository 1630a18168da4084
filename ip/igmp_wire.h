/*
 * IGMP messages as bytes: version 1 (RFC 1112), 2 (RFC 2236 2), 3 (RFC 3376 4).
 *
 *    0    1    2    3    4         8    9    10        12
 *    +----+----+----+----+---------+----+----+---------+-------------------
 *    | 11 |max | sum     | group   |S QRV QQIC n sources| sources   query;
 *    +----+----+----+----+---------+----+----+---------+            to 8 in 1 and 2
 *    | 12, 16 or 17 0    | group   |     reports of version 1 and 2, and leaving
 *    +----+----+----+----+---------+-------------------
 *    | 22 | 0  | sum     | 0 | n   | records    report of version 3
 *    +----+----+----+----+---------+---------+
 *    record: type, 0, n sources (0), group
 *
 * max: tenths of a second within which an answer is wanted; none in version 1, and in
 * version 3, from 128 on, 1 bit, 3 of an exponent and 4 of a mantissa.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum {
	IGMP_LEN = 8, /* of versions 1 and 2, and of a report before its records */
	IGMP_V3_QUERY_LEN = 12, /* without sources */
	IGMP_RECORD_LEN = 8,
};

enum igmp_type {
	IGMP_QUERY = 0x11,
	IGMP_V1_REPORT = 0x12,
	IGMP_V2_REPORT = 0x16,
	IGMP_V2_LEAVE = 0x17,
	IGMP_V3_REPORT = 0x22,
};

/* RFC 3376 4.2.12, of a group without source lists: all sources, or none. */
enum igmp_record_type {
	IGMP_IS_EXCLUDE = 2,
	IGMP_TO_INCLUDE = 3,
	IGMP_TO_EXCLUDE = 4,
};

/* A query, or what other hosts say. */
struct igmp_msg {
	enum igmp_type type; /* not IGMP_V3_REPORT: nobody but routers reads those */
	uint8_t version;     /* of a query */
	uint32_t max_ms;     /* of a query: within which an answer is wanted */
	struct ip4 group;    /* 0.0.0.0 in a query: all */
};

/*
 * Reads a whole message; the sum is not looked at.  False: short, of another type, a
 * group that is none, or a query of 9 to 11 bytes (RFC 3376 7.1).  Sources are not read: a
 * query for some is answered as one for the group, which says more.
 */
bool igmp_parse(const uint8_t *bytes, size_t len, struct igmp_msg *m);
/* A report of version 1 or 2, or a leave: IGMP_LEN bytes, with the sum. */
void igmp_emit(uint8_t bytes[static IGMP_LEN], enum igmp_type type, struct ip4 group);
/* The beginning of a report of version 3, with a sum of zero, and a record. */
void igmp_report_emit(struct wr *w, unsigned n_records);
void igmp_record_emit(struct wr *w, enum igmp_record_type type, struct ip4 group);
