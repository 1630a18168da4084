/*
 * What the files of stack/sock share.
 *
 *	             connect            tcp says
 *	SOCK_TCP_NEW -------> SOCK_TCP -----------> dead, until pb_close()
 *	     | listen
 *	     +------> SOCK_LISTENER --accept--> another SOCK_TCP
 *	SOCK_UDP
 *
 * With TCP_FASTOPEN_CONNECT the first pb_connect() may only note where to (@to in the
 * setup); what is sent then goes with the SYN.
 *
 * Until it connects or listens, a socket's address and options wait in its setup;
 * then they are TCP's and the setup is gone, so that an idle connection has only
 * its 64 bytes here.
 */
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ip/udp.h"
#include "stack/base/check.h"
#include "stack/base/list.h"
#include "stack/sock/more.h"
#include "stack/sock/sock.h"
#include "stack/sock/sock_port.h"
#include "tcp/fo_cookie.h"
#include "tcp/opt.h"
#include "tcp/tcp.h"

struct pb_tcp_info;

enum sock_kind { SOCK_FREE, SOCK_TCP_NEW, SOCK_TCP, SOCK_LISTENER, SOCK_UDP };

enum { SOCK_CC_LEN = 16 };

struct sock_setup {
	const struct sock *sock;
	struct addr addr; /* bound to, with a port of its own ... */
	uint16_t port;	  /* ... 0: not bound */
	struct tcp_opts opts;
	char cc[SOCK_CC_LEN]; /* "": the core's */
	bool fo_connect;      /* TCP_FASTOPEN_CONNECT */
	unsigned fo_max;      /* TCP_FASTOPEN, for when it listens */
	struct fo_keys fo_keys;
	uint32_t defer_s; /* TCP_DEFER_ACCEPT, the same */
	struct addr to;	  /* connected as far as the program knows; ADDR_NONE: not */
	uint16_t to_port;
};

struct sock {
	struct list in_set;   /* in the ready set's list of those with news */
	struct pb_ready *set; /* NULL: none */
	void *user;	      /* what the set's events carry */
	union {
		struct sock_setup *setup;
		struct tcp_conn *conn;
		struct tcp_listener *listener;
		struct udp_port *udp;
	};
	uint32_t want;	 /* enum pb_ready_event */
	uint32_t serial; /* no other socket of this number had it, for 2^32 sockets */
	uint8_t kind;	 /* enum sock_kind */
	bool is_ip6;	 /* AF_INET6: addresses go out in its words ... */
	bool v6only;	 /* ... and IPv4 ones are none of its own */
	bool reuse, reuse_port; /* SO_REUSEADDR, SO_REUSEPORT */
	struct sock_more *more; /* NULL: nothing rare was asked for */
};

_Static_assert(sizeof(struct sock) <= 80, "a socket is small");

/* -1 with errno @err. */
static inline int sock_fail(int err)
{
	errno = err;
	return -1;
}

/* 0 or more as it is, -errno as -1 with errno. */
static inline ssize_t sock_result(ssize_t r)
{
	return r < 0 ? sock_fail((int)-r) : r;
}

/* A new socket of that kind and its number, or NULL and errno. */
struct sock *sock_new(struct socks *ss, enum sock_kind kind, int *number);
void sock_free(struct socks *ss, struct sock *s);
/* The socket of that number on this thread's core; NULL and errno EBADF or ENXIO. */
struct sock *sock_get(struct socks **ss, int number);

/* sockaddr to address and port, for the socket @s.  0 or -errno. */
int sock_addr_in(struct socks *ss, const struct sock *s, const struct sockaddr *sa,
		 socklen_t len, struct addr *addr, uint16_t *port);
/* And back as far as *len goes; of ADDR_NONE, as of an IPv4 address that is zero. */
void sock_addr_out(const struct addr *addr, uint16_t port, struct sockaddr *sa,
		   socklen_t *len);
/* The same in the words of @s: an IPv6 socket sees IPv4 addresses as ::ffff:a.b.c.d. */
void sock_addr_tell(const struct sock *s, const struct addr *addr, uint16_t port,
		    struct sockaddr *sa, socklen_t *len);

/* One of TCP's options, wherever the socket keeps them.  0 or -errno. */
int sock_opt_set(struct socks *ss, struct sock *s, enum tcp_opt opt, int value);
/* SO_ERROR: the pending error, told once. */
int sock_error(struct sock *s);
/* What is true of a socket now, as enum pb_ready_event. */
uint32_t sock_events(const struct socks *ss, const struct sock *s);
/* Its set hears of it, if it wants what is now true. */
void sock_news(struct sock *s);
/* Takes it out of its set. */
void sock_leave_set(struct sock *s);

/* ---- by kind ---- */

int sock_tcp_listen(struct socks *ss, struct sock *s, int backlog);
int sock_tcp_connect(struct socks *ss, struct sock *s, const struct addr *addr,
		     uint16_t port);
/* The first bytes with the connection (RFC 7413): how many, or -errno as pb_sendto(). */
ssize_t sock_tcp_fastopen(struct socks *ss, struct sock *s, const void *bytes, size_t len,
			  const struct addr *addr, uint16_t port);
int sock_tcp_accept(struct socks *ss, struct sock *s, struct sockaddr *sa,
		    socklen_t *len);
ssize_t sock_tcp_send(struct socks *ss, struct sock *s, const void *bytes, size_t len,
		      int flags);
ssize_t sock_tcp_recv(struct socks *ss, struct sock *s, void *bytes, size_t len,
		      int flags);
int sock_tcp_shutdown(struct socks *ss, struct sock *s, int how);
void sock_tcp_close(struct socks *ss, struct sock *s);
void sock_tcp_flow(const struct socks *ss, const struct sock *s, struct flow *flow);

/* Options of opening, sock_fo.c.  0 or -errno; -ENOENT: it is none of them. */
int sock_fo_set(struct socks *ss, struct sock *s, int name, const void *value,
		socklen_t len);
int sock_fo_get(const struct socks *ss, const struct sock *s, int name, void *value,
		socklen_t *len);

/* TCP_INFO, also of a socket that is no connection. */
void sock_tcp_info(const struct socks *ss, const struct sock *s, struct pb_tcp_info *ti);
/* SO_MEMINFO, the places that Linux has for it; what we do not count apart is 0. */
enum sock_mem {
	SOCK_MEM_RCVQ,
	SOCK_MEM_RCVBUF,
	SOCK_MEM_SENT,
	SOCK_MEM_SNDBUF,
	SOCK_MEM_FORWARD,
	SOCK_MEM_SNDQ,
	SOCK_MEM_OPTIONS,
	SOCK_MEM_BACKLOG,
	SOCK_MEM_DROPS,
	SOCK_N_MEM
};
void sock_tcp_memory(const struct socks *ss, const struct sock *s,
		     uint32_t mem[SOCK_N_MEM]);

int sock_udp_bind(struct socks *ss, struct sock *s, const struct addr *addr,
		  uint16_t port);
int sock_udp_connect(struct socks *ss, struct sock *s, const struct addr *addr,
		     uint16_t port);
ssize_t sock_udp_send(struct socks *ss, struct sock *s, const void *bytes, size_t len,
		      const struct addr *to, uint16_t port);
ssize_t sock_udp_recv(struct socks *ss, struct sock *s, void *bytes, size_t len,
		      int flags, struct sockaddr *from, socklen_t *from_len);
void sock_udp_close(struct socks *ss, struct sock *s);

/* ---- msg.c ---- */

/* Puts one piece of ancillary data behind the *used bytes that are there. */
void sock_put_cmsg(struct msghdr *msg, size_t *used, int level, int type,
		   const void *data, size_t len);

/* A datagram with what goes beside it. */
ssize_t sock_udp_sendmsg(struct socks *ss, struct sock *s, const struct msghdr *msg,
			 const void *bytes, size_t len);

/* ---- udp_opt.c ---- */

/* True for options that only datagrams have, or have in another way than streams. */
bool sock_udp_is_opt(int level, int name);
/* 0 or -errno. */
int sock_udp_set(struct socks *ss, struct sock *s, int level, int name, const void *value,
		 socklen_t len);
int sock_udp_get(struct socks *ss, const struct sock *s, int level, int name, void *value,
		 socklen_t *len);
ssize_t sock_udp_recvmsg(struct socks *ss, struct sock *s, struct msghdr *msg, int flags);
/* What the ancillary data of @msg say about a datagram to to->dst.  0 or -errno. */
int sock_udp_read_control(struct socks *ss, const struct msghdr *msg, struct udp_to *to);

/* ---- sock_mcast.c ---- */

/* True for the options of IPPROTO_IP about groups, which only UDP has. */
bool sock_mcast_is_opt(int level, int name);
/* 0 or -errno. */
int sock_mcast_set(struct socks *ss, struct sock *s, int name, const void *value,
		   socklen_t len);
int sock_mcast_get(const struct socks *ss, const struct sock *s, int name, void *value,
		   socklen_t *len);
