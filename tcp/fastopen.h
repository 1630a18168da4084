/*
 * Fast Open (RFC 7413), and what else is special about opening, as the layer above sees it:
 * tcp.h has the rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;
struct fo_keys;
struct tcp;
struct tcp_conn;
struct tcp_listener;
struct tcp_opts;

/*
 * Of a connection that tcp_connect() began this turn: its SYN
 * asks for a cookie or has one, and then takes as many of the @len bytes as fit.  How many;
 * -EINPROGRESS: none; -EOPNOTSUPP, or -EALREADY when it is too late.
 */
ssize_t tcp_fastopen(struct tcp *tcp, struct tcp_conn *conn, const void *bytes,
		     size_t len);
/* Clients may use it. */
bool tcp_fastopen_is_on(const struct tcp *tcp);
/* A SYN to @dst with those options may carry data. */
bool tcp_fastopen_ready(struct tcp *tcp, const struct addr *dst,
			const struct tcp_opts *opts);
/* At most @max connections made by a SYN may be without their ACK; 0: none are made. */
void tcp_listener_set_fastopen(struct tcp_listener *listener, unsigned max);
unsigned tcp_listener_fastopen(const struct tcp_listener *listener);
/* Connections wait for accept when they have data, or after @s seconds (Linux's
 * TCP_DEFER_ACCEPT); 0: at once. */
void tcp_listener_set_defer(struct tcp_listener *listener, uint32_t s);
uint32_t tcp_listener_defer(const struct tcp_listener *listener);
/* Keys of its own, to be looked at and set. */
struct fo_keys *tcp_listener_fo_keys(struct tcp_listener *listener);
/* The core's. */
const struct fo_keys *tcp_fastopen_keys(const struct tcp *tcp);
/* From now on; @keys NULL: as they are. */
void tcp_set_fastopen(struct tcp *tcp, unsigned mode, const struct fo_keys *keys);
