#include <criterion/criterion.h>

#include "apps/mail/queue/envelope.h"

static const struct envelope some = {
	.warned = true,
	.n_attempts = 3,
	.arrived_ms = 1000,
	.last_ms = 2000,
	.from = { "a@a.example", 11 },
	.id = { "id-1", 4 },
	.remote = { "mx.b.example", 12 },
	.n_rcpts = 2,
	.rcpts = {
		{ .addr = { "one@b.example", 13 } },
		{ .addr = { "two@b.example", 13 },
		  .last = { 451, { 4, 3, 22 }, { "later", 5 } } },
	},
};

static const char some_bytes[] = "\1\1\0\2"
				 "\0\0\0\3"
				 "\0\0\0\0\0\0\3\xe8"
				 "\0\0\0\0\0\0\7\xd0"
				 "\13"
				 "a@a.example"
				 "\4"
				 "id-1"
				 "\14"
				 "mx.b.example"
				 "\15"
				 "one@b.example"
				 "\0\0"
				 "\0\0\0\0\0"
				 "\0\0"
				 "\15"
				 "two@b.example"
				 "\1\xc3"
				 "\4\0\3\0\26"
				 "\0\5"
				 "later";

static char out[ENVELOPE_LEN_MAX];
static struct envelope e;

Test(envelope, is_written_byte_for_byte)
{
	size_t len = envelope_emit(&some, out);

	cr_assert_eq(len, sizeof(some_bytes) - 1);
	cr_assert_arr_eq(out, some_bytes, len);
}

Test(envelope, is_read_as_it_was_written)
{
	cr_assert(envelope_parse(STR(some_bytes), &e));
	cr_assert(e.warned);
	cr_assert_eq(e.n_attempts, 3);
	cr_assert_eq(e.arrived_ms, 1000);
	cr_assert_eq(e.last_ms, 2000);
	cr_assert(str_eq(e.from, some.from));
	cr_assert(str_eq(e.id, some.id));
	cr_assert(str_eq(e.remote, some.remote));
	cr_assert_eq(e.n_rcpts, 2);
	cr_assert(str_eq(e.rcpts[1].addr, STR("two@b.example")));
	cr_assert_eq(e.rcpts[1].last.code, 451);
	cr_assert_eq(e.rcpts[1].last.enhanced.detail, 22);
	cr_assert(str_eq(e.rcpts[1].last.text, STR("later")));
	cr_assert_eq(e.rcpts[0].last.text.len, 0);
}

Test(envelope, refuses_every_truncation)
{
	for (size_t len = 0; len < sizeof(some_bytes) - 1; len++)
		cr_assert(!envelope_parse((struct str){ some_bytes, len }, &e), "%zu",
			  len);
}

Test(envelope, refuses_what_is_too_much)
{
	char bytes[sizeof(some_bytes)];

	memcpy(bytes, some_bytes, sizeof(bytes));
	cr_assert(!envelope_parse((struct str){ bytes, sizeof(bytes) }, &e));
	bytes[0] = 2; /* format */
	cr_assert(!envelope_parse((struct str){ bytes, sizeof(bytes) - 1 }, &e));
	bytes[0] = 1;
	bytes[1] = 2; /* flag */
	cr_assert(!envelope_parse((struct str){ bytes, sizeof(bytes) - 1 }, &e));
	bytes[1] = 1;
	bytes[3] = 0; /* recipients */
	cr_assert(!envelope_parse((struct str){ bytes, sizeof(bytes) - 1 }, &e));
	bytes[3] = ENVELOPE_RCPTS_MAX + 1;
	cr_assert(!envelope_parse((struct str){ bytes, sizeof(bytes) - 1 }, &e));
	bytes[3] = 2;
	cr_assert(envelope_parse((struct str){ bytes, sizeof(bytes) - 1 }, &e));
}

Test(envelope, at_all_limits_fits_its_room)
{
	static char text[SMTP_REPLY_TEXT_MAX + 1];
	const struct str most = { text, ENVELOPE_TEXT_MAX };

	memset(text, 'x', sizeof(text));
	e = (struct envelope){
		.from = most, .id = most, .remote = most, .n_rcpts = ENVELOPE_RCPTS_MAX
	};
	for (size_t i = 0; i < ENVELOPE_RCPTS_MAX; i++)
		e.rcpts[i] =
			(struct envelope_rcpt){ .addr = most,
						.last.text = { text, sizeof(text) } };
	cr_assert_eq(envelope_emit(&e, out), ENVELOPE_LEN_MAX);
	cr_assert(envelope_parse((struct str){ out, ENVELOPE_LEN_MAX }, &e));
	cr_assert_eq(e.rcpts[99].last.text.len, SMTP_REPLY_TEXT_MAX);
}
