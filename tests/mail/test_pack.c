#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/envelope.h"
#include "apps/mail/queue/pack.h"
#include "tests/lib/case.h"

static struct spool_op *op;
static struct envelope e;

static void clean(void)
{
	free(op);
}

Cases(pack, NULL, clean);

static int pack(const struct str *addrs, size_t n)
{
	struct pack_rcpt rcpts[2 * ENVELOPE_RCPTS_MAX + 1];
	size_t len;

	for (size_t i = 0; i < n; i++)
		rcpts[i] = (struct pack_rcpt){ addrs[i], STR("a@a.example") };
	return pack_items(
		&(struct pack){
			.id = STR("id"), .rcpts = rcpts, .n_rcpts = n, .now_ms = 77 },
		&op, &len);
}

Case(pack, one_item_for_each_destination)
{
	const struct str rcpts[] = { STR("z@b.example"), STR("x@C.example"),
				     STR("y@B.Example"), STR("\"a@b\"@[192.0.2.1]") };

	cr_assert_eq(pack(rcpts, 4), 0);
	cr_assert_eq(op->n_add, 3);
	cr_assert(str_eq(op->add[0].dest, STR("[192.0.2.1]")));
	cr_assert(str_eq(op->add[1].dest, STR("b.example")));
	cr_assert(str_eq(op->add[2].dest, STR("c.example")));
	cr_assert_eq(op->add[1].due_ms, 77);
	cr_assert(envelope_parse(op->add[1].bytes, &e));
	cr_assert_eq(e.n_rcpts, 2);
	cr_assert(str_eq(e.rcpts[0].addr, STR("z@b.example")));
	cr_assert(str_eq(e.rcpts[1].addr, STR("y@B.Example")));
	cr_assert(str_eq(e.from, STR("a@a.example")));
	cr_assert_eq(e.arrived_ms, 77);
	cr_assert(envelope_parse(op->add[2].bytes, &e));
	cr_assert(str_eq(e.rcpts[0].addr, STR("x@C.example")));
}

Case(pack, no_item_has_more_recipients_than_every_server_takes)
{
	enum { N = 2 * ENVELOPE_RCPTS_MAX + 1 };
	static char text[N][32];
	struct str rcpts[N];

	for (int i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "u%d@b.example", i);
		rcpts[i] = str_of(text[i]);
	}
	cr_assert_eq(pack(rcpts, N), 0);
	cr_assert_eq(op->n_add, 3);
	cr_assert(envelope_parse(op->add[1].bytes, &e));
	cr_assert_eq(e.n_rcpts, ENVELOPE_RCPTS_MAX);
	cr_assert(str_eq(e.rcpts[0].addr, STR("u100@b.example")));
	cr_assert(envelope_parse(op->add[2].bytes, &e));
	cr_assert_eq(e.n_rcpts, 1);
}

Case(pack, one_item_for_each_sender)
{
	static const struct pack_rcpt rcpts[] = {
		{ { "x@b.example", 11 }, { "o@a.example", 11 } },
		{ { "y@b.example", 11 }, { "", 0 } },
		{ { "z@b.example", 11 }, { "o@a.example", 11 } },
	};
	size_t len;

	cr_assert_eq(
		pack_items(
			&(struct pack){ .id = STR("id"), .rcpts = rcpts, .n_rcpts = 3 },
			&op, &len),
		0);
	cr_assert_eq(op->n_add, 2);
	cr_assert(envelope_parse(op->add[0].bytes, &e));
	cr_assert_eq(e.from.len, 0);
	cr_assert(str_eq(e.rcpts[0].addr, STR("y@b.example")));
	cr_assert(envelope_parse(op->add[1].bytes, &e));
	cr_assert(str_eq(e.from, STR("o@a.example")));
	cr_assert_eq(e.n_rcpts, 2);
	cr_assert(str_eq(e.rcpts[1].addr, STR("z@b.example")));
}

Case(pack, refuses_what_is_no_address)
{
	static const struct str wrong[] = { { "none", 4 },
					    { "none@", 5 },
					    { "a@b\0c", 5 } };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_assert_eq(pack(&wrong[i], 1), -EINVAL, "case %zu", i);
}
