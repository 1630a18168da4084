#include <criterion/criterion.h>

#include "stack/base/verdict.h"

Test(verdict, every_one_has_its_own_name_and_a_sentence)
{
	cr_assert_str_eq(verdict_name(V_TCP_BAD_SUM), "TCP_BAD_SUM");
	cr_assert_str_eq(verdict_text(V_TCP_BAD_SUM), "TCP checksum is wrong");
	for (unsigned v = 0; v < V_COUNT; v++) {
		cr_assert_gt(strlen(verdict_text((enum verdict)v)), 8);
		for (unsigned w = 0; w < v; w++)
			cr_assert_str_neq(verdict_name((enum verdict)v),
					  verdict_name((enum verdict)w));
	}
}

Test(verdict, step_says_either_who_is_next_or_why_it_ends)
{
	cr_assert_eq(step_to(NEXT_TCP).next, NEXT_TCP);
	cr_assert_eq(step_end(V_SHORT).next, NEXT_NONE);
	cr_assert_eq(step_end(V_SHORT).verdict, V_SHORT);
}
