/* Calls that set and ask. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/base/clock.h"
#include "tests/lib/player_call.h"

long player_do_setsockopt(struct call *c)
{
	long level = player_arg(c, 1), name = player_arg(c, 2), v, seconds;
	struct player_arg in, on, linger;
	struct linger l;
	int number;

	if (c->bad || c->l.n_args < 4)
		return player_bad(c, "setsockopt(FD, LEVEL, NAME, VALUE, LENGTH)");
	if (player_inside(&c->l.args[3], "\"\"", &in))
		return pb_setsockopt(c->fd->s, (int)level, (int)name, in.p,
				     (socklen_t)in.len);
	if (player_inside(&c->l.args[3], "{}", &in) && player_field(&in, "onoff", &on) &&
	    player_field(&in, "linger", &linger) && player_number(&on, &v) &&
	    player_number(&linger, &seconds)) {
		l = (struct linger){ .l_onoff = (int)v, .l_linger = (int)seconds };
		return pb_setsockopt(c->fd->s, (int)level, (int)name, &l, sizeof(l));
	}
	if (!player_inside(&c->l.args[3], "[]", &in) || !player_number(&in, &v))
		return player_bad(c, "an option's value is [NUMBER], \"WORD\" or "
				     "{onoff=NUMBER, linger=NUMBER}");
	number = (int)v;
	if (level == SOL_SOCKET && name == SO_OOBINLINE)
		c->fd->oobinline = number;
	return pb_setsockopt(c->fd->s, (int)level, (int)name, &number, sizeof(number));
}

long player_do_getsockopt(struct call *c)
{
	long level = player_arg(c, 1), name = player_arg(c, 2), want, r;
	int number = 0;
	socklen_t len = sizeof(number);
	struct player_arg in;
	char word[64] = { 0 };

	if (c->bad || c->l.n_args < 4)
		return player_bad(c, "getsockopt(FD, LEVEL, NAME, VALUE, LENGTH)");
	if (player_inside(&c->l.args[3], "\"\"", &in)) {
		len = sizeof(word) - 1;
		r = pb_getsockopt(c->fd->s, (int)level, (int)name, word, &len);
		if (r == 0 && !player_arg_is(&in, word))
			player_fail(c->p, "the option is \"%s\"", word);
		return r;
	}
	r = pb_getsockopt(c->fd->s, (int)level, (int)name, &number, &len);
	if (r < 0 || player_arg_is(&c->l.args[3], "..."))
		return r;
	if (!player_inside(&c->l.args[3], "[]", &in) || !player_number(&in, &want))
		return player_bad(c, "an option's value is [NUMBER] or \"WORD\"");
	if (number != want)
		player_fail(c->p, "the option is %d (%s)", number,
			    player_errno_name(number));
	return r;
}

long player_do_fcntl(struct call *c)
{
	long cmd = player_arg(c, 1);

	if (cmd == F_GETFL)
		return O_RDWR | (c->fd->nonblock ? O_NONBLOCK : 0);
	if (cmd != F_SETFL)
		return player_bad(c, "fcntl(FD, F_GETFL) or fcntl(FD, F_SETFL, FLAGS)");
	c->fd->nonblock = player_arg(c, 2) & O_NONBLOCK;
	return 0;
}

long player_do_ioctl(struct call *c)
{
	long request = player_arg(c, 1), want;
	struct player_arg in;

	if (request != SIOCINQ || c->l.n_args < 3 ||
	    !player_inside(&c->l.args[2], "[]", &in) || !player_number(&in, &want))
		return player_bad(c, "ioctl(FD, SIOCINQ, [BYTES])");
	if (pb_readable(c->fd->s) != want)
		player_fail(c->p, "%zd bytes can be read", pb_readable(c->fd->s));
	return 0;
}

/* ---- poll ---- */

static const struct {
	short poll;
	uint32_t ready;
} events[] = {
	{ POLLIN, PB_READY_IN },       { POLLOUT, PB_READY_OUT },
	{ POLLERR, PB_READY_ERR },     { POLLHUP, PB_READY_HUP },
	{ POLLRDHUP, PB_READY_RDHUP }, { POLLPRI, PB_READY_PRI },
};

static long poll_now(const struct player_fd *fd, long wanted)
{
	struct pb_ready *set = pb_ready_new();
	struct pb_event event = { 0 };
	uint32_t want = 0;
	long got = 0;

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		want |= wanted & events[i].poll ? events[i].ready : 0;
	if (set && pb_ready_add(set, fd->s, want, NULL) == 0 &&
	    pb_ready_wait(set, &event, 1) == 1) {
		for (size_t i = 0; i < ARRAY_LEN(events); i++)
			got |= event.events & events[i].ready ? events[i].poll : 0;
	}
	if (set)
		pb_ready_free(set);
	return got;
}

long player_do_poll(struct call *c)
{
	struct player_arg in, one, number, events_arg, revents;
	long fd, wanted, want, got, timeout_ms = player_arg(c, 2);
	uint64_t waited_ns = c->p->now_ns - c->state->at_ns;

	if (c->bad || !player_inside(&c->l.args[0], "[]", &in) ||
	    !player_inside(&in, "{}", &one) || !player_field(&one, "fd", &number) ||
	    !player_field(&one, "events", &events_arg) ||
	    !player_field(&one, "revents", &revents) || !player_number(&number, &fd) ||
	    !player_number(&events_arg, &wanted) || !player_number(&revents, &want) ||
	    !player_fd(c->p, fd))
		return player_bad(c,
				  "poll([{fd=FD, events=WANTED, revents=THERE}], 1, MS)");
	got = poll_now(player_fd(c->p, fd), wanted);
	if (!got && c->state->event->waits &&
	    (timeout_ms < 0 || waited_ns < (uint64_t)timeout_ms * NS_PER_MS)) {
		if (timeout_ms > 0)
			c->state->wake_ns =
				c->state->at_ns + (uint64_t)timeout_ms * NS_PER_MS;
		errno = EAGAIN;
		return -1;
	}
	if (got != want)
		player_fail(c->p, "poll says 0x%lx, not 0x%lx", got, want);
	return got ? 1 : 0;
}
