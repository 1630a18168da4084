/*
 * The header that a TAP and a packet socket put in front of each frame when they are
 * asked to (struct virtio_net_hdr, in the host's byte order): what is not yet done to
 * the frame, a checksum to be completed, segments to be cut.
 *
 *   0     1     2        4         6            8             10
 *   +-----+-----+--------+---------+------------+-------------+-------- -
 *   |flags|gso  |hdr_len |gso_size | csum_start | csum_offset | frame
 *   +-----+-----+--------+---------+------------+-------------+-------- -
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

struct pkt;

enum { VNET_LEN = sizeof(struct virtio_net_hdr) };

/*
 * What the header at @bytes says about the received frame @p.  False: a super-frame of
 * another kind than TCP, which nobody here can read.
 */
bool vnet_input(struct pkt *p, const uint8_t *bytes);
/* The header of @p, which begins with its Ethernet header. */
struct virtio_net_hdr vnet_output(const struct pkt *p);
