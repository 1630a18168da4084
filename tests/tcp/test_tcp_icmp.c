#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static struct tcp_conn_info info(void)
{
	struct tcp_conn_info i;

	tcp_conn_info(d.tcp, d.c, &i);
	return i;
}

/* ---- path MTU: RFC 1191, checked as RFC 5927 says ---- */

Dialog(tcp_icmp, cuts_smaller_when_the_path_is_narrower)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 2920);
	expect(&d, ". 1:1461(1460) ack 1");
	expect(&d, "P. 1461:2921(1460) ack 1");
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 1000, 1);
	cr_assert_eq(d.ip.mtu, 1000);
	cr_assert_eq(info().mss, 960);
	/* All of it again, at once, and cwnd stays: it was no congestion. */
	expect(&d, ". 1:961(960) ack 1");
	expect(&d, ". 961:1921(960) ack 1");
	expect(&d, ". 1921:2881(960) ack 1");
	expect(&d, "P. 2881:2921(40) ack 1");
	nothing(&d);
	cr_assert_eq(info().cwnd, 14600);
	inject(&d, ". 1:1(0) ack 2921");
	nothing(&d);
}

Dialog(tcp_icmp, cuts_smaller_when_another_connection_learned_it_first)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 2920);
	dialog_drop(&d);
	d.ip.mtu = 1000;
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 1000, 1);
	cr_assert_eq(info().mss, 960);
	expect(&d, ". 1:961(960) ack 1");
	dialog_drop(&d);
}

Dialog(tcp_icmp, super_frames_are_cut_for_the_path_of_now)
{
	d.ip.gso = true;
	dialog_accept(&d, "mss 1460", 65535);
	d.ip.mtu = 1000;
	dialog_write(&d, 5840);
	cr_assert_eq(info().mss, 960);
	dialog_turn(&d);
	expect(&d, "P. 1:5841(5840) ack 1");
	cr_assert_eq(d.last->gso_len, 960);
}

Dialog(tcp_icmp, believes_only_what_quotes_a_number_in_flight)
{
	/* RFC 5927 4.1 */
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 600, 1001);
	cr_assert_eq(d.verdict, V_ICMP_NO_FLOW);
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 600, 0);
	cr_assert_eq(d.verdict, V_ICMP_NO_FLOW);
	inject(&d, ". 1:1(0) ack 1001");
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 600, 1);
	cr_assert_eq(d.verdict, V_ICMP_NO_FLOW);
	cr_assert_eq(info().mss, 1460);
	nothing(&d);
}

Dialog(tcp_icmp, a_path_does_not_become_wider_by_icmp)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1000);
	dialog_drop(&d);
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 9000, 1);
	cr_assert_eq(info().mss, 1460);
	nothing(&d);
}

Dialog(tcp_icmp, fragments_rather_than_sending_tiny_segments)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1000);
	dialog_drop(&d);
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 68, 1);
	if (d.ip.ours.family == ADDR_IP6) {
		/* Nobody is told of such a path of IPv6: its least MTU is larger. */
		cr_assert_eq(info().mss, IP_PMTU_MIN - 60);
		return;
	}
	cr_assert_eq(info().mss, IP_PMTU_MIN - 40);
	expect(&d, ". 1:513(512) ack 1");
	cr_assert_eq(d.last->cb[0], 0, "DF is off");
	expect(&d, "P. 513:1001(488) ack 1");
}

Dialog(tcp_icmp, learns_from_ip_that_the_path_is_narrower)
{
	/* Another connection to the same host was told. */
	dialog_accept(&d, "mss 1460", 65535);
	d.ip.mtu = 1000;
	dialog_write(&d, 1460);
	nothing(&d);
	dialog_turn(&d);
	expect(&d, ". 1:961(960) ack 1");
	expect(&d, "P. 961:1461(500) ack 1");
}

Dialog(tcp_icmp, learns_it_while_it_sends_again)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1460);
	dialog_drop(&d);
	d.ip.mtu = 1000;
	after(&d, 200, ". 1:961(960) ack 1");
	inject(&d, ". 1:1(0) ack 961");
	expect(&d, "P. 961:1461(500) ack 1");
}

/* ---- unreachable ---- */

Dialog(tcp_icmp, a_hard_error_ends_an_attempt_to_connect)
{
	dialog_connect_begin(&d);
	dialog_icmp(&d, IP_ERROR_PORT_UNREACHABLE, 0, 0);
	cr_assert_eq(tcp_error(d.c), ECONNREFUSED);
}

Dialog(tcp_icmp, a_soft_error_ends_it_when_it_comes_again)
{
	/* RFC 5461 4 */
	dialog_connect_begin(&d);
	dialog_icmp(&d, IP_ERROR_HOST_UNREACHABLE, 0, 0);
	cr_assert_eq(tcp_error(d.c), 0);
	after(&d, 1000, "S 0:0(0)");
	dialog_icmp(&d, IP_ERROR_HOST_UNREACHABLE, 0, 0);
	cr_assert_eq(tcp_error(d.c), EHOSTUNREACH);
	nothing(&d);
}

Dialog(tcp_icmp, no_error_ends_an_established_connection)
{
	static const enum ip_error errors[] = {
		IP_ERROR_NET_UNREACHABLE,   IP_ERROR_HOST_UNREACHABLE,
		IP_ERROR_PROTO_UNREACHABLE, IP_ERROR_PORT_UNREACHABLE,
		IP_ERROR_PROHIBITED,	    IP_ERROR_TIME_EXCEEDED,
		IP_ERROR_PARAMETER,
	};

	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 100);
	dialog_drop(&d);
	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		dialog_icmp(&d, errors[i], 0, 1);
		cr_assert_eq(d.verdict, V_DONE);
		cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	}
	nothing(&d);
}

Dialog(tcp_icmp, an_error_is_the_reason_of_a_timeout)
{
	dialog_accept(&d, "mss 1460", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_USER_TIMEOUT_MS, 1000);
	dialog_write(&d, 100);
	dialog_icmp(&d, IP_ERROR_NET_UNREACHABLE, 0, 1);
	tick(&d, 1100);
	cr_assert_eq(tcp_error(d.c), ENETUNREACH);
	dialog_drop(&d);
}

Dialog(tcp_icmp, an_error_ends_a_half_open_connection)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 1000, 0);
	dialog_icmp(&d, IP_ERROR_HOST_UNREACHABLE, 0, 1);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 1);
	/* RFC 5461 4.1 */
	dialog_icmp(&d, IP_ERROR_HOST_UNREACHABLE, 0, 0);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
}

Dialog(tcp_icmp, what_ip_refuses_is_as_if_it_was_lost)
{
	dialog_accept(&d, "mss 1460", 65535);
	d.ip.error = -EHOSTUNREACH;
	dialog_write(&d, 100);
	nothing(&d);
	d.ip.error = 0;
	after(&d, 200, "P. 1:101(100) ack 1");
}
