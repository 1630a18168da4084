/*
 * A host: a stack, and the port between it and its line.
 *
 * Its event is due when a frame arrived, when a timer of the stack is, or when a program
 * of it did something: then it has one turn, in which its sockets' programs run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/flow.h"
#include "eth/offload.h"
#include "eth/port_impl.h"
#include "eth/port_sim.h"
#include "ip/ip.h"
#include "stack/api/ready.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/core/core.h"
#include "tcp/tcp_impl.h"

enum {
	BUFFER = 4 << 20,
	N_BUFS = 16384,
	BUF_SHARE = 4, /* a received segment takes less than half a buffer of the pool */
	CONNS_MAX = 4096,
	EVENTS = 256,
	STACK_BEGIN_S = 1, /* zero is no time for a stack */
};

#define STACK_TIME(ns) ((ns) + STACK_BEGIN_S * NS_PER_S)

struct host_port {
	struct port port;
	struct host *host;
};

/* ---- the port ---- */

static struct host *host_of(struct port *port)
{
	return container_of(port, struct host_port, port)->host;
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct host *h = host_of(port);
	struct pbsim *s = h->node->s;
	unsigned done = 0;

	while (done < n && !list_empty(&h->arrived)) {
		struct frame *f = container_of(list_pop(&h->arrived), struct frame, node);
		struct pkt *p = port_pkt(port->pool, f->bytes, f->len);

		if (p) {
			p->gso_len = f->gso_len;
			p->flags = f->sum_ok ? PKT_SUM_OK : 0;
			port_count_rx(port, p, now_ns);
			burst[done++] = p;
		} else {
			port->stats.rx_no_memory++;
		}
		frame_free(&s->shop, f);
	}
	return done;
}

/* Takes @p. */
static void send_one(struct host *h, struct pkt *p)
{
	struct pbsim *s = h->node->s;
	struct frame *f = frame_of_pkt(&s->shop, p);

	pkt_free(p);
	if (!f) {
		h->port->stats.tx_dropped++;
		return;
	}
	if (s->segment)
		talk_segment(s, h, f, s->now_ns);
	line_send(h->node->out[0], f, s->now_ns);
}

/* We take super-frames in any case, which spares the stack the sums of their bytes. */
static void send_cut(struct host *h, struct pkt *super)
{
	struct offload_cut cut;
	struct pkt *p;

	offload_cut_start(&cut, super);
	while ((p = offload_cut_next(&cut)))
		send_one(h, p);
	h->port->stats.tx_no_memory += offload_cut_end(&cut);
}

static void tx_burst(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct host *h = host_of(port);

	(void)now_ns;
	for (unsigned i = 0; i < n; i++) {
		port_count_tx(port, burst[i]);
		if (burst[i]->gso_len && !h->node->out[0]->conf.super)
			send_cut(h, burst[i]);
		else
			send_one(h, burst[i]);
	}
}

static void port_end(struct port *port)
{
	struct host *h = host_of(port);
	struct list *node;

	while ((node = list_pop(&h->arrived)))
		frame_free(&h->node->s->shop, container_of(node, struct frame, node));
	h->port = NULL;
	free(container_of(port, struct host_port, port));
}

static const struct port_ops host_port_ops = {
	.name = "host",
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = port_end,
};

int host_open_port(void *ctx, const char *arg, const struct port_conf *conf,
		   struct port **port, char *error)
{
	struct node *n = pbsim_node(ctx, arg);
	struct host_port *hp = calloc(1, sizeof(*hp));
	const struct pbsim_line *line;

	if (!n || !n->host || !hp) {
		free(hp);
		return port_error(ENOENT, error, "no host \"%.60s\"", arg);
	}
	line = &n->out[0]->conf;
	hp->host = n->host;
	hp->port = (struct port){
		.ops = &host_port_ops,
		.mtu = line->mtu,
		.caps = PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6,
		.point_to_point = true,
		.fd = -1,
		.pool = conf->pool,
	};
	n->host->port = *port = &hp->port;
	return 0;
}

/* ---- its turns ---- */

void host_use(struct host *h)
{
	pb_core_use(h->core);
}

void host_wake(struct host *h, uint64_t now_ns)
{
	event_hasten(&h->node->s->heap, &h->event, now_ns);
}

void host_input(struct host *h, struct frame *f)
{
	list_push(&h->arrived, &f->node);
	host_wake(h, h->node->s->now_ns);
}

/*
 * Runs inside the turn, before TCP speaks: what programs write leaves in it.  Who accepts
 * has a new socket, with news of its own, and then there is another round.
 */
static void run_programs(void *arg, uint64_t stack_ns)
{
	struct pb_event events[EVENTS];
	struct host *h = arg;
	uint64_t now_ns = h->node->s->now_ns;
	int n;

	(void)stack_ns;
	do {
		h->again = false;
		n = pb_ready_wait(h->ready, events, EVENTS);
		for (int i = 0; i < n; i++) {
			struct end *e = events[i].user;

			e->told = events[i].events;
			/* The one before may have closed it. */
			if (e->sock >= 0)
				e->on(e, events[i].events, now_ns);
		}
	} while (h->again);
	if (n == EVENTS)
		host_wake(h, now_ns);
}

static void fire(struct event *e, uint64_t now_ns)
{
	struct host *h = container_of(e, struct host, event);
	struct pbsim *s = h->node->s;
	uint64_t due;

	host_use(h);
	/* No descriptor of the real host is watched: there is nothing to ask it. */
	h->core->polled_ns = STACK_TIME(now_ns);
	pb_turn(STACK_TIME(now_ns));
	/* Whether more came we know better than the core, which would look once more. */
	h->core->look_again = !list_empty(&h->arrived);
	due = core_due(h->core);
	if (due != UINT64_MAX)
		due = due > STACK_TIME(now_ns) ? due - STACK_BEGIN_S * NS_PER_S : now_ns;
	event_hasten(&s->heap, e, due);
}

/* ---- life ---- */

static uint32_t bufs_of(const struct pbsim_host *c)
{
	uint32_t larger = c->rcvbuf > c->sndbuf ? c->rcvbuf : c->sndbuf;
	uint64_t n = (uint64_t)larger / PKT_BUF_LEN * 4 * BUF_SHARE;

	if (c->n_bufs)
		return c->n_bufs;
	return n > N_BUFS ? (uint32_t)n : N_BUFS;
}

/* Whatever is not ours is at the other end of our one line. */
static int add_route(struct host *h)
{
	struct ip_route all = { .prefix.family = h->addr.family };

	return ip_route_add(h->core->ip, &all);
}

static int open_stack(struct host *h)
{
	char error[PB_ERROR_LEN] = "", addr[ADDR_TEXT_LEN + 4], text[ADDR_TEXT_LEN];
	struct pbsim *s = h->node->s;
	char port[PBSIM_NAME_LEN + 4];
	struct pb_stack_conf conf;

	snprintf(addr, sizeof(addr), "%s/%d", addr_text(&h->addr, text),
		 h->addr.family == ADDR_IP4 ? 32 : 128);
	snprintf(port, sizeof(port), "sim:%s", h->node->name);
	pb_stack_conf_init(&conf);
	conf.port = port;
	if (h->addr.family == ADDR_IP4)
		conf.addr = addr;
	else
		conf.addr6 = addr;
	conf.cc = h->conf.cc;
	conf.rcvbuf = h->conf.rcvbuf;
	conf.sndbuf = h->conf.sndbuf;
	conf.n_bufs = bufs_of(&h->conf);
	conf.max_conns = conf.max_syn = CONNS_MAX;
	conf.seed = pbsim_seed(s, "host", h->node->number) | 1;
	conf.now_ns = STACK_TIME(s->now_ns);
	conf.sim = s->net;
	if (pb_stack_open(&conf, &h->stack, error))
		return pbsim_fail(s, EINVAL, "%s: %s", h->node->name, error);
	return 0;
}

static const struct ecn_mode {
	const char *name;
	enum tcp_ecn ecn;
	bool l4s;
} ecn_modes[] = {
	{ "off", TCP_ECN_OFF, false },
	{ "on", TCP_ECN_CLASSIC, false },
	{ "accecn", TCP_ECN_ACC, false },
	{ "l4s", TCP_ECN_ACC, true },
};

static const struct ecn_mode *ecn_mode(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ecn_modes); i++)
		if (strcmp(ecn_modes[i].name, name) == 0)
			return &ecn_modes[i];
	return NULL;
}

bool host_knows_ecn(const char *name)
{
	return ecn_mode(name);
}

/* What its connections and listeners will begin with. */
static void set_ecn(struct host *h)
{
	struct tcp_opts *opts = &h->core->tcp->opts;

	if (!h->conf.ecn)
		return;
	opts->ecn = ecn_mode(h->conf.ecn)->ecn;
	opts->l4s = ecn_mode(h->conf.ecn)->l4s;
}

int host_open(struct host *h)
{
	struct pbsim *s = h->node->s;
	int err;

	if (!h->node->n_out)
		return pbsim_fail(s, EINVAL, "%s has no link", h->node->name);
	h->conf.rcvbuf = h->conf.rcvbuf ? h->conf.rcvbuf : BUFFER;
	h->conf.sndbuf = h->conf.sndbuf ? h->conf.sndbuf : BUFFER;
	list_init(&h->arrived);
	h->event.fire = fire;
	err = open_stack(h);
	if (err)
		return err;
	h->core = pb_stack_core(h->stack, 0);
	set_ecn(h);
	host_use(h);
	h->ready = pb_ready_new();
	if (!h->ready || pb_program_add(h->core, run_programs, h))
		return pbsim_fail(s, ENOMEM, "%s: no memory", h->node->name);
	err = add_route(h);
	if (err)
		return pbsim_fail(s, -err, "%s: no route", h->node->name);
	host_wake(h, s->now_ns);
	return 0;
}

void host_close(struct host *h)
{
	if (!h->stack)
		return;
	host_use(h);
	if (h->ready)
		pb_ready_free(h->ready);
	pb_core_use(NULL);
	pb_stack_close(h->stack);
	h->stack = NULL;
}
