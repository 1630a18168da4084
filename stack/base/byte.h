/*
 * Bytes that cross the edge of the program.
 *
 * struct rd reads them, struct wr writes them; both stop at the end they were
 * given.  The first read past the end sets @bad, which stays set, and every read
 * after it yields zero; so a parser reads all its fields in order and asks about
 * @bad once, last.  Numbers are in host order on our side and in network order
 * on the other: this file is the only place where they change.
 *
 * Headers of fixed size on the hot path take all their bytes with one
 * rd_take() and read them at named offsets with be16()/be32().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RD_TAKE_MAX = 64 }; /* longest run one rd_take() may ask for */

struct rd {
	const uint8_t *p;   /* next byte to read */
	const uint8_t *end; /* first byte that is not ours */
	bool bad;	    /* something read past @end */
};

struct wr {
	uint8_t *p;   /* next byte to write */
	uint8_t *end; /* first byte that is not ours */
	bool bad;     /* something did not fit */
};

static inline uint16_t be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t be32(const uint8_t *b)
{
	return (uint32_t)be16(b) << 16 | be16(b + 2);
}

static inline struct rd rd_of(const void *bytes, size_t len)
{
	return (struct rd){ .p = bytes, .end = (const uint8_t *)bytes + len };
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

static inline uint64_t be64(const uint8_t *b)
{
	return (uint64_t)be32(b) << 32 | be32(b + 4);
}

/* The next @n bytes, in place.  Zeros, never NULL, if there are not so many. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	static const uint8_t zeros[RD_TAKE_MAX];
	const uint8_t *at = r->p;

	if (r->bad || n > rd_left(r) || n > sizeof(zeros)) {
		r->bad = true;
		return zeros;
	}
	r->p += n;
	return at;
}

static inline uint8_t rd8(struct rd *r)
{
	return *rd_take(r, 1);
}

static inline uint16_t rd16(struct rd *r)
{
	return be16(rd_take(r, 2));
}

static inline uint32_t rd32(struct rd *r)
{
	return be32(rd_take(r, 4));
}

static inline uint64_t rd64(struct rd *r)
{
	return be64(rd_take(r, 8));
}

static inline void rd_copy(struct rd *r, void *to, size_t n)
{
	memcpy(to, rd_take(r, n), n);
}

static inline struct wr wr_of(void *bytes, size_t len)
{
	return (struct wr){ .p = bytes, .end = (uint8_t *)bytes + len };
}

static inline void wr_copy(struct wr *w, const void *from, size_t n)
{
	if (w->bad || n > (size_t)(w->end - w->p)) {
		w->bad = true;
		return;
	}
	memcpy(w->p, from, n);
	w->p += n;
}

static inline void wr8(struct wr *w, uint8_t v)
{
	wr_copy(w, &v, 1);
}

static inline void wr16(struct wr *w, uint16_t v)
{
	wr_copy(w, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void wr32(struct wr *w, uint32_t v)
{
	wr16(w, (uint16_t)(v >> 16));
	wr16(w, (uint16_t)v);
}

static inline void wr64(struct wr *w, uint64_t v)
{
	wr32(w, (uint32_t)(v >> 32));
	wr32(w, (uint32_t)v);
}
