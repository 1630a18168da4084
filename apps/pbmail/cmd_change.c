/*
 * delete, move, burst, mailbox.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "apps/mail/wire/mime_partial.h"
#include "apps/pbmail/box.h"
#include "apps/pbmail/pbmail.h"

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The numbers in argv, each once, rising; to free(). */
static int take_numbers(int argc, char **argv, uint32_t **numbers, size_t *n)
{
	uint32_t *list = calloc((size_t)argc + 1, sizeof(*list));
	size_t used = 0;
	int r = 0;

	if (!list)
		return pbmail_fail(EX_OSERR, "out of memory");
	for (int i = 0; i < argc && r == 0; i++)
		r = pbmail_number(argv[i], &list[i]);
	if (r) {
		free(list);
		return r;
	}
	qsort(list, (size_t)argc, sizeof(*list), compare);
	for (int i = 0; i < argc; i++)
		if (i == 0 || list[i] != list[i - 1])
			list[used++] = list[i];
	*numbers = list;
	*n = used;
	return 0;
}

/* @to NULL: they go. */
static int change(struct pbmail *p, int argc, char **argv, const char *to)
{
	uint32_t *numbers = NULL;
	struct box *box;
	size_t n = 0;
	int r = take_numbers(argc, argv, &numbers, &n);

	if (r)
		return r;
	r = box_open(p, p->mailbox, true, &box);
	if (r == 0) {
		r = to ? box_move(box, numbers, n, to) : box_remove(box, numbers, n);
		box_close(box);
	}
	free(numbers);
	return r;
}

int delete_command(struct pbmail *p, int argc, char **argv)
{
	if (argc < 2)
		return pbmail_usage();
	return change(p, argc - 1, argv + 1, NULL);
}

int move_command(struct pbmail *p, int argc, char **argv)
{
	if (argc < 3)
		return pbmail_usage();
	return change(p, argc - 2, argv + 1, argv[argc - 1]);
}

/* The messages in a message become messages of the mailbox (RFC 2046 5.1.5). */
static int burst(struct box *box, uint32_t n)
{
	struct mime *m = mime_new(&mime_limits_default);
	char *text = NULL;
	struct str message;
	uint32_t at = 0, n_found = 0;
	size_t len = 0;
	int r = m ? box_fetch(box, n, &text, &len) :
		    pbmail_fail(EX_OSERR, "out of memory");

	if (r == 0) {
		mime_parse(m, (struct str){ text, len });
		while (r == 0 &&
		       mime_burst_next(m, (struct str){ text, len }, &at, &message)) {
			r = box_append(box, message);
			n_found++;
		}
		if (r == 0 && n_found == 0)
			r = pbmail_fail(EX_DATAERR, "message %u has none in it", n);
	}
	mime_free(m);
	free(text);
	return r;
}

int burst_command(struct pbmail *p, int argc, char **argv)
{
	struct box *box;
	uint32_t n;
	int r;

	if (argc != 2)
		return pbmail_usage();
	r = pbmail_number(argv[1], &n);
	if (r == 0)
		r = box_open(p, p->mailbox, true, &box);
	if (r)
		return r;
	r = burst(box, n);
	box_close(box);
	return r;
}

int mailbox_command(struct pbmail *p, int argc, char **argv)
{
	static const struct {
		const char *verb;
		int n_args;
	} verbs[] = { { "create", 1 }, { "delete", 1 }, { "rename", 2 }, { "list", 0 } };
	struct box *box;
	size_t i = 0;
	int r;

	while (i < 4 && (argc < 2 || strcmp(argv[1], verbs[i].verb) != 0))
		i++;
	if (i == 4 || argc != 2 + verbs[i].n_args)
		return pbmail_usage();
	r = box_open(p, NULL, true, &box);
	if (r)
		return r;
	r = box_manage(box, argv[1], argc > 2 ? argv[2] : NULL,
		       argc > 3 ? argv[3] : NULL);
	box_close(box);
	return r;
}
