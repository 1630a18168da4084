/*
 * TLS in the hands of a test, over a connection of net_mem.h: as the client of a
 * service of ours, or as the server of a client of ours.  By OpenSSL itself, not by
 * apps/lib/tls.h, which is what is tested.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

struct mem_peer;
struct mem_tls;
struct net;

/* What such a server shows is a certificate of its own for that host, made on the way. */
#define MEM_TLS_HOST "mx.b.example"

/* Begins: nothing moves yet.  @max_version: 0, or as OpenSSL numbers it. */
struct mem_tls *mem_tls_client(struct net *net, struct mem_peer *peer, int max_version);
struct mem_tls *mem_tls_server(struct net *net, struct mem_peer *peer, int max_version);
void mem_tls_free(struct mem_tls *t);
/* Carries bytes both ways until nothing moves. */
void mem_tls_settle(struct mem_tls *t);
/* Hands are shaken. */
bool mem_tls_up(const struct mem_tls *t);

/* As mem_send(), mem_heard() and mem_take() of the peer. */
void mem_tls_send(struct mem_tls *t, const void *bytes, size_t len);
struct str mem_tls_heard(struct mem_tls *t);
void mem_tls_take(struct mem_tls *t, size_t n);
