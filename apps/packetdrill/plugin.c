/*
 * The stack under google's packetdrill: libpacketboat-packetdrill.so, for its option
 * --so_filename.  In virtual time, in its process, without root:
 *
 *	packetdrill --so_filename=/usr/local/lib/libpacketboat-packetdrill.so
 *		--so_flags=addr=192.168.0.1/16,gateway=192.168.0.2 ... script.pkt
 *
 * The stack stands on one end of a simulated line; we are the other, and carry IP packets
 * between there and the script.  The clock is ours: it goes on
 * by a microsecond each time somebody reads it, and by leaps when somebody waits.
 *
 * A call that blocks comes from a thread of its own, and the tool goes on when it sees
 * that this sleeps.  Whenever something happened in the stack such a thread has its chance,
 * and we wait until it took it: so that what it does has its time.
 */
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "apps/packetdrill/drill_impl.h"
#include "eth/port.h"
#include "eth/port_sim.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum {
	BUFS = 4096,
	LINE_MTU = 9000,
	RCVBUF = 65535 << 8,
	PATIENCE_S = 5, /* of virtual time, for a packet that does not come */
	FLAGS_MAX = 512,
};

static int drill_netdev_send(void *arg, const void *bytes, size_t len)
{
	struct drill *d = arg;

	drill_enter(d);
	drill_put_packet(d, bytes, len);
	drill_leave(d);
	return 0;
}

static int drill_netdev_receive(void *arg, void *bytes, size_t *len, long long *time_us)
{
	struct drill *d = arg;
	uint64_t end_ns, due;

	drill_enter(d);
	end_ns = d->now_ns + PATIENCE_S * NS_PER_S;
	while (list_empty(&d->sent) && (due = drill_turn(d)) <= end_ns &&
	       list_empty(&d->sent)) {
		d->now_ns = due;
		drill_turn(d);
		drill_let_look(d);
	}
	if (list_empty(&d->sent)) {
		*len = 0;
	} else {
		struct drill_sent *s =
			container_of(list_pop(&d->sent), struct drill_sent, node);

		*len = s->len < *len ? s->len : *len;
		memcpy(bytes, s->bytes, *len);
		*time_us = (long long)(d->base_us + s->at_ns / NS_PER_US);
		free(s);
	}
	drill_leave(d);
	return 0;
}

static int drill_usleep(void *arg, useconds_t us)
{
	struct drill *d = arg;

	drill_enter(d);
	drill_run_until(d, d->now_ns + us * NS_PER_US);
	drill_leave(d);
	return 0;
}

static int drill_gettimeofday(void *arg, struct timeval *tv, struct timezone *tz)
{
	struct drill *d = arg;
	uint64_t us;

	(void)tz;
	drill_enter(d);
	drill_run_until(d, d->now_ns + NS_PER_US);
	us = d->base_us + d->now_ns / NS_PER_US;
	*tv = (struct timeval){ .tv_sec = (time_t)(us / 1000000),
				.tv_usec = (suseconds_t)(us % 1000000) };
	drill_leave(d);
	return 0;
}

static void forget_sent(struct drill *d)
{
	while (!list_empty(&d->sent))
		free(container_of(list_pop(&d->sent), struct drill_sent, node));
}

static void drill_free(void *arg)
{
	struct drill *d = arg;

	pb_core_use(NULL);
	if (d->stack)
		pb_stack_close(d->stack);
	port_close(d->far);
	pkt_pool_fini(&d->pool);
	sim_free(d->sim);
	forget_sent(d);
	free(d);
}

static void fail(const char *why)
{
	fprintf(stderr, "packetboat: %s\n", why);
	exit(1);
}

/* "addr=192.168.0.1/16,gateway=192.168.0.2,mtu=1500,mss=1000,cc=reno,sysctl=/proc/sys" */
static void read_flags(struct drill *d, char *flags)
{
	struct pb_stack_conf *conf = &d->conf;

	while (flags && *flags) {
		char *one = strsep(&flags, ","), *name = strsep(&one, "=");

		if (!one)
			fail("so_flags are NAME=VALUE, with commas between");
		if (strcmp(name, "addr") == 0)
			conf->addr = one;
		else if (strcmp(name, "addr6") == 0)
			conf->addr6 = one;
		else if (strcmp(name, "gateway6") == 0)
			conf->gateway6 = one;
		else if (strcmp(name, "gateway") == 0)
			conf->gateway = one;
		else if (strcmp(name, "cc") == 0)
			conf->cc = one;
		else if (strcmp(name, "mtu") == 0)
			d->mtu = conf->mtu = (unsigned)atoi(one);
		else if (strcmp(name, "mss") == 0)
			d->mss = (unsigned)atoi(one);
		else if (strcmp(name, "sysctl") == 0)
			d->sysctl = one;
		else
			fail("so_flags are addr, addr6, gateway, gateway6, mtu, mss, cc "
			     "and "
			     "sysctl");
	}
}

static void open_wire(struct drill *d)
{
	/* The stack's MTU is the script's to say: the line takes more. */
	const struct sim_link_conf link = { .dir = { { .mtu = LINE_MTU },
						     { .mtu = LINE_MTU } },
					    .offload = true,
					    .point_to_point = true };
	struct port_conf far = { .pool = &d->pool, .offload = true };
	char error[PORT_ERROR_LEN];

	if (pkt_pool_init(&d->pool, BUFS, BUFS) < 0)
		fail("out of memory");
	d->sim = sim_new(1);
	if (!d->sim || sim_link_add(d->sim, "wire", &link) < 0)
		fail("out of memory");
	far.sim = d->sim;
	if (port_open("sim:wire/1", &far, &d->far, error) < 0)
		fail(error);
}

static void set_conf(struct drill *d, const char *flags)
{
	static char copy[FLAGS_MAX];
	struct pb_stack_conf *conf = &d->conf;

	snprintf(copy, sizeof(copy), "%s", flags ? flags : "");
	pb_stack_conf_init(conf);
	conf->port = "sim:wire/0";
	conf->addr = "192.168.0.1/16";
	conf->gateway = "192.168.0.2";
	conf->probe_addr = 0;
	conf->n_bufs = BUFS;
	conf->max_conns = 256;
	/* So that the window scale is what scripts for Linux have. */
	conf->rcvbuf = RCVBUF;
	conf->cc = "cubic";
	conf->now_ns = d->now_ns;
	conf->sim = d->sim;
	d->mtu = conf->mtu = 1500;
	read_flags(d, copy);
}

void drill_open(struct drill *d)
{
	char error[PB_ERROR_LEN];

	drill_sysctl_before(d);
	if (pb_stack_open(&d->conf, &d->stack, error) < 0)
		fail(error);
	d->core = pb_stack_core(d->stack, 0);
	drill_sysctl_after(d);
	pb_core_use(d->core);
	/* It tells its address to everybody. */
	drill_run_until(d, d->now_ns + 10 * NS_PER_S);
	forget_sent(d);
}

/* The tool has asked for real time and locked memory, for a kernel's sake. */
static void calm_down(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	sched_setscheduler(0, SCHED_OTHER, &none);
	munlockall();
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	struct drill *d = calloc(1, sizeof(*d));
	struct timeval now;

	if (!d)
		fail("out of memory");
	calm_down();
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->news, NULL);
	pthread_cond_init(&d->looked, NULL);
	list_init(&d->sent);
	gettimeofday(&now, NULL);
	d->now_ns = NS_PER_S;
	d->base_us = (uint64_t)now.tv_sec * 1000000;
	open_wire(d);
	set_conf(d, flags);
	*ifc = (struct packetdrill_interface){
		.userdata = d,
		.free = drill_free,
		.netdev_send = drill_netdev_send,
		.netdev_receive = drill_netdev_receive,
		.usleep = drill_usleep,
		.gettimeofday = drill_gettimeofday,
	};
	drill_calls(ifc);
	drill_poll_calls(ifc);
}
