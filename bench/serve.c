#include "bench/serve.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/perf_net.h"
#include "stack/base/clock.h"

enum {
	CHUNK = 256 * 1024,
	EVENTS = 64,
	BACKLOG = 4096,
	CHARGEN_LINE = 72, /* RFC 864: 72 of the 95 printing characters a line */
	CHARGEN_CYCLE = 95 * (CHARGEN_LINE + 2),
	ROUNDS_MAX = 16, /* reads or writes of one connection before others */
};

struct service;

struct conn {
	struct service *of; /* NULL: a listener, then @listens says for what */
	struct service *listens;
	int s;
	size_t at;     /* chargen: where in the cycle */
	char *pending; /* echo: read but not yet written, or NULL */
	size_t n_pending, done;
	struct conn *next, **pprev;
};

struct serve {
	struct perf_net *net;
	char *scratch; /* CHUNK bytes */
	char *chars;   /* one cycle longer than a chunk */
	struct conn *conns;
	unsigned n_conns, conns_max; /* without listeners */
};

/* Serves one connection that has news.  False: it is over. */
struct service {
	const char *name;
	uint16_t port;
	uint32_t wants;
	bool (*run)(struct serve *sv, struct conn *c, uint32_t events);
};

static bool discard_run(struct serve *sv, struct conn *c, uint32_t events)
{
	(void)events;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = sv->net->ops->discard(c->s, sv->scratch, CHUNK);

		if (n <= 0)
			return n < 0 && errno == EAGAIN;
	}
	return true;
}

static bool chargen_run(struct serve *sv, struct conn *c, uint32_t events)
{
	if (events & PERF_IN) {
		ssize_t n = sv->net->ops->recv(c->s, sv->scratch, CHUNK, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
	}
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = sv->net->ops->send(c->s, sv->chars + c->at, CHUNK, 0);

		if (n < 0)
			return errno == EAGAIN;
		c->at = (c->at + (size_t)n) % CHARGEN_CYCLE;
	}
	return true;
}

/* Writes what waits.  1: all gone, 0: the peer does not read, -1: over. */
static int echo_flush(struct serve *sv, struct conn *c)
{
	while (c->done < c->n_pending) {
		ssize_t n = sv->net->ops->send(c->s, c->pending + c->done,
					       c->n_pending - c->done, 0);

		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		c->done += (size_t)n;
	}
	free(c->pending);
	c->pending = NULL;
	c->n_pending = c->done = 0;
	return 1;
}

/* Keeps the tail of the scratch buffer for later. */
static bool echo_keep(struct serve *sv, struct conn *c, size_t from, size_t to)
{
	c->pending = malloc(to - from);
	if (!c->pending)
		return false;
	memcpy(c->pending, sv->scratch + from, to - from);
	c->n_pending = to - from;
	return sv->net->ops->mod(sv->net, c->s, PERF_OUT, c) == 0;
}

static bool echo_run(struct serve *sv, struct conn *c, uint32_t events)
{
	const struct perf_ops *ops = sv->net->ops;

	(void)events;
	if (c->pending) {
		int r = echo_flush(sv, c);

		if (r <= 0)
			return r == 0;
		if (ops->mod(sv->net, c->s, PERF_IN, c) < 0)
			return false;
	}
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = ops->recv(c->s, sv->scratch, CHUNK, 0);
		ssize_t sent;

		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		sent = ops->send(c->s, sv->scratch, (size_t)n, 0);
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0)
			sent = 0;
		if (sent < n)
			return echo_keep(sv, c, (size_t)sent, (size_t)n);
	}
	return true;
}

static void conn_close(struct serve *sv, struct conn *c)
{
	sv->net->ops->close(c->s);
	if (c->next)
		c->next->pprev = c->pprev;
	*c->pprev = c->next;
	sv->n_conns -= c->of != NULL;
	free(c->pending);
	free(c);
}

/* Owns socket @s from here on.  NULL: no memory, and @s is closed. */
static struct conn *conn_new(struct serve *sv, int s, uint32_t wants)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || sv->net->ops->add(sv->net, s, wants, c) < 0) {
		sv->net->ops->close(s);
		free(c);
		return NULL;
	}
	c->s = s;
	c->next = sv->conns;
	c->pprev = &sv->conns;
	if (c->next)
		c->next->pprev = &c->next;
	sv->conns = c;
	return c;
}

static void accept_all(struct serve *sv, struct conn *listener)
{
	struct service *of = listener->listens;
	int s;

	while ((s = sv->net->ops->accept(listener->s, NULL, NULL)) >= 0) {
		struct conn *c;

		if (sv->n_conns >= sv->conns_max) {
			sv->net->ops->close(s);
			continue;
		}
		c = conn_new(sv, s, of->wants);
		if (c) {
			c->of = of;
			sv->n_conns++;
		}
	}
}

/* 0 or -1: a listener of both families, or (on a host without IPv6) of IPv4. */
static int bind_any(const struct perf_ops *ops, int s, bool is_ip6, uint16_t port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, zero = 0;

	if (ops->setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -1;
	if (!is_ip6)
		return ops->bind(s, (struct sockaddr *)&any, sizeof(any));
	if (ops->setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)))
		return -1;
	return ops->bind(s, (struct sockaddr *)&any6, sizeof(any6));
}

static int listen_for(struct serve *sv, struct service *service)
{
	const struct perf_ops *ops = sv->net->ops;
	int s = perf_net_socket(sv->net, AF_INET6);
	bool is_ip6 = s >= 0;
	struct conn *c;

	if (s < 0 && errno == EAFNOSUPPORT)
		s = perf_net_socket(sv->net, AF_INET);
	if (s < 0 || bind_any(ops, s, is_ip6, service->port) || ops->listen(s, BACKLOG)) {
		fprintf(stderr, "pbperf: %s on port %u: %s\n", service->name,
			service->port, strerror(errno));
		if (s >= 0)
			ops->close(s);
		return -1;
	}
	c = conn_new(sv, s, PERF_IN);
	if (!c)
		return -1;
	c->listens = service;
	return 0;
}

static void fill_chars(char *chars, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t line = i / (CHARGEN_LINE + 2), col = i % (CHARGEN_LINE + 2);

		if (col < CHARGEN_LINE)
			chars[i] = (char)(' ' + (line + col) % 95);
		else
			chars[i] = col == CHARGEN_LINE ? '\r' : '\n';
	}
}

static void serve_loop(struct serve *sv, const volatile sig_atomic_t *stop)
{
	struct perf_event ev[EVENTS];

	while (!*stop) {
		int n = sv->net->ops->wait(sv->net, ev, EVENTS,
					   clock_now_ns() + NS_PER_S / 4);

		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].user;

			if (!c->of)
				accept_all(sv, c);
			else if (!c->of->run(sv, c, ev[i].events))
				conn_close(sv, c);
		}
	}
}

int serve_run(struct perf_net *net, uint16_t base, unsigned conns_max,
	      const volatile sig_atomic_t *stop)
{
	struct service services[] = {
		{ "echo", (uint16_t)(base + 7), PERF_IN, echo_run },
		{ "discard", (uint16_t)(base + 9), PERF_IN, discard_run },
		{ "chargen", (uint16_t)(base + 19), PERF_IN | PERF_OUT, chargen_run },
	};
	struct serve sv = { .net = net, .conns_max = conns_max };
	int err = -1;

	sv.scratch = malloc(CHUNK);
	sv.chars = malloc(CHUNK + CHARGEN_CYCLE);
	if (!sv.scratch || !sv.chars) {
		fprintf(stderr, "pbperf: no memory\n");
		goto out;
	}
	fill_chars(sv.chars, CHUNK + CHARGEN_CYCLE);
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (listen_for(&sv, &services[i]))
			goto out;
	}
	printf("pbperf: %s net: echo on %u, discard on %u, chargen on %u\n",
	       net->ops->name, services[0].port, services[1].port, services[2].port);
	fflush(stdout);
	serve_loop(&sv, stop);
	err = 0;
out:
	while (sv.conns)
		conn_close(&sv, sv.conns);
	free(sv.chars);
	free(sv.scratch);
	return err;
}
