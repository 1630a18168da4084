/*
 * A dialogue with TCP: one real struct tcp on an IP layer and a clock made by hand; the
 * test plays the peer and the program.
 *
 *	Dialog(tcp_data, acknowledges_every_second_segment)
 *	dialog_accept(&d, "mss 1460,nop,nop,sackOK", 65535);
 *	inject(&d, "P. 1:11(10) ack 1");		the peer says
 *	expect(&d, ". 1:1(0) ack 11");			we must have said
 *	nothing(&d);					and no more
 *	after(&d, 40, ". 1:1(0) ack 21");		we say it in 40 ms, not before
 *
 * The dialogues are held over IPv4 and, with DIALOG_FAMILY=6 in the environment, over IPv6.
 *
 * Numbers are relative to the first one of each side, as in packetdrill: the SYN is 0.
 * Payload is a pattern that follows from the number, and is checked.  A line without
 * options gets timestamps when the connection has them.
 */
#pragma once

#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/trace.h"
#include "stack/base/wheel.h"
#include "tcp/tcp.h"
#include "tests/lib/fake_ip.h"

enum { DIALOG_PORT = 8080, DIALOG_PEER_PORT = 40000 };

/* One peer's end of a connection. */
struct dialog_peer {
	uint16_t port;
	uint32_t isn, our_isn;
	bool know_ours, ts;
	uint32_t ts_base, ts_last; /* our first and last timestamp */
};

struct dialog {
	struct pkt_pool pool;
	struct wheel wheel;
	struct rng rng;
	struct hash_key key;
	struct trace trace;
	struct ip ip;
	struct tcp_conf conf;
	struct tcp *tcp;
	uint64_t now_ns;

	struct dialog_peer first, *peer; /* who speaks */
	uint16_t local_port;
	struct tcp_listener *l;
	struct tcp_conn *c;
	enum verdict verdict; /* of the last segment */
	uint16_t gso_len;     /* of what is injected */
	uint8_t tos;	      /* the same; of what is sent: in @last */
	uint32_t n_written, n_read;
	unsigned rtt_ms;  /* that the handshake of dialog_accept() takes */
	struct pkt *last; /* the last packet that expect() looked at */
};

/* Limits for tests: small pools, and timeouts as tcp_conf_default() has them. */
void dialog_conf(struct tcp_conf *conf);
/* @conf NULL: dialog_conf(). */
void dialog_begin(struct dialog *d, const struct tcp_conf *conf);
/* Frees everything and asserts that nothing is out. */
void dialog_end(struct dialog *d);

/* The peer's address, and one that is nobody's. */
struct addr dialog_peer_addr(const struct dialog *d);
struct addr dialog_other_addr(const struct dialog *d);

/* The byte at @offset of either stream. */
uint8_t dialog_byte(uint32_t offset);

/* The peer sends @line; TCP reads it, but the turn does not end. */
void dialog_hear(struct dialog *d, const char *line, const char *file, int at);
/* The turn ends: connections speak, and the invariants are checked. */
void dialog_turn(struct dialog *d);
void dialog_expect(struct dialog *d, const char *line, const char *file, int at);
void dialog_nothing(struct dialog *d, const char *file, int at);
/* Forgets what was sent. */
void dialog_drop(struct dialog *d);
/* Acknowledges all that was sent, and what follows, until nothing does. */
void dialog_drain(struct dialog *d);
/* Virtual time goes on, timers fire, connections speak. */
void dialog_tick(struct dialog *d, uint64_t ms);
void dialog_after(struct dialog *d, uint64_t ms, const char *line, const char *file,
		  int at);
/* An ICMP error that quotes our segment at @seq (relative) of the present peer. */
void dialog_icmp(struct dialog *d, unsigned error, unsigned mtu, uint32_t seq);

/*
 * A test with the file's `static struct dialog d`, which ends with dialog_end().
 * (Criterion takes what goes wrong in a suite's .fini for a warning.)
 */
#define Dialog(suite, name)              \
	static void dialog_##name(void); \
	Test(suite, name)                \
	{                                \
		dialog_begin(&d, NULL);  \
		dialog_##name();         \
		dialog_end(&d);          \
	}                                \
	static void dialog_##name(void)

#define hear(d, line) dialog_hear(d, line, __FILE__, __LINE__)
#define inject(d, line)                                   \
	do {                                              \
		dialog_hear(d, line, __FILE__, __LINE__); \
		dialog_turn(d);                           \
	} while (0)
#define expect(d, line) dialog_expect(d, line, __FILE__, __LINE__)
#define nothing(d) dialog_nothing(d, __FILE__, __LINE__)
#define after(d, ms, line) dialog_after(d, ms, line, __FILE__, __LINE__)
#define tick(d, ms) dialog_tick(d, ms)

/* Listens on DIALOG_PORT with that backlog: d->l. */
void dialog_listen(struct dialog *d, unsigned backlog);
/* The peer connects with @options in its SYN and that window, unscaled; d->c. */
void dialog_accept(struct dialog *d, const char *options, unsigned win);
/* We connect: SYN sent and looked at; d->c in SYN-SENT. */
void dialog_connect_begin(struct dialog *d);
/* We connect, and the peer's SYN-ACK has @options. */
void dialog_connect(struct dialog *d, const char *options, unsigned win);

/* The program writes or reads @len bytes of the pattern; the turn ends. */
void dialog_write(struct dialog *d, uint32_t len);
void dialog_write_more(struct dialog *d, uint32_t len);
void dialog_read(struct dialog *d, uint32_t len);
/* It closes, or shuts down sending; the turn ends. */
void dialog_close(struct dialog *d);
void dialog_shutdown(struct dialog *d);

enum tcp_state dialog_state(const struct dialog *d);
