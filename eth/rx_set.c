#include "eth/rx_set.h"

#include <errno.h>

#include "eth/port_impl.h"

_Static_assert(RX_SET_BUFS *PKT_BUF_LEN >= PKT_MAX_LEN + RX_SET_PREFIX_MAX,
	       "the longest frame fits");

static void put(struct rx_set *s, unsigned i, struct pkt *p)
{
	s->bufs[i] = p;
	s->iov[i] = (struct iovec){ .iov_base = p->data, .iov_len = PKT_BUF_LEN };
}

int rx_set_init(struct rx_set *s, struct pkt_pool *pool)
{
	*s = (struct rx_set){ .pool = pool };
	for (unsigned i = 0; i < RX_SET_BUFS; i++) {
		struct pkt *p = pkt_new_buf(pool, PKT_DATA, 0);

		if (!p) {
			rx_set_fini(s);
			return -ENOMEM;
		}
		put(s, i, p);
	}
	return 0;
}

void rx_set_fini(struct rx_set *s)
{
	for (unsigned i = 0; i < RX_SET_BUFS; i++)
		pkt_free(s->bufs[i]);
	*s = (struct rx_set){ 0 };
}

/* @n fresh buffers linked by ->link; NULL when there are not so many. */
static struct pkt *fresh(struct pkt_pool *pool, unsigned n)
{
	struct pkt *list = NULL;

	while (n--) {
		struct pkt *p = pkt_new_buf(pool, PKT_DATA, 0);

		if (!p) {
			pkt_free_list(list);
			return NULL;
		}
		p->link = list;
		list = p;
	}
	return list;
}

/* Chains the first @n buffers to one packet of @len bytes. */
static struct pkt *chain(struct rx_set *s, unsigned n, uint32_t prefix, uint32_t len)
{
	struct pkt *first = s->bufs[0];
	uint32_t left = len;

	first->data += prefix;
	first->total_len = len;
	for (unsigned i = 0; i < n; i++) {
		uint32_t room = PKT_BUF_LEN - (i ? 0 : prefix);

		s->bufs[i]->len = left < room ? left : room;
		left -= s->bufs[i]->len;
		s->bufs[i]->next = i + 1 < n ? s->bufs[i + 1] : NULL;
	}
	return first;
}

struct pkt *rx_set_take(struct rx_set *s, uint32_t prefix, uint32_t len)
{
	unsigned n = (prefix + len + PKT_BUF_LEN - 1) / PKT_BUF_LEN;
	struct pkt *list, *p;

	ASSERT(n <= RX_SET_BUFS && prefix <= RX_SET_PREFIX_MAX);
	if (len <= PKT_HEAD_LEN)
		return port_pkt(s->pool, s->bufs[0]->data + prefix, len);
	list = fresh(s->pool, n);
	if (!list)
		return NULL;
	p = chain(s, n, prefix, len);
	for (unsigned i = 0; i < n; i++) {
		struct pkt *next = list->link;

		list->link = NULL;
		put(s, i, list);
		list = next;
	}
	return p;
}
