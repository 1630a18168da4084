#include <criterion/criterion.h>
#include <errno.h>

#include "eth/port_impl.h"
#include "eth/port_sim.h"
#include "stack/base/pkt.h"
#include "tests/lib/case.h"

static struct pkt_pool pool;
static struct sim *sim;
static struct port_conf conf;
static char error[PORT_ERROR_LEN];
static struct port *port;

static void setup(void)
{
	struct sim_link_conf link = { 0 };

	cr_assert_eq(pkt_pool_init(&pool, 256, 64), 0);
	sim = sim_new(1);
	cr_assert_eq(sim_link_add(sim, "l", &link), 0);
	conf = (struct port_conf){ .pool = &pool, .sim = sim };
	port = NULL;
}

static void clean(void)
{
	sim_free(sim);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(port, setup, clean);

static void refuses(const char *name, int err, const char *word)
{
	error[0] = 0;
	cr_assert_eq(port_open(name, &conf, &port, error), -err, "%s", name);
	cr_assert_null(port);
	cr_assert_not_null(strstr(error, word), "%s: %s", name, error);
}

Case(port, names_the_drivers_there_are_when_there_is_no_such_one)
{
	static const char *const wrong[] = { "",	 ":",	 "sim", "si:l/0",
					     "simm:l/0", "eth0", ":sim" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		refuses(wrong[i], ENODEV, wrong[i]);
		for (const struct port_ops *const *d = port_drivers(); *d; d++)
			cr_assert_not_null(strstr(error, (*d)->name));
	}
}

Case(port, an_error_always_fits)
{
	char name[1000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	refuses(name, ENODEV, "xxxx");
	memcpy(name, "sim:", 4);
	refuses(name, ENAMETOOLONG, "127");
	cr_assert_lt(strlen(error), sizeof(error) - 1);
}

Case(port, refuses_an_mtu_no_link_has)
{
	static const uint16_t wrong[] = { 1, 67, 65522, 65535 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		conf.mtu = wrong[i];
		refuses("sim:l/0", EINVAL, "MTU");
	}
	conf.mtu = 68;
	cr_assert_eq(port_open("sim:l/0", &conf, &port, error), 0);
	port_close(port);
}

Case(port, refuses_a_group_address_as_its_own)
{
	conf.mac = (struct mac){ { 1, 2, 3, 4, 5, 6 } };
	refuses("sim:l/0", EINVAL, "group");
}

Case(port, keeps_the_name_it_was_opened_with)
{
	cr_assert_eq(port_open("sim:l/1", &conf, &port, error), 0);
	cr_assert_str_eq(port->name, "sim:l/1");
	cr_assert_eq(port->fd, -1);
	port_close(port);
}

Case(port, sim_says_what_is_wrong_with_a_name)
{
	refuses("sim:", EINVAL, "sim:LINK/0");
	refuses("sim:l", EINVAL, "sim:LINK/0");
	refuses("sim:l/2", EINVAL, "sim:LINK/0");
	refuses("sim:l/01", EINVAL, "sim:LINK/0");
	refuses("sim:m/0", ENOENT, "no such link");
	cr_assert_eq(port_open("sim:l/0", &conf, &port, error), 0);
	{
		struct port *first = port;

		port = NULL;
		refuses("sim:l/0", EBUSY, "in use");
		port_close(first);
	}
	conf.sim = NULL;
	refuses("sim:l/0", EINVAL, "simulates");
}

Case(port, a_packet_lies_in_its_descriptor_when_it_fits)
{
	uint8_t bytes[PKT_HEAD_LEN + 1];
	struct pkt *p;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	p = port_pkt(&pool, bytes, PKT_HEAD_LEN);
	cr_assert_null(p->buf);
	cr_assert_arr_eq(p->data, bytes, PKT_HEAD_LEN);
	pkt_free(p);
	p = port_pkt(&pool, bytes, sizeof(bytes));
	cr_assert_not_null(p->buf);
	cr_assert_arr_eq(p->data, bytes, sizeof(bytes));
	pkt_free(p);
}

Case(port, a_long_packet_is_a_chain_with_its_headers_in_front)
{
	static uint8_t bytes[PKT_MAX_LEN], out[PKT_MAX_LEN];
	struct pkt *p;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 >> 3);
	p = port_pkt(&pool, bytes, sizeof(bytes));
	cr_assert_geq(p->len, PKT_HEADERS_LEN);
	cr_assert_eq(pkt_read(p, 0, out, sizeof(out)), sizeof(bytes));
	cr_assert_arr_eq(out, bytes, sizeof(bytes));
	pkt_free(p);
}

Case(port, an_empty_pool_gives_no_packet_and_keeps_nothing)
{
	static uint8_t bytes[PKT_MAX_LEN];
	struct pkt *all = NULL, *p;
	uint32_t out;

	for (unsigned i = 0; i < 50; i++) {
		p = pkt_new_buf(&pool, PKT_DATA, 0);
		cr_assert_not_null(p);
		p->link = all;
		all = p;
	}
	out = pool.pkts.n_out;
	cr_assert_null(port_pkt(&pool, bytes, sizeof(bytes)));
	cr_assert_eq(pool.pkts.n_out, out);
	cr_assert_eq(pool.bufs.n_out, out);
	pkt_free_list(all);
}

/* A packet of @n parts of one byte each, with an empty one in front of each. */
static struct pkt *parts(unsigned n)
{
	struct pkt *p = pkt_new(&pool, PKT_DATA);

	p->proto = 6;
	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = 9;
	for (unsigned i = 0; i < n; i++) {
		struct pkt *part = pkt_new(&pool, PKT_DATA);

		cr_assert_not_null(part);
		*pkt_push(part, 1) = (uint8_t)i;
		pkt_chain(p, part);
	}
	return p;
}

Case(port, gathers_the_parts_that_hold_bytes)
{
	struct iovec iov[PORT_IOV_MAX];
	struct pkt *p = port_few(parts(PORT_IOV_MAX - 1));

	cr_assert_eq(port_gather(p, iov), PORT_IOV_MAX - 1);
	for (int i = 0; i < PORT_IOV_MAX - 1; i++) {
		cr_assert_eq(iov[i].iov_len, 1);
		cr_assert_eq(*(uint8_t *)iov[i].iov_base, i);
	}
	pkt_free(p);
}

Case(port, copies_a_frame_in_too_many_parts_to_few)
{
	struct iovec iov[PORT_IOV_MAX];
	struct pkt *p = parts(PORT_IOV_MAX);

	p->data = p->head;
	p->len = 2;
	p->total_len += 2;
	p->l3 = p->data;
	p->l4 = p->data + 1;
	p = port_few(p);
	cr_assert_eq(port_gather(p, iov), 1);
	cr_assert_eq(iov[0].iov_len, PORT_IOV_MAX + 2);
	cr_assert_eq(p->l3, p->data);
	cr_assert_eq(p->l4, p->data + 1);
	cr_assert_eq(p->data[PORT_IOV_MAX + 1], PORT_IOV_MAX - 1);
	cr_assert_eq(p->proto, 6);
	cr_assert_eq(p->gso_len, 9);
	cr_assert_eq(p->flags, PKT_SUM_PARTIAL);
	pkt_free(p);
}
