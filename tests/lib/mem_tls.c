#include "tests/lib/mem_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/net_mem.h"

enum { HEARD_LEN = 1 << 20, PIECE_LEN = 4096, DAY_S = 86400 };

struct mem_tls {
	struct net *net;
	struct mem_peer *peer;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	size_t len;
	char heard[HEARD_LEN];
};

static struct mem_tls *new (struct net *net, struct mem_peer *peer,
			    const SSL_METHOD *method, int max_version)
{
	struct mem_tls *t = calloc(1, sizeof(*t));

	ASSERT(t);
	t->net = net;
	t->peer = peer;
	t->ctx = SSL_CTX_new(method);
	SSL_CTX_set_max_proto_version(t->ctx, max_version);
	/* Else nothing older than 1.2 would be tried. */
	if (max_version && max_version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(t->ctx, 0);
	t->ssl = SSL_new(t->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	ASSERT(t->ssl && t->in && t->out);
	SSL_set_bio(t->ssl, t->in, t->out);
	return t;
}

struct mem_tls *mem_tls_client(struct net *net, struct mem_peer *peer, int max_version)
{
	struct mem_tls *t = new (net, peer, TLS_client_method(), max_version);

	SSL_set_connect_state(t->ssl);
	SSL_do_handshake(t->ssl);
	return t;
}

static void show_certificate(SSL *ssl)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	ASSERT(key && cert);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)MEM_TLS_HOST, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	ASSERT(X509_sign(cert, key, EVP_sha256()) > 0);
	ASSERT(SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, key) == 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

struct mem_tls *mem_tls_server(struct net *net, struct mem_peer *peer, int max_version)
{
	struct mem_tls *t = new (net, peer, TLS_server_method(), max_version);

	show_certificate(t->ssl);
	SSL_set_accept_state(t->ssl);
	return t;
}

void mem_tls_free(struct mem_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	ERR_clear_error();
	free(t);
}

static bool carry_out(struct mem_tls *t)
{
	char bytes[PIECE_LEN];
	bool moved = false;
	int n;

	while ((n = BIO_read(t->out, bytes, sizeof(bytes))) > 0) {
		mem_send(t->peer, bytes, (size_t)n);
		moved = true;
	}
	return moved;
}

static bool carry_in(struct mem_tls *t)
{
	struct str heard = mem_heard(t->peer);
	int n;

	if (heard.len > 0) {
		BIO_write(t->in, heard.p, (int)heard.len);
		mem_take(t->peer, heard.len);
	}
	if (!SSL_is_init_finished(t->ssl))
		SSL_do_handshake(t->ssl);
	while ((n = SSL_read(t->ssl, t->heard + t->len, (int)(HEARD_LEN - t->len))) > 0)
		t->len += (size_t)n;
	return heard.len > 0;
}

void mem_tls_settle(struct mem_tls *t)
{
	bool moved;

	do {
		moved = carry_out(t);
		mem_settle(t->net);
		moved |= carry_in(t);
	} while (moved || BIO_ctrl_pending(t->out) > 0);
}

bool mem_tls_up(const struct mem_tls *t)
{
	return SSL_is_init_finished(t->ssl);
}

void mem_tls_send(struct mem_tls *t, const void *bytes, size_t len)
{
	/* What is not secure any more says nothing, and is seen to. */
	if (len > 0)
		SSL_write(t->ssl, bytes, (int)len);
}

struct str mem_tls_heard(struct mem_tls *t)
{
	return (struct str){ t->heard, t->len };
}

void mem_tls_take(struct mem_tls *t, size_t n)
{
	t->len -= n;
	memmove(t->heard, t->heard + n, t->len);
}
