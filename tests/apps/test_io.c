#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/io.h"
#include "apps/lib/io_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

enum { LINE_MAX = 32 };

/* A program on one connection: it notes what it is told. */
static struct note {
	struct io *io;
	char events[256]; /* a letter for each: see letter_of() */
	char lines[8192]; /* what was read, each behind a '<' */
	int error;	  /* of io_line() */
	bool reads;	  /* on IO_INPUT */
	enum io_event close_at, abort_at;
} note;

static struct net *net;
static struct net_listener *listener;
static struct mem_peer *peer;

static const enum io_event NEVER = (enum io_event)99;

static char letter_of(enum io_event event)
{
	return "CISRDEX"[event];
}

static void read_lines(void)
{
	struct str line;
	int r;

	while ((r = io_line(note.io, LINE_MAX, &line)) == 1) {
		strcat(note.lines, "<");
		strncat(note.lines, line.p, line.len);
	}
	note.error = r;
}

static void handle(void *arg, struct io *io, enum io_event event)
{
	char letter[2] = { letter_of(event) };

	cr_assert_eq(arg, &note);
	cr_assert_eq(io, note.io);
	if (strlen(note.events) < sizeof(note.events) - 1)
		strcat(note.events, letter);
	if (event == IO_INPUT && note.reads)
		read_lines();
	if (event == note.close_at)
		io_close(io);
	else if (event == note.abort_at || event == IO_ERROR)
		io_abort(io);
}

static void take(void *arg, struct io *io)
{
	(void)arg;
	note.io = io;
	io_handle(io, handle, &note);
}

static void setup(void)
{
	note = (struct note){ .reads = true, .close_at = NEVER, .abort_at = NEVER };
	cr_assert_eq(net_mem_new(&net), 0);
	cr_assert_eq(net_listen(net, "*:25", 10, take, NULL, &listener), 0);
	peer = mem_connect(net, "192.0.2.1:25", "192.0.2.9:4000");
	mem_settle(net);
	cr_assert_not_null(note.io);
}

static void clean(void)
{
	mem_free(peer);
	mem_settle(net);
	cr_assert_eq(mem_n_open(net), 0);
	net_free(net);
}

Cases(io, setup, clean);

static void say(const char *text)
{
	mem_say(peer, text);
	mem_settle(net);
}

static void expect_heard(const char *text)
{
	cr_assert(str_eq(mem_heard(peer), str_of(text)), "heard '%.*s', not '%s'",
		  (int)mem_heard(peer).len, mem_heard(peer).p, text);
}

Case(io, knows_both_its_ends)
{
	cr_assert_str_eq(io_peer(note.io), "192.0.2.9:4000");
	cr_assert_str_eq(io_peer_addr(note.io), "192.0.2.9");
	cr_assert_str_eq(io_local(note.io), "192.0.2.1:25");
	cr_assert_eq(io_net(note.io), net);
	cr_assert_eq(io_error(note.io), 0);
}

Case(io, lines_are_read_without_their_crlf)
{
	say("one\r\n\r\ntwo words\r\nrest");
	cr_assert_str_eq(note.lines, "<one<<two words");
	say("\r\n");
	cr_assert_str_eq(note.lines, "<one<<two words<rest");
	cr_assert_eq(note.error, 0);
}

/* Feeds @text in pieces of @cut bytes; what was read, and how it ended. */
static int feed(const char *text, size_t cut, char lines[1024])
{
	int error;

	mem_free(peer);
	note = (struct note){ .reads = true, .close_at = NEVER, .abort_at = NEVER };
	peer = mem_connect(net, "192.0.2.1:25", "192.0.2.9:4000");
	mem_settle(net);
	mem_cut(peer, cut);
	say(text);
	strcpy(lines, note.lines);
	error = note.error;
	io_abort(note.io);
	mem_settle(net);
	return error;
}

Case(io, lines_are_the_same_however_the_bytes_are_cut)
{
	static const struct {
		const char *text, *lines;
		int error;
	} cases[] = {
		{ "a\r\nb\r\n", "<a<b", 0 },
		{ "\r\n\r\n", "<<", 0 },
		{ "a\r\nb\nc\r\n", "<a", -EILSEQ },
		{ "a\r\nb\rc\r\n", "<a", -EILSEQ },
		{ "a\r\n\r\r\n", "<a", -EILSEQ },
		{ "\n", "", -EILSEQ },
		{ "\r", "", 0 },
		{ "123456789012345678901234567890\r\n", "<123456789012345678901234567890",
		  0 },
		{ "1234567890123456789012345678901\r\n", "", -EMSGSIZE },
		{ "1234567890123456789012345678901", "", -EMSGSIZE },
		{ "1234567890123456789012345678901\n", "", -EMSGSIZE },
		{ "123456789012345678901234567890\n", "", -EILSEQ },
		{ "123456789012345678901234567890\rx", "", -EILSEQ },
		{ "123456789012345678901234567890x\rx", "", -EMSGSIZE },
	};

	io_abort(note.io);
	mem_settle(net);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut <= strlen(cases[i].text); cut++) {
			char lines[1024];
			int error = feed(cases[i].text, cut, lines);

			cr_assert_str_eq(lines, cases[i].lines, "case %zu, cut %zu", i,
					 cut);
			cr_assert_eq(error, cases[i].error, "case %zu, cut %zu: %d", i,
				     cut, error);
		}
}

Case(io, nul_is_a_byte_like_others)
{
	struct str line;

	note.reads = false;
	mem_send(peer, "a\0b\r\n", 5);
	mem_settle(net);
	cr_assert_eq(io_line(note.io, LINE_MAX, &line), 1);
	cr_assert(str_eq(line, ((struct str){ "a\0b", 3 })));
}

Case(io, unread_input_is_kept_and_bounded)
{
	enum { MANY = 3 * IO_IN_MAX };
	char *bytes = malloc(MANY);
	size_t sum = 0;

	note.reads = false;
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i % 251);
	mem_cut(peer, 1000);
	mem_send(peer, bytes, MANY);
	mem_settle(net);
	cr_assert_eq(io_peek(note.io).len, IO_IN_MAX);
	cr_assert_eq(mem_unread(peer), MANY - IO_IN_MAX);
	while (sum < MANY) {
		struct str in = io_peek(note.io);
		size_t n = in.len < 777 ? in.len : 777;

		cr_assert_gt(n, 0);
		cr_assert_arr_eq(in.p, bytes + sum, n);
		io_consume(note.io, n);
		sum += n;
		mem_settle(net);
	}
	cr_assert_eq(io_peek(note.io).len, 0);
	io_consume(note.io, 1);
	free(bytes);
}

Case(io, idle_connection_owns_no_buffer)
{
	cr_assert_leq(sizeof(struct io), 256);
	cr_assert_null(note.io->in);
	say("half a line");
	cr_assert_not_null(note.io->in);
	cr_assert(!note.io->in_lent);
	say("\r\n");
	cr_assert_null(note.io->in);
	io_puts(note.io, "answer\r\n");
	cr_assert_not_null(note.io->out);
	mem_settle(net);
	cr_assert_null(note.io->out);
	/* Also when it was emptied from outside the handler. */
	note.reads = false;
	say("later\r\n");
	cr_assert_not_null(note.io->in);
	read_lines();
	mem_settle(net);
	cr_assert_null(note.io->in);
}

Case(io, what_is_written_in_one_turn_leaves_together)
{
	mem_window(peer, 5);
	io_puts(note.io, "abc");
	io_printf(note.io, "%d-%s", 42, "def");
	io_write(note.io, "", 0);
	expect_heard("");
	mem_settle(net);
	expect_heard("abc42");
	mem_window(peer, 3);
	mem_settle(net);
	expect_heard("abc42-de");
	mem_window(peer, SIZE_MAX);
	mem_settle(net);
	expect_heard("abc42-def");
}

Case(io, long_text_is_printed_whole)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	io_printf(note.io, "<%s>", text);
	mem_settle(net);
	cr_assert_eq(mem_heard(peer).len, strlen(text) + 2);
	cr_assert_eq(mem_heard(peer).p[strlen(text) + 1], '>');
}

static void count(void *arg)
{
	++*(unsigned *)arg;
}

Case(io, lent_bytes_are_given_back_when_the_network_has_them)
{
	static const char lent[] = "lent";
	unsigned done = 0;

	mem_window(peer, 8);
	io_puts(note.io, "copied ");
	io_write_ref(note.io, lent, 4, count, &done);
	io_puts(note.io, " copied");
	mem_settle(net);
	expect_heard("copied l");
	cr_assert_eq(done, 0);
	mem_window(peer, 4);
	mem_settle(net);
	cr_assert_eq(done, 1);
	mem_window(peer, SIZE_MAX);
	mem_settle(net);
	expect_heard("copied lent copied");
	io_write_ref(note.io, lent, 0, count, &done);
	cr_assert_eq(done, 2, "nothing to send");
}

Case(io, lent_bytes_are_given_back_when_the_connection_dies)
{
	unsigned done = 0;

	mem_window(peer, 0);
	io_write_ref(note.io, "x", 1, count, &done);
	mem_settle(net);
	cr_assert_eq(done, 0);
	mem_reset(peer);
	mem_settle(net);
	cr_assert_eq(done, 1);
	cr_assert_str_eq(note.events, "X");
}

Case(io, lent_bytes_are_given_back_when_the_owner_aborts)
{
	unsigned done = 0;

	mem_window(peer, 0);
	io_write_ref(note.io, "x", 1, count, &done);
	io_abort(note.io);
	cr_assert_eq(done, 1);
	io_write_ref(note.io, "x", 1, count, &done);
	cr_assert_eq(done, 2, "a dead connection takes nothing");
	io_puts(note.io, "y");
	mem_settle(net);
	cr_assert(mem_was_reset(peer));
}

Case(io, room_is_told_once_when_the_queue_is_half_empty)
{
	static const char half[IO_OUT_HIGH / 2];

	mem_window(peer, 0);
	io_write(note.io, half, sizeof(half));
	cr_assert_eq(io_room(note.io), IO_OUT_HIGH / 2);
	io_write(note.io, half, sizeof(half));
	cr_assert_eq(io_room(note.io), 0);
	mem_window(peer, sizeof(half) - 1);
	mem_settle(net);
	cr_assert_str_eq(note.events, "");
	mem_window(peer, 1);
	mem_settle(net);
	cr_assert_str_eq(note.events, "R");
	mem_window(peer, SIZE_MAX);
	mem_settle(net);
	cr_assert_str_eq(note.events, "R");
}

Case(io, peer_that_does_not_read_is_not_read_from)
{
	static const char much[IO_OUT_HIGH];

	mem_window(peer, 0);
	note.reads = false;
	say("first\r\nsecond\r\n");
	io_write(note.io, much, sizeof(much));
	read_lines();
	cr_assert_str_eq(note.lines, "", "no line while the answers wait");
	say("third\r\n");
	cr_assert_eq(mem_unread(peer), 7);
	note.reads = true;
	note.events[0] = '\0';
	mem_window(peer, SIZE_MAX);
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<first<second<third");
}

Case(io, end_of_stream_comes_behind_the_last_line)
{
	mem_say(peer, "last\r\n");
	mem_fin(peer);
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<last");
	cr_assert_str_eq(note.events, "IE");
	io_close(note.io);
	mem_settle(net);
	cr_assert(mem_closed(peer));
}

Case(io, end_of_stream_is_told_behind_half_a_line)
{
	mem_say(peer, "last\r\nhal");
	mem_fin(peer);
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<last");
	cr_assert_str_eq(note.events, "IE");
	cr_assert(str_eq(io_peek(note.io), STR("hal")));
	io_close(note.io);
}

Case(io, end_of_stream_waits_for_a_reader_that_waits)
{
	note.reads = false;
	mem_say(peer, "one\r\ntwo\r\n");
	mem_fin(peer);
	mem_settle(net);
	cr_assert_str_eq(note.events, "I");
	read_lines();
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<one<two");
	cr_assert_str_eq(note.events, "IE");
	io_close(note.io);
}

Case(io, next_owner_is_told_of_what_the_last_one_left)
{
	note.reads = false;
	mem_say(peer, "one\r\ntwo\r\n");
	mem_fin(peer);
	mem_settle(net);
	cr_assert_str_eq(note.events, "I");
	note.reads = true;
	io_handle(note.io, handle, &note);
	cr_assert_str_eq(note.events, "I");
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<one<two");
	cr_assert_str_eq(note.events, "IIE");
	io_close(note.io);
}

Case(io, answer_is_sent_after_the_peer_said_fin)
{
	mem_fin(peer);
	mem_settle(net);
	cr_assert_str_eq(note.events, "E");
	io_puts(note.io, "bye\r\n");
	io_close(note.io);
	mem_settle(net);
	expect_heard("bye\r\n");
	cr_assert(mem_closed(peer));
}

Case(io, reset_is_an_error_told_last)
{
	say("one\r\n");
	mem_reset(peer);
	mem_settle(net);
	cr_assert_str_eq(note.events, "IX");
	cr_assert_eq(mem_n_open(net), 0);
}

Case(io, deadline_is_told_when_it_passed)
{
	io_deadline(note.io, net_now_ns(net) + NS_PER_S);
	mem_advance(net, NS_PER_S - NS_PER_MS);
	cr_assert_str_eq(note.events, "");
	io_deadline(note.io, net_now_ns(net) + NS_PER_S);
	mem_advance(net, NS_PER_S / 2);
	cr_assert_str_eq(note.events, "");
	mem_advance(net, NS_PER_S);
	cr_assert_str_eq(note.events, "D");
	io_deadline(note.io, net_now_ns(net) + NS_PER_S);
	io_deadline(note.io, UINT64_MAX);
	mem_advance(net, 2 * NS_PER_S);
	cr_assert_str_eq(note.events, "D");
}

Case(io, close_in_the_handler_says_what_was_written_first)
{
	note.close_at = IO_INPUT;
	io_puts(note.io, "221 bye\r\n");
	say("QUIT\r\n");
	expect_heard("221 bye\r\n");
	cr_assert(mem_finished(peer));
	mem_fin(peer);
	mem_settle(net);
	cr_assert(mem_closed(peer));
	cr_assert_eq(mem_n_open(net), 0);
}

Case(io, last_words_survive_input_that_nobody_reads)
{
	note.reads = false;
	note.close_at = IO_INPUT;
	mem_window(peer, 3);
	io_puts(note.io, "521 go away\r\n");
	say("never read\r\n");
	mem_say(peer, "and more of it\r\n");
	mem_window(peer, SIZE_MAX);
	mem_settle(net);
	mem_say(peer, "and again\r\n");
	mem_fin(peer);
	mem_settle(net);
	expect_heard("521 go away\r\n");
	cr_assert(mem_closed(peer), "in order, without a reset");
	cr_assert_eq(mem_unread(peer), 0);
}

Case(io, peer_that_never_says_fin_is_left_after_a_while)
{
	io_puts(note.io, "bye\r\n");
	io_close(note.io);
	mem_settle(net);
	cr_assert(mem_finished(peer));
	mem_advance(net, (IO_DISCARD_MS - 1) * NS_PER_MS);
	cr_assert_eq(mem_n_open(net), 1);
	mem_advance(net, 2 * NS_PER_MS);
	cr_assert_eq(mem_n_open(net), 0);
	cr_assert(!mem_was_reset(peer));
}

Case(io, peer_that_never_stops_sending_is_left_after_so_many_bytes)
{
	enum { PIECE = 1 << 20 };
	char *bytes = calloc(1, PIECE);

	io_close(note.io);
	mem_settle(net);
	for (size_t sum = 0; sum < IO_DISCARD_MAX; sum += PIECE) {
		cr_assert_eq(mem_n_open(net), 1);
		mem_send(peer, bytes, PIECE);
		mem_settle(net);
	}
	mem_send(peer, bytes, 1);
	mem_settle(net);
	cr_assert_eq(mem_n_open(net), 0);
	free(bytes);
}

Case(io, peer_that_does_not_read_the_last_words_is_reset)
{
	unsigned done = 0;

	mem_window(peer, 2);
	io_write_ref(note.io, "four", 4, count, &done);
	io_close(note.io);
	mem_settle(net);
	mem_advance(net, (IO_DRAIN_MS - 1) * NS_PER_MS);
	mem_window(peer, 1);
	mem_advance(net, (IO_DRAIN_MS - 1) * NS_PER_MS);
	cr_assert_eq(mem_n_open(net), 1, "it read something in time");
	mem_advance(net, 2 * NS_PER_MS);
	cr_assert_eq(mem_n_open(net), 0);
	cr_assert(mem_was_reset(peer));
	cr_assert_eq(done, 1);
}

Case(io, abort_in_any_event_is_the_end)
{
	note.abort_at = IO_INPUT;
	say("a\r\nb\r\n");
	cr_assert_eq(mem_n_open(net), 0);
	cr_assert(mem_was_reset(peer));
	cr_assert_str_eq(note.events, "I");
}

Case(io, close_at_the_deadline_is_heard)
{
	note.close_at = IO_DEADLINE;
	io_deadline(note.io, net_now_ns(net) + NS_PER_S);
	io_puts(note.io, "421 too slow\r\n");
	mem_advance(net, 2 * NS_PER_S);
	expect_heard("421 too slow\r\n");
	cr_assert(mem_finished(peer));
}

static struct mem_peer *connect_out(void)
{
	io_abort(note.io);
	note = (struct note){ .reads = true, .close_at = NEVER, .abort_at = NEVER };
	cr_assert_eq(net_connect(net, "192.0.2.7:25", &note.io), 0);
	io_handle(note.io, handle, &note);
	io_puts(note.io, "EHLO us\r\n");
	mem_settle(net);
	cr_assert_str_eq(note.events, "", "not answered yet");
	return mem_accept(net);
}

Case(io, connecting_is_told_and_what_waited_is_sent)
{
	struct mem_peer *server = connect_out();

	mem_settle(net);
	cr_assert_str_eq(mem_where(server), "192.0.2.7:25");
	cr_assert_str_eq(note.events, "C");
	cr_assert(str_eq(mem_heard(server), STR("EHLO us\r\n")));
	mem_say(server, "250 ok\r\n");
	mem_settle(net);
	cr_assert_str_eq(note.lines, "<250 ok");
	io_abort(note.io);
	mem_free(server);
	cr_assert_null(mem_accept(net));
}

Case(io, refused_connection_is_an_error)
{
	struct mem_peer *server = connect_out();

	mem_reset(server);
	mem_settle(net);
	cr_assert_str_eq(note.events, "X");
	mem_free(server);
}

Case(io, connecting_may_be_given_up)
{
	struct mem_peer *server = connect_out();

	io_close(note.io);
	mem_settle(net);
	mem_free(server);
	cr_assert_str_eq(note.events, "");
}
