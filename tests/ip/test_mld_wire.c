#include <criterion/criterion.h>

#include "ip/mld_wire.h"

/* clang-format off */
static const uint8_t query[] = {
	130, 0, 0, 0,			/* query, code 0, no sum */
	0x27, 0x10, 0, 0,		/* answer within 10 s */
	0xff, 0x02, 0, 0, 0, 0, 0, 0,	/* about ff02::1:ff00:1 */
	0, 0, 0, 1, 0xff, 0, 0, 1,
	2, 125, 0, 0,			/* robustness 2, interval 125 s, no sources */
};
static const uint8_t report[] = {
	143, 0, 0, 0,			/* report */
	0, 0, 0, 1,			/* one record */
	4, 0, 0, 0,			/* to exclude nobody */
	0xff, 0x02, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 1, 0xff, 0, 0, 1,
};
static const uint8_t alert[] = {
	58, 0, 5, 2, 0, 0, 1, 0,	/* ICMPv6 follows; router alert, MLD; padding */
};
/* clang-format on */

Test(mld_wire, parses_a_query)
{
	struct rd r = rd_of(query, sizeof(query));
	struct mld_query_msg q;

	cr_assert(mld_query_parse(&r, &q));
	cr_assert(q.max_delay_ms == 10000 && q.group.b[15] == 1 && q.group.b[12] == 0xff);
}

Test(mld_wire, long_delays_have_an_exponent)
{
	uint8_t b[sizeof(query)];
	struct rd r = rd_of(b, sizeof(b));
	struct mld_query_msg q;

	memcpy(b, query, sizeof(b));
	b[4] = 0x9a;
	b[5] = 0xbc;
	cr_assert(mld_query_parse(&r, &q));
	cr_assert_eq(q.max_delay_ms, 0x1abcu << 4);
}

Test(mld_wire, refuses_every_truncation_and_what_is_no_group)
{
	uint8_t b[sizeof(query)];
	struct mld_query_msg q;

	for (size_t len = 0; len < 24; len++) {
		struct rd r = rd_of(query, len);

		cr_assert(!mld_query_parse(&r, &q), "accepted %zu bytes", len);
	}
	memcpy(b, query, sizeof(b));
	b[8] = 0xfe;
	cr_assert(!mld_query_parse(&(struct rd){ b, b + sizeof(b), false }, &q));
	memset(b + 8, 0, 16);
	cr_assert(mld_query_parse(&(struct rd){ b, b + sizeof(b), false }, &q));
}

Test(mld_wire, emits_a_report_byte_for_byte)
{
	struct mld_record r = {
		.type = MLD_TO_EXCLUDE,
		.group = { { 0xff, 2, [11] = 1, 0xff, 0, 0, 1 } },
	};
	uint8_t out[sizeof(report)], front[MLD_ALERT_LEN];
	struct wr w = wr_of(out, sizeof(out)), a = wr_of(front, sizeof(front));

	mld_report_emit(&w, 1);
	mld_record_emit(&w, &r);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, report, sizeof(report));
	mld_alert_emit(&a);
	cr_assert_arr_eq(front, alert, sizeof(alert));
}
