/*
 * A connection for a program that waits: each call turns the net until it has what it
 * wants, or nothing came for PBMAIL_WAIT_S.
 *
 * Errors are -errno; -ECONNRESET: the server hung up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct account_server;
struct io;
struct net;
struct pbmail;
struct tls;

struct stream {
	struct net *net;
	struct io *io; /* NULL: closed */
	bool is_connected, is_secure, is_late, eof;
	int error;
};

/* Connects to a server of the account, with implicit TLS if it says so.  0 or a status. */
int stream_open(struct stream *s, struct pbmail *p, const struct account_server *server);
/* Says all that was written, and closes. */
void stream_close(struct stream *s);
/* The TLS of the account, for the name of @server.  0 or a status. */
int stream_secure(struct stream *s, struct pbmail *p,
		  const struct account_server *server);
/* The certificate of @host is not good: says @why, and where that can be changed.  A status. */
int stream_distrusts(const char *host, const char *why);

/* A line without its CRLF, valid until the next call.  0 or -errno. */
int stream_line(struct stream *s, size_t max, struct str *line);
/* What came and was not consumed, at least an octet. */
int stream_peek(struct stream *s, struct str *in);
void stream_consume(struct stream *s, size_t n);

/*
 * Connects an io to the server, by name if need be; it is the caller's, and still
 * connecting.  0 or a status.
 */
int stream_connect(struct pbmail *p, const struct account_server *server, struct io **io);
