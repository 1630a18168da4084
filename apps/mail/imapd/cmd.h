/*
 * The commands, and what belongs to them, between the files of imapd.
 */
#pragma once

#include "apps/mail/imapd/imapd_impl.h"

/* command.c: runs s->parse.cmd. */
void imapd_command(struct imapd_session *s);
/* What may be advertised now; valid until the next call. */
const char *imapd_capabilities(const struct imapd_session *s);
/* A mailbox's name as the store has it, to @out.  False: refused, and that was said. */
bool imapd_name(struct imapd_session *s, struct str utf7,
		char out[static STORE_MAILBOX_NAME_MAX + 1]);
/* A password may be shown. */
bool imapd_may_show(const struct imapd_session *s);

/* cmd_*.c: the functions of command.c's table. */
void imapd_login(struct imapd_session *s);
void imapd_authenticate(struct imapd_session *s);
void imapd_select(struct imapd_session *s);
void imapd_unselect(struct imapd_session *s);
void imapd_close_box(struct imapd_session *s);
void imapd_create(struct imapd_session *s);
void imapd_delete(struct imapd_session *s);
void imapd_rename(struct imapd_session *s);
void imapd_subscribe(struct imapd_session *s);
void imapd_list(struct imapd_session *s);
void imapd_lsub(struct imapd_session *s);
void imapd_status(struct imapd_session *s);
void imapd_idle(struct imapd_session *s);
void imapd_expunge(struct imapd_session *s);
void imapd_store(struct imapd_session *s);
void imapd_copy(struct imapd_session *s);
void imapd_fetch(struct imapd_session *s);
void imapd_search(struct imapd_session *s);

/* cmd_mailbox.c: enum imap_use of enum store_use. */
unsigned imapd_uses(uint32_t uses);

/* cmd_select.c */
/* s->name is an INBOX that nobody wrote to yet. */
bool imapd_needs_inbox(struct imapd_session *s);
void imapd_make_inbox(struct imapd_session *s, void (*made)(struct imapd_session *s));

/* cmd_change.c */
/* s->op expunges what is marked as deleted, of a set of UIDs when that is not NULL.
 * False: nothing is. */
bool imapd_expunge_op(struct imapd_session *s, struct imap_set *set);

/* cmd_login.c */
/* handoff_take of imapd->checks. */
void imapd_checked(void *imapd, struct handoff_item *item);
/* The session ends before the verdict comes. */
void imapd_check_cancel(struct imapd_session *s);
/* The user is known from now on.  False: he has too many sessions. */
bool imapd_welcome(struct imapd_session *s, struct str user);
/* Says that the password was wrong; the delay is over. */
void imapd_login_failed(struct imapd_session *s);
/* The line that AUTHENTICATE waited for. */
void imapd_authenticate_line(struct imapd_session *s, struct str line);

/* cmd_idle.c: the line that IDLE waited for. */
void imapd_idle_line(struct imapd_session *s, struct str line);

/* cmd_append.c */
void imapd_append_begin(struct imapd_session *s);
void imapd_append_octets(struct imapd_session *s, struct str octets);
void imapd_append_end(struct imapd_session *s);
/* It is given up. */
void imapd_append_free(struct imapd_session *s);

/* news.c */
/* NULL: no memory.  From now on changes of mailbox @box are news to @s. */
struct imapd_news *imapd_news_new(struct imapd_session *s, uint32_t box);
void imapd_news_free(struct imapd *d, struct imapd_news *n);
/* Frees what ended sessions left; no session is there any more. */
void imapd_news_drop(struct imapd *d);
/* True once for all changes since the last time. */
bool imapd_news_take(struct imapd_news *n);

/* fetch_body.c */
/* Writes what @item asks of the message that is begun; of a long one only the size: then
 * octets are to follow, out.from to out.to. */
void imapd_fetch_section(struct imapd_session *s, const struct imap_fetch_item *item);
/* Writes some of these octets. */
void imapd_fetch_octets(struct imapd_session *s, size_t room);
/* What the session holds is let go, once the network has all of it. */
void imapd_fetch_end(struct imapd_session *s);

/* cmd_search.c */
/* handoff_take of imapd->works. */
void imapd_searched(void *imapd, struct handoff_item *item);
/* The session is closed: it need not go on. */
void imapd_search_cancel(struct imapd_session *s);
