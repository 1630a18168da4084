/*
 * Sessions on connections that came to us: who calls for mail takes it himself (ATRN,
 * RFC 2645; TURN).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/io.h"
#include "apps/mail/relay/relay_impl.h"
#include "stack/base/check.h"

int relay_turn_next(struct relay_session *s)
{
	struct relay_turn *turn = s->turn;
	int r = -ENOENT;

	if (s->run)
		queue_run_end(s->run);
	s->run = NULL;
	while (!s->run && turn->at < turn->n) {
		int why = queue_run_called(s->relay->queue, turn->domains[turn->at++],
					   &s->run);

		if (why != -ENOENT)
			r = why;
	}
	return r;
}

static struct relay_turn *new_turn(const struct str *domains, size_t n)
{
	struct relay_turn *turn = calloc(1, sizeof(*turn));

	ASSERT(n <= RELAY_TURN_MAX);
	for (size_t i = 0; turn && i < n; i++) {
		char *text = turn->text[turn->n];

		if (domains[i].len == 0 || domains[i].len > SPOOL_DEST_MAX)
			continue;
		memcpy(text, domains[i].p, domains[i].len);
		turn->domains[turn->n++] = (struct str){ text, domains[i].len };
	}
	return turn;
}

static bool has_any(const struct relay_turn *turn, const struct str *domains, size_t n)
{
	for (size_t i = 0; i < turn->n; i++)
		for (size_t k = 0; k < n; k++)
			if (str_eq_nocase(turn->domains[i], domains[k]))
				return true;
	return false;
}

/* Whose mail it is has a connection already: more of them would be sessions of ours that he
 * takes from all others. */
static bool is_turned(const struct relay *r, const struct str *domains, size_t n)
{
	const struct list *at;

	for (at = r->sessions.next; at != &r->sessions; at = at->next) {
		const struct relay_session *s =
			container_of(at, struct relay_session, node);

		if (s->turn && has_any(s->turn, domains, n))
			return true;
	}
	return false;
}

int relay_turn(struct relay *r, struct io *io, const struct str *domains, size_t n,
	       const char *line, bool at_once)
{
	struct relay_session *s;
	struct addr peer;
	bool is_ip6;
	int why;

	if (r->stopped || r->stats.sessions_open >= r->conf.limits.sessions_max ||
	    is_turned(r, domains, n))
		return -EBUSY;
	s = relay_session_new(r, NULL);
	if (!s)
		return -ENOMEM;
	s->turn = new_turn(domains, n);
	why = s->turn ? relay_turn_next(s) : -ENOMEM;
	if (why == 0 || (why == -ENOENT && at_once))
		s->client = client_turn(io, &r->client, &relay_client_ops, s);
	if (!s->client) {
		relay_session_end(s);
		return why < 0 ? why : -ENOMEM;
	}
	is_ip6 = addr_parse(io_peer_addr(io), &peer) && peer.family == ADDR_IP6;
	/* RFC 5321 4.1.3 */
	snprintf(s->host, sizeof(s->host), "[%s%s]", is_ip6 ? "IPv6:" : "",
		 io_peer_addr(io));
	io_printf(io, "%s\r\n", line);
	r->stats.turned++;
	return 0;
}
