#include "tcp/hystart.h"

#include "stack/base/clock.h"

/* RFC 9406 4.3 */
enum {
	MIN_RTT_THRESH_US = 4000,
	MAX_RTT_THRESH_US = 16000,
	MIN_RTT_DIVISOR = 8,
	N_RTT_SAMPLE = 8,
	CSS_GROWTH_DIVISOR = 4,
	CSS_ROUNDS = 5,
	L = 8, /* segments an ACK may add where nothing is paced */
};

static void next_round(struct hystart *h, const struct cc_ack *ack)
{
	/* What is in flight now is acknowledged one round-trip time from now. */
	h->n_left = ack->in_flight > ack->n_acked ? ack->in_flight - ack->n_acked : 0;
	h->last_us = h->now_us;
	h->now_us = 0;
	h->n_samples = 0;
	if (h->phase == HYSTART_CSS && ++h->n_rounds == CSS_ROUNDS)
		h->phase = HYSTART_DONE;
}

static uint32_t threshold_us(const struct hystart *h)
{
	uint32_t us = h->last_us / MIN_RTT_DIVISOR;

	return us < MIN_RTT_THRESH_US ? MIN_RTT_THRESH_US :
	       us > MAX_RTT_THRESH_US ? MAX_RTT_THRESH_US :
					us;
}

static void look(struct hystart *h)
{
	if (h->n_samples < N_RTT_SAMPLE)
		return;
	if (h->phase == HYSTART_ALERT && h->last_us > 0 &&
	    h->now_us >= h->last_us + threshold_us(h)) {
		h->phase = HYSTART_CSS;
		h->baseline_us = h->now_us;
		h->n_rounds = 0;
	} else if (h->phase == HYSTART_CSS && h->now_us < h->baseline_us) {
		h->phase = HYSTART_ALERT;
	}
}

static void sample(struct hystart *h, uint64_t rtt_ns)
{
	uint32_t us = (uint32_t)(rtt_ns / NS_PER_US);

	if (rtt_ns == 0)
		return;
	if (h->now_us == 0 || us < h->now_us)
		h->now_us = us > 0 ? us : 1;
	if (h->n_samples < N_RTT_SAMPLE)
		h->n_samples++;
}

uint32_t hystart_ack(struct hystart *h, const struct cc_ack *ack)
{
	uint32_t n = ack->n_acked < L * ack->mss ? ack->n_acked : L * ack->mss;

	sample(h, ack->rtt_ns);
	look(h);
	if (ack->n_acked >= h->n_left)
		next_round(h, ack);
	else
		h->n_left -= ack->n_acked;
	/* The ACK that ends CSS still belongs to it. */
	return h->phase == HYSTART_ALERT ? n : n / CSS_GROWTH_DIVISOR;
}
