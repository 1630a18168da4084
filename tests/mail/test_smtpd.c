#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/mail/auth/sasl_client.h"
#include "apps/mail/smtpd/smtpd_impl.h"
#include "stack/base/log.h"
#include "tests/lib/dialog.h"
#include "tests/lib/login_test.h"
#include "tests/lib/mem_tls.h"
#include "tests/lib/net_mem.h"
#include "tests/lib/smtp_test.h"

static int is_smtp(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && strcmp(dot, ".smtp") == 0;
}

/* All dialogues, with bytes arriving @cut at a time. */
static void play_all(size_t cut)
{
	struct dirent **names;
	int n = scandir(DIALOG_DIR, &names, is_smtp, alphasort);

	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++) {
		struct smtp_test t;
		struct dialog d = { .where = SMTP_TEST_WHERE,
				    .cut = cut,
				    .hook = smtp_test_hook,
				    .arg = &t };
		char path[512];
		bool good;

		smtp_test_init(&t);
		d.net = t.net;
		snprintf(path, sizeof(path), "%s/%s", DIALOG_DIR, names[i]->d_name);
		good = dialog_play(&d, path);
		cr_expect(good, "%s", d.error);
		cr_expect(smtp_test_fini(&t), "%s: something leaked", path);
		free(names[i]);
	}
	free(names);
}

Test(smtpd, plays_all_dialogues)
{
	play_all(0);
}

Test(smtpd, plays_all_dialogues_byte_by_byte)
{
	play_all(1);
}

Test(smtpd, plays_all_dialogues_seven_bytes_at_a_time)
{
	play_all(7);
}

static void *commit(void *t)
{
	smtp_test_commit(t);
	return NULL;
}

/* A session whose message another thread commits; @stays until then. */
static void commit_elsewhere(bool stays)
{
	struct smtp_test t;
	struct mem_peer *peer;
	pthread_t thread;

	smtp_test_init(&t);
	t.store.holds = true;
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_WHERE, "192.0.2.9:4000");
	mem_say(peer, "HELO client.example\r\nMAIL FROM:<>\r\n"
		      "RCPT TO:<alice@b.example>\r\nDATA\r\n.\r\n");
	mem_settle(t.net);
	mem_take(peer, mem_heard(peer).len);
	if (!stays)
		mem_reset(peer);
	mem_settle(t.net);
	cr_assert(smtpd_busy(t.smtpd));
	cr_assert_eq(pthread_create(&thread, NULL, commit, &t), 0);
	cr_assert(mem_wait(t.net));
	pthread_join(thread, NULL);
	cr_assert_eq(smtp_test_n_stored(&t), 1);
	cr_assert_eq(smtpd_stats(t.smtpd)->orphans, stays ? 0 : 1);
	cr_assert(
		str_starts_nocase(mem_heard(peer), stays ? STR("250 2.0.0 ") : STR("")));
	mem_free(peer);
	cr_assert(smtp_test_fini(&t));
}

Test(smtpd, answers_when_another_thread_has_committed)
{
	commit_elsewhere(true);
}

Test(smtpd, outlives_a_session_whose_message_another_thread_commits)
{
	commit_elsewhere(false);
}

/* A client that has sent all but the end of a message of @n_lines. */
static struct mem_peer *hoard(struct smtp_test *t, const char *from, int n_lines)
{
	struct mem_peer *peer = mem_connect(t->net, SMTP_TEST_WHERE, from);

	mem_say(peer, "HELO client.example\r\nMAIL FROM:<>\r\n"
		      "RCPT TO:<alice@b.example>\r\nDATA\r\n\r\n");
	for (int i = 0; i < n_lines; i++)
		mem_say(peer,
			"1234567890123456789012345678901234567890123456789012345678\r\n");
	mem_settle(t->net);
	mem_take(peer, mem_heard(peer).len);
	return peer;
}

static bool ends_with(struct smtp_test *t, struct mem_peer *peer, const char *answer)
{
	mem_say(peer, ".\r\n");
	mem_settle(t->net);
	return str_starts_nocase(mem_heard(peer), str_of(answer));
}

Test(smtpd, gives_one_client_no_more_than_its_share_of_memory)
{
	struct mem_peer *peers[4];
	struct smtp_test t;

	smtp_test_init(&t);
	t.conf.limits.client_memory_max = 100000;
	t.conf.limits.memory_max = 1000000;
	smtp_test_start(&t);
	peers[0] = hoard(&t, "192.0.2.9:1", 800);
	peers[1] = hoard(&t, "192.0.2.9:2", 800);
	peers[2] = hoard(&t, "192.0.2.8:1", 800);
	cr_assert_eq(smtpd_stats(t.smtpd)->no_share, 1);
	cr_assert(ends_with(&t, peers[1], "452 4.3.1 "));
	cr_assert(ends_with(&t, peers[0], "250 2.0.0 "));
	cr_assert(ends_with(&t, peers[2], "250 2.0.0 "));
	/* What is done is given back. */
	peers[3] = hoard(&t, "192.0.2.9:3", 800);
	cr_assert(ends_with(&t, peers[3], "250 2.0.0 "));
	for (int i = 0; i < 4; i++)
		mem_free(peers[i]);
	mem_settle(t.net);
	cr_assert_eq(smtpd_stats(t.smtpd)->memory, 0);
	cr_assert(smtp_test_fini(&t));
}

Test(smtpd, counts_the_share_of_a_session_that_ended_until_the_commit)
{
	struct mem_peer *gone, *other;
	struct smtp_test t;

	smtp_test_init(&t);
	t.conf.limits.client_memory_max = 100000;
	t.store.holds = true;
	smtp_test_start(&t);
	gone = hoard(&t, "192.0.2.9:1", 800);
	mem_say(gone, ".\r\n");
	mem_settle(t.net);
	mem_free(gone);
	mem_settle(t.net);
	other = hoard(&t, "192.0.2.9:2", 800);
	cr_assert(ends_with(&t, other, "452 4.3.1 "));
	smtp_test_commit(&t);
	mem_free(other);
	cr_assert(smtp_test_fini(&t));
}

/* What is said to that message for that address. */
static bool sends(struct smtp_test *t, const char *rcpt, const char *text,
		  const char *answer)
{
	struct mem_peer *peer = mem_connect(t->net, SMTP_TEST_WHERE, "192.0.2.9:4000");
	bool ok;

	mem_say(peer, "HELO client.example\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<");
	mem_say(peer, rcpt);
	mem_say(peer, ">\r\nDATA\r\n");
	mem_say(peer, text);
	mem_settle(t->net);
	mem_take(peer, mem_heard(peer).len);
	ok = ends_with(t, peer, answer);
	mem_free(peer);
	mem_settle(t->net);
	return ok;
}

Test(smtpd, knows_what_was_sent_on_from_here)
{
	struct smtp_test t;
	char *text;

	smtp_test_init(&t);
	smtp_test_start(&t);
	cr_assert(sends(&t, "dev@b.example", "Subject: x\r\n\r\nHi.\r\n", "250 2.0.0 "));
	text = strdup(t.store.stored->text); /* to far.example */
	cr_assert_str_eq(t.store.stored->user, "far.example");
	cr_assert_not_null(strstr(text, "\r\nX-Loop: "));
	cr_assert_null(strstr(strstr(text, "\r\nX-Loop: "), "dev"));
	/* from there it comes back */
	cr_assert(sends(&t, "DEV@b.example", text, "554 5.4.6 "));
	cr_assert_eq(smtpd_stats(t.smtpd)->loops, 1);
	cr_assert(sends(&t, "sales@b.example", text, "250 2.0.0 "), "another way");
	cr_assert(sends(&t, "bob@b.example", text, "250 2.0.0 "), "its end");
	cr_assert(sends(&t, "dev@b.example", "Subject: x\r\n\r\nHi.\r\n", "250 2.0.0 "));
	free(text);
	cr_assert(smtp_test_fini(&t));
}

static size_t n_lines(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n';
	return n;
}

Test(smtpd, follows_few_aliases_of_a_client_before_it_is_others_turn)
{
	enum { N = 5 * SMTPD_TURN_ALIASES + 1 };
	struct mem_peer *peer;
	struct smtp_test t;

	smtp_test_init(&t);
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_WHERE, "192.0.2.9:4000");
	mem_say(peer, "HELO client.example\r\nMAIL FROM:<>\r\n");
	mem_settle(t.net);
	mem_take(peer, mem_heard(peer).len);
	for (int i = 0; i < N; i++)
		mem_say(peer, "RCPT TO:<sales@b.example>\r\n");
	mem_say(peer, "DATA\r\n.\r\n");
	mem_fin(peer);
	net_turn(t.net);
	cr_assert_leq(n_lines(mem_heard(peer)), 2 * SMTPD_TURN_ALIASES);
	mem_settle(t.net);
	cr_assert_eq(n_lines(mem_heard(peer)), N + 2);
	cr_assert_eq(smtp_test_n_stored(&t), 3);
	mem_free(peer);
	cr_assert(smtp_test_fini(&t));
}

Test(smtpd, writes_no_field_of_the_log_that_a_sender_made_up)
{
	static const char address[] = "<\"x> users=9 result=0 y\"@c.example>";
	char line[LOG_LINE_LEN + 1] = "";
	struct log log = { .level = LOG_INFO, .program = "test" };
	struct mem_peer *peer;
	struct smtp_test t;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	log.fd = fds[1];
	smtp_test_init(&t);
	t.conf.log = &log;
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_WHERE, "192.0.2.9:1");
	mem_say(peer, "HELO client.example\r\nMAIL FROM:");
	mem_say(peer, address);
	mem_say(peer, "\r\nRCPT TO:<alice@b.example>\r\nDATA\r\n.\r\n");
	mem_settle(t.net);
	cr_assert_gt(read(fds[0], line, LOG_LINE_LEN), 0);
	cr_assert_not_null(
		strstr(line, "from=\"\\\"x> users=9 result=0 y\\\"@c.example\""), "%s",
		line);
	mem_free(peer);
	cr_assert(smtp_test_fini(&t));
	close(fds[0]);
	close(fds[1]);
}

/* The client says @line, hears one that begins with @code, and gets the rest of it. */
static struct str ask(struct smtp_test *t, struct mem_peer *peer, const char *line,
		      const char *code)
{
	static char heard[4096];
	size_t len;

	mem_take(peer, mem_heard(peer).len);
	mem_say(peer, line);
	mem_settle(t->net);
	len = mem_heard(peer).len;
	cr_assert(len < sizeof(heard) && str_starts_nocase(mem_heard(peer), str_of(code)),
		  "%.*s", (int)len, mem_heard(peer).p);
	memcpy(heard, mem_heard(peer).p, len);
	return (struct str){ heard + strlen(code), len - strlen(code) - 2 };
}

/* Says AUTH SCRAM-SHA-256 with that password; @code is what the proof is answered. */
static void log_in(struct smtp_test *t, struct mem_peer *peer, const char *password,
		   const char *code)
{
	struct sasl_client *c;
	struct str answer;
	char line[1024];

	cr_assert_eq(sasl_client_new(STR("SCRAM-SHA-256"), false, "alice", password, &c),
		     0);
	cr_assert_eq(sasl_client_step(c, STR(""), &answer), 0);
	snprintf(line, sizeof(line), "AUTH SCRAM-SHA-256 %.*s\r\n", (int)answer.len,
		 answer.p);
	cr_assert_eq(sasl_client_step(c, ask(t, peer, line, "334 "), &answer), 0);
	snprintf(line, sizeof(line), "%.*s\r\n", (int)answer.len, answer.p);
	answer = ask(t, peer, line, code);
	if (strcmp(code, "334 ") == 0) {
		cr_assert_eq(sasl_client_step(c, answer, &answer), 0);
		cr_assert(sasl_client_done(c));
		ask(t, peer, "\r\n", "235 2.7.0 ");
	}
	sasl_client_free(c);
}

Test(smtpd, shows_that_it_knows_whoever_proves_to_know)
{
	struct mem_peer *peer;
	struct smtp_test t;

	smtp_test_init(&t);
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_MSA, "192.0.2.9:4000");
	ask(&t, peer, "EHLO client.example\r\n", "220 ");
	log_in(&t, peer, "secret bob", "");
	mem_advance(t.net, UINT64_C(2000000000));
	cr_assert(str_starts_nocase(mem_heard(peer), STR("535 5.7.8 ")));
	log_in(&t, peer, "secret alice", "334 ");
	ask(&t, peer, "MAIL FROM:<alice@b.example>\r\n", "250 ");
	cr_assert_eq(smtpd_stats(t.smtpd)->logins, 1);
	cr_assert_eq(smtpd_stats(t.smtpd)->login_failures, 1);
	mem_free(peer);
	cr_assert(smtp_test_fini(&t));
}

/* CVE-2011-0411: what somebody put behind STARTTLS in clear was never said. */
Test(smtpd, throws_away_what_came_in_clear_behind_starttls)
{
	struct smtp_test t;
	struct mem_peer *peer;
	struct mem_tls *tls;

	smtp_test_init(&t);
	t.tls = login_test_tls();
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_WHERE, "192.0.2.9:4000");
	ask(&t, peer, "EHLO client.example\r\n", "220 ");
	ask(&t, peer, "STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<>\r\n",
	    "220 2.0.0 Begin TLS\r\n");
	cr_assert_eq(mem_heard(peer).len, strlen("220 2.0.0 Begin TLS\r\n"));
	mem_take(peer, mem_heard(peer).len);
	tls = mem_tls_client(t.net, peer, 0);
	mem_tls_settle(tls);
	cr_assert(mem_tls_up(tls));
	cr_assert_eq(mem_tls_heard(tls).len, 0);
	mem_tls_send(tls, "NOOP\r\nMAIL FROM:<>\r\n", 20);
	mem_tls_settle(tls);
	cr_assert(str_eq(mem_tls_heard(tls),
			 STR("250 2.0.0 Ok\r\n503 5.5.1 EHLO or HELO comes first\r\n")));
	mem_tls_free(tls);
	mem_free(peer);
	cr_assert(smtp_test_fini(&t));
}
