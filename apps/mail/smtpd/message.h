/*
 * A message and its envelope, inside smtpd: message.c has the text, rcpts.c whom it is for.
 * All its memory is charged to the smtpd's, and given back by smtpd_message_free().
 */
#pragma once

#include "apps/lib/handoff.h"
#include "apps/lib/peers.h"
#include "apps/mail/queue/mail_to.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/store/store.h"
#include "apps/mail/wire/dot.h"
#include "apps/mail/wire/mailaddr.h"
#include "apps/mail/wire/rfc5322.h"

struct smtpd;
struct smtpd_session;

/* An address as text, with the domain that "postmaster" lacks. */
enum { SMTPD_ADDR_LEN = MAILADDR_TEXT_LEN + MAILADDR_DOMAIN_MAX + 2 };

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

/* A user, once, with the first address that led to him; or an address elsewhere. */
struct smtpd_rcpt {
	struct smtpd_rcpt *next;
	struct str user, addr;
	struct str head; /* what stands before the message in his mailbox */
	struct str from; /* the sender, of one elsewhere */
	size_t len;	 /* of all this */
	char bytes[];
};

struct smtpd_rcpts {
	struct smtpd_rcpt *first, *last;
	uint32_t n;
};

/* An address of ours from which the message goes on to others, as X-Loop has it. */
struct smtpd_way {
	struct smtpd_way *next;
	uint64_t mark;
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

	struct smtpd_rcpts users, remotes;
	struct smtpd_way *ways;
	uint64_t n_asked; /* RCPTs, whatever was said to them */
	uint32_t n_addrs; /* recipients said yes to, and the first of them */
	char rcpt[SMTPD_ADDR_LEN];

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
/* Memory of @m, within what its client's and what all messages together may have; or
 * what is known to be its memory. */
void *smtpd_message_alloc(struct smtpd_message *m, size_t len);
bool smtpd_message_charge(struct smtpd_message *m, size_t len);
/* Frees what smtpd_message_alloc() gave. */
void smtpd_message_release(struct smtpd_message *m, void *p, size_t len);
/* Takes octets of DATA up to the end; returns how many. */
size_t smtpd_message_read(struct smtpd_message *m, struct str in);
/* A piece for so many octets.  NULL: no memory. */
struct smtpd_chunk *smtpd_message_chunk(struct smtpd_message *m, size_t cap);
/* Puts fields before it and makes @op ready to submit.  0, or -ENOMEM. */
int smtpd_message_finish(struct smtpd_message *m, struct str fields);

/*
 * rcpts.c: adds all that the address @rcpt leads to; those who are there already are not
 * put there again.  0, or -ENOMEM: nobody was added.
 */
int smtpd_rcpts_add(struct smtpd_message *m, struct str rcpt, const struct mail_to *to,
		    size_t n);
/* Items for the spool, one for each of their hosts and senders.  0, or -ENOMEM. */
int smtpd_rcpts_pack(struct smtpd_message *m);
/* One of the addresses has sent it on before. */
bool smtpd_rcpts_is_loop(const struct smtpd_message *m);
/* X-Loop fields, so that this is seen next time; room for them in @m, NULL: no memory.
 * Not when there are no ways. */
struct smtpd_chunk *smtpd_rcpts_loops(struct smtpd_message *m);
void smtpd_rcpts_free(struct smtpd_message *m);
