/*
 * How long an answer lives.  c-ares tells that of addresses only, so the records are
 * walked here (RFC 1035 4.1); what they say is c-ares's business.
 *
 *   header   id u16, flags u16, then the numbers of questions, answers, authorities
 *            and additionals, u16 each
 *   question name, type u16, class u16
 *   record   name, type u16, class u16, TTL u32, length u16, data
 *
 * RFC 2308 5: an answer that there is nothing lives as long as the SOA record in its
 * authorities says.
 */
#include "apps/lib/dns_impl.h"
#include "stack/base/byte.h"

enum { POINTER = 0xc0, LABELS_MAX = 128, NO_TTL = 0 };

static void skip(struct rd *r, size_t n)
{
	if (n > rd_left(r)) {
		r->bad = true;
		return;
	}
	r->p += n;
}

/* RFC 1035 4.1.4: labels, up to an empty one or a pointer. */
static void skip_name(struct rd *r)
{
	for (int i = 0; i < LABELS_MAX && !r->bad; i++) {
		uint8_t len = rd8(r);

		if (len == 0)
			return;
		if (len >= POINTER) {
			skip(r, 1);
			return;
		}
		skip(r, len);
	}
	r->bad = true;
}

uint32_t dns_ttl(struct str message)
{
	struct rd r = rd_of(message.p, message.len);
	uint32_t n_questions, n_records, least = UINT32_MAX;

	skip(&r, 4);
	n_questions = rd16(&r);
	n_records = rd16(&r);
	n_records += rd16(&r);
	skip(&r, 2);
	for (uint32_t i = 0; i < n_questions && !r.bad; i++) {
		skip_name(&r);
		skip(&r, 4);
	}
	for (uint32_t i = 0; i < n_records && !r.bad; i++) {
		uint32_t ttl;

		skip_name(&r);
		skip(&r, 4);
		ttl = rd32(&r);
		skip(&r, rd16(&r));
		least = ttl < least ? ttl : least;
	}
	return r.bad || least == UINT32_MAX ? NO_TTL : least;
}
