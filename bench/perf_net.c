#include "bench/perf_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "stack/api/dhcp.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"
#include "stack/api/zc.h"
#include "stack/base/clock.h"

enum { BATCH = 256, DRAIN_S = 3, LEASE_S = 60 };

/* ---- the kernel ---- */

static int posix_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int posix_accept(int s, struct sockaddr *addr, socklen_t *len)
{
	return accept4(s, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static ssize_t posix_send(int s, const void *bytes, size_t len, int flags)
{
	return send(s, bytes, len, flags | MSG_NOSIGNAL);
}

static int posix_ctl(struct perf_net *net, int op, int s, uint32_t events, void *user)
{
	struct epoll_event ev = { .data.ptr = user };

	if (events & PERF_IN)
		ev.events |= EPOLLIN;
	if (events & PERF_OUT)
		ev.events |= EPOLLOUT;
	return epoll_ctl((int)(intptr_t)net->impl, op, s, &ev);
}

static int posix_add(struct perf_net *net, int s, uint32_t events, void *user)
{
	return posix_ctl(net, EPOLL_CTL_ADD, s, events, user);
}

static int posix_mod(struct perf_net *net, int s, uint32_t events, void *user)
{
	return posix_ctl(net, EPOLL_CTL_MOD, s, events, user);
}

static int posix_wait(struct perf_net *net, struct perf_event *out, int n,
		      uint64_t until_ns)
{
	struct epoll_event ev[BATCH];
	uint64_t now = clock_now_ns();
	struct timespec left = { 0 };
	int got;

	if (until_ns > now) {
		left.tv_sec = (time_t)((until_ns - now) / NS_PER_S);
		left.tv_nsec = (long)((until_ns - now) % NS_PER_S);
	}
	got = epoll_pwait2((int)(intptr_t)net->impl, ev, n < BATCH ? n : BATCH,
			   until_ns == UINT64_MAX ? NULL : &left, NULL);
	for (int i = 0; i < got; i++) {
		out[i] = (struct perf_event){ .user = ev[i].data.ptr };
		if (ev[i].events & EPOLLIN)
			out[i].events |= PERF_IN;
		if (ev[i].events & EPOLLOUT)
			out[i].events |= PERF_OUT;
		if (ev[i].events & (EPOLLHUP | EPOLLERR))
			out[i].events |= PERF_HUP;
	}
	return got < 0 ? 0 : got;
}

static ssize_t posix_discard(int s, void *scratch, size_t len)
{
	return recv(s, scratch, len, 0);
}

static const struct perf_ops posix_ops = {
	.name = "kernel",
	.socket = posix_socket,
	.bind = bind,
	.listen = listen,
	.accept = posix_accept,
	.connect = connect,
	.send = posix_send,
	.recv = recv,
	.shutdown = shutdown,
	.close = close,
	.setsockopt = setsockopt,
	.getsockopt = getsockopt,
	.add = posix_add,
	.mod = posix_mod,
	.wait = posix_wait,
	.discard = posix_discard,
};

/* ---- our stack ---- */

struct on_stack {
	struct pb_stack *stack;
	struct pb_ready *ready;
};

static uint32_t to_ready(uint32_t events)
{
	return (events & PERF_IN ? (uint32_t)PB_READY_IN : 0) |
	       (events & PERF_OUT ? (uint32_t)PB_READY_OUT : 0);
}

static int stack_add(struct perf_net *net, int s, uint32_t events, void *user)
{
	struct on_stack *on = net->impl;

	return pb_ready_add(on->ready, s, to_ready(events), user);
}

static int stack_mod(struct perf_net *net, int s, uint32_t events, void *user)
{
	struct on_stack *on = net->impl;

	return pb_ready_mod(on->ready, s, to_ready(events), user);
}

static int stack_wait(struct perf_net *net, struct perf_event *out, int n,
		      uint64_t until_ns)
{
	struct on_stack *on = net->impl;
	struct pb_event ev[BATCH];

	for (;;) {
		uint64_t now = pb_clock();
		uint64_t due = pb_turn(now);
		int got = pb_ready_wait(on->ready, ev, n < BATCH ? n : BATCH);

		for (int i = 0; i < got; i++) {
			out[i] = (struct perf_event){ .user = ev[i].user };
			if (ev[i].events & PB_READY_IN)
				out[i].events |= PERF_IN;
			if (ev[i].events & PB_READY_OUT)
				out[i].events |= PERF_OUT;
			if (ev[i].events & (PB_READY_HUP | PB_READY_ERR))
				out[i].events |= PERF_HUP;
		}
		if (got || now >= until_ns)
			return got;
		if (due > now)
			pb_wait(due < until_ns ? due : until_ns);
	}
}

static ssize_t stack_discard(int s, void *scratch, size_t len)
{
	return pb_recv(s, scratch, len, 0);
}

static ssize_t stack_discard_zc(int s, void *scratch, size_t len)
{
	struct pb_zc zc;
	int got = pb_zc_recv_buf(s, &zc);

	(void)scratch;
	(void)len;
	if (got > 0)
		pb_zc_recv_done(s, &zc);
	return got > 0 ? (ssize_t)zc.len : got;
}

#define STACK_OPS(discard_fn)                                                    \
	{                                                                        \
		.name = "stack", .socket = pb_socket, .bind = pb_bind,           \
		.listen = pb_listen, .accept = pb_accept, .connect = pb_connect, \
		.send = pb_send, .recv = pb_recv, .shutdown = pb_shutdown,       \
		.close = pb_close, .setsockopt = pb_setsockopt,                  \
		.getsockopt = pb_getsockopt, .add = stack_add, .mod = stack_mod, \
		.wait = stack_wait, .discard = discard_fn,                       \
	}

static const struct perf_ops stack_ops = STACK_OPS(stack_discard);
static const struct perf_ops stack_zc_ops = STACK_OPS(stack_discard_zc);

/* Turns until DHCP found an address.  0, or -1 after a line on standard error. */
static int await_lease(struct pb_core *core)
{
	uint64_t end_ns = pb_clock() + LEASE_S * NS_PER_S;
	char text[INET_ADDRSTRLEN];
	struct pb_dhcp_info lease;

	do {
		uint64_t now_ns = pb_clock(), due_ns = pb_turn(now_ns);

		pb_dhcp_get(core, &lease);
		if (lease.addr.s_addr == INADDR_ANY && due_ns > now_ns)
			pb_wait(due_ns < end_ns ? due_ns : end_ns);
	} while (lease.addr.s_addr == INADDR_ANY && pb_clock() < end_ns);
	if (lease.addr.s_addr == INADDR_ANY) {
		fprintf(stderr, "pbperf: no DHCP server gave an address within %d s\n",
			LEASE_S);
		return -1;
	}
	printf("pbperf: address %s/%u\n",
	       inet_ntop(AF_INET, &lease.addr, text, sizeof(text)), lease.bits);
	fflush(stdout);
	return 0;
}

static int open_stack(struct perf_net *net, const struct perf_conf *conf)
{
	struct on_stack *on = calloc(1, sizeof(*on));
	struct pb_stack_conf sc;
	char error[PB_ERROR_LEN];

	if (!on)
		return -1;
	pb_stack_conf_init(&sc);
	sc.port = conf->port;
	sc.addr = conf->addr;
	sc.dhcp = conf->dhcp;
	sc.probe_addr = conf->dhcp;
	sc.gateway = conf->gateway;
	sc.host_addr = conf->host_addr;
	sc.addr6 = conf->addr6;
	sc.gateway6 = conf->gateway6;
	sc.host_addr6 = conf->host_addr6;
	sc.mtu = conf->mtu;
	if (conf->cc)
		sc.cc = conf->cc;
	if (conf->buffers)
		sc.rcvbuf = sc.sndbuf = conf->buffers;
	sc.offload = !conf->no_offload;
	if (pb_stack_open(&sc, &on->stack, error)) {
		fprintf(stderr, "pbperf: %s\n", error);
		free(on);
		return -1;
	}
	pb_core_use(pb_stack_core(on->stack, 0));
	if (conf->dhcp && await_lease(pb_stack_core(on->stack, 0))) {
		pb_stack_close(on->stack);
		free(on);
		return -1;
	}
	on->ready = pb_ready_new();
	if (!on->ready) {
		perror("pbperf");
		pb_stack_close(on->stack);
		free(on);
		return -1;
	}
	*net = (struct perf_net){
		.ops = conf->zero_copy ? &stack_zc_ops : &stack_ops,
		.impl = on,
	};
	return 0;
}

int perf_net_open(struct perf_net *net, const struct perf_conf *conf)
{
	int epfd;

	if (conf->stack)
		return open_stack(net, conf);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0) {
		perror("pbperf: epoll_create1");
		return -1;
	}
	*net = (struct perf_net){
		.ops = &posix_ops,
		.impl = (void *)(intptr_t)epfd,
		.cc = conf->cc,
	};
	return 0;
}

int perf_net_socket(struct perf_net *net, int domain)
{
	int s = net->ops->socket(domain, SOCK_STREAM, 0);
	int err;

	if (s < 0 || !net->cc ||
	    !net->ops->setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, net->cc,
				  (socklen_t)strlen(net->cc)))
		return s;
	err = errno;
	net->ops->close(s);
	errno = err;
	return -1;
}

void perf_net_drain(struct perf_net *net)
{
	if (net->ops == &posix_ops)
		return;
	if (pb_drain(pb_clock() + DRAIN_S * NS_PER_S))
		fprintf(stderr,
			"pbperf: connections are left that did not end within %d s\n",
			DRAIN_S);
}

void perf_net_close(struct perf_net *net)
{
	struct on_stack *on = net->impl;

	if (net->ops == &posix_ops) {
		close((int)(intptr_t)net->impl);
		return;
	}
	pb_ready_free(on->ready);
	pb_stack_close(on->stack);
	free(on);
}

void perf_net_say_out(const struct perf_net *net)
{
	const struct on_stack *on = net->impl;
	struct pb_out out;

	if (net->ops == &posix_ops)
		return;
	pb_out_get(pb_stack_core(on->stack, 0), &out);
	printf("pbperf: out: %u packets, %u buffers, %u connections, %u sockets, "
	       "%u half-open, %u in TIME-WAIT, %u timers\n",
	       out.packets, out.buffers, out.conns, out.sockets, out.half_open,
	       out.time_wait, out.timers);
}
