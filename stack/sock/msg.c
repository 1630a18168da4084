/*
 * recvmsg() and sendmsg(): many pieces at once, and what goes beside the bytes.  Ancillary
 * data that we know: TCP_CM_INQ with what is read, and the reports of MSG_ERRQUEUE (more.h).
 */
#include <time.h>

#include <linux/errqueue.h>
#include <linux/tcp.h>

#include "stack/api/sock.h"
#include "stack/base/clock.h"
#include "stack/sock/sock_impl.h"

void sock_put_cmsg(struct msghdr *msg, size_t *used, int level, int type,
		   const void *data, size_t len)
{
	struct cmsghdr c = { .cmsg_len = CMSG_LEN(len),
			     .cmsg_level = level,
			     .cmsg_type = type };
	uint8_t *at = (uint8_t *)msg->msg_control + *used;

	if (!msg->msg_control || msg->msg_controllen < *used + CMSG_SPACE(len)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	memset(at, 0, CMSG_SPACE(len));
	memcpy(at, &c, sizeof(c));
	memcpy(at + CMSG_LEN(0), data, len);
	*used += CMSG_SPACE(len);
}

/* ---- receiving ---- */

static void put_stamp(struct msghdr *msg, size_t *used, const struct sock_report *r)
{
	struct scm_timestamping stamps = { 0 };

	stamps.ts[0].tv_sec = (time_t)(r->at_ns / NS_PER_S);
	stamps.ts[0].tv_nsec = (long)(r->at_ns % NS_PER_S);
	sock_put_cmsg(msg, used, SOL_SOCKET, SCM_TIMESTAMPING, &stamps, sizeof(stamps));
	/* The packet that it tells of is not there. */
	msg->msg_flags |= MSG_TRUNC;
}

/* Linux puts the address of who caused it behind: nobody did. */
static void put_error(const struct sock *s, struct msghdr *msg, size_t *used,
		      const struct sock_report *r)
{
	struct {
		struct sock_extended_err err;
		union {
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
		} from;
	} e = { 0 };
	size_t len = sizeof(e.err) + (s->is_ip6 ? sizeof(e.from.in6) : sizeof(e.from.in));

	e.err.ee_errno = r->is_stamp ? ENOMSG : 0;
	e.err.ee_origin = r->is_stamp ? SO_EE_ORIGIN_TIMESTAMPING : SO_EE_ORIGIN_ZEROCOPY;
	e.err.ee_code = r->is_stamp ? 0 : SO_EE_CODE_ZEROCOPY_COPIED;
	e.err.ee_info = r->info;
	e.err.ee_data = r->data;
	if (s->is_ip6)
		sock_put_cmsg(msg, used, IPPROTO_IPV6, IPV6_RECVERR, &e, len);
	else
		sock_put_cmsg(msg, used, IPPROTO_IP, IP_RECVERR, &e, len);
}

static ssize_t recv_report(struct sock *s, struct msghdr *msg)
{
	struct sock_report report;
	size_t used = 0;

	if (!sock_more_report(s, &report))
		return -EAGAIN;
	msg->msg_flags = MSG_ERRQUEUE;
	if (report.is_stamp)
		put_stamp(msg, &used, &report);
	put_error(s, msg, &used, &report);
	msg->msg_controllen = used;
	return 0;
}

/* Bytes that wait behind those that were read; 1: only the end of the stream does. */
static int inq_of(const struct sock *s)
{
	size_t n = tcp_recv_ready(s->conn);

	return n ? (int)n : !!(tcp_conn_news(s->conn) & TCP_PEER_CLOSED);
}

static ssize_t recv_pieces(struct socks *ss, struct sock *s, const struct msghdr *msg,
			   int flags)
{
	ssize_t sum = 0, r;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		const struct iovec *iov = &msg->msg_iov[i];

		if (!iov->iov_len)
			continue;
		if (!iov->iov_base)
			return sum ? sum : -EFAULT;
		r = sock_tcp_recv(ss, s, iov->iov_base, iov->iov_len, flags);
		if (r <= 0)
			return sum ? sum : r;
		sum += r;
		if ((size_t)r < iov->iov_len || (flags & (MSG_OOB | MSG_PEEK)))
			break;
	}
	return sum;
}

static ssize_t recv_stream(struct socks *ss, struct sock *s, struct msghdr *msg,
			   int flags)
{
	ssize_t r = recv_pieces(ss, s, msg, flags);
	size_t used = 0;
	int inq;

	if (r < 0)
		return r;
	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	if (s->more && s->more->inq && s->kind == SOCK_TCP) {
		inq = inq_of(s);
		sock_put_cmsg(msg, &used, IPPROTO_TCP, TCP_CM_INQ, &inq, sizeof(inq));
	}
	msg->msg_controllen = used;
	return r;
}

ssize_t pb_recvmsg(int number, struct msghdr *msg, int flags)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (!msg)
		return sock_fail(EFAULT);
	if (flags & MSG_ERRQUEUE)
		return sock_result(recv_report(s, msg));
	if (s->kind == SOCK_UDP)
		return sock_result(sock_udp_recvmsg(ss, s, msg, flags));
	return sock_result(recv_stream(ss, s, msg, flags));
}

/* ---- sending ---- */

static size_t len_of(const struct msghdr *msg)
{
	size_t sum = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		sum += msg->msg_iov[i].iov_len;
	return sum;
}

/* One call, however many pieces: MSG_MORE between them, and one report at the end. */
static ssize_t send_pieces(struct socks *ss, struct sock *s, const struct msghdr *msg,
			   int flags)
{
	size_t left = len_of(msg);
	ssize_t sum = 0, r;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		const struct iovec *iov = &msg->msg_iov[i];

		if (!iov->iov_len)
			continue;
		left -= iov->iov_len;
		if (!iov->iov_base)
			return sum ? sum : -EFAULT;
		r = sock_tcp_send(ss, s, iov->iov_base, iov->iov_len,
				  left ? (flags & ~(MSG_ZEROCOPY | MSG_EOR)) | MSG_MORE :
					 flags);
		if (r < 0)
			return sum ? sum : r;
		sum += r;
		if ((size_t)r < iov->iov_len)
			break;
	}
	return sum;
}

/* As one run of bytes, for who cannot take pieces. */
static ssize_t send_joined(struct socks *ss, struct sock *s, int number,
			   const struct msghdr *msg, int flags)
{
	enum { JOINED_MAX = 65536 };
	uint8_t bytes[JOINED_MAX];
	size_t len = 0;

	if (len_of(msg) > sizeof(bytes))
		return sock_fail(EMSGSIZE);
	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len)
			memcpy(bytes + len, msg->msg_iov[i].iov_base,
			       msg->msg_iov[i].iov_len);
		len += msg->msg_iov[i].iov_len;
	}
	if (s->kind == SOCK_UDP)
		return sock_result(sock_udp_sendmsg(ss, s, msg, bytes, len));
	return pb_sendto(number, bytes, len, flags, msg->msg_name, msg->msg_namelen);
}

ssize_t pb_sendmsg(int number, const struct msghdr *msg, int flags)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (!msg)
		return sock_fail(EFAULT);
	if (s->kind == SOCK_UDP || (flags & MSG_FASTOPEN) || s->kind == SOCK_TCP_NEW)
		return send_joined(ss, s, number, msg, flags);
	return sock_result(send_pieces(ss, s, msg, flags));
}
