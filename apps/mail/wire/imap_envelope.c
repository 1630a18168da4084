#include "apps/mail/wire/imap_envelope.h"

#include <stdlib.h>

#include "apps/mail/wire/header.h"

enum {
	DATE,
	SUBJECT,
	FROM,
	SENDER,
	REPLY_TO,
	TO,
	CC,
	BCC,
	IN_REPLY_TO,
	MESSAGE_ID,
	N_FIELDS
};

static const char *const names[N_FIELDS] = {
	"Date", "Subject", "From", "Sender",	  "Reply-To",
	"To",	"Cc",	   "Bcc",  "In-Reply-To", "Message-ID",
};

/* Once through the header: the first field of each name; one that is absent has a NULL
 * p. */
static void collect(struct str header, struct str values[static N_FIELDS])
{
	struct header_field field;

	memset(values, 0, N_FIELDS * sizeof(values[0]));
	while (header_next(&header, &field))
		for (size_t i = 0; i < N_FIELDS; i++) {
			if (values[i].p || !str_eq_nocase(field.name, str_of(names[i])))
				continue;
			values[i] = field.value;
			if (!field.value.p)
				values[i].p = "";
			break;
		}
}

/* An empty text is "" and not NIL: RFC 3501 7.4.2 has that where the field is there, and
 * an address without host would be the end of a group. */
static void text(struct imap_emit *e, struct str s)
{
	imap_emit_string(e, s.p ? s : STR(""));
}

/* A text on one line, as the grammar of strings has it; NIL: the field is absent. */
static void unfolded(struct imap_emit *e, struct str value)
{
	char *bytes;
	struct wr w;

	if (!value.p || !memchr(value.p, '\n', value.len)) {
		imap_emit_nstring(e, value);
		return;
	}
	bytes = malloc(value.len);
	if (!bytes) {
		e->is_failed = true;
		return;
	}
	w = wr_of(bytes, value.len);
	header_unfold(value, &w);
	imap_emit_string(e, (struct str){ bytes, (size_t)((char *)w.p - bytes) });
	free(bytes);
}

/*
 * address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
 *
 * A group begins with an address without host, and ends with one without anything.
 */
static void address(struct imap_emit *e, const struct header_addr *a)
{
	const struct str nil = { NULL, 0 };

	imap_emit_puts(e, "(");
	if (a->kind == HEADER_MAILBOX) {
		imap_emit_nstring(e, a->name.len > 0 ? a->name : nil);
		imap_emit_puts(e, " ");
		imap_emit_nstring(e, a->route.len > 0 ? a->route : nil);
		imap_emit_puts(e, " ");
		text(e, a->local);
		imap_emit_puts(e, " ");
		text(e, a->domain);
	} else {
		imap_emit_puts(e, "NIL NIL ");
		if (a->kind == HEADER_GROUP_BEGIN)
			text(e, a->name);
		else
			imap_emit_puts(e, "NIL");
		imap_emit_puts(e, " NIL");
	}
	imap_emit_puts(e, ")");
}

/* env-from = "(" 1*address ")" / nil ; and so the others.  False: there is none. */
static bool addresses(struct imap_emit *e, struct str value)
{
	char bytes[IMAP_ENVELOPE_ADDR_MAX];
	struct header_addrs it;
	struct header_addr a;
	struct wr room = wr_of(bytes, sizeof(bytes));
	bool some = false;

	header_addrs_init(&it, value);
	while (header_addrs_next(&it, &room, &a)) {
		if (!some)
			imap_emit_puts(e, "(");
		some = true;
		address(e, &a);
		room = wr_of(bytes, sizeof(bytes));
	}
	if (some)
		imap_emit_puts(e, ")");
	return some;
}

void imap_envelope_emit(struct imap_emit *e, struct str header)
{
	struct str values[N_FIELDS];

	if (header.len > IMAP_ENVELOPE_HEADER_MAX)
		header.len = IMAP_ENVELOPE_HEADER_MAX;
	collect(header, values);
	for (size_t i = 0; i < N_FIELDS; i++) {
		imap_emit_puts(e, i == 0 ? "(" : " ");
		if (i < FROM || i > BCC) {
			unfolded(e, values[i]);
			continue;
		}
		if (addresses(e, values[i]))
			continue;
		/* RFC 3501 7.4.2: who sent it, and who gets the answer, is the author if
		 * nobody is named. */
		if ((i != SENDER && i != REPLY_TO) || !addresses(e, values[FROM]))
			imap_emit_puts(e, "NIL");
	}
	imap_emit_puts(e, ")");
}
