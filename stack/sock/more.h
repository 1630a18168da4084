/*
 * What few sockets want to have: options that most never set, and the queue of reports
 * that recvmsg() reads with MSG_ERRQUEUE.  Borrowed from the core's pool when the first
 * of them is set, and given back with the socket; accepted connections get a copy of
 * their listener's options.
 *
 * Two kinds of reports (as Linux has them, linux/errqueue.h):
 *
 *	MSG_ZEROCOPY	our send queue has copied the bytes when pb_send() returns, so
 *			the report is there at once and says that they were copied.
 *			Neighbours melt into a range.
 *	SO_TIMESTAMPING	the last byte of a write left, and was acknowledged.  Each
 *			write leaves a mark; socks_learn() looks how far the stream is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/list.h"

struct sock;
struct socks;

enum {
	SOCK_REPORTS_MAX = 64, /* then the newest are lost */
	SOCK_MARKS_MAX = 64,   /* writes whose times are asked for, likewise */
};

struct sock_report {
	uint64_t at_ns;
	uint32_t info, data; /* as ee_info and ee_data */
	bool is_stamp;	     /* else of MSG_ZEROCOPY: calls @info to @data */
};

struct sock_mark {
	uint64_t end; /* bytes of the stream up to and with the last of the write */
	uint32_t key; /* SOF_TIMESTAMPING_OPT_ID */
	bool is_sent;
};

struct sock_more {
	struct sock *sock;
	struct list stamped;		  /* in ss->stamped while there are marks */
	uint32_t notsent_lowat, rcvlowat; /* 0: none */
	uint32_t mark;			  /* SO_MARK: told, nothing else */
	bool inq, zerocopy, freebind;
	uint8_t mtu_discover;
	uint32_t stamp;	   /* SOF_TIMESTAMPING_* */
	uint64_t stamp_at; /* the byte of the stream that has key 0 */
	uint32_t n_zerocopy;
	uint8_t n_reports, n_marks;
	struct sock_report reports[SOCK_REPORTS_MAX];
	struct sock_mark marks[SOCK_MARKS_MAX];
};

/* That of @s, from now on; NULL: no memory. */
struct sock_more *sock_more(struct socks *ss, struct sock *s);
void sock_more_free(struct socks *ss, struct sock *s);
/* @s was accepted by @listener. */
int sock_more_inherit(struct socks *ss, struct sock *s, const struct sock *listener);

/* setsockopt() and getsockopt().  0 or -errno; -ENOENT: it is none of these options. */
int sock_more_set(struct socks *ss, struct sock *s, int level, int name, int v);
int sock_more_get(const struct sock *s, int level, int name, int *v);

/* How many of @len bytes may be written, as far as TCP_NOTSENT_LOWAT says. */
size_t sock_more_may_send(struct socks *ss, struct sock *s, size_t len);
/* Bytes were written by one call. */
void sock_more_wrote(struct socks *ss, struct sock *s, bool zerocopy);
/* What ready sets hear, once these options have their say. */
uint32_t sock_more_events(const struct socks *ss, const struct sock *s, uint32_t events);
/* Marks whose time has come become reports. */
void sock_more_learn(struct socks *ss);
/* The oldest report, taken.  False: none. */
bool sock_more_report(struct sock *s, struct sock_report *report);
