/*
 * What a line says about a packet:
 *
 *	[ect0] . 1:1001(1000) ack 1 win 100 <nop,nop,TS val 1 ecr 2>
 *	P. 1:10001(10000/1000) ack 1		ten segments of 1000, the last with PSH
 *	icmp unreachable frag_needed mtu 1280 [1:1461(1460)]
 *	udp (100)
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/byte.h"
#include "stack/base/clock.h"
#include "tests/lib/player_impl.h"

enum {
	ICMP4 = 1,
	TCP = 6,
	UDP = 17,
	ICMP6 = 58,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	FIN = 1,
	SYN = 2,
	PSH = 8,
	ACK = 16,
	URG = 32,
};

static void store16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void store32(uint8_t *b, uint32_t v)
{
	store16(b, v >> 16);
	store16(b + 2, v);
}

/* ---- what a line says ---- */

struct said {
	struct player_ip ip;
	bool has_tos, has_ttl, any_options;
	bool bad_sum;  /* of the peer's: its checksum is wrong */
	uint32_t each; /* a segment has so many bytes; 0: all are in one */
	char text[PLAYER_TEXT_LEN * 2]; /* without all of that */
};

static const struct {
	const char *name;
	uint8_t ecn;
} ecns[] = { { "noecn", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 } };

/* One word between the square brackets in front. */
static bool tag(struct said *s, const char *word)
{
	unsigned v;

	for (size_t i = 0; i < ARRAY_LEN(ecns); i++) {
		if (strcmp(word, ecns[i].name) == 0) {
			s->ip.tos = (uint8_t)(s->ip.tos | ecns[i].ecn);
			return s->has_tos = true;
		}
	}
	if (strcmp(word, "badsum") == 0)
		return s->bad_sum = true;
	if (sscanf(word, "tos %i", &v) == 1) {
		s->ip.tos = (uint8_t)(s->ip.tos | v);
		return s->has_tos = true;
	}
	if (sscanf(word, "ttl %u", &v) == 1) {
		s->ip.ttl = (uint8_t)v;
		return s->has_ttl = true;
	}
	return false;
}

/* "[ect0,ttl 5]" is cut off the front of s->text. */
static bool tags(struct player *p, struct said *s)
{
	char *end = strchr(s->text, ']'), *next = s->text + 1, *word;

	if (s->text[0] != '[')
		return true;
	if (!end)
		return player_fail(p, "'[' without ']'");
	*end++ = '\0';
	while ((word = strsep(&next, ",")))
		if (!tag(s, word + strspn(word, " ")))
			return player_fail(p, "nothing is called [%s]", word);
	end += strspn(end, " ");
	memmove(s->text, end, strlen(end) + 1);
	return true;
}

/* "(10000/1000)" becomes "(10000)". */
static void take_each(struct said *s)
{
	char *open = strchr(s->text, '('), *slash = open ? strchr(open, '/') : NULL;
	char *close = open ? strchr(open, ')') : NULL;

	if (!slash || !close || slash > close)
		return;
	s->each = (uint32_t)strtoul(slash + 1, NULL, 10);
	memmove(slash, close, strlen(close) + 1);
}

static void take_any_options(struct said *s)
{
	char *any = strstr(s->text, "<...>");

	if (!any)
		return;
	s->any_options = true;
	*any = '\0';
}

static bool read_said(struct player *p, const struct script_event *e, struct said *s)
{
	*s = (struct said){ 0 };
	if (strlen(e->text) >= sizeof(s->text))
		return player_fail(p, "too long a line");
	strcpy(s->text, e->text);
	if (!tags(p, s))
		return false;
	take_each(s);
	take_any_options(s);
	return true;
}

static struct tcp_bases bases_in(const struct player_peer *peer)
{
	return (struct tcp_bases){
		.seq = peer->isn,
		.ack = peer->our_isn,
		.sack = peer->our_isn,
		.ts_ecr = peer->ts_base,
	};
}

static struct tcp_bases bases_out(const struct player_peer *peer)
{
	return (struct tcp_bases){
		.seq = peer->our_isn,
		.ack = peer->isn,
		.sack = peer->isn,
		.ts_val = peer->ts_base,
	};
}

static bool parse_line(struct player *p, const char *text, const struct tcp_bases *b,
		       struct tcp_line *l)
{
	const char *bad;

	return tcp_line_parse(l, text, b, &bad) ||
	       player_fail(p, "not understood at \"%s\"", bad);
}

/* Of @line's bytes, which begin at @at in the stream @isn opens, those up to @len. */
static void fill(uint8_t *to, uint32_t at, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = player_byte(at + i);
}

/* The offset in the stream of the first byte that a segment carries. */
static uint32_t offset_of(const struct tcp_line *l, uint32_t isn, uint32_t begin)
{
	return l->seq + (l->flags & SYN ? 1 : 0) - isn - begin - 1;
}

/* ---- the peer sends ---- */

static void put_segment(struct player *p, struct player_peer *peer, const struct said *s,
			const struct tcp_line *l)
{
	static const struct player_ip tcp = { .proto = TCP };
	uint8_t b[PLAYER_PACKET_MAX];
	uint32_t header_len = TCP_HEADER + l->options_len;
	uint32_t len = header_len + l->len;
	struct player_ip ip = s->ip;

	memset(b, 0, TCP_HEADER);
	store16(b, peer->port);
	store16(b + 2, peer->local_port);
	store32(b + 4, l->seq);
	store32(b + 8, l->ack);
	b[12] = (uint8_t)(header_len / 4 << 4 | l->flags >> 8);
	b[13] = (uint8_t)l->flags;
	store16(b + 14, l->has_win ? l->win : 65535);
	store16(b + 18, l->urgent);
	memcpy(b + TCP_HEADER, l->options, l->options_len);
	fill(b + header_len, offset_of(l, peer->isn, peer->in_begin), l->len);
	store16(b + 16, (uint16_t)(~player_sum(p, true, TCP, b, len) ^ s->bad_sum));
	ip.proto = tcp.proto;
	player_put(p, &ip, b, len);
}

/* "FO cookie" in a line of the peer's: the one that it was given. */
static bool add_cookie(struct player *p, struct tcp_line *l)
{
	unsigned n = 2u + p->cookie_len, pad = (4 - n % 4) % 4;

	if (!l->any_fo)
		return true;
	if (!p->cookie_len || l->options_len + n + pad > sizeof(l->options))
		return player_fail(p, "peers were given no cookie, or there is no room");
	l->options[l->options_len] = 34;
	l->options[l->options_len + 1] = (uint8_t)n;
	memcpy(l->options + l->options_len + 2, p->cookie, p->cookie_len);
	memset(l->options + l->options_len + n, 1, pad);
	l->options_len = (uint8_t)(l->options_len + n + pad);
	return true;
}

/* What the player must know of what the peer says. */
static void note_in(struct player_peer *peer, const struct tcp_line *l)
{
	uint32_t number = l->seq - peer->isn;

	if (l->flags & SYN) {
		if (!(l->flags & ACK) && number != peer->in_begin)
			peer->fresh = true;
		peer->in_begin = number;
	}
	if (l->flags & URG) {
		/* RFC 6093 3.1: the urgent byte lies before what the pointer says */
		peer->urgent = true;
		peer->urgent_at = offset_of(l, peer->isn, peer->in_begin) + l->urgent - 1;
	}
}

static bool in_tcp(struct player *p, struct player_peer *peer, const struct said *s)
{
	struct tcp_bases bases = bases_in(peer);
	struct tcp_line whole, l;
	uint32_t done = 0;

	if (!parse_line(p, s->text, &bases, &whole) || !add_cookie(p, &whole))
		return false;
	do {
		l = whole;
		l.seq += done;
		if (s->each && whole.len - done > s->each) {
			l.len = s->each;
			l.flags &= (uint16_t) ~(PSH | FIN);
		} else {
			l.len = whole.len - done;
		}
		note_in(peer, &l);
		put_segment(p, peer, s, &l);
		done += l.len;
	} while (done < whole.len);
	return true;
}

/* Names of errors, and what they are in each family's ICMP. */
static const struct {
	const char *name;
	uint8_t type4, code4, type6, code6;
} icmps[] = {
	{ "unreachable net", 3, 0, 1, 0 },
	{ "unreachable host", 3, 1, 1, 3 },
	{ "unreachable protocol", 3, 2, 4, 1 },
	{ "unreachable port", 3, 3, 1, 4 },
	{ "unreachable frag_needed", 3, 4, 2, 0 },
	{ "unreachable admin_prohibited", 3, 13, 1, 1 },
	{ "source_quench", 4, 0, 255, 0 },
	{ "time_exceeded ttl", 11, 0, 3, 0 },
};

static bool icmp_head(struct player *p, const char **text, uint8_t *b)
{
	for (size_t i = 0; i < ARRAY_LEN(icmps); i++) {
		size_t n = strlen(icmps[i].name);

		if (strncmp(*text, icmps[i].name, n) != 0)
			continue;
		b[0] = p->family == SCRIPT_IP4 ? icmps[i].type4 : icmps[i].type6;
		b[1] = p->family == SCRIPT_IP4 ? icmps[i].code4 : icmps[i].code6;
		*text += n;
		return true;
	}
	return player_fail(p, "no such ICMP message: \"%s\"", *text);
}

/* The MTU of a message is written for IPv4, whose header is the shorter one. */
static void put_mtu(const struct player *p, const char **text, uint8_t *b)
{
	unsigned mtu;
	int n;

	if (sscanf(*text, " mtu %u%n", &mtu, &n) != 1)
		return;
	*text += n;
	store32(b + 4, p->family == SCRIPT_IP4 ? mtu : mtu + 20);
}

/* The segment of the stack's that the message is about, as much as fits. */
static bool put_quote(struct player *p, const struct player_peer *peer, const char *text,
		      uint8_t *b, uint32_t *len)
{
	static const struct player_ip ip = { .proto = TCP };
	unsigned from, to, n;
	uint8_t *tcp;

	if (sscanf(text, " [%u:%u(%u)]", &from, &to, &n) != 3)
		return player_fail(p, "an ICMP message quotes [SEQ:SEQ(LEN)]");
	*len = player_header(p, false, &ip, TCP_HEADER + n, b);
	tcp = b + *len;
	memset(tcp, 0, TCP_HEADER);
	store16(tcp, peer->local_port);
	store16(tcp + 2, peer->port);
	store32(tcp + 4, peer->our_isn + from);
	tcp[12] = TCP_HEADER / 4 << 4;
	tcp[13] = ACK;
	*len += TCP_HEADER;
	return true;
}

static bool in_icmp(struct player *p, const struct player_peer *peer, const char *text)
{
	const struct player_ip ip = { .proto = p->family == SCRIPT_IP4 ? ICMP4 : ICMP6 };
	uint8_t b[ICMP_HEADER + 40 + TCP_HEADER] = { 0 };
	uint32_t len = 0;

	if (!icmp_head(p, &text, b))
		return false;
	put_mtu(p, &text, b);
	if (!put_quote(p, peer, text, b + ICMP_HEADER, &len))
		return false;
	len += ICMP_HEADER;
	store16(b + 2, (uint16_t)~player_sum(p, true, ip.proto, b, len));
	player_put(p, &ip, b, len);
	return true;
}

static bool in_udp(struct player *p, const struct player_peer *peer, const struct said *s)
{
	uint8_t b[PLAYER_PACKET_MAX];
	struct player_ip ip = s->ip;
	unsigned n;
	uint16_t sum;

	if (sscanf(s->text, "udp (%u)", &n) != 1 || n > PLAYER_PACKET_MAX - UDP_HEADER)
		return player_fail(p, "a datagram is \"udp (LEN)\"");
	store16(b, peer->port);
	store16(b + 2, peer->local_port);
	store16(b + 4, UDP_HEADER + n);
	store16(b + 6, 0);
	fill(b + UDP_HEADER, 0, n);
	sum = (uint16_t)~player_sum(p, true, UDP, b, UDP_HEADER + n);
	store16(b + 6, sum ? sum : 0xffff);
	ip.proto = UDP;
	player_put(p, &ip, b, UDP_HEADER + n);
	return true;
}

bool player_in(struct player *p, const struct script_event *e)
{
	struct player_peer *peer = &p->peers[e->peer];
	struct said s;

	if (!read_said(p, e, &s))
		return false;
	if (s.any_options)
		return player_fail(p, "what the peer sends has options, or none");
	if (strncmp(s.text, "icmp ", 5) == 0)
		return in_icmp(p, peer, s.text + 5);
	return strncmp(s.text, "udp ", 4) == 0 ? in_udp(p, peer, &s) :
						 in_tcp(p, peer, &s);
}

/* ---- the stack sends ---- */

static unsigned peer_of(const struct player *p, uint16_t port)
{
	for (unsigned i = 1; i < PLAYER_PEERS; i++)
		if (p->peers[i].port == port)
			return i;
	return 0;
}

static const char *tos_text(const struct player_sent *s, char out[static 32])
{
	out[0] = '\0';
	if (s->tos & 0xfc)
		snprintf(out, 32, "[tos 0x%x] ", s->tos);
	for (size_t i = 0; i < ARRAY_LEN(ecns); i++)
		if (s->tos && s->tos == ecns[i].ecn)
			snprintf(out, 32, "[%s] ", ecns[i].name);
	return out;
}

const char *player_text(const struct player *p, const struct player_sent *s,
			char out[static PLAYER_TEXT_LEN])
{
	char line[TCP_LINE_LEN], tos[32];
	struct tcp_bases bases;
	struct tcp_line l;
	unsigned n;

	if (s->proto == UDP && s->len >= UDP_HEADER) {
		snprintf(out, PLAYER_TEXT_LEN, "udp (%u)", s->len - UDP_HEADER);
		return out;
	}
	if (s->proto != TCP || !tcp_line_read(&l, s->bytes, s->len)) {
		snprintf(out, PLAYER_TEXT_LEN, "%u bytes of protocol %u, type %u code %u",
			 s->len, s->proto, s->bytes[0], s->bytes[1]);
		return out;
	}
	n = peer_of(p, be16(s->bytes + 2));
	bases = bases_out(&p->peers[n]);
	if (p->peers[n].fresh && l.flags & SYN) {
		bases.seq = l.seq;
		bases.ts_val = l.ts_val;
	}
	snprintf(out, PLAYER_TEXT_LEN, "%s%s%s", tos_text(s, tos),
		 tcp_line_text(&l, &bases, line), n == 1 ? "" : "  (another peer)");
	return out;
}

/* The first SYN of a connection: what its numbers are. */
static bool learn(struct player *p, struct player_peer *peer, const struct said *s,
		  const struct tcp_line *got, uint16_t local_port)
{
	struct tcp_bases bases = bases_out(peer);
	struct tcp_line want;

	if (!(got->flags & SYN) || !peer->fresh)
		return true;
	bases.seq = bases.ts_val = 0;
	if (!parse_line(p, s->text, &bases, &want))
		return false;
	peer->fresh = false;
	peer->local_port = local_port;
	peer->our_isn = got->seq - want.seq;
	peer->out_begin = want.seq;
	peer->ts_base =
		got->has_ts && !want.any_ts ? got->ts_val - want.ts_val : got->ts_val;
	return true;
}

static bool same_ip(const struct said *s, const struct player_sent *got)
{
	return (!s->has_tos || s->ip.tos == got->tos) &&
	       (!s->has_ttl || s->ip.ttl == got->ttl);
}

static bool differs(struct player *p, const struct script_event *e,
		    const struct player_sent *got)
{
	char text[PLAYER_TEXT_LEN];

	return player_fail(
		p, "another packet came:\n  want          > %s\n  got  %.6f > %s",
		e->text, player_seconds(p, got->at_ns), player_text(p, got, text));
}

static bool same_payload(struct player *p, const struct player_peer *peer,
			 const struct tcp_line *got, const uint8_t *payload)
{
	uint32_t at = offset_of(got, peer->our_isn, peer->out_begin);

	for (uint32_t i = 0; i < got->len; i++)
		if (payload[i] != player_byte(at + i))
			return player_fail(p, "byte %u of the payload is wrong", i);
	return true;
}

static void note_out(struct player *p, const struct tcp_line *got)
{
	if (got->fo_len) {
		p->cookie_len = got->fo_len;
		memcpy(p->cookie, got->fo, got->fo_len);
	}
}

/* @done bytes of what the line says came before.  How many came now; -1: another one. */
static bool match_tcp(struct player *p, const struct script_event *e,
		      const struct said *s, const struct player_sent *sent,
		      uint32_t *done, uint32_t *whole)
{
	struct player_peer *peer = &p->peers[e->peer];
	struct tcp_line want, got;
	struct tcp_bases bases;

	if (sent->proto != TCP || !tcp_line_read(&got, sent->bytes, sent->len) ||
	    be16(sent->bytes + 2) != peer->port)
		return differs(p, e, sent);
	if (!learn(p, peer, s, &got, be16(sent->bytes)))
		return false;
	bases = bases_out(peer);
	if (!parse_line(p, s->text, &bases, &want))
		return false;
	*whole = want.len;
	want.has_options = !s->any_options;
	want.seq += *done;
	want.len -= *done;
	if (s->each && want.len > s->each) {
		want.len = s->each;
		want.flags &= (uint16_t) ~(PSH | FIN);
	}
	if (!tcp_line_matches(&want, &got) || !same_ip(s, sent) ||
	    be16(sent->bytes) != peer->local_port)
		return differs(p, e, sent);
	*done += got.len;
	note_out(p, &got);
	return same_payload(p, peer, &got, sent->bytes + sent->len - got.len);
}

static bool match_udp(struct player *p, const struct script_event *e,
		      const struct said *s, const struct player_sent *sent)
{
	const struct player_peer *peer = &p->peers[e->peer];
	unsigned n;

	if (sscanf(s->text, "udp (%u)", &n) != 1)
		return player_fail(p, "a datagram is \"udp (LEN)\"");
	if (sent->proto != UDP || sent->len != UDP_HEADER + n || !same_ip(s, sent) ||
	    be16(sent->bytes + 2) != peer->port)
		return differs(p, e, sent);
	for (uint32_t i = 0; i < n; i++)
		if (sent->bytes[UDP_HEADER + i] != player_byte(i))
			return player_fail(p, "byte %u of the payload is wrong", i);
	return true;
}

/* An error about what a peer sent: its kind, and a quote of a packet of that peer's. */
static bool match_icmp(struct player *p, const struct script_event *e,
		       const struct said *s, const struct player_sent *sent)
{
	uint32_t ip_len = p->family == SCRIPT_IP4 ? 20 : 40;
	const char *text = s->text + 5;
	uint8_t want[2];

	if (!icmp_head(p, &text, want))
		return false;
	if (sent->proto != (p->family == SCRIPT_IP4 ? ICMP4 : ICMP6) ||
	    sent->len < ICMP_HEADER + ip_len + 8 || memcmp(sent->bytes, want, 2) != 0 ||
	    be16(sent->bytes + ICMP_HEADER + ip_len) != p->peers[e->peer].port)
		return differs(p, e, sent);
	return true;
}

/* The next packet, if it comes in its time. */
static struct player_sent *wait_for(struct player *p, const struct script_event *e,
				    uint64_t from_ns, uint64_t until_ns)
{
	uint64_t late_ns = until_ns + p->tolerance_ns;
	struct player_sent *sent;
	char text[PLAYER_TEXT_LEN];

	player_run(p, late_ns);
	sent = player_pop(p);
	if (!sent) {
		player_fail(p, "nothing was sent until %.6f:\n  want          > %s",
			    player_seconds(p, late_ns), e->text);
		return NULL;
	}
	if (p->trace)
		fprintf(p->trace, "%.6f > %s\n", player_seconds(p, sent->at_ns),
			player_text(p, sent, text));
	if (sent->at_ns >= from_ns && sent->at_ns <= late_ns)
		return sent;
	player_fail(p, "a packet came too %s:\n  want %.6f > %s\n  got  %.6f > %s",
		    sent->at_ns < from_ns ? "early" : "late", player_seconds(p, from_ns),
		    e->text, player_seconds(p, sent->at_ns), player_text(p, sent, text));
	free(sent);
	return NULL;
}

bool player_out(struct player *p, const struct script_event *e, uint64_t from_ns,
		uint64_t until_ns)
{
	uint32_t done = 0, whole = 0;
	struct player_sent *sent;
	struct said s;
	bool well;

	if (!read_said(p, e, &s))
		return false;
	do {
		sent = wait_for(p, e, from_ns, until_ns);
		if (!sent)
			return false;
		p->base_ns = sent->at_ns;
		if (strncmp(s.text, "udp ", 4) == 0)
			well = match_udp(p, e, &s, sent);
		else if (strncmp(s.text, "icmp ", 5) == 0)
			well = match_icmp(p, e, &s, sent);
		else
			well = match_tcp(p, e, &s, sent, &done, &whole);
		free(sent);
	} while (well && done < whole);
	return well;
}
