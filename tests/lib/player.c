#include "tests/lib/player.h"

#include <stdlib.h>
#include <string.h>

#include "eth/port.h"
#include "eth/port_sim.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tcp/tcp_impl.h"
#include "tests/lib/player_impl.h"

enum {
	BUFS = 4096,
	CONNS = 256,
	PATIENCE_S = 7200, /* of virtual time, until all is gone at the end */
	TURNS_MAX = 100000,
	MTU_MORE_IP6 = 20,	/* so that segments are as long as with IPv4 */
	FIRST_ISN = 0xfffffc00, /* numbers pass zero early */
};

/* ---- what went wrong ---- */

static const char *family_name(enum script_family family)
{
	return family == SCRIPT_IP4 ? "IPv4" : "IPv6";
}

bool player_fail(struct player *p, const char *format, ...)
{
	va_list args;
	int n;

	/* The first that went wrong is what the others come from. */
	if (p->error[0])
		return false;
	n = snprintf(p->error, SCRIPT_ERROR_LEN, "%s.pkt:%u (%s): ", p->script->name,
		     p->event ? p->event->line : 1, family_name(p->family));
	va_start(args, format);
	vsnprintf(p->error + n, SCRIPT_ERROR_LEN - (size_t)n, format, args);
	va_end(args);
	return false;
}

double player_seconds(const struct player *p, uint64_t at_ns)
{
	return (double)((int64_t)(at_ns - p->start_ns)) / (double)NS_PER_S;
}

static bool nobody_expects(struct player *p)
{
	struct player_sent *s = player_pop(p);
	char text[PLAYER_TEXT_LEN];
	bool last = p->event == p->script->events + p->script->n_events;

	if (last)
		p->event--;
	player_fail(p, "nobody expects what was sent %s:\n  got  %.6f > %s",
		    last ? "at the end" : "before this line", player_seconds(p, s->at_ns),
		    player_text(p, s, text));
	free(s);
	return false;
}

/* ---- time ---- */

/* All that happens now; when there is more to do. */
static uint64_t turn(struct player *p)
{
	for (unsigned n = 0; n < TURNS_MAX; n++) {
		uint64_t due = pb_turn(p->now_ns);
		bool again = player_collect(p);

		again |= player_retry(p);
		if (!again && due > p->now_ns)
			return due < player_wake(p) ? due : player_wake(p);
	}
	player_fail(p, "the stack finds no rest at %.6f", player_seconds(p, p->now_ns));
	return UINT64_MAX;
}

bool player_run(struct player *p, uint64_t end_ns)
{
	for (;;) {
		uint64_t due = turn(p);

		if (!list_empty(&p->sent))
			return false;
		if (due > end_ns)
			break;
		p->now_ns = due;
	}
	if (end_ns > p->now_ns) {
		p->now_ns = end_ns;
		turn(p);
	}
	return list_empty(&p->sent);
}

/* ---- events ---- */

static bool play_event(struct player *p, const struct script_event *e)
{
	uint64_t base = e->relative ? p->base_ns : p->start_ns;
	uint64_t from = base + e->from_ns, to = base + e->to_ns;

	if (e->kind == SCRIPT_OUT)
		return player_out(p, e, from, to);
	if (from < p->now_ns)
		return player_fail(p, "it is %.6f already", player_seconds(p, p->now_ns));
	if (!player_run(p, from))
		return nobody_expects(p);
	if (p->trace)
		fprintf(p->trace, "%.6f %s%s\n", player_seconds(p, from),
			e->kind == SCRIPT_IN   ? "< " :
			e->kind == SCRIPT_LOOK ? "? " :
						 "",
			e->text);
	p->base_ns = from;
	switch (e->kind) {
	case SCRIPT_IN: return player_in(p, e);
	case SCRIPT_LOOK: return player_look(p, e);
	case SCRIPT_CALL: return player_call(p, e, from);
	case SCRIPT_OUT: break;
	}
	return true;
}

static bool play_events(struct player *p)
{
	const struct script *s = p->script;

	for (p->event = s->events; p->event < s->events + s->n_events; p->event++) {
		if (!play_event(p, p->event))
			return false;
		turn(p);
	}
	return player_waits(p) && (list_empty(&p->sent) || nobody_expects(p));
}

/* ---- the end ---- */

static void drop_sent(struct player *p)
{
	struct player_sent *s;

	while ((s = player_pop(p)))
		free(s);
}

static bool is_out(const struct pb_out *o)
{
	return o->packets || o->buffers || o->conns || o->sockets || o->half_open ||
	       o->time_wait;
}

/* Whoever heard of the end says nothing more; all must be forgotten in time. */
static bool play_end(struct player *p)
{
	uint64_t end = p->now_ns + PATIENCE_S * NS_PER_S;
	struct pb_out out;

	p->event = p->script->events + p->script->n_events - 1;
	player_close_all(p);
	for (;;) {
		uint64_t due = turn(p);

		drop_sent(p);
		pb_out_get(p->core, &out);
		if (!is_out(&out))
			return true;
		if (due > end)
			break;
		p->now_ns = due;
	}
	return player_fail(
		p,
		"at the end %u packets, %u buffers, %u connections, %u sockets, "
		"%u half-open, %u in TIME-WAIT are out",
		out.packets, out.buffers, out.conns, out.sockets, out.half_open,
		out.time_wait);
}

/* ---- the beginning ---- */

/* --NAME=VALUE: all that can be set of a stack, but where it is, before it is there. */
static bool set_option(struct player *p, const struct script_option *o,
		       struct pb_stack_conf *conf)
{
	const struct {
		const char *name;
		uint32_t *field;
	} numbers[] = {
		{ "max_syn", &conf->max_syn },
		{ "max_conns", &conf->max_conns },
		{ "n_bufs", &conf->n_bufs },
		{ "rcvbuf", &conf->rcvbuf },
		{ "sndbuf", &conf->sndbuf },
		{ "time_wait_ms", &conf->time_wait_ms },
		{ "mtu", &p->mtu },
		{ "ecn", &conf->ecn },
		{ "fastopen", &conf->fastopen },
	};
	char *end;

	if (strcmp(o->name, "cc") == 0) {
		conf->cc = o->value;
		return true;
	}
	if (strcmp(o->name, "tolerance_us") == 0) {
		p->tolerance_ns = strtoul(o->value, &end, 10) * NS_PER_US;
		return !*end;
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(o->name, numbers[i].name) == 0) {
			*numbers[i].field = (uint32_t)strtoul(o->value, &end, 10);
			return !*end;
		}
	}
	return strcmp(o->name, "ecn_plus") == 0;
}

/* What only TCP knows. */
static void set_tcp(struct player *p)
{
	struct tcp *tcp = p->core->tcp;

	for (unsigned i = 0; i < p->script->n_options; i++) {
		const struct script_option *o = &p->script->options[i];

		if (strcmp(o->name, "ecn_plus") == 0)
			tcp->conf.ecn_plus = atoi(o->value);
	}
}

static bool set_options(struct player *p, struct pb_stack_conf *conf)
{
	for (unsigned i = 0; i < p->script->n_options; i++) {
		const struct script_option *o = &p->script->options[i];

		if (!set_option(p, o, conf))
			return player_fail(p, "no such option: --%s=%s (line %u)",
					   o->name, o->value, o->line);
	}
	if (p->family == SCRIPT_IP6)
		p->mtu += MTU_MORE_IP6;
	return true;
}

static bool open_wire(struct player *p)
{
	struct sim_link_conf link = { .point_to_point = true };
	struct port_conf far = { .pool = &p->pool };
	char error[PORT_ERROR_LEN];

	link.dir[0].mtu = link.dir[1].mtu = (uint16_t)p->mtu;
	p->sim = sim_new(1);
	if (!p->sim || sim_link_add(p->sim, "wire", &link) < 0)
		return player_fail(p, "no memory");
	far.sim = p->sim;
	return port_open("sim:wire/1", &far, &p->far, error) == 0 ||
	       player_fail(p, "%s", error);
}

static bool open_stack(struct player *p)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	pb_stack_conf_init(&conf);
	conf.port = "sim:wire/0";
	conf.addr = "192.0.2.1/24";
	conf.addr6 = p->family == SCRIPT_IP6 ? "2001:db8::1/64" : NULL;
	conf.offload = 0;
	conf.probe_addr = 0;
	conf.n_bufs = BUFS;
	conf.max_conns = CONNS;
	conf.seed = 1;
	conf.now_ns = p->now_ns;
	if (!set_options(p, &conf) || !open_wire(p))
		return false;
	conf.sim = p->sim;
	if (pb_stack_open(&conf, &p->stack, error) < 0)
		return player_fail(p, "%s", error);
	p->core = pb_stack_core(p->stack, 0);
	set_tcp(p);
	return pb_core_use(p->core) == 0 || player_fail(p, "no core");
}

static bool begin(struct player *p)
{
	list_init(&p->sent);
	p->last_fd = -1;
	p->mtu = PORT_MTU;
	p->tolerance_ns = PLAYER_TICK_NS;
	p->now_ns = p->start_ns = p->base_ns = 1000 * NS_PER_S;
	for (unsigned i = 0; i < PLAYER_PEERS; i++)
		p->peers[i] = (struct player_peer){
			.port = (uint16_t)(PLAYER_PEER_PORT + i),
			.local_port = PLAYER_PORT,
			.isn = FIRST_ISN,
			.fresh = true,
		};
	if (pkt_pool_init(&p->pool, BUFS, BUFS) < 0)
		return player_fail(p, "no memory");
	if (!open_stack(p))
		return false;
	/* What a stack says when it begins is nobody's business here. */
	while (!player_run(p, p->start_ns + 10 * NS_PER_S))
		drop_sent(p);
	p->start_ns = p->base_ns = p->now_ns;
	return true;
}

static void fini(struct player *p)
{
	drop_sent(p);
	pb_core_use(NULL);
	if (p->stack)
		pb_stack_close(p->stack);
	if (p->far)
		port_close(p->far);
	if (p->sim)
		sim_free(p->sim);
	if (p->pool.buf_info)
		pkt_pool_fini(&p->pool);
}

bool player_play(const struct script *s, enum script_family family, FILE *trace,
		 char error[static SCRIPT_ERROR_LEN])
{
	struct player *p = calloc(1, sizeof(*p));
	bool well;

	if (!p) {
		snprintf(error, SCRIPT_ERROR_LEN, "no memory");
		return false;
	}
	p->script = s;
	p->family = family;
	p->trace = trace;
	p->error = error;
	error[0] = '\0';
	well = begin(p) && play_events(p) && play_end(p);
	fini(p);
	free(p);
	return well && !error[0];
}
