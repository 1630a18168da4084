#include "apps/packetboatd/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/net.h"
#include "apps/lib/places.h"
#include "apps/lib/str.h"
#include "apps/mail/wire/mailaddr.h"
#include "stack/base/addr.h"
#include "stack/base/byte.h"
#include "stack/base/check.h"

enum { IFNAME_MAX = 15 };

static bool is_one_of(const char *value, const char *const *words)
{
	while (*words && strcmp(*words, value) != 0)
		words++;
	return *words;
}

static bool is_net(const char *value)
{
	return is_one_of(value, (const char *const[]){ "stack", "kernel", NULL });
}

static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

static bool is_level(const char *value)
{
	return is_one_of(value, levels);
}

static bool is_cc(const char *value)
{
	return is_one_of(value, (const char *const[]){ "reno", "cubic", "bbr", NULL });
}

/* Letters, digits, '-' and '.', as in an EHLO argument (RFC 5321 4.1.2). */
static bool is_hostname(const char *value)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-.";
	size_t len = strlen(value);

	return len >= 1 && len <= 255 && strspn(value, ok) == len &&
	       !strchr("-.", value[0]) && !strchr("-.", value[len - 1]) &&
	       !strstr(value, "..");
}

static bool is_path(const char *value)
{
	return value[0] == '/';
}

/* Of a socket that is beside the control socket unless it is said. */
static bool is_path_or_none(const char *value)
{
	return is_path(value) || strcmp(value, "none") == 0;
}

static bool is_ifname(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= IFNAME_MAX && !strpbrk(name, "/: \t");
}

/* "tun" of "fault:rate=56k:tun:pb0"; @name is "pb0". */
static struct str port_kind(const char *port, struct str *name)
{
	struct str kind = str_cut(str_of(port), ':', name), what;

	if (!str_eq(kind, STR("fault")))
		return kind;
	what = str_cut(*name, ':', name);
	return what.len > 0 ? str_cut(*name, ':', name) : what;
}

static bool is_port(const char *value)
{
	struct str name, kind = port_kind(value, &name);

	return (str_eq(kind, STR("tap")) || str_eq(kind, STR("tun")) ||
		str_eq(kind, STR("packet")) || str_eq(kind, STR("ring"))) &&
	       is_ifname(name.p);
}

/* The port makes a device, whose other side is the host's. */
static bool has_host_side(const char *port)
{
	struct str name, kind = port_kind(port, &name);

	return str_eq(kind, STR("tap")) || str_eq(kind, STR("tun"));
}

static bool is_ip4(const char *value)
{
	struct addr addr;

	return addr_parse(value, &addr) && addr.family == ADDR_IP4;
}

/* What one station can have (RFC 1122 3.2.1.3): neither the network's address nor its
 * broadcast, no loopback, no group, and not of network 0. */
static bool is_ip4_prefix(const char *value)
{
	uint32_t host, ones;
	unsigned bits;
	struct addr a;

	if (!strchr(value, '/') || !addr_parse_prefix(value, &a, &bits) ||
	    a.family != ADDR_IP4 || bits < 1 || bits > 30)
		return false;
	ones = UINT32_MAX >> bits;
	host = be32(a.ip4.b) & ones;
	return host != 0 && host != ones && a.ip4.b[0] != 0 && a.ip4.b[0] != 127 &&
	       a.ip4.b[0] < 224;
}

static bool is_ip6(const char *value)
{
	struct addr addr;

	return addr_parse(value, &addr) && addr.family == ADDR_IP6;
}

/* What one station can have (RFC 4291 2.5): not "::", "::1", or a group's. */
static bool is_ip6_prefix(const char *value)
{
	unsigned bits;
	struct addr a;

	return strchr(value, '/') && addr_parse_prefix(value, &a, &bits) &&
	       a.family == ADDR_IP6 && bits > 0 && !ip6_is_zero(a.ip6) &&
	       !ip6_is_loopback(a.ip6) && !ip6_is_multicast(a.ip6) &&
	       !ip6_is_mapped(a.ip6);
}

static bool is_prefix(const char *value)
{
	struct addr addr;
	unsigned bits;

	return addr_parse_prefix(value, &addr, &bits);
}

static bool is_route(const char *value)
{
	struct route route;

	return route_parse(value, &route);
}

bool settings_give_parse(const char *text, struct settings_give *give)
{
	struct str rest, domain = str_cut(str_of(text), ' ', &rest);

	rest = str_trim(rest);
	if (!mailaddr_is_domain(domain) || !str_starts_nocase(rest, STR("to ")))
		return false;
	rest.p += 3;
	rest.len -= 3;
	*give = (struct settings_give){ .domain = domain, .user = str_trim(rest) };
	return users_is_name(give->user);
}

static bool is_give(const char *value)
{
	struct settings_give give;

	return settings_give_parse(value, &give);
}

/* "192.0.2.53, 192.0.2.54:5353" */
static bool is_servers(const char *value)
{
	struct str rest = str_of(value);

	do {
		struct str one = str_trim(str_cut(rest, ',', &rest));
		char text[NET_ADDR_TEXT_LEN];
		struct addr addr;

		if (one.len == 0 || one.len >= sizeof(text))
			return false;
		snprintf(text, sizeof(text), "%.*s", (int)one.len, one.p);
		if (!addr_parse(text, &addr) && !net_where_ok(text))
			return false;
	} while (rest.len > 0);
	return true;
}

static bool is_mac(const char *value)
{
	struct mac mac;

	return mac_parse(value, &mac) && !mac_is_multicast(mac);
}

static bool is_where(const char *value)
{
	return net_where_ok(value);
}

/* Of ports that are listened to as soon as there is a certificate. */
static bool is_where_or_none(const char *value)
{
	return is_where(value) || strcmp(value, "none") == 0;
}

static bool is_domain(const char *value)
{
	return mailaddr_is_domain(str_of(value));
}

/* "example.net", ".example.net" */
static bool is_domains(const char *value)
{
	return is_domain(value[0] == '.' ? value + 1 : value);
}

static bool is_vrfy(const char *value)
{
	return is_one_of(value, (const char *const[]){ "252", "yes", NULL });
}

static bool is_auth_plain(const char *value)
{
	return is_one_of(value, (const char *const[]){ "tls", "always", NULL });
}

#define AT(field) offsetof(struct settings, field)
#define TEXT(sec, opt, field, first, check, may, why)                                \
	{                                                                            \
		.section = sec, .name = opt, .kind = CONF_TEXT, .offset = AT(field), \
		.initial = first, .ok = check, .allowed = may, .text = why           \
	}
#define LIST(sec, opt, field, first, check, may, why)                                \
	{                                                                            \
		.section = sec, .name = opt, .kind = CONF_LIST, .offset = AT(field), \
		.initial = first, .ok = check, .allowed = may, .text = why           \
	}
#define NUMBER(sec, opt, field, first, low, high, why)                                 \
	{                                                                              \
		.section = sec, .name = opt, .kind = CONF_NUMBER, .offset = AT(field), \
		.initial_n = first, .least = low, .most = high, .text = why            \
	}
#define BOOL(sec, opt, field, first, why)                                            \
	{                                                                            \
		.section = sec, .name = opt, .kind = CONF_BOOL, .offset = AT(field), \
		.initial = first, .text = why                                        \
	}
#define A_PATH "a path that begins with /"
#define A_PATH_OR_NONE A_PATH ", or none"
#define A_WHERE "ADDRESS:PORT, [ADDRESS6]:PORT or *:PORT"
#define A_WHERE_OR_NONE A_WHERE ", or none"
#define A_NET "an address, or a network with its prefix length, as 192.0.2.0/24"
#define A_DOMAINS "a domain, or .DOMAIN for all below it"
#define A_ROUTE                                                                       \
	"DOMAIN via HOST[:PORT], or DOMAIN waits; with DOMAIN a name, .NAME for all " \
	"below it, or *"
#define A_SERVERS "addresses with commas between, each with :PORT or without"
#define A_PREFIX "an IPv4 address of one station with prefix length, as 192.0.2.2/24"
#define A_PREFIX6 "an IPv6 address of one station with prefix length, as 2001:db8::2/64"

/* clang-format off */
static const struct conf_opt options[] = {
	TEXT("", "net", net, "stack", is_net, "stack, kernel",
	     "the network to serve on: our own stack, or the kernel's sockets"),
	TEXT("", "hostname", hostname, NULL, is_hostname, "a host name",
	     "our name, in greetings and Received lines; of the system at first"),
	TEXT("", "user", user, "packetboat", NULL, NULL,
	     "whom to become when started as root, once ports are open"),
	TEXT("", "users", users, place_users, is_path, A_PATH,
	     "file of users, see packetboat(1)"),
	TEXT("", "control", control, place_control, is_path, A_PATH,
	     "socket for packetboat(1)"),
	TEXT("", "pid_file", pid_file, place_pid, is_path, A_PATH,
	     "written when everything runs, removed at the end"),
	TEXT("", "log_file", log_file, NULL, is_path, A_PATH,
	     "where lines go in the background; none at first; opened again at HUP"),
	TEXT("", "log_level", log_level, "info", is_level,
	     "error, warning, info, debug", "which lines are written"),

	TEXT("", "auth_plain", auth_plain, NULL, is_auth_plain, "tls, always",
	     "where passwords may be shown; in clear only as long as there is no tls.cert, at first"),

	TEXT("stack", "port", port, "tap:pb0", is_port,
	     "tap:NAME, tun:NAME, packet:NAME or ring:NAME, with NAME of 1 to 15 bytes, or "
	     "fault:WHAT: before it", "where frames come from"),
	TEXT("stack", "addr", addr, "192.0.2.2/24", is_ip4_prefix, A_PREFIX,
	     "the stack's address"),
	TEXT("stack", "gateway", gateway, NULL, is_ip4, "an IPv4 address",
	     "the way to everywhere else; none at first"),
	BOOL("stack", "dhcp", dhcp, "no",
	     "ask a DHCP server for address, gateway and name servers"),
	NUMBER("stack", "vlan", vlan, 0, 0, 4094, "802.1Q number on the port; 0: no tags"),
	TEXT("stack", "mac", mac, NULL, is_mac, "six octets, as 02:00:00:00:00:01, of one station",
	     "the stack's Ethernet address; made from the port's name at first"),
	TEXT("stack", "host_addr", host_addr, "192.0.2.1/24", is_ip4_prefix, A_PREFIX,
	     "given to the host's side of a tap: or tun: port"),
	NUMBER("stack", "mtu", mtu, 0, 0, 9000, "of the port; 0: as it is"),
	TEXT("stack", "addr6", addr6, NULL, is_ip6_prefix, A_PREFIX6,
	     "the stack's IPv6 address; none at first"),
	TEXT("stack", "gateway6", gateway6, NULL, is_ip6, "an IPv6 address",
	     "the way of IPv6 to everywhere else; none at first"),
	BOOL("stack", "autoconf6", autoconf6, "no",
	     "hear routers: IPv6 addresses and routes by SLAAC"),
	TEXT("stack", "host_addr6", host_addr6, NULL, is_ip6_prefix, A_PREFIX6,
	     "given to the host's side of a tap: or tun: port; none at first"),
	TEXT("stack", "iid_secret", iid_secret, NULL, NULL, NULL,
	     "of interface identifiers that we make (RFC 7217); a new one each start at first"),
	BOOL("stack", "persist", persist, "no", "keep a tap: or tun: device after us"),
	BOOL("stack", "offload", offload, "yes", "let the port sum and segment"),
	BOOL("stack", "probe_addr", probe_addr, "yes",
	     "look whether somebody has our address already (RFC 5227)"),
	TEXT("stack", "cc", cc, "reno", is_cc, "reno, cubic, bbr", "congestion control"),
	NUMBER("stack", "ecn", ecn, 2, 0, 5,
	       "congestion marks: 0 none, 1 asked for, 2 accepted (RFC 3168); 3, 4, 5 with AccECN"),
	NUMBER("stack", "max_conns", max_conns, 100000, 16, 4000000, "TCP connections"),
	NUMBER("stack", "buffers", buffers, 1 << 14, 1 << 10, 1 << 24, "packet buffers of 4K"),
	TEXT("stack", "pcap", pcap, NULL, is_path, A_PATH,
	     "write every frame to this pcapng file; none at first"),

	TEXT("store", "dir", store_dir, place_store, is_path, A_PATH, "where the mail is"),
	NUMBER("store", "size_max", store_size_max, UINT64_C(64) << 30, 1 << 20,
	       UINT64_C(1) << 44, "bytes of all mail"),
	NUMBER("store", "free_min", store_free_min, 256 << 20, 0, UINT64_C(1) << 44,
	       "new mail is refused with fewer bytes free on the disk"),

	TEXT("tls", "cert", tls_cert, NULL, is_path, A_PATH,
	     "certificate, with its chain behind it, in PEM; none at first"),
	TEXT("tls", "key", tls_key, NULL, is_path, A_PATH, "its key, in PEM"),

	TEXT("local", "smtp", local_smtp, NULL, is_path_or_none, A_PATH_OR_NONE,
	     "socket on which users of this host send mail; beside control at first"),
	TEXT("local", "imap", local_imap, NULL, is_path_or_none, A_PATH_OR_NONE,
	     "socket on which they read it; likewise"),

	LIST("smtp", "listen", smtp_listen, "*:25", is_where, A_WHERE, "where to serve SMTP"),
	NUMBER("smtp", "sessions_max", smtp_sessions_max, 10000, 1, 4000000,
	       "sessions at once, of each listener"),
	TEXT("smtp", "postmaster", postmaster, NULL, NULL, NULL,
	     "user who gets what is for \"postmaster\" where no user has that address"),
	TEXT("smtp", "aliases", aliases, place_aliases, is_path, A_PATH,
	     "file of aliases, see packetboat-aliases(5)"),
	TEXT("smtp", "vrfy", vrfy, "252", is_vrfy, "252, yes",
	     "whether VRFY tells who is here, or answers 252 always"),
	BOOL("smtp", "expn", expn, "no", "EXPN tells who is on a list"),
	LIST("smtp", "relay_from", relay_from, NULL, is_prefix, A_NET,
	     "clients that may send mail to other hosts"),
	LIST("smtp", "relay_to", relay_to, NULL, is_domains, A_DOMAINS,
	     "domains of other hosts to which mail is taken from anybody"),
	BOOL("smtp", "auth", smtp_auth, "no", "users can log in here, too"),
#define L(opt, first, low, high, why) NUMBER("smtp", #opt, smtp.opt, first, low, high, why),
	SMTPD_LIMITS(L)
#undef L

	LIST("submission", "listen", submission_listen, NULL, is_where_or_none, A_WHERE_OR_NONE,
	     "where users submit mail"),
	NUMBER("submission", "sessions_max", submission_sessions_max, 10000, 1, 4000000,
	       "sessions at once, of each listener, of smtps and odmr too"),
	LIST("smtps", "listen", smtps_listen, NULL, is_where_or_none, A_WHERE_OR_NONE,
	     "the same, with TLS from the first octet on"),

	LIST("pop3", "listen", pop3_listen, "*:110", is_where, A_WHERE, "where to serve POP3"),
	NUMBER("pop3", "sessions_max", pop3_sessions_max, 10000, 1, 4000000,
	       "sessions at once, of each listener"),
#define L(opt, first, low, high, why) NUMBER("pop3", #opt, pop3.opt, first, low, high, why),
	POP3D_LIMITS(L)
#undef L

	LIST("pop3s", "listen", pop3s_listen, NULL, is_where_or_none, A_WHERE_OR_NONE,
	     "where to serve POP3 with TLS from the first octet on"),

	LIST("imap", "listen", imap_listen, "*:143", is_where, A_WHERE, "where to serve IMAP"),
	NUMBER("imap", "sessions_max", imap_sessions_max, 10000, 1, 4000000,
	       "sessions at once, of each listener"),
	NUMBER("imap", "search_threads", imap_search_threads, 1, 1, 64,
	       "threads for searches that read messages"),
#define L(opt, first, low, high, why) NUMBER("imap", #opt, imap.opt, first, low, high, why),
	IMAPD_LIMITS(L)
#undef L

	LIST("imaps", "listen", imaps_listen, NULL, is_where_or_none, A_WHERE_OR_NONE,
	     "where to serve IMAP with TLS from the first octet on"),

	LIST("queue", "etrn", etrn, NULL, is_domain, "a domain",
	     "domains for whose mail anybody may call, by ETRN"),
#define L(opt, first, low, high, why) NUMBER("queue", #opt, queue.opt, first, low, high, why),
	QUEUE_LIMITS(L)
#undef L

	LIST("odmr", "listen", odmr_listen, NULL, is_where_or_none, A_WHERE_OR_NONE,
	     "where customers take their mail, by ATRN"),
	LIST("odmr", "give", give, NULL, is_give, "DOMAIN to USER",
	     "which domain's mail is for whom to take"),

	LIST("relay", "route", routes, NULL, is_route, A_ROUTE,
	     "where mail for a domain goes, whatever the name servers say"),
#define L(opt, first, low, high, why) NUMBER("relay", #opt, relay.opt, first, low, high, why),
	RELAY_LIMITS(L)
#undef L
#define L(opt, first, low, high, why) NUMBER("relay", #opt, client.opt, first, low, high, why),
	CLIENT_LIMITS(L)
#undef L

	TEXT("dns", "servers", dns_servers, NULL, is_servers, A_SERVERS,
	     "name servers; those of the system at first"),
};
/* clang-format on */

int settings_init(struct settings_conf *s)
{
	char name[256] = "localhost";

	if (conf_init(&s->conf, options, ARRAY_LEN(options), &s->values) < 0)
		return -ENOMEM;
	if (gethostname(name, sizeof(name) - 1) < 0 || !is_hostname(name))
		strcpy(name, "localhost");
	s->values.hostname = strdup(name);
	if (!s->values.hostname) {
		settings_fini(s);
		return -ENOMEM;
	}
	return 0;
}

void settings_fini(struct settings_conf *s)
{
	conf_fini(&s->conf);
}

int settings_load(struct settings_conf *s, const char *path)
{
	return conf_load(&s->conf, path, false);
}

int settings_set(struct settings_conf *s, const char *name, const char *value,
		 const char *where)
{
	return conf_set(&s->conf, name, value, where);
}

/* How @other, with or without a prefix length of its own, lies to the address @ours. */
enum near { NEAR_OUTSIDE, NEAR_INSIDE, NEAR_SAME };

static enum near near(const char *ours, const char *other)
{
	unsigned bits, other_bits;
	struct addr a, b;

	if (!addr_parse_prefix(ours, &a, &bits) ||
	    !addr_parse_prefix(other, &b, &other_bits) || !addr_same_prefix(&a, &b, bits))
		return NEAR_OUTSIDE;
	return addr_eq(&a, &b) ? NEAR_SAME : NEAR_INSIDE;
}

/* A neighbour of ours at @offset, NULL: none is set.  0 or -EINVAL. */
static int check_near(struct settings_conf *s, const char *other, size_t offset)
{
	if (!other)
		return 0;
	switch (near(s->values.addr, other)) {
	case NEAR_OUTSIDE:
		return conf_refuse(&s->conf, offset,
				   "an address in the subnet of stack.addr");
	case NEAR_SAME:
		return conf_refuse(&s->conf, offset, "another address than stack.addr");
	case NEAR_INSIDE: break;
	}
	return 0;
}

/* True for a place at which the stack can listen: any address, or one that it has; NULL:
 * there is none, or nobody knows it yet. */
static bool is_ours(const char *ours, const char *ours6, const char *where)
{
	char host[NET_ADDR_TEXT_LEN];
	const char *end = strrchr(where, ':');

	if (*where == '[') { /* RFC 3986 3.2.2: of IPv6 */
		where++;
		end--;
		ours = ours6;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(end - where), where);
	return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 ||
	       strcmp(host, "::") == 0 || (ours && near(ours, host) == NEAR_SAME);
}

static int check_listen(struct settings_conf *s, const struct conf_list *where,
			size_t offset)
{
	bool dhcp = s->values.dhcp;

	for (size_t i = 0; i < where->n; i++)
		if (!is_ours(dhcp ? NULL : s->values.addr, s->values.addr6, where->at[i]))
			return conf_refuse_value(
				&s->conf, offset, where->at[i],
				dhcp ? "*:PORT, with stack.dhcp" :
				       "*:PORT, or stack.addr and :PORT");
	return 0;
}

/* Lists of ports that nobody must set: where we listen then, with TLS, or with customers. */
static const struct {
	size_t offset;
	const char *first;
	bool needs_tls;
} more_ports[] = {
	{ AT(submission_listen), "*:587", false }, { AT(smtps_listen), "*:465", true },
	{ AT(pop3s_listen), "*:995", true },	   { AT(imaps_listen), "*:993", true },
	{ AT(odmr_listen), "*:366", false },
};

static struct conf_list *list_at(struct settings_conf *s, size_t offset)
{
	return (void *)((char *)&s->values + offset);
}

static bool has_use(const struct settings_conf *s, size_t i)
{
	return more_ports[i].offset == AT(odmr_listen) ? s->values.give.n > 0 :
							 s->values.tls_cert != NULL;
}

/* "none" becomes an empty list; a list that nobody set, what is usual, if it has a use. */
static int settle_port(struct settings_conf *s, size_t i)
{
	struct conf_list *list = list_at(s, more_ports[i].offset);

	if (list->n == 0 && has_use(s, i)) {
		list->at[0] = strdup(more_ports[i].first);
		list->n = list->at[0] != NULL;
		return list->n ? 0 : -ENOMEM;
	}
	for (size_t k = 0; k < list->n; k++)
		if (strcmp(list->at[k], "none") == 0 && list->n > 1)
			return conf_refuse_value(&s->conf, more_ports[i].offset, "none",
						 "none, or places");
	if (list->n == 1 && strcmp(list->at[0], "none") == 0) {
		free(list->at[0]);
		list->n = 0;
	}
	if (list->n > 0 && more_ports[i].needs_tls && !s->values.tls_cert)
		return conf_refuse_value(&s->conf, more_ports[i].offset, list->at[0],
					 "none, as long as there is no tls.cert");
	return 0;
}

static int check_tls(struct settings_conf *s)
{
	const struct settings *v = &s->values;
	int r = 0;

	if (v->tls_cert && !v->tls_key)
		return conf_refuse(&s->conf, AT(tls_cert), "one with its tls.key");
	if (v->tls_key && !v->tls_cert)
		return conf_refuse(&s->conf, AT(tls_key), "one with its tls.cert");
	for (size_t i = 0; i < ARRAY_LEN(more_ports) && r == 0; i++)
		r = settle_port(s, i);
	return r;
}

static int check_stack(struct settings_conf *s)
{
	const struct settings *v = &s->values;
	int r;

	if (v->mtu > 0 && v->mtu < 576)
		/* RFC 791 3.2: what every host must take whole. */
		return conf_refuse(&s->conf, AT(mtu), "0, or 576 to 9000");
	if (v->dhcp && v->gateway)
		return conf_refuse(&s->conf, AT(gateway), "none, with stack.dhcp");
	if (v->dhcp && strstr(v->port, "tun:"))
		return conf_refuse(&s->conf, AT(port),
				   "one of Ethernet, with stack.dhcp");
	if (v->vlan && strstr(v->port, "tun:"))
		return conf_refuse(&s->conf, AT(port),
				   "one of Ethernet, with stack.vlan");
	if (v->gateway6 && !v->addr6)
		return conf_refuse(&s->conf, AT(gateway6), "none, without stack.addr6");
	if ((v->addr6 || v->autoconf6) && v->mtu > 0 && v->mtu < 1280)
		/* RFC 8200 5 */
		return conf_refuse(&s->conf, AT(mtu), "0, or 1280 to 9000 with IPv6");
	r = v->dhcp ? 0 : check_near(s, v->gateway, AT(gateway));
	if (r == 0 && !v->dhcp && !v->vlan && has_host_side(v->port))
		r = check_near(s, v->host_addr, AT(host_addr));
	if (r == 0)
		r = check_listen(s, &v->smtp_listen, AT(smtp_listen));
	if (r == 0)
		r = check_listen(s, &v->pop3_listen, AT(pop3_listen));
	if (r == 0)
		r = check_listen(s, &v->imap_listen, AT(imap_listen));
	for (size_t i = 0; i < ARRAY_LEN(more_ports) && r == 0; i++)
		r = check_listen(s, list_at(s, more_ports[i].offset),
				 more_ports[i].offset);
	return r;
}

/* "none" becomes NULL; what nobody set, a path beside the control socket. */
static int settle_local(struct settings_conf *s, char **path, const char *name)
{
	const char *control = s->values.control;
	int dir_len = (int)(strrchr(control, '/') - control);

	if (*path && strcmp(*path, "none") == 0) {
		free(*path);
		*path = NULL;
	} else if (!*path && asprintf(path, "%.*s/%s", dir_len, control, name) < 0) {
		*path = NULL;
		return -ENOMEM;
	}
	return 0;
}

int settings_check(struct settings_conf *s)
{
	const struct settings *v = &s->values;
	int r = check_tls(s);

	if (r == 0)
		r = settle_local(s, &s->values.local_smtp, "smtp");
	if (r == 0)
		r = settle_local(s, &s->values.local_imap, "imap");
	if (r == 0 && strcmp(v->net, "stack") == 0)
		r = check_stack(s);
	if (r < 0)
		return r;
	if (v->smtp.memory_max < v->smtp.message_max)
		return conf_refuse(&s->conf, AT(smtp.memory_max),
				   "smtp.message_max or more");
	if (v->smtp.client_memory_max < v->smtp.message_max)
		return conf_refuse(&s->conf, AT(smtp.client_memory_max),
				   "smtp.message_max or more");
	if (v->imap.client_memory_max < v->imap.message_max)
		return conf_refuse(&s->conf, AT(imap.client_memory_max),
				   "imap.message_max or more");
	if (v->smtp.header_max > v->smtp.message_max)
		return conf_refuse(&s->conf, AT(smtp.header_max),
				   "smtp.message_max or less");
	if (v->imap.memory_max < v->imap.message_max)
		return conf_refuse(&s->conf, AT(imap.memory_max),
				   "imap.message_max or more");
	if (v->queue.retry_most_s < v->queue.retry_first_s)
		return conf_refuse(&s->conf, AT(queue.retry_most_s),
				   "queue.retry_first_s or more");
	if (v->queue.warn_s >= v->queue.give_up_s)
		return conf_refuse(&s->conf, AT(queue.warn_s),
				   "less than queue.give_up_s");
	if (v->store_size_max < v->smtp.message_max)
		return conf_refuse(&s->conf, AT(store_size_max),
				   "smtp.message_max or more");
	return 0;
}

int settings_check_users(struct settings_conf *s, const struct users *users)
{
	const char *name = s->values.postmaster;

	if (name && !users_by_name(users, str_of(name)))
		return conf_refuse(&s->conf, AT(postmaster), "a user");
	for (size_t i = 0; i < s->values.give.n; i++) {
		struct settings_give give;

		if (!settings_give_parse(s->values.give.at[i], &give))
			continue;
		if (!users_by_name(users, give.user))
			return conf_refuse_value(&s->conf, AT(give), s->values.give.at[i],
						 "DOMAIN to one who is a user");
		if (users_has_domain(users, give.domain))
			return conf_refuse_value(
				&s->conf, AT(give), s->values.give.at[i],
				"a domain in which no user has an address");
	}
	return 0;
}

bool settings_allow_plain(const struct settings *values)
{
	return values->auth_plain ? strcmp(values->auth_plain, "always") == 0 :
				    !values->tls_cert;
}

enum log_level settings_log_level(const struct settings *values)
{
	int level = LOG_ERROR;

	while (level < LOG_DEBUG && strcmp(levels[level], values->log_level) != 0)
		level++;
	return (enum log_level)level;
}
