#include "apps/pbsim/pbsim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/flow.h"
#include "eth/port.h"
#include "eth/port_sim.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"
#include "tcp/cc.h"

/* Turns and arrivals at one nanosecond: beyond, something goes round in a circle. */
enum { EVENTS_AT_ONCE_MAX = 10000000 };

int pbsim_fail(struct pbsim *s, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->error, sizeof(s->error), format, args);
	va_end(args);
	return -err;
}

const char *pbsim_error(const struct pbsim *s)
{
	return s->error;
}

uint64_t pbsim_seed(const struct pbsim *s, const char *what, uint64_t number)
{
	struct hash_key key = { { s->seed, number } };

	return hash_siphash13(&key, what, strlen(what));
}

/* @array with room for one more behind @n. */
static void *longer(void *array, unsigned n)
{
	/* It doubles at powers of two. */
	if (n & (n - 1))
		return array;
	return realloc(array, (n ? 2 * n : 1) * sizeof(void *));
}

bool pbsim_append(void ***array, unsigned *n, void *item)
{
	void **grown = longer(*array, *n);

	if (!grown)
		return false;
	*array = grown;
	grown[(*n)++] = item;
	return true;
}

static void look_fire(struct event *e, uint64_t now_ns)
{
	struct pbsim *s = container_of(e, struct pbsim, look_event);

	event_set(&s->heap, e, now_ns + s->look_every_ns);
	s->look(s->look_ctx, s, now_ns);
}

struct pbsim *pbsim_new(uint64_t seed)
{
	struct pbsim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seed = seed;
	frame_shop_init(&s->shop);
	s->net = sim_of(host_open_port, s);
	if (!s->net || event_init(&s->heap, &s->look_event, look_fire)) {
		pbsim_free(s);
		return NULL;
	}
	return s;
}

void pbsim_free(struct pbsim *s)
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->host)
			host_close(s->nodes[i]->host);
	for (unsigned i = 0; i < s->n_talks; i++)
		talk_free(s->talks[i]);
	for (unsigned i = 0; i < s->n_lines; i++)
		line_free(s->lines[i]);
	for (unsigned i = 0; i < s->n_nodes; i++) {
		free(s->nodes[i]->host);
		free(s->nodes[i]->way);
		free(s->nodes[i]->out);
		free(s->nodes[i]);
	}
	while (s->captures) {
		struct capture *c = s->captures;

		s->captures = c->next;
		capture_close(c);
	}
	free(s->nodes);
	free(s->lines);
	free(s->talks);
	free(s->by_addr);
	if (s->net)
		sim_free(s->net);
	event_heap_fini(&s->heap);
	frame_shop_fini(&s->shop);
	free(s);
}

/* ---- what there is ---- */

struct node *pbsim_node(const struct pbsim *s, const char *name)
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		if (strcmp(s->nodes[i]->name, name) == 0)
			return s->nodes[i];
	return NULL;
}

static int add_node(struct pbsim *s, const char *name, struct node **node)
{
	size_t len = strlen(name);
	struct node *n;

	if (len == 0 || len >= PBSIM_NAME_LEN)
		return pbsim_fail(s, EINVAL, "\"%.40s\" is no name of 1 to %d letters",
				  name, PBSIM_NAME_LEN - 1);
	if (pbsim_node(s, name))
		return pbsim_fail(s, EEXIST, "there is a \"%s\" already", name);
	if (s->n_nodes == PBSIM_NODES_MAX)
		return pbsim_fail(s, ENOSPC, "more than %d nodes", PBSIM_NODES_MAX);
	n = calloc(1, sizeof(*n));
	if (!n || !pbsim_append((void ***)&s->nodes, &s->n_nodes, n)) {
		free(n);
		return pbsim_fail(s, ENOMEM, "no memory");
	}
	n->s = s;
	n->number = s->n_nodes - 1;
	memcpy(n->name, name, len + 1);
	s->ready = false;
	*node = n;
	return 0;
}

/* 10.0.0.1, and so on, without those that end in 0 or 255; or fd00::1, and so on. */
static struct addr made_addr(unsigned i, unsigned family)
{
	struct ip4 a4 = { { 10, (uint8_t)(i / 254 >> 8), (uint8_t)(i / 254),
			    (uint8_t)(i % 254 + 1) } };
	struct ip6 a6 = {
		{ 0xfd, [14] = (uint8_t)((i + 1) >> 8), [15] = (uint8_t)(i + 1) }
	};

	return family == 6 ? addr_ip6(a6) : addr_ip4(a4);
}

/* 0 or -errno. */
static int host_check(struct pbsim *s, struct host *h)
{
	const struct pbsim_host *c = &h->conf;

	if (c->family && c->family != 4 && c->family != 6)
		return pbsim_fail(s, EINVAL, "family %u is not 4 or 6", c->family);
	h->addr = made_addr(s->n_hosts, c->family);
	if (c->addr && !addr_parse(c->addr, &h->addr))
		return pbsim_fail(s, EINVAL, "\"%.60s\" is no address", c->addr);
	if (c->cc && !cc_find(c->cc))
		return pbsim_fail(s, EINVAL, "no congestion control \"%.40s\"", c->cc);
	if (c->ecn && !host_knows_ecn(c->ecn))
		return pbsim_fail(s, EINVAL, "ecn %.40s is not off, on, accecn or l4s",
				  c->ecn);
	return 0;
}

int pbsim_host(struct pbsim *s, const char *name, const struct pbsim_host *conf)
{
	struct host *h = calloc(1, sizeof(*h));
	struct node *n;
	int err;

	if (!h)
		return pbsim_fail(s, ENOMEM, "no memory");
	if (conf)
		h->conf = *conf;
	err = host_check(s, h);
	if (!err)
		err = add_node(s, name, &n);
	if (!err) {
		/* host_open() gives it its function. */
		err = event_init(&s->heap, &h->event, NULL);
		h->node = n;
		n->host = h;
		s->n_hosts++;
		return err;
	}
	free(h);
	return err;
}

int pbsim_router(struct pbsim *s, const char *name)
{
	struct node *n;

	return add_node(s, name, &n);
}

static int add_line(struct pbsim *s, struct node *from, struct node *to,
		    const struct pbsim_line *conf)
{
	struct line *l;

	if (from->host && from->n_out)
		return pbsim_fail(s, EINVAL, "%s is a host and has a link already",
				  from->name);
	l = line_new(s, from, to, conf);
	if (!l || !pbsim_append((void ***)&s->lines, &s->n_lines, l)) {
		if (l)
			line_free(l);
		return pbsim_fail(s, ENOMEM, "no memory");
	}
	if (!pbsim_append((void ***)&from->out, &from->n_out, l))
		return pbsim_fail(s, ENOMEM, "no memory");
	return 0;
}

int pbsim_link(struct pbsim *s, const char *a, const char *b, const struct pbsim_line *ab,
	       const struct pbsim_line *ba)
{
	struct node *from = pbsim_node(s, a), *to = pbsim_node(s, b);
	int err;

	if (!from || !to)
		return pbsim_fail(s, ENOENT, "there is no \"%.40s\"", from ? b : a);
	if (from == to)
		return pbsim_fail(s, EINVAL, "a link from %s to itself", a);
	for (unsigned i = 0; i < from->n_out; i++)
		if (from->out[i]->to == to)
			return pbsim_fail(s, EEXIST, "%s and %s have a link already", a,
					  b);
	s->ready = false;
	err = add_line(s, from, to, ab);
	return err ? err : add_line(s, to, from, ba);
}

static struct line *find_line(const struct pbsim *s, const char *from, const char *to)
{
	for (unsigned i = 0; i < s->n_lines; i++)
		if (strcmp(s->lines[i]->from->name, from) == 0 &&
		    strcmp(s->lines[i]->to->name, to) == 0)
			return s->lines[i];
	return NULL;
}

int pbsim_change(struct pbsim *s, const char *from, const char *to,
		 const struct pbsim_line *line)
{
	struct line *l = find_line(s, from, to);
	struct pbsim_line now;

	if (!l)
		return pbsim_fail(s, ENOENT, "no link from %.40s to %.40s", from, to);
	/* A wire with a queue behind it stays one. */
	if (!line->rate_bps != !l->conf.rate_bps)
		return pbsim_fail(s, EINVAL, "a line cannot come to have a rate");
	now = *line;
	now.mtu = l->conf.mtu;
	now.queue = l->conf.queue;
	now.super = l->conf.super;
	l->conf = now;
	l->queue->rate_bps = now.rate_bps;
	l->part = 0;
	return 0;
}

/* ---- what happens ---- */

void pbsim_on_look(struct pbsim *s, uint64_t every_ns, pbsim_look *fn, void *ctx)
{
	s->look = fn;
	s->look_ctx = ctx;
	s->look_every_ns = every_ns;
	event_set(&s->heap, &s->look_event, fn ? s->now_ns : EVENT_NEVER);
}

void pbsim_on_segment(struct pbsim *s, pbsim_segment *fn, void *ctx)
{
	s->segment = fn;
	s->segment_ctx = ctx;
}

/* Hosts and flows that are new come to life. */
static int get_ready(struct pbsim *s)
{
	int err = s->ready ? 0 : router_find_ways(s);

	for (unsigned i = 0; i < s->n_nodes && !err; i++)
		if (s->nodes[i]->host && !s->nodes[i]->host->stack)
			err = host_open(s->nodes[i]->host);
	for (unsigned i = 0; i < s->n_talks && !err; i++)
		if (s->talks[i]->port == 0)
			err = talk_open(s->talks[i]);
	s->ready = !err;
	return err;
}

int pbsim_run(struct pbsim *s, uint64_t until_ns)
{
	unsigned at_once = 0;
	int err = get_ready(s);

	while (!err && event_due(&s->heap) <= until_ns) {
		struct event *e = event_pop(&s->heap);

		at_once = e->at_ns == s->now_ns ? at_once + 1 : 0;
		if (at_once > EVENTS_AT_ONCE_MAX)
			err = pbsim_fail(s, ELOOP, "time does not go on");
		s->now_ns = e->at_ns;
		s->n_events++;
		e->at_ns = EVENT_NEVER;
		e->fire(e, s->now_ns);
	}
	if (!err && s->now_ns < until_ns)
		s->now_ns = until_ns;
	pb_core_use(NULL);
	return err;
}

uint64_t pbsim_now(const struct pbsim *s)
{
	return s->now_ns;
}

/* ---- what came of it ---- */

bool pbsim_line_stats(struct pbsim *s, unsigned i, struct pbsim_line_stats *stats)
{
	const struct line *l;

	if (i >= s->n_lines)
		return false;
	l = s->lines[i];
	*stats = l->stats;
	stats->from = l->from->name;
	stats->to = l->to->name;
	stats->queue = &l->queue->stats;
	stats->queue_bytes = l->queue->bytes;
	if (l->to->host && l->to->host->port)
		stats->no_memory = l->to->host->port->stats.rx_no_memory;
	return true;
}

uint64_t pbsim_line_peak(struct pbsim *s, unsigned i)
{
	return aqm_peak(s->lines[i]->queue);
}

unsigned pbsim_n_flows(const struct pbsim *s)
{
	return s->n_talks;
}

uint64_t pbsim_n_events(const struct pbsim *s)
{
	return s->n_events;
}

uint64_t pbsim_digest(const struct pbsim *s)
{
	return s->digest;
}
