/*
 * What the files of this folder ask of each other, by file.  A part of tcp_impl.h, which
 * has the types and says what each file does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/pkt.h"
#include "stack/base/verdict.h"
#include "tcp/conn.h"

struct fo_cookie;
struct fo_hint;
struct tcp_in;
struct tcp_listener;

/* ---- table.c ---- */

struct tcp_conn *tcp_table_find(const struct tcp *tcp, const struct flow *flow);
/* 0 or -ENOMEM. */
int tcp_table_add(struct tcp_conn *c);
void tcp_table_del(struct tcp_conn *c);
/* True when a connection, half open or waiting ones too, has that flow. */
bool tcp_table_taken(const struct tcp *tcp, const struct flow *flow);
/* The listener for the flow, the one at its very address first. */
struct tcp_listener *tcp_table_listener(const struct tcp *tcp, const struct flow *flow);
/* True when a listener at @addr would hear what another one hears. */
bool tcp_table_listener_clashes(const struct tcp *tcp, const struct addr *addr,
				uint16_t port);
struct tcp_listener *tcp_table_listener_exact(const struct tcp *tcp,
					      const struct addr *addr, uint16_t port);
int tcp_table_listener_add(struct tcp *tcp, struct tcp_listener *l);
void tcp_table_listener_del(struct tcp *tcp, struct tcp_listener *l);

/* ---- input.c: steps that others share ---- */

/* True when the segment may not count for its timestamp (RFC 7323 5.3). */
bool tcp_input_paws(uint32_t ts_recent, const struct tcp_seg *s);
/* An established connection, made from a half-open one, reads its first segment. */
enum verdict tcp_input_conn(struct tcp_in *in);

/* ---- ack.c ---- */

/* SEG.ACK is between SND.UNA - MAX.SND.WND and SND.NXT: what it tells the sender. */
void tcp_ack(struct tcp_in *in);

/* ---- text.c ---- */

void tcp_text_urgent(struct tcp_in *in);
/* Payload and FIN; the verdict says whether the packet was kept. */
void tcp_text(struct tcp_in *in);

/* ---- dsack.c ---- */

/* A segment that begins at @seq: what of it lies below RCV.NXT came twice. */
void tcp_dsack_old(struct tcp_in *in, struct seq seq);
/* It begins at or behind RCV.NXT: so did what islands hold, before it is put to them. */
void tcp_dsack_early(struct tcp_in *in, struct seq seq);

/* ---- write.c ---- */

/* Bytes that the send queue may hold now: sndbuf, less as the pool drains. */
uint32_t tcp_send_limit(const struct tcp_conn *c);
bool tcp_send_is_writable(const struct tcp_conn *c);
/* Room came or went: tells the program when it waits for some. */
void tcp_send_look(struct tcp_conn *c);

/* ---- listen.c, wait.c ---- */

/* A segment for no connection: of a half-open one, a listener's, or nobody's. */
enum verdict tcp_listen_input(struct tcp_in *in);
void tcp_listen_timer(struct timer *t, uint64_t now_ns);
/* ICMP says that the peer of a half-open connection cannot be reached. */
void tcp_listen_unreachable(struct tcp *tcp, const struct flow *flow, struct seq seq);
/* A segment for entry @id.  V_KEPT: it made room for a new connection, whose numbers
 * shall begin at *iss or later; go on with listen.c. */
enum verdict tcp_wait_input(struct tcp_in *in, uint32_t id, struct seq *iss);
void tcp_wait_enter(struct tcp_conn *c, uint64_t now_ns);
void tcp_wait_timer(struct timer *t, uint64_t now_ns);

/* ---- fastopen.c ---- */

/* May the SYN open a connection at once?  The cookie that its SYN-ACK gives has len 0
 * when it gives none. */
bool tcp_fastopen_judge(const struct tcp_in *in, struct tcp_listener *l,
			struct fo_cookie *answer);
/* It did: in->c is in SYN-RECEIVED and waits for tcp_accept(). */
void tcp_fastopen_opened(struct tcp_in *in, struct tcp_listener *l,
			 const struct fo_cookie *answer);
/* SYN-RECEIVED is over, for @state. */
void tcp_fastopen_left(struct tcp_conn *c, enum tcp_state state, uint64_t now_ns);
/* What our SYN says of it; bytes that go with it.  @hint must stay until it is sent. */
uint32_t tcp_fastopen_syn(struct tcp_conn *c, struct tcp_seg *s, struct fo_hint *hint);
/* SEG.ACK acknowledges our SYN, which may have asked or had data. */
void tcp_fastopen_answered(struct tcp_in *in);
/* The retransmission timer fired. */
void tcp_fastopen_timeout(struct tcp_conn *c, uint64_t now_ns);

/* ---- output.c ---- */

/* Says all that may be said now. */
void tcp_output(struct tcp_conn *c, uint64_t now_ns);
/* The ACK for all that came is on its way. */
void tcp_output_acked(struct tcp_conn *c);
/* An ACK at once, with what is known now. */
void tcp_output_ack(struct tcp_conn *c, uint64_t now_ns);
/* RFC 5961 3.2, 4.2: an ACK, if the limit allows. */
void tcp_output_challenge(struct tcp_conn *c, uint64_t now_ns);
/* A segment below SND.UNA, which must be answered: window and keep-alive probes. */
int tcp_output_probe(struct tcp_conn *c, uint64_t now_ns);
void tcp_output_reset(struct tcp_conn *c, uint64_t now_ns);
/* The window would open far enough to be told (RFC 9293 3.8.6.2.2). */
bool tcp_output_opens(const struct tcp_conn *c);
/* Only want of memory keeps it shut: it must be looked at again without a reason. */
bool tcp_output_is_shut(const struct tcp_conn *c);

/* ---- syn.c ---- */

/* The SYN or SYN-ACK that is due. */
void tcp_syn_output(struct tcp_conn *c, uint64_t now_ns);
/* In SYN-RECEIVED: the peer's SYN once more, which is answered as the first was. */
bool tcp_syn_repeated(struct tcp_in *in);

/* ---- emit.c ---- */

/* How a segment goes, beside what it says. */
struct tcp_emit {
	uint16_t gso_len; /* payload of each segment when @body is more than one */
	uint8_t ttl, tos;
	bool partial_sum, no_df;
};

/* Sends @s with @body (NULL: none), which it takes.  0, -ENOBUFS, or of ip_output(). */
int tcp_emit_segment(struct tcp *tcp, const struct flow *f, const struct tcp_seg *s,
		     struct pkt *body, const struct tcp_emit *how, uint64_t now_ns);
/* Without payload, as for connections that have no control block. */
int tcp_emit_bare(struct tcp *tcp, const struct flow *f, struct tcp_seg *s,
		  const struct tcp_opts *opts, uint64_t now_ns);
/* RFC 9293 3.10.7.1: the RST that answers a segment for nobody. */
void tcp_emit_refusal(struct tcp_in *in);
/* What our SYN says: MSS, window scale and so on. */
void tcp_emit_syn_options(struct tcp *tcp, const struct flow *f,
			  const struct tcp_opts *opts, struct tcp_seg *s);

/* ---- timer.c ---- */

void tcp_timer_fire(struct timer *t, uint64_t now_ns);
/* The connection's job from now on, and when it is due. */
void tcp_timer_job(struct tcp_conn *c, enum tcp_job job, uint64_t due_ns);
/*
 * Something may be in flight: the job that waits for its ACK, of RACK's timer, the loss
 * probe and the retransmission timer.  @wait_us not 0: RACK's (tcp_recover_ack()); @anew:
 * an ACK moved SND.UNA (RFC 6298 5.3).
 */
void tcp_timer_flight(struct tcp_conn *c, uint32_t wait_us, bool anew, uint64_t now_ns);
/* Bytes were sent; @anew: the first, or for the first time. */
void tcp_timer_sent(struct tcp_conn *c, uint64_t now_ns);
/* The first bytes in flight were sent again. */
void tcp_timer_again(struct tcp_conn *c, uint64_t now_ns);
/* The retransmission timer begins anew. */
void tcp_timer_retransmit(struct tcp_conn *c, uint64_t now_ns);
/* Whatever job the state asks for, when nothing is in flight. */
void tcp_timer_quiet(struct tcp_conn *c, uint64_t now_ns);
/* An ACK leaves within the delay. */
void tcp_timer_delay_ack(struct tcp_conn *c, uint64_t now_ns);
/* x->wake_ns is set. */
void tcp_timer_pace(struct tcp_conn *c);
void tcp_timer_stop(struct tcp_conn *c);

/* ---- early.c ---- */

void tcp_early_init(struct tcp *tcp);
/* Payload that begins at @seq, behind RCV.NXT, which it takes.  False: no memory. */
bool tcp_early_add(struct tcp_conn *c, struct pkt *p, struct seq seq);
/* Counts again what the islands of @x pin: after each change of them. */
void tcp_early_note(struct tcp *tcp, struct tcp_xfer *x);
/* Frees the islands of @x. */
void tcp_early_drop(struct tcp *tcp, struct tcp_xfer *x);
/* Frees those of the connection that has had some for longest.  False: nobody has. */
bool tcp_early_shed(struct tcp *tcp);

/* ---- orphan.c ---- */

void tcp_orphan_init(struct tcp *tcp);
/* The program closed @c, which goes on alone; which may also end it at once. */
void tcp_orphan_add(struct tcp_conn *c, uint64_t now_ns);
/* It ends.  Nothing when it is none. */
void tcp_orphan_del(struct tcp_conn *c);
/* Resets the oldest, which is freed by tcp_conn_reap().  False: there is none. */
bool tcp_orphan_evict(struct tcp *tcp, uint64_t now_ns);
void tcp_orphan_timer(struct timer *t, uint64_t now_ns);
