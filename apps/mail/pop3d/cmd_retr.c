/*
 * RETR and TOP (RFC 1939 5 and 7): a message goes from the store's map to the network.
 *
 * First it is read once, in parts between which it is others' turn: whether it is whole,
 * and how much of it is the top, is known before +OK is said.
 *
 * It is lent to the io in pieces between the dots that begin a line; an extra dot and
 * short pieces are copied.  The store holds the message until the network has returned
 * the last piece, and that may be after the session: so a loan has nothing to do with
 * the session but that it is one of its owners.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "apps/mail/pop3d/pop3d_impl.h"

struct pop3d_loan {
	void (*release)(void *arg, struct store_hold *hold);
	void *arg;
	struct store_hold *hold;
	uint32_t n_owners; /* pieces with the network, and the session */
};

static void loan_return(void *arg)
{
	struct pop3d_loan *loan = arg;

	if (--loan->n_owners > 0)
		return;
	loan->release(loan->arg, loan->hold);
	free(loan);
}

/* 0, or -errno as store_hold_unread(). */
static int loan_new(struct pop3d_session *s, uint32_t i, struct pop3d_loan **loan)
{
	struct pop3d *d = s->pop3d;
	struct pop3d_loan *l = malloc(sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct pop3d_loan){ .release = d->ops.release,
				  .arg = d->ops_arg,
				  .n_owners = 1 };
	err = d->ops.hold(d->ops_arg, &s->msgs[i], &l->hold);
	if (err) {
		free(l);
		return err;
	}
	*loan = l;
	return 0;
}

/* Holds the message that @arg names and enters READ, or says why not. */
static void begin(struct pop3d_session *s, struct str arg, bool is_top, uint64_t n_lines)
{
	struct pop3d_loan *loan;
	uint32_t i = pop3d_message(s, arg);
	int err;

	if (i == UINT32_MAX)
		return;
	err = loan_new(s, i, &loan);
	if (err) {
		pop3d_reply(s, err == -ENOENT ?
				       "-ERR That message was deleted elsewhere" :
				       "-ERR [SYS/TEMP] Cannot be read now");
		return;
	}
	s->out = (struct pop3d_output){
		.kind = POP3D_MESSAGE,
		.next = i,
		.loan = loan,
		.is_top = is_top,
		.pieces = { loan->hold->pieces[0], loan->hold->pieces[1] },
	};
	dot_encode_init(&s->out.dots);
	rfc5322_top_init(&s->out.top, n_lines);
	pop3d_enter(s, POP3D_READ);
}

void pop3d_retr(struct pop3d_session *s, const struct str *args, int n)
{
	(void)n;
	begin(s, args[0], false, 0);
}

void pop3d_top(struct pop3d_session *s, const struct str *args, int n)
{
	uint64_t n_lines;

	(void)n;
	if (!str_to_u64(args[1], &n_lines)) {
		pop3d_refuse(s, "-ERR That is no number of lines");
		return;
	}
	begin(s, args[0], true, n_lines);
}

/* It is whole: +OK. */
static void answer(struct pop3d_session *s)
{
	struct pop3d_stats *stats = &s->pop3d->stats;
	uint64_t size = s->msgs[s->out.next].size;

	if (s->out.is_top) {
		/* What stands before the message is header, too. */
		s->out.pieces[1].len = s->out.top.len;
		stats->tops++;
		pop3d_reply(s, "+OK Top of message follows");
	} else {
		stats->messages++;
		stats->bytes += size;
		io_printf(s->io, "+OK %" PRIu64 " octets\r\n", size);
	}
	pop3d_enter(s, POP3D_SEND);
}

/* One part; as store_hold_check(). */
static int read_part(struct pop3d_session *s)
{
	struct pop3d_output *out = &s->out;
	struct pop3d *d = s->pop3d;
	int rc = 1;

	if (!out->is_whole)
		rc = d->ops.check(d->ops_arg, out->loan->hold, POP3D_READ_MAX);
	out->is_whole = rc > 0;
	if (rc > 0 && out->is_top)
		return rfc5322_top_feed(&out->top, out->pieces[1], POP3D_READ_MAX);
	return rc;
}

bool pop3d_retr_read(struct pop3d_session *s)
{
	struct net *net = s->pop3d->net;
	int rc;

	if (timer_armed(&s->again.timer))
		return false;
	rc = read_part(s);
	if (rc == 0) {
		net_timer_arm(net, &s->again, net_now_ns(net));
		return false;
	}
	if (rc > 0) {
		answer(s);
	} else {
		pop3d_enter(s, POP3D_TRANS);
		pop3d_reply(s, "-ERR [SYS/TEMP] Cannot be read now");
	}
	return true;
}

static void write_piece(struct pop3d_session *s, struct str piece)
{
	if (piece.len <= POP3D_COPY_MAX) {
		io_write(s->io, piece.p, piece.len);
		return;
	}
	s->out.loan->n_owners++;
	io_write_ref(s->io, piece.p, piece.len, loan_return, s->out.loan);
}

bool pop3d_retr_write(struct pop3d_session *s, size_t room)
{
	struct pop3d_output *out = &s->out;
	struct str *rest = &out->pieces[out->i], part, piece;

	part = (struct str){ rest->p, rest->len < room ? rest->len : room };
	if (dot_encode(&out->dots, &part, &piece)) {
		rest->len -= (size_t)(part.p - rest->p);
		rest->p = part.p;
		write_piece(s, piece);
		return true;
	}
	if (++out->i < 2)
		return true;
	piece = dot_encode_end(&out->dots);
	io_write(s->io, piece.p, piece.len);
	return false;
}

void pop3d_retr_end(struct pop3d_session *s)
{
	if (s->out.loan)
		loan_return(s->out.loan);
	s->out.loan = NULL;
}
