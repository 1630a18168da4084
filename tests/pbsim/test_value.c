#include <criterion/criterion.h>

#include "apps/pbsim/value.h"

Test(value, of_every_unit)
{
	uint64_t n;
	double p;

	cr_assert(value_time("10ms", &n) && n == 10000000);
	cr_assert(value_time("1.5us", &n) && n == 1500);
	cr_assert(value_time("2h", &n) && n == 7200000000000);
	cr_assert(value_time("0", &n) && n == 0);
	cr_assert(value_rate("100mbit", &n) && n == 100000000);
	cr_assert(value_rate("0.5gbit", &n) && n == 500000000);
	cr_assert(value_size("1500", &n) && n == 1500);
	cr_assert(value_size("100k", &n) && n == 100000);
	cr_assert(value_size("4mib", &n) && n == 4194304);
	cr_assert(value_count("42", &n) && n == 42);
	cr_assert(value_chance("0.1%", &p) && p == 0.001);
	cr_assert(value_chance("1", &p) && p == 1);
}

Test(value, has_factors_behind_it)
{
	uint64_t n;

	cr_assert(value_time("20ms/2", &n) && n == 10000000);
	cr_assert(value_size("100k*3/2", &n) && n == 150000);
}

Test(value, that_is_none_is_refused)
{
	static const char *const bad[] = {
		"",    "ms",	"10",	 "10 ms",  "10msx", "-1ms", "1e",      "nan",
		"inf", "0x1ms", "10ms/", "10ms/0", "10ms*", "/2",   "10ms/2s", "1ms2",
	};
	uint64_t n = 7;
	double p = 7;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(value_time(bad[i], &n), "%s", bad[i]);
	cr_assert_not(value_rate("10", &n));
	cr_assert_not(value_size("10q", &n));
	cr_assert_not(value_count("1.5", &n));
	cr_assert_not(value_chance("101%", &p));
	cr_assert_not(value_time("99999999999999h", &n));
	cr_assert_eq(n, 7);
	cr_assert_eq(p, 7);
}
