#include <criterion/criterion.h>

#include "ip/igmp_wire.h"

/* Version 3, for 239.1.2.3, within 2 s, QRV 2, QQIC 125, of one source. */
static const uint8_t query[] = {
	0x11, 20,  0, 0,   /* type, tenths of a second, sum */
	239,  1,   2, 3,   /* group */
	2,    125, 0, 1,   /* robustness, interval, one source */
	192,  0,   2, 200, /* which we do not read */
};
static const struct ip4 group = { { 239, 1, 2, 3 } };

static struct igmp_msg m;

static bool parse(size_t len)
{
	return igmp_parse(query, len, &m);
}

Test(igmp_wire, parses_a_query_of_each_version)
{
	uint8_t v1[IGMP_LEN] = { 0x11, 0 }, v2[IGMP_LEN] = { 0x11, 100 };

	cr_assert(parse(sizeof(query)));
	cr_assert(m.type == IGMP_QUERY && m.version == 3 && m.max_ms == 2000);
	cr_assert(ip4_eq(m.group, group));
	cr_assert(parse(8) && m.version == 2);
	cr_assert(igmp_parse(v1, sizeof(v1), &m) && m.version == 1 && m.max_ms == 10000);
	cr_assert(igmp_parse(v2, sizeof(v2), &m) && m.version == 2 && m.max_ms == 10000);
	cr_assert(ip4_is_zero(m.group));
}

Test(igmp_wire, refuses_every_truncation_and_a_query_between_the_versions)
{
	for (size_t len = 0; len < 8; len++)
		cr_assert(!parse(len), "accepted %zu bytes", len);
	for (size_t len = 9; len < 12; len++)
		cr_assert(!parse(len), "accepted %zu bytes", len);
	cr_assert(parse(12));
}

/* RFC 3376 4.1.1 */
Test(igmp_wire, reads_long_times_of_version_3)
{
	static const struct {
		uint8_t code;
		uint32_t tenths;
	} of[] = {
		{ 0, 0 }, { 127, 127 }, { 0x80, 128 }, { 0x8f, 248 }, { 0xff, 31744 }
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		uint8_t b[sizeof(query)];

		memcpy(b, query, sizeof(b));
		b[1] = of[i].code;
		cr_assert(igmp_parse(b, sizeof(b), &m));
		cr_assert_eq(m.max_ms, of[i].tenths * 100);
	}
}

Test(igmp_wire, refuses_types_and_groups_that_are_none)
{
	uint8_t b[IGMP_LEN] = { 0x16, 0, 0, 0, 239, 1, 2, 3 };

	cr_assert(igmp_parse(b, sizeof(b), &m) && m.type == IGMP_V2_REPORT);
	for (unsigned type = 0; type < 256; type++) {
		b[0] = (uint8_t)type;
		cr_assert_eq(igmp_parse(b, sizeof(b), &m),
			     type == 0x11 || type == 0x12 || type == 0x16 || type == 0x17,
			     "type %#x", type);
	}
	b[4] = 192;
	for (unsigned i = 0; i < 4; i++) {
		static const uint8_t types[] = { 0x11, 0x12, 0x16, 0x17 };

		b[0] = types[i];
		cr_assert(!igmp_parse(b, sizeof(b), &m));
	}
	memset(b + 4, 0, 4);
	b[0] = 0x16;
	cr_assert(!igmp_parse(b, sizeof(b), &m));
}

Test(igmp_wire, emits_old_messages_byte_for_byte)
{
	/* 0x1600 + 0xef01 + 0x0203 = 0x10704: 0x0705, of which the complement */
	static const uint8_t report[] = { 0x16, 0, 0xf8, 0xfa, 239, 1, 2, 3 };
	uint8_t out[IGMP_LEN];

	igmp_emit(out, IGMP_V2_REPORT, group);
	cr_assert_arr_eq(out, report, sizeof(out));
	cr_assert(igmp_parse(out, sizeof(out), &m) && m.type == IGMP_V2_REPORT);
	cr_assert(ip4_eq(m.group, group));
}

Test(igmp_wire, emits_a_report_of_version_3_byte_for_byte)
{
	static const uint8_t report[] = {
		0x22, 0, 0, 0, 0,   0, 0, 2, /* type, sum, two records */
		4,    0, 0, 0, 239, 1, 2, 3, /* all sources now, no list */
		3,    0, 0, 0, 224, 0, 0, 9, /* none any more */
	};
	uint8_t out[sizeof(report)];
	struct wr w = wr_of(out, sizeof(out));

	igmp_report_emit(&w, 2);
	igmp_record_emit(&w, IGMP_TO_EXCLUDE, group);
	igmp_record_emit(&w, IGMP_TO_INCLUDE, (struct ip4){ { 224, 0, 0, 9 } });
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, report, sizeof(out));
}
