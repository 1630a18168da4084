#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/net_mem.h"
#include "tests/lib/pop3_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A whole session; what the server said, to free(). */
static char *session(struct str said, size_t cut, size_t *n_heard)
{
	struct pop3_test t;
	struct mem_peer *peer;
	struct str heard;
	char *copy;

	pop3_test_init(&t);
	t.conf.limits.login_delay_ms = 1;
	pop3_test_mail(&t, "alice", STR("Delivered-To: alice\r\n"),
		       STR("Subject: a\r\n\r\n.dot\r\ntext\r\n"));
	pop3_test_mail(&t, "alice", STR(""), STR("Subject: b\r\n\r\n"));
	pop3_test_start(&t);
	peer = mem_connect(t.net, POP3_TEST_WHERE, "192.0.2.9:4000");
	mem_cut(peer, cut);
	mem_send(peer, said.p, said.len);
	mem_fin(peer);
	mem_settle(t.net);
	mem_advance(t.net, 100 * NS_PER_MS);
	heard = mem_heard(peer);
	ASSERT(mem_finished(peer));
	copy = malloc(heard.len + 1);
	memcpy(copy, heard.p, heard.len);
	*n_heard = heard.len;
	mem_free(peer);
	ASSERT(pop3_test_fini(&t));
	return copy;
}

/* The server says the same however the bytes were cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str said = { (const char *)bytes, len };
	size_t n_whole, n_cut;
	char *whole, *cut;

	if (len > 4096)
		return 0;
	whole = session(said, 0, &n_whole);
	cut = session(said, len % 2 ? 1 : 3, &n_cut);
	ASSERT(n_whole == n_cut && memcmp(whole, cut, n_cut) == 0);
	free(whole);
	free(cut);
	return 0;
}
