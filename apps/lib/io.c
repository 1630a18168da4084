/*
 * The life of a connection: states, events and their order.
 *
 * io_work() is called by the net for each io that has something to do.  It sends
 * what waits, reads, tells the owner, and sends again what the owner wrote; so the
 * answers to everything that came in one turn leave in one piece.  Every call of
 * the handler may close the io: the state is looked at again behind each.
 */
#include "apps/lib/io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "apps/lib/io_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static void deadline_fire(struct net_timer *t, uint64_t now_ns);

struct io *io_new(struct net *net, struct net_listener *listener, enum io_state state,
		  const struct net_where *peer)
{
	struct io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->end.ops = listener ? listener->end.ops : net->ops;
	io->end.s = -1;
	io->state = state;
	io->net = net;
	io->listener = listener;
	io->peer = *peer;
	net_timer_init(&io->deadline, deadline_fire);
	list_init(&io->todo);
	list_init(&io->closing);
	list_push(&net->ios, &io->all);
	net->n_ios++;
	return io;
}

/* It said all: it is counted apart, so that who does not go stands in nobody's way. */
static void enter_closing(struct io *io)
{
	struct net_listener *l = io->listener;

	io_deadline(io, io->net->now_ns + IO_DISCARD_MS * NS_PER_MS);
	if (!l)
		return;
	l->n_conns--;
	l->n_closing++;
	list_push(&l->closing, &io->closing);
	if (l->n_closing > NET_CLOSING_MAX)
		io_enter(container_of(l->closing.next, struct io, closing), IO_CONN_DEAD);
}

static void leave_listener(struct io *io)
{
	struct net_listener *l = io->listener;

	if (list_empty(&io->closing))
		l->n_conns--;
	else
		l->n_closing--;
	list_remove(&io->closing);
	io->listener = NULL;
	net_listener_put(l);
}

void io_free(struct io *io)
{
	net_timer_stop(io->net, &io->deadline);
	io_out_free(io);
	io_in_free(io);
	io_tls_free(io);
	if (io->end.s >= 0)
		io->end.ops->close(io->net, io->end.s, true);
	list_remove(&io->todo);
	list_remove(&io->all);
	io->net->n_ios--;
	if (io->listener)
		leave_listener(io);
	free(io);
}

void io_touch(struct io *io)
{
	if (list_empty(&io->todo))
		list_push(&io->net->todo, &io->todo);
}

static bool may_enter(enum io_state from, enum io_state to)
{
	static const uint8_t to_from[] = {
		[IO_CONN_CONNECTING] =
			1 << IO_CONN_OPEN | 1 << IO_CONN_FAILED | 1 << IO_CONN_DEAD,
		[IO_CONN_OPEN] =
			1 << IO_CONN_FAILED | 1 << IO_CONN_DRAINING | 1 << IO_CONN_DEAD,
		[IO_CONN_FAILED] = 1 << IO_CONN_DEAD,
		[IO_CONN_DRAINING] = 1 << IO_CONN_DISCARDING | 1 << IO_CONN_DEAD,
		[IO_CONN_DISCARDING] = 1 << IO_CONN_DEAD,
		[IO_CONN_DEAD] = 0,
	};

	return to_from[from] >> to & 1;
}

static void close_socket(struct io *io, bool reset)
{
	if (io->end.s >= 0)
		io->end.ops->close(io->net, io->end.s, reset);
	io->end.s = -1;
	io->end.ready = 0;
}

void io_enter(struct io *io, enum io_state state)
{
	/* After our FIN the network goes on delivering without us; before, a
	 * connection that ends did not end well. */
	bool reset = io->state != IO_CONN_DISCARDING;

	ASSERT(may_enter(io->state, state));
	io->state = (uint8_t)state;
	switch (state) {
	case IO_CONN_CONNECTING:
	case IO_CONN_OPEN: break;
	case IO_CONN_FAILED:
		io_deadline(io, UINT64_MAX);
		io_out_free(io);
		close_socket(io, true);
		break;
	case IO_CONN_DRAINING:
		io_in_free(io);
		io_deadline(io, io->net->now_ns + IO_DRAIN_MS * NS_PER_MS);
		break;
	case IO_CONN_DISCARDING: enter_closing(io); break;
	case IO_CONN_DEAD:
		if (!list_empty(&io->closing))
			leave_listener(io);
		io_deadline(io, UINT64_MAX);
		io_out_free(io);
		close_socket(io, reset);
		break;
	}
	io_touch(io);
}

void io_fail(struct io *io, int error)
{
	if (!io->error)
		io->error = error;
	if (io->state == IO_CONN_CONNECTING || io->state == IO_CONN_OPEN)
		io_enter(io, IO_CONN_FAILED);
	else if (io->state == IO_CONN_DRAINING || io->state == IO_CONN_DISCARDING)
		io_enter(io, IO_CONN_DEAD);
}

/* True: the owner still has an open connection. */
static bool tell(struct io *io, enum io_event event)
{
	if (io->handler)
		io->handler(io->arg, io, event);
	return io->state == IO_CONN_OPEN;
}

static void deadline_fire(struct net_timer *t, uint64_t now_ns)
{
	struct io *io = container_of(t, struct io, deadline);

	(void)now_ns;
	if (io->state == IO_CONN_DRAINING || io->state == IO_CONN_DISCARDING)
		io_enter(io, IO_CONN_DEAD);
	else if (io->state != IO_CONN_DEAD)
		tell(io, IO_DEADLINE);
}

static bool room_came(const struct io *io)
{
	return (io->want_room || io->held) && io->out_len <= IO_OUT_HIGH / 2;
}

static bool tell_room(struct io *io)
{
	if (!room_came(io))
		return true;
	if (io->want_room) {
		io->want_room = false;
		if (!tell(io, IO_ROOM))
			return false;
	}
	if (io->held) {
		io->held = false;
		return tell(io, IO_INPUT);
	}
	return true;
}

static bool tell_input(struct io *io)
{
	if (io->is_left) {
		io->is_left = false;
		if (!tell(io, IO_INPUT))
			return false;
	}
	for (int i = 0; i < IO_READS_MAX && io_in_open(io); i++) {
		if (io_in_fill(io) && !tell(io, IO_INPUT))
			return false;
		if (io->state != IO_CONN_OPEN)
			return false;
		io_in_settle(io);
	}
	if (io->eof && !io->eof_told && !io->held && (io->in_len == 0 || io->starved)) {
		io->eof_told = true;
		return tell(io, IO_EOF);
	}
	return true;
}

static bool tell_secure(struct io *io)
{
	return !io_tls_news(io) || tell(io, IO_SECURE);
}

static void work_open(struct io *io)
{
	io_out_flush(io);
	if (io->state != IO_CONN_OPEN || !tell_secure(io) || !tell_room(io) ||
	    !tell_input(io))
		return;
	io_out_flush(io);
	if (io->state == IO_CONN_OPEN && (io_in_open(io) || room_came(io)))
		io_touch(io);
}

static void tell_error(struct io *io)
{
	if (!io->handler || io->error_told)
		return;
	io->error_told = true;
	tell(io, IO_ERROR);
}

static void work_connecting(struct io *io)
{
	int error;

	if (!(io->end.ready & (NET_OUT | NET_END)))
		return;
	error = io->end.ops->error(io->net, io->end.s);
	if (error) {
		io_fail(io, error);
		return;
	}
	io_enter(io, IO_CONN_OPEN);
	if (tell(io, IO_CONNECTED))
		work_open(io);
}

static void work_draining(struct io *io)
{
	size_t before = io->out_len;

	io_out_flush(io);
	if (io->state != IO_CONN_DRAINING)
		return;
	if (io->out_len < before)
		io_deadline(io, io->net->now_ns + IO_DRAIN_MS * NS_PER_MS);
	if (io->out)
		return;
	if (io->tls)
		io_tls_finish(io);
	if (io->end.ops->finish(io->net, io->end.s) < 0)
		io_enter(io, IO_CONN_DEAD);
	else
		io_enter(io, IO_CONN_DISCARDING);
}

static void work_discarding(struct io *io)
{
	if (!io->eof && io_in_discard(io))
		return;
	/* Both said FIN, or the peer had its chance. */
	if (io->state == IO_CONN_DISCARDING)
		io_enter(io, IO_CONN_DEAD);
}

void io_work(struct io *io)
{
	switch ((enum io_state)io->state) {
	case IO_CONN_CONNECTING: work_connecting(io); break;
	case IO_CONN_OPEN: work_open(io); break;
	case IO_CONN_FAILED: tell_error(io); break;
	case IO_CONN_DRAINING: work_draining(io); break;
	case IO_CONN_DISCARDING: work_discarding(io); break;
	case IO_CONN_DEAD: io_free(io); return;
	}
	/* A handler that closed while the scratch was lent. */
	io_in_settle(io);
}

void io_handle(struct io *io, io_handler *handler, void *arg)
{
	io->handler = handler;
	io->arg = arg;
	io->is_left = io->in_len > 0;
	io_touch(io);
}

struct net *io_net(const struct io *io)
{
	return io->net;
}

int io_error(const struct io *io)
{
	return io->error;
}

unsigned io_crowd(const struct io *io)
{
	const struct net_listener *l = io->listener;

	return l ? (unsigned)(UINT64_C(1000) * l->n_conns / l->max_conns) : 0;
}

bool io_is_excess(const struct io *io)
{
	return io->excess;
}

const char *io_peer(const struct io *io)
{
	return net_where_text(&io->peer, io->net->peer_text);
}

const char *io_peer_addr(const struct io *io)
{
	return net_where_addr_text(&io->peer, io->net->peer_addr_text);
}

int io_peer_uid(const struct io *io, uint32_t *uid)
{
	if (!io->peer.is_local)
		return -EOPNOTSUPP;
	*uid = io->peer.uid;
	return 0;
}

const char *io_local(const struct io *io)
{
	struct net_where at = { 0 };

	if (io->end.s >= 0)
		io->end.ops->local(io->net, io->end.s, &at);
	return net_where_text(&at, io->net->local_text);
}

void io_deadline(struct io *io, uint64_t due_ns)
{
	if (due_ns == UINT64_MAX)
		net_timer_stop(io->net, &io->deadline);
	else
		net_timer_arm(io->net, &io->deadline, due_ns);
}

void io_close(struct io *io)
{
	io->handler = NULL;
	if (io->state == IO_CONN_OPEN)
		io_enter(io, IO_CONN_DRAINING);
	else
		io_enter(io, IO_CONN_DEAD);
}

void io_abort(struct io *io)
{
	io->handler = NULL;
	io_enter(io, IO_CONN_DEAD);
}
