/*
 * The network under pbperf: our stack or the kernel's sockets, by the same calls, so
 * that the same load runs on both and figures compare.
 *
 * The calls are those of POSIX, non-blocking; waiting is epoll's model.  One net, one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { PERF_IN = 1, PERF_OUT = 2, PERF_HUP = 4 };

struct perf_event {
	uint32_t events; /* PERF_IN, PERF_OUT, PERF_HUP */
	void *user;
};

struct perf_net;

struct perf_ops {
	const char *name; /* "stack" or "kernel" */
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int s, const struct sockaddr *addr, socklen_t len);
	int (*listen)(int s, int backlog);
	int (*accept)(int s, struct sockaddr *addr, socklen_t *len);
	int (*connect)(int s, const struct sockaddr *addr, socklen_t len);
	ssize_t (*send)(int s, const void *bytes, size_t len, int flags);
	ssize_t (*recv)(int s, void *bytes, size_t len, int flags);
	int (*shutdown)(int s, int how);
	int (*close)(int s);
	int (*setsockopt)(int s, int level, int opt, const void *value, socklen_t len);
	int (*getsockopt)(int s, int level, int opt, void *value, socklen_t *len);
	int (*add)(struct perf_net *net, int s, uint32_t events, void *user);
	int (*mod)(struct perf_net *net, int s, uint32_t events, void *user);
	/* Up to @n events, waiting no longer than until @until_ns. */
	int (*wait)(struct perf_net *net, struct perf_event *ev, int n,
		    uint64_t until_ns);
	/* Throws away what has been received: bytes, 0 at the end, -1 and errno. */
	ssize_t (*discard)(int s, void *scratch, size_t len);
};

struct perf_net {
	const struct perf_ops *ops;
	void *impl;
	const char
		*cc; /* congestion control of each socket; NULL: what it has by itself */
};

/* How to open our stack; the kernel needs none of it. */
struct perf_conf {
	bool stack; /* else the kernel */
	bool zero_copy;
	bool dhcp; /* instead of addr and gateway */
	const char *port, *addr, *gateway, *host_addr;
	const char *addr6, *gateway6, *host_addr6;
	const char *cc;	  /* congestion control; NULL: the network's default */
	unsigned buffers; /* bytes of a connection each way, 0: as the stack likes */
	unsigned mtu;
	bool no_offload;
};

/* 0, or -1 after a line on standard error. */
int perf_net_open(struct perf_net *net, const struct perf_conf *conf);
/* A socket of @domain for TCP, with the congestion control that was chosen; -1 and errno. */
int perf_net_socket(struct perf_net *net, int domain);
/* Lets connections that were closed end in order, as the kernel does for its own; for a
 * few seconds, if peers do not help. */
void perf_net_drain(struct perf_net *net);
void perf_net_close(struct perf_net *net);
/* Prints what is out of the stack's pools; nothing on the kernel. */
void perf_net_say_out(const struct perf_net *net);
