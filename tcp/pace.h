/* Departures of a connection that is paced.  A part of tcp_impl.h. */
#pragma once

#include <stdint.h>

#include "tcp/conn.h"

/* Bytes a second; 0: as fast as can be. */
uint64_t tcp_pace_rate(const struct tcp_conn *c);
/* @len bytes left. */
void tcp_pace_sent(struct tcp_conn *c, uint32_t len, uint64_t now_ns);
/* It would send, and must not yet: it will speak when it may. */
void tcp_pace_wait(struct tcp_conn *c);
