#include "stack/api/zc.h"

#include "stack/base/pkt.h"
#include "stack/sock/sock_impl.h"

_Static_assert((int)PB_ZC_IOV >= (int)TCP_RECV_PIECES_MAX, "what TCP lends fits");

/* A socket that is a connection; NULL and errno. */
static struct sock *conn_get(struct socks **ss, int number)
{
	struct sock *s = sock_get(ss, number);

	if (!s || s->kind == SOCK_TCP)
		return s;
	errno = s->kind == SOCK_UDP ? EOPNOTSUPP : ENOTCONN;
	return NULL;
}

int pb_zc_recv_buf(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct sock *s = conn_get(&ss, number);
	struct pkt *p;
	int err;

	if (!s)
		return -1;
	err = tcp_recv_pkt(ss->tcp, s->conn, &p);
	if (err)
		return sock_fail(-err);
	if (!p)
		return 0;
	*zc = (struct pb_zc){ .handle = p, .len = p->total_len, .serial = s->serial };
	for (struct pkt *seg = p; seg; seg = seg->next) {
		if (!seg->len)
			continue;
		ASSERT(zc->n_iov < PB_ZC_IOV);
		zc->iov[zc->n_iov++] = (struct iovec){ seg->data, seg->len };
	}
	ss->n_lent++;
	return 1;
}

void pb_zc_recv_done(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct sock *s = conn_get(&ss, number);

	/* The number may be another connection's by now. */
	if (s && s->serial == zc->serial)
		tcp_recv_pkt_done(ss->tcp, s->conn, zc->handle);
	else
		pkt_free(zc->handle);
	if (ss)
		ss->n_lent--;
	zc->handle = NULL;
}

int pb_zc_send_buf(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct sock *s = conn_get(&ss, number);
	ssize_t err = 0;
	size_t room;
	struct pkt *p;

	if (!s)
		return -1;
	room = tcp_send_room(s->conn);
	/* There will be none any more when the connection ended, or sends no more. */
	if (!room)
		err = tcp_send(ss->tcp, s->conn, "", 0, false);
	if (err < 0 && err != -EAGAIN)
		return sock_fail((int)-err);
	p = room ? pkt_new_buf(ss->pkts, PKT_DATA, 0) : NULL;
	if (!p) {
		tcp_send_want(s->conn);
		return sock_fail(EAGAIN);
	}
	*zc = (struct pb_zc){ .handle = p, .n_iov = 1, .serial = s->serial };
	zc->len = room < PKT_BUF_LEN ? room : PKT_BUF_LEN;
	zc->iov[0] = (struct iovec){ p->data, zc->len };
	ss->n_lent++;
	return 1;
}

int pb_zc_send_done(int number, struct pb_zc *zc, size_t len)
{
	struct socks *ss;
	struct sock *s = conn_get(&ss, number);
	struct pkt *p = zc->handle;
	int err = s ? 0 : -errno;

	zc->handle = NULL;
	if (ss)
		ss->n_lent--;
	if (!err && s->serial != zc->serial)
		err = -EBADF; /* the number is another connection's by now */
	if (!err && len > zc->len)
		err = -EINVAL;
	if (err || len == 0) {
		pkt_free(p);
		return (int)sock_result(err);
	}
	p->len = p->total_len = (uint32_t)len;
	err = tcp_send_pkt(ss->tcp, s->conn, p);
	if (err)
		pkt_free(p);
	return (int)sock_result(err);
}
