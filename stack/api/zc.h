/*
 * Zero copy: memory lent in pairs.
 *
 * Receiving: pb_zc_recv_buf() lends the bytes of one received segment, which stay
 * valid until pb_zc_recv_done().  They count against the receive window until then.
 * A segment in more than PB_ZC_IOV pieces (of many IP fragments, or of small loans
 * over loopback) is copied together, and lent a buffer at a time.
 * Sending: pb_zc_send_buf() lends room in packet memory; the program fills it, and
 * pb_zc_send_done() queues the first @len bytes (0: gives it back unsent).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "stack/api/stack.h"

enum { PB_ZC_IOV = 20 }; /* most pieces of one loan */

struct pb_zc {
	struct iovec iov[PB_ZC_IOV];
	int n_iov;
	size_t len;	 /* of all pieces */
	void *handle;	 /* ours */
	uint32_t serial; /* ours: of the socket */
};

/* 1: lent; 0: end of stream, nothing lent; -1 and errno as pb_recv(). */
PB_API int pb_zc_recv_buf(int s, struct pb_zc *zc);
/* Also after pb_close(): what was lent is the program's until here. */
PB_API void pb_zc_recv_done(int s, struct pb_zc *zc);
/* 1: iov[0] is room to fill; -1 and errno as pb_send(), EAGAIN when the queue is full or the pool
 * empty; a ready set tells when there is room again. */
PB_API int pb_zc_send_buf(int s, struct pb_zc *zc);
/* 0, or -1 and errno as pb_send(); the memory is given back either way. */
PB_API int pb_zc_send_done(int s, struct pb_zc *zc, size_t len);
