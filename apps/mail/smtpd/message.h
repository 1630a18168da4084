/*
 * An envelope and what follows it, of one session, until the store has it.  All its
 * memory is charged to the smtpd's, and given back by smtpd_message_free().
 */
#pragma once

#include "apps/lib/handoff.h"
#include "apps/lib/str.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/store/store.h"
#include "apps/mail/wire/dot.h"
#include "apps/mail/wire/mailaddr.h"
#include "apps/mail/wire/rfc5322.h"

struct peer;
struct smtpd;
struct smtpd_session;

enum smtpd_verdict {
	SMTPD_FINE,
	SMTPD_TOO_BIG,
	SMTPD_NO_MEMORY,
};

struct smtpd_chunk {
	struct smtpd_chunk *next;
	size_t len, cap;
	char bytes[];
};

/* A user, once, with the first address that led to him. */
struct smtpd_rcpt {
	struct smtpd_rcpt *next;
	struct str user, addr;
	struct str head; /* what stands before the message in his mailbox */
	char bytes[];
};

struct smtpd_message {
	struct handoff_item back;
	struct store_op op;
	struct spool_op spool;	      /* of @op */
	struct spool_op *items;	      /* what it adds, if anything */
	uint8_t mark[SPOOL_MARK_LEN]; /* of @spool */
	struct smtpd *smtpd;
	struct peer *peer;	       /* whose share we take */
	struct smtpd_session *session; /* NULL: it ended while we were being committed */
	uint64_t charged;
	char from[MAILADDR_TEXT_LEN]; /* "" of a bounce */
	char id[RFC5322_ID_MAX];

	struct smtpd_rcpt *rcpts, *last_rcpt;
	struct smtpd_rcpt *remotes,
		*last_remote;	     /* at other hosts: without user and head */
	uint32_t n_users, n_remotes; /* in the lists */
	uint32_t n_addrs;	     /* recipients said yes to */

	struct dot_decoder dot;
	struct rfc5322_scan scan;
	enum smtpd_verdict verdict;
	struct smtpd_chunk *first, *last;
	uint64_t len;	   /* octets of the message */
	uint64_t n_raw;	   /* octets that came in DATA */
	uint64_t due_ns;   /* more of DATA must come until then */
	struct str *lists; /* what @op points to */
};

/* Of a client's session.  NULL: no memory. */
struct smtpd_message *smtpd_message_new(struct smtpd_session *s);
void smtpd_message_free(struct smtpd_message *m);
/* Adds a recipient.  0, or -ENOMEM.  A user who is in the list is not put there again. */
int smtpd_message_rcpt(struct smtpd_message *m, struct str user, struct str addr);
/* The same of one at another host. */
int smtpd_message_remote(struct smtpd_message *m, struct str addr);
/* Takes octets of DATA up to the end; returns how many. */
size_t smtpd_message_read(struct smtpd_message *m, struct str in);
/* Puts fields before it and makes @op ready to submit.  0, or -ENOMEM. */
int smtpd_message_finish(struct smtpd_message *m, struct str fields);
