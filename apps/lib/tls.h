/*
 * TLS for connections (RFC 8446, RFC 5246): who we are, and how to know the others.
 *
 * A struct tls is a certificate with its key (a server's), or the authorities that are
 * believed (a client's).  It is made once, used by any number of connections of one
 * thread's nets, and lives as long as any of them: it counts its users.  Only TLS 1.2
 * and 1.3 are spoken, with OpenSSL's defaults for ciphers at security level 2.
 *
 * OpenSSL reads from and writes to the network through the net of the connection, be it
 * our stack or the kernel: there is neither a socket of the kernel in between nor a copy
 * of what was encrypted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct io;
struct tls;

enum { TLS_ERROR_LEN = 256 };

/* Whom a client believes. */
enum tls_trust {
	TLS_TRUST_ANY,	     /* encrypts against listeners only (RFC 7435) */
	TLS_TRUST_AUTHORITY, /* the certificate must be for the name asked for, and good */
};

/*
 * A server's: PEM files with the certificate, its chain behind it, and the key.  0, or
 * -errno and a sentence in @error.
 */
int tls_server_new(const char *cert_path, const char *key_path, struct tls **tls,
		   char error[static TLS_ERROR_LEN]);
/* A client's: @ca_path is a PEM file of authorities; NULL: those of the system. */
int tls_client_new(enum tls_trust trust, const char *ca_path, struct tls **tls,
		   char error[static TLS_ERROR_LEN]);
/* Given back by its maker: gone when the last connection is. */
void tls_put(struct tls *tls);

/*
 * Writes a key (0600) and a certificate that @host signs for itself, good for @days from
 * now on, for trying.  Files that exist are not touched: -EEXIST.  0, or -errno and a
 * sentence in @error.
 */
int tls_self_signed(const char *host, unsigned days, const char *cert_path,
		    const char *key_path, char error[static TLS_ERROR_LEN]);

/*
 * From now on @io speaks TLS, as the server, or as the client of @tls.  What was read but
 * not consumed is thrown away (RFC 3207 4.2), what was written before still leaves in
 * clear, all that is written later is encrypted.  IO_SECURE comes when the handshake is
 * done; the deadline goes on.  When it fails the connection does: io_error() is EPROTO,
 * or EACCES when the peer is not believed.  @host: the name the certificate must be for
 * (client; with TLS_TRUST_ANY only said to the server, RFC 6066 3).  0, or -ENOMEM.
 */
int io_tls_server(struct io *io, struct tls *tls);
int io_tls_client(struct io *io, struct tls *tls, const char *host);
/* The handshake is done. */
bool io_is_secure(const struct io *io);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or NULL while it is not. */
const char *io_tls_text(const struct io *io);
/* Why TLS failed: a few words of OpenSSL's, or NULL. */
const char *io_tls_error(const struct io *io);
