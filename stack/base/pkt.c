#include "stack/base/pkt.h"

#include <errno.h>
#include <sys/mman.h>

int pkt_pool_init(struct pkt_pool *pool, uint32_t n_pkts, uint32_t n_bufs)
{
	size_t info_len = (size_t)n_bufs * sizeof(struct buf);
	int err;

	*pool = (struct pkt_pool){
		.reserve = n_pkts / 16,
		.buf_reserve = n_bufs / 16,
	};
	err = pool_init(&pool->pkts, sizeof(struct pkt), 64, n_pkts);
	if (err)
		return err;
	err = pool_init(&pool->bufs, PKT_BUF_LEN, PKT_BUF_LEN, n_bufs);
	if (err)
		goto no_bufs;
	pool->buf_info = mmap(NULL, info_len, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->buf_info == MAP_FAILED) {
		err = -ENOMEM;
		goto no_info;
	}
	return 0;
no_info:
	pool_fini(&pool->bufs);
no_bufs:
	pool_fini(&pool->pkts);
	return err;
}

void pkt_pool_fini(struct pkt_pool *pool)
{
	munmap(pool->buf_info, (size_t)pool->bufs.max * sizeof(struct buf));
	pool_fini(&pool->bufs);
	pool_fini(&pool->pkts);
}

/* What PKT_DATA may still take of a pool. */
static uint32_t spare(const struct pool *pool, uint32_t reserve)
{
	uint32_t left = pool_left(pool);

	return left > reserve ? left - reserve : 0;
}

unsigned pkt_pool_level(const struct pkt_pool *pool)
{
	uint64_t bufs = spare(&pool->bufs, pool->buf_reserve);
	uint64_t pkts = spare(&pool->pkts, pool->reserve);
	uint32_t all_bufs = pool->bufs.max - pool->buf_reserve;
	uint32_t all_pkts = pool->pkts.max - pool->reserve;

	/* The fraction that is smaller, with one division. */
	if (pkts * all_bufs < bufs * all_pkts)
		return (unsigned)(pkts * 10 / all_pkts);
	return (unsigned)(bufs * 10 / all_bufs);
}

uint32_t pkt_pool_spare(const struct pkt_pool *pool, unsigned level)
{
	uint32_t keep_bufs = (pool->bufs.max - pool->buf_reserve) / 10 * level;
	uint32_t keep_pkts = (pool->pkts.max - pool->reserve) / 10 * level;
	uint32_t bufs = spare(&pool->bufs, pool->buf_reserve + keep_bufs);
	uint32_t pkts = spare(&pool->pkts, pool->reserve + keep_pkts);

	return bufs < pkts ? bufs : pkts;
}

static uint32_t buf_id(const struct pkt *p)
{
	return (uint32_t)(p->buf - p->pool->buf_info);
}

uint8_t *pkt_buf_bytes(const struct pkt *p)
{
	return pool_at(&p->pool->bufs, buf_id(p));
}

static void buf_unref(struct pkt *p)
{
	if (p->buf && --p->buf->refs == 0)
		pool_put(&p->pool->bufs, pkt_buf_bytes(p));
}

static struct pkt *descriptor(struct pkt_pool *pool, enum pkt_use use)
{
	struct pkt *p = NULL;

	if (use == PKT_CONTROL || pool_left(&pool->pkts) > pool->reserve)
		p = pool_get(&pool->pkts);
	if (!p) {
		pool->n_refused++;
		return NULL;
	}
	memset(p, 0, offsetof(struct pkt, cb));
	p->pool = pool;
	return p;
}

struct pkt *pkt_new(struct pkt_pool *pool, enum pkt_use use)
{
	struct pkt *p = descriptor(pool, use);

	if (p)
		p->data = p->head + PKT_HEAD_LEN;
	return p;
}

struct pkt *pkt_new_buf(struct pkt_pool *pool, enum pkt_use use, uint32_t headroom)
{
	uint8_t *bytes = NULL;
	struct pkt *p;

	ASSERT(headroom <= PKT_BUF_LEN);
	p = descriptor(pool, use);
	if (!p)
		return NULL;
	if (use == PKT_CONTROL || pool_left(&pool->bufs) > pool->buf_reserve)
		bytes = pool_get(&pool->bufs);
	if (!bytes) {
		pool->n_refused++;
		pool_put(&pool->pkts, p);
		return NULL;
	}
	p->buf = &pool->buf_info[pool_id(&pool->bufs, bytes)];
	*p->buf = (struct buf){ .refs = 1 };
	p->data = bytes + headroom;
	return p;
}

struct pkt *pkt_share(struct pkt *of, const uint8_t *at, uint32_t len)
{
	struct pkt *p =
		of->buf ? descriptor(of->pool, PKT_DATA) : pkt_new(of->pool, PKT_DATA);

	if (!p)
		return NULL;
	if (!of->buf) {
		memcpy(pkt_push(p, len), at, len);
		return p;
	}
	p->buf = of->buf;
	p->buf->refs++;
	/* Writable again: whoever shares a buffer only reads it, by agreement. */
	p->data = pkt_buf_bytes(of) + (at - pkt_buf_bytes(of));
	p->len = p->total_len = len;
	return p;
}

void pkt_free(struct pkt *p)
{
	while (p) {
		struct pkt *next = p->next;

		buf_unref(p);
		pool_put(&p->pool->pkts, p);
		p = next;
	}
}

void pkt_free_list(struct pkt *p)
{
	while (p) {
		struct pkt *link = p->link;

		pkt_free(p);
		p = link;
	}
}

uint32_t pkt_room(const struct pkt *p)
{
	const uint8_t *end =
		p->buf ? pkt_buf_bytes(p) + PKT_BUF_LEN : p->head + PKT_HEAD_LEN;

	return (uint32_t)(end - (p->data + p->len));
}

bool pkt_append(struct pkt *p, const void *bytes, uint32_t len)
{
	ASSERT(!p->next);
	if (len > pkt_room(p))
		return false;
	memcpy(p->data + p->len, bytes, len);
	p->len += len;
	p->total_len += len;
	return true;
}

void pkt_chain(struct pkt *p, struct pkt *tail)
{
	struct pkt *last = p;

	p->total_len += tail->total_len;
	while (last->next)
		last = last->next;
	last->next = tail;
}

void pkt_trim_front(struct pkt *p, uint32_t len)
{
	ASSERT(len <= p->total_len);
	p->total_len -= len;
	if (len <= p->len) {
		p->data += len;
		p->len -= len;
		return;
	}
	len -= p->len;
	p->data += p->len;
	p->len = 0;
	while (len) {
		struct pkt *seg = p->next;

		if (len < seg->len) {
			seg->data += len;
			seg->len -= len;
			return;
		}
		len -= seg->len;
		p->next = seg->next;
		seg->next = NULL;
		pkt_free(seg);
	}
}

void pkt_trim_to(struct pkt *p, uint32_t len)
{
	ASSERT(len <= p->total_len);
	p->total_len = len;
	while (len > p->len) {
		len -= p->len;
		p = p->next;
	}
	p->len = len;
	pkt_free(p->next);
	p->next = NULL;
}

uint32_t pkt_read(const struct pkt *p, uint32_t offset, void *to, uint32_t len)
{
	uint32_t done = 0;

	for (; p && done < len; p = p->next) {
		uint32_t n;

		if (offset >= p->len) {
			offset -= p->len;
			continue;
		}
		n = p->len - offset < len - done ? p->len - offset : len - done;
		memcpy((uint8_t *)to + done, p->data + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}

struct pkt *pkt_copy(struct pkt_pool *pool, enum pkt_use use, const struct pkt *p)
{
	uint32_t left = p->total_len, at = 0;
	struct pkt *first = NULL;

	do {
		struct pkt *seg = pkt_new_buf(pool, use, first ? 0 : 64);
		uint32_t n;

		if (!seg) {
			pkt_free(first);
			return NULL;
		}
		n = pkt_read(p, at, seg->data,
			     left < pkt_room(seg) ? left : pkt_room(seg));
		seg->len = seg->total_len = n;
		at += n;
		left -= n;
		if (first)
			pkt_chain(first, seg);
		else
			first = seg;
	} while (left);
	first->flags = p->flags;
	first->gso_len = p->gso_len;
	return first;
}
