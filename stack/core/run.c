#include <errno.h>
#include <pthread.h>

#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tcp/tcp.h"

struct pb_core *core_current(void)
{
	struct socks *ss = socks_current();

	return ss ? container_of(ss, struct pb_core, socks) : NULL;
}

int pb_core_use(struct pb_core *co)
{
	struct pb_core *old = core_current();
	uintptr_t nobody = 0, me = (uintptr_t)pthread_self();

	if (co && !atomic_compare_exchange_strong(&co->owner, &nobody, me) &&
	    nobody != me) {
		errno = EBUSY;
		return -1;
	}
	if (!co && old)
		atomic_store(&old->owner, 0);
	socks_use(co ? &co->socks : NULL);
	return 0;
}

uint64_t pb_clock(void)
{
	return clock_now_ns();
}

uint64_t pb_turn(uint64_t now_ns)
{
	struct pb_core *co = core_current();

	if (!co) {
		errno = ENXIO;
		return UINT64_MAX;
	}
	return core_turn(co, now_ns);
}

void pb_wait(uint64_t until_ns)
{
	struct pb_core *co = core_current();

	if (co)
		core_wait(co, until_ns);
}

int pb_program_add(struct pb_core *co, pb_program *fn, void *arg)
{
	for (unsigned i = 0; i < CORE_PROGRAMS_MAX; i++) {
		if (co->programs[i].fn)
			continue;
		co->programs[i] = (struct core_program){ fn, arg };
		return 0;
	}
	errno = ENOSPC;
	return -1;
}

void pb_program_del(struct pb_core *co, pb_program *fn, void *arg)
{
	/* The others stay where they are: the turn may be running them. */
	for (unsigned i = 0; i < CORE_PROGRAMS_MAX; i++) {
		if (co->programs[i].fn != fn || co->programs[i].arg != arg)
			continue;
		co->programs[i] = (struct core_program){ 0 };
		return;
	}
}

int pb_drain(uint64_t until_ns)
{
	struct pb_core *co = core_current();

	if (!co) {
		errno = ENXIO;
		return -1;
	}
	for (;;) {
		uint64_t now = clock_now_ns();
		uint64_t due = core_turn(co, now);

		/* Its last segments left in that turn. */
		if (!tcp_stats(co->tcp)->n_conns)
			return 0;
		if (now >= until_ns) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (due > now)
			core_wait(co, due < until_ns ? due : until_ns);
	}
}

void pb_run(void)
{
	struct pb_core *co = core_current();

	while (co && !atomic_exchange(&co->stop, false)) {
		uint64_t now = clock_now_ns();
		uint64_t due = core_turn(co, now);

		if (due > now)
			core_wait(co, UINT64_MAX);
	}
}

void pb_stop(struct pb_core *co)
{
	atomic_store(&co->stop, true);
	pb_wake(co);
}
