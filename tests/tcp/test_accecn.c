#include <criterion/criterion.h>

#include "tcp/ecn.h"
#include "tcp/tcp_wire.h"

/* An ACK with those three bits and no option. */
static struct tcp_seg ack(unsigned ace)
{
	return (struct tcp_seg){ .flags = TCP_ACK | accecn_flags(ace) };
}

static uint32_t learn(struct accecn *a, const struct tcp_seg *s, uint32_t n_packets)
{
	uint32_t bytes;

	return accecn_learn(a, s, n_packets, &bytes);
}

Test(accecn, three_bits_are_ae_cwr_ece)
{
	cr_assert_eq(accecn_flags(1), TCP_ECE);
	cr_assert_eq(accecn_flags(2), TCP_CWR);
	cr_assert_eq(accecn_flags(4), TCP_AE);
	for (uint32_t v = 0; v < 16; v++)
		cr_assert_eq(accecn_value(accecn_flags(v) | TCP_ACK | TCP_PSH), v % 8);
}

Test(accecn, what_a_handshake_tells_is_read_as_the_same)
{
	uint8_t f;

	for (uint8_t i = 0; i < 4; i++)
		cr_assert(accecn_shake_read(accecn_shake(i), &f) && f == i);
	cr_assert(!accecn_shake_read(0, &f) && !accecn_shake_read(1, &f));
	cr_assert(!accecn_shake_read(5, &f) && !accecn_shake_read(7, &f));
}

Test(accecn, three_bits_that_may_have_gone_round_mean_the_most)
{
	/* RFC 9768 appendix A.2.1 */
	struct tcp_seg s = ack(5);
	struct accecn a;

	accecn_init(&a);
	cr_assert_eq(learn(&a, &s, 2), 0, "at first they are 5");
	s = ack(7);
	cr_assert_eq(learn(&a, &s, 2), 2);
	s = ack(0);
	cr_assert_eq(learn(&a, &s, 7), 1);
	s = ack(0);
	cr_assert_eq(learn(&a, &s, 8), 8, "none, or all of the eight");
	s = ack(1);
	cr_assert_eq(learn(&a, &s, 8), 1, "nine are too many");
	s = ack(3);
	cr_assert_eq(learn(&a, &s, 20), 18);
	s = ack(4);
	cr_assert_eq(learn(&a, &s, 0), 1, "a control packet");
}

Test(accecn, where_options_come_they_tell_the_bytes)
{
	struct tcp_seg s = ack(6);
	struct accecn a;
	uint32_t bytes;

	accecn_init(&a);
	s.has = TCP_HAS_ACC0;
	s.n_acc = 3;
	s.acc[0] = 1001;
	s.acc[1] = 500;
	s.acc[2] = 1;
	cr_assert_eq(accecn_learn(&a, &s, 2, &bytes), 1);
	cr_assert_eq(bytes, 500);
	s.has = TCP_HAS_ACC1;
	s.acc[0] = 31;
	s.acc[1] = 700;
	s.acc[2] = 1001;
	s.flags = ack(7).flags;
	cr_assert_eq(accecn_learn(&a, &s, 20, &bytes), 1, "no guess");
	cr_assert_eq(bytes, 200);
	cr_assert(a.s_e0b == 1001 && a.s_e1b == 31 && a.s_ceb == 700);
	s.n_acc = 1;
	s.acc[0] = 41;
	accecn_learn(&a, &s, 1, &bytes);
	cr_assert_eq(bytes, UINT32_MAX, "it is not in there");
	cr_assert_eq(a.s_e1b, 41);
	/* Zeroed on its way, or old: not a jump by 16 million. */
	s.n_acc = 3;
	s.acc[0] = s.acc[1] = s.acc[2] = 0;
	accecn_learn(&a, &s, 1, &bytes);
	cr_assert_eq(bytes, 0);
	cr_assert_eq(a.s_ceb, 700);
	/* But 24 bits go round. */
	a.s_ceb = 0xfffff0;
	s.acc[1] = 0x10;
	accecn_learn(&a, &s, 1, &bytes);
	cr_assert_eq(bytes, 0x20);
	cr_assert_eq(a.s_ceb, 0x1000010);
}

/* The first three have a reason of their own. */
static void settle(struct accecn *a)
{
	accecn_init(a);
	a->n_options = 0;
}

Test(accecn, tells_what_changed_in_the_shorter_order)
{
	struct tcp_seg s = { 0 };
	struct accecn a;

	settle(&a);
	accecn_option(&a, &s, 40);
	cr_assert_eq(s.has, 0, "nothing did");
	accecn_count(&a, ECN_ECT0, 1, 10, true);
	accecn_option(&a, &s, 40);
	cr_assert(s.has == TCP_HAS_ACC0 && s.n_acc == 1 && s.acc[0] == 11);
	settle(&a);
	accecn_count(&a, ECN_ECT1, 1, 10, true);
	accecn_count(&a, ECN_CE, 1, 20, true);
	s = (struct tcp_seg){ 0 };
	accecn_option(&a, &s, 40);
	cr_assert(s.has == TCP_HAS_ACC1 && s.n_acc == 2);
	cr_assert(s.acc[0] == 11 && s.acc[1] == 20);
	/* And once more, whole. */
	s = (struct tcp_seg){ 0 };
	accecn_option(&a, &s, 40);
	cr_assert_eq(s.n_acc, 3);
	s = (struct tcp_seg){ 0 };
	accecn_option(&a, &s, 40);
	cr_assert_eq(s.has, 0);
}

Test(accecn, leaves_out_no_field_that_changed)
{
	struct tcp_seg s = { 0 };
	struct accecn a;

	settle(&a);
	accecn_count(&a, ECN_ECT0, 1, 10, true);
	accecn_count(&a, ECN_ECT1, 1, 10, true);
	accecn_option(&a, &s, 8);
	cr_assert_eq(s.has, 0, "it waits for room");
	accecn_option(&a, &s, 12);
	cr_assert_eq(s.n_acc, 3);
	accecn_init(&a);
	s = (struct tcp_seg){ 0 };
	accecn_option(&a, &s, 4);
	cr_assert(s.has == TCP_HAS_ACC0 && s.n_acc == 0, "empty, to try the path");
	s = (struct tcp_seg){ 0 };
	accecn_option(&a, &s, 3);
	cr_assert_eq(s.has, 0);
}
