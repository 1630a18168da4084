/* What a script must not let pass. */
#include <string.h>

#include "tests/lib/case.h"
#include "tests/lib/player.h"

#define ACCEPT                                          \
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
	"+0 bind(3, ..., ...) = 0\n"                    \
	"+0 listen(3, 1) = 0\n"                         \
	"+0...0.1 accept(3, ..., ...) = 4\n"            \
	"+0 < S 0:0(0) win 65535 <mss 1460>\n"          \
	"+0 > S. 0:0(0) ack 1 <mss 1460>\n"             \
	"+.1 < . 1:1(0) ack 1 win 65535\n"

static char error[SCRIPT_ERROR_LEN];

static bool play(const char *text)
{
	struct script *s = script_parse("test.pkt", text, error);
	bool well;

	if (!s)
		return false;
	well = player_play(s, SCRIPT_IP4, NULL, error);
	script_free(s);
	return well;
}

static void well(const char *text)
{
	cr_assert(play(text), "%s", error);
}

/* It fails, and the error has @words in it. */
static void fails(const char *text, const char *words)
{
	cr_assert(!play(text), "this went well:\n%s", text);
	cr_assert(strstr(error, words), "want \"%s\"\ngot  \"%s\"", words, error);
}

Test(player, plays_what_happens)
{
	well(ACCEPT "+.1 write(4, ..., 2000) = 2000\n"
		    "+0 > P. 1:2001(2000/1460) ack 1 // two segments\n"
		    "+.1 < . 1:1(0) ack 2001 win 65535\n"
		    "+0 close(4) = 0\n"
		    "+0 > F. 2001:2001(0) ack 1\n");
}

Test(player, a_line_may_go_on_in_the_next)
{
	well(ACCEPT "+0 write(4, ...,\n	10) = 10\n"
		    "+0 > P. 1:11(10) ack 1\n	<>\n");
}

Test(player, says_where_it_is)
{
	fails(ACCEPT "+0 > . 1:1(0) ack 1\n", "test.pkt:8 (IPv4)");
}

Test(player, a_segment_nobody_expects_fails)
{
	fails(ACCEPT "+0 write(4, ..., 10) = 10\n"
		     "+.1 < . 1:1(0) ack 11 win 65535\n",
	      "before this line:\n  got  0.100000 > P. 1:11(10) ack 1");
}

Test(player, a_segment_at_the_end_that_nobody_expects_fails)
{
	fails(ACCEPT "+0 write(4, ..., 10) = 10\n", "at the end");
}

Test(player, a_segment_that_does_not_come_fails)
{
	fails(ACCEPT "+0~+.2 > P. 1:11(10) ack 1\n", "nothing was sent until 0.301");
}

Test(player, another_segment_fails)
{
	const char *lines[] = {
		"+0 > P. 1:12(11) ack 1\n",
		"+0 > . 1:11(10) ack 1\n",
		"+0 > P. 2:12(10) ack 1\n",
		"+0 > P. 1:11(10) ack 2\n",
		"+0 > P. 1:11(10) ack 1 win 7\n",
		"+0 > P. 1:11(10) ack 1 <sackOK>\n",
		"+0 > [ce] P. 1:11(10) ack 1\n",
		"+0 > P. 1:11(10/5) ack 1\n",
		"+0 2> P. 1:11(10) ack 1\n",
		"+0 > [ttl 3] P. 1:11(10) ack 1\n",
		"+0 > udp (10)\n",
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "%s+0 write(4, ..., 10) = 10\n%s", ACCEPT,
			 lines[i]);
		fails(text, "another packet came:\n  want          > ");
	}
}

Test(player, options_are_compared_unless_told_otherwise)
{
	fails("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	      "+0 bind(3, ..., ...) = 0\n"
	      "+0 listen(3, 1) = 0\n"
	      "+0 < S 0:0(0) win 65535 <mss 1460>\n"
	      "+0 > S. 0:0(0) ack 1\n",
	      "<mss 1460>");
	well("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	     "+0 bind(3, ..., ...) = 0\n"
	     "+0 listen(3, 1) = 0\n"
	     "+0 < S 0:0(0) win 65535 <mss 1460>\n"
	     "+0 > S. 0:0(0) ack 1 <...>\n");
}

Test(player, a_segment_too_early_or_too_late_fails)
{
	fails(ACCEPT "+0 write(4, ..., 10) = 10\n"
		     "+.1 > P. 1:11(10) ack 1\n",
	      "too early");
	fails(ACCEPT "+0 < P. 1:11(10) ack 1 win 65535\n"
		     "+0 > . 1:1(0) ack 11\n"
		     "+0 write(4, ..., 10) = 10\n"
		     "+0 > P. 1:11(10) ack 11\n"
		     "+.1~+.15 > P. 1:11(10) ack 11\n",
	      "nothing was sent");
}

Test(player, a_call_that_returns_otherwise_fails)
{
	fails(ACCEPT "+0 setsockopt(4, SOL_SOCKET, SO_ERROR, [1], 4) = 0\n",
	      "the call failed with ENOPROTOOPT");
	fails(ACCEPT "+0 recv(4, ..., 10, MSG_DONTWAIT) = 10\n",
	      "the call failed with EAGAIN");
	fails(ACCEPT "+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n",
	      "the option is 0");
	fails(ACCEPT "+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EINVAL (Invalid)\n",
	      "the call failed with EAGAIN");
	fails(ACCEPT "+0 shutdown(4, SHUT_RD) = 1\n", "the call returned 0, not 1");
}

Test(player, a_call_that_waits_is_told_apart)
{
	fails(ACCEPT "+0 read(4, ..., 10) = 10\n", "the call would wait");
	fails(ACCEPT "+0...0.1 write(4, ..., 10) = 10\n", "the call does not wait");
	fails(ACCEPT "+0...0.1 read(4, ..., 10) = 10\n"
		     "+.05 < P. 1:11(10) ack 1 win 65535\n"
		     "+0 > . 1:1(0) ack 11\n"
		     "+1 ? state ESTABLISHED\n",
	      "the call was through at 0.15");
	fails(ACCEPT "+0...0.1 read(4, ..., 10) = 10\n"
		     "+.2 < P. 1:11(10) ack 1 win 65535\n",
	      "the call still waits");
	fails(ACCEPT "+0...0.1 read(4, ..., 10) = 10\n", "waits at the end");
}

Test(player, what_is_looked_at_must_be_so)
{
	well(ACCEPT "+0 ? cwnd 10, mss 1460, ca OPEN, rto_us > 100, backoff < 1, "
		    "unacked 0~3, tcp.established 1\n");
	fails(ACCEPT "+0 ? cwnd 11\n", "cwnd is 10, not 11");
	fails(ACCEPT "+0 ? cwnd > 10\n", "cwnd is 10, not > 10");
	fails(ACCEPT "+0 ? cwnd < 10\n", "cwnd is 10, not < 10");
	fails(ACCEPT "+0 ? cwnd 11~12\n", "cwnd is 10, not 11~12");
	fails(ACCEPT "+0 ? state CLOSED\n", "state is ESTABLISHED, not CLOSED");
	fails(ACCEPT "+0 ? tcp.established 2\n", "tcp.established is 1, not 2");
	fails(ACCEPT "+0 ? tcp.nosuch 2\n", "no counter");
	fails(ACCEPT "+0 ? nosuch 2\n", "nothing is called");
}

Test(player, what_makes_no_sense_is_told)
{
	fails("", "test:0: nothing happens");
	fails("x\n", "test:1: a line begins with its time");
	fails("0\n", "test:1: a blank follows");
	fails("--cc\n0 ? tcp.rto 0\n", "options are --NAME=VALUE");
	fails("--nosuch=1\n0 ? tcp.rto 0\n", "no such option");
	fails("--families=5\n0 ? tcp.rto 0\n", "families are");
	fails("0 ? tcp.rto 0\n--cc=reno\n", "options come before");
	fails("0~1 ? tcp.rto 0\n", "only what the stack sends");
	fails("0...1 < S 0:0(0)\n", "only calls wait");
	fails("1~0 > S 0:0(0)\n", "no later time");
	fails("0 dup(3) = 4\n", "no such call: dup");
	fails("0 close(3) = 0\n", "no such socket");
	fails("0 close\n", "a call is NAME(ARGUMENTS)");
	fails("0 close(3)\n", "what the call returns is missing");
	fails("0 < S 0:0\n", "not understood at");
	fails("0 < S 0:1(2)\n", "not understood at");
	fails("0 < [xx] S 0:0(0)\n", "nothing is called [xx]");
	fails("1 ? tcp.rto 0\n0 ? tcp.rto 0\n", "it is 1.000000 already");
}
