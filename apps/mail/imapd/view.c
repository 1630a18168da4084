#include "apps/mail/imapd/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct imapd_view *v, uint32_t more)
{
	uint32_t room = v->room ? v->room : 16;
	struct view_msg *msgs;

	while (room < v->n + more)
		room *= 2;
	if (room == v->room)
		return true;
	msgs = reallocarray(v->msgs, room, sizeof(*msgs));
	if (!msgs)
		return false;
	v->msgs = msgs;
	v->room = room;
	return true;
}

static void push(struct imapd_view *v, const struct store_msg *m)
{
	v->msgs[v->n++] = (struct view_msg){
		.msg = m->msg,
		.size = m->size,
		.date_s = m->date_s,
		.modseq = m->modseq,
		.uid = m->uid,
		.flags = m->flags,
	};
}

int view_sync_keywords(struct imapd_view *v, struct store_read *read)
{
	struct store_keywords k;
	char *at = v->keyword_text;
	int rc = store_box_keywords(read, v->box, &k);

	if (rc)
		return rc;
	v->has_new_keywords |= k.n != v->keywords.n;
	for (unsigned i = 0; i < k.n; i++) {
		memcpy(at, k.names[i].p, k.names[i].len);
		v->keywords.names[i] = (struct str){ at, k.names[i].len };
		at += k.names[i].len;
	}
	v->keywords.n = k.n;
	return 0;
}

static int load(struct imapd_view *v, struct store_read *read)
{
	struct store_box_info info;
	struct store_msg *msgs;
	size_t n;
	int rc = store_box_load(read, v->box, &info);

	if (rc)
		return rc;
	if (info.n_messages > v->n_max)
		return -EFBIG;
	rc = store_box_changes(read, v->box, 1, 0, &msgs, &n);
	if (rc)
		return rc;
	if (!make_room(v, (uint32_t)n)) {
		free(msgs);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		push(v, &msgs[i]);
	free(msgs);
	v->uid_validity = info.uid_validity;
	v->uid_next = info.uid_next;
	v->modseq = info.modseq;
	v->n_told = v->n;
	rc = view_sync_keywords(v, read);
	v->has_new_keywords = false;
	return rc;
}

int view_open(struct store_read *read, uint32_t box, uint32_t n_max,
	      struct imapd_view **view)
{
	struct imapd_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->box = box;
	v->n_max = n_max;
	rc = load(v, read);
	if (rc) {
		view_free(v);
		return rc;
	}
	*view = v;
	return 0;
}

void view_free(struct imapd_view *v)
{
	if (!v)
		return;
	free(v->msgs);
	free(v);
}

uint32_t view_find(const struct imapd_view *v, uint32_t uid)
{
	uint32_t low = 0, high = v->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (v->msgs[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void view_mark_changed(struct imapd_view *v, uint32_t i)
{
	v->n_changed += !(v->msgs[i].marks & VIEW_CHANGED);
	v->msgs[i].marks |= VIEW_CHANGED;
}

bool view_take_changed(struct imapd_view *v, uint32_t i)
{
	bool changed = v->msgs[i].marks & VIEW_CHANGED;

	v->n_changed -= changed;
	v->msgs[i].marks &= ~(uint32_t)VIEW_CHANGED;
	return changed;
}

static void mark_gone(struct imapd_view *v, uint32_t i)
{
	v->n_gone += !(v->msgs[i].marks & VIEW_GONE);
	v->msgs[i].marks |= VIEW_GONE;
}

static void take_changed(struct imapd_view *v, const struct store_msg *m)
{
	uint32_t i = view_find(v, m->uid);

	if (i == v->n || v->msgs[i].uid != m->uid)
		return;
	v->msgs[i].modseq = m->modseq;
	if (v->msgs[i].flags == m->flags)
		return;
	v->msgs[i].flags = m->flags;
	view_mark_changed(v, i);
}

/* New messages, and changed flags when there are any. */
static int sync_msgs(struct imapd_view *v, struct store_read *read,
		     const struct store_box_info *info)
{
	bool all = info->modseq_flags > v->modseq;
	struct store_msg *msgs;
	size_t n;
	int rc = store_box_changes(read, v->box, all ? 1 : v->uid_next,
				   all ? v->modseq : 0, &msgs, &n);

	if (rc)
		return rc;
	if (n > UINT32_MAX - v->n || v->n + n > v->n_max + UINT64_C(0) + v->n_gone)
		rc = -EFBIG;
	else if (!make_room(v, (uint32_t)n))
		rc = -ENOMEM;
	for (size_t i = 0; i < n && !rc; i++) {
		if (msgs[i].uid < v->uid_next)
			take_changed(v, &msgs[i]);
		else
			push(v, &msgs[i]);
	}
	free(msgs);
	return rc;
}

/* The store does not remember so long: what is not there is gone. */
static int compare_all(struct imapd_view *v, struct store_read *read)
{
	struct store_msg *msgs;
	size_t n, at = 0;
	int rc = store_box_changes(read, v->box, 1, 0, &msgs, &n);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < v->n; i++) {
		while (at < n && msgs[at].uid < v->msgs[i].uid)
			at++;
		if (at == n || msgs[at].uid != v->msgs[i].uid)
			mark_gone(v, i);
	}
	free(msgs);
	return 0;
}

static int sync_gone(struct imapd_view *v, struct store_read *read,
		     const struct store_box_info *info)
{
	struct store_range *ranges;
	size_t n;
	int rc;

	if (v->n - v->n_gone == info->n_messages)
		return 0;
	if (v->modseq < info->vanished_since)
		return compare_all(v, read);
	rc = store_box_vanished(read, v->box, v->modseq, &ranges, &n);
	if (rc)
		return rc;
	for (size_t k = 0; k < n; k++)
		for (uint32_t i = view_find(v, ranges[k].first);
		     i < v->n && v->msgs[i].uid <= ranges[k].last; i++)
			mark_gone(v, i);
	free(ranges);
	return 0;
}

int view_sync(struct imapd_view *v, struct store_read *read)
{
	struct store_box_info info;
	int rc = store_box_load(read, v->box, &info);

	if (rc || info.modseq == v->modseq)
		return rc;
	rc = sync_msgs(v, read, &info);
	if (rc == 0)
		rc = sync_gone(v, read, &info);
	if (rc == 0 && info.modseq_flags > v->modseq)
		rc = view_sync_keywords(v, read);
	if (rc)
		return rc;
	v->uid_next = info.uid_next;
	v->modseq = info.modseq;
	return 0;
}

void view_mark_recent(struct imapd_view *v, uint32_t uid_recent)
{
	for (uint32_t i = view_find(v, uid_recent); i < v->n; i++) {
		v->n_recent += !(v->msgs[i].marks & VIEW_RECENT);
		v->msgs[i].marks |= VIEW_RECENT;
	}
}

bool view_resolve(const struct imapd_view *v, struct imap_set *set, bool is_uid)
{
	uint32_t max = is_uid ? (v->n_told ? v->msgs[v->n_told - 1].uid : 0) : v->n_told;

	imap_set_resolve(set, max);
	return is_uid || (set->n > 0 && imap_set_last(set) <= max);
}

/* UIDs leave gaps: from each range to the next message in it. */
static uint32_t next_uid(const struct imapd_view *v, const struct imap_set *set,
			 struct imap_set_at *at)
{
	for (; at->range < set->n; at->range++, at->passed = 0) {
		const struct imap_range *r = &set->ranges[at->range];
		/* @passed is the index behind the last one, plus 1. */
		uint32_t i = at->passed ? at->passed - 1 : view_find(v, r->first);

		if (i < v->n_told && v->msgs[i].uid <= r->last) {
			at->passed = i + 2;
			return i;
		}
	}
	return UINT32_MAX;
}

uint32_t view_next(const struct imapd_view *v, const struct imap_set *set, bool is_uid,
		   struct imap_set_at *at, uint32_t *index)
{
	uint32_t number;

	if (is_uid)
		*index = next_uid(v, set, at);
	else
		*index = imap_set_next(set, at, &number) && number <= v->n_told ?
				 number - 1 :
				 UINT32_MAX;
	return *index;
}
