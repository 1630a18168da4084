#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/lib/io.h"
#include "apps/lib/tls.h"
#include "tests/lib/net_mem.h"

/*
 * A server of lines on a net in memory.  "STARTTLS" turns to TLS, "BIG" is answered with
 * a megabyte, everything else comes back.  Its client is OpenSSL with bytes carried by
 * the test; or, in the tests of io_tls_client(), the other way round.
 */
enum { BIG_LEN = 1 << 20, PATH_LEN = 64, HEARD_LEN = 2 << 20 };

static struct {
	char dir[PATH_LEN], cert[PATH_LEN * 2], key[PATH_LEN * 2];
	struct net *net;
	struct net_listener *listener;
	struct tls *tls;
	struct io *io;
	char events[64];
	int error;
} srv;

static struct {
	struct mem_peer *peer;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	size_t len;
	char heard[HEARD_LEN];
} cl;

static void write_big(struct io *io)
{
	char *big = malloc(BIG_LEN);

	for (size_t i = 0; i < BIG_LEN; i++)
		big[i] = (char)('a' + i % 26);
	io_write(io, big, BIG_LEN);
	free(big);
}

static void answer(struct io *io, struct str line)
{
	if (str_eq(line, STR("STARTTLS"))) {
		io_puts(io, "220 go ahead\r\n");
		cr_assert_eq(io_tls_server(io, srv.tls), 0);
	} else if (str_eq(line, STR("BIG"))) {
		write_big(io);
	} else if (str_eq(line, STR("QUIT"))) {
		io_puts(io, "bye\r\n");
		io_close(io);
		srv.io = NULL;
	} else {
		io_printf(io, "%.*s\r\n", (int)line.len, line.p);
	}
}

static void handle(void *arg, struct io *io, enum io_event event)
{
	struct str line;
	size_t n = strlen(srv.events);

	(void)arg;
	if (event != IO_INPUT && n + 1 < sizeof(srv.events))
		srv.events[n] = event == IO_SECURE ? 'S' : event == IO_EOF ? 'E' : 'X';
	while (event == IO_INPUT && srv.io && io_line(io, 1000, &line) == 1)
		answer(io, line);
	if (event == IO_EOF || event == IO_ERROR) {
		srv.error = io_error(io);
		io_close(io);
		srv.io = NULL;
	}
}

static void take(void *arg, struct io *io)
{
	(void)arg;
	srv.io = io;
	io_handle(io, handle, NULL);
}

static void make_certificate(const char *host)
{
	char error[TLS_ERROR_LEN];

	snprintf(srv.dir, sizeof(srv.dir), "/tmp/test_io_tls.XXXXXX");
	cr_assert_not_null(mkdtemp(srv.dir));
	snprintf(srv.cert, sizeof(srv.cert), "%s/cert.pem", srv.dir);
	snprintf(srv.key, sizeof(srv.key), "%s/key.pem", srv.dir);
	cr_assert_eq(tls_self_signed(host, 30, srv.cert, srv.key, error), 0, "%s", error);
}

static void begin(void)
{
	char error[TLS_ERROR_LEN];

	make_certificate("mail.example.org");
	cr_assert_eq(tls_server_new(srv.cert, srv.key, &srv.tls, error), 0, "%s", error);
	cr_assert_eq(net_mem_new(&srv.net), 0);
	cr_assert_eq(net_listen(srv.net, "*:25", 10, take, NULL, &srv.listener), 0);
	cl.peer = mem_connect(srv.net, "192.0.2.1:25", "192.0.2.2:2000");
}

static void end(void)
{
	SSL_free(cl.ssl);
	SSL_CTX_free(cl.ctx);
	mem_free(cl.peer);
	mem_settle(srv.net);
	cr_assert_eq(mem_n_open(srv.net), 0);
	net_free(srv.net);
	tls_put(srv.tls);
	unlink(srv.cert);
	unlink(srv.key);
	rmdir(srv.dir);
}

/* Carries bytes both ways until nothing moves. */
static void carry(void)
{
	char bytes[4096];
	bool moved = true;

	while (moved) {
		struct str heard;
		int n;

		moved = false;
		while ((n = BIO_read(cl.out, bytes, sizeof(bytes))) > 0) {
			mem_send(cl.peer, bytes, (size_t)n);
			moved = true;
		}
		mem_settle(srv.net);
		heard = mem_heard(cl.peer);
		if (heard.len > 0) {
			BIO_write(cl.in, heard.p, (int)heard.len);
			mem_take(cl.peer, heard.len);
			moved = true;
		}
		if (!SSL_is_init_finished(cl.ssl))
			SSL_do_handshake(cl.ssl);
		while ((n = SSL_read(cl.ssl, cl.heard + cl.len,
				     (int)(HEARD_LEN - cl.len - 1))) > 0)
			cl.len += (size_t)n;
		moved |= BIO_ctrl_pending(cl.out) > 0;
	}
}

static void client_tls(const SSL_METHOD *method, int max_version, SSL_SESSION *session)
{
	cl.ctx = SSL_CTX_new(method);
	SSL_CTX_set_max_proto_version(cl.ctx, max_version);
	if (max_version && max_version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(cl.ctx, 0);
	cl.ssl = SSL_new(cl.ctx);
	cl.in = BIO_new(BIO_s_mem());
	cl.out = BIO_new(BIO_s_mem());
	SSL_set_bio(cl.ssl, cl.in, cl.out);
	if (session)
		SSL_set_session(cl.ssl, session);
	SSL_set_connect_state(cl.ssl);
	SSL_do_handshake(cl.ssl);
}

/* As a client does it: asks, hears the answer in clear, begins. */
static void start_tls(int max_version)
{
	struct str heard;

	mem_say(cl.peer, "STARTTLS\r\n");
	mem_settle(srv.net);
	heard = mem_heard(cl.peer);
	cr_assert(str_eq(heard, STR("220 go ahead\r\n")), "%.*s", (int)heard.len,
		  heard.p);
	mem_take(cl.peer, heard.len);
	client_tls(TLS_client_method(), max_version, NULL);
	carry();
}

static void say(const char *text)
{
	cr_assert_eq(SSL_write(cl.ssl, text, (int)strlen(text)), (int)strlen(text));
	carry();
}

static void expect_heard(const char *text)
{
	cl.heard[cl.len] = '\0';
	cr_assert_str_eq(cl.heard, text);
	cl.len = 0;
}

Test(io_tls, line_after_starttls_is_encrypted)
{
	begin();
	start_tls(0);
	cr_assert_str_eq(srv.events, "S");
	cr_assert(io_is_secure(srv.io));
	cr_assert_str_eq(io_tls_text(srv.io), "TLSv1.3 TLS_AES_256_GCM_SHA384");
	say("hello\r\n");
	expect_heard("hello\r\n");
	say("QUIT\r\n");
	expect_heard("bye\r\n");
	cr_assert_eq(SSL_get_shutdown(cl.ssl), SSL_RECEIVED_SHUTDOWN, "close_notify");
	end();
}

Test(io_tls, tls_1_2_is_spoken_and_nothing_older)
{
	begin();
	start_tls(TLS1_2_VERSION);
	cr_assert_str_eq(srv.events, "S");
	say("hello\r\n");
	expect_heard("hello\r\n");
	end();
}

Test(io_tls, tls_1_1_is_refused)
{
	begin();
	start_tls(TLS1_1_VERSION);
	cr_assert_str_eq(srv.events, "X");
	cr_assert_eq(srv.error, EPROTO);
	end();
}

/* Whatever the pieces are: the handshake and the records are put together. */
Test(io_tls, bytes_one_by_one_say_the_same)
{
	begin();
	mem_cut(cl.peer, 1);
	start_tls(0);
	say("hello\r\nagain\r\n");
	expect_heard("hello\r\nagain\r\n");
	end();
}

Test(io_tls, much_comes_through_a_narrow_window)
{
	begin();
	start_tls(0);
	mem_window(cl.peer, 0);
	cr_assert_gt(SSL_write(cl.ssl, "BIG\r\n", 5), 0);
	carry();
	for (int i = 0; cl.len < BIG_LEN; i++) {
		cr_assert_lt(i, 1000);
		mem_window(cl.peer, 5000);
		carry();
	}
	cr_assert_eq(cl.len, BIG_LEN);
	for (size_t i = 0; i < BIG_LEN; i++)
		cr_assert_eq(cl.heard[i], (char)('a' + i % 26));
	end();
}

/* RFC 3207 4.2 and its injection: what stands behind STARTTLS was said in clear. */
Test(io_tls, clear_text_behind_starttls_is_thrown_away)
{
	begin();
	mem_say(cl.peer, "STARTTLS\r\nINJECTED\r\n");
	mem_settle(srv.net);
	mem_take(cl.peer, mem_heard(cl.peer).len);
	client_tls(TLS_client_method(), 0, NULL);
	carry();
	say("hello\r\n");
	expect_heard("hello\r\n");
	end();
}

Test(io_tls, garbage_for_a_hello_ends_the_connection_alone)
{
	begin();
	mem_say(cl.peer, "STARTTLS\r\n");
	mem_settle(srv.net);
	mem_say(cl.peer, "EHLO there, this is no handshake\r\n");
	mem_settle(srv.net);
	cr_assert_str_eq(srv.events, "X");
	cr_assert_eq(srv.error, EPROTO);
	end();
}

Test(io_tls, client_that_goes_within_the_handshake_is_an_error)
{
	begin();
	mem_say(cl.peer, "STARTTLS\r\n");
	mem_settle(srv.net);
	mem_fin(cl.peer);
	mem_settle(srv.net);
	cr_assert_str_eq(srv.events, "X");
	end();
}

Test(io_tls, end_of_the_stream_is_told)
{
	begin();
	start_tls(0);
	SSL_shutdown(cl.ssl);
	carry();
	cr_assert_str_eq(srv.events, "SE");
	end();
}

Test(io_tls, key_update_is_answered)
{
	begin();
	start_tls(0);
	cr_assert_eq(SSL_key_update(cl.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	say("one\r\n");
	say("two\r\n");
	expect_heard("one\r\ntwo\r\n");
	end();
}

static void write_rsa_key(const char *path)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	FILE *file = fopen(path, "w");

	cr_assert(key && file);
	cr_assert_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
}

Test(io_tls, certificate_and_key_must_be_there_and_fit)
{
	char error[TLS_ERROR_LEN], other[PATH_LEN * 2];
	struct tls *tls;
	struct stat st;

	make_certificate("a.example");
	cr_assert_eq(tls_self_signed("a.example", 1, srv.cert, srv.key, error), -EEXIST);
	cr_assert_eq(stat(srv.key, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(tls_server_new("/nowhere", srv.key, &tls, error), -EINVAL);
	cr_assert(strstr(error, "/nowhere"), "%s", error);
	cr_assert_eq(tls_server_new(srv.cert, srv.cert, &tls, error), -EINVAL);
	cr_assert(strstr(error, "/cert.pem: it has no key"), "%s", error);
	cr_assert_eq(tls_server_new(srv.key, srv.key, &tls, error), -EINVAL);
	cr_assert(strstr(error, "/key.pem: it has no certificate"), "%s", error);
	snprintf(other, sizeof(other), "%s/other", srv.dir);
	unlink(srv.key);
	cr_assert_eq(tls_self_signed("b.example", 1, other, srv.key, error), 0);
	cr_assert_eq(tls_server_new(srv.cert, srv.key, &tls, error), -EINVAL);
	cr_assert(strstr(error, "/key.pem: it is the key of another"), "%s", error);
	write_rsa_key(srv.key);
	cr_assert_eq(tls_server_new(srv.cert, srv.key, &tls, error), -EINVAL);
	cr_assert(strstr(error, "/key.pem: it is the key of another"), "%s", error);
	unlink(other);
	unlink(srv.key);
	unlink(srv.cert);
	rmdir(srv.dir);
}

/* ---- our client: both ends are ours, one on each of two listeners' connections ---- */

static struct {
	struct io *io;
	char events[64];
	int error;
	bool believed;
	const char *why;
} ours;

static void ours_handle(void *arg, struct io *io, enum io_event event)
{
	struct tls *tls = arg;
	size_t n = strlen(ours.events);

	ours.events[n] = "C.SRDEX"[event];
	if (event == IO_CONNECTED)
		cr_assert_eq(io_tls_client(io, tls, "mail.example.org"), 0);
	if (event == IO_SECURE)
		io_puts(io, "QUIT\r\n");
	if (event == IO_INPUT)
		io_consume(io, io_peek(io).len);
	if (event == IO_EOF || event == IO_ERROR) {
		ours.error = io_error(io);
		ours.why = io_tls_error(io);
		io_close(io);
		ours.io = NULL;
	}
}

static void serve_at_once(void *arg, struct io *io)
{
	take(arg, io);
	cr_assert_eq(io_tls_server(io, srv.tls), 0);
}

/* One connection over the kernel's loopback; the server's name is @host. */
static void meet(const char *host, enum tls_trust trust, bool with_ca)
{
	char error[TLS_ERROR_LEN];
	struct tls *tls;

	make_certificate(host);
	cr_assert_eq(tls_server_new(srv.cert, srv.key, &srv.tls, error), 0);
	cr_assert_eq(tls_client_new(trust, with_ca ? srv.cert : NULL, &tls, error), 0,
		     "%s", error);
	cr_assert_eq(net_posix_new(&srv.net), 0);
	cr_assert_eq(net_listen(srv.net, "127.0.0.1:0", 10, serve_at_once, NULL,
				&srv.listener),
		     0);
	cr_assert_eq(net_connect(srv.net, net_listener_where(srv.listener), &ours.io), 0);
	io_handle(ours.io, ours_handle, tls);
	for (int i = 0; (ours.io || srv.io || !ours.events[0]) && i < 10000; i++) {
		net_turn(srv.net);
		usleep(100);
	}
	net_free(srv.net);
	tls_put(tls);
	tls_put(srv.tls);
	unlink(srv.cert);
	unlink(srv.key);
	rmdir(srv.dir);
}

Test(io_tls, our_client_and_our_server_meet)
{
	meet("mail.example.org", TLS_TRUST_AUTHORITY, true);
	cr_assert_str_eq(srv.events, "S");
	cr_assert_eq(ours.events[0], 'C');
	cr_assert_eq(ours.events[1], 'S');
	cr_assert_eq(ours.events[strlen(ours.events) - 1], 'E');
	cr_assert_eq(ours.error, 0);
}

Test(io_tls, certificate_of_another_name_is_not_believed)
{
	meet("other.example.org", TLS_TRUST_AUTHORITY, true);
	cr_assert_str_eq(ours.events, "CX");
	cr_assert_eq(ours.error, EACCES);
	cr_assert_str_eq(ours.why, "hostname mismatch");
}

Test(io_tls, certificate_that_nobody_vouches_for_is_not_believed)
{
	meet("mail.example.org", TLS_TRUST_AUTHORITY, false);
	cr_assert_str_eq(ours.events, "CX");
	cr_assert_eq(ours.error, EACCES);
}

Test(io_tls, who_trusts_anybody_trusts_anybody)
{
	meet("other.example.org", TLS_TRUST_ANY, false);
	cr_assert_eq(ours.error, 0);
	cr_assert_eq(ours.events[1], 'S');
}
