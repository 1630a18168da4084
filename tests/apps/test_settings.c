#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/packetboatd/settings.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

static struct settings_conf s;
static char path[] = "/tmp/settings.XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(settings_init(&s), 0);
}

static void clean(void)
{
	settings_fini(&s);
	unlink(path);
}

Cases(settings, setup, clean);

static int load(const char *text)
{
	FILE *file = fopen(path, "w");
	int r;

	fputs(text, file);
	fclose(file);
	r = settings_load(&s, path);
	return r < 0 ? r : settings_check(&s);
}

Case(settings, empty_file_will_do)
{
	cr_assert_eq(load(""), 0, "%s", s.conf.error);
	cr_assert_str_eq(s.values.net, "stack");
	cr_assert_str_eq(s.values.smtp_listen.at[0], "*:25");
	cr_assert_str_eq(s.values.pop3_listen.at[0], "*:110");
	cr_assert_eq(s.values.smtp.message_max, 50 << 20);
	cr_assert_eq(s.values.smtp.per_client_max, 50);
	cr_assert_eq(s.values.pop3.idle_s, 600);
	cr_assert_gt(strlen(s.values.hostname), 0);
	cr_assert_eq(settings_log_level(&s.values), LOG_INFO);
}

static const char with_tls[] = "[tls]\ncert = /c\nkey = /k\n";

static bool listens(const struct conf_list *list, const char *where)
{
	return where ? list->n == 1 && strcmp(list->at[0], where) == 0 : list->n == 0;
}

Case(settings, without_a_certificate_there_is_no_tls_and_passwords_are_shown)
{
	cr_assert_eq(load(""), 0, "%s", s.conf.error);
	cr_assert(listens(&s.values.submission_listen, NULL));
	cr_assert(listens(&s.values.imaps_listen, NULL));
	cr_assert(settings_allow_plain(&s.values));
}

Case(settings, with_a_certificate_its_ports_are_listened_to)
{
	cr_assert_eq(load(with_tls), 0, "%s", s.conf.error);
	cr_assert(listens(&s.values.submission_listen, "*:587"));
	cr_assert(listens(&s.values.smtps_listen, "*:465"));
	cr_assert(listens(&s.values.pop3s_listen, "*:995"));
	cr_assert(listens(&s.values.imaps_listen, "*:993"));
	cr_assert(!settings_allow_plain(&s.values));
}

Case(settings, with_customers_their_port_is_listened_to)
{
	static const char customers[] =
		"[odmr]\ngive = b.example to bee, c.example to bee\n";
	struct settings_give give;
	struct users *users;
	char error[USERS_ERROR_LEN];

	cr_assert_eq(load(customers), 0, "%s", s.conf.error);
	cr_assert(listens(&s.values.odmr_listen, "*:366"));
	cr_assert(settings_give_parse(s.values.give.at[1], &give));
	cr_assert(str_eq(give.domain, STR("c.example")));
	cr_assert(str_eq(give.user, STR("bee")));
	cr_assert_eq(users_parse("users", STR("bee:!:bee@a.example\n"), &users, error),
		     0);
	cr_assert_eq(settings_check_users(&s, users), 0);
	users_free(users);
	cr_assert_eq(users_parse("users", STR("cee:!:cee@a.example\n"), &users, error),
		     0);
	cr_assert_eq(settings_check_users(&s, users), -EINVAL);
	cr_assert_not_null(strstr(s.conf.error, "DOMAIN to one who is a user"), "%s",
			   s.conf.error);
	users_free(users);
	cr_assert_eq(users_parse("users", STR("bee:!:bee@C.example\n"), &users, error),
		     0);
	cr_assert_eq(settings_check_users(&s, users), -EINVAL);
	cr_assert_not_null(strstr(s.conf.error,
				  "'c.example to bee'; allowed: a domain in "
				  "which no user has an address"),
			   "%s", s.conf.error);
	users_free(users);
	settings_fini(&s);
	cr_assert_eq(settings_init(&s), 0);
	cr_assert_eq(load("[odmr]\ngive = b.example to bee\nlisten = none\n"), 0);
	cr_assert(listens(&s.values.odmr_listen, NULL));
}

Case(settings, ports_of_tls_can_be_none_or_others)
{
	cr_assert_eq(load("auth_plain = always\n[tls]\ncert = /c\nkey = /k\n[pop3s]\n"
			  "listen = none\n[imaps]\nlisten = *:1993\n"),
		     0, "%s", s.conf.error);
	cr_assert(listens(&s.values.pop3s_listen, NULL));
	cr_assert(listens(&s.values.imaps_listen, "*:1993"));
	cr_assert(settings_allow_plain(&s.values));
}

Case(settings, submission_needs_no_certificate_where_passwords_are_not_shown)
{
	cr_assert_eq(load("auth_plain = tls\n[submission]\nlisten = *:587\n"), 0, "%s",
		     s.conf.error);
	cr_assert(listens(&s.values.submission_listen, "*:587"));
	cr_assert(!settings_allow_plain(&s.values));
}

Case(settings, a_bad_wire_goes_before_any_port)
{
	cr_assert_eq(load("[stack]\nport = fault:rate=56k,delay=150ms,loss=2%:tun:pb0\n"),
		     0, "%s", s.conf.error);
}

Case(settings, the_hosts_side_of_any_device_is_near)
{
	cr_assert_lt(
		load("[stack]\nport = fault:loss=2%:tun:pb0\nhost_addr = 10.0.0.1/24\n"),
		0);
	cr_assert_not_null(strstr(s.conf.error, "stack.host_addr"), "%s", s.conf.error);
}

static const struct {
	const char *text, *error; /* behind the file's name */
} wrong[] = {
	{ "net = dpdk\n", ":1: net is 'dpdk'; allowed: stack, kernel" },
	{ "hostname = mail_1\n", ":1: hostname is 'mail_1'; allowed: a host name" },
	{ "hostname = a..b\n", ":1: hostname is 'a..b'; allowed: a host name" },
	{ "users = users\n", ":1: users is 'users'; allowed: a path that begins with /" },
	{ "log_level = loud\n",
	  ":1: log_level is 'loud'; allowed: error, warning, info, debug" },
	{ "port = tap:pb0\n",
	  ":1: no option 'port'; allowed: net hostname user users control pid_file "
	  "log_file log_level auth_plain" },
	{ "[nntp]\n", ":1: no section 'nntp'; allowed: stack store tls local smtp "
		      "submission smtps pop3 pop3s imap imaps queue odmr relay dns" },
	{ "[odmr]\ngive = b.example bee\n",
	  ":2: odmr.give is 'b.example bee'; allowed: DOMAIN to USER" },
	{ "[odmr]\ngive = b..example to bee\n",
	  ":2: odmr.give is 'b..example to bee'; allowed: DOMAIN to USER" },
	{ "[odmr]\ngive = b.example to \n",
	  ":2: odmr.give is 'b.example to'; allowed: DOMAIN to USER" },
	{ "[imap]\nline_max = 512\n", ":2: imap.line_max is '512'; allowed: 8000 to 1M" },
	{ "[stack]\nport = eth0\n",
	  ":2: stack.port is 'eth0'; allowed: tap:NAME, tun:NAME, packet:NAME or "
	  "ring:NAME, "
	  "with NAME of 1 to 15 bytes, or fault:WHAT: before it" },
	{ "[stack]\nport = fault:loss=2%:eth0\n",
	  ":2: stack.port is 'fault:loss=2%:eth0'; allowed: tap:NAME, tun:NAME, "
	  "packet:NAME "
	  "or ring:NAME, with NAME of 1 to 15 bytes, or fault:WHAT: before it" },
	{ "[stack]\nport = fault:tap:eth0\n",
	  ":2: stack.port is 'fault:tap:eth0'; allowed: tap:NAME, tun:NAME, packet:NAME "
	  "or ring:NAME, with NAME of 1 to 15 bytes, or fault:WHAT: before it" },
	{ "[stack]\nport = tap:0123456789abcdef\n",
	  ":2: stack.port is 'tap:0123456789abcdef'; allowed: tap:NAME, "
	  "tun:NAME, packet:NAME or ring:NAME, with NAME of 1 to 15 bytes, or "
	  "fault:WHAT: "
	  "before it" },
	{ "[stack]\naddr = 192.0.2.2\n",
	  ":2: stack.addr is '192.0.2.2'; allowed: an IPv4 address of one station with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 192.0.2.2/33\n", ":2: stack.addr is '192.0.2.2/33'; allowed: "
					    "an IPv4 address of one station with "
					    "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 192.0.5.0/24\n", ":2: stack.addr is '192.0.5.0/24'; allowed: "
					    "an IPv4 address of one station with "
					    "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 192.0.5.255/24\n",
	  ":2: stack.addr is '192.0.5.255/24'; allowed: an IPv4 address of one station "
	  "with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 192.0.2.128/26\n",
	  ":2: stack.addr is '192.0.2.128/26'; allowed: an IPv4 address of one station "
	  "with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 127.0.0.1/8\n",
	  ":2: stack.addr is '127.0.0.1/8'; allowed: an IPv4 address of one station with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 224.0.0.1/4\n",
	  ":2: stack.addr is '224.0.0.1/4'; allowed: an IPv4 address of one station with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\naddr = 0.0.0.1/8\n",
	  ":2: stack.addr is '0.0.0.1/8'; allowed: an IPv4 address of one station with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\nhost_addr = 192.0.2.0/24\n",
	  ":2: stack.host_addr is '192.0.2.0/24'; allowed: an IPv4 address of one "
	  "station with "
	  "prefix length, as 192.0.2.2/24" },
	{ "[stack]\nmac = 01:00:00:00:00:01\n",
	  ":2: stack.mac is '01:00:00:00:00:01'; allowed: six octets, as "
	  "02:00:00:00:00:01, of one station" },
	{ "[stack]\nmtu = 68\n", ":2: stack.mtu is '68'; allowed: 0, or 576 to 9000" },
	{ "[stack]\nmtu = 9001\n", ":2: stack.mtu is '9001'; allowed: 0 to 9000" },
	{ "[stack]\ngateway = 198.51.100.1\n",
	  ":2: stack.gateway is '198.51.100.1'; allowed: an address in the subnet of "
	  "stack.addr" },
	{ "[stack]\naddr = 198.51.100.2/24\n",
	  ": stack.host_addr is '192.0.2.1/24'; allowed: an address in the subnet of "
	  "stack.addr" },
	{ "[stack]\nhost_addr = 192.0.2.2/24\n",
	  ":2: stack.host_addr is '192.0.2.2/24'; allowed: another address than "
	  "stack.addr" },
	{ "[stack]\nhost_addr = 192.0.2.2/25\n",
	  ":2: stack.host_addr is '192.0.2.2/25'; allowed: another address than "
	  "stack.addr" },
	{ "[stack]\naddr6 = 192.0.2.2/24\n",
	  ":2: stack.addr6 is '192.0.2.2/24'; allowed: an IPv6 address of one station "
	  "with "
	  "prefix length, as 2001:db8::2/64" },
	{ "[stack]\naddr6 = ff02::1/64\n",
	  ":2: stack.addr6 is 'ff02::1/64'; allowed: an IPv6 address of one station with "
	  "prefix length, as 2001:db8::2/64" },
	{ "[stack]\ngateway6 = 2001:db8::1\n",
	  ":2: stack.gateway6 is '2001:db8::1'; allowed: none, without stack.addr6" },
	{ "[stack]\nautoconf6 = yes\nmtu = 1200\n",
	  ":3: stack.mtu is '1200'; allowed: 0, or 1280 to 9000 with IPv6" },
	{ "[stack]\ngateway = 192.0.2.2\n",
	  ":2: stack.gateway is '192.0.2.2'; allowed: another address than stack.addr" },
	{ "[smtp]\nlisten = [::1]:25\n",
	  ":2: smtp.listen is '[::1]:25'; allowed: *:PORT, or stack.addr and :PORT" },
	{ "[pop3]\nlisten = *:110, 192.0.2.3:110\n",
	  ":2: pop3.listen is '192.0.2.3:110'; allowed: *:PORT, or stack.addr and "
	  ":PORT" },
	{ "[imap]\nlisten = 127.0.0.1:143\n",
	  ":2: imap.listen is '127.0.0.1:143'; allowed: *:PORT, or stack.addr and "
	  ":PORT" },
	{ "[stack]\ndhcp = yes\ngateway = 192.0.2.1\n",
	  ":3: stack.gateway is '192.0.2.1'; allowed: none, with stack.dhcp" },
	{ "[stack]\ndhcp = yes\nport = tun:pb0\n",
	  ":3: stack.port is 'tun:pb0'; allowed: one of Ethernet, with stack.dhcp" },
	{ "[stack]\ndhcp = yes\n[smtp]\nlisten = 192.0.2.2:25\n",
	  ":4: smtp.listen is '192.0.2.2:25'; allowed: *:PORT, with stack.dhcp" },
	{ "[stack]\nvlan = 4095\n", ":2: stack.vlan is '4095'; allowed: 0 to 4094" },
	{ "[stack]\nvlan = 10\nport = tun:pb0\n",
	  ":3: stack.port is 'tun:pb0'; allowed: one of Ethernet, with stack.vlan" },
	{ "[stack]\npersist = 1\n", ":2: stack.persist is '1'; allowed: yes, no" },
	{ "[store]\nfree_min = lots\n",
	  ":2: store.free_min is 'lots'; allowed: 0 to 16T" },
	{ "[smtp]\nlisten = 25\n",
	  ":2: smtp.listen is '25'; allowed: ADDRESS:PORT, [ADDRESS6]:PORT or *:PORT" },
	{ "[smtp]\nmessage_max = 1K\n",
	  ":2: smtp.message_max is '1K'; allowed: 64K to 1G" },
	{ "[smtp]\nrcpts_max = 99\n",
	  ":2: smtp.rcpts_max is '99'; allowed: 100 to 10000" },
	{ "[smtp]\nmemory_max = 1M\n",
	  ":2: smtp.memory_max is '1M'; allowed: smtp.message_max or more" },
	{ "[imap]\nclient_memory_max = 1M\n",
	  ":2: imap.client_memory_max is '1M'; allowed: imap.message_max or more" },
	{ "[smtp]\nclient_memory_max = 1M\n",
	  ":2: smtp.client_memory_max is '1M'; allowed: smtp.message_max or more" },
	{ "[smtp]\nheader_max = 1G\n",
	  ":2: smtp.header_max is '1G'; allowed: smtp.message_max or less" },
	{ "[store]\nsize_max = 2M\n",
	  ":2: store.size_max is '2M'; allowed: smtp.message_max or more" },
	{ "[pop3]\nline_max = 5000\n",
	  ":2: pop3.line_max is '5000'; allowed: 255 to 4K" },
	{ "[smtp]\nrelay_to = *\n",
	  ":2: smtp.relay_to is '*'; allowed: a domain, or .DOMAIN for all below it" },
	{ "[smtp]\nrelay_from = 192.0.2.0/33\n",
	  ":2: smtp.relay_from is '192.0.2.0/33'; allowed: an address, or a network with "
	  "its prefix length, as 192.0.2.0/24" },
	{ "[relay]\nroute = example.net 10.0.0.2\n",
	  ":2: relay.route is 'example.net 10.0.0.2'; allowed: DOMAIN via HOST[:PORT], "
	  "or DOMAIN waits; with DOMAIN a name, .NAME for all below it, or *" },
	{ "[dns]\nservers = 192.0.2.53, mail\n",
	  ":2: dns.servers is '192.0.2.53, mail'; allowed: addresses with commas "
	  "between, "
	  "each with :PORT or without" },
	{ "[queue]\nretry_most_s = 10\n",
	  ":2: queue.retry_most_s is '10'; allowed: queue.retry_first_s or more" },
	{ "[queue]\nwarn_s = 500000\n",
	  ":2: queue.warn_s is '500000'; allowed: less than queue.give_up_s" },
};

Case(settings, wrong_files_are_refused_with_place_and_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char expected[CONF_ERROR_LEN];

		settings_fini(&s);
		cr_assert_eq(settings_init(&s), 0);
		cr_assert_eq(load(wrong[i].text), -EINVAL, "case %zu", i);
		snprintf(expected, sizeof(expected), "%s%s", path, wrong[i].error);
		cr_assert_str_eq(s.conf.error, expected, "case %zu:\n%s\n%s", i,
				 s.conf.error, expected);
	}
}

Case(settings, stack_is_listened_on_at_its_own_address_or_any)
{
	cr_assert_eq(load("[smtp]\nlisten = 192.0.2.2:25, *:26, 0.0.0.0:27\n"), 0, "%s",
		     s.conf.error);
	cr_assert_eq(load("net = kernel\n[pop3]\nlisten = [::]:110, 127.0.0.1:110\n"), 0,
		     "%s", s.conf.error);
}

Case(settings, postmaster_is_a_user)
{
	static const char file[] = "alice:!:alice@b.example\n";
	char error[USERS_ERROR_LEN];
	struct users *users;

	cr_assert_eq(users_parse("users", str_of(file), &users, error), 0, "%s", error);
	cr_assert_eq(load(""), 0);
	cr_assert_eq(settings_check_users(&s, users), 0);
	cr_assert_eq(settings_set(&s, "smtp.postmaster", "alice", "-o"), 0);
	cr_assert_eq(settings_check_users(&s, users), 0);
	cr_assert_eq(settings_set(&s, "smtp.postmaster", "mallory", "-o"), 0);
	cr_assert_eq(settings_check_users(&s, users), -EINVAL);
	cr_assert(strstr(s.conf.error, "smtp.postmaster is 'mallory'; allowed: a user"));
	users_free(users);
}

Case(settings, kernel_network_does_not_mind_the_stack)
{
	cr_assert_eq(load("net = kernel\n[stack]\naddr = 198.51.100.2/24\n"), 0, "%s",
		     s.conf.error);
	cr_assert_eq(settings_set(&s, "net", "stack", "--net"), 0);
	cr_assert_eq(settings_check(&s), -EINVAL);
	cr_assert_eq(settings_set(&s, "stack.port", "packet:eth0", "--port"), 0);
	cr_assert_eq(settings_check(&s), 0, "no host's side then");
	cr_assert_eq(settings_set(&s, "stack.port", "ring:eth0", "--port"), 0);
	cr_assert_eq(settings_check(&s), 0);
}

Case(settings, log_levels_are_told_apart)
{
	cr_assert_eq(load("log_level = error\n"), 0);
	cr_assert_eq(settings_log_level(&s.values), LOG_ERROR);
	cr_assert_eq(settings_set(&s, "log_level", "debug", "-d"), 0);
	cr_assert_eq(settings_log_level(&s.values), LOG_DEBUG);
}

static const struct conf_opt *option_of(const char *section, const char *name)
{
	for (size_t i = 0; i < s.conf.n_opts; i++)
		if (strcmp(s.conf.opts[i].section, section) == 0 &&
		    strcmp(s.conf.opts[i].name, name) == 0)
			return &s.conf.opts[i];
	return NULL;
}

/* "#name = value" in the example says the initial value of an option. */
static void check_example(const char *section, char *line)
{
	char *name = line + 1, *value = strstr(line, " = ");
	const struct conf_opt *opt;
	char number[CONF_NUMBER_LEN];
	const char *initial;

	*value = '\0';
	value += 3;
	opt = option_of(section, name);
	cr_assert_not_null(opt, "%s.%s", section, name);
	initial = opt->kind == CONF_NUMBER ? conf_number_text(opt->initial_n, number) :
					     opt->initial;
	if (initial)
		cr_assert_str_eq(value, initial, "%s.%s", section, name);
	else
		cr_assert(opt->ok == NULL || opt->ok(value), "%s.%s", section, name);
}

Case(settings, example_file_has_every_option_with_its_initial_value)
{
	FILE *file = fopen(getenv("CONF_EXAMPLE"), "r");
	char line[256], section[32] = "";
	size_t n = 0;

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		sscanf(line, "[%31[^]]]", section);
		if (line[0] != '#' || line[1] == ' ' || !strstr(line, " = "))
			continue;
		check_example(section, line);
		n++;
	}
	fclose(file);
	cr_assert_eq(n, s.conf.n_opts);
	cr_assert_eq(settings_load(&s, getenv("CONF_EXAMPLE")), 0, "%s", s.conf.error);
}

Case(settings, local_sockets_are_beside_control_unless_it_is_said)
{
	cr_assert_eq(settings_set(&s, "control", "/x/y/control", "test"), 0);
	cr_assert_eq(settings_set(&s, "local.imap", "none", "test"), 0);
	cr_assert_eq(settings_check(&s), 0, "%s", s.conf.error);
	cr_assert_str_eq(s.values.local_smtp, "/x/y/smtp");
	cr_assert_null(s.values.local_imap);
	cr_assert_lt(settings_set(&s, "local.smtp", "smtp", "test"), 0);
}

Case(settings, manual_has_every_option_in_its_section)
{
	FILE *file = fopen(getenv("CONF_MANUAL"), "r");
	char line[256], name[64], section[32] = "";
	size_t n = 0;

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, ".Ss Section %31s", section);
		if (sscanf(line, ".It Cm %63s Pq", name) != 1)
			continue;
		cr_assert_not_null(option_of(section, name), "%s.%s", section, name);
		n++;
	}
	fclose(file);
	cr_assert_eq(n, s.conf.n_opts);
}
