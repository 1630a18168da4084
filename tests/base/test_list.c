#include <criterion/criterion.h>

#include "stack/base/list.h"

static struct list head, a, b, c;

static void setup(void)
{
	list_init(&head);
	list_init(&a);
	list_init(&b);
	list_init(&c);
}

TestSuite(list, .init = setup);

static void expect(struct list *first, struct list *second, struct list *third)
{
	struct list *want[] = { first, second, third };
	struct list *at = head.next;

	for (unsigned i = 0; i < 3 && want[i]; i++, at = at->next) {
		cr_assert_eq(at, want[i], "place %u", i);
		cr_assert_eq(at->next->prev, at);
	}
	cr_assert_eq(at, &head);
}

Test(list, push_goes_to_the_end_and_pop_takes_the_front)
{
	cr_assert(list_empty(&head) && !list_pop(&head));
	list_push(&head, &a);
	list_push(&head, &b);
	list_push(&head, &c);
	expect(&a, &b, &c);
	cr_assert_eq(list_pop(&head), &a);
	expect(&b, &c, NULL);
	cr_assert(list_empty(&a), "one that is out is alone");
}

Test(list, insert_goes_behind)
{
	list_insert(&head, &a);
	list_insert(&head, &b);
	list_insert(&b, &c);
	expect(&b, &c, &a);
}

Test(list, remove_takes_out_of_the_middle_and_does_no_harm_twice)
{
	list_push(&head, &a);
	list_push(&head, &b);
	list_push(&head, &c);
	list_remove(&b);
	list_remove(&b);
	expect(&a, &c, NULL);
}
