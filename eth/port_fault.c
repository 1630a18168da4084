/*
 * "fault:WHAT:PORT": any other port at the end of a bad wire, in real time.
 *
 *	fault:rate=56k,delay=150ms,loss=2%:tun:pb0
 *
 *	rate=BITS		bits a second, with k, M or G (of 1000)
 *	delay=TIME jitter=TIME	with ns, us, ms or s
 *	queue=BYTES		that wait for the wire; frames beyond are lost
 *	loss=P duplicate=P corrupt=P reorder=P	a frame's chance in per cent, "2%"
 *	late=TIME		of those that are reordered
 *	seed=N			another luck
 *
 * Frames of both directions, each with its own luck, go through the model that links
 * of a simulation have (port_sim.h).  What has crossed the wire is handed on at the next
 * turn: a timer in the port's descriptor wakes the core for it.  The port below is used
 * without offloads: a wire carries frames, not super-frames.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "eth/port_impl.h"
#include "eth/sim_dir.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"

enum { OUT, IN, WAYS };

struct port_fault {
	struct port port;
	struct port *inner; /* owned */
	struct sim_dir way[WAYS];
	int timer_fd; /* -1: @inner is polled, and so are we */
	uint64_t armed_ns;
};

/* What the text says. */
struct fault {
	struct sim_dir_conf conf;
	uint64_t queue, seed;
};

/* Wakes the core when the next frame has crossed. */
static void arm(struct port_fault *pf)
{
	uint64_t out = sim_dir_due(&pf->way[OUT]), in = sim_dir_due(&pf->way[IN]);
	uint64_t due = out < in ? out : in;
	struct itimerspec when = { 0 };

	if (pf->timer_fd < 0 || due == pf->armed_ns)
		return;
	pf->armed_ns = due;
	if (due != UINT64_MAX) {
		due = due ? due : 1; /* 0 would stop it */
		when.it_value.tv_sec = (time_t)(due / NS_PER_S);
		when.it_value.tv_nsec = (long)(due % NS_PER_S);
	}
	timerfd_settime(pf->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void take_from_inner(struct port_fault *pf, uint64_t now_ns)
{
	struct pkt *burst[PORT_BURST];
	unsigned n = port_rx_burst(pf->inner, burst, PORT_BURST, now_ns);

	for (unsigned i = 0; i < n; i++) {
		sim_dir_send(&pf->way[IN], burst[i], now_ns);
		pkt_free(burst[i]);
	}
}

/* Up to @n frames that have crossed; frames without memory are lost. */
static unsigned take_arrived(struct port_fault *pf, unsigned way, struct pkt **burst,
			     unsigned n, uint64_t now_ns)
{
	struct sim_frame *f;
	unsigned done = 0;

	while (done < n && (f = sim_dir_take(&pf->way[way], now_ns))) {
		burst[done] = port_pkt(pf->port.pool, f->bytes, f->len);
		if (burst[done])
			done++;
		else if (way == IN)
			pf->port.stats.rx_no_memory++;
		else
			pf->port.stats.tx_no_memory++;
		free(f);
	}
	return done;
}

static void give_to_inner(struct port_fault *pf, uint64_t now_ns)
{
	struct pkt *burst[PORT_BURST];
	unsigned n;

	while ((n = take_arrived(pf, OUT, burst, PORT_BURST, now_ns)))
		port_tx_burst(pf->inner, burst, n, now_ns);
}

/* The device's own losses are ours too. */
static void share_stats(struct port_fault *pf)
{
	const struct port_stats *inner = &pf->inner->stats;
	struct port_stats *s = &pf->port.stats;

	s->rx_missed = inner->rx_missed;
	s->rx_bad = inner->rx_bad;
	s->tx_dropped = inner->tx_dropped;
	s->fault_lost = 0;
	for (unsigned i = 0; i < WAYS; i++) {
		const struct sim_stats *way = &pf->way[i].stats;

		s->fault_lost +=
			way->lost + way->queue_full + way->flight_full + way->too_long;
	}
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_fault *pf = container_of(port, struct port_fault, port);
	unsigned done;

	take_from_inner(pf, now_ns);
	give_to_inner(pf, now_ns);
	done = take_arrived(pf, IN, burst, n, now_ns);
	for (unsigned i = 0; i < done; i++)
		port_count_rx(port, burst[i], now_ns);
	arm(pf);
	share_stats(pf);
	return done;
}

static void tx_burst(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct port_fault *pf = container_of(port, struct port_fault, port);

	for (unsigned i = 0; i < n; i++) {
		port_count_tx(port, burst[i]);
		sim_dir_send(&pf->way[OUT], burst[i], now_ns);
		pkt_free(burst[i]);
	}
	arm(pf);
}

static void fault_close(struct port *port)
{
	struct port_fault *pf = container_of(port, struct port_fault, port);

	for (unsigned i = 0; i < WAYS; i++)
		sim_dir_fini(&pf->way[i]);
	port_close(pf->inner);
	if (pf->timer_fd >= 0)
		close(pf->timer_fd);
	if (port->fd >= 0)
		close(port->fd);
	free(pf);
}

struct unit {
	const char *name;
	double factor;
};

/* "56k": a number, at least 0, with one of @units behind it. */
static bool read_number(const char *text, const struct unit *units, double max,
			double *value)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || text[0] < '0' || text[0] > '9')
		return false;
	while (units->name && strcmp(units->name, end) != 0)
		units++;
	if (!units->name || v * units->factor > max)
		return false;
	*value = v * units->factor;
	return true;
}

enum { RATE_MAX_GBPS = 1000, TIME_MAX_S = 60 };

static bool read_part(struct fault *f, const char *name, const char *text)
{
	static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };
	static const struct unit bits[] = {
		{ "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 }
	};
	static const struct unit times[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { NULL, 0 }
	};
	static const struct unit chance[] = { { "%", 0.01 }, { NULL, 0 } };
	const struct {
		const char *name;
		const struct unit *units;
		double max, *chance;
		uint64_t *number;
	} parts[] = {
		{ "rate", bits, RATE_MAX_GBPS * 1e9, NULL, &f->conf.rate_bps },
		{ "delay", times, TIME_MAX_S * 1e9, NULL, &f->conf.delay_ns },
		{ "jitter", times, TIME_MAX_S * 1e9, NULL, &f->conf.jitter_ns },
		{ "late", times, TIME_MAX_S * 1e9, NULL, &f->conf.reorder_ns },
		{ "loss", chance, 1, &f->conf.loss, NULL },
		{ "duplicate", chance, 1, &f->conf.duplicate, NULL },
		{ "corrupt", chance, 1, &f->conf.corrupt, NULL },
		{ "reorder", chance, 1, &f->conf.reorder, NULL },
		{ "queue", plain, SIM_FLIGHT_BYTES_MAX, NULL, &f->queue },
		{ "seed", plain, 1e15, NULL, &f->seed },
	};
	double value;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strcmp(parts[i].name, name) != 0)
			continue;
		if (!read_number(text, parts[i].units, parts[i].max, &value))
			return false;
		if (parts[i].chance)
			*parts[i].chance = value;
		else
			*parts[i].number = (uint64_t)value;
		return true;
	}
	return false;
}

/* "rate=56k,loss=2%"; NULL, or the part that is wrong.  @text is cut up. */
static const char *read_fault(char *text, struct fault *f)
{
	char *part;

	*f = (struct fault){ .seed = 1 };
	while ((part = strsep(&text, ","))) {
		char *value = strchr(part, '=');

		if (!value)
			return part;
		*value++ = 0;
		if (!read_part(f, part, value))
			return part;
	}
	f->conf.queue_bytes = (uint32_t)f->queue;
	return NULL;
}

/* A descriptor that is readable when @inner's is, or the timer went.  0 or -errno. */
static int watch(struct port_fault *pf)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (pf->inner->fd < 0)
		return 0;
	pf->port.fd = epoll_create1(EPOLL_CLOEXEC);
	pf->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pf->port.fd < 0 || pf->timer_fd < 0 ||
	    epoll_ctl(pf->port.fd, EPOLL_CTL_ADD, pf->inner->fd, &ev) < 0 ||
	    epoll_ctl(pf->port.fd, EPOLL_CTL_ADD, pf->timer_fd, &ev) < 0)
		return -errno;
	return 0;
}

/* Around pf->inner. */
static int wrap(struct port_fault *pf, struct fault *f)
{
	pf->port = *pf->inner;
	pf->port.ops = &port_fault_ops;
	pf->port.fd = pf->timer_fd = -1;
	pf->armed_ns = UINT64_MAX;
	f->conf.mtu = pf->inner->mtu;
	for (unsigned i = 0; i < WAYS; i++)
		sim_dir_init(&pf->way[i], &f->conf, f->seed * WAYS + i);
	return watch(pf);
}

static int fault_open(const char *arg, const struct port_conf *conf, struct port **port,
		      char error[static PORT_ERROR_LEN])
{
	const char *colon = strchr(arg, ':'), *bad;
	struct port_conf plain = *conf;
	char text[PORT_NAME_LEN];
	struct port_fault *pf;
	struct fault f;
	int err;

	if (!colon)
		return port_error(EINVAL, error, "fault:%.60s is not fault:WHAT:PORT",
				  arg);
	snprintf(text, sizeof(text), "%.*s", (int)(colon - arg), arg);
	bad = read_fault(text, &f);
	if (bad)
		return port_error(
			EINVAL, error,
			"fault: \"%.60s\" has no value, or none that can be: as "
			"rate=56k, delay=150ms, loss=2%%",
			bad);
	pf = calloc(1, sizeof(*pf));
	if (!pf)
		return port_error(ENOMEM, error, "fault: no memory");
	plain.offload = false;
	err = port_open(colon + 1, &plain, &pf->inner, error);
	if (err) {
		free(pf);
		return err;
	}
	err = wrap(pf, &f);
	if (err) {
		fault_close(&pf->port);
		return port_error(-err, error, "fault: %s", strerror(-err));
	}
	*port = &pf->port;
	return 0;
}

const struct port_ops port_fault_ops = {
	.name = "fault",
	.open = fault_open,
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = fault_close,
};
