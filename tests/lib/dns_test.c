#include "tests/lib/dns_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "tests/lib/net_mem.h"

enum {
	TYPE_A = 1,
	TYPE_SOA = 6,
	TYPE_MX = 15,
	TYPE_AAAA = 28,
	HEADER_LEN = 12,
	MESSAGE_MAX = 2048
};

void dns_test_init(struct dns_test *t)
{
	*t = (struct dns_test){ .n_asked = 0 };
	ASSERT(net_mem_new(&t->net) == 0);
	ASSERT(dns_new(t->net, "192.0.2.53", 1, &t->dns) == 0);
}

void dns_test_fini(struct dns_test *t)
{
	dns_free(t->dns);
	for (size_t i = 0; i < t->n_peers; i++)
		mem_free(t->peers[i]);
	for (size_t i = 0; i < t->n_others; i++)
		mem_free(t->others[i]);
	mem_settle(t->net);
	ASSERT(mem_n_open(t->net) == 0);
	net_free(t->net);
}

static struct dns_test_record *add(struct dns_test *t, enum dns_kind kind,
				   const char *name, const char *value)
{
	struct dns_test_record *r = &t->records[t->n_records++];

	ASSERT(t->n_records <= DNS_TEST_RECORDS);
	r->kind = kind;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->value, sizeof(r->value), "%s", value);
	return r;
}

void dns_test_mx(struct dns_test *t, const char *name, uint16_t preference,
		 const char *host)
{
	add(t, DNS_MX, name, host)->preference = preference;
}

void dns_test_a(struct dns_test *t, const char *name, const char *addr)
{
	add(t, DNS_A, name, addr);
}

void dns_test_aaaa(struct dns_test *t, const char *name, const char *addr)
{
	add(t, DNS_AAAA, name, addr);
}

static enum dns_kind kind_of(uint16_t type)
{
	return type == TYPE_A ? DNS_A : type == TYPE_AAAA ? DNS_AAAA : DNS_MX;
}

static uint16_t type_of(enum dns_kind kind)
{
	return kind == DNS_A ? TYPE_A : kind == DNS_AAAA ? TYPE_AAAA : TYPE_MX;
}

static void put_name(struct wr *w, const char *name)
{
	struct str rest = str_of(name);

	while (rest.len > 0) {
		struct str label = str_cut(rest, '.', &rest);

		wr8(w, (uint8_t)label.len);
		wr_copy(w, label.p, label.len);
	}
	wr8(w, 0);
}

static void put_record(struct wr *w, const struct dns_test_record *r)
{
	uint8_t data[128];
	struct wr d = wr_of(data, sizeof(data));
	struct addr addr;

	if (r->kind == DNS_MX) {
		wr16(&d, r->preference);
		put_name(&d, r->value);
	} else {
		ASSERT(addr_parse(r->value, &addr));
		wr_copy(&d, &addr.ip6, r->kind == DNS_A ? 4 : 16);
	}
	put_name(w, r->name);
	wr16(w, type_of(r->kind));
	wr16(w, 1);
	wr32(w, DNS_TEST_TTL_S);
	wr16(w, (uint16_t)(d.p - data));
	wr_copy(w, data, (size_t)(d.p - data));
}

/* RFC 2308 3: that there is nothing comes with a SOA. */
static void put_soa(struct wr *w)
{
	put_name(w, "example");
	wr16(w, TYPE_SOA);
	wr16(w, 1);
	wr32(w, DNS_TEST_TTL_S);
	wr16(w, 22);
	wr8(w, 0);
	wr8(w, 0);
	for (int i = 0; i < 5; i++)
		wr32(w, DNS_TEST_TTL_S);
}

static void read_name(struct rd *r, char name[static 256])
{
	size_t at = 0, len;

	while ((len = rd8(r)) > 0 && at + len + 1 < 256) {
		if (at > 0)
			name[at++] = '.';
		rd_copy(r, name + at, len);
		at += len;
	}
	name[at] = '\0';
}

static void answer(struct dns_test *t, struct mem_peer *peer)
{
	struct str question = mem_heard(peer);
	struct rd r = rd_of(question.p, question.len);
	uint8_t out[MESSAGE_MAX];
	struct wr w = wr_of(out, sizeof(out));
	uint16_t id = rd16(&r), type, n = 0;
	enum dns_kind kind;
	bool known = false;
	char name[256];

	rd_take(&r, HEADER_LEN - 2);
	read_name(&r, name);
	type = rd16(&r);
	rd_take(&r, 2);
	kind = kind_of(type);
	for (size_t i = 0; i < t->n_records; i++) {
		known |= strcmp(t->records[i].name, name) == 0;
		n += strcmp(t->records[i].name, name) == 0 && t->records[i].kind == kind;
	}
	/* The net in memory has no datagrams: the next question may stand behind it. */
	mem_take(peer, (size_t)((const char *)r.p - question.p));
	t->n_asked++;
	if (t->silent && kind == *t->silent)
		return;
	wr16(&w, id);
	wr16(&w, (uint16_t)(0x8180 | (known ? 0 : 3))); /* NXDOMAIN */
	wr16(&w, 1);
	wr16(&w, n);
	wr16(&w, n == 0);
	wr16(&w, 0);
	put_name(&w, name);
	wr16(&w, type);
	wr16(&w, 1);
	for (size_t i = 0; i < t->n_records; i++)
		if (strcmp(t->records[i].name, name) == 0 && t->records[i].kind == kind)
			put_record(&w, &t->records[i]);
	if (n == 0)
		put_soa(&w);
	ASSERT(!w.bad);
	mem_send(peer, out, t->garbles ? HEADER_LEN + 3 : (size_t)(w.p - out));
}

void dns_test_settle(struct dns_test *t)
{
	bool moved;

	do {
		struct mem_peer *peer;

		moved = false;
		mem_settle(t->net);
		while ((peer = mem_accept(t->net))) {
			bool is_dns = strcmp(mem_where(peer), "192.0.2.53:53") == 0;

			ASSERT(t->n_peers < DNS_TEST_PEERS &&
			       t->n_others < DNS_TEST_PEERS);
			if (is_dns)
				t->peers[t->n_peers++] = peer;
			else
				t->others[t->n_others++] = peer;
			moved = true;
		}
		mem_settle(t->net);
		for (size_t i = 0; i < t->n_peers; i++)
			if (mem_heard(t->peers[i]).len > 0) {
				answer(t, t->peers[i]);
				mem_settle(t->net);
				moved = true;
			}
	} while (moved);
}

struct mem_peer *dns_test_accept(struct dns_test *t, const char *where)
{
	struct mem_peer *found = NULL;
	size_t i = 0;

	dns_test_settle(t);
	while (i < t->n_others && strcmp(mem_where(t->others[i]), where) != 0)
		i++;
	if (i == t->n_others)
		return NULL;
	found = t->others[i];
	t->others[i] = t->others[--t->n_others];
	return found;
}
