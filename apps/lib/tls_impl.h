/* The inside of TLS, for tls.c and io_tls.c. */
#pragma once

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "apps/lib/tls.h"

struct tls {
	SSL_CTX *ctx;
	BIO_METHOD *bio; /* reads from and writes to the net of an io */
	_Atomic unsigned n_refs;
	bool verifies;
};

struct tls *tls_get(struct tls *tls);
/* NULL: no memory. */
BIO_METHOD *io_tls_bio_new(void);
