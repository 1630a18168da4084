/*
 * The event loop, as far as it is the same on every network.
 */
#include "apps/lib/net.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/io_impl.h"
#include "apps/lib/net_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum {
	WORK_ROUNDS = 8, /* over what there is to do, before the network's turn */
	SOURCE_PORT = 9,
};

/* What net_post() puts on the ring. */
struct job {
	net_job *fn;
	void *arg;
};

int net_init(struct net *net, const struct net_ops *ops, uint64_t now_ns)
{
	net->ops = ops;
	net->now_ns = now_ns;
	net->n_ios = 0;
	atomic_init(&net->woken, false);
	atomic_init(&net->stopped, false);
	net->local_fd = -1;
	list_init(&net->ios);
	list_init(&net->listeners);
	list_init(&net->todo);
	list_init(&net->sock_todo);
	wheel_init(&net->wheel, now_ns);
	net->scratch = malloc(IO_IN_MAX);
	if (!net->scratch)
		return -ENOMEM;
	if (ring_init(&net->jobs, NET_JOBS_MAX) < 0) {
		free(net->scratch);
		return -ENOMEM;
	}
	return 0;
}

static void run_jobs(struct net *net)
{
	struct job *job;

	atomic_exchange(&net->woken, false);
	while ((job = ring_pop(&net->jobs))) {
		struct job copy = *job;

		free(job);
		copy.fn(copy.arg);
	}
}

void net_fini(struct net *net)
{
	run_jobs(net);
	while (!list_empty(&net->listeners))
		net_listener_close(
			container_of(net->listeners.next, struct net_listener, node));
	while (!list_empty(&net->ios))
		io_free(container_of(net->ios.next, struct io, all));
	net_local_fini(net);
	ring_fini(&net->jobs);
	free(net->scratch);
}

void net_free(struct net *net)
{
	if (net)
		net->ops->free(net);
}

uint64_t net_now_ns(const struct net *net)
{
	return net->now_ns;
}

void net_news(struct net_end *end, unsigned ready)
{
	end->ready |= (uint8_t)ready;
	if (end->kind == NET_END_IO)
		io_touch(container_of(end, struct io, end));
	else if (end->kind == NET_END_SOCK)
		net_sock_touch(end);
}

void net_listener_put(struct net_listener *listener)
{
	if (--listener->n_refs == 0)
		free(listener);
}

static void pause_over(struct timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns; /* being armed was the pause */
}

static bool may_accept(const struct net_listener *l)
{
	return l->end.s >= 0 && (l->end.ready & NET_IN) && !timer_armed(&l->pause) &&
	       l->n_conns < l->max_conns + NET_EXCESS_MAX;
}

static void accepted(struct net_listener *l, int s, const struct net_where *peer)
{
	struct net *net = l->net;
	struct io *io = io_new(net, l, IO_CONN_OPEN, peer);

	if (!io) {
		l->end.ops->close(net, s, true);
		return;
	}
	io->end.s = s;
	io->end.ready = NET_OUT;
	io->excess = l->n_conns >= l->max_conns;
	l->n_conns++;
	l->n_refs++;
	if (io->end.ops->attach(net, &io->end) < 0)
		io_fail(io, ENOMEM);
	l->accept(l->arg, io);
}

static void accept_burst(struct net_listener *l)
{
	for (int i = 0; i < NET_ACCEPT_BURST && may_accept(l); i++) {
		struct net_where peer = { 0 };
		int s = l->end.ops->accept(l->net, l->end.s, &peer);

		if (s >= 0)
			accepted(l, s, &peer);
		else if (s == -EAGAIN)
			l->end.ready = 0;
		else if (s == -EMFILE || s == -ENFILE || s == -ENOBUFS || s == -ENOMEM)
			timer_arm(&l->net->wheel, &l->pause,
				  l->net->now_ns + NET_ACCEPT_PAUSE_MS * NS_PER_MS);
		/* Anything else is about a connection that died while it waited. */
	}
}

static void run_listeners(struct net *net)
{
	struct list *at = net->listeners.next;

	while (at != &net->listeners) {
		struct net_listener *l = container_of(at, struct net_listener, node);

		/* The accept function may close listeners: hold on to this one.  When
		 * it closed this one, the others have their turn in the next. */
		l->n_refs++;
		accept_burst(l);
		at = l->end.s < 0 ? &net->listeners : l->node.next;
		net_listener_put(l);
	}
}

static void run_todo(struct net *net)
{
	struct list batch;

	list_init(&batch);
	while (!list_empty(&net->todo))
		list_push(&batch, list_pop(&net->todo));
	while (!list_empty(&batch))
		io_work(container_of(list_pop(&batch), struct io, todo));
}

void net_work(struct net *net, uint64_t now_ns)
{
	net->now_ns = now_ns;
	run_jobs(net);
	wheel_run(&net->wheel, now_ns);
	run_listeners(net);
	net_sock_work(net);
	for (int i = 0; i < WORK_ROUNDS && !list_empty(&net->todo); i++)
		run_todo(net);
}

static bool listener_waits(const struct net *net)
{
	const struct list *at;

	for (at = net->listeners.next; at != &net->listeners; at = at->next)
		if (may_accept(container_of(at, struct net_listener, node)))
			return true;
	return false;
}

uint64_t net_due(const struct net *net)
{
	if (!list_empty(&net->todo) || !list_empty(&net->sock_todo) ||
	    listener_waits(net) ||
	    atomic_load_explicit(&net->woken, memory_order_relaxed))
		return 0;
	return wheel_due(&net->wheel);
}

static int listen_at(struct net *net, const char *where, struct net_end *end)
{
	struct net_where at;
	int r;

	if (where[0] == '/')
		return net_local_listen(net, where, end);
	r = net_where_parse(where, &at);
	return r < 0 ? r : net->ops->listen(net, &at, end);
}

int net_listen(struct net *net, const char *where, unsigned max_conns, net_accept *accept,
	       void *arg, struct net_listener **listener)
{
	struct net_listener *l = calloc(1, sizeof(*l));
	struct net_where at = { 0 };
	int s;

	if (!l)
		return -ENOMEM;
	l->end.ops = net->ops;
	l->end.kind = NET_END_LISTENER;
	l->net = net;
	l->accept = accept;
	l->arg = arg;
	l->max_conns = max_conns;
	l->n_refs = 1;
	list_init(&l->closing);
	timer_init(&l->pause, pause_over);
	s = listen_at(net, where, &l->end);
	if (s < 0) {
		free(l);
		return s;
	}
	l->end.s = s;
	l->end.ops->local(net, s, &at);
	net_where_text(&at, l->where);
	list_push(&net->listeners, &l->node);
	*listener = l;
	return 0;
}

const char *net_listener_where(const struct net_listener *listener)
{
	return listener->where;
}

void net_listener_close(struct net_listener *l)
{
	l->end.ops->close(l->net, l->end.s, false);
	l->end.s = -1;
	timer_stop(&l->net->wheel, &l->pause);
	list_remove(&l->node);
	net_listener_put(l);
}

unsigned net_n_conns(const struct net *net)
{
	return net->n_ios;
}

void net_each_conn(const struct net *net, bool (*fn)(void *arg, struct io *io), void *arg)
{
	const struct list *at, *next;

	for (at = net->ios.next; at != &net->ios; at = next) {
		struct io *io = container_of(at, struct io, all);

		next = at->next;
		if (io->handler && !fn(arg, io))
			return;
	}
}

int net_connect(struct net *net, const char *where, struct io **io)
{
	struct net_where at = { .is_local = where[0] == '/' };
	struct io *new;
	int s = at.is_local ? 0 : net_where_parse(where, &at);

	if (s < 0)
		return s;
	new = io_new(net, NULL, IO_CONN_CONNECTING, &at);
	if (!new)
		return -ENOMEM;
	s = at.is_local ? net_local_connect(net, where, &new->end, &new->peer) :
			  net->ops->connect(net, &at, &new->end);
	if (s < 0) {
		io_free(new);
		return s;
	}
	new->end.s = s;
	*io = new;
	return 0;
}

bool net_source(struct net *net, const struct addr *to, struct addr *source)
{
	/* Nothing is sent there: any port will do. */
	const struct net_where where = { .addr = *to, .port = SOURCE_PORT };
	struct net_where from = { 0 };

	if (net->ops->source(net, &where, &from) < 0 || addr_is_any(&from.addr))
		return false;
	*source = from.addr;
	return true;
}

static void timer_trampoline(struct timer *t, uint64_t now_ns)
{
	struct net_timer *timer = container_of(t, struct net_timer, timer);

	timer->fire(timer, now_ns);
}

void net_timer_init(struct net_timer *t,
		    void (*fire)(struct net_timer *t, uint64_t now_ns))
{
	timer_init(&t->timer, timer_trampoline);
	t->fire = fire;
}

void net_timer_arm(struct net *net, struct net_timer *t, uint64_t due_ns)
{
	timer_arm(&net->wheel, &t->timer, due_ns);
}

void net_timer_stop(struct net *net, struct net_timer *t)
{
	timer_stop(&net->wheel, &t->timer);
}

int net_watch_fd(struct net *net, int fd, net_fd *fn, void *arg)
{
	return net->ops->watch_fd(net, fd, fn, arg);
}

void net_unwatch_fd(struct net *net, int fd)
{
	net->ops->unwatch_fd(net, fd);
}

bool net_post(struct net *net, net_job *fn, void *arg)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return false;
	*job = (struct job){ fn, arg };
	if (!ring_push(&net->jobs, job)) {
		free(job);
		return false;
	}
	/* One wake-up is enough for all jobs until the net looks at them. */
	if (!atomic_exchange(&net->woken, true))
		net->ops->wake(net);
	return true;
}

void net_run(struct net *net)
{
	while (!atomic_load_explicit(&net->stopped, memory_order_acquire))
		net->ops->turn(net, true);
}

void net_stop(struct net *net)
{
	atomic_store_explicit(&net->stopped, true, memory_order_release);
	net->ops->wake(net);
}

void net_turn(struct net *net)
{
	net->ops->turn(net, false);
}

void net_rest(struct net *net)
{
	net->ops->turn(net, true);
}
