/*
 * An smtpd on a net in memory, with a store that does what the test says.
 *
 * Users alice, bob and max (whose address is as long as can be) at b.example; ours are
 * b.example and mx.b.example.  There are aliases too: see smtp_test.c.  alice and bob can log in, see login_test.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/net.h"
#include "apps/mail/smtpd/smtpd.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/store/store.h"
#include "tests/lib/dialog.h"

#define SMTP_TEST_WHERE "192.0.2.1:25"
#define SMTP_TEST_MSA "192.0.2.1:587"
#define SMTP_TEST_MSA_TLS "192.0.2.1:465"
#define SMTP_TEST_ODMR "192.0.2.1:366"
#define SMTP_TEST_LOCAL "192.0.2.1:1" /* who comes there is alice */

enum {
	SMTP_TEST_NOW_S = 1700000000, /* Tue, 14 Nov 2023 22:13:20 +0000 */
	SMTP_TEST_CONNS = 8,
	SMTP_TEST_MANY = 150,
};

/* A message as it stands in a mailbox. */
struct stored {
	struct stored *next; /* the one before */
	char *user, *text;
	size_t len;
	char sender[256]; /* of an item */
};

struct smtp_test {
	struct net *net;
	struct net_listener *listeners[5];
	struct smtpd_conf conf;
	struct smtpd *smtpd;
	struct tls *tls;
	struct sasl *sasl;
	struct {
		bool holds, refuses, unsure;
		struct verify_job *job; /* the one that waits */
	} verifier;
	bool relays; /* for everybody */
	bool calls;  /* ETRN is offered, and ATRN */
	struct mail_to many[SMTP_TEST_MANY];
	char many_text[SMTP_TEST_MANY][24];
	unsigned n_spooled; /* items that were told */
	struct {
		bool holds;   /* commits wait for smtp_test_commit() */
		bool refuses; /* the queue is full */
		int result;   /* of commits */
		uint64_t room;
		uint8_t mark[SPOOL_MARK_LEN];	 /* of the last delivery that had one */
		struct store_op *ops, **ops_end; /* what waits */
		struct stored *stored;		 /* the last one first */
	} store;
};

void smtp_test_init(struct smtp_test *t);
/* Makes the smtpd, with t->conf, and listens. */
void smtp_test_start(struct smtp_test *t);
/* Answers everything that waits. */
void smtp_test_commit(struct smtp_test *t);
/* Ends it; false: something leaked. */
bool smtp_test_fini(struct smtp_test *t);
size_t smtp_test_n_stored(const struct smtp_test *t);

/*
 * For dialogues, with the smtp_test as d->arg:
 *	! limit NAME VALUE	before the first client comes
 *	! postmaster alice | nosuch | none	likewise; alice at first
 *	! store holds | refuses | commits | fails ENOSPC|EIO
 *	! room OCTETS
 *	! commit
 *	! stop			smtpd_stop()
 *	! tls | auth | plain	before the first client comes: there is a certificate;
 *				MTAs may log in; passwords may be shown in clear
 *	! port 25 | 587 | 465 | 366 | local	where clients that come from now on connect
 *	! verifier holds | refuses | unsure | works
 *	! answer
 *	! relays		everybody may send to other hosts
 *	! vrfy | expn | etrn	before the first client comes: these tell; it is offered
 *	! sender HOST ADDRESS	of the last item for that host; <>: none
 *	! spooled N		so many items were committed
 *	! stored USER		M lines see his last message; of an item, USER is
 *				its destination
 *	! count N		so many messages were stored
 *	! counter NAME VALUE
 */
bool smtp_test_hook(struct dialog *d, const char *words);
