#include "tests/lib/imap_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_date.h"
#include "stack/base/check.h"

static void add_bytes(struct imap_text *t, struct str s)
{
	t->p = realloc(t->p, t->len + s.len + 1);
	if (s.len > 0)
		memcpy(t->p + t->len, s.p, s.len);
	t->len += s.len;
	t->p[t->len] = '\0';
}

void imap_text_add(struct imap_text *t, const char *format, ...)
{
	char *s = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&s, format, args);
	va_end(args);
	ASSERT(n >= 0);
	add_bytes(t, (struct str){ s, (size_t)n });
	free(s);
}

/* In brackets when it is not a plain word. */
static void add_str(struct imap_text *t, struct str s)
{
	bool is_plain = s.len > 0;

	if (!s.p) {
		imap_text_add(t, " NIL");
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		is_plain &= s.p[i] > ' ' && s.p[i] != '<' && s.p[i] < 0x7f;
	imap_text_add(t, is_plain ? " " : " <");
	add_bytes(t, s);
	imap_text_add(t, is_plain ? "" : ">");
}

void imap_text_set(struct imap_text *t, const struct imap_set *set)
{
	const char *comma = "";

	imap_text_add(t, " ");
	for (uint32_t i = 0; i < set->n; i++) {
		const struct imap_range *r = &set->ranges[i];

		imap_text_add(t, "%s%u", comma, r->first);
		if (r->last > r->first)
			imap_text_add(t, ":%u", r->last);
		comma = ",";
	}
	if (set->star == UINT32_MAX)
		imap_text_add(t, "%s*", comma);
	else if (set->star > 0)
		imap_text_add(t, "%s%u:*", comma, set->star);
}

static void add_words(struct imap_text *t, const struct imap_words *words)
{
	for (uint32_t i = 0; i < words->n; i++)
		add_str(t, words->v[i]);
}

static void add_bits(struct imap_text *t, unsigned bits, const char *const *names)
{
	const char *space = "";

	imap_text_add(t, " (");
	for (unsigned i = 0; bits >> i; i++)
		if (bits >> i & 1) {
			imap_text_add(t, "%s%s", space, names[i]);
			space = " ";
		}
	imap_text_add(t, ")");
}

static const char *const flag_names[] = { "\\Seen",    "\\Answered", "\\Flagged",
					  "\\Deleted", "\\Draft",    "\\Recent" };
static const char *const use_names[] = { "\\All",  "\\Archive", "\\Drafts", "\\Flagged",
					 "\\Junk", "\\Sent",	"\\Trash" };
static const char *const status_names[] = { "MESSAGES",	   "RECENT", "UIDNEXT",
					    "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ" };
static const char *const list_names[] = { "SUBSCRIBED",	 "REMOTE",   "RECURSIVEMATCH",
					  "SPECIAL-USE", "CHILDREN", "STATUS" };

static void add_flags(struct imap_text *t, const struct imap_flags *flags)
{
	add_bits(t, flags->system, flag_names);
	for (uint32_t i = 0; i < flags->n_keywords; i++)
		add_str(t, flags->keywords[i]);
}

static void add_list(struct imap_text *t, const struct imap_list *l)
{
	if (l->is_extended)
		add_bits(t, l->selects, list_names);
	add_str(t, l->reference);
	add_words(t, &l->patterns);
	if (l->is_extended)
		add_bits(t, l->returns, list_names);
	if (l->status)
		add_bits(t, l->status, status_names);
}

static void add_select(struct imap_text *t, const struct imap_select *s)
{
	const struct imap_qresync *q = &s->qresync;

	add_str(t, s->mailbox);
	if (s->condstore)
		imap_text_add(t, " CONDSTORE");
	if (!s->has_qresync)
		return;
	imap_text_add(t, " QRESYNC %u %" PRIu64, q->uid_validity, q->modseq);
	if (q->has_uids)
		imap_text_set(t, &q->uids);
	if (q->has_match) {
		imap_text_add(t, " match");
		imap_text_set(t, &q->match_numbers);
		imap_text_set(t, &q->match_uids);
	}
}

static void add_section(struct imap_text *t, const struct imap_section *s)
{
	static const char *const names[] = {
		"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"
	};

	imap_text_add(t, "[");
	for (uint32_t i = 0; i < s->n_parts; i++)
		imap_text_add(t, i > 0 ? ".%u" : "%u", s->parts[i]);
	imap_text_add(t, s->n_parts > 0 && s->what != IMAP_SECTION_ALL ? ".%s" : "%s",
		      names[s->what]);
	for (uint32_t i = 0; i < s->n_fields; i++)
		add_str(t, s->fields[i]);
	imap_text_add(t, "]");
}

static void add_fetch(struct imap_text *t, const struct imap_fetch *f)
{
	static const char *const names[] = {
		"UID",	    "FLAGS",  "INTERNALDATE",  "RFC822.SIZE",
		"ENVELOPE", "BODY",   "BODYSTRUCTURE", "MODSEQ",
		"BODY",	    "RFC822", "RFC822.HEADER", "RFC822.TEXT"
	};
	unsigned kinds = 0;

	imap_text_set(t, &f->set);
	for (uint32_t i = 0; i < f->n_items; i++) {
		const struct imap_fetch_item *item = &f->items[i];

		kinds |= 1u << item->kind;
		imap_text_add(t, " %s", names[item->kind]);
		if (item->kind >= IMAP_FETCH_SECTION) {
			add_section(t, &item->section);
			imap_text_add(t, item->sets_seen ? "!" : "");
		}
		if (item->is_partial)
			imap_text_add(t, "<%u.%u>", item->offset, item->len);
	}
	ASSERT(kinds == f->kinds);
	if (f->has_changed_since)
		imap_text_add(t, " since %" PRIu64 "%s", f->changed_since,
			      f->vanished ? " vanished" : "");
}

static void add_key(struct imap_text *t, const struct imap_key *k)
{
	static const char *const names[] = {
		"and",	      "or",	 "ALL",	      "SEQ",	"UID",
		"FLAG",	      "KEYWORD", "BEFORE",    "ON",	"SINCE",
		"SENTBEFORE", "SENTON",	 "SENTSINCE", "LARGER", "SMALLER",
		"HEADER",     "BODY",	 "TEXT",      "MODSEQ"
	};

	imap_text_add(t, " %s%s", k->is_not ? "not " : "", names[k->kind]);
	switch (k->kind) {
	case IMAP_KEY_AND:
	case IMAP_KEY_OR:
		imap_text_add(t, "(");
		for (const struct imap_key *kid = k->kids; kid; kid = kid->next)
			add_key(t, kid);
		imap_text_add(t, " )");
		break;
	case IMAP_KEY_ALL: break;
	case IMAP_KEY_SEQ:
	case IMAP_KEY_UID: imap_text_set(t, &k->set); break;
	case IMAP_KEY_FLAG: add_bits(t, k->flag, flag_names); break;
	case IMAP_KEY_KEYWORD: add_str(t, k->keyword); break;
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_ON:
	case IMAP_KEY_SINCE:
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SENTSINCE: imap_text_add(t, " %d", k->days); break;
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER: imap_text_add(t, " %u", k->size); break;
	case IMAP_KEY_HEADER:
		add_str(t, k->header.name);
		add_str(t, k->header.text);
		break;
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT: add_str(t, k->text); break;
	case IMAP_KEY_MODSEQ: imap_text_add(t, " %" PRIu64, k->modseq); break;
	}
}

static void add_append(struct imap_text *t, const struct imap_append *a)
{
	char date[IMAP_DATE_TIME_LEN];

	add_str(t, a->mailbox);
	add_flags(t, &a->flags);
	imap_date_time_emit(a->date_s, date);
	imap_text_add(t, " %s %" PRIu64, a->has_date ? date : "now", a->size);
}

static void add_store(struct imap_text *t, const struct imap_store *s)
{
	imap_text_set(t, &s->set);
	if (s->has_unchanged_since)
		imap_text_add(t, " since %" PRIu64, s->unchanged_since);
	imap_text_add(t, " %sFLAGS%s",
		      s->how == IMAP_STORE_ADD	  ? "+" :
		      s->how == IMAP_STORE_REMOVE ? "-" :
						    "",
		      s->is_silent ? ".SILENT" : "");
	add_flags(t, &s->flags);
}

static void add_args(struct imap_text *t, const struct imap_cmd *c)
{
	switch (c->kind) {
	case IMAP_CAPABILITY:
	case IMAP_NOOP:
	case IMAP_LOGOUT:
	case IMAP_STARTTLS:
	case IMAP_NAMESPACE:
	case IMAP_IDLE:
	case IMAP_CHECK:
	case IMAP_CLOSE:
	case IMAP_UNSELECT:
	case IMAP_N_CMDS: break;
	case IMAP_ID: add_words(t, &c->id); break;
	case IMAP_AUTHENTICATE:
		add_str(t, c->authenticate.mechanism);
		if (c->authenticate.has_initial)
			add_str(t, c->authenticate.initial);
		break;
	case IMAP_LOGIN:
		add_str(t, c->login.user);
		add_str(t, c->login.password);
		break;
	case IMAP_ENABLE: add_words(t, &c->enable); break;
	case IMAP_SELECT:
	case IMAP_EXAMINE: add_select(t, &c->select); break;
	case IMAP_CREATE:
		add_str(t, c->create.mailbox);
		if (c->create.uses)
			add_bits(t, c->create.uses, use_names);
		break;
	case IMAP_DELETE:
	case IMAP_SUBSCRIBE:
	case IMAP_UNSUBSCRIBE: add_str(t, c->mailbox); break;
	case IMAP_RENAME:
		add_str(t, c->rename.from);
		add_str(t, c->rename.to);
		break;
	case IMAP_LIST:
	case IMAP_LSUB: add_list(t, &c->list); break;
	case IMAP_STATUS:
		add_str(t, c->status.mailbox);
		add_bits(t, c->status.items, status_names);
		break;
	case IMAP_APPEND: add_append(t, &c->append); break;
	case IMAP_EXPUNGE:
		if (c->is_uid)
			imap_text_set(t, &c->expunge);
		break;
	case IMAP_SEARCH:
		if (c->search.charset.len > 0)
			add_str(t, c->search.charset);
		add_key(t, c->search.key);
		break;
	case IMAP_FETCH: add_fetch(t, &c->fetch); break;
	case IMAP_STORE: add_store(t, &c->store); break;
	case IMAP_COPY:
	case IMAP_MOVE:
		imap_text_set(t, &c->copy.set);
		add_str(t, c->copy.mailbox);
		break;
	}
}

void imap_text_cmd(struct imap_text *t, const struct imap_cmd *cmd)
{
	static const char *const names[IMAP_N_CMDS] = {
		"CAPABILITY",	"NOOP",	  "LOGOUT",    "ID",	    "STARTTLS",
		"AUTHENTICATE", "LOGIN",  "ENABLE",    "SELECT",    "EXAMINE",
		"CREATE",	"DELETE", "RENAME",    "SUBSCRIBE", "UNSUBSCRIBE",
		"LIST",		"LSUB",	  "NAMESPACE", "STATUS",    "APPEND",
		"IDLE",		"CHECK",  "CLOSE",     "UNSELECT",  "EXPUNGE",
		"SEARCH",	"FETCH",  "STORE",     "COPY",	    "MOVE"
	};

	add_bytes(t, cmd->tag);
	imap_text_add(t, " %s%s", cmd->is_uid ? "UID " : "", names[cmd->kind]);
	add_args(t, cmd);
}

struct walk {
	struct imap_parse parse;
	struct imap_text *t;
	bool in_octets; /* the line of octets goes on */
};

static void add_event(struct walk *w, const char *name, struct str s)
{
	imap_text_add(w->t, "%s", name);
	if (s.len > 0)
		imap_text_add(w->t, " ");
	add_bytes(w->t, s);
	imap_text_add(w->t, "\n");
}

static void append(struct walk *w)
{
	bool is_refused = str_eq(w->parse.cmd.append.mailbox, STR("refused"));

	imap_text_add(w->t, "append ");
	imap_text_cmd(w->t, &w->parse.cmd);
	imap_text_add(w->t, w->parse.needs_plus ? " plus\n" : "\n");
	imap_parse_append(&w->parse, !is_refused);
}

static void command(struct walk *w)
{
	imap_text_add(w->t, "cmd ");
	if (w->parse.cmd.kind == IMAP_APPEND) {
		add_bytes(w->t, w->parse.cmd.tag);
		imap_text_add(w->t, " APPEND");
	} else {
		imap_text_cmd(w->t, &w->parse.cmd);
	}
	imap_text_add(w->t, "\n");
	if (w->parse.cmd.kind == IMAP_IDLE)
		imap_parse_want_line(&w->parse);
}

/* False: the server closes. */
static bool event(struct walk *w, enum imap_parse_event e)
{
	struct imap_parse *p = &w->parse;

	if (w->in_octets && e != IMAP_PARSE_OCTETS && e != IMAP_PARSE_MORE) {
		imap_text_add(w->t, "\n");
		w->in_octets = false;
	}
	switch (e) {
	case IMAP_PARSE_MORE: break;
	case IMAP_PARSE_CONTINUE: add_event(w, "plus", STR("")); break;
	case IMAP_PARSE_COMMAND: command(w); break;
	case IMAP_PARSE_APPEND: append(w); break;
	case IMAP_PARSE_OCTETS:
		if (!w->in_octets)
			imap_text_add(w->t, "octets ");
		add_bytes(w->t, p->piece);
		w->in_octets = true;
		break;
	case IMAP_PARSE_LINE: add_event(w, "line", p->piece); break;
	case IMAP_PARSE_BAD:
		imap_text_add(w->t, "bad ");
		add_bytes(w->t, p->cmd.tag.len > 0 ? p->cmd.tag : STR("*"));
		imap_text_add(w->t, " %s\n", p->bad);
		break;
	case IMAP_PARSE_BYE: add_event(w, "bye", str_of(p->bad)); return false;
	}
	return true;
}

void imap_text_walk(struct imap_text *t, const struct imap_parse_limits *limits,
		    struct str in, size_t cut)
{
	struct walk w = { .t = t };
	bool goes_on = true;

	imap_parse_init(&w.parse, limits);
	add_bytes(t, STR(""));
	while (goes_on && in.len > 0) {
		struct str piece = { in.p, cut > 0 && cut < in.len ? cut : in.len };
		enum imap_parse_event e = IMAP_PARSE_COMMAND;

		in.p += piece.len;
		in.len -= piece.len;
		/* Once more at the end: an event may need no byte. */
		while (goes_on && e != IMAP_PARSE_MORE) {
			e = imap_parse(&w.parse, &piece);
			goes_on = event(&w, e);
			ASSERT(imap_parse_memory(&w.parse) <=
			       IMAP_PARSE_MEMORY + 2 * limits->len + 256);
		}
		ASSERT(!goes_on || piece.len == 0);
	}
	if (w.in_octets)
		imap_text_add(t, "\n");
	imap_parse_fini(&w.parse);
	ASSERT(imap_parse_memory(&w.parse) == 0);
}
