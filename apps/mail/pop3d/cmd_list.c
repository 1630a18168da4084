/*
 * LIST and UIDL (RFC 1939 5 and 7): one message, or all.
 *
 * A unique-id is uidvalidity and UID of the mailbox, in hexadecimal: the store never
 * gives the two together to another message.
 */
#include <inttypes.h>

#include "apps/mail/pop3d/pop3d_impl.h"

static void write_line(struct pop3d_session *s, const char *before, uint32_t i, int kind)
{
	const struct store_msg *msg = &s->msgs[i];

	if (kind == POP3D_LIST)
		io_printf(s->io, "%s%u %" PRIu64 "\r\n", before, i + 1, msg->size);
	else
		io_printf(s->io, "%s%u %08x%08x\r\n", before, i + 1, s->uid_validity,
			  msg->uid);
}

static void list(struct pop3d_session *s, const struct str *args, int n, int kind)
{
	uint32_t i;

	if (n == 1) {
		i = pop3d_message(s, args[0]);
		if (i != UINT32_MAX)
			write_line(s, "+OK ", i, kind);
		return;
	}
	io_printf(s->io, "+OK %u messages\r\n", s->n_msgs - s->n_deleted);
	s->out = (struct pop3d_output){ .kind = kind };
	pop3d_enter(s, POP3D_SEND);
}

void pop3d_list(struct pop3d_session *s, const struct str *args, int n)
{
	list(s, args, n, POP3D_LIST);
}

void pop3d_uidl(struct pop3d_session *s, const struct str *args, int n)
{
	list(s, args, n, POP3D_UIDL);
}

bool pop3d_list_write(struct pop3d_session *s)
{
	uint32_t i = s->out.next++;

	if (i >= s->n_msgs) {
		io_puts(s->io, ".\r\n");
		return false;
	}
	if (!pop3d_is_deleted(s, i))
		write_line(s, "", i, s->out.kind);
	return true;
}
