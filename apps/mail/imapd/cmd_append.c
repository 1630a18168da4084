/*
 * APPEND (RFC 3501 6.3.11): a message that comes as a literal, kept in pieces as it comes,
 * within memory_max for all sessions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/peers.h"
#include "apps/mail/imapd/cmd.h"

void imapd_append_free(struct imapd_session *s)
{
	struct imapd_append *a = &s->append;

	for (size_t i = 0; i < a->n_parts; i++)
		free((char *)(uintptr_t)a->parts[i].p);
	free(a->parts);
	s->imapd->stats.append_memory -= a->announced;
	peers_give(s->imapd->door.peers, s->guest.peer, a->announced);
	*a = (struct imapd_append){ 0 };
}

/* NULL: it may come. */
static const char *why_not(struct imapd_session *s, uint64_t size)
{
	const struct imapd_limits *l = &s->imapd->conf.limits;
	struct store_read *read;
	uint32_t box = 0;
	int rc;

	if (size > l->message_max)
		return "NO [TOOBIG] The message is too long";
	if (size > l->memory_max - s->imapd->stats.append_memory)
		return "NO [UNAVAILABLE] Too many messages come at once, try again later";
	if (store_read_begin(s->imapd->store, &read))
		return "NO [UNAVAILABLE] The store cannot be read";
	rc = store_box_find(read, str_of(s->user), str_of(s->name), &box);
	store_read_end(read);
	if (rc == -ENOENT && str_eq(str_of(s->name), STR("INBOX")))
		return NULL; /* it is made with its first message */
	if (rc || box == 0)
		return "NO [TRYCREATE] There is no such mailbox";
	if (size > store_room(s->imapd->store))
		return "NO [OVERQUOTA] There is no room left";
	return NULL;
}

/* False: the client has its share already. */
static bool reserve(struct imapd_session *s, uint64_t size)
{
	if (!peers_take(s->guest.peer, size, s->imapd->conf.limits.client_memory_max))
		return false;
	s->append.announced = size;
	s->imapd->stats.append_memory += size;
	return true;
}

void imapd_append_begin(struct imapd_session *s)
{
	const struct imap_append *c = &s->parse.cmd.append;
	const char *why;

	if (s->user[0] == '\0') {
		imapd_refuse(s, "Log in first");
		imap_parse_append(&s->parse, false);
		return;
	}
	if (!imapd_name(s, c->mailbox, s->name)) {
		imap_parse_append(&s->parse, false);
		return;
	}
	why = why_not(s, c->size);
	if (!why && !reserve(s, c->size))
		why = "NO [LIMIT] Too much comes from your address at once, try again "
		      "later";
	if (why) {
		imapd_done(s, why);
		imap_parse_append(&s->parse, false);
		return;
	}
	if (s->parse.needs_plus)
		io_puts(s->io, "+ Go on\r\n");
	imap_parse_append(&s->parse, true);
	imapd_enter(s, IMAPD_APPEND);
}

/* A piece with room; NULL: no memory. */
static struct str *last_part(struct imapd_append *a)
{
	struct str *parts;
	char *chunk;

	if (a->n_parts > 0 && a->parts[a->n_parts - 1].len < IMAPD_APPEND_CHUNK)
		return &a->parts[a->n_parts - 1];
	if (a->n_parts == a->room) {
		size_t room = a->room ? 2 * a->room : 4;

		parts = reallocarray(a->parts, room, sizeof(*parts));
		if (!parts)
			return NULL;
		a->parts = parts;
		a->room = room;
	}
	chunk = malloc(IMAPD_APPEND_CHUNK);
	if (!chunk)
		return NULL;
	a->parts[a->n_parts] = (struct str){ chunk, 0 };
	return &a->parts[a->n_parts++];
}

void imapd_append_octets(struct imapd_session *s, struct str octets)
{
	struct imapd_append *a = &s->append;

	while (octets.len > 0) {
		struct str *part = last_part(a);
		size_t n = part ? IMAPD_APPEND_CHUNK - part->len : 0;

		if (!part) {
			imapd_close(s, "[UNAVAILABLE] Out of memory");
			return;
		}
		if (n > octets.len)
			n = octets.len;
		memcpy((char *)(uintptr_t)part->p + part->len, octets.p, n);
		part->len += n;
		a->size += n;
		octets.p += n;
		octets.len -= n;
	}
}

static void appended(struct imapd_session *s)
{
	const struct store_append *a = &s->op.append;
	char text[96];

	imapd_append_free(s);
	if (s->op.result) {
		imapd_failed(s, s->op.result, true);
		return;
	}
	s->imapd->stats.appended++;
	/* RFC 4315 3 */
	snprintf(text, sizeof(text), "OK [APPENDUID %u %u] Done", a->uid_validity,
		 a->uid);
	imapd_done(s, text);
}

void imapd_append_end(struct imapd_session *s)
{
	const struct imap_append *c = &s->parse.cmd.append;
	struct imapd_append *a = &s->append;
	struct imapd *d = s->imapd;

	s->keywords.n = 0;
	for (uint32_t i = 0; i < c->flags.n_keywords; i++)
		if (s->keywords.n < STORE_KEYWORDS_MAX)
			s->keywords.names[s->keywords.n++] = c->flags.keywords[i];
	s->op = (struct store_op){
		.kind = STORE_APPEND,
		.append = { .user = str_of(s->user),
			    .mailbox = str_of(s->name),
			    .parts = a->parts,
			    .n_parts = a->n_parts,
			    .date_s = c->has_date ? (uint64_t)c->date_s :
						    d->ops.wall_s(d->ops_arg),
			    .flags = c->flags.system & STORE_FLAGS_ALL,
			    .keywords = &s->keywords },
	};
	imapd_submit(s, appended);
}
