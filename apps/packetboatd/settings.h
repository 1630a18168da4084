/*
 * The configuration of packetboatd: packetboatd.conf(5) as a struct.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/conf.h"
#include "apps/mail/auth/users.h"
#include "apps/mail/imapd/imapd.h"
#include "apps/mail/pop3d/pop3d.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/relay/relay.h"
#include "apps/mail/smtpd/smtpd.h"
#include "stack/base/log.h"

struct settings {
	char *net; /* "stack" or "kernel" */
	char *hostname;
	char *user; /* whom to become when started as root */
	char *users, *control, *pid_file;
	char *log_level, *log_file;
	char *auth_plain; /* "tls" or "always"; NULL: see settings_allow_plain() */

	/* [tls]: both or none */
	char *tls_cert, *tls_key;

	/* [local]; NULL: none */
	char *local_smtp, *local_imap;

	/* [stack] */
	char *port, *addr, *gateway, *mac, *host_addr, *cc, *pcap;
	char *addr6, *gateway6, *host_addr6, *iid_secret; /* NULL: none */
	uint64_t vlan, mtu, ecn, max_conns, buffers;
	bool persist, offload, probe_addr, dhcp, autoconf6;

	/* [store] */
	char *store_dir;
	uint64_t store_size_max, store_free_min;

	/* [smtp], [pop3], [imap] */
	struct conf_list smtp_listen, pop3_listen, imap_listen;
	/* [submission], [smtps], [pop3s], [imaps]; the last three only with TLS */
	struct conf_list submission_listen, smtps_listen, pop3s_listen, imaps_listen;
	uint64_t submission_sessions_max;
	uint64_t smtp_sessions_max, pop3_sessions_max, imap_sessions_max;
	uint64_t imap_search_threads;
	char *postmaster, *aliases, *vrfy;
	bool expn;
	bool smtp_auth;
	struct conf_list relay_from, relay_to;
	struct smtpd_limits smtp;
	struct pop3d_limits pop3;
	struct imapd_limits imap;

	/* [queue], [odmr], [relay], [dns] */
	struct queue_limits queue;
	struct conf_list etrn;
	struct conf_list odmr_listen, give;
	struct conf_list routes;
	struct relay_limits relay;
	struct client_limits client;
	char *dns_servers;
};

struct settings_conf {
	struct conf conf;
	struct settings values;
};

/* All as if the file were empty.  0 or -ENOMEM. */
int settings_init(struct settings_conf *s);
void settings_fini(struct settings_conf *s);
/* 0; or -errno and s->conf.error. */
int settings_load(struct settings_conf *s, const char *path);
/* --net, --port and their like. */
int settings_set(struct settings_conf *s, const char *name, const char *value,
		 const char *where);
/* What must fit together.  After all is set; 0, or -EINVAL and s->conf.error. */
int settings_check(struct settings_conf *s);

/* What must fit the users there are; a start goes on without.  0, or -EINVAL and
 * s->conf.error. */
int settings_check_users(struct settings_conf *s, const struct users *users);

/* One of settings.give: mail for @domain is for @user to take.  False: it is none. */
struct settings_give {
	struct str domain, user;
};
bool settings_give_parse(const char *text, struct settings_give *give);

/* May passwords be shown in clear?  As long as nobody has set up TLS. */
bool settings_allow_plain(const struct settings *values);
enum log_level settings_log_level(const struct settings *values);
