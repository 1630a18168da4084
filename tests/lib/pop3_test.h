/*
 * A pop3d on a net in memory, with maildrops and a verifier that do what the test says.
 *
 * Users alice and bob, whose passwords are "secret " and their name ("secret alice").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/net.h"
#include "apps/mail/pop3d/pop3d.h"
#include "apps/mail/store/store.h"
#include "tests/lib/dialog.h"

#define POP3_TEST_WHERE "192.0.2.1:110"
#define POP3_TEST_WHERE_TLS "192.0.2.1:995"

enum { POP3_TEST_CONNS = 8, POP3_TEST_MAILS = 100 };

struct pop3_mail {
	const char *user;
	uint32_t uid; /* 0: expunged */
	bool is_damaged;
	size_t n_checked;
	struct store_hold hold;
};

struct pop3_test {
	struct net *net;
	struct net_listener *listener, *tls_listener;
	struct tls *tls;
	struct sasl *sasl;
	struct pop3d_conf conf;
	struct pop3d *pop3d;
	struct pop3_mail mails[POP3_TEST_MAILS];
	uint32_t n_mails;
	unsigned n_holds;
	struct {
		bool holds, refuses, list_fails;
		int result;
		struct store_op *op; /* the one that waits */
	} store;
	struct {
		bool holds, refuses, unsure;
		struct verify_job *job; /* the one that waits */
	} verifier;
};

void pop3_test_init(struct pop3_test *t);
/* Makes the pop3d, with t->conf, and listens. */
void pop3_test_start(struct pop3_test *t);
/* A message: head and text. */
void pop3_test_mail(struct pop3_test *t, const char *user, struct str head,
		    struct str text);
/* Answers what waits. */
void pop3_test_answer(struct pop3_test *t);
/* Ends it; false: something leaked. */
bool pop3_test_fini(struct pop3_test *t);

/*
 * For dialogues, with the pop3_test as d->arg:
 *	! limit NAME VALUE	before the first client comes
 *	! start
 *	! mail USER TEXT	with the head "Delivered-To: USER"
 *	! big USER N		one with N lines of 64 octets, the first "Subject: big"
 *	! damaged UID
 *	! gone UID		expunged by another
 *	! store holds | refuses | commits | fails | list_fails
 *	! tls | private		before the first client comes: there is a certificate;
 *				passwords may not be shown in clear
 *	! port 110 | 995	where clients that come from now on connect
 *	! verifier holds | refuses | unsure | works
 *	! answer
 *	! stop			pop3d_stop()
 *	! count N		so many messages are left
 *	! holds N		so many are held
 *	! counter NAME VALUE
 */
bool pop3_test_hook(struct dialog *d, const char *words);
