#include "apps/packetboatd/filedb.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/lib/handoff.h"
#include "apps/lib/net.h"
#include "apps/lib/worker.h"
#include "apps/mail/auth/users.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/log.h"

struct filedb {
	struct net *net;
	const struct log *log;
	const struct filedb_kind *kind;
	char *path;
	void *value;
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
	void *fresh;
	int result;
	char error[FILEDB_ERROR_LEN];
};

/* In the worker's thread. */
static void read_file(struct work *work)
{
	struct filedb *db = container_of(work, struct filedb, work);

	db->result = db->kind->load(db->path, &db->fresh, db->error);
	handoff_back(&db->handoff, &db->item);
}

static void take(void *arg, struct handoff_item *item)
{
	struct filedb *db = arg;
	const struct filedb_kind *kind = db->kind;

	(void)item;
	db->reading = false;
	if (db->result < 0) {
		db->n_refused++;
		log_line(db->log, LOG_ERROR, "%s refused=yes kept=%zu why=\"%s\"",
			 kind->name, kind->count(db->value), db->error);
		return;
	}
	kind->free(db->value);
	db->value = db->fresh;
	db->n_loaded++;
	log_line(db->log, LOG_INFO, "%s loaded=%zu file=%s", kind->name,
		 kind->count(db->value), db->path);
	if (db->on_new)
		db->on_new(db->on_new_arg);
}

static void begin_reading(struct filedb *db)
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

void filedb_reload(struct filedb *db)
{
	begin_reading(db);
}

static void look(struct net_timer *t, uint64_t now_ns)
{
	struct filedb *db = container_of(t, struct filedb, look);
	struct users_stamp now = { 0 };

	if (users_stamp(db->path, &now) == 0 &&
	    memcmp(&now, &db->stamp, sizeof(now)) != 0)
		begin_reading(db);
	net_timer_arm(db->net, t, now_ns + FILEDB_LOOK_MS * NS_PER_MS);
}

/* The first reading, which nobody waits for in vain: nothing runs yet. */
static int load_first(struct filedb *db, char *error)
{
	int r = users_stamp(db->path, &db->stamp);

	if (r == -ENOENT) {
		if (db->kind->is_needed)
			log_line(db->log, LOG_WARNING, "%s loaded=0 why=\"no file %s\"",
				 db->kind->name, db->path);
		db->value = db->kind->none();
		return db->value ? 0 : -ENOMEM;
	}
	return db->kind->load(db->path, &db->value, error);
}

int filedb_new(struct net *net, const struct log *log, const struct filedb_kind *kind,
	       const char *path, struct filedb **db, char error[FILEDB_ERROR_LEN])
{
	struct filedb *new = calloc(1, sizeof(*new));
	int r;

	snprintf(error, FILEDB_ERROR_LEN, "no memory");
	if (!new)
		return -ENOMEM;
	new->net = net;
	new->log = log;
	new->kind = kind;
	handoff_init(&new->handoff, net, take, new);
	net_timer_init(&new->look, look);
	new->path = strdup(path);
	r = new->path ? worker_new(1, 1, &new->worker) : -ENOMEM;
	if (r == 0)
		r = load_first(new, error);
	if (r < 0) {
		filedb_free(new);
		return r;
	}
	net_timer_arm(net, &new->look, net_now_ns(net) + FILEDB_LOOK_MS * NS_PER_MS);
	*db = new;
	return 0;
}

void filedb_free(struct filedb *db)
{
	if (!db)
		return;
	net_timer_stop(db->net, &db->look);
	worker_free(db->worker);
	/* A reading that ended just now comes back in the net's next turns. */
	while (handoff_busy(&db->handoff))
		net_turn(db->net);
	handoff_fini(&db->handoff);
	if (db->value)
		db->kind->free(db->value);
	free(db->path);
	free(db);
}

void filedb_on_new(struct filedb *db, void (*fn)(void *arg), void *arg)
{
	db->on_new = fn;
	db->on_new_arg = arg;
}

const void *filedb_value(const struct filedb *db)
{
	return db->value;
}

void filedb_counts(const struct filedb *db, uint64_t *n_loaded, uint64_t *n_refused)
{
	*n_loaded = db->n_loaded;
	*n_refused = db->n_refused;
}
