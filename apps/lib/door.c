#include "apps/lib/door.h"

#include "apps/lib/io.h"
#include "apps/lib/peers.h"

int door_init(struct door *door, const struct door_conf *conf)
{
	*door = (struct door){ .conf = *conf };
	list_init(&door->guests);
	return peers_new(conf->seed, &door->peers);
}

void door_fini(struct door *door)
{
	ASSERT(list_empty(&door->guests));
	peers_free(door->peers);
}

static bool refuse(struct io *io, const char *line)
{
	io_puts(io, line);
	io_close(io);
	return false;
}

bool door_admit(struct door *door, struct io *io, struct peer **peer)
{
	const struct door_lines *lines = &door->conf.lines;
	struct peer *p;

	if (door->is_shut)
		return refuse(io, lines->stopped);
	if (io_is_excess(io)) {
		++*door->conf.counts.refused_excess;
		return refuse(io, lines->excess);
	}
	p = peers_add(door->peers, io_peer_addr(io));
	if (!p)
		return refuse(io, lines->no_memory);
	if (peers_count(p) > door->conf.per_client_max) {
		++*door->conf.counts.refused_client;
		peers_remove(door->peers, p);
		return refuse(io, lines->client);
	}
	*peer = p;
	return true;
}

void door_enter(struct door *door, struct door_guest *guest, struct peer *peer)
{
	guest->peer = peer;
	list_push(&door->guests, &guest->node);
	++*door->conf.counts.sessions;
	++*door->conf.counts.sessions_open;
}

void door_turn_away(struct door *door, struct io *io, struct peer *peer)
{
	peers_remove(door->peers, peer);
	refuse(io, door->conf.lines.no_memory);
}

void door_leave(struct door *door, struct door_guest *guest)
{
	peers_remove(door->peers, guest->peer);
	list_remove(&guest->node);
	--*door->conf.counts.sessions_open;
}

void door_shut(struct door *door, void (*stop)(struct door_guest *guest))
{
	struct list *at = door->guests.next;

	door->is_shut = true;
	while (at != &door->guests) {
		struct door_guest *guest = container_of(at, struct door_guest, node);

		at = at->next;
		stop(guest);
	}
}

void door_clear(struct door *door, void (*abort)(struct door_guest *guest))
{
	while (!list_empty(&door->guests))
		abort(container_of(door->guests.next, struct door_guest, node));
}
