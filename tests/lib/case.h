/*
 * A test that is checked to its end.
 *
 * Criterion takes a failed assertion in a suite's .fini, and even an abort, for a
 * warning.  So what a suite does at the end of each test is done by the test itself:
 *
 *	Cases(pkt, setup, clean);		instead of TestSuite(); NULL: nothing to do
 *	Case(pkt, gives_back_what_it_took)	instead of Test()
 *	{
 *		...
 *	}
 *
 * and tests/lint/cases.py refuses .fini.  When the body fails, the end is not reached.
 */
#pragma once

#include <criterion/criterion.h>

struct cases {
	void (*begin)(void), (*end)(void);
};

#define Cases(suite, begin, end) static const struct cases cases_##suite = { begin, end }

#define Case(suite, name, ...)                                   \
	static void case_##suite##_##name(void);                 \
	Test(suite, name, ##__VA_ARGS__)                         \
	{                                                        \
		case_run(&cases_##suite, case_##suite##_##name); \
	}                                                        \
	static void case_##suite##_##name(void)

static inline void case_run(const struct cases *cases, void (*body)(void))
{
	if (cases->begin)
		cases->begin();
	body();
	if (cases->end)
		cases->end();
}
