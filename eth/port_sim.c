#include "eth/port_sim.h"

#include <errno.h>
#include <stdlib.h>

#include "eth/port_impl.h"
#include "eth/sim_dir.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"

struct sim_link {
	char name[SIM_NAME_LEN];
	bool offload, point_to_point;
	struct sim_dir dir[2];
	struct port *end[2]; /* who is attached; @dir[i] leads from @end[i] */
};

struct sim {
	uint64_t seed, digest;
	sim_open_fn *open; /* NULL: the links are ours */
	void *ctx;
	unsigned n_links;
	struct sim_link *links[SIM_LINK_MAX];
};

struct port_sim {
	struct port port;
	struct sim *sim;
	struct sim_link *link;
	unsigned end;
};

struct sim *sim_new(uint64_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (sim)
		sim->seed = seed;
	return sim;
}

struct sim *sim_of(sim_open_fn *open, void *ctx)
{
	struct sim *sim = sim_new(0);

	if (sim) {
		sim->open = open;
		sim->ctx = ctx;
	}
	return sim;
}

void sim_free(struct sim *sim)
{
	for (unsigned i = 0; i < sim->n_links; i++) {
		struct sim_link *link = sim->links[i];

		ASSERT(!link->end[0] && !link->end[1]);
		sim_dir_fini(&link->dir[0]);
		sim_dir_fini(&link->dir[1]);
		free(link);
	}
	free(sim);
}

static struct sim_link *find(const struct sim *sim, const char *name, size_t len)
{
	for (unsigned i = 0; i < sim->n_links; i++) {
		struct sim_link *link = sim->links[i];

		if (strlen(link->name) == len && memcmp(link->name, name, len) == 0)
			return link;
	}
	return NULL;
}

static struct sim_dir *find_dir(const struct sim *sim, const char *name, unsigned dir)
{
	struct sim_link *link = find(sim, name, strlen(name));

	return link && dir < 2 ? &link->dir[dir] : NULL;
}

int sim_link_add(struct sim *sim, const char *name, const struct sim_link_conf *conf)
{
	struct hash_key key = { { sim->seed, 0 } };
	size_t len = strlen(name);
	struct sim_link *link;

	if (len == 0 || len >= SIM_NAME_LEN || strchr(name, '/'))
		return -EINVAL;
	if (find(sim, name, len))
		return -EEXIST;
	if (sim->n_links == SIM_LINK_MAX)
		return -ENOSPC;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	memcpy(link->name, name, len + 1);
	link->offload = conf->offload;
	link->point_to_point = conf->point_to_point;
	for (unsigned i = 0; i < 2; i++) {
		key.k[1] = i;
		sim_dir_init(&link->dir[i], &conf->dir[i],
			     hash_siphash13(&key, name, len));
		if (conf->point_to_point)
			link->dir[i].link_len = 0;
	}
	sim->links[sim->n_links++] = link;
	return 0;
}

int sim_link_set(struct sim *sim, const char *name, unsigned dir,
		 const struct sim_dir_conf *conf)
{
	struct sim_dir *d = find_dir(sim, name, dir);

	if (!d)
		return -ENOENT;
	sim_dir_set(d, conf);
	return 0;
}

int sim_link_filter(struct sim *sim, const char *name, unsigned dir, sim_filter *fn,
		    void *ctx)
{
	struct sim_dir *d = find_dir(sim, name, dir);

	if (!d)
		return -ENOENT;
	d->filter = fn;
	d->filter_ctx = ctx;
	return 0;
}

const struct sim_stats *sim_link_stats(const struct sim *sim, const char *name,
				       unsigned dir)
{
	const struct sim_dir *d = find_dir(sim, name, dir);

	return d ? &d->stats : NULL;
}

uint64_t sim_due(const struct sim *sim)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < 2 * sim->n_links; i++) {
		uint64_t at = sim_dir_due(&sim->links[i / 2]->dir[i % 2]);

		due = at < due ? at : due;
	}
	return due;
}

uint64_t sim_digest(const struct sim *sim)
{
	return sim->digest;
}

static void digest(const struct port_sim *ps, const struct sim_frame *f)
{
	struct hash_key key = { { ps->sim->digest ^ ps->end, f->at_ns } };

	key.k[0] ^= hash_siphash13(&key, ps->link->name, strlen(ps->link->name));
	ps->sim->digest = hash_siphash13(&key, f->bytes, f->len);
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_sim *ps = container_of(port, struct port_sim, port);
	struct sim_dir *d = &ps->link->dir[!ps->end];
	struct sim_frame *f;
	unsigned done = 0;

	while (done < n && (f = sim_dir_take(d, now_ns))) {
		struct pkt *p = port_pkt(port->pool, f->bytes, f->len);

		if (p) {
			p->gso_len = f->gso_len;
			p->flags = f->sum_ok ? PKT_SUM_OK : 0;
			port_count_rx(port, p, now_ns);
			d->stats.delivered++;
			d->stats.delivered_bytes += f->len;
			digest(ps, f);
			burst[done++] = p;
		} else {
			port->stats.rx_no_memory++;
			d->stats.no_memory++;
		}
		free(f);
	}
	return done;
}

static void tx_burst(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct port_sim *ps = container_of(port, struct port_sim, port);
	struct sim_dir *d = &ps->link->dir[ps->end];

	for (unsigned i = 0; i < n; i++) {
		port_count_tx(port, burst[i]);
		if (ps->link->end[!ps->end])
			sim_dir_send(d, burst[i], now_ns);
		else
			d->stats.no_receiver++;
		pkt_free(burst[i]);
	}
}

static void sim_close(struct port *port)
{
	struct port_sim *ps = container_of(port, struct port_sim, port);

	sim_dir_fini(&ps->link->dir[!ps->end]);
	ps->link->end[ps->end] = NULL;
	free(ps);
}

/* 02, then a hash of the link and its end: the same in every run. */
static struct mac made_mac(const struct sim_link *link, unsigned end)
{
	struct hash_key key = { { 0, end } };
	uint64_t h = hash_siphash13(&key, link->name, strlen(link->name));
	struct mac mac = { { 2 } };

	memcpy(mac.b + 1, &h, sizeof(mac.b) - 1);
	return mac;
}

static int attach(struct sim *sim, struct sim_link *link, unsigned end,
		  const struct port_conf *conf, struct port **port)
{
	static const struct mac none;
	struct port_sim *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	ps->sim = sim;
	ps->link = link;
	ps->end = end;
	ps->port = (struct port){
		.ops = &port_sim_ops,
		.mac = mac_eq(conf->mac, none) ? made_mac(link, end) : conf->mac,
		.mtu = conf->mtu ? conf->mtu : link->dir[end].conf.mtu,
		.point_to_point = link->point_to_point,
		.fd = -1,
		.pool = conf->pool,
	};
	if (link->offload && conf->offload)
		ps->port.caps = PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6;
	link->end[end] = *port = &ps->port;
	return 0;
}

static int sim_open(const char *arg, const struct port_conf *conf, struct port **port,
		    char error[static PORT_ERROR_LEN])
{
	const char *slash = strchr(arg, '/');
	struct sim_link *link;
	unsigned end;

	if (!conf->sim)
		return port_error(EINVAL, error,
				  "sim:%.60s needs a program that simulates", arg);
	if (conf->sim->open)
		return conf->sim->open(conf->sim->ctx, arg, conf, port, error);
	if (!slash || (strcmp(slash, "/0") != 0 && strcmp(slash, "/1") != 0))
		return port_error(EINVAL, error,
				  "sim:%.60s is not sim:LINK/0 or sim:LINK/1", arg);
	link = find(conf->sim, arg, (size_t)(slash - arg));
	if (!link)
		return port_error(ENOENT, error, "sim:%.60s: there is no such link", arg);
	end = slash[1] == '1';
	if (link->end[end])
		return port_error(EBUSY, error, "sim:%.60s: this end is in use", arg);
	if (attach(conf->sim, link, end, conf, port))
		return port_error(ENOMEM, error, "sim:%.60s: no memory", arg);
	return 0;
}

const struct port_ops port_sim_ops = {
	.name = "sim",
	.open = sim_open,
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.close = sim_close,
};
