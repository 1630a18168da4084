#include <criterion/criterion.h>
#include <string.h>

#include "stack/base/trace.h"

static struct trace trace;

Test(trace, record_is_small_and_holds_what_it_was_given)
{
	const struct trace_rec *r = &trace.rec[0];

	cr_assert_eq(sizeof(*r), 16);
	trace_add(&trace, UINT64_C(5000000123), TRACE_TCP_RTO, 17, 3);
	cr_assert_eq(trace.n, 1);
	cr_assert_eq(r->at_us, 5000000);
	cr_assert_eq(r->event, TRACE_TCP_RTO);
	cr_assert_eq(r->id, 17);
	cr_assert_eq(r->arg, 3);
}

Test(trace, newest_records_replace_the_oldest)
{
	for (uint32_t i = 0; i < TRACE_LEN + 10; i++)
		trace_add(&trace, i * UINT64_C(1000), TRACE_TCP_STATE, i, 0);
	cr_assert_eq(trace.n, TRACE_LEN + 10);
	cr_assert_eq(trace.rec[9].id, TRACE_LEN + 9);
	cr_assert_eq(trace.rec[10].id, 10);
}

Test(trace, every_event_has_a_sentence)
{
	for (unsigned e = 0; e < TRACE_COUNT; e++)
		cr_assert_gt(strlen(trace_text((enum trace_event)e)), 0);
	cr_assert_str_eq(trace_text(TRACE_TCP_STATE), "enters state");
	cr_assert_eq(trace_arg(TRACE_TCP_STATE), TRACE_ARG_STATE);
	cr_assert_eq(trace_arg(TRACE_TCP_RTO), TRACE_ARG_NUMBER);
}
