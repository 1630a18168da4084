/*
 * What the queues share.  For aqm*.c and their tests.
 */
#pragma once

#include "apps/pbsim/aqm.h"
#include "apps/pbsim/frame.h"
#include "stack/base/list.h"

struct aqm_ops {
	const char *name;
	struct aqm *(*make)(const struct aqm_conf *conf); /* NULL: no memory */
	/* Keeps @f or drops it. */
	void (*enqueue)(struct aqm *q, struct frame *f, uint64_t now_ns);
	struct frame *(*dequeue)(struct aqm *q, uint64_t now_ns);
	void (*free)(struct aqm *q); /* itself; it is empty */
};

extern const struct aqm_ops aqm_tail_ops, aqm_red_ops, aqm_codel_ops, aqm_fq_codel_ops;

/* There is room for @f; one frame has it always. */
bool aqm_room(const struct aqm *q, const struct frame *f);
/* Puts it at the end of @list, and counts it; takes the first one out, or NULL. */
void aqm_push(struct aqm *q, struct list *list, struct frame *f);
struct frame *aqm_pop(struct aqm *q, struct list *list);
/* Drops @f, which is in no list, and counts it as *@counter. */
void aqm_drop(struct aqm *q, struct frame *f, uint64_t *counter);
/* The sender shall hear of a queue that grows: true, by a mark; false: @f must go. */
bool aqm_marked(struct aqm *q, struct frame *f);

/* ---- aqm_codel.c: also of each flow of fq_codel ---- */

struct codel {
	struct list frames;
	uint64_t bytes;
	uint64_t first_above_ns; /* when it may begin to drop; 0: below the target */
	uint64_t drop_next_ns;
	uint32_t count, last_count; /* drops of this and of the last dropping state */
	bool dropping;
};

void codel_init(struct codel *c);
void codel_push(struct codel *c, struct aqm *q, struct frame *f);
/* The next one that is not dropped; NULL: none is left. */
struct frame *codel_dequeue(struct codel *c, struct aqm *q, uint64_t now_ns);
/* RFC 8289 5.4: when the next frame is dropped. */
uint64_t codel_next(uint64_t at_ns, uint64_t interval_ns, uint32_t count);

/* ---- aqm_red.c ---- */

/* The average after an arrival that found @bytes waiting. */
double red_average(double avg, double weight, double bytes);
/* The probability that this arrival is marked: @count arrivals came since the last. */
double red_chance(const struct aqm_conf *conf, double avg, uint32_t count);
