/*
 * wire: a bad wire between two network devices that it makes, for hosts that are to meet
 * the same luck.
 *
 *	wire rate=100M,queue=256000,delay=10ms,loss=1%,seed=7 wa wb
 *
 * What enters TAP wa comes out of wb and the other way round, each direction through the
 * model of eth/port_fault.c.  Whoever starts it moves the devices to the namespaces of the
 * two hosts; each of them is the kernel there, or our stack by "packet:wa".  Neither
 * device has offloads: the wire sees the frames a real one would.
 *
 * Prints "wire: up" when both are there, and at the end what was lost of it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "eth/port.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"

enum {
	ENDS = 2,
	N_PKTS = 4096, /* only those of one burst are out: what is under way is copied */
	NAME_LEN = 2 * PORT_NAME_LEN,
	LOOK_MS = 250, /* at the longest between looks whether a signal came */
};

struct wire {
	struct pkt_pool pool;
	struct port *end[ENDS];
	int epoll_fd;
};

/* The signal that came.  A handler reaches nothing else. */
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static int open_end(struct wire *w, unsigned i, const char *name)
{
	struct port_conf conf = { .pool = &w->pool };
	struct epoll_event ev = { .events = EPOLLIN };
	char error[PORT_ERROR_LEN];

	if (port_open(name, &conf, &w->end[i], error)) {
		fprintf(stderr, "wire: %s\n", error);
		return -1;
	}
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->end[i]->fd, &ev) < 0) {
		perror("wire: epoll_ctl");
		return -1;
	}
	return 0;
}

/* End 0 is the one with the faults, for both directions. */
static int open_ends(struct wire *w, const char *what, const char *a, const char *b)
{
	char name[NAME_LEN];

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0 || pkt_pool_init(&w->pool, N_PKTS, N_PKTS)) {
		perror("wire");
		return -1;
	}
	snprintf(name, sizeof(name), "fault:%s:tap:%s", what, a);
	if (open_end(w, 0, name))
		return -1;
	snprintf(name, sizeof(name), "tap:%s", b);
	return open_end(w, 1, name);
}

/* A burst from @from to @to; false: it was not a full one. */
static bool carry(struct port *from, struct port *to, uint64_t now_ns)
{
	struct pkt *burst[PORT_BURST];
	unsigned n = port_rx_burst(from, burst, PORT_BURST, now_ns);

	port_tx_burst(to, burst, n, now_ns);
	return n == PORT_BURST;
}

static void run(struct wire *w)
{
	struct epoll_event ev[ENDS];

	while (!stop) {
		uint64_t now_ns = clock_now_ns();
		bool more = carry(w->end[1], w->end[0], now_ns);

		more |= carry(w->end[0], w->end[1], now_ns);
		if (!more)
			epoll_wait(w->epoll_fd, ev, ENDS, LOOK_MS);
	}
}

static void say(const struct wire *w)
{
	const struct port_stats *a = &w->end[0]->stats, *b = &w->end[1]->stats;

	printf("wire: %llu frames from the first end, %llu from the second; %llu lost as "
	       "asked for, %llu for want of memory, %llu refused by a device\n",
	       (unsigned long long)a->rx_packets, (unsigned long long)b->rx_packets,
	       (unsigned long long)a->fault_lost,
	       (unsigned long long)(a->rx_no_memory + b->rx_no_memory + a->tx_no_memory +
				    b->tx_no_memory),
	       (unsigned long long)(a->tx_dropped + b->tx_dropped));
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct wire w = { .epoll_fd = -1 };
	int status = 1;

	if (argc != 1 + 3) {
		fputs("usage: wire WHAT TAP TAP, WHAT as of \"fault:WHAT:PORT\"\n",
		      stderr);
		return 2;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!open_ends(&w, argv[1], argv[2], argv[3])) {
		puts("wire: up");
		fflush(stdout);
		run(&w);
		say(&w);
		status = 0;
	}
	for (unsigned i = 0; i < ENDS; i++) {
		if (w.end[i])
			port_close(w.end[i]);
	}
	if (w.epoll_fd >= 0) {
		close(w.epoll_fd);
		pkt_pool_fini(&w.pool);
	}
	return status;
}
