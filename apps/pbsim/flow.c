#include "apps/pbsim/flow.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/sock/sock_impl.h"
#include "tcp/cc.h"
#include "tcp/tcp.h"

enum { CHUNK = 65536 };

static const struct talk_ops *const kinds[PBSIM_N_KINDS] = {
	[PBSIM_BULK] = &talk_bulk_ops,
	[PBSIM_RR] = &talk_rr_ops,
	[PBSIM_ONOFF] = &talk_onoff_ops,
	[PBSIM_MAIL] = &talk_mail_ops,
};

/* ---- for the kinds ---- */

void flow_at(struct talk *t, uint64_t at_ns)
{
	uint64_t stop_ns = t->conf.stop_ns && !t->over ? t->conf.stop_ns : EVENT_NEVER;

	t->tick_ns = at_ns;
	event_set(&t->s->heap, &t->event, at_ns < stop_ns ? at_ns : stop_ns);
}

void flow_want(struct end *e, uint32_t events)
{
	if (events == e->events)
		return;
	e->events = events;
	pb_ready_mod(e->host->ready, e->sock, events | PB_READY_RDHUP, e);
}

static void failed(struct end *e)
{
	struct talk *t = e->talk;

	if (!t->result.error)
		t->result.error = errno;
	flow_close(e);
}

uint64_t flow_read(struct end *e, uint64_t max, bool *eof)
{
	char bytes[CHUNK];
	uint64_t got = 0;

	*eof = false;
	while (got < max) {
		uint64_t want = max - got < CHUNK ? max - got : CHUNK;
		ssize_t n = pb_recv(e->sock, bytes, want, 0);

		if (n > 0) {
			got += (uint64_t)n;
			/* That was all, but for the peer's end. */
			if ((uint64_t)n < want && !(e->told & PB_READY_RDHUP))
				break;
			continue;
		}
		*eof = n == 0;
		if (n < 0 && errno != EAGAIN)
			failed(e);
		break;
	}
	e->got += got;
	return got;
}

bool flow_write(struct end *e)
{
	static const char bytes[CHUNK];

	while (e->sock >= 0 && e->to_send) {
		uint64_t len = e->to_send < CHUNK ? e->to_send : CHUNK;
		ssize_t n = pb_send(e->sock, bytes, len, 0);

		if (n < 0 && errno == EAGAIN) {
			flow_want(e, e->events | PB_READY_OUT);
			return false;
		}
		if (n < 0) {
			failed(e);
			return false;
		}
		if (e->to_send != UINT64_MAX)
			e->to_send -= (uint64_t)n;
	}
	if (e->sock >= 0)
		flow_want(e, e->events & ~(uint32_t)PB_READY_OUT);
	return true;
}

void flow_sample(struct talk *t, uint64_t now_ns)
{
	t->result.count++;
	if (t->n_samples == t->samples_room && t->n_samples < FLOW_SAMPLES_MAX) {
		uint32_t room = t->samples_room ? 2 * t->samples_room : 256;
		uint64_t *grown = realloc(t->sample, room * sizeof(uint64_t));

		if (!grown)
			return;
		t->sample = grown;
		t->samples_room = room;
	}
	if (t->n_samples == t->samples_room)
		return;
	t->sample[t->n_samples++] = now_ns - t->asked_ns;
	t->sorted = false;
}

void flow_shut(struct talk *t)
{
	if (t->client.sock < 0)
		return;
	t->client.to_send = 0;
	pb_shutdown(t->client.sock, SHUT_WR);
	flow_want(&t->client, PB_READY_IN);
}

static void note(struct talk *t)
{
	struct pbsim_result *r = &t->result;
	struct tcp_conn_info info;

	if (!pbsim_flow_info(t->s, t->number, &info))
		return;
	r->sent = info.bytes_sent;
	r->retrans = info.bytes_retrans;
	r->fast_recoveries = info.fast_recoveries;
	r->rtos = info.rtos;
	r->min_rtt_us = info.min_rtt_us;
	r->srtt_us = info.srtt_us;
	snprintf(r->cc, sizeof(r->cc), "%s", info.cc);
}

void flow_close(struct end *e)
{
	if (e->sock < 0)
		return;
	if (e == &e->talk->client)
		note(e->talk);
	host_use(e->host);
	pb_close(e->sock);
	e->sock = -1;
}

void flow_over(struct talk *t, uint64_t now_ns)
{
	if (t->over)
		return;
	t->over = true;
	t->result.ended_ns = now_ns;
	flow_at(t, EVENT_NEVER);
}

/* ---- its life ---- */

static struct sockaddr_storage address(const struct host *h, uint16_t port,
				       socklen_t *len)
{
	struct sockaddr_storage ss = { 0 };

	*len = sizeof(ss);
	sock_addr_out(&h->addr, port, (struct sockaddr *)&ss, len);
	return ss;
}

static int family(const struct host *h)
{
	return h->addr.family == ADDR_IP4 ? AF_INET : AF_INET6;
}

static void set_cc(const struct talk *t, int sock)
{
	if (t->cc[0])
		pb_setsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, t->cc,
			      (socklen_t)strlen(t->cc));
}

static bool watch(struct end *e, uint32_t events)
{
	e->events = events;
	return pb_ready_add(e->host->ready, e->sock, events | PB_READY_RDHUP, e) == 0;
}

static void on_server(struct end *e, uint32_t events, uint64_t now_ns)
{
	e->talk->ops->server(e, events, now_ns);
}

static void on_listener(struct end *e, uint32_t events, uint64_t now_ns)
{
	struct talk *t = e->talk;
	int s = pb_accept(e->sock, NULL, NULL);

	(void)events;
	(void)now_ns;
	if (s < 0)
		return;
	t->server.sock = s;
	t->server.on = on_server;
	set_cc(t, s);
	watch(&t->server, PB_READY_IN);
	e->host->again = true;
	/* Nobody else comes. */
	pb_close(e->sock);
	e->sock = -1;
	if (t->ops == &talk_mail_ops)
		on_server(&t->server, 0, now_ns);
}

static void on_client(struct end *e, uint32_t events, uint64_t now_ns)
{
	struct talk *t = e->talk;

	if (events & PB_READY_ERR) {
		socklen_t len = sizeof(int);
		int err = 0;

		pb_getsockopt(e->sock, SOL_SOCKET, SO_ERROR, &err, &len);
		errno = err;
		failed(e);
		return;
	}
	if (!t->connected) {
		t->connected = true;
		flow_want(e, PB_READY_IN);
		t->ops->begin(t, now_ns);
		return;
	}
	t->ops->client(e, events, now_ns);
}

static void connect_client(struct talk *t, uint64_t now_ns)
{
	struct end *e = &t->client;
	socklen_t len;
	struct sockaddr_storage to = address(t->server.host, t->port, &len);

	t->begun = true;
	t->result.begun_ns = now_ns;
	e->on = on_client;
	e->sock = pb_socket(family(t->server.host), SOCK_STREAM, 0);
	if (e->sock < 0) {
		t->result.error = errno;
		return;
	}
	set_cc(t, e->sock);
	if ((pb_connect(e->sock, (struct sockaddr *)&to, len) && errno != EINPROGRESS) ||
	    !watch(e, PB_READY_OUT))
		failed(e);
}

static void fire(struct event *event, uint64_t now_ns)
{
	struct talk *t = container_of(event, struct talk, event);
	bool stops = t->conf.stop_ns && t->conf.stop_ns <= now_ns;
	bool ticks = t->tick_ns <= now_ns;

	host_use(t->client.host);
	if (!t->begun) {
		connect_client(t, now_ns);
		flow_at(t, EVENT_NEVER);
	} else if (stops) {
		t->conf.stop_ns = 0;
		if (t->connected)
			t->ops->stop(t, now_ns);
		flow_at(t, EVENT_NEVER);
	} else if (ticks) {
		flow_at(t, EVENT_NEVER);
		if (t->connected && t->client.sock >= 0)
			t->ops->tick(t, now_ns);
	}
	host_wake(t->client.host, now_ns);
}

int talk_open(struct talk *t)
{
	struct end *e = &t->listener;
	uint16_t port = (uint16_t)(FLOW_FIRST_PORT + t->number);
	socklen_t len;
	struct sockaddr_storage at = address(e->host, port, &len);

	host_use(e->host);
	e->on = on_listener;
	e->sock = pb_socket(family(e->host), SOCK_STREAM, 0);
	if (e->sock < 0 || pb_bind(e->sock, (struct sockaddr *)&at, len) ||
	    pb_listen(e->sock, 1) || !watch(e, PB_READY_IN))
		return pbsim_fail(t->s, errno, "%s cannot listen: %s",
				  e->host->node->name, strerror(errno));
	t->port = port;
	event_set(&t->s->heap, &t->event, t->conf.start_ns);
	return 0;
}

void talk_free(struct talk *t)
{
	free(t->sample);
	free(t);
}

static int check(struct pbsim *s, const struct pbsim_flow *f, struct node **from,
		 struct node **to)
{
	*from = pbsim_node(s, f->from);
	*to = pbsim_node(s, f->to);
	if (!*from || !(*from)->host)
		return pbsim_fail(s, ENOENT, "there is no host \"%.40s\"", f->from);
	if (!*to || !(*to)->host)
		return pbsim_fail(s, ENOENT, "there is no host \"%.40s\"", f->to);
	if ((*from)->host->addr.family != (*to)->host->addr.family)
		return pbsim_fail(s, EINVAL, "%s and %s are of two families", f->from,
				  f->to);
	if (f->cc && !cc_find(f->cc))
		return pbsim_fail(s, EINVAL, "no congestion control \"%.40s\"", f->cc);
	if (f->kind == PBSIM_RR && (!f->size || !f->reply))
		return pbsim_fail(s, EINVAL, "a question and its answer have a byte");
	if (s->n_talks == PBSIM_FLOWS_MAX)
		return pbsim_fail(s, ENOSPC, "more than %d flows", PBSIM_FLOWS_MAX);
	return 0;
}

int pbsim_flow(struct pbsim *s, const struct pbsim_flow *f)
{
	struct node *from, *to;
	int err = check(s, f, &from, &to);
	struct talk *t = err ? NULL : calloc(1, sizeof(*t));

	if (err)
		return err;
	if (!t || event_init(&s->heap, &t->event, fire) ||
	    !pbsim_append((void ***)&s->talks, &s->n_talks, t)) {
		free(t);
		return pbsim_fail(s, ENOMEM, "no memory");
	}
	t->s = s;
	t->number = s->n_talks - 1;
	t->conf = *f;
	t->ops = kinds[f->kind];
	t->tick_ns = EVENT_NEVER;
	snprintf(t->name, sizeof(t->name), "%s", f->name ? f->name : t->ops->name);
	snprintf(t->cc, sizeof(t->cc), "%s", f->cc ? f->cc : "");
	t->client = (struct end){ .talk = t, .host = from->host, .sock = -1 };
	t->server = (struct end){ .talk = t, .host = to->host, .sock = -1 };
	t->listener = t->server;
	t->result.name = t->name;
	rng_init(&t->rng, pbsim_seed(s, "flow", t->number));
	s->ready = false;
	return 0;
}

/* ---- to look ---- */

bool pbsim_flow_info(struct pbsim *s, unsigned flow, struct tcp_conn_info *info)
{
	struct talk *t = s->talks[flow];
	struct socks *ss;
	struct sock *sock;

	if (t->client.sock < 0)
		return false;
	host_use(t->client.host);
	sock = sock_get(&ss, t->client.sock);
	if (!sock || sock->kind != SOCK_TCP)
		return false;
	tcp_conn_info(ss->tcp, sock->conn, info);
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The least that @percent of all are not above. */
static uint64_t percentile(const struct talk *t, unsigned percent)
{
	uint64_t n = t->n_samples;

	return n ? t->sample[(n * percent + 99) / 100 - 1] : 0;
}

const struct pbsim_result *pbsim_result(struct pbsim *s, unsigned flow)
{
	struct talk *t;

	if (flow >= s->n_talks)
		return NULL;
	t = s->talks[flow];
	note(t);
	t->result.delivered = t->server.got;
	if (t->ops == &talk_rr_ops)
		t->result.delivered += t->client.got;
	if (!t->sorted && t->n_samples)
		qsort(t->sample, t->n_samples, sizeof(t->sample[0]), by_value);
	t->sorted = true;
	t->result.p50_ns = percentile(t, 50);
	t->result.p99_ns = percentile(t, 99);
	t->result.max_ns = percentile(t, 100);
	return &t->result;
}

double pbsim_goodput(struct pbsim *s, unsigned flow)
{
	const struct pbsim_result *r = pbsim_result(s, flow);
	uint64_t end_ns = r->ended_ns ? r->ended_ns : s->now_ns;

	if (end_ns <= r->begun_ns)
		return 0;
	return (double)r->delivered * 8 * 1e9 / (double)(end_ns - r->begun_ns);
}

void talk_segment(struct pbsim *s, const struct host *h, const struct frame *f,
		  uint64_t now_ns)
{
	struct frame_tcp tcp;
	struct talk *t;
	uint64_t offset;

	if (!frame_tcp(f, &tcp) || tcp.dst_port < FLOW_FIRST_PORT ||
	    tcp.dst_port - FLOW_FIRST_PORT >= (int)s->n_talks)
		return;
	t = s->talks[tcp.dst_port - FLOW_FIRST_PORT];
	if (t->client.host != h)
		return;
	if (tcp.syn) {
		t->first_seq = tcp.seq + 1;
		t->seen_syn = true;
	}
	if (!t->seen_syn || !tcp.payload_len)
		return;
	/* 32 bits go round: it is the place nearest to the edge. */
	offset = t->edge +
		 (uint64_t)(int64_t)(int32_t)(tcp.seq - t->first_seq - (uint32_t)t->edge);
	s->segment(s->segment_ctx, t->number, now_ns, offset, tcp.payload_len,
		   offset < t->edge);
	if (offset + tcp.payload_len > t->edge)
		t->edge = offset + tcp.payload_len;
}
