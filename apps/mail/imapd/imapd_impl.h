/*
 * The inside of imapd: a session, and what it has with others.
 *
 *	COMMAND --LOGIN--> CHECK --right--> COMMAND (s->user is set)
 *	 ^  |                 +----wrong--> DELAY --> COMMAND
 *	 |  +--writes--> STORE --committed, or not------+
 *	 |  +--SEARCH--> WORK --found-------------------+
 *	 |  +--long answer--> SEND --all written--------+
 *	 |  +--APPEND--> APPEND --message is there--> STORE
 *	 |  +--IDLE, AUTHENTICATE--> LINE --line--------+	(or CHECK, or DELAY)
 *	 +----------------------------------------------+
 *
 *	CLOSED <--LOGOUT, too slow, too many errors, the client went: from any state
 *
 * imapd_enter() walks every arrow.  CLOSED is the last: the io is gone, and the session
 * is freed by the function that was called from outside, or when what it has with the
 * store, the worker or the verifier is back.
 *
 * RFC 3501 3 has other states: not authenticated (s->user is empty), authenticated, and
 * selected (s->view is set).
 */
#pragma once

#include <stdatomic.h>

#include "apps/lib/door.h"
#include "apps/lib/handoff.h"
#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "apps/lib/worker.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "apps/mail/imapd/imapd.h"
#include "apps/mail/store/store_box.h"
#include "apps/mail/store/watch.h"
#include "apps/mail/wire/imap_emit.h"
#include "apps/mail/wire/imap_parse.h"
#include "apps/mail/wire/mime.h"
#include "stack/base/list.h"
#include "stack/base/log.h"

enum {
	IMAPD_USER_MAX = STORE_USER_MAX,
	IMAPD_COPY_MAX = 512, /* octets of a message up to this are copied, not lent */
	IMAPD_EMIT_MAX = 16 << 10,  /* written together */
	IMAPD_TURN_BYTES = 4 << 20, /* of messages read in one go, before others' turn */
	IMAPD_CAPABILITIES_LEN = 256,
	IMAPD_SUMMARIES = 128,	       /* written to the store together */
	IMAPD_APPEND_CHUNK = 64 << 10, /* a message grows by */
};

struct imapd_news;
struct imapd_search;
struct imapd_session;
struct imapd_view;

struct imapd {
	struct net *net;
	struct imapd_conf conf;
	struct imapd_ops ops;
	void *ops_arg;
	struct store *store;
	struct worker *worker;
	struct imapd_stats stats;
	struct log_limit log_limit;
	struct door door;
	struct handoff checks; /* passwords that are with the verifier */
	struct handoff writes; /* operations that are with the store */
	struct handoff works;  /* searches that are with the worker */
	struct handoff notes;  /* operations that nobody waits for */
	/* Sessions whose mailbox changed, the last one first; see news.c. */
	_Atomic(struct imapd_news *) news;
	_Atomic bool news_posted;
	struct sasl *sasl;			   /* NULL: there is no AUTHENTICATE */
	char capabilities[IMAPD_CAPABILITIES_LEN]; /* what was said last */
	struct imap_emit emit;			   /* what is being written */
	struct mime *mime;			   /* the message being looked at */
};

enum imapd_state {
	IMAPD_COMMAND,
	IMAPD_CHECK,
	IMAPD_DELAY,
	IMAPD_STORE,
	IMAPD_WORK,
	IMAPD_SEND,
	IMAPD_APPEND,
	IMAPD_LINE,
	IMAPD_CLOSED,
};

/* A message that comes by APPEND. */
struct imapd_append {
	struct str *parts; /* pieces of IMAPD_APPEND_CHUNK; the last may be shorter */
	size_t n_parts, room;
	uint64_t size;	    /* came so far */
	uint64_t announced; /* taken from memory_max */
};

/* What SEND writes, as far as there is room. */
struct imapd_output {
	bool (*more)(struct imapd_session *s); /* false: it was the last */
	struct imap_set_at set_at;
	bool is_open;		 /* a message is begun, */
	uint32_t at;		 /* the one of this index in the view, */
	uint32_t item;		 /* and this item of it is the next */
	bool has_missed;	 /* a message is gone, or cannot be read */
	struct imapd_loan *loan; /* of that message */
	uint64_t from, to;	 /* its octets that are still to be sent */
};

struct imapd_session {
	struct door_guest guest;
	struct imapd *imapd;
	struct io *io;
	enum imapd_state state;
	bool eof;		/* the client sends no more */
	struct sasl_talk *talk; /* in LINE, unless it is IDLE */
	struct login *login;	/* in CHECK */
	bool is_away;	/* something is with the store, the worker or the verifier */
	bool is_secure; /* TLS is spoken, or about to be */
	bool is_idle;	/* in LINE: it is IDLE that waits */
	uint32_t n_errors, n_fails;
	uint64_t login_due_ns;
	struct imap_parse parse;
	char user[IMAPD_USER_MAX + 1]; /* "": nobody logged in */
	struct net_timer again;	       /* others had their turn */

	struct handoff_item back; /* of the op, or of the work */
	struct store_op op;
	uint32_t *uids, *from, *to; /* of the op; free() */
	size_t n_uids;
	struct store_keywords keywords;		 /* of the op */
	void (*stored)(struct imapd_session *s); /* what follows the op */
	char name[STORE_MAILBOX_NAME_MAX + 1], new_name[STORE_MAILBOX_NAME_MAX + 1];

	struct imapd_view *view; /* the mailbox that is open */
	struct imapd_output out;
	struct imapd_append append;
	struct imapd_search *search; /* in WORK */
};

/* session.c */

struct imapd_kind {
	bool with_tls;	  /* the connection begins with it */
	const char *user; /* who is known already; NULL: nobody */
};

void imapd_session_new(struct imapd *imapd, struct io *io, struct peer *peer,
		       struct imapd_kind kind);
void imapd_enter(struct imapd_session *s, enum imapd_state state);
/* The tagged end of the command: "OK Done", after the news. */
void imapd_done(struct imapd_session *s, const char *text);
/* The same for a command that is wrong in itself: BAD, and it counts. */
void imapd_refuse(struct imapd_session *s, const char *text);
/* Says a BYE, if any, and enters CLOSED. */
void imapd_close(struct imapd_session *s, const char *why);
/* Reads on, or writes on; frees the session when it ends with that. */
void imapd_resume(struct imapd_session *s);
/* Writes what is in imapd->emit. */
void imapd_flush(struct imapd_session *s);
/* The end, unless it waits for somebody: that comes first. */
void imapd_session_stop(struct door_guest *guest);
/* At once. */
void imapd_session_abort(struct door_guest *guest);

/* Takes in what changed in the mailbox that is open.  False: the session is closed. */
bool imapd_sync(struct imapd_session *s);
/* Says what changed.  False: the session is closed. */
bool imapd_tell(struct imapd_session *s, bool expunge, bool with_uid);
/* No mailbox is open any more. */
void imapd_leave_box(struct imapd_session *s);
/* SEND goes on in the next turn. */
void imapd_again(struct imapd_session *s);
/* The user logged in: what may come has other limits now. */
void imapd_known(struct imapd_session *s);

/* submit.c */
/* Gives s->op to the store; @stored follows on our thread. */
void imapd_submit(struct imapd_session *s, void (*stored)(struct imapd_session *s));
/* handoff_take of imapd->writes and imapd->notes. */
void imapd_stored(void *imapd, struct handoff_item *item);
void imapd_noted(void *imapd, struct handoff_item *item);
/* "NO [...] text" for a result of the store; @create: TRYCREATE is of help. */
void imapd_failed(struct imapd_session *s, int result, bool create);
/* Operations that nobody waits for. */
void imapd_note_claim(struct imapd_session *s, uint32_t box, uint32_t uid_next);
struct imapd_summaries;
/* Bytes are copied.  The batch is made when *batch is NULL. */
void imapd_note_summary(struct imapd *d, struct imapd_summaries **batch, uint64_t msg,
			struct str bytes);
/* Gives it to the store, if there is one. */
void imapd_note_end(struct imapd *d, struct imapd_summaries **batch);
