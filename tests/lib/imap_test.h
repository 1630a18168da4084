/*
 * An imapd on a net in memory, with a real store in a folder of its own, a worker, and a
 * verifier that does what the test says.
 *
 * Users alice and bob, whose passwords are "secret " and their name ("secret alice").
 * Mail that is delivered came at 1970-01-01 00:01:17; it is 2001-09-09 01:46:40 now.
 * UIDVALIDITYs begin with 1000001.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/net.h"
#include "apps/mail/imapd/imapd.h"
#include "apps/mail/store/store.h"
#include "tests/lib/dialog.h"

#define IMAP_TEST_WHERE "192.0.2.1:143"
#define IMAP_TEST_WHERE_TLS "192.0.2.1:993"
#define IMAP_TEST_LOCAL "192.0.2.1:1" /* who comes there is alice */

enum { IMAP_TEST_CONNS = 8 };

struct imap_test {
	struct net *net;
	struct net_listener *listener, *tls_listener, *local_listener;
	struct tls *tls;
	struct sasl *sasl;
	struct imapd_conf conf;
	struct imapd *imapd;
	struct store *store;
	struct worker *worker;
	char dir[64];
	struct {
		bool holds, refuses, unsure;
		struct verify_job *job; /* the one that waits */
	} verifier;
};

void imap_test_init(struct imap_test *t);
/* Makes the imapd, with t->conf, and listens. */
void imap_test_start(struct imap_test *t);
/* Runs a store's operation, waits, and returns its result. */
int imap_test_store(struct imap_test *t, struct store_op *op);
void imap_test_mail(struct imap_test *t, const char *user, struct str head,
		    struct str text);
/* Something of a session is with another thread. */
bool imap_test_busy(struct imap_test *t);
/* Waits until nothing is. */
void imap_test_settle(struct imap_test *t);
/* Ends it; false: something leaked, or is wrong in the store. */
bool imap_test_fini(struct imap_test *t);

/*
 * For dialogues, with the imap_test as d->arg:
 *	! limit NAME VALUE	before the first client comes
 *	! start
 *	! mail USER TEXT	with the head "Delivered-To: USER"
 *	! big USER N		one with N lines of 64 octets, the first "Subject: big"
 *	! expunge USER UID	by another, from INBOX
 *	! flag USER UID		\Flagged, by another, in INBOX
 *	! delete USER MAILBOX	by another
 *	! tls | private		before the first client comes: there is a certificate;
 *				passwords may not be shown in clear
 *	! port 143 | 993 | local	where clients that come from now on connect
 *	! verifier holds | refuses | unsure | works
 *	! answer		the verifier does
 *	! stop			imapd_stop()
 *	! counter NAME VALUE
 */
bool imap_test_hook(struct dialog *d, const char *words);
