#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/imap_test.h"
#include "tests/lib/net_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { TURNS_MAX = 1000 };

/* A whole session; what the server said, to free(). */
static char *session(struct str said, size_t cut, size_t *n_heard)
{
	struct imap_test t;
	struct mem_peer *peer;
	struct str heard;
	char *copy;

	imap_test_init(&t);
	t.conf.limits.login_delay_ms = 1;
	imap_test_mail(&t, "alice", STR("Delivered-To: alice\r\n"),
		       STR("Subject: a\r\nFrom: b@c.example\r\n\r\ntext\r\n"));
	imap_test_start(&t);
	peer = mem_connect(t.net, IMAP_TEST_WHERE, "192.0.2.9:4000");
	mem_cut(peer, cut);
	mem_say(peer, "x LOGIN alice \"secret alice\"\r\nx SELECT INBOX\r\n");
	mem_send(peer, said.p, said.len);
	mem_fin(peer);
	for (int i = 0; i < TURNS_MAX && !mem_finished(peer); i++) {
		imap_test_settle(&t);
		mem_advance(t.net, 2 * NS_PER_MS);
	}
	heard = mem_heard(peer);
	ASSERT(mem_finished(peer));
	copy = malloc(heard.len + 1);
	memcpy(copy, heard.p, heard.len);
	*n_heard = heard.len;
	mem_free(peer);
	ASSERT(imap_test_fini(&t));
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
