#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/io.h"
#include "apps/mail/relay/relay_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

_Static_assert((int)CLIENT_RCPTS_MAX >= (int)ENVELOPE_RCPTS_MAX, "items fit messages");

void relay_conf_init(struct relay_conf *conf)
{
	*conf = (struct relay_conf){
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			RELAY_LIMITS(L)
#undef L
		},
		.client = {
#define L(name, initial, least, most, text) .name = initial,
			CLIENT_LIMITS(L)
#undef L
		},
	};
}

static struct envelope_reply reply_of(const struct client_said *said)
{
	return (struct envelope_reply){
		.code = said->code,
		.enhanced = said->enhanced,
		.text = str_of(said->text),
	};
}

static enum queue_result result_of(enum client_result result)
{
	switch (result) {
	case CLIENT_OK: return QUEUE_SENT;
	case CLIENT_TRANSIENT: return QUEUE_LATER;
	case CLIENT_PERMANENT: return QUEUE_FAILED;
	}
	return QUEUE_LATER;
}

void relay_session_end(struct relay_session *s)
{
	struct relay *r = s->relay;

	mx_end(&s->mx);
	race_fini(&s->race);
	net_timer_stop(r->net, &s->idle);
	if (s->run)
		queue_run_end(s->run);
	free(s->turn);
	list_remove(&s->node);
	r->stats.sessions_open--;
	free(s);
	net_timer_arm(r->net, &r->again, net_now_ns(r->net));
}

static struct relay_down *down_of(struct relay *r, struct relay_down *table,
				  const char *where)
{
	return &table[hash_siphash13(&r->key, where, strlen(where)) % RELAY_DOWN_PLACES];
}

static bool is_noted(struct relay *r, struct relay_down *table, const char *where)
{
	const struct relay_down *d = down_of(r, table, where);

	return strcmp(d->where, where) == 0 && net_now_ns(r->net) < d->until_ns;
}

static void note(struct relay *r, struct relay_down *table, const char *where,
		 uint64_t for_s)
{
	struct relay_down *d = down_of(r, table, where);

	d->until_ns = net_now_ns(r->net) + for_s * NS_PER_S;
	snprintf(d->where, sizeof(d->where), "%s", where);
}

static unsigned count_to(const struct relay *r, const char *where)
{
	const struct list *at;
	unsigned n = 0;

	for (at = r->sessions.next; at != &r->sessions; at = at->next) {
		const struct relay_session *s =
			container_of(at, struct relay_session, node);

		n += (strcmp(s->where, where) == 0) + race_n_at(&s->race, where);
	}
	return n;
}

/* One address less. */
static void note_failure(struct relay_session *s, const struct client_said *said)
{
	s->any_failed = true;
	s->any_transient |= said->result != CLIENT_PERMANENT;
	s->said = *said;
	snprintf(s->said_text, sizeof(s->said_text), "%s", said->text);
	s->said.text = s->said_text;
}

static void note_own_failure(struct relay_session *s, const char *text)
{
	const struct client_said said = {
		.result = CLIENT_TRANSIENT,
		.enhanced = { 4, 4, 1 },
		.text = text,
	};

	note_failure(s, &said);
}

/* No address is left: that is so for all that is due there. */
static void fail(struct relay_session *s, const struct client_said *why)
{
	const struct client_said *said = s->any_failed ? &s->said : why;
	struct envelope_reply reply = reply_of(said);
	bool later = s->any_failed ? s->any_transient : why->result != CLIENT_PERMANENT;

	queue_run_fail(s->run, later ? QUEUE_LATER : QUEUE_FAILED, str_of(s->host),
		       &reply);
	relay_session_end(s);
}

/* An SMTP client on @io, which connects or is connected; @is_open says which. */
static bool give_client(struct relay_session *s, struct io *io, bool is_open)
{
	struct relay *r = s->relay;
	struct client_conf conf = r->client;

	conf.tls_host = s->host;
	if (conf.tls && !is_noted(r, r->clears, s->where))
		conf.tls_mode = CLIENT_TLS_IF_OFFERED;
	s->client = is_open ? client_turn(io, &conf, &relay_client_ops, s) :
			      client_new(io, &conf, &relay_client_ops, s);
	if (!s->client) {
		io_abort(io);
		note_own_failure(s, "Out of memory");
	}
	return s->client;
}

/* Connects once more to s->where. */
static bool again_there(struct relay_session *s)
{
	struct io *io;
	int err = net_connect(s->relay->net, s->where, &io);

	if (err < 0) {
		note_own_failure(s, strerror(-err));
		return false;
	}
	s->relay->stats.connects++;
	return give_client(s, io, false);
}

/* False: that address is none for us. */
static bool connect_to(struct relay_session *s, const char *where)
{
	struct relay *r = s->relay;
	int err;

	if (is_noted(r, r->downs, where)) {
		r->stats.refused_down++;
		note_own_failure(s, "It did not answer a moment ago");
		return false;
	}
	if (count_to(r, where) >= r->conf.limits.per_host_max) {
		r->stats.refused_many++;
		note_own_failure(s, "There are too many connections to it");
		return false;
	}
	err = race_try(&s->race, where);
	if (err < 0) {
		note_own_failure(s, strerror(-err));
		return false;
	}
	r->stats.connects++;
	return true;
}

static void take_found(void *arg, const struct mx_found *found);

/* Another address: while others run, only one of the same host that is known already. */
static void seek(struct relay_session *s)
{
	while (s->n_lost > 0 && race_n(&s->race) < RACE_TRIES_MAX)
		if (connect_to(s, s->lost[--s->n_lost]))
			return;
	if (race_n(&s->race) == 0 || mx_has_more(&s->mx))
		mx_next(&s->mx, take_found, s);
}

static void take_found(void *arg, const struct mx_found *found)
{
	struct relay_session *s = arg;

	if (!found->found) {
		if (s->host[0] == '\0')
			snprintf(s->host, sizeof(s->host), "%s", found->host);
		fail(s, &found->why);
		return;
	}
	snprintf(s->host, sizeof(s->host), "%s", found->host);
	if (!connect_to(s, found->where))
		seek(s);
}

static void race_more(void *arg)
{
	seek(arg);
}

static void race_failed(void *arg, const char *where, int error)
{
	struct relay_session *s = arg;
	struct relay *r = s->relay;

	note(r, r->downs, where, r->conf.limits.down_s);
	note_own_failure(s, error == ETIMEDOUT ? "No answer in time" : strerror(error));
}

static void race_lost(void *arg, const char *where)
{
	struct relay_session *s = arg;

	snprintf(s->lost[s->n_lost++], NET_ADDR_TEXT_LEN, "%s", where);
}

static void race_won(void *arg, struct io *io, const char *where)
{
	struct relay_session *s = arg;

	snprintf(s->where, sizeof(s->where), "%s", where);
	if (give_client(s, io, true))
		return;
	s->where[0] = '\0';
	seek(s);
}

static const struct race_ops race_ops = {
	.more = race_more,
	.failed = race_failed,
	.lost = race_lost,
	.won = race_won,
};

static bool must_wait(const struct relay_session *s)
{
	return s->run && queue_run_is_full(s->run);
}

static struct queue_item *next_item(struct relay_session *s)
{
	struct queue_item *item = s->run ? queue_run_item(s->run) : NULL;

	while (!item && s->turn && !must_wait(s) && relay_turn_next(s) == 0)
		item = queue_run_item(s->run);
	return item;
}

static bool send_next(struct relay_session *s)
{
	struct relay *r = s->relay;

	s->item = next_item(s);
	if (!s->item)
		return false;
	net_timer_stop(r->net, &s->idle);
	for (size_t i = 0; i < s->item->env.n_rcpts; i++)
		s->rcpts[i] = s->item->env.rcpts[i].addr;
	s->message = (struct client_message){
		.from = s->item->env.from,
		.rcpts = s->rcpts,
		.n_rcpts = s->item->env.n_rcpts,
		.text = s->item->message,
	};
	r->stats.messages++;
	r->stats.reused += s->n_messages++ > 0;
	s->ready = false;
	client_send(s->client, &s->message);
	return true;
}

static void quit(struct relay_session *s)
{
	struct client *c = s->client;

	s->client = NULL;
	client_quit(c);
	relay_session_end(s);
}

static void idle_over(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	quit(container_of(t, struct relay_session, idle));
}

static void client_ready(void *arg)
{
	struct relay_session *s = arg;
	struct relay *r = s->relay;

	if (s->n_messages == 0) {
		r->stats.connected++;
		r->stats.tls_sessions += client_is_secure(s->client);
	}
	s->ready = true;
	if (send_next(s))
		return;
	if (r->stopped || (s->turn && !must_wait(s)))
		quit(s);
	else
		net_timer_arm(r->net, &s->idle,
			      net_now_ns(r->net) + r->conf.limits.idle_s * NS_PER_S);
}

static void client_rcpt(void *arg, size_t i, const struct client_said *said)
{
	struct relay_session *s = arg;
	struct envelope_reply reply = reply_of(said);

	queue_item_rcpt(s->run, i, result_of(said->result), &reply);
}

static void item_done(struct relay_session *s, const struct client_said *said)
{
	struct envelope_reply reply = reply_of(said);

	s->item = NULL;
	queue_item_done(s->run, str_of(s->host), &reply);
}

static void client_is_done(void *arg)
{
	const struct client_said nothing = { .result = CLIENT_TRANSIENT, .text = "" };

	item_done(arg, &nothing);
}

/* RFC 7435 3: better in clear than not at all.  True: it is on its way. */
static bool try_in_clear(struct relay_session *s)
{
	struct relay *r = s->relay;

	r->stats.tls_failures++;
	note(r, r->clears, s->where, r->conf.limits.clear_s);
	return !r->stopped && again_there(s);
}

static void client_closed(void *arg, bool greeted, const struct client_said *said)
{
	struct relay_session *s = arg;
	bool tls_failed = client_tls_failed(s->client);

	s->client = NULL;
	s->ready = false;
	if (greeted) {
		/* Who took our message and said nothing may have it; it comes again. */
		if (s->item) {
			s->relay->stats.broken++;
			item_done(s, said);
		}
		relay_session_end(s);
		return;
	}
	/* What waits for who called waits on. */
	if (s->turn) {
		relay_session_end(s);
		return;
	}
	if (tls_failed && try_in_clear(s))
		return;
	/* No SMTP code: it did not come so far. */
	if (said->code == 0 && !tls_failed)
		note(s->relay, s->relay->downs, s->where, s->relay->conf.limits.down_s);
	s->where[0] = '\0';
	note_failure(s, said);
	seek(s);
}

const struct client_ops relay_client_ops = {
	.ready = client_ready,
	.rcpt = client_rcpt,
	.done = client_is_done,
	.closed = client_closed,
};

struct relay_session *relay_session_new(struct relay *r, struct queue_run *run)
{
	struct relay_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->relay = r;
	s->run = run;
	net_timer_init(&s->idle, idle_over);
	list_push(&r->sessions, &s->node);
	r->stats.sessions++;
	r->stats.sessions_open++;
	return s;
}

/* RFC 3463 3.5: 4.4.0, that it cannot be sent is the network's. */
static const struct client_said waits = {
	.result = CLIENT_TRANSIENT,
	.enhanced = { 4, 4, 0 },
	.text = "Its host has not called for it",
};

static bool start(struct relay *r, struct queue_run *run)
{
	struct relay_session *s = relay_session_new(r, run);
	struct str dest = queue_run_dest(run);
	const struct route *route;

	if (!s) {
		queue_run_end(run);
		return false;
	}
	route = route_find(r->conf.routes, r->conf.n_routes, dest);
	if (route && !route->via) {
		fail(s, &waits);
		return true;
	}
	mx_begin(&s->mx,
		 &(struct mx_env){ .net = r->net,
				   .dns = r->dns,
				   .rng = &r->rng,
				   .self = r->conf.host },
		 dest, route ? route->via : NULL);
	race_init(&s->race, r->net, r->client.limits.connect_s * NS_PER_S, &race_ops, s);
	seek(s);
	return true;
}

/* Connections that wait come first. */
static void use_idle(struct relay *r)
{
	struct list *at = r->sessions.next;

	while (at != &r->sessions) {
		struct relay_session *s = container_of(at, struct relay_session, node);

		at = at->next;
		if (s->ready)
			send_next(s);
	}
}

void relay_work(struct relay *r)
{
	struct queue_run *run;

	if (r->stopped)
		return;
	use_idle(r);
	while (r->stats.sessions_open < r->conf.limits.sessions_max &&
	       (run = queue_next(r->queue)))
		if (!start(r, run))
			break;
}

void relay_called(struct relay *r)
{
	memset(r->downs, 0, sizeof(r->downs));
}

static void again(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	relay_work(container_of(t, struct relay, again));
}

int relay_new(struct net *net, struct queue *queue, struct dns *dns,
	      const struct relay_conf *conf, struct relay **relay)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->net = net;
	r->queue = queue;
	r->dns = dns;
	r->conf = *conf;
	r->client = (struct client_conf){ .host = conf->host,
					  .no_self = true,
					  .limits = conf->client,
					  .tls = conf->tls };
	rng_init(&r->rng, conf->seed);
	r->key = (struct hash_key){ { conf->seed, ~conf->seed } };
	list_init(&r->sessions);
	net_timer_init(&r->again, again);
	*relay = r;
	return 0;
}

void relay_stop(struct relay *r)
{
	struct list *at = r->sessions.next;

	r->stopped = true;
	while (at != &r->sessions) {
		struct relay_session *s = container_of(at, struct relay_session, node);

		at = at->next;
		if (s->ready) {
			quit(s);
		} else if (!s->item) {
			if (s->client)
				client_abort(s->client);
			relay_session_end(s);
		}
	}
}

bool relay_busy(const struct relay *r)
{
	return !list_empty(&r->sessions);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	while (!list_empty(&r->sessions)) {
		struct relay_session *s =
			container_of(r->sessions.next, struct relay_session, node);

		if (s->client)
			client_abort(s->client);
		relay_session_end(s);
	}
	net_timer_stop(r->net, &r->again);
	free(r);
}

const struct relay_stats *relay_stats(const struct relay *r)
{
	return &r->stats;
}
