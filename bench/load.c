#include "bench/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/perf_net.h"
#include "stack/base/clock.h"

enum {
	CHUNK = 256 * 1024,
	EVENTS = 64,
	ROUNDS_MAX = 16,
	STUCK_S = 20,  /* no progress for so long is a failure */
	LOOK_MS = 250, /* at the longest between looks whether a signal came */
	ECHO = 7,
	DISCARD = 9,
	CHARGEN = 19,
};

struct stream {
	int s;
	bool connected;
	unsigned sent, got; /* crr: bytes of this round */
};

struct run {
	struct perf_net *net;
	const struct load *load;
	struct stream *streams;
	char *scratch;
	char *request; /* crr */
	uint64_t bytes;
	uint64_t n_done, n_failed, n_begun;
	uint64_t progress_ns;
};

static double cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/*
 * Seconds that all processors were busy since boot, for whomever: user, system and
 * interrupts.  On a TAP the peer's work is done in our write, and the other way round,
 * so only the sum says what a byte costs.
 */
static double machine_seconds(void)
{
	unsigned long long user, nice, sys, idle, iowait, irq, softirq;
	FILE *f = fopen("/proc/stat", "re");
	int n = 0;

	if (f) {
		n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
			   &sys, &idle, &iowait, &irq, &softirq);
		fclose(f);
	}
	if (n != 7)
		return 0;
	return (double)(user + nice + sys + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

static int fail(const char *what)
{
	fprintf(stderr, "pbperf: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Where service @port of the server is. */
static socklen_t where(const struct load *l, uint16_t port, struct sockaddr_storage *sa)
{
	uint16_t at = htons((uint16_t)(l->base + port));
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = at };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = at };

	if (l->to.family == ADDR_IP6) {
		memcpy(&in6.sin6_addr, &l->to.ip6, sizeof(in6.sin6_addr));
		memcpy(sa, &in6, sizeof(in6));
		return sizeof(in6);
	}
	memcpy(&in.sin_addr, &l->to.ip4, sizeof(in.sin_addr));
	memcpy(sa, &in, sizeof(in));
	return sizeof(in);
}

/* A new connection to service @port of the server, as stream @st. */
static int begin(struct run *r, struct stream *st, uint16_t port, uint32_t events)
{
	const struct perf_ops *ops = r->net->ops;
	struct sockaddr_storage to;
	socklen_t len = where(r->load, port, &to);

	*st = (struct stream){ .s = perf_net_socket(r->net, to.ss_family) };
	if (st->s < 0)
		return fail("socket");
	if (ops->connect(st->s, (struct sockaddr *)&to, len) && errno != EINPROGRESS) {
		fail("connect");
		goto no;
	}
	if (!ops->add(r->net, st->s, events, st))
		return 0;
	fail("poll");
no:
	ops->close(st->s);
	st->s = -1;
	return -1;
}

/* The error of a connection that did not come about. */
static int why(struct run *r, const struct stream *st)
{
	int err = 0;
	socklen_t len = sizeof(err);

	r->net->ops->getsockopt(st->s, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static int prepare(struct run *r, struct perf_net *net, const struct load *load)
{
	*r = (struct run){ .net = net, .load = load };
	r->streams = calloc(load->n_conns, sizeof(*r->streams));
	r->scratch = calloc(1, CHUNK);
	r->request = malloc(LOAD_SIZE_MAX);
	if (!r->streams || !r->scratch || !r->request)
		return fail("memory");
	for (unsigned i = 0; i < load->n_conns; i++)
		r->streams[i].s = -1;
	for (unsigned i = 0; i < LOAD_SIZE_MAX; i++)
		r->request[i] = (char)(i * 31 + 7);
	return 0;
}

static void finish(struct run *r)
{
	for (unsigned i = 0; r->streams && i < r->load->n_conns; i++) {
		if (r->streams[i].s >= 0)
			r->net->ops->close(r->streams[i].s);
	}
	free(r->streams);
	free(r->scratch);
	free(r->request);
}

/* ---- bulk ---- */

static int bulk_stream(struct run *r, struct stream *st)
{
	const struct perf_ops *ops = r->net->ops;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = r->load->reverse ? ops->discard(st->s, r->scratch, CHUNK) :
					       ops->send(st->s, r->scratch, CHUNK, 0);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return fail("stream");
		if (n == 0) {
			fprintf(stderr, "pbperf: the server closed a stream\n");
			return -1;
		}
		r->bytes += (uint64_t)n;
	}
	return 0;
}

/* Runs all streams until @until_ns, or a signal. */
static int bulk_until(struct run *r, uint64_t until_ns)
{
	struct perf_event ev[EVENTS];
	uint64_t now;

	while (!*r->load->stop && (now = clock_now_ns()) < until_ns) {
		uint64_t look_ns = now + LOOK_MS * NS_PER_MS;
		int n = r->net->ops->wait(r->net, ev, EVENTS,
					  look_ns < until_ns ? look_ns : until_ns);

		for (int i = 0; i < n; i++) {
			if (bulk_stream(r, ev[i].user))
				return -1;
		}
	}
	return 0;
}

static void bulk_report(const struct run *r, double seconds, double cpu, double machine)
{
	const struct load *l = r->load;
	double gbit = (double)r->bytes * 8 / seconds / 1e9;
	double gb = (double)r->bytes / 1e9;

	if (l->json)
		fprintf(l->out,
			"{\"mode\":\"bulk\",\"net\":\"%s\",\"streams\":%u,\"reverse\":%s,"
			"\"bytes\":%llu,\"seconds\":%.3f,\"gbit_s\":%.3f,\"cpu_s\":%.3f,"
			"\"machine_cpu_s\":%.3f}\n",
			r->net->ops->name, l->n_conns, l->reverse ? "true" : "false",
			(unsigned long long)r->bytes, seconds, gbit, cpu, machine);
	else
		fprintf(l->out,
			"%s net, %u streams, %s: %.2f Gbit/s; CPU seconds per GB: %.3f "
			"here, "
			"%.3f of the whole machine\n",
			r->net->ops->name, l->n_conns,
			l->reverse ? "receiving" : "sending", gbit, cpu / gb,
			machine / gb);
}

static int nothing_moved(const struct run *r)
{
	if (r->bytes || *r->load->stop)
		return 0;
	fprintf(stderr, "pbperf: nothing moved\n");
	return -1;
}

/* What comes before is not measured. */
static int bulk_measure(struct run *r)
{
	uint64_t began = clock_now_ns();
	double cpu = cpu_seconds(), machine = machine_seconds();
	int err;

	r->bytes = 0;
	err = bulk_until(r, began + r->load->seconds * NS_PER_S);
	if (!err)
		err = nothing_moved(r);
	if (!err && r->bytes)
		bulk_report(r, (double)(clock_now_ns() - began) / 1e9,
			    cpu_seconds() - cpu, machine_seconds() - machine);
	return err;
}

int load_bulk(struct perf_net *net, const struct load *load)
{
	struct run r;
	int err = prepare(&r, net, load);

	for (unsigned i = 0; i < load->n_conns && !err; i++)
		err = begin(&r, &r.streams[i], load->reverse ? CHARGEN : DISCARD,
			    load->reverse ? PERF_IN : PERF_OUT);
	if (!err)
		err = bulk_until(&r, clock_now_ns() + load->warm_ms * NS_PER_MS);
	if (!err && load->warm_ms)
		err = nothing_moved(&r);
	if (!err)
		err = bulk_measure(&r);
	finish(&r);
	return err;
}

/* ---- connect, request, close ---- */

/* The next connection on this stream, as long as there are more to make. */
static int crr_next(struct run *r, struct stream *st)
{
	r->progress_ns = clock_now_ns();
	if (st->s >= 0)
		r->net->ops->close(st->s);
	st->s = -1;
	if (r->n_begun == r->load->n_total)
		return 0;
	r->n_begun++;
	return begin(r, st, ECHO, PERF_IN | PERF_OUT);
}

static int crr_failed(struct run *r, struct stream *st, int err)
{
	if (!r->n_failed++)
		fprintf(stderr, "pbperf: a connection failed: %s\n",
			err ? strerror(err) : "wrong bytes, or closed early");
	return crr_next(r, st);
}

static int crr_send(struct run *r, struct stream *st)
{
	ssize_t n = r->net->ops->send(st->s, r->request + st->sent,
				      r->load->size - st->sent, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : errno;
	st->sent += (unsigned)n;
	if (st->sent == r->load->size)
		r->net->ops->mod(r->net, st->s, PERF_IN, st);
	return 0;
}

static int crr_stream(struct run *r, const struct perf_event *ev)
{
	struct stream *st = ev->user;
	ssize_t n;
	int err;

	if (ev->events & PERF_OUT && st->sent < r->load->size) {
		err = crr_send(r, st);
		if (err)
			return crr_failed(r, st, err);
	}
	if (!(ev->events & (PERF_IN | PERF_HUP)))
		return 0;
	n = r->net->ops->recv(st->s, r->scratch, r->load->size - st->got, 0);
	if (n < 0 && errno == EAGAIN)
		return ev->events & PERF_HUP ? crr_failed(r, st, why(r, st)) : 0;
	if (n <= 0)
		return crr_failed(r, st, n < 0 ? errno : 0);
	if (memcmp(r->scratch, r->request + st->got, (size_t)n))
		return crr_failed(r, st, 0);
	st->got += (unsigned)n;
	if (st->got < r->load->size)
		return 0;
	r->n_done++;
	return crr_next(r, st);
}

static int crr_loop(struct run *r)
{
	struct perf_event ev[EVENTS];

	while (!*r->load->stop && r->n_done + r->n_failed < r->load->n_total) {
		uint64_t now = clock_now_ns();
		int n;

		if (now > r->progress_ns + STUCK_S * NS_PER_S) {
			fprintf(stderr, "pbperf: no progress for %d s\n", STUCK_S);
			return -1;
		}
		n = r->net->ops->wait(r->net, ev, EVENTS, now + LOOK_MS * NS_PER_MS);
		for (int i = 0; i < n; i++) {
			if (crr_stream(r, &ev[i]))
				return -1;
		}
	}
	return 0;
}

static void crr_report(const struct run *r, double seconds)
{
	const struct load *l = r->load;

	if (l->json)
		fprintf(l->out,
			"{\"mode\":\"crr\",\"net\":\"%s\",\"at_a_time\":%u,\"done\":%llu,"
			"\"failed\":%llu,\"seconds\":%.3f,\"per_s\":%.0f}\n",
			r->net->ops->name, l->n_conns, (unsigned long long)r->n_done,
			(unsigned long long)r->n_failed, seconds,
			(double)r->n_done / seconds);
	else
		fprintf(l->out,
			"%s net, %u at a time: %llu connections, %llu failed, %.0f per "
			"second\n",
			r->net->ops->name, l->n_conns, (unsigned long long)r->n_done,
			(unsigned long long)r->n_failed, (double)r->n_done / seconds);
}

int load_crr(struct perf_net *net, const struct load *load)
{
	uint64_t began = clock_now_ns();
	struct run r;
	int err = prepare(&r, net, load);

	for (unsigned i = 0; i < load->n_conns && !err; i++)
		err = crr_next(&r, &r.streams[i]);
	if (!err)
		err = crr_loop(&r);
	crr_report(&r, (double)(clock_now_ns() - began) / 1e9);
	if (r.n_failed)
		err = -1;
	finish(&r);
	return err;
}
