/*
 * The buffers into which a driver reads its next frame.
 *
 * A driver that reads with one system call a frame must have room for the longest
 * before it knows the length.  So as many buffers as a super-frame needs stand ready
 * always, and only those that a frame filled are replaced: a short frame is copied out
 * and costs no buffer at all, one of 1514 bytes costs one.
 *
 *	n = readv(fd, set->iov, RX_SET_BUFS);
 *	p = rx_set_take(set, prefix, n - prefix);
 */
#pragma once

#include <stdint.h>
#include <sys/uio.h>

#include "stack/base/pkt.h"

/* Enough for PKT_MAX_LEN and RX_SET_PREFIX_MAX bytes that the device puts in front. */
enum { RX_SET_BUFS = 17, RX_SET_PREFIX_MAX = 32 };

struct rx_set {
	struct pkt_pool *pool;
	struct pkt *bufs[RX_SET_BUFS];
	struct iovec iov[RX_SET_BUFS]; /* all bytes of @bufs */
};

/* 0 or -ENOMEM. */
int rx_set_init(struct rx_set *s, struct pkt_pool *pool);
void rx_set_fini(struct rx_set *s);

/*
 * The packet of @len bytes that lies in the buffers behind @prefix others; their
 * place is taken by fresh buffers.  NULL when there is no memory: the frame is lost,
 * and the buffers stand ready for the next.
 */
struct pkt *rx_set_take(struct rx_set *s, uint32_t prefix, uint32_t len);
