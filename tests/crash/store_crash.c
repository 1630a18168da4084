/*
 * Kills a process that delivers mail, at random moments, and looks what is left.
 *
 *	store_crash [-n KILLS] [-s SEED] [-d DIR]
 *
 * After each kill the store is opened again and compared with the diary of the dead:
 *
 *	what was acknowledged is there, once, for each recipient, byte for byte;
 *	what was acknowledged as expunged is gone, and stays gone;
 *	what was under way is there for all its recipients, or for none;
 *	what was moved is where it was or where it went, not both and not nowhere, and what
 *	was acknowledged as moved or copied is there; a mailbox that is renamed keeps all;
 *	every mailbox opens, and store_check() finds nothing.
 *
 * Every 20 kills a new store is begun, so that its making is killed as well.
 *
 * What this proves: that nothing is acknowledged before it was handed to the kernel, that
 * a commit is whole or not there in the kernel's view of the file, and that opening,
 * sweeping and counting survive an end at any instruction.  What it does not: the kernel
 * lives on and writes back what the dead process wrote, so a missing or misplaced
 * fdatasync() would pass.  That is for smtp_crash.py and relay_crash.py, which cut the power.
 */
#include <dirent.h>
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apps/mail/store/store_box.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "tests/crash/crash_child.h"
#include "tests/crash/crash_mail.h"

enum { KILLS_PER_STORE = 20, LIFE_MAX_MS = 150, IDS_MAX = 1 << 20 };

/* What the diaries say about a message: for all recipients, and for its first. */
enum fate { UNKNOWN, PRESENT, ABSENT };

struct life {
	enum fate fate, first;
	bool moved, copied; /* acknowledged, of its first recipient */
	uint8_t seen;	    /* in this look: a bit for each recipient */
	bool on_shelf;	    /* in this look: its first recipient has it not in INBOX */
};

struct crash {
	struct store_conf conf;
	struct rng rng;
	uint64_t seed;
	uint32_t begin, end; /* numbers that this store may hold */
	uint32_t last;	     /* highest in a diary */
	uint64_t n_delivered, n_expunged, n_moved, n_unfinished, n_faults;
	struct life lives[IDS_MAX];
};

__attribute__((format(printf, 2, 3))) static void fault(struct crash *c,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("FAULT: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	c->n_faults++;
}

static void say(void *arg, const char *line)
{
	fault(arg, "check: %s", line);
}

static void read_note(struct crash *c, const struct crash_note *n)
{
	struct life *l = &c->lives[n->id];

	ASSERT(n->id < IDS_MAX);
	switch (n->event) {
	case CRASH_DELIVERED:
		l->fate = l->first = PRESENT;
		c->n_delivered++;
		if (n->id > c->last)
			c->last = n->id;
		break;
	case CRASH_EXPUNGING: l->first = UNKNOWN; break;
	case CRASH_EXPUNGED:
		l->first = ABSENT;
		c->n_expunged++;
		break;
	case CRASH_MOVED:
		l->moved = true;
		c->n_moved++;
		break;
	case CRASH_COPIED:
		l->copied = true;
		c->n_moved++;
		break;
	}
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads the diary until its end; kills the writer on the way. */
static void read_diary(struct crash *c, int diary, pid_t child)
{
	int64_t end = now_ms() + rng_below(&c->rng, LIFE_MAX_MS);
	struct pollfd p = { .fd = diary, .events = POLLIN };
	bool killed = false;
	struct crash_note n;

	for (;;) {
		int64_t left = end - now_ms();

		if (!killed && left <= 0) {
			kill(child, SIGKILL);
			killed = true;
		}
		if (poll(&p, 1, killed ? -1 : (int)left) == 0)
			continue;
		if (read(diary, &n, sizeof(n)) != sizeof(n))
			return;
		read_note(c, &n);
	}
}

static void live_and_die(struct crash *c)
{
	int diary[2], status;
	pid_t child;

	if (pipe(diary))
		err(1, "pipe");
	fflush(NULL);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(diary[0]);
		crash_child(&c->conf, c->seed, c->end, diary[1]);
	}
	close(diary[1]);
	c->last = c->end;
	read_diary(c, diary[0], child);
	close(diary[0]);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		fault(c, "the process ended by itself");
	/* Numbers are given in turn, to so many at once. */
	c->end = c->last + CRASH_IN_FLIGHT + 1;
}

static bool is_whole(const struct crash_mail *m, unsigned user,
		     const struct str pieces[2])
{
	char head[CRASH_HEAD_LEN];

	crash_head(user, head);
	return str_eq(pieces[0], str_of(head)) &&
	       str_eq(pieces[1], (struct str){ m->bytes, m->len });
}

/* Where the reader is. */
struct place {
	struct crash *crash;
	struct store_read *read;
	unsigned user;
	bool is_inbox;
};

static void see(const struct place *p, uint32_t id, unsigned i)
{
	struct life *l = &p->crash->lives[id];
	bool is_copy = i == 0 && !p->is_inbox && !l->on_shelf;

	/* Of its first recipient there may be a copy behind the one in INBOX. */
	if (l->seen & 1 << i && (!is_copy || l->moved))
		fault(p->crash, "message %u is doubled for user%u", id, p->user);
	l->seen |= (uint8_t)(1 << i);
	if (i == 0)
		l->on_shelf |= !p->is_inbox;
	if (i == 0 && l->moved && p->is_inbox)
		fault(p->crash, "message %u was moved, and is in INBOX", id);
}

static void look_at_message(const struct place *p, const struct str pieces[2])
{
	struct crash *c = p->crash;
	struct crash_mail m;
	unsigned i = 0;
	uint32_t id;

	if (!crash_mail_id(pieces[1], &id) || id < c->begin || id >= c->end) {
		fault(c, "user%u has a message that was never sent", p->user);
		return;
	}
	crash_mail_make(&m, c->seed, id);
	while (i < m.n_to && m.to[i] != p->user)
		i++;
	if (i == m.n_to)
		fault(c, "message %u is not for user%u", id, p->user);
	else
		see(p, id, i);
	if (!is_whole(&m, p->user, pieces))
		fault(c, "message %u for user%u is not as it was sent", id, p->user);
	free(m.bytes);
}

static bool look_at_mailbox(void *arg, const struct store_mailbox *box)
{
	struct place *p = arg;
	struct store_msg *msgs;
	struct str pieces[2];
	size_t n;

	p->is_inbox = str_eq(box->name, STR("INBOX"));
	if (box->box == 0)
		return true;
	if (store_box_changes(p->read, box->box, 1, 0, &msgs, &n)) {
		fault(p->crash, "a mailbox of user%u does not open", p->user);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (store_msg_bytes(p->read, &msgs[i], pieces))
			fault(p->crash, "user%u UID %u cannot be read", p->user,
			      msgs[i].uid);
		else
			look_at_message(p, pieces);
	}
	free(msgs);
	return true;
}

static void look_at_user(struct crash *c, struct store_read *read, unsigned user)
{
	struct place p = { .crash = c, .read = read, .user = user };
	char name[CRASH_NAME_LEN];

	crash_user(user, name);
	if (store_each_mailbox(read, str_of(name), look_at_mailbox, &p))
		fault(c, "the mailboxes of %s cannot be listed", name);
}

/* Compares what was seen with the diaries; what was open is settled from now on. */
static void settle(struct crash *c, uint32_t id)
{
	struct life *l = &c->lives[id];
	uint8_t all, others;
	struct crash_mail m;

	crash_mail_make(&m, c->seed, id);
	free(m.bytes);
	all = (uint8_t)((1 << m.n_to) - 1);
	others = all & ~1;
	if (l->fate == UNKNOWN) {
		c->n_unfinished += l->seen == all;
		l->fate = l->first = l->seen == all ? PRESENT : ABSENT;
	}
	if ((l->seen & others) != (l->fate == PRESENT ? others : 0))
		fault(c, "message %u: %s", id,
		      l->fate == PRESENT ? "lost" : "there for some, or again");
	if (l->first == UNKNOWN)
		l->first = l->seen & 1 ? PRESENT : ABSENT;
	if ((l->seen & 1) != (l->first == PRESENT))
		fault(c, "message %u for its first recipient: %s", id,
		      l->first == PRESENT ? "lost" : "there again");
	if ((l->moved || l->copied) && !l->on_shelf)
		fault(c, "message %u is not where it was moved or copied", id);
	l->seen = 0;
	l->on_shelf = false;
}

static void look(struct crash *c)
{
	char error[STORE_ERROR_LEN];
	struct store_read *read;
	struct store *store;

	if (store_open(&c->conf, &store, error))
		errx(1, "FAULT: does not open: %s", error);
	store_check(store, say, c);
	if (store_read_begin(store, &read))
		errx(1, "FAULT: no snapshot");
	for (unsigned user = 0; user < CRASH_USERS; user++)
		look_at_user(c, read, user);
	store_read_end(read);
	for (uint32_t id = c->begin; id < c->end; id++)
		settle(c, id);
	store_close(store);
}

/* So that the next one is made anew, with the next numbers. */
static void drop_store(struct crash *c)
{
	DIR *dir = opendir(c->conf.dir);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(c->conf.dir);
	c->begin = c->end;
}

static void parse_args(struct crash *c, int argc, char **argv, unsigned *n_kills,
		       const char **dir)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:s:d:")) != -1) {
		switch (opt) {
		case 'n': *n_kills = (unsigned)strtoul(optarg, NULL, 10); break;
		case 's': c->seed = strtoull(optarg, NULL, 10); break;
		case 'd': *dir = optarg; break;
		default: exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct crash *c = calloc(1, sizeof(*c));
	char base[256], store[280];
	const char *dir = "/var/tmp";
	unsigned n_kills = 20;
	bool failed;

	ASSERT(c);
	c->seed = (uint64_t)time(NULL);
	parse_args(c, argc, argv, &n_kills, &dir);
	printf("seed %llu\n", (unsigned long long)c->seed);
	snprintf(base, sizeof(base), "%s/crash.XXXXXX", dir);
	if (!mkdtemp(base))
		err(1, "%s", base);
	snprintf(store, sizeof(store), "%s/store", base);
	c->conf = (struct store_conf){ .dir = store,
				       .map_len = (uint64_t)4 << 30,
				       .now_s = (uint64_t)time(NULL) };
	rng_init(&c->rng, c->seed);
	for (unsigned i = 1; i <= n_kills; i++) {
		live_and_die(c);
		look(c);
		if (i % KILLS_PER_STORE == 0)
			drop_store(c);
	}
	drop_store(c);
	rmdir(base);
	printf("%u kills: %llu deliveries, %llu expunges, %llu moves and copies "
	       "acknowledged, %llu more deliveries found whole; %llu faults\n",
	       n_kills, (unsigned long long)c->n_delivered,
	       (unsigned long long)c->n_expunged, (unsigned long long)c->n_moved,
	       (unsigned long long)c->n_unfinished, (unsigned long long)c->n_faults);
	failed = c->n_faults > 0 || c->n_delivered == 0;
	free(c);
	return failed;
}
