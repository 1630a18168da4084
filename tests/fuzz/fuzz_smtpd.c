#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/net_mem.h"
#include "tests/lib/smtp_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { HELD_MAX = 1 << 20 };

/* A whole session; what the server said, to free(). */
static char *session(struct str said, size_t cut, size_t *n_heard, size_t *n_stored)
{
	struct smtp_test t;
	struct mem_peer *peer;
	struct str heard;
	char *copy;

	smtp_test_init(&t);
	t.conf.limits.message_max = 4096;
	t.conf.limits.memory_max = 65536;
	t.conf.limits.header_max = 1024;
	t.conf.limits.line_max = 512;
	t.conf.limits.rcpts_max = 5;
	smtp_test_start(&t);
	peer = mem_connect(t.net, SMTP_TEST_WHERE, "192.0.2.9:4000");
	mem_cut(peer, cut);
	mem_send(peer, said.p, said.len);
	mem_fin(peer);
	mem_settle(t.net);
	heard = mem_heard(peer);
	ASSERT(heard.len < HELD_MAX && mem_finished(peer));
	copy = malloc(heard.len + 1);
	memcpy(copy, heard.p, heard.len);
	*n_heard = heard.len;
	*n_stored = smtp_test_n_stored(&t);
	mem_free(peer);
	ASSERT(smtpd_stats(t.smtpd)->memory == 0);
	ASSERT(smtp_test_fini(&t));
	return copy;
}

/* The server says and stores the same however the bytes were cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str said = { (const char *)bytes, len };
	size_t n_whole, n_cut, stored_whole, stored_cut;
	char *whole, *cut;

	if (len > 16384)
		return 0;
	whole = session(said, 0, &n_whole, &stored_whole);
	cut = session(said, len % 2 ? 1 : 3, &n_cut, &stored_cut);
	ASSERT(n_whole == n_cut && memcmp(whole, cut, n_cut) == 0);
	ASSERT(stored_whole == stored_cut);
	free(whole);
	free(cut);
	return 0;
}
