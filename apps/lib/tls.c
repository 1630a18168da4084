#include "apps/lib/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/tls_impl.h"
#include "stack/base/check.h"

#define OTHER_KEY "it is the key of another certificate"

/* What is wrong with a file; in our words where the library's name no file. */
static const char *reason_of(unsigned long code)
{
	static const struct {
		int lib, reason;
		const char *text;
	} ours[] = {
		{ ERR_LIB_PEM, PEM_R_NO_START_LINE, "it has no certificate" },
		{ ERR_LIB_OSSL_DECODER, ERR_R_UNSUPPORTED, "it has no key" },
		{ ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH, OTHER_KEY },
		{ ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED, OTHER_KEY },
	};

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (ERR_GET_LIB(code) == ours[i].lib &&
		    ERR_GET_REASON(code) == ours[i].reason)
			return ours[i].text;
	return code ? ERR_reason_error_string(code) : NULL;
}

static int fail(int err, char error[static TLS_ERROR_LEN], const char *what)
{
	/* The first is the cause: a file that is not there, say. */
	const char *reason = reason_of(ERR_peek_error());

	snprintf(error, TLS_ERROR_LEN, "%s: %s", what, reason ? reason : strerror(err));
	ERR_clear_error();
	return -err;
}

/* What is the same for servers and clients. */
static struct tls *new (const SSL_METHOD *method)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->n_refs = 1;
	tls->bio = io_tls_bio_new();
	tls->ctx = SSL_CTX_new(method);
	if (!tls->bio || !tls->ctx) {
		tls_put(tls);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(tls->ctx, 2);
	/*
	 * The protocols above say themselves where they end, so an end of stream without
	 * close_notify cuts nothing off unnoticed.
	 */
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					      SSL_OP_IGNORE_UNEXPECTED_EOF |
					      SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					   SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(tls->ctx, 1);
	return tls;
}

struct tls *tls_get(struct tls *tls)
{
	tls->n_refs++;
	return tls;
}

void tls_put(struct tls *tls)
{
	if (!tls || --tls->n_refs > 0)
		return;
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->bio);
	free(tls);
}

int tls_server_new(const char *cert_path, const char *key_path, struct tls **out,
		   char error[static TLS_ERROR_LEN])
{
	struct tls *tls = new (TLS_server_method());
	int err = 0;

	if (!tls)
		return fail(ENOMEM, error, "TLS");
	/* Resumption is by tickets; nothing a client can make grow is kept here. */
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(tls->ctx, cert_path) != 1)
		err = fail(EINVAL, error, cert_path);
	else if (SSL_CTX_use_PrivateKey_file(tls->ctx, key_path, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(tls->ctx) != 1)
		err = fail(EINVAL, error, key_path);
	if (err) {
		tls_put(tls);
		return err;
	}
	*out = tls;
	return 0;
}

int tls_client_new(enum tls_trust trust, const char *ca_path, struct tls **out,
		   char error[static TLS_ERROR_LEN])
{
	struct tls *tls = new (TLS_client_method());
	int ok = 1;

	if (!tls)
		return fail(ENOMEM, error, "TLS");
	tls->verifies = trust == TLS_TRUST_AUTHORITY;
	if (tls->verifies) {
		SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
		ok = ca_path ? SSL_CTX_load_verify_file(tls->ctx, ca_path) :
			       SSL_CTX_set_default_verify_paths(tls->ctx);
	}
	if (ok != 1) {
		fail(EINVAL, error, ca_path ? ca_path : "authorities of the system");
		tls_put(tls);
		return -EINVAL;
	}
	*out = tls;
	return 0;
}
