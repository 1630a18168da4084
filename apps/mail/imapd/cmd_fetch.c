/*
 * FETCH (RFC 3501 6.4.5): a long answer, written message by message as far as the network
 * has room.
 *
 * Flags, sizes and dates lie in the session's view; envelope and structure in the store,
 * as summaries, which are made when they are asked for the first time.  Sections come
 * from the message itself, see fetch_body.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/structure.h"
#include "apps/mail/imapd/view.h"
#include "apps/mail/wire/imap_body.h"

enum {
	SUMMARY = 1 << IMAP_FETCH_ENVELOPE | 1 << IMAP_FETCH_BODYSTRUCTURE,
	SECTIONS = 1 << IMAP_FETCH_SECTION | 1 << IMAP_FETCH_RFC822 |
		   1 << IMAP_FETCH_RFC822_HEADER | 1 << IMAP_FETCH_RFC822_TEXT,
	NEEDS_MESSAGE = SUMMARY | 1 << IMAP_FETCH_BODY | SECTIONS,
};

/* What one go of writing has. */
struct slice {
	struct imapd_session *s;
	struct store_read *read;
	struct imapd_summaries *batch;
	size_t n_bytes;	       /* of messages that were read */
	struct imap_emit made; /* a summary that the store does not have yet */
	struct structure structure;
};

static struct store_msg msg_of(const struct imapd_view *v, uint32_t i)
{
	return (struct store_msg){
		.msg = v->msgs[i].msg,
		.box = v->box,
		.uid = v->msgs[i].uid,
	};
}

/* Parses message @i.  False: it is gone, or cannot be read. */
static bool parse_message(struct slice *l, uint32_t i, struct str *message)
{
	const struct store_msg msg = msg_of(l->s->view, i);
	struct str pieces[2];

	if (store_msg_bytes(l->read, &msg, pieces))
		return false;
	/* What was put before it for this recipient says nothing of its structure. */
	*message = pieces[1];
	mime_parse(l->s->imapd->mime, *message);
	l->n_bytes += message->len;
	return true;
}

/* Finds the summary of message @i, or makes it. */
static bool load_summary(struct slice *l, uint32_t i)
{
	uint64_t msg = l->s->view->msgs[i].msg;
	struct imapd *d = l->s->imapd;
	struct str bytes, message;

	if (store_msg_summary(l->read, msg, &bytes) == 0 &&
	    structure_parse(bytes, &l->structure))
		return true;
	if (!parse_message(l, i, &message))
		return false;
	imap_emit_clear(&l->made);
	structure_emit(&l->made, d->mime, message);
	if (l->made.is_failed)
		return false;
	bytes = (struct str){ l->made.p, l->made.len };
	d->stats.summaries++;
	imapd_note_summary(d, &l->batch, msg, bytes);
	return structure_parse(bytes, &l->structure);
}

static void emit_body(struct slice *l, uint32_t i)
{
	struct imapd *d = l->s->imapd;
	struct str message;

	imap_emit_puts(&d->emit, "BODY ");
	if (parse_message(l, i, &message))
		imap_body_emit(&d->emit, d->mime, message, 0, false);
	else
		imap_emit_puts(&d->emit, "NIL");
}

static void emit_item(struct slice *l, const struct imap_fetch_item *item)
{
	struct imapd_session *s = l->s;
	struct imap_emit *e = &s->imapd->emit;
	const struct view_msg *m = &s->view->msgs[s->out.at];

	switch (item->kind) {
	case IMAP_FETCH_UID: imap_emit_printf(e, "UID %u", m->uid); break;
	case IMAP_FETCH_FLAGS:
		imap_emit_puts(e, "FLAGS ");
		view_emit_flags(s->view, s->out.at, e);
		break;
	case IMAP_FETCH_INTERNALDATE:
		imap_emit_puts(e, "INTERNALDATE ");
		imap_emit_date_time(e, (int64_t)m->date_s);
		break;
	case IMAP_FETCH_RFC822_SIZE:
		imap_emit_puts(e, "RFC822.SIZE ");
		imap_emit_number(e, m->size);
		break;
	case IMAP_FETCH_ENVELOPE:
		imap_emit_puts(e, "ENVELOPE ");
		imap_emit_bytes(e, l->structure.envelope);
		break;
	case IMAP_FETCH_BODYSTRUCTURE:
		imap_emit_puts(e, "BODYSTRUCTURE ");
		imap_emit_bytes(e, l->structure.body);
		break;
	case IMAP_FETCH_BODY: emit_body(l, s->out.at); break;
	case IMAP_FETCH_MODSEQ: break; /* refused before */
	case IMAP_FETCH_SECTION:
	case IMAP_FETCH_RFC822:
	case IMAP_FETCH_RFC822_HEADER:
	case IMAP_FETCH_RFC822_TEXT:
		imapd_fetch_section(s, item);
		l->n_bytes += m->size; /* its checksum was looked at */
		break;
	}
}

/* Begins message out.at.  False: it is gone, and what is asked for with it. */
static bool open_message(struct slice *l)
{
	const struct imap_cmd *cmd = &l->s->parse.cmd;
	struct imapd_output *out = &l->s->out;
	const struct view_msg *m = &l->s->view->msgs[out->at];
	struct imap_emit *e = &l->s->imapd->emit;

	if (((cmd->fetch.kinds & NEEDS_MESSAGE) && m->marks & VIEW_GONE) ||
	    ((cmd->fetch.kinds & SUMMARY) && !load_summary(l, out->at))) {
		out->has_missed = true;
		return false;
	}
	imap_emit_printf(e, "* %u FETCH (", out->at + 1);
	/* RFC 3501 6.4.8: a UID command says UIDs. */
	if (cmd->is_uid && !(cmd->fetch.kinds & 1 << IMAP_FETCH_UID))
		imap_emit_printf(e, "UID %u ", m->uid);
	out->is_open = true;
	out->item = 0;
	return true;
}

/* Goes on with the message that is begun, up to octets that are to be sent. */
static void go_on(struct slice *l)
{
	const struct imap_fetch *fetch = &l->s->parse.cmd.fetch;
	struct imapd_output *out = &l->s->out;
	struct imap_emit *e = &l->s->imapd->emit;

	while (out->item < fetch->n_items && out->from == out->to) {
		if (out->item > 0)
			imap_emit_puts(e, " ");
		emit_item(l, &fetch->items[out->item++]);
	}
	if (out->from < out->to || out->item < fetch->n_items)
		return;
	/* What BODY[] set is told with it. */
	if (view_take_changed(l->s->view, out->at) &&
	    !(fetch->kinds & 1 << IMAP_FETCH_FLAGS)) {
		imap_emit_puts(e, " FLAGS ");
		view_emit_flags(l->s->view, out->at, e);
	}
	imap_emit_puts(e, ")\r\n");
	imapd_fetch_end(l->s);
	out->is_open = false;
}

/* Writes up to IMAPD_EMIT_MAX.  False: all messages had their turn. */
static bool write_slice(struct slice *l)
{
	const struct imap_cmd *cmd = &l->s->parse.cmd;
	struct imapd_output *out = &l->s->out;
	const struct imap_emit *e = &l->s->imapd->emit;

	while (e->len < IMAPD_EMIT_MAX && out->from == out->to &&
	       l->n_bytes < IMAPD_TURN_BYTES) {
		if (!out->is_open && view_next(l->s->view, &cmd->fetch.set, cmd->is_uid,
					       &out->set_at, &out->at) == UINT32_MAX)
			return false;
		if (out->is_open || open_message(l))
			go_on(l);
	}
	return true;
}

static void fetched(struct imapd_session *s)
{
	imapd_flush(s);
	/* RFC 5530 */
	imapd_done(s, s->out.has_missed ? "NO [EXPUNGEISSUED] Some messages are gone" :
					  "OK Done");
}

static bool fetch_more(struct imapd_session *s)
{
	struct slice l = { .s = s };
	bool more;

	if (s->out.from < s->out.to) {
		imapd_fetch_octets(s, io_room(s->io));
		return true;
	}
	if (store_read_begin(s->imapd->store, &l.read)) {
		imapd_close(s, "[UNAVAILABLE] The store cannot be read");
		return false;
	}
	imap_emit_init(&l.made);
	more = write_slice(&l);
	store_read_end(l.read);
	imap_emit_fini(&l.made);
	imapd_note_end(s->imapd, &l.batch);
	if (!more)
		fetched(s);
	else if (l.n_bytes >= IMAPD_TURN_BYTES)
		imapd_again(s);
	return more;
}

static void begin(struct imapd_session *s)
{
	s->out = (struct imapd_output){ .more = fetch_more };
	imapd_enter(s, IMAPD_SEND);
}

static void seen(struct imapd_session *s)
{
	if (s->op.result) {
		imapd_failed(s, s->op.result, false);
		return;
	}
	if (imapd_sync(s))
		begin(s);
}

/* RFC 3501 6.4.5: what is read without PEEK is \Seen.  True: that must be stored first. */
static bool must_see(struct imapd_session *s)
{
	struct imap_cmd *cmd = &s->parse.cmd;
	const struct imapd_view *v = s->view;
	struct imap_set_at at = { 0 };
	bool sets = false;
	uint32_t i;

	for (uint32_t k = 0; k < cmd->fetch.n_items; k++)
		sets |= cmd->fetch.items[k].sets_seen;
	if (!sets || v->is_read_only)
		return false;
	free(s->uids);
	s->n_uids = 0;
	s->uids = calloc(v->n + 1, sizeof(*s->uids));
	while (s->uids &&
	       view_next(v, &cmd->fetch.set, cmd->is_uid, &at, &i) != UINT32_MAX)
		if (!(v->msgs[i].flags & STORE_SEEN) && !(v->msgs[i].marks & VIEW_GONE))
			s->uids[s->n_uids++] = v->msgs[i].uid;
	s->op = (struct store_op){
		.kind = STORE_FLAGS,
		.flags = { .box = v->box,
			   .uids = s->uids,
			   .n_uids = s->n_uids,
			   .add = STORE_SEEN },
	};
	return s->n_uids > 0;
}

void imapd_fetch(struct imapd_session *s)
{
	struct imap_cmd *cmd = &s->parse.cmd;

	if (cmd->fetch.has_changed_since || cmd->fetch.vanished ||
	    cmd->fetch.kinds & 1 << IMAP_FETCH_MODSEQ) {
		imapd_refuse(s, "That extension is not offered");
		return;
	}
	if (!view_resolve(s->view, &cmd->fetch.set, cmd->is_uid)) {
		imapd_refuse(s, "There are no such messages");
		return;
	}
	s->imapd->stats.fetched += cmd->is_uid ? 0 : imap_set_count(&cmd->fetch.set);
	if (must_see(s))
		imapd_submit(s, seen);
	else
		begin(s);
}
