#include "apps/mail/queue/pack.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/queue/envelope.h"

/* The destination of "local@domain", in small letters.  False: it has none. */
static bool find_dest(struct str addr, char dest[static SPOOL_DEST_MAX], size_t *len)
{
	const char *at = addr.len > 0 ? memrchr(addr.p, '@', addr.len) : NULL;
	size_t n;

	if (!at)
		return false;
	n = addr.len - (size_t)(at + 1 - addr.p);
	if (n == 0 || n > SPOOL_DEST_MAX || memchr(at + 1, 0, n))
		return false;
	str_lower((struct str){ at + 1, n }, dest);
	*len = n;
	return true;
}

/* A recipient with its destination, to be sorted by that and its sender. */
struct rcpt {
	struct str addr, from;
	size_t place; /* among all: recipients of an item stay in order */
	size_t dest_len;
	char dest[SPOOL_DEST_MAX];
};

static int compare_text(struct str x, struct str y)
{
	size_t len = x.len < y.len ? x.len : y.len;
	int order = len > 0 ? memcmp(x.p, y.p, len) : 0;

	return order ? order : (x.len > y.len) - (x.len < y.len);
}

/* Equal, when they can be in one item. */
static int compare_item(const struct rcpt *x, const struct rcpt *y)
{
	int order = compare_text((struct str){ x->dest, x->dest_len },
				 (struct str){ y->dest, y->dest_len });

	return order ? order : compare_text(x->from, y->from);
}

static int compare(const void *a, const void *b)
{
	const struct rcpt *x = a, *y = b;
	int order = compare_item(x, y);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static struct rcpt *sorted(const struct pack *p)
{
	struct rcpt *rcpts = calloc(p->n_rcpts, sizeof(*rcpts));

	if (!rcpts)
		return NULL;
	for (size_t i = 0; i < p->n_rcpts; i++) {
		rcpts[i].addr = p->rcpts[i].addr;
		rcpts[i].from = p->rcpts[i].from;
		rcpts[i].place = i;
		if (!find_dest(rcpts[i].addr, rcpts[i].dest, &rcpts[i].dest_len) ||
		    rcpts[i].addr.len > ENVELOPE_TEXT_MAX) {
			free(rcpts);
			errno = EINVAL;
			return NULL;
		}
	}
	qsort(rcpts, p->n_rcpts, sizeof(*rcpts), compare);
	return rcpts;
}

/* How many of the @n recipients go with the first one. */
static size_t group(const struct rcpt *rcpts, size_t n)
{
	size_t i = 1;

	while (i < n && i < ENVELOPE_RCPTS_MAX && compare_item(&rcpts[0], &rcpts[i]) == 0)
		i++;
	return i;
}

static void begin(struct envelope *e, const struct pack *p)
{
	*e = (struct envelope){
		.arrived_ms = p->now_ms,
		.id = p->id,
	};
}

static void fill(struct envelope *e, const struct rcpt *rcpts, size_t n)
{
	e->from = rcpts[0].from;
	e->n_rcpts = n;
	for (size_t i = 0; i < n; i++)
		e->rcpts[i] = (struct envelope_rcpt){ .addr = rcpts[i].addr };
}

/* Writes all items behind @op, or with @op NULL only counts.  Returns the length. */
static size_t write_items(const struct pack *p, const struct rcpt *rcpts,
			  struct spool_op *op, size_t n_items, struct envelope *e)
{
	size_t at = sizeof(*op) + n_items * sizeof(*op->add), k = 0, n;
	char bytes[ENVELOPE_LEN_MAX];

	for (size_t i = 0; i < p->n_rcpts; i += n, k++) {
		size_t len;

		n = group(rcpts + i, p->n_rcpts - i);
		fill(e, rcpts + i, n);
		len = envelope_emit(e, bytes);
		if (op) {
			char *to = (char *)op + at;

			memcpy(to, rcpts[i].dest, rcpts[i].dest_len);
			memcpy(to + rcpts[i].dest_len, bytes, len);
			op->add[k] = (struct spool_new){
				.dest = { to, rcpts[i].dest_len },
				.bytes = { to + rcpts[i].dest_len, len },
				.due_ms = p->now_ms,
			};
		}
		at += rcpts[i].dest_len + len;
	}
	return at;
}

static size_t count_items(const struct pack *p, const struct rcpt *rcpts)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_rcpts; n++)
		i += group(rcpts + i, p->n_rcpts - i);
	return n;
}

int pack_items(const struct pack *p, struct spool_op **op, size_t *len)
{
	struct envelope *e = malloc(sizeof(*e));
	struct rcpt *rcpts = e ? sorted(p) : NULL;
	struct spool_op *new = NULL;
	size_t n_items, all;
	int rc = -ENOMEM;

	if (rcpts) {
		begin(e, p);
		n_items = count_items(p, rcpts);
		all = write_items(p, rcpts, NULL, n_items, e);
		new = malloc(all);
	} else if (e && errno == EINVAL) {
		rc = -EINVAL;
	}
	if (new) {
		*new = (struct spool_op){ .add = (struct spool_new *)(new + 1),
					  .n_add = n_items };
		write_items(p, rcpts, new, n_items, e);
		*op = new;
		*len = all;
		rc = 0;
	}
	free(rcpts);
	free(e);
	return rc;
}
