/*
 * Local sockets of any net.
 *
 * The kernel has them, whatever network the net is over.  So every net has this small body
 * beside its own: an epoll, edge-triggered as the others, whose descriptor the net
 * watches.  What it tells is worked on in the same turn, and timers are the net's.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "apps/lib/local.h"
#include "apps/lib/net_impl.h"

enum { EVENTS_A_TURN = 64, BACKLOG = 128 };

static const struct net_ops local_ops;

static void gather(void *arg, int fd)
{
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(fd, events, EVENTS_A_TURN, 0);

	(void)arg;
	for (int i = 0; i < n; i++)
		net_fd_news(&events[i]);
}

/* The epoll is there from the first socket on. */
static int watch(struct net *net, struct net_end *end, int s)
{
	int fd, r;

	if (net->local_fd < 0) {
		fd = epoll_create1(EPOLL_CLOEXEC);
		if (fd < 0)
			return -errno;
		r = net_watch_fd(net, fd, gather, net);
		if (r < 0) {
			close(fd);
			return r;
		}
		net->local_fd = fd;
	}
	return net_fd_attach(net->local_fd, end, s);
}

void net_local_fini(struct net *net)
{
	if (net->local_fd < 0)
		return;
	net_unwatch_fd(net, net->local_fd);
	close(net->local_fd);
}

/* @s, or -errno, is the end's from now on. */
static int take(struct net *net, struct net_end *end, int s)
{
	int r;

	if (s < 0)
		return s;
	r = watch(net, end, s);
	if (r < 0) {
		close(s);
		return r;
	}
	end->ops = &local_ops;
	return s;
}

int net_local_listen(struct net *net, const char *path, struct net_end *end)
{
	return take(net, end, local_listen(path, NET_LOCAL_MODE, BACKLOG));
}

static int note_peer(int s, struct net_where *peer)
{
	*peer = (struct net_where){ .is_local = true };
	return local_peer_uid(s, &peer->uid);
}

int net_local_connect(struct net *net, const char *path, struct net_end *end,
		      struct net_where *peer)
{
	int s = take(net, end, local_connect(path));
	int r = s < 0 ? s : note_peer(s, peer);

	if (r < 0 && s >= 0)
		close(s);
	return r < 0 ? r : s;
}

static int local_accept(struct net *net, int listener, struct net_where *peer)
{
	int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), r;

	(void)net;
	if (s < 0)
		return -errno;
	r = note_peer(s, peer);
	if (r < 0) {
		close(s);
		return r;
	}
	return s;
}

static int local_attach(struct net *net, struct net_end *end)
{
	return net_fd_attach(net->local_fd, end, end->s);
}

static int local_local(struct net *net, int s, struct net_where *where)
{
	(void)net;
	(void)s;
	*where = (struct net_where){ .is_local = true, .uid = geteuid() };
	return 0;
}

static const struct net_ops local_ops = {
	.accept = local_accept,
	.attach = local_attach,
	.error = net_fd_error,
	.local = local_local,
	.recv = net_fd_recv,
	.writev = net_fd_writev,
	.finish = net_fd_finish,
	.close = net_fd_close,
};
