#include "apps/packetboatd/addr_watch.h"

#include <inttypes.h>
#include <string.h>

#include "stack/api/stack.h"
#include "stack/base/addr.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/log.h"

_Static_assert((int)ADDR_WATCH_RIVAL_LEN >= (int)MAC_TEXT_LEN, "an address fits");

static const char *rival_text(const struct pb_addr_info *info,
			      char out[static ADDR_WATCH_RIVAL_LEN])
{
	struct mac mac;

	memcpy(mac.b, info->rival, sizeof(mac.b));
	return mac_text(mac, out);
}

static void arm(struct addr_watch *w, uint64_t now_ns, unsigned ms)
{
	net_timer_arm(w->net, &w->look, now_ns + ms * NS_PER_MS);
}

/* Until it is told. */
static void look_first(struct addr_watch *w, const struct pb_addr_info *info,
		       uint64_t now_ns)
{
	char rival[ADDR_WATCH_RIVAL_LEN];

	if (info->state == PB_ADDR_PROBING || info->state == PB_ADDR_ASKING) {
		arm(w, now_ns, ADDR_WATCH_ASKING_MS);
		return;
	}
	w->ready = info->state != PB_ADDR_CONFLICT;
	if (w->ready)
		arm(w, now_ns, ADDR_WATCH_LOOK_MS);
	w->told(w->arg, w->ready ? NULL : rival_text(info, rival));
}

/* A claim of what is ours already: both of us get packets of the other. */
static void look_later(struct addr_watch *w, const struct pb_addr_info *info,
		       uint64_t now_ns)
{
	char rival[ADDR_WATCH_RIVAL_LEN];

	/* An address that DHCP took away, or changed, has no claims. */
	if (info->n_conflicts < w->n_seen)
		w->n_seen = info->n_conflicts;
	if (info->n_conflicts == w->n_seen) {
		arm(w, now_ns, ADDR_WATCH_LOOK_MS);
		return;
	}
	log_line(w->log, LOG_ERROR, "address conflict claims=%" PRIu64 " by=%s",
		 info->n_conflicts, rival_text(info, rival));
	w->n_seen = info->n_conflicts;
	arm(w, now_ns, ADDR_WATCH_LOG_MS);
}

static void look(struct net_timer *t, uint64_t now_ns)
{
	struct addr_watch *w = container_of(t, struct addr_watch, look);
	struct pb_addr_info info;

	if (!w->core) {
		w->told(w->arg, NULL);
		return;
	}
	pb_addr_get(w->core, &info);
	if (w->ready)
		look_later(w, &info, now_ns);
	else
		look_first(w, &info, now_ns);
}

void addr_watch_start(struct addr_watch *w)
{
	net_timer_init(&w->look, look);
	arm(w, net_now_ns(w->net), 0);
}
