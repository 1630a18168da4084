#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/lib/conf.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

struct values {
	char *name, *mode;
	uint64_t size, count;
	bool quick;
	struct conf_list doors;
};

static bool is_mode(const char *value)
{
	return strcmp(value, "up") == 0 || strcmp(value, "down") == 0;
}

static bool is_door(const char *value)
{
	return strncmp(value, "door", 4) == 0;
}

static const struct conf_opt options[] = {
	{ .section = "", .name = "name", .offset = offsetof(struct values, name) },
	{ .section = "",
	  .name = "mode",
	  .offset = offsetof(struct values, mode),
	  .initial = "up",
	  .ok = is_mode,
	  .allowed = "up, down" },
	{ .section = "box",
	  .name = "size",
	  .kind = CONF_NUMBER,
	  .offset = offsetof(struct values, size),
	  .initial_n = 1 << 20,
	  .least = 1024,
	  .most = UINT64_C(5) << 30 },
	{ .section = "box",
	  .name = "count",
	  .kind = CONF_NUMBER,
	  .offset = offsetof(struct values, count),
	  .most = UINT64_C(1) << 60 },
	{ .section = "box",
	  .name = "quick",
	  .kind = CONF_BOOL,
	  .offset = offsetof(struct values, quick),
	  .initial = "yes" },
	{ .section = "house",
	  .name = "doors",
	  .kind = CONF_LIST,
	  .offset = offsetof(struct values, doors),
	  .initial = "door1,door2",
	  .ok = is_door,
	  .allowed = "doors" },
};

static struct values values;
static struct conf conf;
static char path[] = "/tmp/conf.XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(conf_init(&conf, options, ARRAY_LEN(options), &values), 0);
}

static void clean(void)
{
	conf_fini(&conf);
	unlink(path);
}

Cases(conf, setup, clean);

static int load_bytes(const char *bytes, size_t len, bool others_too)
{
	FILE *file = fopen(path, "w");

	fwrite(bytes, len, 1, file);
	fclose(file);
	return conf_load(&conf, path, others_too);
}

static int load(const char *text)
{
	return load_bytes(text, strlen(text), false);
}

Case(conf, has_initial_values_before_anything_is_read)
{
	cr_assert_null(values.name);
	cr_assert_str_eq(values.mode, "up");
	cr_assert_eq(values.size, 1 << 20);
	cr_assert_eq(values.count, 0);
	cr_assert(values.quick);
	cr_assert_eq(values.doors.n, 2);
	cr_assert_str_eq(values.doors.at[1], "door2");
}

Case(conf, reads_every_kind_of_value)
{
	cr_assert_eq(load("\xef\xbb\xbf# a comment\n"
			  "; another\n"
			  "\n"
			  "name = two words ; and a comment\n"
			  "mode=down\r\n"
			  "[box]\n"
			  "  size = 5g\n"
			  "  count = 1048576T\n"
			  "\tquick = no\n"
			  "[house]\n"
			  "doors = doorA , doorB\n"
			  "doors = doorC"),
		     0, "%s", conf.error);
	cr_assert_str_eq(values.name, "two words");
	cr_assert_str_eq(values.mode, "down");
	cr_assert_eq(values.size, UINT64_C(5) << 30);
	cr_assert_eq(values.count, UINT64_C(1) << 60);
	cr_assert(!values.quick);
	cr_assert_eq(values.doors.n, 3, "the initial ones are gone");
	cr_assert_str_eq(values.doors.at[0], "doorA");
	cr_assert_str_eq(values.doors.at[1], "doorB");
	cr_assert_str_eq(values.doors.at[2], "doorC");
}

#define DOORS_4 "door,door,door,door,"
#define DOORS_16 DOORS_4 DOORS_4 DOORS_4 DOORS_4

static const struct {
	const char *text, *error; /* behind the file's name */
} wrong[] = {
	{ "nam = x\n", ":1: no option 'nam'; allowed: name mode" },
	{ "# c\n\n\nNAME = x\n", ":4: no option 'NAME'; allowed: name mode" },
	{ "[box]\nname = x\n",
	  ":2: no option 'name' in section box; allowed: size count quick" },
	{ "[bax]\n", ":1: no section 'bax'; allowed: box house" },
	{ "[]\n", ":1: no section ''; allowed: box house" },
	{ "[box\nsize = 1K\n", ":1: a '[' without ']'; allowed: [section]" },
	{ "name\n",
	  ":1: neither option, section nor comment; allowed: name = value, [section], "
	  "# comment" },
	{ "name = x\n hello\n",
	  ":2: neither option, section nor comment; allowed: name = value, [section], "
	  "# comment" },
	{ "name =\n", ":1: name is ''; allowed: some text" },
	{ "mode = sideways\n", ":1: mode is 'sideways'; allowed: up, down" },
	{ "mode = UP\x01\n", ":1: mode is 'UP?'; allowed: up, down" },
	{ "name = a\nname = b\n",
	  ":2: name is here again, after line 1; allowed: each option once" },
	{ "[box]\nsize = 1023\n", ":2: box.size is '1023'; allowed: 1K to 5G" },
	{ "[box]\nsize = 6G\n", ":2: box.size is '6G'; allowed: 1K to 5G" },
	{ "[box]\nsize = 99999999999T\n",
	  ":2: box.size is '99999999999T'; allowed: 1K to 5G" },
	{ "[box]\nsize = -1\n", ":2: box.size is '-1'; allowed: 1K to 5G" },
	{ "[box]\nsize = 5 G\n", ":2: box.size is '5 G'; allowed: 1K to 5G" },
	{ "[box]\nsize = M\n", ":2: box.size is 'M'; allowed: 1K to 5G" },
	{ "[box]\nsize = 5MB\n", ":2: box.size is '5MB'; allowed: 1K to 5G" },
	{ "[box]\nsize = 0x400\n", ":2: box.size is '0x400'; allowed: 1K to 5G" },
	{ "[box]\nquick = maybe\n", ":2: box.quick is 'maybe'; allowed: yes, no" },
	{ "[house]\ndoors = door1, window\n",
	  ":2: house.doors is 'window'; allowed: doors" },
	{ "[house]\ndoors = door1,\n", ":2: house.doors is ''; allowed: doors" },
	{ "[house]\ndoors = \n", ":2: house.doors is ''; allowed: doors" },
	{ "[house]\ndoors = " DOORS_16 DOORS_16 "door\ndoors = " DOORS_16
	  "door,door,door,door,door,door,door,door,door,door,door,door,door,door,door,"
	  "door65\n",
	  ":3: house.doors is 'door65'; allowed: 64 values at most" },
};

Case(conf, wrong_files_are_refused_with_place_and_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char expected[CONF_ERROR_LEN];

		conf_fini(&conf);
		cr_assert_eq(conf_init(&conf, options, ARRAY_LEN(options), &values), 0);
		cr_assert_eq(load(wrong[i].text), -EINVAL, "case %zu", i);
		snprintf(expected, sizeof(expected), "%s%s", path, wrong[i].error);
		cr_assert_str_eq(conf.error, expected, "case %zu:\n%s\n%s", i, conf.error,
				 expected);
	}
}

Case(conf, line_is_bounded_and_text)
{
	char line[201] = "name = ";

	memset(line + 7, 'x', sizeof(line) - 8);
	line[197] = '\n';
	line[198] = '\0';
	cr_assert_eq(load(line), 0, "%s", conf.error);
	cr_assert_eq(strlen(values.name), 190);
	line[197] = line[198] = 'x';
	line[199] = '\n';
	line[200] = '\0';
	cr_assert_eq(load(line), -EINVAL);
	cr_assert_not_null(strstr(conf.error, "; allowed: 197 bytes of text"));
	cr_assert_eq(load_bytes("\n\nna\0me = x\n", 12, false), -EINVAL);
	cr_assert_not_null(strstr(conf.error, ":3: a line too long or with a NUL byte"));
}

Case(conf, long_values_are_cut_in_messages)
{
	char expected[CONF_ERROR_LEN];

	cr_assert_eq(
		load("mode = "
		     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
		     "mnopqrstuvwxyz\n"),
		-EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1: mode is 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
		 "abcdefgh...'; allowed: up, down",
		 path);
	cr_assert_str_eq(conf.error, expected);
}

Case(conf, missing_file_is_said)
{
	cr_assert_eq(conf_load(&conf, "/nowhere/conf", false), -ENOENT);
	cr_assert_str_eq(conf.error, "/nowhere/conf: No such file or directory");
	cr_assert_eq(conf_load(&conf, "/", false), -EIO);
	cr_assert_str_eq(conf.error, "/: Is a directory");
}

Case(conf, options_of_others_are_skipped_when_asked)
{
	static const char text[] = "colour = red\nname = x\n[garden]\ntrees = 3\n"
				   "[box]\nsize = 2K\n";

	cr_assert_eq(load_bytes(text, sizeof(text) - 1, true), 0, "%s", conf.error);
	cr_assert_str_eq(values.name, "x");
	cr_assert_eq(values.size, 2048);
}

Case(conf, command_line_overrules_the_file)
{
	cr_assert_eq(load("mode = down\n[house]\ndoors = door1\n"), 0);
	cr_assert_eq(conf_set(&conf, "mode", "up", "--mode"), 0);
	cr_assert_eq(conf_set(&conf, "house.doors", "door7,door8", "--doors"), 0);
	cr_assert_str_eq(values.mode, "up");
	cr_assert_eq(values.doors.n, 2);
	cr_assert_str_eq(values.doors.at[0], "door7");
	cr_assert_eq(conf_set(&conf, "mode", "over", "--mode"), -EINVAL);
	cr_assert_str_eq(conf.error, "--mode: mode is 'over'; allowed: up, down");
	cr_assert_eq(conf_set(&conf, "box.colour", "red", "--colour"), -EINVAL);
	cr_assert_str_eq(conf.error, "--colour: no option 'colour' in section box; "
				     "allowed: size count quick");
	cr_assert_eq(conf_set(&conf, "bax.size", "3M", "-o"), -EINVAL);
	cr_assert_str_eq(conf.error, "-o: no section 'bax'; allowed: box house");
}

Case(conf, checks_of_the_program_name_the_place_too)
{
	char expected[CONF_ERROR_LEN];

	cr_assert_eq(load("\n[box]\nsize = 3M\n"), 0);
	cr_assert_eq(conf_refuse(&conf, offsetof(struct values, size), "less"), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:3: box.size is '3M'; allowed: less",
		 path);
	cr_assert_str_eq(conf.error, expected);
	cr_assert_eq(conf_refuse(&conf, offsetof(struct values, mode), "more"), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: mode is 'up'; allowed: more", path);
	cr_assert_str_eq(conf.error, expected);
}

Case(conf, numbers_are_written_short)
{
	char text[CONF_NUMBER_LEN];

	cr_assert_str_eq(conf_number_text(0, text), "0");
	cr_assert_str_eq(conf_number_text(1000, text), "1000");
	cr_assert_str_eq(conf_number_text(1536, text), "1536");
	cr_assert_str_eq(conf_number_text(50 << 20, text), "50M");
	cr_assert_str_eq(conf_number_text(UINT64_C(3) << 50, text), "3072T");
	cr_assert_str_eq(conf_number_text(UINT64_MAX, text), "18446744073709551615");
}
