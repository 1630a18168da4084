#include "apps/packetboatd/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "apps/lib/ctl.h"
#include "apps/lib/daemon.h"
#include "apps/lib/dns.h"
#include "apps/lib/net.h"
#include "apps/lib/tls.h"
#include "apps/lib/worker.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "apps/packetboatd/control.h"
#include "apps/packetboatd/glue.h"
#include "apps/packetboatd/kinds.h"
#include "apps/packetboatd/local_door.h"
#include "apps/packetboatd/seed.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { VERIFY_THREADS = 1, SEARCHES_MAX = 256, STOP_LOOK_MS = 20, STORE_LOOK_MS = 1000 };

static int fail(char *error, int r, const char *what, const char *why)
{
	snprintf(error, APPLIANCE_ERROR_LEN, "%s: %s", what, why ? why : strerror(-r));
	return r;
}

int appliance_open_log(struct appliance *a)
{
	int fd = open(a->conf->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (a->log.fd > STDERR_FILENO)
		close(a->log.fd);
	a->log.fd = fd;
	return 0;
}

static void fill_stack_conf(const struct settings *conf, struct pb_stack_conf *sc,
			    char *port, size_t port_len)
{
	pb_stack_conf_init(sc);
	snprintf(port, port_len, "%s%s%s%s", conf->pcap ? "pcap:" : "",
		 conf->pcap ? conf->pcap : "", conf->pcap ? ":" : "", conf->port);
	sc->port = port;
	sc->dhcp = conf->dhcp;
	sc->addr = conf->dhcp ? NULL : conf->addr;
	sc->gateway = conf->gateway;
	sc->mac = conf->mac;
	sc->mtu = (unsigned)conf->mtu;
	sc->offload = conf->offload;
	sc->probe_addr = conf->probe_addr;
	sc->vlan = (unsigned)conf->vlan;
	/* Of a port that has a host's side, which knows no tags. */
	sc->host_addr = conf->vlan ? NULL : conf->host_addr;
	sc->addr6 = conf->addr6;
	sc->gateway6 = conf->gateway6;
	sc->autoconf6 = conf->autoconf6;
	sc->host_addr6 = conf->vlan ? NULL : conf->host_addr6;
	sc->iid_secret = conf->iid_secret;
	sc->persist = conf->persist;
	sc->n_bufs = (uint32_t)conf->buffers;
	sc->max_conns = (uint32_t)conf->max_conns;
	sc->cc = conf->cc;
	sc->ecn = (unsigned)conf->ecn;
}

static int open_net(struct appliance *a, char *error)
{
	struct pb_stack_conf sc;
	char port[1024];
	int r;

	if (strcmp(a->conf->net, "kernel") == 0) {
		r = net_posix_new(&a->net);
		return r < 0 ? fail(error, r, "kernel network", NULL) : 0;
	}
	fill_stack_conf(a->conf, &sc, port, sizeof(port));
	r = pb_stack_open(&sc, &a->stack, error);
	if (r < 0)
		return r;
	a->core = pb_stack_core(a->stack, 0);
	r = net_stack_new(&a->net, a->core);
	return r < 0 ? fail(error, r, "stack", NULL) : 0;
}

static int new_services(struct appliance *a, char *error)
{
	const struct settings *conf = a->conf;
	const struct smtpd_conf smtp = {
		.host = conf->hostname,
		.postmaster = conf->postmaster,
		.log = &a->log,
		.seed = a->seed,
		.auth = conf->smtp_auth,
		.vrfy = strcmp(conf->vrfy, "yes") == 0,
		.expn = conf->expn,
		.allow_plain = settings_allow_plain(conf),
		.limits = conf->smtp,
	};
	struct pop3d_conf pop3 = {
		.host = conf->hostname,
		.log = &a->log,
		.seed = a->seed,
		.allow_plain = settings_allow_plain(conf),
		.limits = conf->pop3,
	};
	const struct imapd_conf imap = {
		.host = conf->hostname,
		.log = &a->log,
		.seed = a->seed,
		.allow_plain = settings_allow_plain(conf),
		.limits = conf->imap,
	};
	uint64_t n_drops =
		conf->pop3_sessions_max * (conf->pop3_listen.n + conf->pop3s_listen.n);
	int r;

	r = smtpd_new(a->net, &smtp, &glue_smtpd_ops, a, &a->smtpd);
	if (r == 0)
		r = pop3d_locks_new((unsigned)n_drops, &a->locks);
	pop3.locks = a->locks;
	if (r == 0)
		r = pop3d_new(a->net, &pop3, &glue_pop3d_ops, a, &a->pop3d);
	if (r == 0)
		r = imapd_new(a->net, &imap, &glue_imapd_ops, a, &a->imapd);
	return r < 0 ? fail(error, r, "services", NULL) : 0;
}

static int listen_at(struct appliance *a, const struct conf_list *where,
		     uint64_t max_conns, net_accept *accept, void *arg, char *error)
{
	for (size_t i = 0; i < where->n; i++) {
		int r = net_listen(a->net, where->at[i], (unsigned)max_conns, accept, arg,
				   &a->listeners[a->n_listeners]);

		if (r < 0)
			return fail(error, r, where->at[i], NULL);
		a->n_listeners++;
	}
	return 0;
}

static int listen_all(struct appliance *a, char *error)
{
	const struct settings *c = a->conf;
	const struct {
		const struct conf_list *where;
		uint64_t max_conns;
		net_accept *accept;
		void *arg;
	} all[] = {
		{ &c->smtp_listen, c->smtp_sessions_max, smtpd_accept, a->smtpd },
		{ &c->submission_listen, c->submission_sessions_max, smtpd_accept_msa,
		  a->smtpd },
		{ &c->smtps_listen, c->submission_sessions_max, smtpd_accept_msa_tls,
		  a->smtpd },
		{ &c->odmr_listen, c->submission_sessions_max, smtpd_accept_odmr,
		  a->smtpd },
		{ &c->pop3_listen, c->pop3_sessions_max, pop3d_accept, a->pop3d },
		{ &c->pop3s_listen, c->pop3_sessions_max, pop3d_accept_tls, a->pop3d },
		{ &c->imap_listen, c->imap_sessions_max, imapd_accept, a->imapd },
		{ &c->imaps_listen, c->imap_sessions_max, imapd_accept_tls, a->imapd },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(all) && r == 0; i++)
		r = listen_at(a, all[i].where, all[i].max_conns, all[i].accept,
			      all[i].arg, error);
	return r;
}

/* The certificate as its files have it now.  Connections under way keep the one they
 * began with.  0; or -errno and a sentence, and the old one stays. */
static int load_tls(struct appliance *a, char error[static TLS_ERROR_LEN])
{
	struct tls *fresh;
	int r;

	if (!a->conf->tls_cert)
		return 0;
	r = tls_server_new(a->conf->tls_cert, a->conf->tls_key, &fresh, error);
	if (r < 0)
		return r;
	smtpd_set_tls(a->smtpd, fresh);
	pop3d_set_tls(a->pop3d, fresh);
	imapd_set_tls(a->imapd, fresh);
	tls_put(a->tls);
	a->tls = fresh;
	return 0;
}

int appliance_open(struct appliance *a, const struct settings *conf,
		   char error[APPLIANCE_ERROR_LEN])
{
	int r;

	*a = (struct appliance){
		.conf = conf,
		.log = { .level = settings_log_level(conf),
			 .fd = STDERR_FILENO,
			 .program = "packetboatd" },
		.started_ns = clock_now_ns(),
	};
	if (getrandom(&a->seed, sizeof(a->seed), 0) != sizeof(a->seed))
		return fail(error, -EIO, "random numbers", NULL);
	r = open_net(a, error);
	if (r == 0)
		r = new_services(a, error);
	if (r == 0)
		r = load_tls(a, error);
	if (r == 0)
		r = listen_all(a, error);
	return r;
}

/* A full disk is one line in the log, not one for each mail that is refused. */
static void look_at_store(struct net_timer *t, uint64_t now_ns)
{
	static const char *const names[] = { "well", "full", "failing" };
	struct appliance *a = container_of(t, struct appliance, store_look);
	enum store_health health = store_health(a->store);

	if (health != a->store_health)
		log_line(&a->log, health == STORE_WELL ? LOG_INFO : LOG_ERROR,
			 "store health=%s room=%" PRIu64 " dir=%s", names[health],
			 store_room(a->store), a->conf->store_dir);
	a->store_health = health;
	net_timer_arm(a->net, t, now_ns + STORE_LOOK_MS * NS_PER_MS);
}

static int open_store(struct appliance *a, char *error)
{
	const struct store_conf conf = {
		.dir = a->conf->store_dir,
		.map_len = a->conf->store_size_max,
		.free_min = a->conf->store_free_min,
		.now_s = clock_wall_ns() / NS_PER_S,
	};
	char why[STORE_ERROR_LEN];
	int r = store_open(&conf, &a->store, why);

	if (r < 0)
		return fail(error, r, "store", why);
	net_timer_init(&a->store_look, look_at_store);
	net_timer_arm(a->net, &a->store_look, net_now_ns(a->net));
	return 0;
}

static bool has_route(const struct appliance *a, struct str domain)
{
	for (size_t i = 0; i < a->n_routes; i++)
		if (str_eq_nocase(a->routes[i].domain, domain))
			return true;
	return false;
}

/* Those of the configuration; and mail that is for somebody to take waits for him, whose
 * MX we may well be. */
static int set_routes(struct appliance *a, char *error)
{
	const struct settings *conf = a->conf;
	struct settings_give give;

	for (size_t i = 0; i < conf->routes.n; i++)
		if (!route_parse(conf->routes.at[i], &a->routes[a->n_routes++]))
			return fail(error, -EINVAL, "relay.route", conf->routes.at[i]);
	for (size_t i = 0; i < conf->give.n; i++)
		if (settings_give_parse(conf->give.at[i], &give) &&
		    !has_route(a, give.domain))
			a->routes[a->n_routes++] =
				(struct route){ .domain = give.domain };
	return 0;
}

/* What goes to other hosts: the queue over the store, and the relay that empties it. */
static int start_relay(struct appliance *a, char *error)
{
	const struct queue_conf queue = {
		.host = a->conf->hostname,
		.log = &a->log,
		.seed = a->seed + 1,
		.limits = a->conf->queue,
	};
	struct relay_conf relay = {
		.host = a->conf->hostname,
		.seed = a->seed + 2,
		.routes = a->routes,
		.limits = a->conf->relay,
		.client = a->conf->client,
	};
	int r;

	r = set_routes(a, error);
	if (r < 0)
		return r;
	relay.n_routes = a->n_routes;
	/* RFC 7435: rather than in clear, encrypted to whoever it is. */
	r = tls_client_new(TLS_TRUST_ANY, NULL, &a->client_tls, error);
	if (r < 0)
		return r;
	relay.tls = a->client_tls;
	r = dns_new(a->net, a->conf->dns_servers, a->seed + 3, &a->dns);
	if (r < 0)
		return fail(error, r, "name servers", NULL);
	r = queue_new(a->net, a->store, &queue, &glue_queue_ops, a, &a->queue);
	if (r == 0)
		r = relay_new(a->net, a->queue, a->dns, &relay, &a->relay);
	return r < 0 ? fail(error, r, "relay", NULL) : 0;
}

/* Logins by SASL; what they ask is answered by users and verifier. */
static int start_sasl(struct appliance *a, char *error)
{
	uint8_t seed[SASL_SEED_LEN];
	int r = seed_read(a->conf->store_dir, seed, sizeof(seed));

	if (r == 0)
		r = sasl_new(seed, &glue_sasl_ops, a, &a->sasl);
	explicit_bzero(seed, sizeof(seed));
	if (r < 0)
		return fail(error, r, "secret for logins", NULL);
	smtpd_set_sasl(a->smtpd, a->sasl);
	pop3d_set_sasl(a->pop3d, a->sasl);
	imapd_set_sasl(a->imapd, a->sasl);
	return 0;
}

int appliance_start(struct appliance *a, char error[APPLIANCE_ERROR_LEN])
{
	int r = open_store(a, error);

	if (r == 0)
		r = start_relay(a, error);
	if (r < 0)
		return r;
	r = filedb_new(a->net, &a->log, &kind_users, a->conf->users, &a->users, error);
	if (r == 0)
		r = filedb_new(a->net, &a->log, &kind_aliases, a->conf->aliases,
			       &a->aliases, error);
	if (r < 0)
		return r;
	r = verify_new(VERIFY_THREADS, a->seed, &a->verify);
	if (r < 0)
		return fail(error, r, "thread for passwords", NULL);
	r = start_sasl(a, error);
	if (r < 0)
		return r;
	r = worker_new((unsigned)a->conf->imap_search_threads, SEARCHES_MAX,
		       &a->searches);
	if (r < 0)
		return fail(error, r, "threads for searches", NULL);
	imapd_open(a->imapd, a->store, a->searches);
	r = local_door_open(a, error);
	if (r < 0)
		return r;
	r = ctl_new(a->net, a->conf->control, control_commands, control_n_commands, a,
		    &a->ctl);
	if (r == -EADDRINUSE)
		return fail(error, r, a->conf->control, "another packetboatd runs");
	return r < 0 ? fail(error, r, a->conf->control, NULL) : 0;
}

/* Ends the loop when everybody is gone, or had their time. */
static void look_stop(struct net_timer *t, uint64_t now_ns)
{
	struct appliance *a = container_of(t, struct appliance, stop_look);
	bool busy = smtpd_busy(a->smtpd) || pop3d_busy(a->pop3d) ||
		    imapd_busy(a->imapd) || queue_busy(a->queue);

	if (busy || (net_n_conns(a->net) > 0 && now_ns < a->stop_ns))
		net_timer_arm(a->net, t, now_ns + STOP_LOOK_MS * NS_PER_MS);
	else
		net_stop(a->net);
}

void appliance_stop(struct appliance *a)
{
	if (a->stop_ns)
		return;
	log_line(&a->log, LOG_INFO, "stop conns=%u", net_n_conns(a->net));
	a->stop_ns = net_now_ns(a->net) + APPLIANCE_STOP_S * NS_PER_S;
	verify_give_up(a->verify);
	smtpd_stop(a->smtpd);
	pop3d_stop(a->pop3d);
	imapd_stop(a->imapd);
	queue_stop(a->queue);
	relay_stop(a->relay);
	net_timer_init(&a->stop_look, look_stop);
	net_timer_arm(a->net, &a->stop_look, net_now_ns(a->net));
}

static void reload_tls(struct appliance *a)
{
	char why[TLS_ERROR_LEN];
	int r = load_tls(a, why);

	if (r < 0)
		log_line(&a->log, LOG_ERROR, "tls refused=yes cert=%s why=\"%s\"",
			 a->conf->tls_cert, why);
	else if (a->tls)
		log_line(&a->log, LOG_INFO, "tls loaded=yes cert=%s", a->conf->tls_cert);
}

static void hang_up(struct appliance *a)
{
	int r = a->conf->log_file && a->log.fd != STDERR_FILENO ? appliance_open_log(a) :
								  0;

	if (r < 0)
		log_line(&a->log, LOG_ERROR, "log file=%s why=\"%s\"", a->conf->log_file,
			 strerror(-r));
	filedb_reload(a->users);
	filedb_reload(a->aliases);
	reload_tls(a);
}

static void take_signal(void *arg, int fd)
{
	struct appliance *a = arg;
	int signo = daemon_signal(fd);

	if (signo == SIGHUP)
		hang_up(a);
	else if (signo != 0)
		appliance_stop(a);
}

/* RFC 5321 4.5.1: mail to postmaster must find somebody; we start without, and say so. */
static void look_for_postmaster(const struct appliance *a)
{
	const struct users *users = filedb_value(a->users);
	const char *name = a->conf->postmaster;
	char addr[sizeof("postmaster@") + USER_DOMAIN_MAX];

	snprintf(addr, sizeof(addr), "postmaster@%s", a->conf->hostname);
	if (users_by_addr(users, str_of(addr)) ||
	    (name && users_by_name(users, str_of(name))))
		return;
	log_line(&a->log, LOG_WARNING,
		 "postmaster refused=yes why=\"smtp.postmaster is %s%s\"",
		 name ? "no user: " : "not set", name ? name : "");
}

/* Those who are to take mail for a domain may become users later, too. */
static void look_for_customers(const struct appliance *a)
{
	const struct conf_list *all = &a->conf->give;
	struct settings_give give;

	for (size_t i = 0; i < all->n; i++)
		if (settings_give_parse(all->at[i], &give) &&
		    !users_by_name(filedb_value(a->users), give.user))
			log_line(&a->log, LOG_WARNING,
				 "odmr refused=yes domain=%.*s why=\"no user: %.*s\"",
				 (int)give.domain.len, give.domain.p, (int)give.user.len,
				 give.user.p);
}

static void look_for_named(void *arg)
{
	const struct appliance *a = arg;

	look_for_postmaster(a);
	look_for_customers(a);
}

/* The start is over, one way or the other. */
static void addr_told(void *arg, const char *rival)
{
	struct appliance *a = arg;
	const struct settings *conf = a->conf;

	if (rival) {
		snprintf(a->error, APPLIANCE_ERROR_LEN,
			 "stack.addr is '%s', which another station on %s has: %s",
			 conf->addr, conf->port, rival);
		a->result = -EADDRINUSE;
	} else {
		a->result = a->ready(a->ready_arg, a->error);
	}
	if (a->result < 0)
		net_stop(a->net);
}

static void watch_lease(struct appliance *a)
{
	a->lease_watch =
		(struct lease_watch){ .net = a->net,
				      .core = a->core,
				      .log = &a->log,
				      .dns = a->conf->dns_servers ? NULL : a->dns };
	lease_watch_start(&a->lease_watch);
}

int appliance_run(struct appliance *a, int signal_fd, char error[APPLIANCE_ERROR_LEN])
{
	int r = net_watch_fd(a->net, signal_fd, take_signal, a);

	if (r < 0)
		return fail(error, r, "signals", NULL);
	a->error = error;
	a->addr_watch = (struct addr_watch){ .net = a->net,
					     .core = a->core,
					     .log = &a->log,
					     .told = addr_told,
					     .arg = a };
	filedb_on_new(a->users, look_for_named, a);
	look_for_named(a);
	addr_watch_start(&a->addr_watch);
	if (a->core && a->conf->dhcp)
		watch_lease(a);
	net_run(a->net);
	net_unwatch_fd(a->net, signal_fd);
	return a->result;
}

static void close_relay(struct appliance *a)
{
	relay_free(a->relay);
	/* Items that sessions gave back are as they were; what is being committed comes
	 * back first. */
	while (a->queue && queue_busy(a->queue))
		net_turn(a->net);
	queue_free(a->queue);
	dns_free(a->dns);
}

void appliance_close(struct appliance *a)
{
	ctl_free(a->ctl);
	local_door_close(a);
	for (unsigned i = 0; i < a->n_listeners; i++)
		net_listener_close(a->listeners[i]);
	/* Before the services go, what they wait for must have come back. */
	verify_free(a->verify);
	worker_free(a->searches);
	if (a->smtpd)
		smtpd_free(a->smtpd);
	if (a->pop3d)
		pop3d_free(a->pop3d);
	imapd_free(a->imapd);
	sasl_free(a->sasl);
	close_relay(a);
	filedb_free(a->aliases);
	filedb_free(a->users);
	net_free(a->net); /* gives back the messages that were being sent */
	tls_put(a->client_tls);
	tls_put(a->tls);
	pop3d_locks_free(a->locks);
	if (a->store)
		store_close(a->store);
	if (a->stack)
		pb_stack_close(a->stack);
	if (a->log.fd > STDERR_FILENO)
		close(a->log.fd);
}
