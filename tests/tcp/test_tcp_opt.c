#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static const struct {
	enum tcp_opt opt;
	int good, bad;
} table[] = {
	{ TCP_OPT_NODELAY, 1, 0 },
	{ TCP_OPT_CORK, 1, 0 },
	{ TCP_OPT_KEEPALIVE, 1, 0 },
	{ TCP_OPT_KEEP_IDLE_MS, 5000, 0 },
	{ TCP_OPT_KEEP_INTVL_MS, 5000, 0 },
	{ TCP_OPT_KEEP_PROBES, 5, 128 },
	{ TCP_OPT_USER_TIMEOUT_MS, 5000, -1 },
	{ TCP_OPT_RCVBUF, 50000, 0 },
	{ TCP_OPT_SNDBUF, 50000, -5 },
	{ TCP_OPT_MAXSEG, 600, 10 },
	{ TCP_OPT_LINGER_MS, 5000, 0 },
	{ TCP_OPT_OOBINLINE, 1, 0 },
	{ TCP_OPT_TOS, 0x28, 256 },
	{ TCP_OPT_TTL, 5, 0 },
};

Dialog(tcp_opt, says_what_was_set)
{
	dialog_accept(&d, "mss 1000", 65535);
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
		cr_assert_eq(tcp_set(d.tcp, d.c, table[i].opt, table[i].good), 0);
		cr_assert_eq(tcp_get(d.c, table[i].opt), table[i].good, "option %u", i);
		if (!table[i].bad)
			continue;
		cr_assert_eq(tcp_set(d.tcp, d.c, table[i].opt, table[i].bad), -EINVAL);
		cr_assert_eq(tcp_get(d.c, table[i].opt), table[i].good);
	}
	cr_assert_eq(tcp_set(d.tcp, d.c, (enum tcp_opt)99, 1), -EINVAL);
	cr_assert_eq(tcp_get(d.c, (enum tcp_opt)99), -EINVAL);
	dialog_turn(&d);
}

Dialog(tcp_opt, tos_and_ttl_are_in_every_packet)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_TOS, 0x28);
	tcp_set(d.tcp, d.c, TCP_OPT_TTL, 3);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(d.last->tos, 0x28);
	cr_assert_eq(d.last->ttl, 3);
	tcp_abort(d.tcp, d.c, d.now_ns);
	expect(&d, "R. 11:11(0) ack 1");
	cr_assert_eq(d.last->ttl, 3);
}

Dialog(tcp_opt, maxseg_bounds_what_is_sent)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_MAXSEG, 600);
	dialog_write(&d, 1200);
	expect(&d, ". 1:601(600) ack 1");
	expect(&d, "P. 601:1201(600) ack 1");
}

Dialog(tcp_opt, buffers_have_a_least_size)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 1);
	cr_assert_eq(tcp_get(d.c, TCP_OPT_SNDBUF), 4096);
}

Dialog(tcp_opt, a_larger_send_buffer_is_told)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 5000);
	dialog_write(&d, 5000);
	while (tcp_ready_pop(d.tcp))
		;
	cr_assert(!(tcp_conn_news(d.c) & TCP_WRITABLE));
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 20000);
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
	dialog_turn(&d);
	dialog_drop(&d);
}

Dialog(tcp_opt, congestion_control_has_a_name)
{
	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(tcp_set_cc(d.tcp, d.c, "reno"), 0);
	cr_assert_eq(tcp_set_cc(d.tcp, d.c, "magic"), -ENOENT);
}

Test(tcp_opt, a_senseless_configuration_is_refused)
{
	struct tcp_conf conf;
	struct tcp *tcp;

	tcp_conf_default(&conf);
	conf.cc = "magic";
	cr_assert_eq(tcp_new(&tcp, &conf, NULL, NULL, NULL, NULL, NULL, NULL, 0),
		     -EINVAL);
	tcp_conf_default(&conf);
	conf.max_conns = 0;
	cr_assert_eq(tcp_new(&tcp, &conf, NULL, NULL, NULL, NULL, NULL, NULL, 0),
		     -EINVAL);
	tcp_conf_default(&conf);
	conf.synack_tries = 100;
	cr_assert_eq(tcp_new(&tcp, &conf, NULL, NULL, NULL, NULL, NULL, NULL, 0),
		     -EINVAL);
}

Test(tcp_opt, every_state_has_a_name)
{
	for (int s = 0; s < TCP_N_STATES; s++)
		cr_assert_neq(tcp_state_name((enum tcp_state)s)[0], '?');
	cr_assert_str_eq(tcp_state_name(TCP_N_STATES), "?");
}
