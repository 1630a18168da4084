#include "apps/pbmail/box.h"

#include <stdlib.h>
#include <sysexits.h>

#include "apps/pbmail/pbmail.h"

int box_open(struct pbmail *p, const char *mailbox, bool to_change, struct box **box)
{
	struct box *b = NULL;
	int r;

	if (p->account.imap.host)
		r = box_imap_new(p, &b);
	else if (p->account.pop3.host)
		r = box_pop3_new(p, &b);
	else
		r = pbmail_fail(EX_CONFIG, "the account has neither imap nor pop3");
	if (r == 0 && mailbox)
		r = b->ops->select(b, mailbox, to_change);
	if (r) {
		box_close(b);
		return r;
	}
	*box = b;
	return 0;
}

void box_close(struct box *b)
{
	if (!b)
		return;
	free(b->message.p);
	b->ops->close(b);
}

int box_headers(struct box *b, box_seen *seen, void *arg)
{
	b->seen = seen;
	b->arg = arg;
	return b->n_messages > 0 ? b->ops->headers(b) : 0;
}

int box_none(uint32_t n)
{
	return pbmail_fail(EX_DATAERR, "there is no message %u; see pbmail list", n);
}

int box_fetch(struct box *b, uint32_t n, char **message, size_t *len)
{
	int r;

	b->message.len = 0;
	r = b->ops->fetch(b, n);
	if (r)
		return r;
	if (!b->message.p)
		return box_none(n);
	*message = b->message.p;
	*len = b->message.len;
	b->message.p = NULL;
	b->message.len = b->message.room = 0;
	return 0;
}

int box_add(struct box *b, struct str octets)
{
	size_t need = b->message.len + octets.len;
	size_t room = b->message.room ? b->message.room : 4096;
	char *more;

	if (need > PBMAIL_MESSAGE_MAX)
		return pbmail_fail(EX_DATAERR, "the message is bigger than %d octets",
				   PBMAIL_MESSAGE_MAX);
	while (room < need)
		room *= 2;
	if (room > b->message.room) {
		more = realloc(b->message.p, room);
		if (!more)
			return pbmail_fail(EX_OSERR, "out of memory");
		b->message.p = more;
		b->message.room = room;
	}
	memcpy(b->message.p + b->message.len, octets.p, octets.len);
	b->message.len = need;
	return 0;
}

int box_remove(struct box *b, const uint32_t *numbers, size_t n)
{
	return b->ops->remove(b, numbers, n);
}

int box_move(struct box *b, const uint32_t *numbers, size_t n, const char *mailbox)
{
	return b->ops->move(b, numbers, n, mailbox);
}

int box_append(struct box *b, struct str message)
{
	return b->ops->append(b, message);
}

int box_manage(struct box *b, const char *verb, const char *name, const char *new_name)
{
	return b->ops->manage(b, verb, name, new_name);
}
