#include "apps/pbmail/stream.h"

#include <errno.h>
#include <netdb.h>
#include <sysexits.h>

#include "apps/lib/dns.h"
#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "apps/lib/tls.h"
#include "apps/pbmail/pbmail.h"
#include "stack/base/clock.h"

enum { CLOSE_MS = 3000 };

/* What a name server said. */
struct found {
	bool is_there;
	struct addr addr;
};

static void take_addr(void *arg, const struct dns_answer *answer)
{
	struct found *f = arg;

	f->is_there = true;
	f->addr = answer->status == DNS_FOUND ? answer->addrs[0] :
						(struct addr){ .family = ADDR_NONE };
}

/* On our own stack names are asked for over it, too. */
static bool ask_stack(struct pbmail *p, const char *host, struct addr *addr)
{
	struct found f = { .is_there = false };
	struct dns *dns;

	if (dns_new(p->net, p->account.dns_servers, net_now_ns(p->net), &dns) < 0)
		return false;
	if (dns_ask(dns, DNS_A, str_of(host), take_addr, &f))
		while (!f.is_there)
			net_rest(p->net);
	dns_free(dns);
	*addr = f.addr;
	return f.is_there && f.addr.family != ADDR_NONE;
}

static bool ask_host(const char *host, struct addr *addr)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG };
	char text[NI_MAXHOST];
	struct addrinfo *all;
	bool good;

	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		return false;
	good = getnameinfo(all->ai_addr, all->ai_addrlen, text, sizeof(text), NULL, 0,
			   NI_NUMERICHOST) == 0 &&
	       addr_parse(text, addr);
	freeaddrinfo(all);
	return good;
}

static int find(struct pbmail *p, const char *host, struct addr *addr)
{
	if (addr_parse(host, addr) ||
	    (p->stack ? ask_stack(p, host, addr) : ask_host(host, addr)))
		return 0;
	return pbmail_fail(EX_NOHOST, "%s: there is no such host", host);
}

int stream_connect(struct pbmail *p, const struct account_server *server, struct io **io)
{
	char text[ADDR_PORT_TEXT_LEN];
	const char *where = server->host;
	struct addr addr;
	int r = pbmail_net(p);

	if (r)
		return r;
	if (!account_is_local(server)) {
		r = find(p, server->host, &addr);
		if (r)
			return r;
		where = addr_port_text(&addr, account_port(&p->account, server), text);
	}
	r = net_connect(p->net, where, io);
	if (r < 0)
		return pbmail_fail(r == -EACCES ? EX_NOPERM : EX_UNAVAILABLE, "%s: %s",
				   where, strerror(-r));
	return 0;
}

static void event(void *arg, struct io *io, enum io_event e)
{
	struct stream *s = arg;

	switch (e) {
	case IO_CONNECTED: s->is_connected = true; break;
	case IO_SECURE: s->is_secure = true; break;
	case IO_DEADLINE: s->is_late = true; break;
	case IO_EOF: s->eof = true; break;
	case IO_ERROR: s->error = io_error(io); break;
	case IO_INPUT:
	case IO_ROOM: break;
	}
}

/* Until something happened.  0 or -errno. */
static int wait(struct stream *s)
{
	if (s->error)
		return -s->error;
	if (s->eof)
		return -ECONNRESET;
	if (s->is_late)
		return -ETIMEDOUT;
	net_rest(s->net);
	return 0;
}

static void be_patient(struct stream *s)
{
	io_deadline(s->io, net_now_ns(s->net) + PBMAIL_WAIT_S * NS_PER_S);
}

int stream_distrusts(const char *host, const char *why)
{
	return pbmail_fail(EX_NOPERM, "%s: TLS: %s; see host and ca in pbmail(1)", host,
			   why);
}

int stream_secure(struct stream *s, struct pbmail *p, const struct account_server *server)
{
	const char *why;
	int r = pbmail_tls(p);

	if (r)
		return r;
	if (io_tls_client(s->io, p->tls, server->host) < 0)
		return pbmail_fail(EX_OSERR, "out of memory");
	be_patient(s);
	while (!s->is_secure && r == 0)
		r = wait(s);
	if (r == 0)
		return 0;
	why = io_tls_error(s->io);
	if (!why)
		why = strerror(-r);
	return r == -EACCES ? stream_distrusts(server->host, why) :
			      pbmail_fail(EX_PROTOCOL, "%s: TLS: %s", server->host, why);
}

int stream_open(struct stream *s, struct pbmail *p, const struct account_server *server)
{
	int r;

	*s = (struct stream){ .is_connected = false };
	r = stream_connect(p, server, &s->io);
	if (r)
		return r;
	s->net = p->net;
	io_handle(s->io, event, s);
	be_patient(s);
	while (!s->is_connected && r == 0)
		r = wait(s);
	if (r < 0)
		return pbmail_fail(EX_UNAVAILABLE, "%s: %s", server->host, strerror(-r));
	return account_tls(server) == ACCOUNT_TLS_IMPLICIT ? stream_secure(s, p, server) :
							     0;
}

void stream_close(struct stream *s)
{
	uint64_t until_ns;

	if (!s->io)
		return;
	io_close(s->io);
	s->io = NULL;
	until_ns = net_now_ns(s->net) + CLOSE_MS * NS_PER_MS;
	while (net_n_conns(s->net) > 0 && net_now_ns(s->net) < until_ns)
		net_rest(s->net);
}

int stream_line(struct stream *s, size_t max, struct str *line)
{
	int r = 0, got;

	be_patient(s);
	while ((got = io_line(s->io, max, line)) == 0 && r == 0)
		r = wait(s);
	return got == 1 ? 0 : got < 0 ? got : r;
}

int stream_peek(struct stream *s, struct str *in)
{
	int r = 0;

	be_patient(s);
	while ((*in = io_peek(s->io)).len == 0 && r == 0)
		r = wait(s);
	return in->len > 0 ? 0 : r;
}

void stream_consume(struct stream *s, size_t n)
{
	io_consume(s->io, n);
}
