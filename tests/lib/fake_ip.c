#include "tests/lib/fake_ip.h"

#include <errno.h>

#include "ip/ip.h"

unsigned fake_ip_more(const struct ip *ip)
{
	return ip->ours.family == ADDR_IP6 ? 20 : 0;
}

void fake_ip_init(struct ip *ip, struct addr ours)
{
	*ip = (struct ip){ .ours = ours, .mtu = 1500, .last = &ip->first };
}

void fake_ip_fini(struct ip *ip)
{
	struct pkt *p;

	while ((p = fake_ip_pop(ip)))
		pkt_free(p);
}

struct pkt *fake_ip_pop(struct ip *ip)
{
	struct pkt *p = ip->first;

	if (!p)
		return NULL;
	ip->first = p->link;
	if (!ip->first)
		ip->last = &ip->first;
	p->link = NULL;
	ip->n_waiting--;
	return p;
}

int ip_output(struct ip *ip, struct pkt *p, const struct ip_out *how, uint64_t now_ns)
{
	uint32_t ip_len = 20 + (p->gso_len ? p->len + p->gso_len : p->total_len);

	if (ip->error || ((how->flags & IP_DF) && ip_len > ip->mtu)) {
		pkt_free(p);
		return ip->error ? ip->error : -EMSGSIZE;
	}
	p->src = how->src;
	p->dst = how->dst;
	p->proto = how->proto;
	p->ttl = how->ttl;
	p->tos = how->tos;
	p->cb[0] = how->flags & IP_DF;
	p->at_ns = ip->now_ns = now_ns;
	p->link = NULL;
	*ip->last = p;
	ip->last = &p->link;
	ip->n_sent++;
	ip->n_waiting++;
	return 0;
}

bool ip_is_ours(const struct ip *ip, const struct addr *addr)
{
	return addr_eq(addr, &ip->ours);
}

bool ip_is_configured(const struct ip *ip, const struct addr *addr)
{
	return ip_is_ours(ip, addr);
}

int ip_source(struct ip *ip, const struct addr *dst, struct addr *src)
{
	(void)dst;
	if (!ip->mtu)
		return -ENETUNREACH;
	*src = ip->ours;
	return 0;
}

unsigned ip_path_mtu(struct ip *ip, const struct addr *dst)
{
	(void)dst;
	return ip->mtu ? ip->mtu + fake_ip_more(ip) : 0;
}

unsigned ip_link_mtu(struct ip *ip, const struct addr *dst)
{
	(void)dst;
	return ip->mtu ? ip->mtu + fake_ip_more(ip) : 0;
}

void ip_path_mtu_set(struct ip *ip, const struct addr *dst, unsigned mtu, uint64_t now_ns)
{
	(void)dst;
	(void)now_ns;
	mtu -= fake_ip_more(ip);
	if (mtu < ip->mtu)
		ip->mtu = mtu;
}

bool ip_can_gso(struct ip *ip, const struct addr *dst)
{
	(void)dst;
	return ip->gso;
}

void ip_confirm(struct ip *ip, const struct addr *dst, uint64_t now_ns)
{
	(void)dst;
	(void)now_ns;
	ip->n_confirmed++;
}
