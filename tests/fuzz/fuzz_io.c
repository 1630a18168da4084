/*
 * Lines of a connection: the same lines, and the same end, however the bytes are cut.
 * The first byte says how long a line may be, the second how many bytes come at once.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "tests/lib/net_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_MAX = 4096 };

struct reader {
	size_t line_max;
	char lines[2 * INPUT_MAX]; /* each behind a '<' */
	size_t len;
	int end;  /* what io_line() said last */
	bool eof; /* and the end of stream was told */
};

static void handle(void *arg, struct io *io, enum io_event event)
{
	struct reader *r = arg;
	struct str line;

	if (event == IO_EOF) {
		r->eof = true;
		io_close(io);
		return;
	}
	while ((r->end = io_line(io, r->line_max, &line)) == 1) {
		if (memchr(line.p, '\r', line.len) || memchr(line.p, '\n', line.len) ||
		    line.len + 2 > r->line_max)
			abort();
		r->lines[r->len++] = '<';
		memcpy(r->lines + r->len, line.p, line.len);
		r->len += line.len;
	}
	if (r->end < 0)
		io_abort(io);
}

static void take(void *arg, struct io *io)
{
	io_handle(io, handle, *(struct reader **)arg);
}

/* One net for all inputs, as a server has one for all its clients. */
static struct net *the_net(struct reader *now)
{
	static struct net_listener *listener;
	static struct reader *reader;
	static struct net *net;

	reader = now;
	if (!net && (net_mem_new(&net) < 0 ||
		     net_listen(net, "*:1", 1, take, &reader, &listener) < 0))
		abort();
	return net;
}

static void feed(struct reader *r, const uint8_t *bytes, size_t len, size_t cut)
{
	struct net *net = the_net(r);
	struct mem_peer *peer = mem_connect(net, "192.0.2.1:1", "192.0.2.2:2");

	mem_cut(peer, cut);
	mem_send(peer, bytes, len);
	mem_fin(peer);
	mem_settle(net);
	if (mem_n_open(net) != 0 || (r->end == 0 && !r->eof))
		abort();
	mem_free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader whole = { 0 }, cut = { 0 };

	if (len < 2 || len > INPUT_MAX)
		return 0;
	whole.line_max = cut.line_max = bytes[0];
	feed(&whole, bytes + 2, len - 2, 0);
	feed(&cut, bytes + 2, len - 2, bytes[1] % 16 + 1);
	if (whole.end != cut.end || whole.eof != cut.eof || whole.len != cut.len ||
	    memcmp(whole.lines, cut.lines, whole.len) != 0)
		abort();
	return 0;
}
