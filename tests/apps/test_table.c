#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/packetboat/table.h"
#include "tests/lib/case.h"

static struct table table;

static void clean(void)
{
	table_fini(&table);
}

Cases(table, NULL, clean);

static void expect(const char *pattern, bool json, size_t n_rows, const char *text)
{
	char *out;
	size_t len;
	FILE *to = open_memstream(&out, &len);

	cr_assert_eq(table_print(&table, pattern, json, to), n_rows);
	fclose(to);
	cr_assert_str_eq(out, text);
	free(out);
}

static void fill(void)
{
	table_add(&table, "counter\tvalue\tmeaning");
	table_add(&table, "smtp.sessions\t7\tsessions begun");
	table_add(&table, "tcp.rx\t123456\tsegments \"received\"");
}

Case(table, columns_are_aligned)
{
	fill();
	expect(NULL, false, 2,
	       "counter        value   meaning\n"
	       "smtp.sessions       7  sessions begun\n"
	       "tcp.rx         123456  segments \"received\"\n");
}

Case(table, pattern_chooses_rows)
{
	fill();
	expect("tcp.*", false, 1,
	       "counter  value   meaning\n"
	       "tcp.rx   123456  segments \"received\"\n");
	expect("tcp", false, 0, "counter  value  meaning\n");
}

Case(table, json_is_an_array_of_objects)
{
	fill();
	expect(NULL, true, 2,
	       "[\n"
	       "  {\"counter\": \"smtp.sessions\", \"value\": 7, \"meaning\": \"sessions "
	       "begun\"},\n"
	       "  {\"counter\": \"tcp.rx\", \"value\": 123456, \"meaning\": \"segments "
	       "\\\"received\\\"\"}\n"
	       "]\n");
	expect("x*", true, 0, "[]\n");
}

Case(table, json_numbers_are_numbers_and_texts_texts)
{
	table_add(&table, "a\tb\tc\td\te");
	table_add(&table, "0\t00\t-\t18446744073709551615\t1.5");
	expect(NULL, true, 1,
	       "[\n  {\"a\": 0, \"b\": \"00\", \"c\": \"-\", "
	       "\"d\": \"18446744073709551615\", \"e\": \"1.5\"}\n]\n");
}

Case(table, empty_table_is_nothing)
{
	expect(NULL, true, 0, "[]\n");
	table_add(&table, "only\thead");
	expect(NULL, false, 0, "only  head\n");
}
