/*
 * How many durable deliveries a second the store takes, without any network.
 *
 *	store_bench [-d DIR] [-s BYTES] [-u USERS] [-t SECONDS] [-r RUNS] [IN_FLIGHT...]
 *
 * For each number of deliveries in flight a fresh store under DIR (default /var/tmp) is
 * filled for SECONDS: each answered delivery is followed by the next, to a random one of
 * USERS.  Answers come back to a thread of their own, as they do to a server's core.
 * RUNS rounds go over all numbers in turn; the medians are printed.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "apps/mail/store/store.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { IN_FLIGHT_MAX = 1024, ROWS_MAX = 16, RUNS_MAX = 15, NAME_LEN = 32 };

struct args {
	const char *dir;
	size_t len;
	uint32_t n_users;
	double seconds;
	unsigned runs, n_rows;
	unsigned in_flight[ROWS_MAX];
};

struct bench;

struct delivery {
	struct store_op op;
	struct bench *bench;
	char name[NAME_LEN];
	struct str user, head, part;
};

struct bench {
	const struct args *args;
	struct store *store;
	struct rng rng;
	char *bytes;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct store_op *answered;
	struct delivery deliveries[IN_FLIGHT_MAX];
};

struct row {
	double per_s[RUNS_MAX], batch[RUNS_MAX], commits_per_s[RUNS_MAX];
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void done(struct store_op *op)
{
	struct bench *b = container_of(op, struct delivery, op)->bench;

	if (op->result)
		errx(1, "delivery failed: %s", strerror(-op->result));
	pthread_mutex_lock(&b->lock);
	if (!b->answered)
		pthread_cond_signal(&b->wake);
	op->next = b->answered;
	b->answered = op;
	pthread_mutex_unlock(&b->lock);
}

static void submit(struct bench *b, struct delivery *d)
{
	static const struct str head = { "Return-Path: <sender@example.org>\r\n"
					 "Delivered-To: recipient@example.net\r\n",
					 72 };

	snprintf(d->name, sizeof(d->name), "user%u",
		 rng_below(&b->rng, b->args->n_users));
	d->user = str_of(d->name);
	d->head = head;
	d->part = (struct str){ b->bytes, b->args->len };
	d->bench = b;
	d->op = (struct store_op){
		.done = done,
		.kind = STORE_DELIVER,
		.deliver = { .users = &d->user,
			     .n_users = 1,
			     .head = &d->head,
			     .parts = &d->part,
			     .n_parts = 1 },
	};
	if (!store_submit(b->store, &d->op))
		errx(1, "the queue is full");
}

static struct store_op *wait_answers(struct bench *b)
{
	struct store_op *ops;

	pthread_mutex_lock(&b->lock);
	while (!b->answered)
		pthread_cond_wait(&b->wake, &b->lock);
	ops = b->answered;
	b->answered = NULL;
	pthread_mutex_unlock(&b->lock);
	return ops;
}

/* Returns the number of deliveries. */
static uint64_t pump(struct bench *b, unsigned in_flight)
{
	double end = now_s() + b->args->seconds;
	unsigned out = in_flight;
	uint64_t n = 0;

	for (unsigned i = 0; i < in_flight; i++)
		submit(b, &b->deliveries[i]);
	while (out > 0) {
		struct store_op *op = wait_answers(b), *next;
		bool more = now_s() < end;

		for (; op; op = next) {
			next = op->next;
			n++;
			if (more)
				submit(b, container_of(op, struct delivery, op));
			else
				out--;
		}
	}
	return n;
}

static void open_store(struct bench *b, char *dir, size_t dir_len)
{
	struct store_conf conf = { .dir = dir,
				   .map_len = (uint64_t)64 << 30,
				   .now_s = (uint64_t)time(NULL) };
	char error[STORE_ERROR_LEN];

	snprintf(dir, dir_len, "%s/store_bench.XXXXXX", b->args->dir);
	if (!mkdtemp(dir))
		err(1, "%s", dir);
	if (store_open(&conf, &b->store, error))
		errx(1, "%s", error);
}

static void close_store(struct bench *b, const char *dir)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	char path[512];

	store_close(b->store);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void run(const struct args *args, unsigned in_flight, struct row *row, unsigned at)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct store_stats stats;
	double begin, took;
	char dir[256];
	uint64_t n;

	if (!b || !(b->bytes = malloc(args->len + 1)))
		errx(1, "out of memory");
	b->args = args;
	rng_init(&b->rng, at + 1);
	memset(b->bytes, 'x', args->len);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->wake, NULL);
	open_store(b, dir, sizeof(dir));
	begin = now_s();
	n = pump(b, in_flight);
	took = now_s() - begin;
	store_stats(b->store, &stats);
	close_store(b, dir);
	row->per_s[at] = (double)n / took;
	row->commits_per_s[at] = (double)stats.commits / took;
	row->batch[at] = (double)n / (double)stats.commits;
	free(b->bytes);
	free(b);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void parse_args(struct args *args, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:s:u:t:r:")) != -1) {
		switch (c) {
		case 'd': args->dir = optarg; break;
		case 's': args->len = strtoul(optarg, NULL, 10); break;
		case 'u': args->n_users = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 't': args->seconds = strtod(optarg, NULL); break;
		case 'r': args->runs = (unsigned)strtoul(optarg, NULL, 10); break;
		default: exit(2);
		}
	}
	if (optind < argc)
		args->n_rows = 0;
	for (; optind < argc && args->n_rows < ROWS_MAX; optind++)
		args->in_flight[args->n_rows++] =
			(unsigned)strtoul(argv[optind], NULL, 10);
	if (args->runs < 1 || args->runs > RUNS_MAX || args->n_users < 1)
		errx(2, "1 to %d runs, 1 user or more", RUNS_MAX);
	for (unsigned i = 0; i < args->n_rows; i++)
		if (args->in_flight[i] < 1 || args->in_flight[i] > IN_FLIGHT_MAX)
			errx(2, "1 to %d in flight", IN_FLIGHT_MAX);
}

int main(int argc, char **argv)
{
	struct args args = { .dir = "/var/tmp",
			     .len = 4096,
			     .n_users = 1000,
			     .seconds = 2,
			     .runs = 5,
			     .n_rows = 4,
			     .in_flight = { 1, 8, 32, 64 } };
	struct row rows[ROWS_MAX];

	parse_args(&args, argc, argv);
	for (unsigned r = 0; r < args.runs; r++)
		for (unsigned i = 0; i < args.n_rows; i++)
			run(&args, args.in_flight[i], &rows[i], r);
	printf("%zu bytes, %u users, %u runs of %g s: medians (least - most)\n", args.len,
	       args.n_users, args.runs, args.seconds);
	printf("in flight  deliveries/s                 commits/s  batch\n");
	for (unsigned i = 0; i < args.n_rows; i++) {
		struct row *row = &rows[i];
		double mid = median(row->per_s, args.runs);

		printf("%9u  %12.0f (%6.0f - %6.0f)  %9.0f  %5.1f\n", args.in_flight[i],
		       mid, row->per_s[0], row->per_s[args.runs - 1],
		       median(row->commits_per_s, args.runs),
		       median(row->batch, args.runs));
	}
	return 0;
}
