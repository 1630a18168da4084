#include "stack/api/zc.h"

#include "stack/base/pkt.h"
#include "stack/sock/sock_impl.h"

/* The connection of a socket; NULL and errno. */
static struct tcp_conn *conn_of(struct socks **ss, int number)
{
	struct sock *s = sock_get(ss, number);

	if (!s)
		return NULL;
	if (s->kind != SOCK_TCP) {
		errno = s->kind == SOCK_UDP ? EOPNOTSUPP : ENOTCONN;
		return NULL;
	}
	return s->conn;
}

int pb_zc_recv_buf(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct tcp_conn *conn = conn_of(&ss, number);
	struct pkt *p;
	int err;

	if (!conn)
		return -1;
	err = tcp_recv_pkt(ss->tcp, conn, &p);
	if (err)
		return sock_fail(-err);
	if (!p)
		return 0;
	*zc = (struct pb_zc){ .handle = p, .len = p->total_len };
	for (struct pkt *seg = p; seg; seg = seg->next) {
		if (!seg->len)
			continue;
		/* TCP keeps no packet of more pieces: rcvq.h. */
		ASSERT(zc->n_iov < PB_ZC_IOV);
		zc->iov[zc->n_iov++] = (struct iovec){ seg->data, seg->len };
	}
	ss->n_lent++;
	return 1;
}

void pb_zc_recv_done(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct tcp_conn *conn = conn_of(&ss, number);

	if (conn)
		tcp_recv_pkt_done(ss->tcp, conn, zc->handle);
	else
		pkt_free(zc->handle);
	if (ss)
		ss->n_lent--;
	zc->handle = NULL;
}

int pb_zc_send_buf(int number, struct pb_zc *zc)
{
	struct socks *ss;
	struct tcp_conn *conn = conn_of(&ss, number);
	size_t room;
	struct pkt *p;

	if (!conn)
		return -1;
	room = tcp_send_room(conn);
	p = room ? pkt_new_buf(ss->pkts, PKT_DATA, 0) : NULL;
	if (!p) {
		tcp_send_want(conn);
		return sock_fail(EAGAIN);
	}
	*zc = (struct pb_zc){ .handle = p, .n_iov = 1 };
	zc->len = room < PKT_BUF_LEN ? room : PKT_BUF_LEN;
	zc->iov[0] = (struct iovec){ p->data, zc->len };
	ss->n_lent++;
	return 1;
}

int pb_zc_send_done(int number, struct pb_zc *zc, size_t len)
{
	struct socks *ss;
	struct tcp_conn *conn = conn_of(&ss, number);
	struct pkt *p = zc->handle;
	int err = conn ? 0 : -errno;

	zc->handle = NULL;
	if (ss)
		ss->n_lent--;
	if (!err && len > zc->len)
		err = -EINVAL;
	if (err || len == 0) {
		pkt_free(p);
		return (int)sock_result(err);
	}
	p->len = p->total_len = (uint32_t)len;
	err = tcp_send_pkt(ss->tcp, conn, p);
	if (err)
		pkt_free(p);
	return (int)sock_result(err);
}
