/*
 * TLS on a connection.
 *
 *	io->in  <-- SSL_read  --+-- OpenSSL --+-- bio_read  <-- net->ops->recv
 *	io->out --> SSL_write --+             +-- bio_write --> net->ops->writev
 *
 * The handshake is driven from io_out_flush(), which runs in each turn in which the
 * connection has news.  OpenSSL says "want" when the net said -EAGAIN: then the end is
 * not ready any more, and its next edge brings us here again.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/io_impl.h"
#include "apps/lib/tls_impl.h"

enum { RECORD_MAX = 16384, TEXT_LEN = 80 };

struct io_tls {
	SSL *ssl;
	struct tls *tls;
	size_t clear_left; /* of the output: written before TLS, leaves in clear */
	bool done;	   /* hands are shaken */
	bool told;	   /* IO_SECURE */
	bool more;	   /* the last read gave something: OpenSSL may hold more */
	bool read_wants_out;
	int net_error; /* of the net, positive, when OpenSSL only says "syscall" */
	const char *error;
	char text[TEXT_LEN];
};

static int bio_read(BIO *bio, char *bytes, size_t len, size_t *n_read)
{
	struct io *io = BIO_get_data(bio);
	ssize_t n = io->end.ops->recv(io->net, io->end.s, bytes, len);

	BIO_clear_retry_flags(bio);
	if (n == -EAGAIN) {
		io->end.ready &= (uint8_t)~NET_IN;
		BIO_set_retry_read(bio);
	} else if (n < 0) {
		io->tls->net_error = (int)-n;
	} else if (n == 0) {
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	}
	*n_read = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *n_written)
{
	struct io *io = BIO_get_data(bio);
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	ssize_t n = io->end.ops->writev(io->net, io->end.s, &iov, 1);

	BIO_clear_retry_flags(bio);
	if (n == -EAGAIN) {
		io->end.ready &= (uint8_t)~NET_OUT;
		BIO_set_retry_write(bio);
	} else if (n < 0) {
		io->tls->net_error = (int)-n;
	}
	*n_written = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_FLUSH)
		return 1;
	return cmd == BIO_CTRL_EOF && BIO_test_flags(bio, BIO_FLAGS_IN_EOF);
}

BIO_METHOD *io_tls_bio_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "io");

	if (method) {
		BIO_meth_set_read_ex(method, bio_read);
		BIO_meth_set_write_ex(method, bio_write);
		BIO_meth_set_ctrl(method, bio_ctrl);
	}
	return method;
}

void io_tls_free(struct io *io)
{
	if (!io->tls)
		return;
	SSL_free(io->tls->ssl);
	tls_put(io->tls->tls);
	free(io->tls);
	io->tls = NULL;
}

static int begin(struct io *io, struct tls *tls)
{
	struct io_tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	if (!t)
		return -ENOMEM;
	t->tls = tls_get(tls);
	t->ssl = SSL_new(tls->ctx);
	bio = t->ssl ? BIO_new(tls->bio) : NULL;
	io->tls = t;
	if (!bio) {
		io_tls_free(io);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, io);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	t->clear_left = io->out_len;
	/* RFC 3207 4.2: what came in clear behind the command was never said. */
	io_consume(io, io->in_len);
	io_touch(io);
	return 0;
}

int io_tls_server(struct io *io, struct tls *tls)
{
	int r = begin(io, tls);

	if (r == 0)
		SSL_set_accept_state(io->tls->ssl);
	return r;
}

/* RFC 6066 3: a name, never an address. */
static bool name_server(SSL *ssl, const char *host, bool verifies)
{
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
	bool is_ip = ip != NULL;

	ASN1_OCTET_STRING_free(ip);
	if (!is_ip && SSL_set_tlsext_host_name(ssl, host) != 1)
		return false;
	if (!verifies)
		return true;
	return is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 :
		       SSL_set1_host(ssl, host) == 1;
}

int io_tls_client(struct io *io, struct tls *tls, const char *host)
{
	int r = begin(io, tls);

	if (r < 0)
		return r;
	SSL_set_connect_state(io->tls->ssl);
	if (!name_server(io->tls->ssl, host, tls->verifies)) {
		io_tls_free(io);
		ERR_clear_error();
		return -ENOMEM;
	}
	return 0;
}

/* OpenSSL refused: the connection is over. */
static void fail(struct io *io)
{
	struct io_tls *t = io->tls;
	unsigned long code = ERR_peek_last_error();
	int error = t->net_error ? t->net_error : EPROTO;

	if (t->tls->verifies && SSL_get_verify_result(t->ssl) != X509_V_OK) {
		t->error = X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
		error = EACCES;
	} else if (code) {
		t->error = ERR_reason_error_string(code);
	}
	ERR_clear_error();
	io_fail(io, error);
}

static void shake(struct io *io)
{
	struct io_tls *t = io->tls;
	int r = SSL_do_handshake(t->ssl);

	if (r == 1) {
		t->done = t->more = true;
		snprintf(t->text, TEXT_LEN, "%s %s", SSL_get_version(t->ssl),
			 SSL_get_cipher_name(t->ssl));
		return;
	}
	r = SSL_get_error(t->ssl, r);
	if (r != SSL_ERROR_WANT_READ && r != SSL_ERROR_WANT_WRITE)
		fail(io);
}

bool io_tls_up(struct io *io)
{
	struct io_tls *t = io->tls;

	while (t->clear_left > 0 && (io->end.ready & NET_OUT)) {
		size_t before = io->out_len;

		io_out_some(io, t->clear_left);
		if (io->error)
			return false;
		t->clear_left -= before - io->out_len;
	}
	if (t->clear_left > 0)
		return false;
	if (!t->done)
		shake(io);
	return t->done;
}

bool io_tls_in_open(const struct io *io)
{
	const struct io_tls *t = io->tls;

	if (!t->done)
		return false;
	if (t->read_wants_out)
		return io->end.ready & NET_OUT;
	return t->more || (io->end.ready & NET_IN);
}

ssize_t io_tls_recv(struct io *io, void *bytes, size_t len)
{
	struct io_tls *t = io->tls;
	size_t n;
	int r = SSL_read_ex(t->ssl, bytes, len, &n);

	t->more = t->read_wants_out = false;
	if (r == 1) {
		t->more = true;
		return (ssize_t)n;
	}
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_ZERO_RETURN: return 0;
	case SSL_ERROR_WANT_WRITE: t->read_wants_out = true; return -EAGAIN;
	case SSL_ERROR_WANT_READ: return -EAGAIN;
	default: break;
	}
	fail(io);
	return -io->error;
}

/* The front of @iov in one piece, so that small pieces share a record. */
static size_t gather(const struct iovec *iov, int n_iov, uint8_t record[RECORD_MAX])
{
	size_t len = 0;

	for (int i = 0; i < n_iov && len < RECORD_MAX; i++) {
		size_t left = RECORD_MAX - len;
		size_t n = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(record + len, iov[i].iov_base, n);
		len += n;
	}
	return len;
}

/* As ops->writev, of one record at most. */
ssize_t io_tls_write(struct io *io, const struct iovec *iov, int n_iov)
{
	struct io_tls *t = io->tls;
	uint8_t record[RECORD_MAX];
	const void *bytes = iov[0].iov_base;
	size_t len = iov[0].iov_len, n;
	int r;

	if (len < RECORD_MAX && n_iov > 1) {
		len = gather(iov, n_iov, record);
		bytes = record;
	}
	r = SSL_write_ex(t->ssl, bytes, len < RECORD_MAX ? len : RECORD_MAX, &n);
	if (r == 1)
		return (ssize_t)n;
	r = SSL_get_error(t->ssl, r);
	if (r == SSL_ERROR_WANT_WRITE || r == SSL_ERROR_WANT_READ)
		return -EAGAIN;
	fail(io);
	return -io->error;
}

/* We write no more: close_notify.  One that finds no room is not waited for. */
void io_tls_finish(struct io *io)
{
	if (io->tls->done)
		SSL_shutdown(io->tls->ssl);
	ERR_clear_error();
}

bool io_tls_news(struct io *io)
{
	struct io_tls *t = io->tls;

	if (!t || !t->done || t->told)
		return false;
	t->told = true;
	return true;
}

bool io_is_secure(const struct io *io)
{
	return io->tls && io->tls->done;
}

const char *io_tls_text(const struct io *io)
{
	return io_is_secure(io) ? io->tls->text : NULL;
}

const char *io_tls_error(const struct io *io)
{
	return io->tls ? io->tls->error : NULL;
}
