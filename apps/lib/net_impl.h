/*
 * What the bodies of net share: the part that is the same on every network
 * (net.c), and the calls that differ (struct net_ops).
 *
 * A body's turn() reads the clock, gathers what is new with net_news(), which only
 * sets flags, then calls net_work(), which runs the programs.  So no handler runs
 * while events are being gathered, and an event never finds a connection freed.
 *
 * Readiness is edge-triggered: net_news() tells of changes, and what it told stays
 * true until a call says -EAGAIN.  An idle connection costs no call at all.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "apps/lib/net.h"
#include "stack/base/addr.h"
#include "stack/base/list.h"
#include "stack/base/ring.h"
#include "stack/base/wheel.h"

enum net_ready {
	NET_IN = 1 << 0,  /* something to read or accept, or end of stream */
	NET_OUT = 1 << 1, /* room to write, or connected */
	NET_END = 1 << 2, /* reset or failed: reading and writing will say how */
};

/* What begins with a struct net_end. */
enum net_end_kind { NET_END_IO, NET_END_LISTENER, NET_END_SOCK };

struct net_ops;

/* One end of something on the network. */
struct net_end {
	const struct net_ops *ops; /* of the net; or of local sockets, net_local.c */
	int s;			   /* the body's number; -1: closed */
	uint8_t ready;		   /* enum net_ready */
	uint8_t kind;		   /* enum net_end_kind */
};

struct net_where {
	struct addr addr;
	uint16_t port;
	bool is_any;   /* "*": any address, of both families; @addr is IPv4's */
	bool is_local; /* it has neither, but */
	uint32_t uid;  /* who is there */
};

/* Sockets are the body's numbers; results as those of the system calls, with -errno. */
struct net_ops {
	void (*free)(struct net *net);
	/* One turn; with @sleep it waits until net_due() if there is nothing to do. */
	void (*turn)(struct net *net, bool sleep);
	/* Ends a sleep.  The one that any thread may call. */
	void (*wake)(struct net *net);

	int (*listen)(struct net *net, const struct net_where *where,
		      struct net_end *end);
	int (*accept)(struct net *net, int listener, struct net_where *peer);
	/* Begins to connect, and tells news of @end from now on. */
	int (*connect)(struct net *net, const struct net_where *where,
		       struct net_end *end);
	/* The same for datagrams, from a port of chance. */
	int (*dgram)(struct net *net, const struct net_where *where, struct net_end *end);
	/* From where datagrams to @where would go. */
	int (*source)(struct net *net, const struct net_where *where,
		      struct net_where *from);
	/* Tells news of an accepted @end from now on, the present state first. */
	int (*attach)(struct net *net, struct net_end *end);
	int (*error)(struct net *net, int s); /* SO_ERROR, positive */
	int (*local)(struct net *net, int s, struct net_where *where);
	ssize_t (*recv)(struct net *net, int s, void *bytes, size_t len);
	ssize_t (*writev)(struct net *net, int s, const struct iovec *iov, int n);
	int (*finish)(struct net *net, int s); /* FIN */
	void (*close)(struct net *net, int s, bool reset);

	int (*watch_fd)(struct net *net, int fd, net_fd *fn, void *arg);
	void (*unwatch_fd)(struct net *net, int fd);
};

struct net {
	const struct net_ops *ops;
	uint64_t now_ns;
	struct wheel wheel;
	struct list ios, listeners; /* all of them */
	struct list todo;	    /* ios with something to do */
	struct list sock_todo;	    /* and bare sockets */
	unsigned n_ios;
	struct ring jobs;
	_Atomic bool woken; /* since jobs were last looked at */
	_Atomic bool stopped;
	int local_fd;	  /* epoll of local sockets; -1: there was none yet */
	uint8_t *scratch; /* IO_IN_MAX bytes, lent to the io that is being read */
	char peer_text[NET_ADDR_TEXT_LEN], peer_addr_text[NET_ADDR_TEXT_LEN],
		local_text[NET_ADDR_TEXT_LEN];
};

struct net_listener {
	struct net_end end;
	struct net *net;
	struct list node; /* in net->listeners */
	net_accept *accept;
	void *arg;
	unsigned max_conns;
	unsigned n_conns; /* open through it, without those in @closing */
	unsigned n_closing;
	struct list closing; /* in IO_CONN_DISCARDING, the oldest first */
	unsigned n_refs;     /* connections and we ourselves */
	struct timer pause;  /* no descriptor or memory: accepts again when it fires */
	char where[NET_ADDR_TEXT_LEN];
};

/* net_stack_new() for a core whose turns are given virtual time, from @now_ns on. */
int net_stack_new_at(struct net **net, struct pb_core *core, uint64_t now_ns);

/* For the bodies.  0 or -errno. */
int net_init(struct net *net, const struct net_ops *ops, uint64_t now_ns);
/* Aborts all connections and closes all listeners; the body frees itself after it. */
void net_fini(struct net *net);
void net_news(struct net_end *end, unsigned ready);
/* Runs jobs, timers, listeners and connections. */
void net_work(struct net *net, uint64_t now_ns);
/* When net_work() must run next if nothing happens: 0 at once, UINT64_MAX never. */
uint64_t net_due(const struct net *net);
/* net_fd.c: calls for sockets of the kernel, and their epoll events, whose number is a
 * struct net_end. */
struct epoll_event;
int net_fd_attach(int epoll_fd, struct net_end *end, int s);
void net_fd_news(const struct epoll_event *event);
int net_fd_error(struct net *net, int s);
ssize_t net_fd_recv(struct net *net, int s, void *bytes, size_t len);
ssize_t net_fd_writev(struct net *net, int s, const struct iovec *iov, int n_iov);
int net_fd_finish(struct net *net, int s);
void net_fd_close(struct net *net, int s, bool reset);
/* net_local.c: as ops->listen and ops->connect, for a path; and what both leave. */
int net_local_listen(struct net *net, const char *path, struct net_end *end);
int net_local_connect(struct net *net, const char *path, struct net_end *end,
		      struct net_where *peer);
void net_local_fini(struct net *net);
/* net_sock.c: there is news of a bare socket; and all of them are told theirs. */
void net_sock_touch(struct net_end *end);
void net_sock_work(struct net *net);
/* One reference less. */
void net_listener_put(struct net_listener *listener);
/* "ADDRESS:PORT", "[v6]:PORT", "*:PORT".  0 or -EINVAL. */
int net_where_parse(const char *text, struct net_where *where);
/* "192.0.2.1:25", and without its port; of a local socket "uid:1000" both times. */
const char *net_where_text(const struct net_where *where,
			   char out[static NET_ADDR_TEXT_LEN]);
const char *net_where_addr_text(const struct net_where *where,
				char out[static NET_ADDR_TEXT_LEN]);
/* Both ways between struct net_where and the bytes of a sockaddr. */
struct sockaddr_storage;
unsigned net_where_sockaddr(const struct net_where *where, struct sockaddr_storage *sa);
void net_where_from_sockaddr(const struct sockaddr_storage *sa, struct net_where *where);
