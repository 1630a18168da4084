#include <criterion/criterion.h>
#include <regex.h>
#include <unistd.h>

#include "stack/base/clock.h"
#include "stack/base/log.h"
#include "tests/lib/case.h"

static char text[4096];
static int fds[2];
static struct log to_pipe;

static void setup(void)
{
	cr_assert_eq(pipe(fds), 0);
	to_pipe = (struct log){ .level = LOG_INFO, .fd = fds[1], .program = "boat" };
}

static void clean(void)
{
	close(fds[0]);
	close(fds[1]);
}

Cases(log, setup, clean);

/* All that was written so far. */
static const char *written(void)
{
	ssize_t n;

	/* So that an empty pipe does not wait. */
	cr_assert_eq(write(fds[1], "", 1), 1);
	n = read(fds[0], text, sizeof(text) - 1);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	return text;
}

static void expect_match(const char *pattern, const char *line)
{
	regex_t re;

	cr_assert_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	cr_assert_eq(regexec(&re, line, 0, NULL, 0), 0, "%s", line);
	regfree(&re);
}

Case(log, line_has_time_level_program_and_text)
{
	log_line(&to_pipe, LOG_WARNING, "disk_full path=%s left=%d", "/srv", 0);
	expect_match("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
		     "warning boat: disk_full path=/srv left=0\n$",
		     written());
}

Case(log, levels_above_are_not_written)
{
	log_line(&to_pipe, LOG_DEBUG, "hidden");
	cr_assert_str_eq(written(), "");
	log_line(&to_pipe, LOG_INFO, "shown");
	expect_match("info boat: shown\n$", written());
}

Case(log, text_of_a_peer_cannot_begin_a_line_or_steer_a_terminal)
{
	log_line(&to_pipe, LOG_INFO, "helo name=%s", "a\nb\r\033[2Jc\x7f");
	expect_match("info boat: helo name=a\\?b\\?\\?\\[2Jc\\?\n$", written());
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
}

Case(log, what_is_no_printable_utf8_is_not_written)
{
	static const struct {
		const char *text, *is;
	} cases[] = {
		{ "ol\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\xa5",
		  "ol\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\xa5" },
		{ "\xc2\x9b"
		  "2J",
		  "??2J" },		    /* CSI of C1 */
		{ "\xc2\xa0", "\xc2\xa0" }, /* behind C1 */
		{ "\x9b"
		  "2J",
		  "?2J" },			/* CSI of one byte */
		{ "\xc0\x9b", "??" },		/* ESC in two bytes */
		{ "\xe0\x80\x9b", "???" },	/* and in three */
		{ "\xe0\x82\x9b", "???" },	/* C1 in three */
		{ "\xed\xa0\x80", "???" },	/* a surrogate */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
		{ "\xff\xfe", "??" },
		{ "\xe2\x82", "??" }, /* cut */
		{ "\xe2\x82z", "??z" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *line;

		log_line(&to_pipe, LOG_INFO, "%s", cases[i].text);
		line = strstr(written(), "boat: ");
		cr_assert_not_null(line);
		line += strlen("boat: ");
		cr_assert_eq(strncmp(line, cases[i].is, strlen(cases[i].is)), 0,
			     "%zu: %s", i, line);
		cr_assert_str_eq(line + strlen(cases[i].is), "\n");
	}
}

static void expect_value(const char *value, const char *quoted)
{
	char out[LOG_VALUE_LEN];

	cr_assert_str_eq(log_value(out, value, strlen(value)), quoted);
}

Case(log, value_of_a_peer_is_one_value)
{
	char out[LOG_VALUE_LEN], longer[LOG_VALUE_LEN * 2];

	expect_value("ann@b.example", "ann@b.example");
	expect_value("", "\"\"");
	expect_value("\"x> users=9 result=0 y\"@h",
		     "\"\\\"x> users=9 result=0 y\\\"@h\"");
	expect_value("a b", "\"a b\"");
	expect_value("a=b", "\"a=b\"");
	expect_value("\\", "\"\\\\\"");
	cr_assert_str_eq(log_value(out, "a\0b", 3), "\"a?b\"");
	memset(longer, '"', sizeof(longer));
	log_value(out, longer, sizeof(longer));
	cr_assert_lt(strlen(out), LOG_VALUE_LEN);
	cr_assert_eq(out[strlen(out) - 1], '"');
	cr_assert_eq(out[strlen(out) - 3], '\\', "the last quote ends it");
	memset(longer, 'x', sizeof(longer));
	cr_assert_geq(strlen(log_value(out, longer, sizeof(longer))), LOG_VALUE_LEN - 4);
}

Case(log, long_line_is_cut_and_still_ends)
{
	char longer[2 * LOG_LINE_LEN];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_line(&to_pipe, LOG_INFO, "%s", longer);
	written();
	cr_assert_leq(strlen(text), LOG_LINE_LEN);
	cr_assert_geq(strlen(text), LOG_LINE_LEN - 1);
	cr_assert_eq(text[strlen(text) - 1], '\n');
	cr_assert_eq(text[strlen(text) - 2], 'x');
}

Case(log, long_program_name_leaves_room)
{
	char name[LOG_LINE_LEN * 2];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	to_pipe.program = name;
	log_line(&to_pipe, LOG_ERROR, "event=%d", 1);
	expect_match("error n{64}: event=1\n$", written());
}

Case(log, limit_lets_a_few_a_second_through_and_counts_the_rest)
{
	struct log_limit limit = { 0 };
	uint32_t n_held = 77;

	for (unsigned i = 0; i < LOG_LIMIT_PER_S; i++) {
		cr_assert(log_allowed(&limit, NS_PER_S + i, &n_held));
		cr_assert_eq(n_held, 0);
	}
	for (unsigned i = 0; i < 500; i++)
		cr_assert(!log_allowed(&limit, 2 * NS_PER_S - 1, &n_held));
	cr_assert(log_allowed(&limit, 2 * NS_PER_S, &n_held));
	cr_assert_eq(n_held, 500);
	cr_assert(log_allowed(&limit, 2 * NS_PER_S, &n_held));
	cr_assert_eq(n_held, 0);
}
