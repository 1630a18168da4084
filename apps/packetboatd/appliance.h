/*
 * The mail appliance: one net with SMTP, POP3 and IMAP on it, a store with its spool and
 * who sends what is in it, the users.
 *
 * Life, in this order, each step once: appliance_open() as root, which opens ports and
 * listens; appliance_start() as the service user; appliance_run(), which says when it
 * can be reached, until it is told to stop; appliance_close(), whatever was reached.  All
 * in one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/net.h"
#include "apps/mail/deliver/expand.h"
#include "apps/mail/store/store.h"
#include "apps/packetboatd/addr_watch.h"
#include "apps/packetboatd/lease_watch.h"
#include "apps/packetboatd/settings.h"
#include "stack/base/log.h"

enum {
	APPLIANCE_ERROR_LEN = 1024,
	APPLIANCE_STOP_S = 10, /* sessions have so long for their last words */
};

struct ctl;
struct dns;
struct imapd;
struct pb_core;
struct pb_stack;
struct pop3d;
struct pop3d_locks;
struct queue;
struct relay;
struct sasl;
struct smtpd;
struct tls;
struct filedb;
struct verify;
struct worker;

enum { LOCAL_SMTP, LOCAL_IMAP, LOCAL_N };

struct appliance {
	const struct settings *conf;
	struct log log;
	uint64_t seed;
	uint64_t started_ns;

	struct pb_stack *stack; /* NULL: on the kernel's sockets */
	struct pb_core *core;
	struct net *net;
	struct smtpd *smtpd;
	struct pop3d_locks *locks;
	struct pop3d *pop3d;
	struct imapd *imapd;
	struct net_listener *listeners[8 * CONF_LIST_MAX];
	unsigned n_listeners;
	struct net_listener *local[LOCAL_N]; /* local_door.h; NULL: none */
	struct tls *tls;		     /* ours; NULL: there is no certificate */
	struct tls *client_tls;		     /* to other hosts */
	struct sasl *sasl;

	struct filedb *users, *aliases;
	struct expand expand; /* of the address that was looked for last */
	struct verify *verify;
	struct worker *searches;
	struct store *store;
	struct dns *dns;
	struct queue *queue;
	struct relay *relay;
	struct route routes[2 * CONF_LIST_MAX]; /* as set; what is to be given waits */
	size_t n_routes;
	struct net_timer store_look;
	enum store_health store_health; /* as the log has it */
	struct ctl *ctl;

	struct addr_watch addr_watch;
	struct lease_watch lease_watch; /* with stack.dhcp */
	int (*ready)(void *arg, char *error);
	void *ready_arg;
	int result;  /* of appliance_run() */
	char *error; /* of its caller */

	uint64_t stop_ns; /* when sessions have had their time; 0: nobody said stop */
	struct net_timer stop_look;
};

/* @conf stays the caller's.  0; or -errno and a sentence. */
int appliance_open(struct appliance *a, const struct settings *conf,
		   char error[APPLIANCE_ERROR_LEN]);
int appliance_start(struct appliance *a, char error[APPLIANCE_ERROR_LEN]);
/*
 * Reads signals from @signal_fd: TERM and INT stop, HUP reads users and certificate anew,
 * and opens the log file anew.  Calls a->ready(a->ready_arg) once, when clients can reach us: with
 * stack.probe_addr that takes some seconds; if it fails, all ends.
 * Returns 0 when it was told to stop and everybody had the last words; or -errno and a
 * sentence: -EADDRINUSE when another station has our address, or what ready() said.
 */
int appliance_run(struct appliance *a, int signal_fd, char error[APPLIANCE_ERROR_LEN]);
/* Sessions are told; appliance_run() returns when they are gone. */
void appliance_stop(struct appliance *a);
void appliance_close(struct appliance *a);

/* Writes to the log file of the configuration from now on, or to standard error. */
int appliance_open_log(struct appliance *a);
