#include "apps/packetboatd/userdb.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/handoff.h"
#include "apps/lib/net.h"
#include "apps/lib/worker.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/log.h"

struct userdb {
	struct net *net;
	const struct log *log;
	char *path;
	struct users *users;
	struct users_stamp stamp; /* of the file that was read last */
	struct net_timer look;
	struct worker *worker;
	struct handoff handoff;
	uint64_t n_loaded, n_refused;
	void (*on_new)(void *arg); /* NULL: nobody asked */
	void *on_new_arg;

	/* The reading, while one is under way. */
	bool reading;
	struct work work;
	struct handoff_item item;
	struct users *fresh;
	int result;
	char error[USERS_ERROR_LEN];
};

/* In the worker's thread. */
static void read_file(struct work *work)
{
	struct userdb *db = container_of(work, struct userdb, work);

	db->result = users_load(db->path, &db->fresh, db->error);
	handoff_back(&db->handoff, &db->item);
}

static void take(void *arg, struct handoff_item *item)
{
	struct userdb *db = arg;

	(void)item;
	db->reading = false;
	if (db->result < 0) {
		db->n_refused++;
		log_line(db->log, LOG_ERROR, "users refused=yes kept=%zu why=\"%s\"",
			 users_count(db->users), db->error);
		return;
	}
	users_free(db->users);
	db->users = db->fresh;
	db->n_loaded++;
	log_line(db->log, LOG_INFO, "users loaded=%zu file=%s", users_count(db->users),
		 db->path);
	if (db->on_new)
		db->on_new(db->on_new_arg);
}

static void begin_reading(struct userdb *db)
{
	/* The stamp is of before: a change while we read is seen the next time. */
	if (db->reading || users_stamp(db->path, &db->stamp) < 0)
		return;
	db->reading = true;
	db->work.run = read_file;
	handoff_out(&db->handoff);
	if (!worker_submit(db->worker, &db->work)) {
		handoff_undo(&db->handoff);
		db->reading = false;
	}
}

void userdb_reload(struct userdb *db)
{
	begin_reading(db);
}

static void look(struct net_timer *t, uint64_t now_ns)
{
	struct userdb *db = container_of(t, struct userdb, look);
	struct users_stamp now = { 0 };

	if (users_stamp(db->path, &now) == 0 &&
	    memcmp(&now, &db->stamp, sizeof(now)) != 0)
		begin_reading(db);
	net_timer_arm(db->net, t, now_ns + USERDB_LOOK_MS * NS_PER_MS);
}

/* The first reading, which nobody waits for in vain: nothing runs yet. */
static int load_first(struct userdb *db, char *error)
{
	int r = users_stamp(db->path, &db->stamp);

	if (r == -ENOENT) {
		log_line(db->log, LOG_WARNING, "users loaded=0 why=\"no file %s\"",
			 db->path);
		db->users = users_new();
		return db->users ? 0 : -ENOMEM;
	}
	return users_load(db->path, &db->users, error);
}

int userdb_new(struct net *net, const struct log *log, const char *path,
	       struct userdb **db, char error[USERS_ERROR_LEN])
{
	struct userdb *new = calloc(1, sizeof(*new));
	int r;

	snprintf(error, USERS_ERROR_LEN, "no memory");
	if (!new)
		return -ENOMEM;
	new->net = net;
	new->log = log;
	handoff_init(&new->handoff, net, take, new);
	net_timer_init(&new->look, look);
	new->path = strdup(path);
	r = new->path ? worker_new(1, 1, &new->worker) : -ENOMEM;
	if (r == 0)
		r = load_first(new, error);
	if (r < 0) {
		userdb_free(new);
		return r;
	}
	net_timer_arm(net, &new->look, net_now_ns(net) + USERDB_LOOK_MS * NS_PER_MS);
	*db = new;
	return 0;
}

void userdb_free(struct userdb *db)
{
	if (!db)
		return;
	net_timer_stop(db->net, &db->look);
	worker_free(db->worker);
	/* A reading that ended just now comes back in the net's next turns. */
	while (handoff_busy(&db->handoff))
		net_turn(db->net);
	handoff_fini(&db->handoff);
	users_free(db->users);
	free(db->path);
	free(db);
}

void userdb_on_new(struct userdb *db, void (*fn)(void *arg), void *arg)
{
	db->on_new = fn;
	db->on_new_arg = arg;
}

const struct users *userdb_users(const struct userdb *db)
{
	return db->users;
}

void userdb_counts(const struct userdb *db, uint64_t *n_loaded, uint64_t *n_refused)
{
	*n_loaded = db->n_loaded;
	*n_refused = db->n_refused;
}
