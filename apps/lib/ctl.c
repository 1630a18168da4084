/*
 * The server: one epoll for the listening socket and its clients, watched by the net
 * as one descriptor, since a net tells only when something can be read.
 */
#include "apps/lib/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/lib/local.h"
#include "apps/lib/net.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/list.h"

enum { CTL_MODE = 0600 };

struct ctl {
	struct net *net;
	char *path;
	const struct ctl_command *commands;
	size_t n_commands;
	void *arg;
	int epoll_fd, listen_fd;
	struct net_timer pause; /* no descriptor or memory: accepts again when it fires */
	struct list clients;
	unsigned n_clients;
};

struct client {
	struct list node;
	struct ctl *ctl;
	struct net_timer deadline;
	int fd;
	char in[CTL_LINE_MAX];
	size_t in_len;
	char *out; /* the answer, once the line is there */
	size_t out_len, out_at;
};

static void client_free(struct client *c)
{
	net_timer_stop(c->ctl->net, &c->deadline);
	list_remove(&c->node);
	c->ctl->n_clients--;
	close(c->fd);
	free(c->out);
	free(c);
}

static void client_late(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	client_free(container_of(t, struct client, deadline));
}

static int watch(const struct ctl *ctl, int op, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return epoll_ctl(ctl->epoll_fd, op, fd, &event) < 0 ? -errno : 0;
}

/* The listening socket stays readable as long as somebody waits there: without a
 * descriptor to take him with, nobody looks at it for a while. */
static void pause_accepting(struct ctl *ctl)
{
	if (watch(ctl, EPOLL_CTL_DEL, ctl->listen_fd, 0, NULL) == 0)
		net_timer_arm(ctl->net, &ctl->pause,
			      net_now_ns(ctl->net) + NET_ACCEPT_PAUSE_MS * NS_PER_MS);
}

static void pause_over(struct net_timer *t, uint64_t now_ns)
{
	struct ctl *ctl = container_of(t, struct ctl, pause);

	if (watch(ctl, EPOLL_CTL_ADD, ctl->listen_fd, EPOLLIN, NULL) < 0)
		net_timer_arm(ctl->net, t, now_ns + NET_ACCEPT_PAUSE_MS * NS_PER_MS);
}

static bool is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_client(struct ctl *ctl)
{
	int fd = accept4(ctl->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c;

	if (fd < 0) {
		if (is_short(errno))
			pause_accepting(ctl);
		return;
	}
	c = ctl->n_clients < CTL_CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c || watch(ctl, EPOLL_CTL_ADD, fd, EPOLLIN, c) < 0) {
		free(c);
		close(fd);
		return;
	}
	c->ctl = ctl;
	c->fd = fd;
	list_push(&ctl->clients, &c->node);
	ctl->n_clients++;
	net_timer_init(&c->deadline, client_late);
	net_timer_arm(ctl->net, &c->deadline,
		      net_now_ns(ctl->net) + CTL_CLIENT_S * NS_PER_S);
}

/* True: the client is still there. */
static bool write_some(struct client *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN;
	c->out_at += (size_t)n;
	return c->out_at < c->out_len;
}

static bool answer(struct client *c, struct str line)
{
	struct ctl *ctl = c->ctl;

	c->out = ctl_answer(ctl->commands, ctl->n_commands, ctl->arg, line, &c->out_len);
	return c->out && watch(ctl, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c) == 0 &&
	       write_some(c);
}

static bool read_some(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	const char *end;

	if (n < 0)
		return errno == EAGAIN;
	c->in_len += (size_t)n;
	end = memchr(c->in, '\n', c->in_len);
	if (end)
		return answer(c, (struct str){ c->in, (size_t)(end - c->in) });
	if (c->in_len == sizeof(c->in))
		return answer(c, (struct str){ c->in, c->in_len });
	return n > 0;
}

static void ctl_turn(void *arg, int fd)
{
	struct epoll_event events[CTL_CLIENTS_MAX + 1];
	struct ctl *ctl = arg;
	int n = epoll_wait(fd, events, CTL_CLIENTS_MAX + 1, 0);

	for (int i = 0; i < n; i++) {
		struct client *c = events[i].data.ptr;

		if (!c)
			accept_client(ctl);
		else if (c->out ? !write_some(c) : !read_some(c))
			client_free(c);
	}
}

static int begin(struct ctl *ctl, const char *path)
{
	int r;

	ctl->path = strdup(path);
	ctl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!ctl->path || ctl->epoll_fd < 0)
		return -errno;
	ctl->listen_fd = local_listen(path, CTL_MODE, CTL_CLIENTS_MAX);
	r = ctl->listen_fd;
	if (r >= 0)
		r = watch(ctl, EPOLL_CTL_ADD, ctl->listen_fd, EPOLLIN, NULL);
	if (r == 0)
		r = net_watch_fd(ctl->net, ctl->epoll_fd, ctl_turn, ctl);
	return r;
}

static void ctl_end(struct ctl *ctl)
{
	net_timer_stop(ctl->net, &ctl->pause);
	while (!list_empty(&ctl->clients))
		client_free(container_of(ctl->clients.next, struct client, node));
	if (ctl->listen_fd >= 0)
		close(ctl->listen_fd);
	if (ctl->epoll_fd >= 0)
		close(ctl->epoll_fd);
	free(ctl->path);
	free(ctl);
}

int ctl_new(struct net *net, const char *path, const struct ctl_command *commands,
	    size_t n_commands, void *arg, struct ctl **ctl)
{
	struct ctl *new = calloc(1, sizeof(*new));
	int r;

	if (!new)
		return -ENOMEM;
	*new = (struct ctl){ .net = net,
			     .commands = commands,
			     .n_commands = n_commands,
			     .arg = arg,
			     .epoll_fd = -1,
			     .listen_fd = -1 };
	list_init(&new->clients);
	net_timer_init(&new->pause, pause_over);
	r = begin(new, path);
	if (r < 0) {
		ctl_end(new);
		return r;
	}
	*ctl = new;
	return 0;
}

void ctl_free(struct ctl *ctl)
{
	if (!ctl)
		return;
	net_unwatch_fd(ctl->net, ctl->epoll_fd);
	unlink(ctl->path);
	ctl_end(ctl);
}
