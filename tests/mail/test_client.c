#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/io.h"
#include "apps/lib/tls.h"
#include "apps/mail/relay/client.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/mem_tls.h"
#include "tests/lib/net_mem.h"

/*
 * A client on a net in memory; the test is the server.  What the client tells its owner is
 * written down: "ready ", "0:550 ", "done ", "closed:421 ".
 */
static struct net *net;
static struct mem_peer *server;
static struct mem_tls *server_tls; /* NULL: the server speaks in clear */
static struct tls *tls;
static struct client *client;
static struct client_conf conf;
static char told[4096];
static bool quits; /* when it is ready again */

static void add_told(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add_told(const char *format, ...)
{
	size_t len = strlen(told);
	va_list args;

	va_start(args, format);
	vsnprintf(told + len, sizeof(told) - len, format, args);
	va_end(args);
}

static void ready(void *arg)
{
	(void)arg;
	add_told("ready ");
	if (quits) {
		client_quit(client);
		client = NULL;
	}
}

static void rcpt(void *arg, size_t i, const struct client_said *said)
{
	static const char *const results[] = { "ok", "later", "no" };

	(void)arg;
	add_told("%zu:%s:%u.%u.%u:%s ", i, results[said->result], said->enhanced.class,
		 said->enhanced.subject, said->enhanced.detail, said->text);
}

static void done(void *arg)
{
	(void)arg;
	add_told("done ");
}

static void closed(void *arg, bool greeted, const struct client_said *said)
{
	(void)arg;
	client = NULL;
	add_told("closed:%d:%u:%u.%u.%u:%s ", greeted, said->code, said->enhanced.class,
		 said->enhanced.subject, said->enhanced.detail, said->text);
}

static struct client_ops begin_ops = { ready, rcpt, done, closed };

static void begin(void)
{
	struct io *io;

	cr_assert_eq(net_connect(net, "192.0.2.7:25", &io), 0);
	client = client_new(io, &conf, &begin_ops, NULL);
	cr_assert(client);
}

static void setup(void)
{
	cr_assert_eq(net_mem_new(&net), 0);
	conf = (struct client_conf){
		.host = "mx.a.example",
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			CLIENT_LIMITS(L)
#undef L
		},
	};
	begin();
}

static void clean(void)
{
	mem_tls_free(server_tls);
	server_tls = NULL;
	if (client)
		client_abort(client);
	if (server)
		mem_free(server);
	server = NULL;
	mem_settle(net);
	mem_advance(net, 120 * NS_PER_S);
	cr_assert_eq(mem_n_open(net), 0);
	net_free(net);
	tls_put(tls);
	tls = NULL;
}

Cases(client, setup, clean);

static void settle(void)
{
	mem_settle(net);
	if (server_tls)
		mem_tls_settle(server_tls);
}

static void hears(const char *text)
{
	struct str heard;

	settle();
	heard = server_tls ? mem_tls_heard(server_tls) : mem_heard(server);
	cr_assert(str_eq(heard, str_of(text)), "heard \"%.*s\", wanted \"%s\"",
		  (int)heard.len, heard.p, text);
	if (server_tls)
		mem_tls_take(server_tls, heard.len);
	else
		mem_take(server, heard.len);
}

static void says(const char *text)
{
	if (server_tls)
		mem_tls_send(server_tls, text, strlen(text));
	else
		mem_say(server, text);
	settle();
}

static void is_told(const char *text)
{
	mem_settle(net);
	cr_assert_str_eq(told, text);
	told[0] = '\0';
}

static void greet(const char *greeting, const char *ehlo)
{
	server = mem_accept(net);
	says(greeting);
	hears("EHLO mx.a.example\r\n");
	says(ehlo);
}

static void become_ready(const char *ehlo)
{
	greet("220 mx.b.example\r\n", ehlo);
	is_told("ready ");
}

#define ALL                                                                  \
	"250-mx.b.example greets you\r\n250-PIPELINING\r\n250-SIZE 1000\r\n" \
	"250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"

static const struct str rcpts[] = { { "one@b.example", 13 }, { "two@b.example", 13 } };
static struct client_message message = {
	.from = { "a@a.example", 11 },
	.rcpts = rcpts,
	.n_rcpts = 2,
	.text = { "Subject: x\r\n\r\n.dot\r\n", 20 },
};

static void send_one(void)
{
	client_send(client, &message);
}

Case(client, sends_a_message_in_one_piece_when_it_may)
{
	become_ready(ALL);
	cr_assert_eq(client_caps(client),
		     CLIENT_PIPELINING | CLIENT_SIZE | CLIENT_8BITMIME | CLIENT_ENHANCED);
	send_one();
	hears("MAIL FROM:<a@a.example> SIZE=20\r\nRCPT TO:<one@b.example>\r\n"
	      "RCPT TO:<two@b.example>\r\nDATA\r\n");
	says("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 No such\r\n354 Go\r\n");
	is_told("1:no:5.1.1:No such ");
	hears("Subject: x\r\n\r\n..dot\r\n.\r\n");
	says("250 2.0.0 Stored\r\n");
	is_told("0:ok:2.0.0:Stored done ready ");
	quits = true;
	client_quit(client);
	client = NULL;
	hears("QUIT\r\n");
	cr_assert(mem_finished(server));
}

Case(client, waits_for_each_reply_where_it_must)
{
	become_ready("250 mx.b.example\r\n");
	send_one();
	hears("MAIL FROM:<a@a.example>\r\n");
	says("250 Ok\r\n");
	hears("RCPT TO:<one@b.example>\r\n");
	says("450 4.2.0 Busy\r\n");
	is_told("0:later:4.2.0:Busy ");
	hears("RCPT TO:<two@b.example>\r\n");
	says("250 Ok\r\n");
	hears("DATA\r\n");
	says("354 Go\r\n");
	hears("Subject: x\r\n\r\n..dot\r\n.\r\n");
	says("554 5.6.0 Never\r\n");
	is_told("1:no:5.6.0:Never done ready ");
}

Case(client, understands_replies_that_come_byte_by_byte)
{
	server = mem_accept(net);
	mem_cut(server, 1);
	says("220-mx\r\n220 mx\r\n");
	hears("EHLO mx.a.example\r\n");
	says(ALL);
	is_told("ready ");
	send_one();
	mem_take(server, mem_heard(server).len);
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n250-2.0.0 a\r\n250 2.0.0 b\r\n");
	is_told("0:ok:2.0.0:a b 1:ok:2.0.0:a b done ready ");
}

Case(client, says_helo_to_a_server_that_does_not_know_ehlo)
{
	greet("220 old\r\n", "500 What?\r\n");
	hears("HELO mx.a.example\r\n");
	says("250 Hi\r\n");
	is_told("ready ");
	cr_assert_eq(client_caps(client), 0);
	send_one();
	hears("MAIL FROM:<a@a.example>\r\n");
}

Case(client, sends_several_messages_on_one_connection)
{
	become_ready(ALL);
	for (int i = 0; i < 3; i++) {
		send_one();
		says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n250 Ok\r\n");
		is_told("0:ok:0.0.0:Ok 1:ok:0.0.0:Ok done ready ");
	}
}

Case(client, resets_behind_an_envelope_that_was_refused)
{
	become_ready("250 mx\r\n");
	send_one();
	hears("MAIL FROM:<a@a.example>\r\n");
	says("552 5.2.2 Full\r\n");
	is_told("0:no:5.2.2:Full 1:no:5.2.2:Full done ");
	cr_assert(client_sender_refused(client));
	hears("RSET\r\n");
	says("250 Ok\r\n");
	is_told("ready ");
	send_one();
	hears("MAIL FROM:<a@a.example>\r\n");
	says("250 Ok\r\n");
	hears("RCPT TO:<one@b.example>\r\n");
	says("550 No\r\n");
	hears("RCPT TO:<two@b.example>\r\n");
	says("550 No\r\n");
	is_told("0:no:0.0.0:No 1:no:0.0.0:No done ");
	cr_assert(!client_sender_refused(client));
	hears("RSET\r\n");
}

Case(client, ends_data_at_once_when_nobody_was_accepted)
{
	become_ready(ALL);
	send_one();
	hears("MAIL FROM:<a@a.example> SIZE=20\r\nRCPT TO:<one@b.example>\r\n"
	      "RCPT TO:<two@b.example>\r\nDATA\r\n");
	says("250 Ok\r\n550 No\r\n550 No\r\n354 Go\r\n");
	hears(".\r\n");
	says("554 Nobody\r\n");
	is_told("0:no:0.0.0:No 1:no:0.0.0:No done ready ");
}

Case(client, takes_the_refusal_of_mail_for_everybody_also_when_pipelining)
{
	become_ready(ALL);
	send_one();
	hears("MAIL FROM:<a@a.example> SIZE=20\r\nRCPT TO:<one@b.example>\r\n"
	      "RCPT TO:<two@b.example>\r\nDATA\r\n");
	says("451 4.3.0 Not now\r\n503 Order\r\n503 Order\r\n503 Order\r\n");
	is_told("0:later:4.3.0:Not now 1:later:4.3.0:Not now done ");
	hears("RSET\r\n");
	says("250 Ok\r\n");
	is_told("ready ");
}

Case(client, tells_what_data_was_answered)
{
	become_ready(ALL);
	send_one();
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n451 4.7.1 Greylisted\r\n");
	is_told("0:later:4.7.1:Greylisted 1:later:4.7.1:Greylisted done ");
}

Case(client, greeting_that_refuses_is_the_end)
{
	server = mem_accept(net);
	says("554 5.7.1 Go away\r\n");
	is_told("closed:0:554:5.7.1:Go away ");
}

Case(client, service_that_closes_is_the_end_at_any_time)
{
	become_ready(ALL);
	send_one();
	says("250 Ok\r\n421 4.3.2 Shutting down\r\n");
	is_told("closed:1:421:4.3.2:Shutting down ");
}

Case(client, connection_refused_is_told)
{
	server = mem_accept(net);
	mem_reset(server);
	is_told("closed:0:0:4.4.1:Connection refused ");
}

Case(client, garbage_is_told_once)
{
	server = mem_accept(net);
	says("SSH-2.0-OpenSSH\r\n");
	is_told("closed:0:0:4.5.0:What it answers is no SMTP ");
}

Case(client, bare_line_ends_are_garbage)
{
	server = mem_accept(net);
	says("220 mx\n");
	says("250 mx\r\n");
	is_told("closed:0:0:4.5.0:What it answers is no SMTP ");
}

Case(client, endless_lines_and_replies_have_an_end)
{
	char line[SMTP_REPLY_LINE_MAX + 2];

	server = mem_accept(net);
	for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		mem_say(server, "220-more\r\n");
	is_told("");
	says("220-more\r\n");
	is_told("closed:0:0:4.5.0:What it answers is no SMTP ");
	clean();
	setup();
	server = mem_accept(net);
	memset(line, '2', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	says(line);
	is_told("closed:0:0:4.5.0:What it answers is no SMTP ");
}

Case(client, replies_nobody_asked_for_are_the_end)
{
	become_ready(ALL);
	says("250 By the way\r\n");
	is_told("closed:1:0:4.5.0:It speaks without being asked ");
}

Case(client, slow_replies_have_their_time_however_they_trickle)
{
	become_ready(ALL);
	send_one();
	for (int i = 0; i < 4; i++) {
		says("250-x\r\n");
		mem_advance(net, 70 * NS_PER_S);
	}
	is_told("");
	mem_advance(net, 30 * NS_PER_S);
	is_told("closed:1:0:4.4.2:No answer in time ");
}

Case(client, connecting_has_its_time)
{
	mem_advance(net, 29 * NS_PER_S);
	is_told("");
	mem_advance(net, 2 * NS_PER_S);
	is_told("closed:0:0:4.4.1:No answer in time ");
	server = mem_accept(net);
}

Case(client, the_reply_to_a_message_may_take_ten_minutes)
{
	become_ready(ALL);
	send_one();
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n");
	mem_advance(net, 599 * NS_PER_S);
	is_told("");
	mem_advance(net, 2 * NS_PER_S);
	is_told("closed:1:0:4.4.2:No answer in time ");
}

Case(client, connection_that_drops_in_the_middle_of_data_is_told)
{
	become_ready(ALL);
	send_one();
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n");
	mem_reset(server);
	is_told("closed:1:0:4.4.2:The connection broke ");
}

Case(client, a_server_that_takes_nothing_more_of_a_text_has_three_minutes)
{
	static char big[1 << 20];
	struct client_message m = message;

	memset(big, 'x', sizeof(big));
	m.text = (struct str){ big, sizeof(big) };
	become_ready("250-mx\r\n250 PIPELINING\r\n");
	client_send(client, &m);
	mem_settle(net);
	mem_window(server, 100000);
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n");
	mem_advance(net, 170 * NS_PER_S);
	mem_window(server, 300000);
	mem_settle(net);
	mem_advance(net, 170 * NS_PER_S);
	is_told("");
	mem_advance(net, 11 * NS_PER_S);
	is_told("closed:1:0:4.4.2:It takes no more of the text ");
}

Case(client, a_big_text_goes_through_in_blocks)
{
	static char big[(1 << 20) + 3];
	struct client_message m = message;
	struct str heard;

	memset(big, 'x', sizeof(big));
	memcpy(big + sizeof(big) - 3, "\r\n.", 3);
	m.text = (struct str){ big, sizeof(big) };
	become_ready("250-mx\r\n250 PIPELINING\r\n");
	client_send(client, &m);
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n");
	heard = mem_heard(server);
	cr_assert(heard.len > sizeof(big));
	cr_assert(memcmp(heard.p + heard.len - 9, "\r\n..\r\n.\r\n", 9) == 0);
	says("250 Ok\r\n");
	is_told("0:ok:0.0.0:Ok 1:ok:0.0.0:Ok done ready ");
}

Case(client, a_refusal_in_the_middle_of_the_text_counts)
{
	static char big[1 << 20];
	struct client_message m = message;

	m.text = (struct str){ big, sizeof(big) };
	memset(big, 'x', sizeof(big));
	become_ready("250-mx\r\n250 PIPELINING\r\n");
	client_send(client, &m);
	mem_settle(net);
	mem_window(server, 1000);
	says("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n");
	says("552 5.3.4 Too big\r\n");
	is_told("0:no:5.3.4:Too big 1:no:5.3.4:Too big done closed:1:552:5.3.4:Too big ");
}

Case(client, a_message_beyond_size_is_not_sent)
{
	struct client_message m = message;
	static char big[1001];

	memset(big, 'x', sizeof(big));
	m.text = (struct str){ big, sizeof(big) };
	become_ready(ALL);
	client_send(client, &m);
	is_told("0:no:5.3.4:It takes no message of that size "
		"1:no:5.3.4:It takes no message of that size done ready ");
	hears("");
}

static const struct str text_8bit = { "\r\nGr\xc3\xbc\xc3\x9f\r\n", 10 };

Case(client, says_when_a_text_has_8bit)
{
	struct client_message m = message;

	m.text = text_8bit;
	m.n_rcpts = 1;
	become_ready(ALL);
	client_send(client, &m);
	hears("MAIL FROM:<a@a.example> SIZE=10 BODY=8BITMIME\r\n"
	      "RCPT TO:<one@b.example>\r\nDATA\r\n");
}

Case(client, does_not_send_signed_8bit_to_who_takes_it_not)
{
	struct client_message m = message;

	m.text = STR(
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/signed; boundary=b\r\n\r\n"
		"--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f\x65\r\n"
		"--b\r\n\r\nx\r\n--b--\r\n");
	m.n_rcpts = 1;
	become_ready("250 mx\r\n");
	client_send(client, &m);
	is_told("0:no:5.6.3:It takes no 8bit text done ready ");
}

Case(client, converts_8bit_text_for_who_takes_it_not)
{
	struct client_message m = message;

	m.text = STR("Subject: x\r\n\r\nGr\xc3\xbc\xc3\x9f\x65 an alle in der Stadt\r\n");
	m.n_rcpts = 1;
	become_ready("250-mx\r\n250-SIZE\r\n250 PIPELINING\r\n");
	client_send(client, &m);
	hears("MAIL FROM:<a@a.example> SIZE=157\r\nRCPT TO:<one@b.example>\r\nDATA\r\n");
	says("250 Ok\r\n250 Ok\r\n354 Go\r\n");
	hears("Subject: x\r\n"
	      "MIME-Version: 1.0\r\n"
	      "Content-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n"
	      "\r\n"
	      "Gr=C3=BC=C3=9Fe an alle in der Stadt\r\n"
	      ".\r\n");
	says("250 Ok\r\n");
	is_told("0:ok:0.0.0:Ok done ready ");
}

Case(client, sends_8bit_that_only_the_header_has_as_it_is)
{
	struct client_message m = message;

	m.text = STR("Subject: \xc3\xbc\r\n\r\nx\r\n");
	m.n_rcpts = 1;
	become_ready("250-mx\r\n250 PIPELINING\r\n");
	client_send(client, &m);
	hears("MAIL FROM:<a@a.example>\r\nRCPT TO:<one@b.example>\r\nDATA\r\n");
	says("250 Ok\r\n250 Ok\r\n354 Go\r\n");
	hears("Subject: \xc3\xbc\r\n\r\nx\r\n.\r\n");
	says("250 Ok\r\n");
	is_told("0:ok:0.0.0:Ok done ready ");
}

/* Another client than the one setup() made, as @conf has it now. */
static void begin_with(enum client_tls mode, const char *user, const char *password)
{
	char error[TLS_ERROR_LEN];

	if (client) {
		client_abort(client);
		mem_free(server ? server : mem_accept(net));
	} else {
		mem_free(server);
	}
	server = NULL;
	mem_settle(net);
	if (!tls)
		cr_assert_eq(tls_client_new(TLS_TRUST_ANY, NULL, &tls, error), 0);
	conf.tls_mode = mode;
	conf.tls = tls;
	conf.tls_host = MEM_TLS_HOST;
	conf.user = user;
	conf.password = password;
	begin();
	told[0] = '\0';
}

static void shake(int max_version)
{
	server_tls = mem_tls_server(net, server, max_version);
	settle();
}

#define WITH_TLS "250-mx.b.example\r\n250-AUTH LOGIN PLAIN\r\n250 STARTTLS\r\n"

Case(client, turns_to_tls_where_it_is_offered_and_greets_again)
{
	begin_with(CLIENT_TLS_IF_OFFERED, NULL, NULL);
	greet("220 mx\r\n", WITH_TLS);
	hears("STARTTLS\r\n");
	/* What somebody put behind the answer was never said. */
	says("220 Go\r\n250-evil\r\n250 SIZE 1\r\n");
	shake(0);
	cr_assert(mem_tls_up(server_tls));
	hears("EHLO mx.a.example\r\n");
	says("250-mx\r\n250 SIZE 1000\r\n");
	is_told("ready ");
	cr_assert(client_is_secure(client));
	cr_assert_eq(client_caps(client), CLIENT_SIZE);
	send_one();
	hears("MAIL FROM:<a@a.example> SIZE=20\r\n");
}

Case(client, goes_on_in_clear_where_no_tls_is_offered_or_none_is_given)
{
	begin_with(CLIENT_TLS_IF_OFFERED, NULL, NULL);
	become_ready(ALL);
	begin_with(CLIENT_TLS_IF_OFFERED, NULL, NULL);
	greet("220 mx\r\n", WITH_TLS);
	hears("STARTTLS\r\n");
	says("454 4.7.0 Not now\r\n");
	is_told("ready ");
	cr_assert(!client_is_secure(client));
}

Case(client, sends_nothing_in_clear_when_tls_is_required)
{
	begin_with(CLIENT_TLS_REQUIRED, NULL, NULL);
	greet("220 mx\r\n", ALL);
	is_told("closed:0:0:5.7.10:It offers no TLS ");
	begin_with(CLIENT_TLS_REQUIRED, NULL, NULL);
	greet("220 mx\r\n", WITH_TLS);
	hears("STARTTLS\r\n");
	says("454 4.7.0 Not now\r\n");
	is_told("closed:0:454:4.7.0:Not now ");
}

Case(client, speaks_tls_from_the_first_octet_on)
{
	begin_with(CLIENT_TLS_IMPLICIT, NULL, NULL);
	server = mem_accept(net);
	shake(0);
	says("220 mx\r\n");
	hears("EHLO mx.a.example\r\n");
	says("250 mx\r\n");
	is_told("ready ");
}

static bool has_failed;

static void note_failure(void *arg, bool greeted, const struct client_said *said)
{
	has_failed = client_tls_failed(client);
	closed(arg, greeted, said);
}

Case(client, tells_that_tls_came_to_nothing)
{
	begin_ops.closed = note_failure;
	begin_with(CLIENT_TLS_IF_OFFERED, NULL, NULL);
	greet("220 mx\r\n", WITH_TLS);
	hears("STARTTLS\r\n");
	says("220 Go\r\n");
	shake(TLS1_1_VERSION);
	cr_assert(!mem_tls_up(server_tls));
	cr_assert(has_failed);
	cr_assert(strncmp(told, "closed:0:0:4.7.5:", 17) == 0, "%s", told);
}

Case(client, a_handshake_that_hangs_has_its_time)
{
	begin_with(CLIENT_TLS_IMPLICIT, NULL, NULL);
	server = mem_accept(net);
	mem_settle(net);
	mem_advance(net, 301 * NS_PER_S);
	is_told("closed:0:0:4.7.5:No TLS in time ");
}

Case(client, logs_in_by_the_best_that_is_offered)
{
	begin_with(CLIENT_TLS_NONE, "alice", "secret");
	greet("220 mx\r\n", "250-mx\r\n250 AUTH LOGIN PLAIN\r\n");
	hears("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n");
	says("235 2.7.0 Welcome\r\n");
	is_told("ready ");
}

Case(client, answers_what_login_asks)
{
	begin_with(CLIENT_TLS_NONE, "alice", "secret");
	greet("220 mx\r\n", "250-mx\r\n250 AUTH LOGIN\r\n");
	hears("AUTH LOGIN\r\n");
	says("334 VXNlciBOYW1l\r\n");
	hears("YWxpY2U=\r\n");
	says("334 UGFzc3dvcmQ=\r\n");
	hears("c2VjcmV0\r\n");
	says("535 5.7.8 Wrong\r\n");
	is_told("closed:0:535:5.7.8:Wrong ");
}

Case(client, shows_no_password_in_clear_where_somebody_took_tls_away)
{
	begin_with(CLIENT_TLS_IF_OFFERED, "alice", "secret");
	greet("220 mx\r\n", "250-mx\r\n250 AUTH LOGIN PLAIN\r\n");
	is_told("closed:0:0:5.7.4:It offers no way to log in that we would use ");
	hears("");
}

Case(client, logs_in_behind_tls)
{
	begin_with(CLIENT_TLS_REQUIRED, "alice", "secret");
	greet("220 mx\r\n", WITH_TLS);
	hears("STARTTLS\r\n");
	says("220 Go\r\n");
	shake(0);
	hears("EHLO mx.a.example\r\n");
	says("250-mx\r\n250 AUTH PLAIN\r\n");
	hears("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n");
	says("235 2.7.0 Welcome\r\n");
	is_told("ready ");
}

Case(client, a_server_that_only_says_yes_to_scram_is_not_believed)
{
	struct str heard;

	begin_with(CLIENT_TLS_NONE, "alice", "secret");
	greet("220 mx\r\n", "250-mx\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n");
	heard = mem_heard(server);
	cr_assert(str_starts_nocase(heard, STR("AUTH SCRAM-SHA-256 ")));
	mem_take(server, heard.len);
	says("235 2.7.0 Welcome\r\n");
	is_told("closed:0:0:5.7.0:It does not know our password ");
}
