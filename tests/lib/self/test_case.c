#include <signal.h>
#include <stdlib.h>

#include "tests/lib/case.h"

static int n_begun, n_ended;

static void begin(void)
{
	n_begun++;
}

static void end(void)
{
	cr_assert_eq(n_begun, 1);
	n_ended++;
	abort();
}

Cases(case, begin, end);

Case(case, what_goes_wrong_at_the_end_is_seen, .signal = SIGABRT)
{
	cr_assert_eq(n_begun, 1);
	cr_assert_eq(n_ended, 0);
}
